"""Feed of a store in a SQL database: the facts of all instances by position, subscriptions and their queues.

The facts that a subscription has passed and not delivered form one queue for each instance, so that they are delivered
in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any, Protocol, TypeVar

import attrs
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Dialect,
    String,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
)

from svcflow.journal.canonical import from_bytes
from svcflow.journal.personal_data import Commitments, Secrets
from svcflow.journal.personal_data import from_bytes as secrets_from
from svcflow.runtime.outbox.feed import (
    FEED_BATCH,
    DeliveryProgress,
    DeliveryState,
    FeedBatch,
    FeedEntry,
    SubscriptionPosition,
    SubscriptionStatus,
    UndeliveredFact,
)
from svcflow.runtime.outbox.subscription import undelivered
from svcflow.store import schema
from svcflow.store.statements import INSERT, Row, Statement, compile_statement
from svcflow.store.unit_of_work import UnitOfWork

_instances, _facts = schema.instances, schema.facts
_subscriptions, _deliveries = schema.subscriptions, schema.deliveries
_earlier = _deliveries.alias("earlier")

Reading = Callable[[], AbstractContextManager[Connection]]
T = TypeVar("T")


class Write(Protocol):
    """Function that runs another one in a writing transaction."""

    def __call__(self, act: Callable[[UnitOfWork], T]) -> T: ...


@attrs.frozen
class _FeedStatements:
    """Statements that write subscriptions and deliveries, compiled for one database."""

    take: Statement
    cursor: Statement
    subscribe: Statement
    move: Statement
    drop: Statement
    park: Statement
    promote: Statement
    revive: Statement
    hurry: Statement
    unsubscribe: Statement
    dead: Statement
    clear: Statement

    @classmethod
    def of(cls, dialect: Dialect) -> _FeedStatements:
        return cls(
            **{
                name: compile_statement(name, statement, dialect)
                for name, statement in _written_statements(dialect).items()
            }
        )


class SqlFeed:
    """Feed whose subscriptions stand in tables beside the facts."""

    def __init__(self, reading: Reading, write: Write, settled: Callable[[], int]) -> None:
        self._reading = reading
        self._write = write
        self._settled = settled

    def settled_position(self) -> int:
        """Return the position up to which nothing can be added any more; 0 for an empty feed."""
        return self._settled()

    def subscribe(self, name: str, position: int) -> None:
        """Create a subscription at a position; one that exists is left as it is."""
        statements = self._statements

        def subscribe(work: UnitOfWork) -> None:
            if work.run(statements.cursor, name=name).fetchone() is None:
                work.run(statements.subscribe, name=name, position=position, owner="", lease_until_us=0)

        self._write(subscribe)

    def statuses(self) -> Sequence[SubscriptionStatus]:
        """Return the status of each subscription, by name."""
        query = select(
            _subscriptions.c.name,
            _subscriptions.c.position,
            select(func.count()).where(_facts.c.position > _subscriptions.c.position).scalar_subquery(),
            _count(_deliveries.c.state != "dead"),
            _count(_deliveries.c.state == "dead"),
        )
        with self._reading() as connection:
            return [
                SubscriptionStatus(*row) for row in connection.execute(query.order_by(_subscriptions.c.name))
            ]

    def remove(self, name: str, *, discard: bool) -> None:
        """Remove a subscription with its undelivered facts; do nothing when there is none of that name."""
        statements = self._statements

        def remove(work: UnitOfWork) -> None:
            # the subscription first: a worker that is noting progress has its row locked, and what it notes is
            # counted below
            work.run(statements.unsubscribe, name=name)
            dead = work.run(statements.dead, subscription=name).fetchone()
            if dead is not None and dead[0] and not discard:
                raise undelivered(name, dead[0])
            work.run(statements.clear, subscription=name)

        self._write(remove)

    def position_of(self, name: str) -> SubscriptionPosition | None:
        """Return the position of a subscription; None when it was removed."""
        soonest = select(func.min(_deliveries.c.at_us)).where(*_first(name)).scalar_subquery()
        query = select(_subscriptions.c.position, soonest).where(_subscriptions.c.name == name)
        with self._reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else SubscriptionPosition(*row)

    def acquire(self, name: str, owner: str, now_us: int, until_us: int) -> int | None:
        """Acquire the lease of a subscription up to an instant; return its cursor, None when another worker holds it."""
        statements = self._statements

        def take(work: UnitOfWork) -> int | None:
            # one UPDATE both tests the lease and takes it, so that of two workers only one can
            cursor = work.run(statements.take, name=name, owner=owner, now_us=now_us, lease_until_us=until_us)
            row = work.run(statements.cursor, name=name).fetchone() if cursor.rowcount == 1 else None
            return None if row is None else int(row[0])

        return self._write(take)

    def record(self, name: str, owner: str, notes: DeliveryProgress, until_us: int) -> bool:
        """Record progress and extend the lease up to an instant; 0 releases it."""
        statements = self._statements

        def keep(work: UnitOfWork) -> bool:
            # first, and by the owner: a worker whose lease has ended must not change the queues of its successor
            moved = work.run(
                statements.move,
                name=name,
                owner=owner,
                owner_next=owner if until_us else "",
                position=notes.position,
                lease_until_us=until_us,
            )
            if moved.rowcount != 1:
                return False
            for failure in notes.failures:
                key: Row = {"instance": failure.instance, "sequence": failure.sequence}
                work.run(statements.drop, subscription=name, **key)
                work.run(statements.park, subscription=name, **failure._asdict())
            for instance, sequence in notes.done:
                work.run(statements.drop, subscription=name, instance=instance, sequence=sequence)
            for instance in notes.instances:
                work.run(statements.promote, subscription=name, instance=instance)
            return True

        return self._write(keep)

    def read(self, name: str, kinds: frozenset[str], after: int, until: int) -> FeedBatch:
        """Return facts of some kinds, of all for an empty set, behind one position and up to another."""
        columns = _deliveries.c
        queued = (
            columns.subscription == name,
            columns.instance == _facts.c.instance,
            columns.state != "dead",
        )
        query = select(_facts.c.position, _facts.c.instance, _facts.c.body, exists().where(*queued))
        query = query.where(_facts.c.position > after, _facts.c.position <= until)
        patterns = [f'"kind":"{kind}"'.encode() for kind in kinds]
        with self._reading() as connection:
            rows = connection.execute(query.order_by(_facts.c.position).limit(FEED_BATCH)).all()
            wanted = [row for row in rows if not patterns or any(each in row.body for each in patterns)]
            secrets = _secrets(connection, {row.instance for row in wanted})
        entries = (_entry(position, body, secrets[name], behind) for position, name, body, behind in wanted)
        # the patterns only spare reading most bodies: a text may hold one too
        facts = [entry for entry in entries if not kinds or entry.fact.kind in kinds]
        return FeedBatch(rows[-1].position if len(rows) == FEED_BATCH else until, facts)

    def due(self, name: str, now_us: int) -> Sequence[UndeliveredFact]:
        """Return the facts to try again now, soonest first, the first of each instance only."""
        columns = _deliveries.c
        query = _undelivered().where(*_first(name), columns.at_us <= now_us)
        return self._select(query.order_by(columns.at_us, columns.instance).limit(FEED_BATCH))

    def undelivered(self, state: DeliveryState) -> Sequence[UndeliveredFact]:
        """Return the facts in a state, by subscription and position."""
        query = _undelivered().where(_deliveries.c.state == state)
        return self._select(query.order_by(_deliveries.c.subscription, _facts.c.position))

    def requeue(self, name: str, instance: str | None, now_us: int) -> int:
        """Put dead facts back in their queues and make those that wait due now; return how many were dead."""
        values: Row = {"subscription": name, "instance": instance or "", "now_us": now_us}
        statements = self._statements

        def revive(work: UnitOfWork) -> int:
            work.run(statements.hurry, **values)
            return work.run(statements.revive, **values).rowcount

        return self._write(revive)

    def _select(self, query: Any) -> Sequence[UndeliveredFact]:
        with self._reading() as connection:
            rows = connection.execute(query).all()
            secrets = _secrets(connection, {row.instance for row in rows})
        return [
            UndeliveredFact(
                row.subscription,
                _entry(row.position, row.body, secrets[row.instance]),
                row.attempts,
                row.at_us,
                row.error,
            )
            for row in rows
        ]

    @cached_property
    def _statements(self) -> _FeedStatements:
        with self._reading() as connection:
            dialect = connection.dialect
        make: Callable[..., Dialect] = type(dialect)  # parameters are bound by their place
        return _FeedStatements.of(dialect if dialect.positional else make(paramstyle="format"))


def _first(name: str) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of the rows that wait at the head of their queues."""
    columns = _deliveries.c
    before = (
        _earlier.c.subscription == columns.subscription,
        _earlier.c.instance == columns.instance,
        _earlier.c.sequence < columns.sequence,
        _earlier.c.state != "dead",
    )
    return columns.subscription == name, columns.state == "waiting", ~exists().where(*before)


