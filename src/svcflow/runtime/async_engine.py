"""Engine for asyncio: the methods of `Engine`, awaited, each in one of its threads. Trio is not supported."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import copy_context
from functools import partial, wraps
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from svcflow.errors import StoreError
from svcflow.model.catalog import Catalog
from svcflow.model.procedure import Procedure
from svcflow.runtime.clock import Clock
from svcflow.runtime.command_checks import PAYLOAD_LIMIT
from svcflow.runtime.engine import Engine
from svcflow.runtime.joined_engine import Host, JoinedEngine
from svcflow.runtime.qualifications import Qualifications
from svcflow.runtime.store import Store
from svcflow.runtime.ticker import Running
from svcflow.text import Text

P = ParamSpec("P")
R = TypeVar("R")


def _awaitable(
    method: Callable[Concatenate[Engine, P], R],
) -> Callable[Concatenate[AsyncEngine, P], Coroutine[Any, Any, R]]:
    """Return a method of `Engine` as one that is awaited."""

    @wraps(method)
    async def call(self: AsyncEngine, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await self._in_thread(partial(method, self._engine, *args, **kwargs))

    return call


def _at_once(method: Callable[Concatenate[Engine, P], R]) -> Callable[Concatenate[AsyncEngine, P], R]:
    """Return a method of `Engine` that is not awaited: it takes little time, and is called before the loop is busy."""

    @wraps(method)
    def call(self: AsyncEngine, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return method(self._engine, *args, **kwargs)

    return call


class AsyncEngine:
    """Engine that does not block the event loop; the methods are those of `Engine`, awaited.

    `threads` commands and queries run at the same time; others wait for a thread. A command that has begun is done
    whole even if the task that awaits it is cancelled; one that still waits for a thread is not done. To open the
    store blocks: make the engine before the loop runs, or while it starts.
    """

    def __init__(
        self,
        url: str | Store,
        catalog: Catalog | Procedure,
        *,
        clock: Clock | None = None,
        payload_limit: int = PAYLOAD_LIMIT,
        qualifications: Qualifications | None = None,
        threads: int = 8,
    ) -> None:
        self._engine = Engine(
            url, catalog, clock=clock, payload_limit=payload_limit, qualifications=qualifications
        )
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="svcflow")
        self._closed = False

    start = _awaitable(Engine.start)
    fire = _awaitable(Engine.fire)
    hold = _awaitable(Engine.hold)
    resume = _awaitable(Engine.resume)
    update = _awaitable(Engine.update)
    reschedule = _awaitable(Engine.reschedule)
    extend = _awaitable(Engine.extend)
    claim = _awaitable(Engine.claim)
    assign = _awaitable(Engine.assign)
    release = _awaitable(Engine.release)
    explain_deviation = _awaitable(Engine.explain_deviation)
    accept_deviation = _awaitable(Engine.accept_deviation)
    reject_deviation = _awaitable(Engine.reject_deviation)

    delegate = _awaitable(Engine.delegate)
    revoke = _awaitable(Engine.revoke)
    delegations = _awaitable(Engine.delegations)
    acting = _awaitable(Engine.acting)

    migrate = _awaitable(Engine.migrate)
    revert_migration = _awaitable(Engine.revert_migration)
    preview_migration = _awaitable(Engine.preview_migration)

    on_fact = _at_once(Engine.on_fact)
    subscriptions = _awaitable(Engine.subscriptions)
    deliver = _awaitable(Engine.deliver)
    dead_letters = _awaitable(Engine.dead_letters)
    unsubscribe = _awaitable(Engine.unsubscribe)
    redeliver = _awaitable(Engine.redeliver)
    dispatch_by = _at_once(Engine.dispatch_by)

    instance = _awaitable(Engine.instance)
    instances = _awaitable(Engine.instances)
    count_instances = _awaitable(Engine.count_instances)
    instance_counts = _awaitable(Engine.instance_counts)
    deadlines = _awaitable(Engine.deadlines)
    coming_moves = _awaitable(Engine.coming_moves)
    explain = _awaitable(Engine.explain)
    available = _awaitable(Engine.available)
    journal = _awaitable(Engine.journal)
    deviations = _awaitable(Engine.deviations)
    count_deviations = _awaitable(Engine.count_deviations)
    deviation_counts = _awaitable(Engine.deviation_counts)
    worklist = _awaitable(Engine.worklist)
    overdue = _awaitable(Engine.overdue)
    due_at = _awaitable(Engine.due_at)
    verify = _awaitable(Engine.verify)

    recipients = _at_once(Engine.recipients)
    coming_starts = _awaitable(Engine.coming_starts)

    tick = _awaitable(Engine.tick)
    recompute = _awaitable(Engine.recompute)
    forget = _awaitable(Engine.forget)
    seal = _awaitable(Engine.seal)

    @property
    def engine(self) -> Engine:
        """The engine itself, for code that may block."""
        return self._engine

    @property
    def catalog(self) -> Catalog:
        """The catalog of procedures and calendars."""
        return self._engine.catalog

    @property
    def clock(self) -> Clock:
        """The clock that gives the present instant."""
        return self._engine.clock

    def on(self, host: Host) -> JoinedEngine:
        """Return the engine inside a host's transaction; its methods are not awaited, and block the host's thread."""
        return self._engine.on(host)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Running]:
        """Tick at each next due instant and deliver facts, in threads of the background."""
        running = self._engine.running()
        running.__enter__()
        try:
            yield running
        finally:
            await asyncio.to_thread(running.stop)

    async def close(self) -> None:
        """Wait for what has begun, and release threads, files and connections."""
        self._closed = True
        await asyncio.to_thread(self._close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _close(self) -> None:
        self._threads.shutdown()
        self._engine.close()

    async def _in_thread(self, call: Callable[[], R]) -> R:
        """Run a call in a thread, in the context of the task that awaits it."""
        if self._closed:
            message = Text(zh="引擎已关闭", en="the engine is closed")
            raise StoreError(message, Text(zh="重新打开", en="open it again"))
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(copy_context().run, call))
