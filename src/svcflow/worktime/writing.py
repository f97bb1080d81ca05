"""Writing a calendar back: from CalendarRules to the mapping a calendar file holds.

The mirror of `reading`; refuses to know YAML.
"""

from __future__ import annotations

from svcflow.text import Text
from svcflow.worktime.hours import written
from svcflow.worktime.rules import WEEKDAYS, CalendarRules, DayHours, Special

__all__ = ["as_mapping"]


def as_mapping(rules: CalendarRules) -> dict[str, object]:
    """Return a mapping that reads back as equal rules; keys without content are left out."""
    mapping: dict[str, object] = {"calendar": rules.id}
    if rules.name:
        mapping["name"] = _text(rules.name)
    mapping["timezone"] = rules.timezone
    mapping["weekly"] = {WEEKDAYS[day]: _hours(hours) for day, hours in enumerate(rules.weekly) if hours}
    if rules.covers:
        mapping["covers"] = {"from": rules.covers.first, "to": rules.covers.last}
    for key, runs in (("holidays", rules.holidays), ("makeup", rules.makeup)):
        if runs:
            mapping[key] = [_special(run) for run in runs]
    if rules.source:
        mapping["source"] = list(rules.source)
    return mapping


def _special(run: Special) -> dict[str, object]:
    entry: dict[str, object] = {"date": run.first}
    if run.last != run.first:
        entry["to"] = run.last
    if run.name:
        entry["name"] = _text(run.name)
    if run.own_hours:
        entry["hours"] = _hours(run.hours)
    return entry


def _text(text: Text) -> str | dict[str, str]:
    return text.zh if text.zh == text.en else {"zh": text.zh, "en": text.en}


def _hours(hours: DayHours) -> list[str]:
    return [written(interval) for interval in hours]
