"""Register of qualifications: who holds which certificate until when, from a file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import attrs

from svcflow.text import NO_TEXT, Text

UNLIMITED = "unlimited"
"""What a register writes for a certificate without an end."""
_WITHOUT_END = datetime.max.replace(tzinfo=UTC)


@attrs.frozen
class LastDay:
    """Last day on which a certificate is held; None for one without an end."""

    day: date | None


@attrs.frozen(kw_only=True)
class QualificationRegister:
    """Who holds which certificate until when: give it to an engine as `qualifications`.

    `certificates` has for each certificate the persons who hold or held it, with the last day of that by the zone's
    clock. Called with a person and a certificate, it returns until when the person holds it: None for never.
    """

    id: str
    name: Text = NO_TEXT
    zone: str = "Asia/Shanghai"
    certificates: Mapping[str, Mapping[str, LastDay]]

    def __call__(self, person: str, certificate: str) -> datetime | None:
        """Return until when a person holds a certificate: the past when no more, None when they never did."""
        held = self.certificates.get(certificate, {}).get(person)
        if held is None:
            return None
        if held.day is None:
            return _WITHOUT_END
        after = held.day + timedelta(days=1)
        return datetime(after.year, after.month, after.day, tzinfo=ZoneInfo(self.zone))
