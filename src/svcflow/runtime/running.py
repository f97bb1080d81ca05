"""Running: the background threads of an engine, started and stopped together. It knows not what they do."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from svcflow.runtime.timers import Ticker


class Running:
    """Run tickers while a `with` block lasts; one that is added meanwhile runs at once."""

    def __init__(self) -> None:
        self._tickers: list[Ticker] = []
        self._on = False

    @property
    def failure(self) -> Exception | None:
        """The error of a thread whose last turn failed; None when all is well."""
        return next((one.failure for one in self._tickers if one.failure is not None), None)

    def add(self, ticker: Ticker) -> None:
        """Take in one more."""
        self._tickers.append(ticker)
        if self._on:
            ticker.__enter__()

    def drop(self, ticker: Ticker) -> None:
        """End one for good, and wait for it."""
        self._tickers.remove(ticker)
        ticker.stop()

    def stop(self) -> None:
        """End the threads and wait for them."""
        self._on = False
        for ticker in self._tickers:
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
