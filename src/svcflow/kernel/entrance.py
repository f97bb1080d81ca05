"""The way into a parallel step that nobody was seen to enter, when something is fired inside it."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from svcflow.kernel.commands import Fire
from svcflow.kernel.compiled import CompiledMove
from svcflow.kernel.ledger import Ledger
from svcflow.kernel.row_choice import Data, choose_row, led_elsewhere
from svcflow.kernel.rules import Breach


@attrs.frozen
class Entrance:
    """The transition by which a parallel step is entered, and the active step that is left by it."""

    row: CompiledMove
    leaving: str
    way: tuple[str, ...] | None
    """The steps skipped before it; None when none leads there."""
    breaches: tuple[Breach, ...]
    """That the data do not lead there."""


def entrance_for(ledger: Ledger, command: Fire, data: Data) -> Entrance | None:
    """Return how to get into a parallel step that is not active and inside which the trigger is declared."""
    compiled, active = ledger.compiled, ledger.draft.active
    options: list[tuple[int, bool, int, Entrance]] = []
    for source, rows in compiled.triggers[command.trigger].transitions.items():
        around = [name for name in compiled.inside(source) if name not in active]
        if not around or command.step not in (None, source):
            continue
        if rows[0].enforce["order"] == "refuse" and not command.override:
            continue
        for row, breaches in _leading_to(ledger, around[-1], data):
            for leaving in [n for n in active if compiled.steps[n].scope == compiled.steps[row.source].scope]:
                way = compiled.way(leaving, row.source)
                length = 10_000 if way is None else len(way)
                entrance = Entrance(row, leaving, way, breaches)
                options.append((length, bool(breaches), len(options), entrance))
    return min(options, key=lambda option: option[:3])[3] if options else None


def _leading_to(ledger: Ledger, step: str, data: Data) -> Iterator[tuple[CompiledMove, tuple[Breach, ...]]]:
    """Yield a row of each trigger that may lead to a step: the one the data lead by, else one that they close."""
    compiled = ledger.compiled
    for name, place in compiled.steps.items():
        for trigger in place.triggers:
            rows = compiled.rows(name, trigger)
            leading = [row for row in rows if row.dest == step]
            if not leading:
                continue
            row, breach = choose_row(compiled, ledger.draft, rows, data)
            if breach is None and row not in leading:
                breach = led_elsewhere(rows, row)
            yield (leading[0], (breach,)) if breach is not None else (row, ())
