"""The engine inside a transaction that a host has open. It ends no transaction and ticks for nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

from svcflow.runtime.base_engine import BaseEngine
from svcflow.runtime.clock import Clock
from svcflow.runtime.notifications import Notifier
from svcflow.runtime.procedure_registry import ProcedureRegistry
from svcflow.runtime.store import Store

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


class JoinedEngine(BaseEngine):
    """Ask and be asked inside the host's transaction; in the thread of the host only.

    What is done through it is durable when the host commits, and gone when it rolls back. A refused command
    raises `Refused` as ever; catch it if the attempt, which is kept too, is to outlive the transaction.
    It seals nothing, since what is sealed has to be there for good, and forgets nobody, since what is erased
    has to be gone for good; handlers of facts are the engine's, since they run outside any transaction.
    Of an instance on which more than 1,000 facts are due nothing can be asked here (`FarBehind`): the engine
    itself records them, by `tick()`, in parts.
    """

    def __init__(
        self, store: Store, registry: ProcedureRegistry, clock: Clock, notifier: Notifier, payload_limit: int
    ) -> None:
        super().__init__(store, registry, clock, notifier, payload_limit=payload_limit, in_parts=False)
