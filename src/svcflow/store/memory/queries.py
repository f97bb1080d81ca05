"""Queries on a store in memory: whether an instance, work or a deviation is one that a filter selects."""

from __future__ import annotations

from collections.abc import Sequence

from svcflow.kernel.facts import ERASED
from svcflow.kernel.instance import Instance
from svcflow.kernel.lifecycle.deviations import Deviation
from svcflow.kernel.lifecycle.work_items import Work
from svcflow.model.field import Value
from svcflow.runtime.filters import DeviationQuery, InstanceQuery, WorkItem, WorkQuery


def matches_instance(instance: Instance, work: Sequence[Work], query: InstanceQuery) -> bool:
    """Return whether an instance with its work is one that a query selects."""
    return (
        query.procedure in (None, instance.procedure)
        and query.status in (None, instance.status)
        and query.recipient in (None, instance.recipient)
        and query.group in (None, instance.group)
        and (query.step is None or any(query.step == item.step for item in work))
        and (query.role is None or any(query.role == item.role for item in work))
        and all(_is_same(instance.data.get(name), value) for name, value in query.data.items())
        and _is_between(instance.started_us, query.since_us, query.until_us)
        and (query.due_before_us is None or any(is_due(item, query.due_before_us) for item in work))
    )


def is_due(work: Work | WorkItem, before_us: int | None) -> bool:
    """Return whether work is due before an instant; any work is when there is none."""
    return before_us is None or work.due_us < before_us


def _is_same(stored: Value, wanted: Value) -> bool:
    return stored == wanted and isinstance(stored, bool) == isinstance(wanted, bool)  # True == 1


def matches_work(item: WorkItem, query: WorkQuery) -> bool:
    """Return whether an item of work is one that a query selects."""
    if query.procedure not in (None, item.procedure) or not is_due(item, query.due_before_us):
        return False
    of_roles = query.roles is not None and item.role in query.roles
    if query.assignee is None:
        return query.roles is None or of_roles
    free = not item.assignee or item.assignee.startswith(ERASED)
    return of_roles if free else item.assignee == query.assignee


def matches_deviation(deviation: Deviation, query: DeviationQuery) -> bool:
    """Return whether a deviation is one that a query selects, but for the group of its recipient."""
    return (
        query.procedure in (None, deviation.procedure)
        and query.kind in (None, deviation.kind)
        and query.step in (None, deviation.step)
        and query.role in (None, deviation.role)
        and query.status in (None, deviation.status)
        and _is_between(deviation.occurred_us, query.since_us, query.until_us)
    )


def _is_between(at_us: int, since_us: int | None, until_us: int | None) -> bool:
    return (since_us is None or at_us >= since_us) and (until_us is None or at_us < until_us)
