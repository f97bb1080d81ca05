"""Two procedures, a calendar, two instants and the reading of answers, for the tests of the command line."""

from __future__ import annotations

import json

from click.testing import Result

LAMP = """\
procedure: lamp
version: 1
name: {zh: 换灯, en: Lamp}
calendar: cn_office
fields:
  place: {type: text, name: {zh: 地点, en: Place}, required: true}
  watt: {type: number, name: {zh: 瓦数, en: Watt}}
  urgent: {type: boolean, name: {zh: 加急, en: Urgent}, default: false}
  reason: {type: text, name: {zh: 理由, en: Reason}}
roles:
  desk: {zh: 受理台, en: Desk}
  fitter: {zh: 电工, en: Fitter}
holds:
  third_party: {at_most: 5wd, evidence: [notice]}
steps:
  asked:
    name: {zh: 已报, en: Asked}
    role: desk
    within: {h: 2, source: proposal, severity: minor}
    to:
      accept: {step: accepted, name: {zh: 受理, en: Accept}}
  accepted:
    name: {zh: 已受理, en: Accepted}
    role: fitter
    within: {wh: 4, source: proposal, severity: critical}
    to:
      fit: {step: fitted, name: {zh: 更换, en: Fit}, requires: [reason]}
  fitted:
    name: {zh: 已更换, en: Fitted}
    role: desk
    to:
      close: {step: closed, name: {zh: 办结, en: Close}}
  closed: {name: {zh: 办结, en: Closed}, end: completed}
"""
ASKING = """\
procedure: asking
fields: {amount: {type: number, default: 0}}
steps:
  asked:
    to:
      submit:
        - {step: checked, when: amount > 1000, requires: [plan]}
        - {step: closed}
  checked: {to: {approve: closed}}
  closed: {end: completed}
"""
TOUR = """\
procedure: tour
version: 1
name: {zh: 参观, en: Tour}
calendar: desk
fields:
  starts: {type: instant, name: {zh: 开始时间, en: Start of the tour}}
roles:
  guide: {zh: 讲解员, en: Guide}
  chief: {zh: 主管, en: Chief}
steps:
  asked:
    name: {zh: 已申请, en: Asked}
    role: guide
    to:
      prepare: {step: prepared, name: {zh: 备妥, en: Prepare}}
  prepared:
    name: {zh: 已备妥, en: Prepared}
    role: guide
    to:
      close: {step: closed, name: {zh: 结束, en: Close}}
  closed: {name: {zh: 已结束, en: Closed}, end: completed}
limits:
  - id: reply
    name: {zh: 答复, en: Reply}
    step: asked
    within: 3wd
    extension: {by: 2wd, role: chief}
  - id: ready
    name: {zh: 就绪, en: Readiness}
    from: asked
    to: prepared
    before: starts - 2h
    severity: critical
"""
DESK = """\
calendar: desk
timezone: Asia/Shanghai
weekly: {mon-fri: ["08:30-12:00", "13:30-17:30"]}
covers: {from: 2026-01-01, to: 2026-12-31}
"""
MONDAY = "2026-03-02T09:00+08:00"
LATER = "2026-03-02T15:30+08:00"


def parsed(result: Result) -> dict[str, object]:
    """Return the JSON of an answer."""
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found
