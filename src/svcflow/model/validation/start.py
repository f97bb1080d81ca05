"""Rules of a start: a known role, a notice that can be judged, a calendar that counts something."""

from __future__ import annotations

from collections.abc import Iterator

from svcflow.errors import Path, Problem
from svcflow.model.procedure_parts import ProcedureParts
from svcflow.model.start_rule import StartRule
from svcflow.model.target import Target
from svcflow.model.validation.limits import anchored_problems
from svcflow.model.validation.references import role_name
from svcflow.text import Text

_START: Path = ("start",)


def start_problems(procedure: ProcedureParts) -> Iterator[Problem]:
    """Yield the mistakes of the rule of the start."""
    rule = procedure.start
    if rule is None:
        return
    if rule == StartRule():
        yield Problem(
            _START,
            Text(zh="start 没有任何内容", en="'start' says nothing"),
            Text(
                zh="写 role: 岗位、before: 字段 - 30m 等，或删去",
                en="write role: ROLE, before: FIELD - 30m and so on, or leave it out",
            ),
        )
    if rule.role is not None:
        yield from role_name(procedure, rule.role, (*_START, "role"))
    if rule.before is not None:
        yield from anchored_problems(procedure, Target("before", anchor=rule.before), _START)
        yield from _unjudged(procedure, rule, rule.before.field)
    elif rule.calendar is not None:
        yield Problem(
            (*_START, "calendar"),
            Text(zh="calendar 只用于 before", en="calendar: only for 'before'"),
            Text(zh="写 before，或删去 calendar", en="write 'before', or leave calendar out"),
        )
    if rule.foreseen and not set(procedure.roles) - {rule.role}:
        yield Problem(
            (*_START, "foreseen"),
            Text(zh="没有可以提前启动的岗位", en="there is no role that could foresee the need"),
            Text(
                zh="在 roles 中登记提供服务的岗位", en="list the role that provides the service under roles"
            ),
        )


def _unjudged(procedure: ProcedureParts, rule: StartRule, field: str) -> Iterator[Problem]:
    """Yield the mistake of a notice before an instant that need not be known when the instance starts."""
    declared = procedure.fields.get(field)
    if declared is not None and not declared.required and field not in rule.requires:
        yield Problem(
            (*_START, "before"),
            Text(
                zh=f"启动时未必有 {field}，无从判断是否提前",
                en=f"{field} need not be given at the start, so the notice could not be judged",
            ),
            Text(
                zh=f"给字段 {field} 写 required: true，或加 requires: [{field}]",
                en=f"give the field {field} required: true, or add requires: [{field}]",
            ),
        )
