"""Fire: choose the transition a trigger means, ask the rules, move, and record what departs from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta, timezone
from typing import NamedTuple

import attrs

from svcflow.errors import FieldError, UnknownTrigger
from svcflow.kernel import refusals
from svcflow.kernel.commands import Actor, Fire
from svcflow.kernel.compiled import Compiled, CompiledMove
from svcflow.kernel.facts import Deviated, Moved, to_datetime
from svcflow.kernel.input_checks import accepted
from svcflow.kernel.instance import Draft
from svcflow.kernel.moves.authorization import lacks, taken
from svcflow.kernel.moves.row_choice import NO_DATA, Data, choose_row, led_elsewhere, unjoinable
from svcflow.kernel.moves.rules import (
    SEVERITY,
    Breach,
    entering_breaches,
    missing_breaches,
    standing_breaches,
)
from svcflow.kernel.refusals import Refusal
from svcflow.kernel.timing.elapse import join, settle
from svcflow.kernel.transaction import Ledger
from svcflow.model.step import DONE
from svcflow.nearest import nearest
from svcflow.text import Text, cut

_NO_EVIDENCE: Mapping[str, str] = {}


class Choice(NamedTuple):
    """Hold the transition a trigger was taken to mean, and from which active step."""

    row: CompiledMove
    leaving: str
    skipped: tuple[str, ...] | None
    breaches: tuple[Breach, ...]


@attrs.frozen
class Offer:
    """A trigger of an active step: the row it would take for an actor, and the rule that closes it."""

    row: CompiledMove
    closed: Refusal | None


def fire(ledger: Ledger, command: Fire) -> Refusal | None:
    """Move by the command's trigger, or return the rule that refuses it. Raises: UnknownTrigger, FieldError."""
    compiled = ledger.compiled
    if command.trigger not in compiled.triggers:
        raise _unknown(compiled, command.trigger)
    when_us = ledger.at_us if command.occurred_us is None else command.occurred_us
    if not ledger.draft.revised_us <= when_us <= ledger.at_us:
        return _impossible(ledger, command, when_us)
    data = _accepted(compiled, command) if command.data else NO_DATA
    choice = choose(ledger, command, data)
    if isinstance(choice, Refusal):
        entrance = entrance_for(ledger, command, data) if choice.rule == "order" else None
        return choice if entrance is None else _fire_inside(ledger, command, entrance, when_us)
    row, leaving = choice.row, choice.leaving
    if data:
        _refuse_strangers(compiled, row, data)
    standing = (*choice.breaches, *standing_breaches(ledger, command, row, leaving))
    missing = missing_breaches(ledger, command, row, leaving, data)
    breaches = (*standing, *missing)
    if breaches or ledger.draft.assignees or row.joins:  # mostly there is none, and nothing to ask
        refusal = _closed(ledger, command, choice, standing, data) or _refuses(command, choice, missing)
        if refusal is not None:
            return refusal
    _move(ledger, command, choice, data, when_us, breached=bool(breaches))
    if when_us < ledger.at_us:
        _late_record(ledger, command, choice, when_us)
    if breaches:
        _deviate(ledger, command, choice, breaches, when_us)
    if row.joins:
        join(ledger, row, when_us, command.actor.id, command.override or "")
    return None


def _accepted(compiled: Compiled, command: Fire) -> Data:
    """Return the data as they are kept. Which row is taken they tell, so what any row requires may be among them."""
    places = compiled.triggers[command.trigger].transitions.values()
    required = [name for rows in places for row in rows for name in row.move.requires]
    return accepted(compiled.procedure, command.data, extra=required)


def _refuse_strangers(compiled: Compiled, row: CompiledMove, data: Data) -> None:
    """Raise FieldError for what another row of the trigger requires, and neither a field nor this one is."""
    strangers = [
        name for name in data if name not in compiled.procedure.fields and name not in row.move.requires
    ]
    if strangers:
        listed, trigger, step = ", ".join(strangers), row.move.trigger, row.move.step
        raise FieldError(
            Text(
                zh=f"按这些数据，“{trigger}”通向“{step}”，不收 {listed}",
                en=f"with these data {trigger!r} leads to {step!r}, and takes no {listed}",
            ),
            Text(zh=f"不提交 {listed}，或更正数据", en=f"leave {listed} out, or correct the data"),
        )


def choose(ledger: Ledger, command: Fire, data: Data = NO_DATA) -> Choice | Refusal:
    """Return the transition the command means, or why there is none; guards are asked with its `data`."""
    if ledger.draft.status == "held":
        return refusals.held()
    found = _open_rows(ledger, command)
    if len(found) > 1:
        return refusals.several_sources(command.trigger, (rows[0].source for rows in found))
    if not found:
        return _detour(ledger, command, data)
    row, breach = choose_row(ledger.compiled, ledger.draft, found[0], data)
    return Choice(row, row.source, None, (breach,) if breach else ())


def _open_rows(ledger: Ledger, command: Fire) -> list[list[CompiledMove]]:
    """Return the rows of the trigger from each active step that has it; `done` is the kernel's to fire."""
    compiled, found = ledger.compiled, []
    rows_by_step = compiled.triggers[command.trigger].transitions
    for name in ledger.draft.active:
        rows = rows_by_step.get(name)
        if rows is None or command.step not in (None, name):
            continue
        if command.trigger != DONE or not compiled.steps[name].branches:
            found.append(rows)
    return found


def offers(ledger: Ledger, actor: Actor, data: Data = NO_DATA) -> Iterator[Offer]:
    """Yield every trigger of the active steps that is not the kernel's own, and what closes it to this actor."""
    for name in ledger.draft.active:
        step = ledger.compiled.steps[name]
        for trigger in step.triggers:
            if step.branches and trigger == DONE:
                continue  # the kernel fires it when the branches have ended
            command = Fire(trigger, actor, step=name)
            choice = choose(ledger, command, data)
            if isinstance(choice, Refusal):
                yield Offer(ledger.compiled.rows(name, trigger)[0], choice)
                continue
            standing = standing_breaches(ledger, command, choice.row, choice.leaving)
            closed = _closed(ledger, command, choice, (*choice.breaches, *standing), data)
            yield Offer(choice.row, closed)


def _closed(
    ledger: Ledger, command: Fire, choice: Choice, standing: tuple[Breach, ...], data: Data
) -> Refusal | None:
    """Return the rule that closes a transition to this actor whatever else comes with the command."""
    refusal = _refuses(command, choice, standing)
    refusal = refusal or taken(ledger, choice.row, choice.leaving, command.actor)
    if refusal is not None or command.override or not choice.row.joins:
        return refusal
    return unjoinable(ledger.compiled, ledger.draft, choice.row, choice.leaving, data)


def _refuses(command: Fire, choice: Choice, breaches: Iterable[Breach]) -> Refusal | None:
    for breach in breaches:
        refuses = choice.row.enforce[breach.refusal.rule] == "refuse"
        if refuses and not _overridden(breach, command):
            return attrs.evolve(breach.refusal, step=choice.leaving)
    return None


def _detour(ledger: Ledger, command: Fire, data: Data) -> Choice | Refusal:
    """Take a trigger that is not open here: from the declared source that is nearest ahead."""
    compiled, active = ledger.compiled, ledger.draft.active
    options: list[tuple[int, int, str, list[CompiledMove], tuple[str, ...] | None]] = []
    for place, (source, rows) in enumerate(compiled.triggers[command.trigger].transitions.items()):
        if command.step not in (None, source):
            continue
        scope = compiled.steps[source].scope
        for leaving in [name for name in active if compiled.steps[name].scope == scope]:
            way = compiled.way(leaving, source)
            options.append((10_000 if way is None else len(way), place, leaving, rows, way))
    if not options:
        if command.step is not None and command.step not in active:
            return refusals.not_in_step(command.step, active)
        return _not_open(ledger, command)
    _, _, leaving, rows, way = min(options, key=lambda option: option[:2])
    row, breach = choose_row(compiled, ledger.draft, rows, data)
    closed = row.enforce["order"] == "refuse" and not command.override
    order = _order(way, _not_open(ledger, command) if closed else refusals.out_of_order())
    skipped = way or _unfinished(ledger, leaving)
    return Choice(row, leaving, skipped, (order, breach) if breach else (order,))


def _order(way: tuple[str, ...] | None, refusal: Refusal) -> Breach:
    """Return the breach of going round the order by a way of skipped steps."""
    return Breach(refusal, "out_of_order" if way is None else "skipped_step", {})


def _unfinished(ledger: Ledger, parallel: str) -> tuple[str, ...]:
    """Return the steps in which the branches of a parallel step stand, which a premature `done` skips."""
    compiled = ledger.compiled
    return tuple(name for name in ledger.draft.steps if parallel in compiled.inside(name))


def _fire_inside(ledger: Ledger, command: Fire, entrance: Entrance, when_us: int) -> Refusal | None:
    """Enter the parallel step, record what was skipped on the way, and fire; a refusal undoes the entering."""
    count, draft, before = len(ledger.facts), ledger.draft.freeze(), ledger.draft.stopwatches
    row, leaving = entrance.row, entrance.leaving
    breaches = (*entrance.breaches, *entering_breaches(ledger, command, row, leaving))
    closed = _refuses(command, Choice(row, leaving, None, ()), breaches)
    closed = closed or taken(ledger, row, leaving, command.actor)
    if closed is not None:
        return closed
    ledger.record(
        Moved,
        when_us,
        command.actor.id,
        leaving,
        row.move.trigger,
        row.dest,
        automatic=True,
        via=row.source,
        override=command.override or "",
        row=row.row,
        paired=bool(ledger.compiled.pairs),
    )
    settle(ledger, before, when_us, command.actor.id)
    order = _order(entrance.way, refusals.out_of_order())
    skipped = (*(entrance.way or ()), row.dest)
    _deviate(ledger, command, Choice(row, leaving, skipped, (order,)), (order, *breaches), when_us)
    refusal = fire(ledger, command)
    if refusal is not None:
        del ledger.facts[count:]
        ledger.draft = Draft.of(draft)
        ledger.used_up.clear()
    return refusal


def _not_open(ledger: Ledger, command: Fire) -> Refusal:
    """Refuse a trigger that is not open, and name those that are to this actor, as `available` does."""
    step = command.step
    rows = (offer.row for offer in offers(ledger, command.actor) if offer.closed is None)
    names = sorted({row.move.trigger for row in rows if step in (None, row.source)})
    return refusals.not_open(command.trigger, (step,) if step else ledger.draft.steps, names)


def _impossible(ledger: Ledger, command: Fire, when_us: int) -> Refusal:
    written = timezone(timedelta(minutes=command.offset_minutes))
    instants = (when_us, ledger.draft.revised_us, ledger.at_us)
    when, earliest, latest = (to_datetime(at_us).astimezone(written).isoformat() for at_us in instants)
    return refusals.impossible_instant(when, earliest, latest)


def _late_record(ledger: Ledger, command: Fire, choice: Choice, when_us: int) -> None:
    """Record that something was written down later after it happened than the procedure tolerates."""
    tolerance = ledger.compiled.procedure.late_after
    late_us = ledger.at_us - when_us
    if late_us > (tolerance.us if tolerance is not None else 0):
        ledger.record(
            Deviated,
            ledger.at_us,
            command.actor.id,
            "late_record",
            choice.leaving,
            "minor",
            command.trigger,
            ledger.compiled.steps[choice.leaving].step.role or "",
            detail={"late_us": late_us},
        )


def _overridden(breach: Breach, command: Fire) -> bool:
    return bool(command.override) and breach.refusal.rule in ("order", "guard")


def _move(ledger: Ledger, command: Fire, choice: Choice, data: Data, when_us: int, *, breached: bool) -> None:
    row, before = choice.row, ledger.draft.stopwatches
    roleless = breached and lacks(ledger.compiled, row.role, command.actor)
    ledger.record(
        Moved,
        when_us,
        command.actor.id,
        choice.leaving,
        command.trigger,
        row.dest,
        "" if roleless else row.role,
        data,
        dict(command.evidence) if command.evidence else _NO_EVIDENCE,  # the caller may fill theirs later
        False,  # noqa: FBT003  # automatic; all go by place, on the hottest way
        "" if choice.skipped is None else row.source,
        command.override or "",
        row.row,
        bool(ledger.compiled.pairs),
    )
    settle(ledger, before, when_us, command.actor.id)


def _deviate(
    ledger: Ledger, command: Fire, choice: Choice, breaches: tuple[Breach, ...], when_us: int
) -> None:
    for breach in breaches:
        steps = choice.skipped if breach.deviation == "skipped_step" and choice.skipped else (choice.leaving,)
        for step in steps:
            ledger.record(
                Deviated,
                when_us,
                command.actor.id,
                breach.deviation,
                step,
                SEVERITY[breach.deviation],
                command.trigger,
                ledger.compiled.steps[step].step.role or "",
                command.override or "",
                breach.detail,
            )


def _called(compiled: Compiled, name: str) -> str:
    """Return the trigger that people call by this name, or the name itself."""
    for trigger, event in compiled.triggers.items():
        if any(
            name in (row.move.name.zh, row.move.name.en)
            for rows in event.transitions.values()
            for row in rows
        ):
            return trigger
    return name


def _unknown(compiled: Compiled, trigger: str) -> UnknownTrigger:
    known = sorted(compiled.triggers)
    name, given = compiled.procedure.id, cut(trigger)
    return UnknownTrigger(
        Text(zh=f"服务流程 {name} 没有流转“{given}”", en=f"procedure {name} has no trigger {given!r}"),
        nearest(_called(compiled, trigger), known),
    )


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
