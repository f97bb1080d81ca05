"""Engine: runs the procedures of a catalog over a store of its own, with time and delivery."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from os import PathLike
from types import TracebackType
from typing import Self, TypeVar

from svcflow.errors import DeclarationError, Problem
from svcflow.journal.checkpoint import Checkpoint, append
from svcflow.kernel.commands import NOBODY, Actor
from svcflow.kernel.facts import Fact
from svcflow.kernel.storable import refuse_non_text
from svcflow.model.catalog import Catalog
from svcflow.model.procedure import Procedure
from svcflow.runtime.base_engine import BaseEngine
from svcflow.runtime.clock import Clock, SystemClock
from svcflow.runtime.coming_starts import ComingStart
from svcflow.runtime.command_checks import PAYLOAD_LIMIT, refuse_unfit_actor
from svcflow.runtime.erasure import Forgotten, forget
from svcflow.runtime.joined_engine import Host, JoinedEngine
from svcflow.runtime.notifications import CommitNotifier, Dispatcher, JoinedNotifier
from svcflow.runtime.outbox.delivery import Delivered
from svcflow.runtime.outbox.feed import SubscriptionStatus
from svcflow.runtime.outbox.outbox import DeadLetter, Outbox
from svcflow.runtime.outbox.retry_policy import RetryPolicy
from svcflow.runtime.outbox.subscription import Handler, Since, Subscription, refuse_bare
from svcflow.runtime.procedure_registry import ProcedureRegistry
from svcflow.runtime.qualifications import Qualifications
from svcflow.runtime.rebuild import rebuild
from svcflow.runtime.regular_starts import RecipientsOf, RegularStarter, StartContext
from svcflow.runtime.store import Store
from svcflow.runtime.ticker import Running, Ticker
from svcflow.text import Text
from svcflow.worktime.instants import given_us

H = TypeVar("H", bound=Handler)
R = TypeVar("R", bound=RecipientsOf)


class Engine(BaseEngine):
    """Engine that runs the procedures of a catalog over a store; safe to use from several threads.

    `url` is `memory://`, `sqlite:///FILE` or `postgresql+psycopg://USER@HOST/DATABASE`. Use it as a context
    manager, or call `close()`. `payload_limit` is how many bytes of data one command may carry. `qualifications` is
    asked who holds a certificate until when, where a step is `qualified`: a `QualificationRegister`, or a function.
    Every command may carry a `command_id`: a repetition of a command that was done returns the first answer and
    does nothing; one that was refused is judged anew.
    """

    def __init__(
        self,
        url: str | Store,
        catalog: Catalog | Procedure,
        *,
        clock: Clock | None = None,
        payload_limit: int = PAYLOAD_LIMIT,
        qualifications: Qualifications | None = None,
    ) -> None:
        known = catalog_of(catalog)
        known.check_references()  # before there is a store to close
        store = url if not isinstance(url, str) and hasattr(url, "sweep") else _open(url)
        clock = clock or SystemClock()
        self._running = Running()
        self._ticker = Ticker(self.tick, self._next_due_us, clock)
        self._outbox = Outbox(store, clock, self._running)
        self._notifier = CommitNotifier(store, self._ticker, self._outbox)
        super().__init__(
            store,
            ProcedureRegistry(known, store),
            clock,
            self._notifier,
            payload_limit=payload_limit,
            in_parts=True,
            qualifications=qualifications,
        )
        context = StartContext(store, self._registry, clock, self._executor, self._telemetry)
        self._starter = RegularStarter(context, self._notifier.starts_next)
        rebuild(store, self._registry)
        self._running.add(self._ticker)
        if self._telemetry is not None:
            self._telemetry.watch(self._ticker)

    def on(self, host: Host) -> JoinedEngine:
        """Return the engine inside the transaction that a host has open on the same database.

        `host` is a `Connection` or `Session` of SQLAlchemy, or a connection of `sqlite3` or `psycopg`. The host
        commits or rolls back; while its transaction is open on SQLite, this engine's own commands wait for it.

        Raises: StoreError when it is connected to another database, or has no transaction open.
        """
        store = _join(self._store, host)
        notifier = JoinedNotifier(store, self._notifier)
        registry, limit = self._registry.on(store), self._executor.payload_limit
        qualifications = self._executor.qualifications
        return JoinedEngine(store, registry, self.clock, notifier, limit, qualifications=qualifications)

    def on_fact(
        self,
        *kinds: str,
        name: str | None = None,
        since: Since = "now",
        attempts: int = 8,
        pause: timedelta = timedelta(seconds=1),
        longest_pause: timedelta = timedelta(hours=1),
        lease: timedelta = timedelta(minutes=1),
    ) -> Callable[[H], H]:
        """Return a decorator that subscribes a function to facts of these kinds, to all facts when none is named.

        A kind is that of a fact (`overdue`, `moved`) or of a deviation (`skipped_step`). The position of a
        subscription is stored under its `name`, by default the function's. A new one begins with what is recorded
        from now on, with `since="start"` with the first fact there is. A fact whose handler raises is tried
        `attempts` times; the first pause is `pause`, each further one four times the last. A handler that takes
        longer than `lease` may be called by another worker at the same time.

        Raises: SubscriptionError.
        """
        refuse_bare(kinds)

        def subscribe(handler: H) -> H:
            policy = RetryPolicy.of(attempts, pause, longest_pause, lease)
            self._outbox.subscribe(Subscription.of(name, kinds, handler, policy), since)
            return handler

        return subscribe

    def recipients(self, name: str | None = None) -> Callable[[R], R]:
        """Return a decorator that has a function yield for whom the regular starts with `for: NAME` begin.

        The function is given the instant at which an occurrence is due, and yields pairs of a `Recipient` and data. An
        instance begins for each; one that was there before is not begun again when the function is called once more,
        after a failure or by another process. `name` is by default the function's.

        Raises: FieldError for a name that no regular start has, and for what is no plain function.
        """

        def register(function: R) -> R:
            self._starter.register(getattr(function, "__name__", "") if name is None else name, function)
            self._ticker.notice(0)  # what is due may have waited for it
            return function

        return register

    def tick(self) -> tuple[Fact, ...]:
        """Record everything that became due up to now, and begin what is to begin by itself; return the facts.

        An error of one instance does not stop the others: the first is raised when all are done. What became due
        long ago is recorded in parts of 1,000 facts at most, each in a transaction of its own, and the other
        instances have their turn in between. Of a regular start that was due several times the latest occurrence
        begins; one that fails is tried again later, see `coming_starts`.
        """
        swept: tuple[Fact, ...] = ()
        try:
            swept = super().tick()
        finally:  # what stands against one instance keeps no other from beginning
            started = self._starter.tick()
        return swept + started

    def coming_starts(self, until: datetime) -> tuple[ComingStart, ...]:
        """Return what begins by itself up to an instant, what is due already first.

        Starts whose calendar does not cover the days up to then come last, with the first day that is not known.
        """
        return self._starter.coming(given_us("until", until))

    def deliver(self) -> Delivered:
        """Deliver what there is by now; a subscription that another worker has the lease of is left to it."""
        total = self._outbox.deliver()
        self._notifier.delivered()
        return total

    def dispatch_by(self, dispatcher: Dispatcher | None) -> None:
        """Have a dispatcher call `tick` and `deliver` from now on; None ends that."""
        self._notifier.dispatcher = dispatcher

    def subscriptions(self) -> tuple[SubscriptionStatus, ...]:
        """Return the status of every subscription of the store, those of other programs too."""
        return tuple(self._outbox.statuses())

    def dead_letters(self, subscription: str | None = None) -> tuple[DeadLetter, ...]:
        """Return the facts that were given up, in order, of all subscriptions or one. Raises: UnknownSubscription."""
        return self._outbox.dead_letters(subscription)

    def redeliver(self, subscription: str, instance: str | None = None) -> int:
        """Put the dead letters of a subscription back in line, and make what waits due now.

        Returns how many were dead.

        Raises: UnknownSubscription.
        """
        return self._outbox.redeliver(subscription, instance)

    def unsubscribe(self, subscription: str, *, discard: bool = False) -> None:
        """Remove a subscription from the store: its position, what waits and, with `discard`, its dead letters.

        Its handler is not called any more, in this process and in others; a call that has begun is waited for. A
        program that subscribes under the name again begins anew.

        Raises: UnknownSubscription; SubscriptionError while there are dead letters, unless `discard`.
        """
        self._outbox.unsubscribe(subscription, discard=discard)

    def forget(self, person: str, *, actor: Actor = NOBODY, open: bool = False) -> Forgotten:  # noqa: A002  # as the CLI says it
        """Erase the data of a person, as actor, as recipient and in fields marked personal.

        The commitments in the journals then lead nowhere, and the chains still verify; the person shows as
        `erased-…`. Entries of before a field was personal cannot be erased (`in_clear`), nor those of before schema
        version 2, which name the person (`named`). Copies elsewhere, in backups or logs, are the host's to erase.

        Raises: PersonInUse when instances that have not ended need the person, unless `open`; with `open` too when
        one has to know that another person did a step (`not_by`).
        """
        refuse_non_text("person", person)
        refuse_unfit_actor(actor)
        return forget(self._store, self._registry, self.clock, person, actor, open=open)

    def seal(self, to: str | PathLike[str] | None = None) -> Checkpoint:
        """Seal every journal as it is now; keep the checkpoint out of reach of those who can write to the store.

        `to` is a file to which the checkpoint is appended, durably. Facts recorded after a seal could be cut off or
        rewritten unseen until the next one.

        Raises: CorruptJournal when the file's last checkpoint is of more, or other, leaves than there are.
        """
        checkpoint = self._store.seal(self.clock.now_us())
        if to is not None:
            append(to, checkpoint)
        return checkpoint

    def running(self) -> Running:
        """Return a context manager: one thread ticks at each next due instant, and one for each subscription delivers."""
        return self._running

    def _next_due_us(self) -> int | None:
        """Return when something is due next on an instance, or begins by itself."""
        due_us, start_us = self._store.next_due_us(), self._starter.next_us()
        return due_us if start_us is None else start_us if due_us is None else min(due_us, start_us)

    def close(self) -> None:
        """Stop the background threads and release files and connections."""
        self._running.stop()
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def catalog_of(given: object) -> Catalog:
    """Return a catalog, or one of a single procedure. Raises: DeclarationError for anything else."""
    if isinstance(given, Catalog):
        return given
    if isinstance(given, Procedure):
        return Catalog.of(given)
    kind = type(given).__name__
    message = Text(
        zh=f"引擎须有 Catalog 或 Procedure，不能是 {kind}",
        en=f"an engine takes a Catalog or a Procedure, not a {kind}",
    )
    remedy = Text(
        zh='写 svcflow.load("文件")、Catalog.of(流程, …) 或 Catalog.from_folder("文件夹")',
        en='write svcflow.load("FILE"), Catalog.of(PROCEDURE, …) or Catalog.from_folder("FOLDER")',
    )
    raise DeclarationError([Problem((), message, remedy)])


def _open(url: object) -> Store:
    from svcflow.store import open_store  # noqa: PLC0415  # stores stand below; which one, the URL says

    return open_store(url)


def _join(store: Store, host: object) -> Store:
    from svcflow.store import join_store  # noqa: PLC0415  # see _open

    return join_store(store, host)