def _undelivered() -> Any:
    same = (_facts.c.instance == _deliveries.c.instance) & (_facts.c.sequence == _deliveries.c.sequence)
    return select(*_deliveries.c, _facts.c.position, _facts.c.body).join(_facts, same)


def _count(condition: ColumnElement[bool]) -> Any:
    own = _deliveries.c.subscription == _subscriptions.c.name
    return select(func.count()).select_from(_deliveries).where(own, condition).scalar_subquery()


def _secrets(connection: Connection, instances: Iterable[str]) -> Mapping[str, Secrets]:
    query = select(_instances.c.id, _instances.c.secrets).where(_instances.c.id.in_(sorted(instances)))
    return {row.id: secrets_from(row.secrets) for row in connection.execute(query)}


def _entry(position: int, body: bytes, secrets: Secrets, behind: bool = False) -> FeedEntry:  # noqa: FBT001, FBT002  # as the row has it
    return FeedEntry(position, from_bytes(body, Commitments(secrets)), body, bool(behind))


def _written_statements(dialect: Dialect) -> Mapping[str, Any]:
    """Return the statements; constants are written out, because each parameter would have to be given by the caller."""
    subscriptions, deliveries = _subscriptions.c, _deliveries.c
    dead, waiting, blocked, nothing = (
        literal_column(f"'{word}'", String()) for word in ("dead", "waiting", "blocked", "")
    )
    named = subscriptions.name == bindparam("of_name")
    owned = subscriptions.owner == bindparam("of_owner")
    free = or_(subscriptions.owner == nothing, subscriptions.lease_until_us <= bindparam("now_us"))
    own = deliveries.subscription == bindparam("of_subscription")
    queue = own & (deliveries.instance == bindparam("of_instance"))
    chosen = own & or_(
        bindparam("of_instance", type_=String()) == nothing, deliveries.instance == bindparam("of_instance")
    )
    same_queue = (_earlier.c.subscription == deliveries.subscription) & (
        _earlier.c.instance == deliveries.instance
    )
    head = select(func.min(_earlier.c.sequence)).where(same_queue, _earlier.c.state != dead).scalar_subquery()
    lease: BindParameter[int] = bindparam("new_lease_until_us")
    due: BindParameter[int] = bindparam("now_us")
    return {
        "take": _subscriptions.update()
        .where(named, free)
        .values(owner=bindparam("new_owner"), lease_until_us=lease),
        "cursor": select(subscriptions.position).where(named),
        "subscribe": INSERT[dialect.name](_subscriptions).on_conflict_do_nothing(),
        "move": _subscriptions.update()
        .where(named, owned)
        .values(owner=bindparam("new_owner_next"), position=bindparam("new_position"), lease_until_us=lease),
        "drop": _deliveries.delete().where(queue, deliveries.sequence == bindparam("of_sequence")),
        "park": _deliveries.insert(),
        "promote": _deliveries.update()
        .where(queue, deliveries.state == blocked, deliveries.sequence == head)
        .values(state=waiting),
        "revive": _deliveries.update()
        .where(chosen, deliveries.state == dead)
        .values(state=waiting, attempts=literal_column("0"), at_us=due),
        "unsubscribe": _subscriptions.delete().where(named),
        "dead": select(func.count()).select_from(_deliveries).where(own, deliveries.state == dead),
        "clear": _deliveries.delete().where(own),
        "hurry": _deliveries.update().where(chosen, deliveries.state == waiting).values(at_us=due),
    }
