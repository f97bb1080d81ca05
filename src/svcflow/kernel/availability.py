"""What an actor may fire now, and why the other triggers are closed. Asks the same rules as firing."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from svcflow.kernel.commands import Actor, Fire
from svcflow.kernel.compiled import Compiled, CompiledMove
from svcflow.kernel.firing import choose, closed_by
from svcflow.kernel.instance import Draft, Instance
from svcflow.kernel.ledger import Ledger
from svcflow.kernel.passing import pass_time
from svcflow.kernel.refusal import Refusal
from svcflow.text import NO_TEXT, Text


@attrs.frozen
class Available:
    """Hold one trigger of one active step: whether this actor may fire it, what it asks, why it is closed."""

    trigger: str
    step: str
    to: str
    name: Text
    open: bool
    requires: tuple[str, ...]
    evidence: tuple[str, ...]
    rule: str = ""
    why: Text = NO_TEXT


def available(compiled: Compiled, instance: Instance, actor: Actor, at_us: int) -> tuple[Available, ...]:
    """Return every trigger of the steps active at `at_us`, in declared order."""
    ledger = Ledger(compiled, Draft.of(instance), at_us)
    pass_time(ledger)
    return tuple(_available(ledger, actor)) if ledger.draft.status != "ended" else ()


def _available(ledger: Ledger, actor: Actor) -> Iterator[Available]:
    for name in ledger.draft.active:
        step = ledger.compiled.steps[name]
        for trigger in step.exits:
            if step.branches and trigger == "done":
                continue  # the kernel fires it when the branches have ended
            command = Fire(trigger, actor, step=name)
            choice = choose(ledger, command)
            refusal = choice if isinstance(choice, Refusal) else closed_by(ledger, command, choice)
            row = step.exits[trigger][0] if isinstance(choice, Refusal) else choice.row
            yield _entry(row, step.step.evidence, refusal)


def _entry(row: CompiledMove, evidence: tuple[str, ...], refusal: Refusal | None) -> Available:
    return Available(
        trigger=row.move.trigger,
        step=row.source,
        to=row.move.step,
        name=row.move.name,
        open=refusal is None,
        requires=row.move.requires,
        evidence=evidence,
        rule=refusal.rule if refusal else "",
        why=refusal.message if refusal else NO_TEXT,
    )
