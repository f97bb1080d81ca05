"""Unused declarations: roles and fields, points of ladders and deemed moves without an effect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal

from svcflow.checks.findings import Finding, finding
from svcflow.checks.graph import comes_before, flow
from svcflow.checks.locations import Rows, row_groups, scopes
from svcflow.checks.path_weights import limit_path
from svcflow.errors import Path
from svcflow.model.amount import DAY_US, Family
from svcflow.model.calendar_names import ALWAYS_OPEN
from svcflow.model.field import COMPANIONS
from svcflow.model.limit import Rung, TimeLimit
from svcflow.model.limit_locations import limit_places
from svcflow.model.procedure import Procedure
from svcflow.model.step import DONE, Step, walk
from svcflow.text import Text

__all__ = ["unused"]


_SHOWN = 5

_WEEKEND = 2
"""Days by which the next working day may be later than a calendar day that is closed."""
_OVER_WEEKENDS = Text(
    zh="：落在周末的自然日都顺延到下一个工作日",
    en=": calendar days that fall on a weekend all move to the next working day",
)
_ON_WORKING_DAYS = Text(
    zh="：其间没有休息日时，自然日就是工作日",
    en=" wherever no day off lies between: calendar days are working days there",
)
_IN_CLOSED_HOURS = Text(
    zh="：落在非开放时间的都等到下一次开放",
    en=" where both fall in closed hours: they wait for the same opening",
)
_APART = Text(zh="删去其一，或拉开间隔", en="drop one of them, or put them further apart")
_IN_WORKING_UNITS = Text(
    zh="用工作时间的单位，如 +1wh、+1wd；或拉开间隔",
    en="write them in working units, such as +1wh and +1wd, or put them further apart",
)
_PLAIN: Mapping[Family, Family] = {"working": "elapsed", "working_days": "calendar_days"}


def unused(procedure: Procedure) -> Iterator[Finding]:
    """Yield what is declared and has no effect: roles, fields, parameters, points of ladders, deemed moves, visits told apart."""
    yield from _roles(procedure)
    yield from _certificates(procedure)
    yield from _fields(procedure)
    yield from _settled_at_the_end(procedure)
    yield from _parameters(procedure)
    for path, limit in limit_places(procedure):
        yield from _late_warnings(limit, path)
        usual = limit.calendar or procedure.calendar
        yield from _coinciding(limit, path, {row.calendar or usual for row in limit.rows})
    yield from _visits(procedure)
    yield from _deemed(procedure)
    yield from _closed(procedure)


def _visits(procedure: Procedure) -> Iterator[Finding]:
    """Yield the limits that tell visits apart of a step which no way leads back to."""
    told = [(path, limit) for path, limit in limit_places(procedure) if limit.visits != "sum"]
    graph = flow(procedure) if told else None
    for path, limit in told:
        step = limit.step or limit.from_ or str(path[-2])  # a step's own limit stands in the step
        if graph is not None and not comes_before(graph, step, step):
            yield finding(
                "visits-never-again",
                (*path, "visits"),
                Text(
                    zh=f"{step} 不会再次进入，visits: {limit.visits} 不起作用",
                    en=f"{step} is never entered again, so visits: {limit.visits} changes nothing",
                ),
                Text(zh="删去 visits，或加返工流转", en="leave visits out, or add the rework move"),
            )


def _roles(procedure: Procedure) -> Iterator[Finding]:
    used: set[str | None] = {procedure.start.role} if procedure.start is not None else set()
    for step in walk(procedure.steps):
        used |= {step.role, *(move.role for move in step.to)}
    for _, limit in limit_places(procedure):
        used |= {rung.role for rung in (*limit.warn, *limit.escalate)}
        used.add(limit.extension.role if limit.extension else None)
    for role in procedure.roles:
        if role not in used:
            yield finding(
                "role-unused",
                ("roles", role),
                Text(zh=f"岗位 {role} 无处使用", en=f"role {role} is used nowhere"),
                Text(zh="给某环节写 role，或删去", en="give it to a step, or drop it"),
            )


def _certificates(procedure: Procedure) -> Iterator[Finding]:
    asked = {step.qualified for step in walk(procedure.steps)}
    for certificate in procedure.certificates:
        if certificate not in asked:
            yield finding(
                "certificate-unused",
                ("certificates", certificate),
                Text(
                    zh=f"没有环节要求证书 {certificate}", en=f"no step asks for the certificate {certificate}"
                ),
                Text(
                    zh=f"给某环节写 qualified: {certificate}，或删去",
                    en=f"write qualified: {certificate} at a step, or drop it",
                ),
            )


def _fields(procedure: Procedure) -> Iterator[Finding]:
    # A required field is used by being asked for; an optional one only by what names it.
    rule = procedure.start
    used: set[str] = set(rule.requires if rule is not None else ())
    if rule is not None and rule.before is not None:
        used.add(rule.before.field)
    for step in walk(procedure.steps):
        used.update(step.evidence)
        used.update(step.runs.data.values() if step.runs is not None else ())
        for move in step.to:
            used.update(move.requires, move.when.names if move.when else ())
        for row in step.then.rows if step.then is not None else ():
            used.update(row.when.names if row.when else (), (row.at.field,) if row.at else ())
    for _, limit in limit_places(procedure):
        used.update(name for row in limit.rows if row.when for name in row.when.names)
        used.update(row.target.anchor.field for row in limit.rows if row.target and row.target.anchor)
        used.update(limit.extension.evidence if limit.extension else ())
    used.update(name for rule in procedure.holds for name in rule.evidence)
    used.update(filter(None, (getattr(f, key) for f in procedure.fields.values() for key in COMPANIONS)))
    used.update(
        name for each in procedure.indicators.values() for rule in each.exclude for name in rule.when.names
    )
    used.update(each.of for each in procedure.indicators.values() if each.of)
    for field in procedure.fields.values():
        if field.id not in used and not field.required and field.stands_for is None:
            yield finding(
                "field-unused",
                ("fields", field.id),
                Text(zh=f"选填字段 {field.id} 无处使用", en=f"optional field {field.id} is used nowhere"),
                Text(
                    zh="写 required: true，或在 requires 或条件中用它",
                    en="require it, use it in a guard, or drop it",
                ),
            )


def _settled_at_the_end(procedure: Procedure) -> Iterator[Finding]:
    """Yield the fields that are settled by moves to the end only: nothing is changed after it anyway."""
    ends = {step.id for step in procedure.steps if step.end is not None}
    targets: dict[str, set[str]] = {}
    for step in walk(procedure.steps):
        for move in step.to:
            targets.setdefault(move.trigger, set()).add(move.step)
    for field in procedure.fields.values():
        if field.settled_by is not None and targets.get(field.settled_by, set()) <= ends:
            yield finding(
                "settled-at-the-end",
                ("fields", field.id, "settled_by"),
                Text(
                    zh=f"{field.settled_by} 即告结束，此后本来就不能改动 {field.id}",
                    en=f"{field.settled_by} ends the procedure, after which {field.id} cannot be changed anyway",
                ),
                Text(zh="改为此前据以作出决定的流转", en="name the move before it that rests on the value"),
            )


def _parameters(procedure: Procedure) -> Iterator[Finding]:
    for name in procedure.parameters:
        if name not in procedure.parameter_uses:
            yield finding(
                "parameter-unused",
                ("parameters", name),
                Text(zh=f"参数 {name} 无处使用", en=f"parameter {name} is used nowhere"),
                Text(zh="在条件或时限中用它，或删去", en="name it in a guard or a limit, or drop it"),
            )


def _late_warnings(limit: TimeLimit, path: Path) -> Iterator[Finding]:
    for place, rung in enumerate(limit.warn):
        if rung.after is not None or (rung.share is not None and rung.share >= 1):
            yield finding(
                "warning-too-late",
                (*path, "warn", place),
                Text(
                    zh=f"预警点 {rung.point} 不早于截止时间",
                    en=f"warning at {rung.point} does not come before the deadline",
                ),
                Text(
                    zh="写小于 100% 的份额，或移到 escalate",
                    en="write a share below 100%, or move it to escalate",
                ),
            )


def _coinciding(limit: TimeLimit, path: Path, calendars: AbstractSet[str]) -> Iterator[Finding]:
    """Yield each point of a ladder that falls on the instant of an earlier one, always or now and then."""
    for kind, rungs in (("warn", limit.warn), ("escalate", limit.escalate)):
        for place, rung in enumerate(rungs):
            pairs = ((before, _together(limit, before, rung, calendars)) for before in rungs[:place])
            other, when = next(((before, when) for before, when in pairs if when is not None), (rung, None))
            if when is None:
                continue
            yield finding(
                "rungs-coincide",
                (*path, kind, place),
                Text(
                    zh=f"{rung.point} 与 {other.point} 落在同一时刻{when.zh}",
                    en=f"{rung.point} falls on the same instant as {other.point}{when.en}",
                ),
                _IN_WORKING_UNITS if when == _IN_CLOSED_HOURS else _APART,
            )


def _together(limit: TimeLimit, before: Rung, rung: Rung, calendars: AbstractSet[str]) -> Text | None:
    """Return when two points of a ladder fall on one instant, empty for always; None where they do not."""
    always_open = calendars <= ALWAYS_OPEN
    if _reach(before, always_open=always_open) == _reach(rung, always_open=always_open):
        return Text()
    first, second = before.after, rung.after
    if first is None or second is None or always_open:
        return None
    families = {first.family, second.family}
    if families == {"calendar_days"} and abs(first.count - second.count) <= _WEEKEND:
        return _OVER_WEEKENDS
    if families == {"calendar_days", "working_days"} and first.count == second.count:
        return _ON_WORKING_DAYS
    if limit.in_opening_hours and families == {"elapsed"} and abs(first.us - second.us) <= _WEEKEND * DAY_US:
        return _IN_CLOSED_HOURS
    return None


def _reach(rung: Rung, *, always_open: bool) -> tuple[Decimal, int, str]:
    """Return where a point of a ladder lies, however it is written: `+60m` is `+1h`, `100%` is `+0m`.

    On calendars always open working time is elapsed time, and every day a working day.
    """
    amount = rung.after or rung.ahead
    if amount is None:
        return (rung.share or Decimal(0), 0, "")
    reach = amount.us if amount.family in ("elapsed", "working") else amount.count
    family = _PLAIN.get(amount.family, amount.family) if always_open else amount.family
    return (Decimal(1), reach if rung.after else -reach, family if reach else "")


def _deemed(procedure: Procedure) -> Iterator[Finding]:
    anywhere = {limit.on_overdue for limit in procedure.limits if limit.step is None}
    apart = [(limit.step, limit.on_overdue) for limit in procedure.limits if limit.step is not None]
    for scope in scopes(procedure):
        for rows in row_groups(scope):
            own = {limit.on_overdue for limit in rows.step.time_limits}
            joins = rows.trigger == DONE and bool(rows.step.parallel)
            if rows.step.runs is not None:
                own |= set(rows.step.runs.outcomes.values())
            if joins or rows.trigger in own | anywhere or (rows.step.id, rows.trigger) in apart:
                yield from _owing(rows)


def _closed(procedure: Procedure) -> Iterator[Finding]:
    """Yield limits over several steps whose move on overdue is not open in one of them: it would be made nowhere."""
    for place, limit in enumerate(procedure.limits):
        over = limit_path(procedure, limit) if limit.on_overdue is not None else None
        if over is None:
            continue
        steps = procedure.all_steps
        shut = [
            name
            for name in steps
            if name in over.covered() and not _opens(steps[name], str(limit.on_overdue), limit)
        ]
        if shut:
            listed = ", ".join(shut[:_SHOWN]) + (", …" if len(shut) > _SHOWN else "")
            yield finding(
                "deemed-move-closed",
                ("limits", place, "on_overdue"),
                Text(
                    zh=f"时限“{limit.id}”超期时若在 {listed}，没有流转 {limit.on_overdue}，什么也不会发生",
                    en=f"when '{limit.id}' is overdue in {listed}, {limit.on_overdue} is not open there and nothing "
                    "happens",
                ),
                Text(
                    zh=f"在这些环节加流转 {limit.on_overdue}，或改用环节的时限",
                    en=f"add {limit.on_overdue} to these steps, or give the step a limit of its own",
                ),
            )


def _opens(step: Step, trigger: str, limit: TimeLimit) -> bool:
    """Return whether a trigger may be open while a step is active; one that stops the limit's clock never asks."""
    if step.waits is not None and limit.stoppable:
        return True
    inside = (inner for branch in step.parallel for inner in walk(branch.steps))
    return any(move.trigger == trigger for active in (step, *inside) for move in active.to)


def _owing(rows: Rows) -> Iterator[Finding]:
    for place, move in enumerate(rows.moves):
        if not move.requires:
            continue
        listed = ", ".join(move.requires)
        yield finding(
            "deemed-move-owes",
            rows.path_of(place),
            Text(
                zh=f"{move.trigger} 会自动触发，届时无人提供 {listed}",
                en=f"{move.trigger} is fired by itself, when nobody supplies {listed}",
            ),
            Text(
                zh="自动触发的流转不带 requires；on_overdue 可另设一个流转",
                en="drop 'requires', or give on_overdue a trigger of its own without it",
            ),
        )
