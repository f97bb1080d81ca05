"""The fingerprint of a calendar: equal for the same hours on the same days. Names and sources are no part of it.

Journals keep it, so it must stay the same in every version of the library (tests/worktime/test_fingerprint.py).
"""

from __future__ import annotations

import json
from datetime import date
from hashlib import sha256

from svcflow.worktime.rules import CalendarRules

__all__ = ["fingerprint"]

_LENGTH = 32


def fingerprint(rules: CalendarRules, until: date | None = None) -> str:
    """Return 128 bits, in hexadecimal, of what a calendar says; `until` leaves out what it says of later days.

    A calendar whose coverage was prolonged since says the same up to the day on which it ended before.
    """
    covered = None
    if rules.covers is not None:
        last = rules.covers.last if until is None else min(rules.covers.last, until)
        covered = (rules.covers.first.isoformat(), last.isoformat())
    specials = {
        date.fromordinal(day).isoformat(): hours
        for day, hours in sorted(rules.specials().items())
        if until is None or day <= until.toordinal()
    }
    said = json.dumps([rules.timezone, rules.weekly, covered, specials], separators=(",", ":"))
    return sha256(said.encode()).hexdigest()[:_LENGTH]
