"""Migrate and revert: whether an instance may go over to another version, and the fact that it did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from svcflow.errors import FieldError
from svcflow.kernel.commands import DueRule, Migrate, Revert
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import SYSTEM, Released, Settled
from svcflow.kernel.input_checks import accepted, is_given
from svcflow.kernel.instance import Draft
from svcflow.kernel.lifecycle.version_change import MigrationTarget, mapped_limit, mapped_step
from svcflow.kernel.moves.authorization import barred_from
from svcflow.kernel.refusals import Refusal, wanted
from svcflow.kernel.timing import stopwatch
from svcflow.kernel.timing.calendar_fingerprints import marks_of
from svcflow.kernel.transaction import Ledger
from svcflow.model.field import Field, Value
from svcflow.model.procedure import Procedure
from svcflow.nearest import nearest
from svcflow.text import NO_TEXT, Text, cut

Steps = Mapping[str, str]


def migrate(ledger: Ledger, command: Migrate) -> Refusal | None:
    """Go over to another version. Raises: FieldError when `data` does not fit it; TypeError without a target."""
    target, source, draft = _target(ledger), ledger.compiled, ledger.draft
    into = target.compiled
    given = accepted(into.procedure, command.data, extra=())
    data = {**_defaults(source, into, draft, given), **given}
    refusal = (
        _no_version(ledger, into)
        or _unknown_steps(source, into, command.steps)
        or misplaced(source, into, command.steps, draft.active)
        or _unfit(into.procedure, {**draft.data, **data})
    )
    if refusal is None:
        steps = {old: new for old, new in command.steps.items() if old != new}
        _go_over(ledger, target, command, steps, due=command.due, data=data)
    return refusal


def revert(ledger: Ledger, command: Revert) -> Refusal | None:
    """Take the last migration back. Raises: TypeError without a target."""
    target, source, draft = _target(ledger), ledger.compiled, ledger.draft
    into, fact = target.compiled, target.reverted
    if fact is None:
        zh, en = "没有可撤回的版本变更", "there is no migration to take back"
        return _refuse(zh, en, Text(zh="用 Migrate 指明版本", en="migrate to the version you want"))
    sources = _sources(into, fact.steps)
    steps = {new: olds[0] for new, olds in sources.items() if len(olds) == 1 and olds[0] != new}
    data = _defaults(source, into, draft, {})
    refusal = (
        _one_way(sources, draft.active, fact.from_version)
        or misplaced(source, into, steps, draft.active)
        or _unfit(into.procedure, {**draft.data, **data})
    )
    if refusal is None:
        _go_over(ledger, target, command, steps, data=data, reverts=fact.sequence)
    return refusal


def _target(ledger: Ledger) -> MigrationTarget:
    if ledger.target is None:
        raise TypeError("a migration needs both versions: give its `target`")
    return ledger.target


def misplaced(source: Compiled, into: Compiled, steps: Steps, active: Iterable[str]) -> Refusal | None:
    """Refuse a step that has no counterpart at the same place: of the same nesting, and one for every branch."""
    active = tuple(active)
    taken: dict[str, str] = {}
    for name in active:
        refusal = _no_counterpart(source, into, steps, name) or _nested_otherwise(source, into, steps, name)
        if refusal is not None:
            return refusal
        scope = into.steps[mapped_step(steps, name)].scope
        if scope in taken:
            return _two_in_one(name, taken[scope], mapped_step(steps, name))
        taken[scope] = name
    for name in active:
        for first in into.steps[mapped_step(steps, name)].branches:
            scope = into.steps[first].scope
            if scope not in taken:
                return _new_branch(name, scope.rpartition("/")[2], into.procedure.version)
    return None


def _go_over(
    ledger: Ledger,
    target: MigrationTarget,
    command: Migrate | Revert,
    steps: Steps,
    *,
    due: DueRule = "keep",
    data: Mapping[str, Value],
    reverts: int = 0,
) -> None:
    """Record by how much limits that are no more were overrun, then the migration; go on under its target."""
    source, into = ledger.compiled, target.compiled
    for clock in ledger.draft.clocks.values():
        gone = mapped_limit(steps, clock.limit) not in into.limits
        if gone and clock.overdue and not clock.verdict:
            limit = source.limits[clock.limit]
            ended = stopwatch.end(limit, clock, ledger.at_us, reached=False)
            over_us = stopwatch.overrun(limit, ended, ledger.at_us)
            ledger.record(Settled, ledger.at_us, SYSTEM, clock.limit, clock.visit, clock.due_us, over_us)
    held = {mapped_step(steps, step): source.steps[step].step.role for step in ledger.draft.assignees}
    ledger.record_migration(
        target,
        command.actor.id,
        ledger.draft.version,
        into.procedure.version,
        steps,
        due,
        command.reason,
        reverts,
        data,
        marks_of(into),
        gives_way=True,
    )
    _give_back(ledger, held)
    ledger.used_up += [(name, ledger.at_us) for name in _newly_deemed(source, into, steps)]


def _give_back(ledger: Ledger, held: Mapping[str, str | None]) -> None:
    """Release steps that are another role's now, or that who has them may not do: nobody could do them otherwise."""
    compiled, draft = ledger.compiled, ledger.draft
    for step, was in held.items():
        role, who = compiled.steps[step].step.role, draft.assignees[step]
        giver, _ = draft.deputies.get(step, ("", 0))
        if role not in (None, was) or barred_from(compiled, draft, (step,), who, giver) is not None:
            ledger.record(Released, ledger.at_us, SYSTEM, step)


def _newly_deemed(source: Compiled, into: Compiled, steps: Steps) -> Iterator[str]:
    """Yield the limits that move an instance by themselves under the version gone over to, and did not before."""
    for name, old in source.limits.items():
        new = into.limits.get(mapped_limit(steps, name))
        if new is not None and new.limit.on_overdue is not None and old.limit.on_overdue is None:
            yield new.id


def _defaults(source: Compiled, into: Compiled, draft: Draft, given: Mapping[str, Value]) -> dict[str, Value]:
    """Return the defaults of fields that are new, or newly required, and have no value."""
    old, held = source.procedure.fields, {**draft.data, **given}
    return {
        field.id: field.accept(field.default)
        for field in into.procedure.fields.values()
        if field.default is not None
        and not is_given(held.get(field.id))
        and (field.required or field.id not in old)
    }


def _no_version(ledger: Ledger, target: Compiled) -> Refusal | None:
    into = target.procedure
    if into.version == ledger.draft.version:
        zh, en = f"已按第 {into.version} 版办理", f"the instance runs under version {into.version} already"
        return _refuse(zh, en)
    if into.effective is not None and target.calendar.date_us(ledger.at_us) < into.effective:
        return Refusal(
            "effective",
            Text(zh=f"{into} 自 {into.effective} 起施行", en=f"{into} is in force from {into.effective}"),
            Text(zh="届时再变更", en="migrate when it is"),
        )
    return None


def _unknown_steps(source: Compiled, into: Compiled, steps: Steps) -> Refusal | None:
    for names, known in ((steps, source), (steps.values(), into)):
        for name in names:
            if name not in known.steps:
                procedure = known.procedure
                zh, en = f"{procedure} 没有环节“{cut(name)}”", f"{procedure} has no step {cut(name)!r}"
                return _refuse(zh, en, nearest(name, known.steps), name)
    return None


def _no_counterpart(source: Compiled, into: Compiled, steps: Steps, name: str) -> Refusal | None:
    if mapped_step(steps, name) in into.steps:
        return None
    known = [one for one in into.steps if into.steps[one].scope == source.steps[name].scope]
    return _refuse(
        f"{into.procedure} 没有环节“{name}”，实例正在其中",
        f"{into.procedure} has no step {name!r}, which the instance is in",
        _map_it(name, known or into.steps),
        name,
    )


def _nested_otherwise(source: Compiled, into: Compiled, steps: Steps, name: str) -> Refusal | None:
    old, new = source.steps[name], into.steps[mapped_step(steps, name)]
    if new.parent != (mapped_step(steps, old.parent) if old.parent else ""):
        zh, en = "不在同一层", "is not at the same place of nesting"
    elif bool(new.branches) != bool(old.branches):
        zh, en = "一个并行，一个不并行", "is not parallel alike"
    elif (new.step.end is None) != (old.step.end is None):
        zh, en = "一个是终点，一个不是", "is not an end alike"
    else:
        return None
    known = [
        one.step.id
        for one in into.steps.values()
        if one.scope == old.scope
        and bool(one.branches) == bool(old.branches)
        and (one.step.end is None) == (old.step.end is None)
    ]
    to = new.step.id
    return _refuse(f"环节“{name}”与“{to}”{zh}", f"step {to!r} {en} as {name!r}", _map_it(name, known), name)


def _two_in_one(name: str, other: str, to: str) -> Refusal:
    return _refuse(
        f"环节“{name}”与“{other}”不能都到“{to}”所在的分支",
        f"steps {name!r} and {other!r} cannot both go to the branch of {to!r}",
        Text(
            zh=f'为“{name}”另指明环节：`steps["{name}"]`',
            en=f'map {name!r} to a step of another branch: `steps["{name}"]`',
        ),
        name,
    )


def _new_branch(name: str, branch: str, version: int) -> Refusal:
    return _refuse(
        f"并行环节“{name}”在第 {version} 版多了分支“{branch}”，实例没有环节在其中",
        f"parallel step {name!r} has a branch {branch!r} in version {version}, in which the instance has no step",
        Text(zh=f"离开“{name}”后再变更", en=f"migrate when {name!r} has been left"),
        name,
    )


def _sources(into: Compiled, steps: Steps) -> dict[str, list[str]]:
    """Return, for each step of the version that is left, the steps of the earlier one that go to it."""
    sources: dict[str, list[str]] = {}
    for name in into.steps:
        sources.setdefault(mapped_step(steps, name), []).append(name)
    return sources


def _one_way(sources: Mapping[str, list[str]], active: Iterable[str], version: int) -> Refusal | None:
    for name in active:
        found = sources.get(name, [])
        if len(found) != 1:
            listed = ", ".join(found) or "—"
            return _refuse(
                f"环节“{name}”在第 {version} 版没有唯一的对应（{listed}）",
                f"step {name!r} has not one counterpart in version {version} but: {listed}",
                Text(
                    zh=f"用 Migrate 到第 {version} 版，并指明“{name}”的对应环节",
                    en=f"migrate to version {version} and map {name!r} yourself",
                ),
                name,
            )
    return None


def _unfit(procedure: Procedure, data: Mapping[str, Value]) -> Refusal | None:
    """Refuse when a required field has no value, or a value that is kept does not fit its field any more."""
    for field in procedure.fields.values():
        value = data.get(field.id)
        remedy = wanted("data", (field.id,))
        if field.required and not is_given(value):
            zh, en = f"{procedure} 要求字段 {field.id}", f"{procedure} requires the field {field.id}"
            return _refuse(zh, en, remedy)
        if not field.personal and not _fits(field, value):  # what is personal may have been erased meanwhile
            zh = f"字段 {field.id} 现有的值不合 {procedure} 的要求"
            return _refuse(zh, f"the value there is of {field.id} does not fit {procedure}", remedy)
    return None


def _fits(field: Field, value: Value) -> bool:
    try:
        field.accept(value)
    except FieldError:
        return False
    return True


def _map_it(name: str, known: Iterable[str]) -> Text:
    listed = ", ".join(known) or "—"
    return Text(
        zh=f'用 `steps["{name}"]` 指明去处：{listed}',
        en=f'map it with `steps["{name}"]`, to one of: {listed}',
    )


def _refuse(zh: str, en: str, remedy: Text = NO_TEXT, step: str = "") -> Refusal:
    return Refusal("migration", Text(zh=zh, en=en), remedy, step)
