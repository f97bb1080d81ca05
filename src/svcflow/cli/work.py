"""The work that waits, as a table and as JSON values. Whose it is, the engine has said."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from svcflow.cli.json import Record
from svcflow.cli.language import Tongue
from svcflow.cli.names import Names
from svcflow.cli.tables import NamesOf
from svcflow.runtime.filters import WorkItem
from svcflow.text import Text
from svcflow.text_table import table
from svcflow.wording import timestamp
from svcflow.worktime.instants import to_us

__all__ = ["work_json", "work_table"]

_WORK = (
    Text(zh="实例", en="Instance"),
    Text(zh="流程", en="Procedure"),
    Text(zh="服务对象", en="For"),
    Text(zh="环节", en="Step"),
    Text(zh="岗位", en="Role"),
    Text(zh="办理人", en="With"),
    Text(zh="等待自", en="Since"),
    Text(zh="截止", en="Due"),
    Text(zh="剩余", en="Left"),
)


def work_table(
    found: Iterable[WorkItem], names_of: NamesOf, lang: Tongue, now: datetime, *, titled: bool
) -> str:
    """Return the table of work; `titled` says to name the procedures. What is left is told as elapsed time."""
    rows = [_work(one, names_of(one.procedure, one.version), now, titled=titled) for one in found]
    heads = [head.in_(lang) for head in _WORK]
    return table(heads, rows, right=heads[-1:], whole=(heads[0], *heads[5:]))


def work_json(one: WorkItem, now: datetime) -> Record:
    """Return work that waits; `assignee` is null while nobody has it."""
    return {
        "instance": one.instance,
        "procedure": one.procedure,
        "version": one.version,
        "step": one.step,
        "role": one.role,
        "assignee": one.assignee or None,
        "entered_at": one.entered_at.isoformat(),
        "due_at": None if one.due_at is None else one.due_at.isoformat(),
        "overdue": one.due_us < to_us(now),
        "recipient": one.recipient or None,
        "group": one.group or None,
        "data": dict(one.data),
    }


def _work(one: WorkItem, names: Names, now: datetime, *, titled: bool) -> tuple[str, ...]:
    return (
        one.instance,
        names.title() if titled else "",
        one.recipient,
        names.step(one.step),
        names.role(one.role),
        one.assignee,
        timestamp(one.entered_at, names.zone, now=now),
        "" if one.due_at is None else timestamp(one.due_at, names.zone, now=now),
        "" if one.due_at is None else _left(one.due_at, now, names),
    )


def _left(due_at: datetime, now: datetime, names: Names) -> str:
    length = names.length(due_at - now)
    if due_at >= now:  # a limit is met at its very deadline
        return length
    return Text(zh=f"超 {length}", en=f"over {length}").in_(names.lang)
