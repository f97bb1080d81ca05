"""Ticker: a background thread that sleeps until something is due, then ticks."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Condition, Thread, current_thread
from types import TracebackType
from typing import Self

from svcflow.kernel.instance import NEVER
from svcflow.runtime.clock import Clock, VirtualClock

_LONGEST_SLEEP_S = 60.0
_log = logging.getLogger("svcflow")


class Ticker:
    """Thread that calls `tick` at each next due instant; a context manager that runs it.

    It wakes at least once a minute, so that a clock that was set forward is noticed; a `VirtualClock` wakes it
    whenever it is moved. A tick that fails is logged and tried again after `retry_s`; `failure` is the error of the
    last one, None when it succeeded.
    """

    retry_s = 5.0

    def __init__(
        self,
        tick: Callable[[], object],
        next_due_us: Callable[[], int | None],
        clock: Clock,
        name: str = "ticker",
    ) -> None:
        self._tick = tick
        self._next_due_us = next_due_us
        self._clock = clock
        self._name = name
        self._changed = Condition()
        self._thread: Thread | None = None
        self._wanted_us = NEVER
        self._expected_us = NEVER
        self._stopping = False
        self._noticed = False
        self.failure: Exception | None = None

    def __enter__(self) -> Self:
        if self._thread is not None:
            raise RuntimeError("the ticker of this engine is running already")
        self._stopping = False
        if isinstance(self._clock, VirtualClock):
            self._clock.watch(self._wake)
        self._thread = Thread(target=self._run, name=f"svcflow-{self._name}", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def notice(self, due_us: int) -> None:
        """Wake the thread when an instance has become due sooner than it sleeps for."""
        # read without the lock, for this is called after every command: at worst the thread wakes once too often
        if self._thread is not None and due_us < self._wanted_us:
            with self._changed:
                self._noticed = True
                self._changed.notify()

    def expect(self, due_us: int) -> None:
        """Tick at an instant that the store does not return yet: it has still to be committed."""
        with self._changed:
            if self._thread is not None and due_us < self._expected_us:
                self._expected_us = due_us
                self._noticed = True
                self._changed.notify()

    def may_proceed(self) -> bool:
        """Return whether a tick that takes long may go on: False once the thread has been told to stop."""
        return not self._stopping

    def late_us(self) -> int:
        """Return for how long something has been due that is not recorded, in microseconds.

        0 while the thread does not run.
        """
        due_us = None if self._thread is None else self._next_due_us()
        return 0 if due_us is None else max(0, self._clock.now_us() - due_us)

    def quit(self) -> None:
        """Tell the thread to stop, without waiting for it."""
        with self._changed:
            self._stopping = True
            self._changed.notify()

    def stop(self) -> None:
        """Stop the thread and wait for it, unless called from within it."""
        thread, self._thread = self._thread, None
        if thread is not None:
            if isinstance(self._clock, VirtualClock):
                self._clock.unwatch(self._wake)
            self.quit()
            if thread is not current_thread():
                thread.join()

    def _wake(self) -> None:
        with self._changed:
            self._noticed = True
            self._changed.notify()

    def _run(self) -> None:
        while not self._stopping:
            pause_s = self._once()
            with self._changed:
                # a notice that came while the tick ran would be slept through without this look under the lock
                if not (self._stopping or self._noticed):
                    self._changed.wait(pause_s)

    def _once(self) -> float:
        """Tick if something is due; return how long to sleep, in seconds."""
        # both before the store is read: a notice from here on, of whatever instant, makes the thread look again
        self._noticed, self._wanted_us = False, NEVER
        begun_us = self._clock.now_us()
        try:
            self._tick()
            due_us = self._next_due_us()
        except Exception as error:  # noqa: BLE001  # the thread must outlive a store that is away for a while
            self.failure = error
            _log.exception("%s failed; trying again in %s s", self._name, self.retry_s)
            return self.retry_s
        self.failure = None
        with self._changed:
            # an expected instant that this tick has passed was committed in time, rolled back, or comes too late:
            # what a host commits later is found within a minute
            if self._expected_us <= begun_us:
                self._expected_us = NEVER
            self._wanted_us = min(NEVER if due_us is None else due_us, self._expected_us)
        wait_s = (self._wanted_us - self._clock.now_us()) / 1_000_000
        return min(max(wait_s, 0.0), _LONGEST_SLEEP_S)


class Running:
    """Tickers that run while a `with` block lasts; one that is added meanwhile runs at once."""

    def __init__(self) -> None:
        self._tickers: list[Ticker] = []
        self._on = False

    @property
    def failure(self) -> Exception | None:
        """The error of a thread whose last turn failed; None when all is well."""
        return next((ticker.failure for ticker in self._tickers if ticker.failure is not None), None)

    def add(self, ticker: Ticker) -> None:
        """Add a ticker."""
        self._tickers.append(ticker)
        if self._on:
            ticker.__enter__()

    def drop(self, ticker: Ticker) -> None:
        """Remove a ticker, and wait for its thread."""
        self._tickers.remove(ticker)
        ticker.stop()

    def stop(self) -> None:
        """Stop the threads and wait for them."""
        self._on = False
        for ticker in self._tickers:  # all are told before the first is waited for
            ticker.quit()
        for ticker in self._tickers:
            ticker.stop()

    def __enter__(self) -> Self:
        for ticker in self._tickers:
            ticker.__enter__()
        self._on = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
