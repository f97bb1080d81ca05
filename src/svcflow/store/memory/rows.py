"""Contents of a store in memory as rows of the tables of a SQL store, for verification.

There are no rows of deviations and persons: a store in memory reads those from the journals whenever they are needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import orjson

from svcflow.journal import personal_data
from svcflow.journal.chain import Entry
from svcflow.kernel.lifecycle.delegation import Delegation
from svcflow.kernel.lifecycle.work_items import Work
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
    instance = journal.instance
    columns = (getattr(instance, name) for name in _OF_INSTANCE)
    return (instance.id, *columns, journal.head, state_of(instance), personal_data.to_bytes(journal.secrets))


def of_journal(
    instance: str, entries: Sequence[Entry], positions: Mapping[tuple[str, int], int]
) -> list[Row]:
    """Return the rows of a journal."""
    return [
        (instance, number, positions[instance, number], entry.body, entry.link)
        for number, entry in enumerate(entries, 1)
    ]


def of_commands(completed: Mapping[tuple[str, str], CompletedCommand]) -> Mapping[str, Sequence[Row]]:
    """Return the rows of the completed commands of each instance."""
    rows: dict[str, list[Row]] = {}
    for (instance, command_id), command in completed.items():
        rows.setdefault(instance, []).append((instance, command_id, *command, 0))
    return rows


def of_work(instance: str, work: Iterable[Work]) -> list[Row]:
    """Return the rows of the work of an instance."""
    return [(instance, *item) for item in work]


def of_delivery(subscription: str, failure: DeliveryFailure) -> Row:
    """Return the row of a fact that a subscription has passed and not delivered."""
    instance, sequence, attempts, at_us, state, error = failure
    return (instance, subscription, sequence, state, attempts, at_us, error)


def of_delegation(delegation: Delegation) -> Row:
    """Return the row of a delegation."""
    return (
        delegation.id,
        delegation.giver,
        delegation.taker,
        orjson.dumps(sorted(delegation.roles)).decode(),
        orjson.dumps(sorted(delegation.procedures)).decode(),
        delegation.since_us,
        delegation.until_us,
        delegation.revoked_us,
    )
