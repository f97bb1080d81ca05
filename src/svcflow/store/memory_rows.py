"""What a store in memory holds, as rows like those of the tables of a SQL store.

It keeps neither deviations nor persons: it tells them from the journals whenever they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import orjson

from svcflow.journal import personal_data
from svcflow.journal.chain import Entry
from svcflow.journal.personal_data import Secrets
from svcflow.kernel.lifecycle.delegation import Delegation
from svcflow.kernel.lifecycle.work_items import Work
from svcflow.runtime.outbox.feed import Failure
from svcflow.runtime.store import Answer, Kept
from svcflow.runtime.stored_rows import Columns, Row, state_of

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


def of_instance(kept: Kept, secrets: Secrets) -> Row:
    """Return the row of an instance."""
    one = kept.instance
    columns = (getattr(one, name) for name in _OF_INSTANCE)
    return (one.id, *columns, kept.head, state_of(one), personal_data.to_bytes(secrets))


def of_journal(
    instance: str, entries: Sequence[Entry], positions: Mapping[tuple[str, int], int]
) -> list[Row]:
    """Return the rows of a journal."""
    return [
        (instance, number, positions[instance, number], entry.body, entry.link)
        for number, entry in enumerate(entries, 1)
    ]


def of_answers(answers: Mapping[tuple[str, str], Answer]) -> Mapping[str, Sequence[Row]]:
    """Return the rows of the commands of each instance."""
    found: dict[str, list[Row]] = {}
    for (instance, command_id), answer in answers.items():
        found.setdefault(instance, []).append((instance, command_id, *answer, 0))
    return found


def of_work(instance: str, work: Iterable[Work]) -> list[Row]:
    """Return the rows of the work of an instance."""
    return [(instance, *one) for one in work]


def of_delivery(subscription: str, one: Failure) -> Row:
    """Return the row of a fact that was passed and not delivered."""
    return (one.instance, subscription, one.sequence, one.state, one.attempts, one.at_us, one.error)


def of_delegation(one: Delegation) -> Row:
    """Return the row of a delegation."""
    roles, procedures = (orjson.dumps(sorted(names)).decode() for names in (one.roles, one.procedures))
    return (one.id, one.giver, one.taker, roles, procedures, one.since_us, one.until_us, one.revoked_us)
