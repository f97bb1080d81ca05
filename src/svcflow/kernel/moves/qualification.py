"""Qualification of an actor for a step: whether they hold the certificate that it asks for, as the register said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from svcflow.kernel import refusals
from svcflow.kernel.commands import Certificates, is_named
from svcflow.kernel.compiled import Compiled, CompiledMove
from svcflow.kernel.refusals import Refusal

_NONE: Certificates = {}


class Unqualified(NamedTuple):
    """Refusal of a person who does not hold a certificate, and what a deviation says of it."""

    refusal: Refusal
    detail: Mapping[str, Any]


def asked_certificate(compiled: Compiled, row: CompiledMove) -> str | None:
    """Return the certificate that a move asks of who makes it.

    A transition with a role of its own, other than the step's, is not the work that the certificate is for: who is
    served may withdraw a request for electrical work.
    """
    step = compiled.steps[row.source].step
    own = row.move.role
    return None if own and own != step.role else step.qualified


def unqualified(
    compiled: Compiled, step: str, certificate: str, person: str, *, held: Certificates | None, at_us: int
) -> Unqualified | None:
    """Return why a person may not do a step that asks for a certificate; None if they hold it at that instant."""
    detail = {"certificate": certificate}
    if held is None:
        return Unqualified(refusals.no_register(compiled, step, certificate), {**detail, "register": False})
    if not is_named(person):
        return Unqualified(refusals.unnamed_holder(compiled, step, certificate), detail)
    until_us = held.get(certificate)
    if until_us is None:
        return Unqualified(refusals.never_held(compiled, step, certificate), detail)
    if until_us <= at_us:
        refusal = refusals.expired(compiled, step, certificate, until_us)
        return Unqualified(refusal, {**detail, "until_us": until_us})
    return None


def certificates_shown(compiled: Compiled, row: CompiledMove, held: Certificates) -> Certificates:
    """Return what is recorded of the certificates with a move: the one that it asks for, if it was ever held."""
    certificate = asked_certificate(compiled, row)
    return {certificate: held[certificate]} if certificate is not None and certificate in held else _NONE
