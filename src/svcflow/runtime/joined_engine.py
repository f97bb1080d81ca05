"""Engine inside a transaction that a host has open; the host commits it or rolls it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

from svcflow.runtime.base_engine import BaseEngine
from svcflow.runtime.clock import Clock
from svcflow.runtime.notifications import Notifier
from svcflow.runtime.procedure_registry import ProcedureRegistry
from svcflow.runtime.qualifications import Qualifications
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
        """Commit the transaction; the engine never calls it."""
        ...

    def rollback(self) -> None:
        """Roll back the transaction; the engine never calls it."""
        ...


Host: TypeAlias = "Connection | Session | scoped_session[Session] | DriverConnection"


class JoinedEngine(BaseEngine):
    """Commands and queries inside the host's transaction, to be used in the host's own thread.

    What is done through it is durable when the host commits, and gone when it rolls back. A refused command
    raises `Refused`; catch it if the attempt, which is recorded too, is to outlive the transaction.
    It has no `seal`, since what is sealed must not be rolled back, and no `forget`, since what is erased must not
    come back; handlers of facts and regular starts are the engine's, since they run outside any transaction. An instance on which more
    than 1,000 facts are due raises `FarBehind` here: the engine itself records them, by `tick()`, in parts.
    """

    def __init__(
        self,
        store: Store,
        registry: ProcedureRegistry,
        clock: Clock,
        notifier: Notifier,
        payload_limit: int,
        *,
        qualifications: Qualifications | None = None,
    ) -> None:
        super().__init__(
            store,
            registry,
            clock,
            notifier,
            payload_limit=payload_limit,
            in_parts=False,
            qualifications=qualifications,
        )
