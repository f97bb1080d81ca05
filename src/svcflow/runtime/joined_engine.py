"""The engine inside a transaction that a host has open. It ends no transaction and ticks for nobody."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

from svcflow.kernel.facts import Fact
from svcflow.runtime.clock import Clock
from svcflow.runtime.commands import Commands
from svcflow.runtime.delegations import Delegations
from svcflow.runtime.migration import Migrations
from svcflow.runtime.procedure_registry import Standards
from svcflow.runtime.queries import Questions
from svcflow.runtime.store import Store
from svcflow.runtime.sweeps import Sweeps

if TYPE_CHECKING:  # the engine does not load SQLAlchemy for whoever does not use it
    from sqlalchemy import Connection
    from sqlalchemy.orm import Session, scoped_session


class DriverConnection(Protocol):
    """A connection of `sqlite3` or `psycopg`, as Django has it."""

    def cursor(self) -> object:
        """Open a cursor."""
        ...

    def commit(self) -> None:
        """Commit; the engine never does."""
        ...

    def rollback(self) -> None:
        """Roll back; the engine never does."""
        ...


Host: TypeAlias = "Connection | Session | scoped_session[Session] | DriverConnection"


class JoinedEngine(Commands, Questions, Delegations, Migrations, Sweeps):
    """Ask and be asked inside the host's transaction; in the thread of the host only.

    What is done through it is durable when the host commits, and gone when it rolls back. A refused command
    raises `Refused` as ever; catch it if the attempt, which is kept too, is to outlive the transaction.
    It seals nothing, since what is sealed has to be there for good, and forgets nobody, since what is erased
    has to be gone for good; handlers of facts are the engine's, since they run outside any transaction.
    Of an instance on which more than 1,000 facts are due nothing can be asked here (`FarBehind`): the engine
    itself records them, by `tick()`, in parts.
    """

    _in_parts = False

    def __init__(
        self,
        store: Store,
        clock: Clock,
        standards: Standards,
        payload_limit: int,
        *,
        expect: Callable[[int], None],
        announce: Callable[[Sequence[Fact]], None],
    ) -> None:
        super().__init__(store, standards.catalog, clock, standards=standards, payload_limit=payload_limit)
        self._expect = expect
        self._announce = announce

    def _notice(self, due_us: int) -> None:
        self._expect(due_us)

    def _rearmed(self) -> None:
        due_us = self._store.next_due_us()
        if due_us is not None:
            self._expect(due_us)

    def _recorded(self, facts: Sequence[Fact]) -> None:
        self._announce(facts)
