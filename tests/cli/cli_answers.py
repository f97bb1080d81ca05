"""A procedure, two instants and the reading of answers, for the tests of the command line."""

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
MONDAY = "2026-03-02T09:00+08:00"
LATER = "2026-03-02T15:30+08:00"


def parsed(result: Result) -> dict[str, object]:
    """Return the JSON of an answer."""
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found
