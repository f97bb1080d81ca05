"""What an engine is told of certificates: it asks a register of the host before it decides."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from svcflow.bounds import LAST_US
from svcflow.errors import FieldError
from svcflow.kernel.commands import Certificates
from svcflow.kernel.instance import NEVER
from svcflow.text import Text
from svcflow.worktime.instants import given_us

Qualifications = Callable[[str, str], datetime | None]
"""Returns until when a person holds a certificate, by their ids: None when they never did, the past when no more."""

_LAST_YEAR = 9999


class CertificatesWanted(Exception):
    """A command needs certificates that the register was not asked for yet; nothing was done."""

    def __init__(self, certificates: frozenset[str]) -> None:
        super().__init__(certificates)
        self.certificates = certificates


def held_certificates(
    qualifications: Qualifications | None, person: str, certificates: Collection[str]
) -> Certificates | None:
    """Return which of some certificates a person holds or held; None without a register.

    Raises: FieldError when the register answers with no instant; NaiveDatetime for one without a zone.
    """
    if qualifications is None:
        return None
    answers = {name: qualifications(person, name) for name in sorted(certificates)} if person else {}
    return {name: _until_us(name, until) for name, until in answers.items() if until is not None}


def _until_us(certificate: str, until: object) -> int:
    if not isinstance(until, datetime):
        kind = type(until).__name__
        raise FieldError(
            Text(
                zh=f"qualifications：证书 {certificate} 的有效期须为带时区的时刻或 None，不能是 {kind}",
                en=f"qualifications: until when {certificate} is held is an instant with its zone or None, not a {kind}",
            ),
            Text(
                zh="返回 datetime；无期限的返回 datetime.max 加时区",
                en="return a datetime; for one without an end, datetime.max with a zone",
            ),
        )
    if until.year >= _LAST_YEAR and until.utcoffset() is not None:
        return NEVER
    return min(given_us("qualifications", until), LAST_US)
