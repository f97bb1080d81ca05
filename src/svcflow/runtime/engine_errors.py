"""Errors that engines raise, in both languages."""

from __future__ import annotations

from copy import copy

from svcflow.errors import (
    DeclarationError,
    FarBehind,
    FieldError,
    InstanceClosed,
    Refused,
    StaleRevision,
    SvcflowError,
    UnknownInstance,
)
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import Refused as RefusedFact
from svcflow.kernel.instance import Instance
from svcflow.model.limit_locations import too_long
from svcflow.model.procedure import Procedure
from svcflow.runtime.store import MAX_FACTS
from svcflow.text import Text, cut

TICK_FIRST = Text(
    zh="先由引擎自己 tick()（或 running()），再加入事务",
    en="let the engine itself tick() first (or keep it running()), and join the transaction then",
)


def refusal(fact: RefusedFact, remedy: Text) -> Refused:
    """Return the error for a refusal that was recorded."""
    return (InstanceClosed if fact.rule == "closed" else Refused)(fact.rule, fact.reason, remedy)


def refuse_before_effective(compiled: Compiled, now_us: int) -> None:
    """Raise Refused before the date from which a procedure is in force; no fact records it, for there is no journal yet."""
    effective = compiled.procedure.effective
    if effective is not None and compiled.calendar.date_us(now_us) < effective:
        name = str(compiled.procedure)
        raise Refused(
            "effective",
            Text(zh=f"{name} 自 {effective} 起施行", en=f"{name} is in force from {effective}"),
            Text(zh="用已施行的版本", en="start a version that is in force"),
        )


def refuse_too_long(procedure: Procedure) -> None:
    """Raise DeclarationError for a version beyond the bounds, which is loaded for the instances under it only."""
    problems = tuple(too_long(procedure))
    if problems:
        raise DeclarationError(problems)


def unknown_instance(instance: str) -> UnknownInstance:
    """Return the error for an id that the store does not hold."""
    return UnknownInstance(
        Text(zh=f"没有流程实例“{cut(instance)}”", en=f"there is no instance {cut(instance)!r}"),
        Text(zh="用 svcflow list 查看", en="see `svcflow list`"),
    )


def about(instance: str, error: Exception) -> Exception:
    """Return an error of one among many instances with the instance named; other exceptions are left as they are."""
    if not isinstance(error, SvcflowError) or instance in error.message.en:
        return error
    named = copy(error)
    named.message = Text(
        zh=f"流程实例 {instance}：{error.message.in_('zh')}",
        en=f"instance {instance}: {error.message.in_('en')}",
    )
    named.args = (named.text("en"),)
    named.__cause__ = error
    return named


def far_behind(instance: str | None = None) -> FarBehind:
    """Return the error for more facts due, on one instance or on all, than one transaction of a host takes."""
    of_zh, of_en = ("", "") if instance is None else (f"实例 {instance} ", f" on {instance}")
    return FarBehind(
        Text(
            zh=f"{of_zh}到期未记的事项超过 {MAX_FACTS} 条，宿主的一个事务中不能补记",
            en=f"more than {MAX_FACTS:,} facts are due{of_en}: too many to record in one transaction of the host",
        ),
        TICK_FIRST,
    )


def another_delegation(delegation: str) -> FieldError:
    """Return the error for the id of another delegation; it may be one of forgotten persons."""
    message = Text(zh=f"委托编号 {delegation} 已用于另一委托", en=f"{delegation} is another delegation")
    return FieldError(message, Text(zh="换一个编号", en="choose another `delegation_id`"))


def stale(instance: Instance, expected: int) -> StaleRevision:
    """Return the error for an expected revision that is not the present one."""
    return StaleRevision(
        Text(
            zh=f"实例 {instance.id} 已是第 {instance.revision} 版，不是 {expected}",
            en=f"instance {instance.id} is at revision {instance.revision}, not {expected}",
        ),
        Text(zh="重新读取后再试", en="read it again and decide anew"),
    )
