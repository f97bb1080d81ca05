"""Dispatcher over DBOS: its queues have an engine tick and deliver, for those who run DBOS anyway.

    dispatcher = DbosDispatcher(engine, system_database_url)  # after DBOS(config=…), before its launch
    DBOS.launch()
    with dispatcher: ...

Nothing of the engine is stored in DBOS: its workflows have no arguments, return a number, and only call `tick` or
`deliver`. So one that runs twice or late changes nothing, and what DBOS loses is made up for by two threads of ours
that do not depend on it.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from types import TracebackType
from typing import Self

from sqlalchemy.exc import SQLAlchemyError

from svcflow.errors import DispatchError, MissingExtra
from svcflow.runtime.engine import Engine
from svcflow.runtime.notifications import AT_ONCE
from svcflow.runtime.store import Store
from svcflow.runtime.ticker import Running, Ticker
from svcflow.store.joined import JoinedStore
from svcflow.text import Text

try:
    from dbos import DBOS, DBOSClient, EnqueueOptions, WorkflowSerializationFormat
except ImportError as error:
    raise MissingExtra(
        "dbos", Text(zh="由 DBOS 调度需要 dbos", en="to dispatch with DBOS needs dbos")
    ) from error

__all__ = ["DbosDispatcher"]

_MICROSECOND = timedelta(microseconds=1)
_CONCURRENCY = {"tick": 1, "deliver": 4}
"""How many workflows of each kind run in a process at a time; more deliveries, for handlers may be slow."""

_log = logging.getLogger("svcflow")


class DbosDispatcher:
    """Dispatcher that has DBOS call `engine.tick()` at each next due instant, and `engine.deliver()` for new facts.

    Calls are enqueued after the commit of a transition; through `engine.on(connection)`, in the host's own
    transaction, if DBOS has its tables (`schema`) in that database. `application_version` is that of DBOSConfig, and
    stays the same at every deploy: DBOS does not run what was queued under another. `sweep` is how often, at least
    once a minute, the engine ticks and delivers by itself; `poll` how often DBOS looks at its queues.
    """

    def __init__(
        self,
        engine: Engine,
        system_database_url: str,
        *,
        schema: str = "dbos",
        name: str = "svcflow",
        application_version: str = "svcflow",
        sweep: timedelta = timedelta(minutes=1),
        poll: timedelta = timedelta(seconds=1),
    ) -> None:
        self._engine = engine
        self._name = name
        self._version = application_version
        self._sweep_us = sweep // _MICROSECOND
        self._poll_s = poll.total_seconds()
        self._client = DBOSClient(
            system_database_url=system_database_url,
            dbos_system_schema=schema,
            lazy=True,
            retry_connection_errors=False,  # a command that is committed does not wait for DBOS
        )
        self._running = Running()
        self._on = False
        self._register()

    def tick_at(self, due_us: int, store: Store) -> None:
        """Enqueue a tick."""
        self._enqueue("tick", due_us, store)

    def deliver_at(self, due_us: int, store: Store) -> None:
        """Enqueue a delivery."""
        self._enqueue("deliver", due_us, store)

    def start(self) -> None:
        """Register the queues, dispatch for the engine, and begin to sweep; DBOS must have been launched.

        Raises: DispatchError when DBOS runs under another `application_version`.
        """
        self._refuse_other_version()
        for job, count in _CONCURRENCY.items():
            DBOS.register_queue(
                self._named(job),
                worker_concurrency=count,
                polling_interval_sec=self._poll_s,
                on_conflict="always_update",
            )
        self._on = True
        self._engine.dispatch_by(self)
        self._running.__enter__()

    def stop(self) -> None:
        """Stop dispatching and sweeping; what is queued stays queued."""
        self._on = False
        self._engine.dispatch_by(None)
        self._running.stop()
        self._client.destroy()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _register(self) -> None:
        """Register the workflows with DBOS, and make the tickers of the sweeps."""
        for job, run in (("tick", self._tick), ("deliver", self._deliver)):
            self._running.add(Ticker(run, self._next_sweep_us, self._engine.clock, self._named(job)))

        @DBOS.workflow(name=self._named("tick"))
        def tick() -> int:
            return self._tick()

        @DBOS.workflow(name=self._named("deliver"))
        def deliver() -> int:
            return self._deliver()

    def _tick(self) -> int:
        return len(self._engine.tick())

    def _deliver(self) -> int:
        """Deliver until nothing is left: while this worker had the lease, others left to it what came."""
        total = count = self._engine.deliver().count
        while count and self._on:
            count = self._engine.deliver().count
            total += count
        return total

    def _next_sweep_us(self) -> int:
        return self._engine.clock.now_us() + self._sweep_us

    def _enqueue(self, job: str, due_us: int, store: Store) -> None:
        options = self._options(job, due_us)
        if isinstance(store, JoinedStore):
            self._enqueue_in_transaction(options, store)
            return
        if due_us != AT_ONCE:  # in a host's transaction the same id would make others wait for its end
            options["workflow_id"] = f"{self._named(job)}-{due_us}"
        try:
            self._client.enqueue(options)
        except Exception:  # noqa: BLE001  # the transition is committed; whatever DBOS has, the sweep does not need it
            _log.warning("DBOS took no %s; the sweep does it", self._named(job), exc_info=True)

    def _enqueue_in_transaction(self, options: EnqueueOptions, store: JoinedStore) -> None:
        with store.backend.reading() as connection:
            try:
                self._client.enqueue_in_transaction(connection, options)
            except SQLAlchemyError as error:
                why = str(getattr(error, "orig", None) or error)
                raise DispatchError(
                    Text(
                        zh=f"无法在宿主的事务中排入 DBOS：{why}",
                        en=f"DBOS cannot enqueue in the host's transaction: {why}",
                    ),
                    Text(
                        zh="回滚该事务；DBOS 的系统库须与存储在同一数据库",
                        en="roll it back; DBOS must have its system database where the store is",
                    ),
                ) from error

    def _options(self, job: str, due_us: int) -> EnqueueOptions:
        options: EnqueueOptions = {
            "workflow_name": self._named(job),
            "queue_name": self._named(job),
            "app_version": self._version,
            "serialization_type": WorkflowSerializationFormat.PORTABLE,
        }
        if due_us != AT_ONCE:
            wait_us = max(due_us - self._engine.clock.now_us(), 0)
            options["delay_seconds"] = wait_us / 1_000_000 + 0.001  # DBOS cuts to the millisecond before
        return options

    def _named(self, job: str) -> str:
        return f"{self._name}.{job}"

    def _refuse_other_version(self) -> None:
        running = DBOS.application_version
        if running != self._version:
            raise DispatchError(
                Text(
                    zh=f"DBOS 的 application_version 是 {running!r}，不是 {self._version!r}",
                    en=f"DBOS runs under application_version {running!r}, not {self._version!r}",
                ),
                Text(
                    zh="在 DBOSConfig 与 DbosDispatcher 中写同一个固定的 application_version",
                    en="give DBOSConfig and DbosDispatcher the same fixed application_version",
                ),
            )
