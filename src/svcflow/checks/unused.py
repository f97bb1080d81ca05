"""What is declared and never used, or can never take effect: roles, fields, late warnings, deemed moves."""

from __future__ import annotations

from collections.abc import Iterator

from svcflow.checks.finding import Finding, finding
from svcflow.checks.places import Rows, row_groups, scopes
from svcflow.errors import Path
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import Procedure
from svcflow.model.step import walk
from svcflow.text import Text

__all__ = ["unused"]


def unused(procedure: Procedure) -> Iterator[Finding]:
    """Yield roles and fields that nothing uses, warnings after the deadline, deemed moves that owe something."""
    yield from _roles(procedure)
    yield from _fields(procedure)
    for limit, path in _limits(procedure):
        yield from _late_warnings(limit, path)
    yield from _deemed(procedure)


def _roles(procedure: Procedure) -> Iterator[Finding]:
    used: set[str | None] = set()
    for step in walk(procedure.steps):
        used |= {step.role, *(move.role for move in step.to)}
    for limit, _ in _limits(procedure):
        used |= {rung.role for rung in (*limit.warn, *limit.escalate)}
    for role in procedure.roles:
        if role not in used:
            yield finding(
                "role-unused",
                ("roles", role),
                Text(zh=f"岗位 {role} 无处使用", en=f"role {role} is used nowhere"),
                Text(zh="给某环节写 role，或删去", en="give it to a step, or drop it"),
            )


def _fields(procedure: Procedure) -> Iterator[Finding]:
    # A required field is used by being asked for; an optional one only by what names it.
    used: set[str] = set()
    for step in walk(procedure.steps):
        used.update(step.evidence)
        for move in step.to:
            used.update(move.requires, move.when.names if move.when else ())
    for limit, _ in _limits(procedure):
        used.update(name for row in limit.match if row.when for name in row.when.names)
    used.update(name for rule in procedure.holds for name in rule.evidence)
    for field in procedure.fields.values():
        if field.id not in used and not field.required:
            yield finding(
                "field-unused",
                ("fields", field.id),
                Text(zh=f"选填字段 {field.id} 无处使用", en=f"optional field {field.id} is used nowhere"),
                Text(
                    zh="写 required: true，或在 requires 或条件中用它",
                    en="require it, use it in a guard, or drop it",
                ),
            )


def _late_warnings(limit: TimeLimit, path: Path) -> Iterator[Finding]:
    for place, rung in enumerate(limit.warn):
        if rung.share is None or rung.share >= 1:
            yield finding(
                "warning-too-late",
                (*path, "warn", place),
                Text(
                    zh=f"预警点 {rung.at} 不早于截止时间",
                    en=f"warning at {rung.at} does not come before the deadline",
                ),
                Text(
                    zh="写小于 100% 的份额，或移到 escalate",
                    en="write a share below 100%, or move it to escalate",
                ),
            )


def _deemed(procedure: Procedure) -> Iterator[Finding]:
    anywhere = {limit.on_overdue for limit in procedure.limits if limit.step is None}
    apart = [(limit.step, limit.on_overdue) for limit in procedure.limits if limit.step is not None]
    for scope in scopes(procedure):
        for rows in row_groups(scope):
            own = {limit.on_overdue for limit in rows.step.time_limits}
            if rows.trigger in own | anywhere or (rows.step.id, rows.trigger) in apart:
                yield from _owing(rows)


def _owing(rows: Rows) -> Iterator[Finding]:
    for place, move in enumerate(rows.moves):
        if not move.requires:
            continue
        listed = ", ".join(move.requires)
        yield finding(
            "deemed-move-owes",
            rows.path_of(place),
            Text(
                zh=f"{move.trigger} 会超时自动触发，届时无人提供 {listed}",
                en=f"{move.trigger} is fired on overdue, when nobody supplies {listed}",
            ),
            Text(
                zh="另设一个不带 requires 的流转供 on_overdue 使用",
                en="give on_overdue a trigger of its own without 'requires'",
            ),
        )


def _limits(procedure: Procedure) -> Iterator[tuple[TimeLimit, Path]]:
    for scope in scopes(procedure):
        for step in scope.steps:
            if step.within is not None:
                yield step.within, (*scope.path_of(step), "within")
    for place, limit in enumerate(procedure.limits):
        yield limit, ("limits", place)
