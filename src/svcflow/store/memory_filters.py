"""What a question asks for, of what a store in memory holds."""

from __future__ import annotations

from collections.abc import Sequence

from svcflow.kernel.facts import ERASED
from svcflow.kernel.instance import Instance
from svcflow.kernel.lifecycle.deviations import Deviation
from svcflow.kernel.lifecycle.work_items import Work
from svcflow.model.field import Value
from svcflow.runtime.filters import DeviationQuery, InstanceQuery, WorkItem, WorkQuery


def is_asked(one: Instance, work: Sequence[Work], query: InstanceQuery) -> bool:
    """Tell whether a question about instances asks for one, with its work."""
    return (
        query.procedure in (None, one.procedure)
        and query.status in (None, one.status)
        and query.recipient in (None, one.recipient)
        and query.group in (None, one.group)
        and (query.step is None or any(query.step == item.step for item in work))
        and (query.role is None or any(query.role == item.role for item in work))
        and all(_is_same(one.data.get(name), value) for name, value in query.data.items())
        and _is_between(one.started_us, query.since_us, query.until_us)
        and (query.due_before_us is None or any(is_due(item, query.due_before_us) for item in work))
    )


def is_due(work: Work | WorkItem, before_us: int | None) -> bool:
    """Tell whether work is due before an instant, if one is given."""
    return before_us is None or work.due_us < before_us


def _is_same(kept: Value, wanted: Value) -> bool:
    return kept == wanted and isinstance(kept, bool) == isinstance(wanted, bool)


def is_wanted(one: WorkItem, query: WorkQuery) -> bool:
    """Tell whether a query for work asks for this item."""
    if query.procedure not in (None, one.procedure) or not is_due(one, query.due_before_us):
        return False
    theirs = query.roles is not None and one.role in query.roles
    if query.assignee is None:
        return query.roles is None or theirs
    free = not one.assignee or one.assignee.startswith(ERASED)
    return theirs if free else one.assignee == query.assignee


def fits(one: Deviation, query: DeviationQuery) -> bool:
    """Tell whether a question about deviations asks for one."""
    return (
        query.procedure in (None, one.procedure)
        and query.kind in (None, one.kind)
        and query.step in (None, one.step)
        and query.role in (None, one.role)
        and query.status in (None, one.status)
        and _is_between(one.occurred_us, query.since_us, query.until_us)
    )


def _is_between(at_us: int, since_us: int | None, until_us: int | None) -> bool:
    return (since_us is None or at_us >= since_us) and (until_us is None or at_us < until_us)
