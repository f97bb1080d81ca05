"""What a store in memory holds, as rows like those of the tables of a SQL store.

It keeps neither deviations nor persons: it tells them from the journals whenever they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import orjson

from svcflow.journal import personal_data
from svcflow.journal.chain import Entry
from svcflow.kernel.facts import ERASED
from svcflow.kernel.instance import Instance
from svcflow.kernel.lifecycle.delegation import Delegation
from svcflow.kernel.lifecycle.deviations import Deviation
from svcflow.kernel.lifecycle.work_items import Work
from svcflow.model.field import Value
from svcflow.runtime.filters import DeviationQuery, InstanceQuery, WorkItem, WorkQuery
from svcflow.runtime.outbox.feed import DeliveryFailure
from svcflow.runtime.store import CompletedCommand
from svcflow.runtime.stored_rows import Columns, Row, state_of
from svcflow.store.memory.journal import MemoryJournal

_OF_INSTANCE = ("procedure", "version", "status", "started_us", "next_us", "sequence")

COLUMNS: Mapping[str, Columns] = {
    "svcflow_instances": Columns(("id", *_OF_INSTANCE, "head", "state", "secrets"), 1),
    "svcflow_facts": Columns(("instance", "sequence", "position", "body", "link"), 2),
    "svcflow_commands": Columns(("instance", "command_id", "sequence", "refused"), 2),
    "svcflow_work": Columns(("instance", *Work._fields), 2),
    "svcflow_deliveries": Columns(
        ("instance", "subscription", "sequence", "state", "attempts", "at_us", "error"), 3
    ),
}


def of_instance(journal: MemoryJournal) -> Row:
    """Return the row of an instance."""
    one = journal.instance
    columns = (getattr(one, name) for name in _OF_INSTANCE)
    return (one.id, *columns, journal.head, state_of(one), personal_data.to_bytes(journal.secrets))


def of_journal(
    instance: str, entries: Sequence[Entry], positions: Mapping[tuple[str, int], int]
) -> list[Row]:
    """Return the rows of a journal."""
    return [
        (instance, number, positions[instance, number], entry.body, entry.link)
        for number, entry in enumerate(entries, 1)
    ]


def of_answers(answers: Mapping[tuple[str, str], CompletedCommand]) -> Mapping[str, Sequence[Row]]:
    """Return the rows of the commands of each instance."""
    found: dict[str, list[Row]] = {}
    for (instance, command_id), answer in answers.items():
        found.setdefault(instance, []).append((instance, command_id, *answer, 0))
    return found


def of_work(instance: str, work: Iterable[Work]) -> list[Row]:
    """Return the rows of the work of an instance."""
    return [(instance, *one) for one in work]


def of_delivery(subscription: str, one: DeliveryFailure) -> Row:
    """Return the row of a fact that was passed and not delivered."""
    return (one.instance, subscription, one.sequence, one.state, one.attempts, one.at_us, one.error)


def of_delegation(one: Delegation) -> Row:
    """Return the row of a delegation."""
    roles, procedures = (orjson.dumps(sorted(names)).decode() for names in (one.roles, one.procedures))
    return (one.id, one.giver, one.taker, roles, procedures, one.since_us, one.until_us, one.revoked_us)


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
