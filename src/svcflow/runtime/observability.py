"""Spans and metrics by OpenTelemetry, where its API is installed, and log lines; without persons and field values.

Without the package nothing is imported, and a command costs one look at an attribute.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from time import perf_counter
from typing import TYPE_CHECKING, Protocol
from weakref import WeakSet

from svcflow.errors import Refused, SvcflowError
from svcflow.kernel.commands import Command, Fire
from svcflow.kernel.decide import Outcome
from svcflow.kernel.facts import Fact
from svcflow.runtime.store import CompletedCommand
from svcflow.runtime.ticker import Ticker

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Meter, Observation
    from opentelemetry.trace import Span, Tracer

Attributes = dict[str, str | tuple[str, ...]]


class ExecutedCommand(Protocol):
    """A command with what became of it: the handler that decides it, after the store has called it."""

    @property
    def instance(self) -> str:
        """The id of its instance."""
        ...

    @property
    def command(self) -> Command:
        """The command itself."""
        ...

    @property
    def outcome(self) -> Outcome | None:
        """What was decided last; None when nothing was."""
        ...

    @property
    def completed(self) -> CompletedCommand | None:
        """The first run of a command that is repeated."""
        ...


_OF_METRICS = ("svcflow.command", "svcflow.procedure", "svcflow.outcome")
"""The attributes of a span that the histogram has too: those with few values."""


@cache
def telemetry() -> Telemetry | None:
    """Return the telemetry of this process; None where OpenTelemetry is not installed."""
    try:
        from opentelemetry import metrics, trace  # noqa: PLC0415  # an extra
    except ImportError:
        return None

    def unset() -> bool:
        """Return whether no provider is set yet, so that spans and metrics go nowhere."""
        measuring = type(metrics.get_meter_provider()).__name__
        return measuring.startswith("_Proxy") and isinstance(
            trace.get_tracer_provider(), trace.ProxyTracerProvider
        )

    return Telemetry(trace.get_tracer("svcflow"), metrics.get_meter("svcflow"), unset)


class Telemetry:
    """Spans of commands, counters of facts and the lateness of tickers, for OpenTelemetry."""

    def __init__(self, tracer: Tracer, meter: Meter, unset: Callable[[], bool]) -> None:
        self._tracer = tracer
        self._unset = unset
        self._heard = False
        self._look_again = 0.0
        self._tickers: WeakSet[Ticker] = WeakSet()
        self._facts = meter.create_counter("svcflow.facts", "{fact}", "Facts recorded")
        self._failed_starts = meter.create_counter(
            "svcflow.start.failures", "{failure}", "Regular starts that could not begin for everybody"
        )
        self._duration = meter.create_histogram("svcflow.command.duration", "s", "How long a command took")
        meter.create_observable_gauge(
            "svcflow.ticker.lateness", [self._lateness], "s", "For how long something due is not yet recorded"
        )

    def heard(self) -> bool:
        """Return whether a provider is set: until then a command is not slowed down by spans that go nowhere.

        Looked up once a second at most, since that takes longer than a part of a command should.
        """
        if not self._heard and perf_counter() >= self._look_again:
            self._heard = not self._unset()
            self._look_again = perf_counter() + 1
        return self._heard

    def watch(self, ticker: Ticker) -> None:
        """Include a ticker in the gauge of lateness while it exists."""
        self._tickers.add(ticker)

    @contextmanager
    def span(self, executed: ExecutedCommand) -> Iterator[None]:
        """Return a context manager that puts a span around a command, and measures it."""
        command = executed.command
        name = type(command).__name__.lower()
        attributes: Attributes = {"svcflow.command": name, "svcflow.instance": executed.instance}
        if isinstance(command, Fire):
            attributes["svcflow.trigger"] = command.trigger
        begun, failure = perf_counter(), None
        # the text of an exception may hold a value of a field, so the span does not record it
        with self._tracer.start_as_current_span(
            f"svcflow.{name}", attributes=attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            except BaseException as error:
                failure = error
                raise
            finally:
                result = attributes | _outcome(executed, failure)
                span.set_attributes(result)
                if "error.type" in result:
                    _fail(span)
                shared = {key: str(result[key]) for key in _OF_METRICS if key in result}
                self._duration.record(perf_counter() - begun, shared)
                self._count_recorded(executed, failure)

    def start_failed(self, procedure: str) -> None:
        """Count a regular start that could not begin for everybody, and is tried again."""
        self._failed_starts.add(1, {"svcflow.procedure": procedure})

    def swept(self, facts: Mapping[str, Sequence[Fact]], procedures: Mapping[str, str]) -> None:
        """Count the facts that a sweep recorded, by the procedure of each instance."""
        for instance, recorded in facts.items():
            self._count(procedures[instance], recorded)

    def _count_recorded(self, executed: ExecutedCommand, failure: BaseException | None) -> None:
        done = failure is None or isinstance(failure, Refused)
        if done and executed.completed is None and executed.outcome is not None:
            self._count(executed.outcome.instance.procedure, executed.outcome.facts)

    def _count(self, procedure: str, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self._facts.add(1, {"svcflow.kind": fact.kind, "svcflow.procedure": procedure})

    def _lateness(self, _: CallbackOptions) -> Iterable[Observation]:
        from opentelemetry.metrics import Observation  # noqa: PLC0415  # see above

        late_us = max((ticker.late_us() for ticker in self._tickers), default=0)
        yield Observation(late_us / 1_000_000)


def _fail(span: Span) -> None:
    """Set the status of a span to error, without a description: that could hold a value of a field."""
    from opentelemetry.trace import StatusCode  # noqa: PLC0415  # see above

    span.set_status(StatusCode.ERROR)


def _outcome(executed: ExecutedCommand, failure: BaseException | None) -> Attributes:
    """Return the outcome of a command: done, refused (with the rule), repeated, or error (with its code)."""
    if failure is not None and not isinstance(failure, Refused):
        code = failure.code if isinstance(failure, SvcflowError) else type(failure).__name__
        return {"svcflow.outcome": "error", "error.type": code}
    attributes: Attributes = {"svcflow.outcome": "done"}
    if failure is not None:
        attributes = {"svcflow.outcome": "refused", "svcflow.rule": failure.rule}
    if executed.completed is not None:
        return attributes | {"svcflow.outcome": "repeated"}
    if executed.outcome is not None:
        instance = executed.outcome.instance
        attributes |= {"svcflow.procedure": instance.procedure, "svcflow.steps": instance.steps}
    return attributes


_FEW = 20
_log = logging.getLogger("svcflow")


def log_command(executed: ExecutedCommand) -> None:
    """Log that a command was done, refused or answered again."""
    name, instance, outcome = type(executed.command).__name__, executed.instance, executed.outcome
    if executed.completed is not None or outcome is None:
        _log.debug("%s of %s: answered again", name, instance)
        return
    procedure, refused = outcome.instance.procedure, outcome.refused
    if refused is not None:
        _log.info("%s of %s (%s): refused by rule %s", name, instance, procedure, refused.rule)
    _log.debug("%s of %s (%s): %s", name, instance, procedure, _kinds(outcome.facts))


def log_sweep(facts: Mapping[str, Sequence[Fact]], procedures: Mapping[str, str]) -> None:
    """Log what became due and was recorded, instance by instance."""
    if not _log.isEnabledFor(logging.INFO):
        return
    for instance, recorded in facts.items():
        if recorded:
            _log.info("recorded of %s (%s): %s", instance, procedures[instance], _kinds(recorded))


def _kinds(facts: Sequence[Fact]) -> str:
    """Return the kinds of facts in their order; of many, how often each occurs."""
    if len(facts) <= _FEW:
        return ", ".join(fact.kind for fact in facts)
    return ", ".join(f"{kind} ({count})" for kind, count in Counter(fact.kind for fact in facts).items())
