"""Validation of a scenario against a procedure: every name that does not exist is reported at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from svcflow.errors import DeclarationError, FieldError, Path, Problem, UnknownCalendar
from svcflow.kernel.compiled import Calendars
from svcflow.model.field import Field, Value
from svcflow.model.procedure import Procedure
from svcflow.model.scenario import Duration, FieldMix, Fixed, NumberDistribution, Scenario, Shares
from svcflow.nearest import nearest
from svcflow.simulate.default_scenario import is_work
from svcflow.simulate.field_values import shared_value
from svcflow.text import Text

__all__ = ["check_scenario"]


def check_scenario(scenario: Scenario, procedure: Procedure, calendars: Calendars) -> None:
    """Refuse a scenario that names what the procedure does not have.

    Raises: DeclarationError listing every mistake, each with what to write instead.
    """
    problems = (
        *_procedure(scenario, procedure),
        *_steps(scenario, procedure),
        *_exits(scenario, procedure),
        *_roles(scenario, procedure),
        *_fields(scenario, procedure),
        *_calendars(scenario, calendars),
    )
    if problems:
        raise DeclarationError(problems)


def _procedure(scenario: Scenario, procedure: Procedure) -> Iterator[Problem]:
    if scenario.procedure != procedure.id:
        message = Text(
            zh=f"该情形属于服务流程 {scenario.procedure}，不是 {procedure.id}",
            en=f"the scenario is for procedure {scenario.procedure!r}, not {procedure.id!r}",
        )
        yield Problem(("procedure",), message, nearest(scenario.procedure, [procedure.id]))


def _steps(scenario: Scenario, procedure: Procedure) -> Iterator[Problem]:
    working = [name for name, step in procedure.all_steps.items() if is_work(step)]
    for section, names in (("durations", scenario.durations), ("exits", scenario.exits)):
        for name in names:
            if name not in procedure.all_steps:
                yield _unknown((section, name), "环节", "step", name, working)
            elif name not in working:
                message = Text(
                    zh=f"环节 {name} 是结束或并行环节，其中没有工作可模拟",
                    en=f"step {name!r} ends or runs branches: there is no work in it to simulate",
                )
                yield Problem(
                    (section, name),
                    message,
                    Text(zh="删去，或写分支内的环节", en="drop it, or name the steps inside"),
                )


def _exits(scenario: Scenario, procedure: Procedure) -> Iterator[Problem]:
    for name, branching in scenario.exits.items():
        step = procedure.all_steps.get(name)
        if step is None or not is_work(step):
            continue
        known = list(dict.fromkeys(move.trigger for move in step.to))
        for trigger in branching.shares:
            if trigger not in known:
                yield _unknown(
                    ("exits", name, trigger), f"{name} 的流转", f"exit of {name!r}", trigger, known
                )


def _roles(scenario: Scenario, procedure: Procedure) -> Iterator[Problem]:
    for role in scenario.pools:
        if role not in procedure.roles:
            yield _unknown(("pools", role), "岗位", "role", role, procedure.roles)


def _fields(scenario: Scenario, procedure: Procedure) -> Iterator[Problem]:
    for name, mix in scenario.fields.items():
        field = procedure.fields.get(name)
        if field is None:
            yield _unknown(("fields", name), "字段", "field", name, procedure.fields)
        else:
            yield from _mix(("fields", name), field, mix)


def _mix(path: Path, field: Field, mix: FieldMix) -> Iterator[Problem]:
    """Yield what a field of this type cannot be drawn by, each value that it does not accept at its own place."""
    match mix:
        case Fixed(value=value):
            yield from _refused(path, field, value)
        case Shares(of=shares):
            for written in shares:
                yield from _refused((*path, written), field, written, key=True)
        case NumberDistribution() if field.type != "number":
            yield Problem(
                path,
                Text(
                    zh=f"字段 {field.id} 的类型是 {field.type}，不能按数字的分布取值",
                    en=f"field {field.id} is of type {field.type}: it has no distribution of numbers",
                ),
                _how_to_mix(field),
            )
        case Duration() if field.type != "instant":
            yield Problem(
                path,
                Text(
                    zh=f"字段 {field.id} 的类型是 {field.type}，不能按时长的分布取值",
                    en=f"field {field.id} is of type {field.type}: it has no distribution of times",
                ),
                _how_to_mix(field),
            )


def _refused(path: Path, field: Field, value: Value, *, key: bool = False) -> Iterator[Problem]:
    try:
        field.accept(shared_value(field, str(value)) if key else value)
    except FieldError as error:
        near = nearest(value, field.values) if field.values else _how_to_mix(field)
        yield Problem(path, error.message, near)
    except ValueError:
        message = Text(
            zh=f"字段 {field.id} 须为数字，不能是“{value}”",
            en=f"field {field.id} takes a number, not {value!r}",
        )
        yield Problem(path, message, _how_to_mix(field))


def _how_to_mix(field: Field) -> Text:
    match field.type:
        case "number":
            form = "{distribution: lognormal, median: 120, p95: 900}"
        case "instant":
            form = "{distribution: lognormal, median: 8h, p95: 3d}"
        case "boolean":
            form = "{true: 0.7, false: 0.3}"
        case "choice" | "rating":
            form = f"{{{', '.join(f'{value}: 1' for value in list(field.values)[:3])}}}"
        case _:
            form = "{A: 0.7, B: 0.3}"
    return Text(zh=f"写 {field.id}: {form}", en=f"write {field.id}: {form}")


def _calendars(scenario: Scenario, calendars: Calendars) -> Iterator[Problem]:
    paths: list[tuple[Path, str | None]] = [(("arrivals", "calendar"), scenario.arrivals.calendar)]
    paths += [(("pools", role, "calendar"), pool.calendar) for role, pool in scenario.pools.items()]
    for path, name in paths:
        try:
            if name is not None:
                calendars(name)
        except UnknownCalendar as error:
            yield Problem(path, error.message, error.remedy)


def _unknown(path: Path, zh: str, en: str, name: str, known: Collection[str]) -> Problem:
    message = Text(zh=f"没有{zh}“{name}”", en=f"there is no {en} {name!r}")
    return Problem(path, message, nearest(name, known))
