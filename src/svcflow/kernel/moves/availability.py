"""Triggers that an actor may fire now, and why the others are closed: by the same rules as firing."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from svcflow.kernel.commands import Actor, Certificates
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.input_checks import accepted
from svcflow.kernel.instance import Draft, Instance
from svcflow.kernel.moves.fire import Offer, offers
from svcflow.kernel.moves.rules import NO_DATA
from svcflow.kernel.timing.elapse import pass_time
from svcflow.kernel.transaction import Transaction
from svcflow.text import NO_TEXT, Text


@attrs.frozen
class Available:
    """One trigger of an active step: whether the actor may fire it, what it requires, and why it is closed."""

    trigger: str
    step: str
    to: str
    name: Text
    open: bool
    requires: tuple[str, ...]
    evidence: tuple[str, ...]
    rule: str = ""
    why: Text = NO_TEXT


def available(
    compiled: Compiled,
    instance: Instance,
    actor: Actor | None,
    at_us: int,
    data: Mapping[str, object] = NO_DATA,
    *,
    certificates: Certificates | None = None,
) -> tuple[Available, ...]:
    """Return every trigger of the steps active at `at_us`, in declared order; without an actor, roles close none.

    `data` is what is to come with the move: guards are evaluated with it. What a move `requires` does not close it.
    `certificates` are those of the actor, as the register says.

    Raises: FieldError when data fit neither a field nor what one of the triggers requires.
    """
    if actor is None:  # an unknown actor is not judged, as in a log of another system
        compiled, actor = attrs.evolve(compiled, foreign=True), Actor("", None)
    transaction = Transaction(compiled, Draft.of(instance), at_us)
    pass_time(transaction)
    if transaction.draft.status == "ended":
        return ()
    given = accepted(compiled.procedure, data, extra=_required(transaction))
    return tuple(_entry(transaction, offer) for offer in offers(transaction, actor, given, certificates))


def _required(transaction: Transaction) -> frozenset[str]:
    rows = (row for name in transaction.draft.active for row in transaction.compiled.exits(name))
    return frozenset(name for row in rows for name in row.move.requires)


def _entry(transaction: Transaction, offer: Offer) -> Available:
    row, refusal = offer.row, offer.closed
    return Available(
        trigger=row.move.trigger,
        step=row.source,
        to=row.dest,
        name=row.move.name,
        open=refusal is None,
        requires=row.move.requires,
        evidence=transaction.compiled.steps[row.source].step.evidence,
        rule=refusal.rule if refusal else "",
        why=refusal.message if refusal else NO_TEXT,
    )
