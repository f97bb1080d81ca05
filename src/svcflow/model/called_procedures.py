"""Procedures that steps of other procedures run: whether they exist, take the data, and lead back in no circle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from svcflow.errors import Path, Problem
from svcflow.model.field import Field
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step
from svcflow.model.subprocedure import CALLED_OFF, OF_PARENT, SubProcedure
from svcflow.nearest import nearest
from svcflow.text import Text

__all__ = ["Call", "called_problems", "calls_of", "outcomes_of"]


class Call(NamedTuple):
    """Step that runs another procedure, with the place of `runs` in the document."""

    step: str
    runs: SubProcedure
    path: Path


def calls_of(procedure: Procedure) -> Iterator[Call]:
    """Yield every step of a procedure that runs another one."""
    return _calls(procedure.steps, ("steps",))


def _calls(steps: Iterable[Step], base: Path) -> Iterator[Call]:
    for step in steps:
        path = (*base, step.id)
        if step.runs is not None:
            yield Call(step.id, step.runs, (*path, "runs"))
        for branch in step.parallel:
            yield from _calls(branch.steps, (*path, "parallel", branch.id, "steps"))


def outcomes_of(procedure: Procedure) -> tuple[str, ...]:
    """Return the outcomes that an instance may end with: those of its ends, and that of being called off."""
    return tuple(dict.fromkeys([step.end for step in procedure.steps if step.end is not None] + [CALLED_OFF]))


def called_problems(procedure: Procedure, newest: Mapping[str, Procedure]) -> Iterator[Problem]:
    """Yield every mistake between a procedure and those that its steps run; `newest` are the newest versions by id."""
    for call in calls_of(procedure):
        child = newest.get(call.runs.procedure)
        if child is None:
            yield _missing(call, newest)
            continue
        yield from _circle(procedure, call, newest)
        yield from _data(procedure, child, call)
        yield from _outcomes(child, call)
    yield from unasked_problems(procedure, newest)


def unasked_problems(procedure: Procedure, newest: Mapping[str, Procedure]) -> Iterator[Problem]:
    """Yield a mistake for each step of a parent that `not_by` names and no procedure has that runs this one."""
    asked = [place for place in _asked(procedure.steps, ("steps",)) if place[1].startswith(OF_PARENT)]
    if not asked:
        return
    parents = [
        parent
        for parent in newest.values()
        if any(call.runs.procedure == procedure.id for call in calls_of(parent))
    ]
    known = dict.fromkeys(step for parent in parents for step in parent.all_steps)
    for path, name in asked:
        step = name.removeprefix(OF_PARENT)
        if parents and step not in known:
            listed = ", ".join(parent.id for parent in parents)
            yield Problem(
                path,
                Text(
                    zh=f"办理本流程的 {listed} 没有环节“{step}”",
                    en=f"{listed}, which runs this procedure, has no step {step!r}",
                ),
                nearest(step, known),
            )


def _asked(steps: Iterable[Step], base: Path) -> Iterator[tuple[Path, str]]:
    for step in steps:
        path = (*base, step.id)
        for place, other in enumerate(step.not_by):
            yield ((*path, "not_by", place) if len(step.not_by) > 1 else (*path, "not_by")), other
        for branch in step.parallel:
            yield from _asked(branch.steps, (*path, "parallel", branch.id, "steps"))


def _missing(call: Call, newest: Mapping[str, Procedure]) -> Problem:
    name = call.runs.procedure
    return Problem(
        (*call.path, "procedure"),
        Text(zh=f"目录中没有服务流程“{name}”", en=f"the catalog has no procedure {name!r}"),
        nearest(name, newest) or Text(zh="把它的文件放在同一目录", en="put its file into the same folder"),
    )


def _circle(procedure: Procedure, call: Call, newest: Mapping[str, Procedure]) -> Iterator[Problem]:
    way = _way_back(procedure.id, call.runs.procedure, newest)
    if way:
        listed = " → ".join((procedure.id, *way))
        yield Problem(
            call.path,
            Text(zh=f"流程首尾相接：{listed}", en=f"the procedures run each other in a circle: {listed}"),
            Text(zh="去掉其中一处 runs", en="drop one of these 'runs'"),
        )


def _way_back(goal: str, start: str, newest: Mapping[str, Procedure]) -> tuple[str, ...]:
    """Return the procedures from `start` to `goal`, each run by the one before it; empty when no way leads there."""
    before = {start: ""}
    queue = [start]
    for here in queue:
        if here == goal:
            way = [here]
            while before[way[-1]]:
                way.append(before[way[-1]])
            return tuple(way[::-1])
        for call in calls_of(newest[here]) if here in newest else ():
            if call.runs.procedure not in before:
                before[call.runs.procedure] = here
                queue.append(call.runs.procedure)
    return ()


def _data(procedure: Procedure, child: Procedure, call: Call) -> Iterator[Problem]:
    path = (*call.path, "data")
    for name, own in call.runs.data.items():
        field = child.fields.get(name)
        if field is None:
            yield Problem(
                (*path, name),
                Text(
                    zh=f"流程 {child.id} 没有字段“{name}”", en=f"procedure {child.id} has no field {name!r}"
                ),
                nearest(name, child.fields),
            )
        elif own in procedure.fields:
            yield from _otherwise(procedure.fields[own], field, child, (*path, name))
    for field in child.fields.values():
        if field.required and field.default is None and field.id not in call.runs.data:
            yield Problem(
                path if call.runs.data else call.path,
                Text(
                    zh=f"流程 {child.id} 的必填字段 {field.id} 没有来处",
                    en=f"procedure {child.id} requires the field {field.id}, and nothing gives it",
                ),
                Text(
                    zh=f"写 data: {{{field.id}: 本流程的字段}}",
                    en=f"write data: {{{field.id}: field_of_this_procedure}}",
                ),
            )


def _otherwise(own: Field, field: Field, child: Procedure, path: Path) -> Iterator[Problem]:
    """Yield a mistake where a field cannot take what another one holds."""
    if own.type != field.type:
        yield Problem(
            path,
            Text(
                zh=f"{own.id} 是 {own.type}，流程 {child.id} 的 {field.id} 是 {field.type}",
                en=f"{own.id} is of type {own.type}; {field.id} of {child.id} is of type {field.type}",
            ),
            Text(zh="用同一类型的字段", en="take a field of the same type"),
        )
        return
    more = [choice for choice in own.choices if choice not in field.choices]
    if more:
        listed = ", ".join(more)
        yield Problem(
            path,
            Text(
                zh=f"流程 {child.id} 的 {field.id} 没有选项 {listed}",
                en=f"{field.id} of {child.id} has no choice {listed}",
            ),
            Text(zh="两边写同样的选项", en="give both the same choices"),
        )
    if own.unit and field.unit and own.unit != field.unit:
        yield Problem(
            path,
            Text(
                zh=f"{own.id} 的单位是 {own.unit}，流程 {child.id} 的 {field.id} 是 {field.unit}",
                en=f"{own.id} counts in {own.unit}; {field.id} of {child.id} in {field.unit}",
            ),
            Text(zh="两边写同样的单位", en="give both the same unit"),
        )
    if own.personal and not field.personal:
        yield Problem(
            path,
            Text(
                zh=f"{own.id} 是个人信息，流程 {child.id} 的 {field.id} 不是，抹去其人时会留下",
                en=f"{own.id} is personal data and {field.id} of {child.id} is not: it would outlive the person's erasure",
            ),
            Text(zh=f"在流程 {child.id} 中写 personal: true", en=f"write personal: true in {child.id}"),
        )


def _outcomes(child: Procedure, call: Call) -> Iterator[Problem]:
    known = outcomes_of(child)
    for outcome in call.runs.outcomes:
        if outcome not in known:
            yield Problem(
                (*call.path, "outcomes", outcome),
                Text(
                    zh=f"流程 {child.id} 没有结果为“{outcome}”的结束环节",
                    en=f"no end of procedure {child.id} has the outcome {outcome!r}",
                ),
                nearest(outcome, known),
            )
