"""The keys of a calendar file, as JSON Schema. Calendars are read by `svcflow.worktime`, not here.

They are spelled out because the model stands below working time and knows none of its classes.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

_DAY: Schema = {"type": "string", "format": "date", "pattern": r"^\d{4}-?\d{2}-?\d{2}$"}
_HOURS: Schema = {
    "description": 'Open intervals such as "08:30-12:00"; a night shift is "22:00-06:00".',
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
}
_NAME: Schema = {
    "anyOf": [
        {"type": ["string", "null"]},
        {
            "type": "object",
            "properties": {"zh": {"type": "string"}, "en": {"type": "string"}},
            "additionalProperties": False,
        },
    ]
}


def calendar_properties() -> dict[str, Schema]:
    """Return the schema of each key a calendar may have."""
    return {
        "calendar": {"type": "string", "pattern": "^[a-z0-9_]+$"},
        "name": _NAME,
        "timezone": {"type": "string", "description": "An IANA name such as Asia/Shanghai."},
        "weekly": {
            "type": "object",
            "description": "Open hours by weekday: mon, mon-fri or mon,wed.",
            "additionalProperties": _HOURS,
        },
        "covers": {
            "description": "The first and the last day the calendar speaks for.",
            "anyOf": [_entry({"from": _DAY, "to": _DAY}, ("from", "to")), {"type": "null"}],
        },
        "holidays": _days("Days on which it is closed."),
        "makeup": _days(
            "Days off that are worked, with Monday's hours unless they say others.", hours=_HOURS
        ),
        "source": {
            "description": "The documents it follows.",
            "anyOf": [{"type": ["string", "null"]}, {"type": "array", "items": {"type": "string"}}],
        },
    }


def _days(description: str, **more: Schema) -> Schema:
    day = _entry({"date": _DAY, "to": _DAY, "name": _NAME, **more}, ("date",))
    return {"description": description, "anyOf": [{"type": "array", "items": day}, {"type": "null"}]}


def _entry(properties: dict[str, Schema], required: tuple[str, ...]) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }
