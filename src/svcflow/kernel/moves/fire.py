"""Firing a trigger: choose the transition, apply the rules, move, and record deviations from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta, timezone
from typing import NamedTuple

import attrs

from svcflow.errors import FieldError, UnknownTrigger
from svcflow.kernel import refusals
from svcflow.kernel.commands import Actor, Certificates, Fire
from svcflow.kernel.compiled import Compiled, CompiledMove
from svcflow.kernel.facts import Deviated, Moved, to_datetime
from svcflow.kernel.input_checks import accepted
from svcflow.kernel.instance import Draft
from svcflow.kernel.lifecycle.child_requests import call_off_refusal
from svcflow.kernel.moves.authorization import assignee_refusal, lacks_role
from svcflow.kernel.moves.qualification import certificates_shown
from svcflow.kernel.moves.rules import (
    NO_DATA,
    SEVERITY,
    Breach,
    Data,
    choose_row,
    entering_breaches,
    join_refusal,
    leads_elsewhere,
    missing_breaches,
    settled_breaches,
    standing_breaches,
)
from svcflow.kernel.refusals import Refusal
from svcflow.kernel.timing.elapse import join_branches, settle_limits
from svcflow.kernel.transaction import Transaction
from svcflow.model.step import DONE
from svcflow.nearest import nearest
from svcflow.text import Text, cut

_NO_EVIDENCE: Mapping[str, str] = {}
_NONE: Certificates = {}


class Choice(NamedTuple):
    """Transition that a trigger was resolved to, and the active step it leaves; `skipped` is None in declared order."""

    row: CompiledMove
    leaving: str
    skipped: tuple[str, ...] | None
    breaches: tuple[Breach, ...]


@attrs.frozen
class Offer:
    """Trigger of an active step: the row it would take for an actor, and the refusal that closes it."""

    row: CompiledMove
    closed: Refusal | None


def fire(transaction: Transaction, command: Fire) -> Refusal | None:
    """Move by the command's trigger, or return the rule that refuses it. Raises: UnknownTrigger, FieldError."""
    compiled = transaction.compiled
    if command.trigger not in compiled.triggers:
        raise _unknown_trigger(compiled, command.trigger)
    when_us = transaction.at_us if command.occurred_us is None else command.occurred_us
    if not transaction.draft.revised_us <= when_us <= transaction.at_us:
        return _instant_refusal(transaction, command, when_us)
    data = _accepted_data(compiled, command) if command.data else NO_DATA
    choice = choose(transaction, command, data)
    if isinstance(choice, Refusal):
        entrance = entrance_for(transaction, command, data) if choice.rule == "order" else None
        return choice if entrance is None else _fire_inside(transaction, command, entrance, when_us)
    row, leaving = choice.row, choice.leaving
    if data:
        _refuse_unknown_data(compiled, row, data)
    standing = (*choice.breaches, *standing_breaches(transaction, command, row, leaving))
    missing = missing_breaches(transaction, command, row, leaving, data)
    breaches = (*standing, *missing)
    if (
        breaches or transaction.draft.assignees or transaction.draft.children or row.joins
    ):  # mostly nothing can refuse the move
        refusal = _closing_refusal(transaction, command, choice, standing, data) or _first_refusal(
            command, choice, missing
        )
        if refusal is not None:
            return refusal
    _record_move(transaction, command, choice, data, when_us, breached=bool(breaches))
    if when_us < transaction.at_us:
        _record_lateness(transaction, command, choice, when_us)
    if breaches:
        _record_deviations(transaction, command, choice, breaches, when_us)
    if row.joins:
        join_branches(transaction, row, when_us, command.actor.id, command.override or "")
    return None


def _accepted_data(compiled: Compiled, command: Fire) -> Data:
    """Return the data as they are stored. They select the row, so what any row requires may be among them."""
    places = compiled.triggers[command.trigger].transitions.values()
    required = [name for rows in places for row in rows for name in row.move.requires]
    return accepted(compiled.procedure, command.data, extra=required)


def _refuse_unknown_data(compiled: Compiled, row: CompiledMove, data: Data) -> None:
    """Raise FieldError for data that only another row of the trigger requires."""
    unknown = [
        name for name in data if name not in compiled.procedure.fields and name not in row.move.requires
    ]
    if unknown:
        listed, trigger, step = ", ".join(unknown), row.move.trigger, row.move.step
        raise FieldError(
            Text(
                zh=f"按这些数据，“{trigger}”通向“{step}”，不收 {listed}",
                en=f"with these data {trigger!r} leads to {step!r}, and takes no {listed}",
            ),
            Text(zh=f"不提交 {listed}，或更正数据", en=f"leave {listed} out, or correct the data"),
        )


def choose(transaction: Transaction, command: Fire, data: Data = NO_DATA) -> Choice | Refusal:
    """Return the transition of the command, or why there is none; guards are evaluated with its `data`."""
    if transaction.draft.status == "held":
        return refusals.held()
    open_rows = _open_rows(transaction, command)
    if len(open_rows) > 1:
        return refusals.several_sources(command.trigger, (rows[0].source for rows in open_rows))
    if not open_rows:
        return _detour(transaction, command, data)
    row, breach = choose_row(transaction.compiled, transaction.draft, open_rows[0], data)
    return Choice(row, row.source, None, (breach,) if breach else ())


def _open_rows(transaction: Transaction, command: Fire) -> list[list[CompiledMove]]:
    """Return the rows of the trigger from each active step that has it; only the kernel fires `done`."""
    compiled, open_rows = transaction.compiled, []
    rows_by_step = compiled.triggers[command.trigger].transitions
    for name in transaction.draft.active:
        rows = rows_by_step.get(name)
        if rows is None or command.step not in (None, name):
            continue
        if command.trigger != DONE or not compiled.steps[name].branches:
            open_rows.append(rows)
    return open_rows


def offers(
    transaction: Transaction,
    actor: Actor,
    data: Data = NO_DATA,
    certificates: Certificates | None = None,
) -> Iterator[Offer]:
    """Yield every trigger of the active steps that people fire, and what closes it to the actor."""
    for name in transaction.draft.active:
        step = transaction.compiled.steps[name]
        for trigger in step.triggers:
            if step.branches and trigger == DONE:
                continue  # the kernel fires it when the branches have ended
            command = Fire(trigger, actor, step=name, certificates=certificates)
            choice = choose(transaction, command, data)
            if isinstance(choice, Refusal):
                yield Offer(transaction.compiled.rows(name, trigger)[0], choice)
                continue
            standing = standing_breaches(transaction, command, choice.row, choice.leaving)
            if data and transaction.draft.settled:
                standing += settled_breaches(transaction, choice.row, data)
            closed = _closing_refusal(transaction, command, choice, (*choice.breaches, *standing), data)
            yield Offer(choice.row, closed)


def _closing_refusal(
    transaction: Transaction, command: Fire, choice: Choice, standing: tuple[Breach, ...], data: Data
) -> Refusal | None:
    """Return the refusal that closes a transition to the actor whatever else comes with the command."""
    refusal = _first_refusal(command, choice, standing)
    refusal = refusal or assignee_refusal(transaction, choice.row, choice.leaving, command.actor)
    if refusal is None and transaction.draft.children:
        refusal = call_off_refusal(transaction.compiled, transaction.draft, choice.leaving)
    if refusal is not None or command.override or not choice.row.joins:
        return refusal
    return join_refusal(transaction.compiled, transaction.draft, choice.row, choice.leaving, data)


def _first_refusal(command: Fire, choice: Choice, breaches: Iterable[Breach]) -> Refusal | None:
    for breach in breaches:
        refuses = choice.row.enforce[breach.refusal.rule] == "refuse"
        if refuses and not _overridden(breach, command):
            return attrs.evolve(breach.refusal, step=choice.leaving)
    return None


def _detour(transaction: Transaction, command: Fire, data: Data) -> Choice | Refusal:
    """Resolve a trigger that is not open here: from the declared source that is nearest ahead."""
    compiled, active = transaction.compiled, transaction.draft.active
    options: list[tuple[int, int, str, list[CompiledMove], tuple[str, ...] | None]] = []
    for place, (source, rows) in enumerate(compiled.triggers[command.trigger].transitions.items()):
        if command.step not in (None, source):
            continue
        scope = compiled.steps[source].scope
        for leaving in [name for name in active if compiled.steps[name].scope == scope]:
            way = compiled.steps_skipped(leaving, source)
            options.append((10_000 if way is None else len(way), place, leaving, rows, way))
    if not options:
        if command.step is not None and command.step not in active:
            return refusals.not_in_step(command.step, active)
        return _not_open(transaction, command)
    _, _, leaving, rows, way = min(options, key=lambda option: option[:2])
    row, breach = choose_row(compiled, transaction.draft, rows, data)
    closed = row.enforce["order"] == "refuse" and not command.override
    order = _order_breach(way, _not_open(transaction, command) if closed else refusals.out_of_order())
    skipped = way or _steps_inside(transaction, leaving)
    return Choice(row, leaving, skipped, (order, breach) if breach else (order,))


def _order_breach(way: tuple[str, ...] | None, refusal: Refusal) -> Breach:
    """Return the breach of going round the order by a way of skipped steps."""
    return Breach(refusal, "out_of_order" if way is None else "skipped_step", {})


def _steps_inside(transaction: Transaction, parallel: str) -> tuple[str, ...]:
    """Return the steps in which the branches of a parallel step stand, which a premature `done` skips."""
    compiled = transaction.compiled
    return tuple(name for name in transaction.draft.steps if parallel in compiled.around(name))


def _fire_inside(transaction: Transaction, command: Fire, entrance: Entrance, when_us: int) -> Refusal | None:
    """Enter the parallel step, record the steps skipped, and fire; if that is refused, nothing was entered."""
    count, draft, before = len(transaction.facts), transaction.draft.freeze(), transaction.draft.stopwatches
    row, leaving = entrance.row, entrance.leaving
    breaches = (*entrance.breaches, *entering_breaches(transaction, command, row, leaving))
    closed = _first_refusal(command, Choice(row, leaving, None, ()), breaches)
    closed = closed or assignee_refusal(transaction, row, leaving, command.actor)
    closed = closed or call_off_refusal(transaction.compiled, transaction.draft, leaving)
    if closed is not None:
        return closed
    transaction.record(
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
        paired=bool(transaction.compiled.pairs),
    )
    settle_limits(transaction, before, when_us, command.actor.id)
    order = _order_breach(entrance.skipped, refusals.out_of_order())
    skipped = (*(entrance.skipped or ()), row.dest)
    _record_deviations(
        transaction, command, Choice(row, leaving, skipped, (order,)), (order, *breaches), when_us
    )
    refusal = fire(transaction, command)
    if refusal is not None:
        del transaction.facts[count:]
        transaction.draft = Draft.of(draft)
        transaction.exhausted.clear()
    return refusal


def _not_open(transaction: Transaction, command: Fire) -> Refusal:
    """Refuse a trigger that is not open, and name those that are to this actor, as `available` does."""
    step = command.step
    asked = offers(transaction, command.actor, certificates=command.certificates)
    rows = (offer.row for offer in asked if offer.closed is None)
    names = sorted({row.move.trigger for row in rows if step in (None, row.source)})
    return refusals.not_open(command.trigger, (step,) if step else transaction.draft.steps, names)


def _instant_refusal(transaction: Transaction, command: Fire, when_us: int) -> Refusal:
    written = timezone(timedelta(minutes=command.offset_minutes))
    instants = (when_us, transaction.draft.revised_us, transaction.at_us)
    when, earliest, latest = (to_datetime(at_us).astimezone(written).isoformat() for at_us in instants)
    return refusals.impossible_instant(when, earliest, latest)


def _record_lateness(transaction: Transaction, command: Fire, choice: Choice, when_us: int) -> None:
    """Record that a move is recorded later after it happened than the procedure tolerates."""
    tolerance = transaction.compiled.procedure.late_after
    late_us = transaction.at_us - when_us
    if late_us > (tolerance.us if tolerance is not None else 0):
        transaction.record(
            Deviated,
            transaction.at_us,
            command.actor.id,
            "late_record",
            choice.leaving,
            "minor",
            command.trigger,
            transaction.compiled.steps[choice.leaving].step.role or "",
            detail={"late_us": late_us},
        )


def _overridden(breach: Breach, command: Fire) -> bool:
    return bool(command.override) and breach.refusal.rule in ("order", "guard")


def _record_move(
    transaction: Transaction, command: Fire, choice: Choice, data: Data, when_us: int, *, breached: bool
) -> None:
    row, before = choice.row, transaction.draft.stopwatches
    roleless = breached and lacks_role(transaction.compiled, row.role, command.actor)
    transaction.record(
        Moved,
        when_us,
        command.actor.id,
        choice.leaving,
        command.trigger,
        row.dest,
        "" if roleless else row.role,
        data,
        dict(command.evidence) if command.evidence else _NO_EVIDENCE,  # the caller may fill theirs later
        False,  # noqa: FBT003  # automatic; all go by position, on the hot path
        "" if choice.skipped is None else row.source,
        command.override or "",
        row.row,
        bool(transaction.compiled.pairs),
        False,  # noqa: FBT003  # timed
        certificates_shown(transaction.compiled, row, command.certificates)
        if command.certificates
        else _NONE,
    )
    settle_limits(transaction, before, when_us, command.actor.id)


def _record_deviations(
    transaction: Transaction, command: Fire, choice: Choice, breaches: tuple[Breach, ...], when_us: int
) -> None:
    for breach in breaches:
        steps = choice.skipped if breach.deviation == "skipped_step" and choice.skipped else (choice.leaving,)
        for step in steps:
            transaction.record(
                Deviated,
                when_us,
                command.actor.id,
                breach.deviation,
                step,
                SEVERITY[breach.deviation],
                command.trigger,
                transaction.compiled.steps[step].step.role or "",
                command.override or "",
                breach.detail,
            )


def _trigger_titled(compiled: Compiled, name: str) -> str:
    """Return the trigger of which this is the name in a language, or the name itself."""
    for trigger, event in compiled.triggers.items():
        if any(
            name in (row.move.name.zh, row.move.name.en)
            for rows in event.transitions.values()
            for row in rows
        ):
            return trigger
    return name


def _unknown_trigger(compiled: Compiled, trigger: str) -> UnknownTrigger:
    known = sorted(compiled.triggers)
    name, given = compiled.procedure.id, cut(trigger)
    return UnknownTrigger(
        Text(zh=f"服务流程 {name} 没有流转“{given}”", en=f"procedure {name} has no trigger {given!r}"),
        nearest(_trigger_titled(compiled, trigger), known),
    )


@attrs.frozen
class Entrance:
    """Transition by which a parallel step is entered, and the active step that it leaves."""

    row: CompiledMove
    leaving: str
    skipped: tuple[str, ...] | None
    """Steps skipped before it; None when no way leads there."""
    breaches: tuple[Breach, ...]
    """Breach of a guard, if the data lead elsewhere."""


def entrance_for(transaction: Transaction, command: Fire, data: Data) -> Entrance | None:
    """Return the way into a parallel step that is not active and inside which the trigger is declared."""
    compiled, active = transaction.compiled, transaction.draft.active
    options: list[tuple[int, bool, int, Entrance]] = []
    for source, rows in compiled.triggers[command.trigger].transitions.items():
        around = [name for name in compiled.around(source) if name not in active]
        if not around or command.step not in (None, source):
            continue
        if rows[0].enforce["order"] == "refuse" and not command.override:
            continue
        for row, breaches in _leading_to(transaction, around[-1], data):
            for leaving in [n for n in active if compiled.steps[n].scope == compiled.steps[row.source].scope]:
                way = compiled.steps_skipped(leaving, row.source)
                length = 10_000 if way is None else len(way)
                entrance = Entrance(row, leaving, way, breaches)
                options.append((length, bool(breaches), len(options), entrance))
    return min(options, key=lambda option: option[:3])[3] if options else None


def _leading_to(
    transaction: Transaction, step: str, data: Data
) -> Iterator[tuple[CompiledMove, tuple[Breach, ...]]]:
    """Yield a row of each trigger that may lead to a step: the one that the data select, else one that they close."""
    compiled = transaction.compiled
    for name, place in compiled.steps.items():
        for trigger in place.triggers:
            rows = compiled.rows(name, trigger)
            leading = [row for row in rows if row.dest == step]
            if not leading:
                continue
            row, breach = choose_row(compiled, transaction.draft, rows, data)
            if breach is None and row not in leading:
                breach = leads_elsewhere(rows, row)
            yield (leading[0], (breach,)) if breach is not None else (row, ())
