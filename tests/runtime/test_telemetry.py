"""What operators see: spans and metrics where OpenTelemetry is installed, the log, and never a person in them."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import create_engine

from svcflow import Actor, AsyncEngine, Catalog, Engine, Recipient, SvcflowError, VirtualClock
from svcflow.errors import FieldError, StoreError
from svcflow.runtime.observability import Telemetry, telemetry
from waiting import until

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
DISPATCHER = Actor("li.wei", {"dispatcher"})
STRANGER = Actor("stranger-7", {"technician"})
PHONE, PLACE, REASON = "139 0000 0000", "3-1204", "the gate was shut"
SECRETS = ("li.wei", "stranger-7", "zhang", PHONE, PLACE, REASON)


class Measured:
    """What one process would have exported."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        self.traces = TracerProvider()
        self.traces.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.metrics = MeterProvider([self.reader])
        tracer, meter = self.traces.get_tracer("svcflow"), self.metrics.get_meter("svcflow")
        self.telemetry = Telemetry(tracer, meter, unset=lambda: False)

    def spans(self) -> list[tuple[str, dict[str, object]]]:
        return [
            (span.name, {key.removeprefix("svcflow."): value for key, value in span.attributes.items()})
            for span in self.exporter.get_finished_spans()
        ]

    def points(self, name: str) -> dict[tuple[str, ...], object]:
        """The points of one metric by the values of their attributes, sorted by attribute."""
        data = self.reader.get_metrics_data()
        return {
            tuple(value for _, value in sorted(point.attributes.items())): point
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        }


@pytest.fixture
def measured(monkeypatch) -> Measured:
    made = Measured()
    monkeypatch.setattr("svcflow.runtime.base_engine.telemetry", lambda: made.telemetry)
    yield made
    made.metrics.shutdown()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOON)


@pytest.fixture
def engine(clock, tmp_path, request):
    if "measured" in request.fixturenames:
        request.getfixturevalue("measured")
    with Engine(f"sqlite:///{tmp_path / 'service.db'}", Catalog.shipped(), clock=clock) as made:
        yield made


def start(engine: Engine, **more: object) -> str:
    data = {"place": PLACE, "contact": PHONE}
    recipient = Recipient("zhang", group="staff")
    return engine.start("repair", data=data, recipient=recipient, actor=DISPATCHER, **more).id


def play(engine: Engine, clock: VirtualClock) -> None:
    """Do everything that can be done, with persons and data in it: well, refused, wrong, repeated and late."""
    inst = start(engine, command_id="c-1")
    start(engine, command_id="c-1")
    with suppress(SvcflowError):
        engine.fire(inst, "accept", actor=STRANGER)
    with suppress(SvcflowError):
        engine.fire(inst, "accept", actor=DISPATCHER, data={"contact": PHONE, "priority": PHONE})
    with suppress(SvcflowError):
        engine.update(inst, data={"fee": PHONE}, actor=DISPATCHER)
    with suppress(SvcflowError):
        engine.fire(inst, "accept", actor=DISPATCHER, expected_revision=99)
    engine.fire(inst, "accept", actor=DISPATCHER, data={"description": REASON})
    engine.hold(inst, reason="recipient", actor=DISPATCHER, evidence={"notice": REASON})
    engine.resume(inst, actor=DISPATCHER)
    clock.advance(timedelta(days=4))
    engine.tick()
    engine.fire(inst, "arrive", actor=Actor("li.wei", {"dispatcher", "technician"}), override=REASON)
    engine.recompute(reason=REASON, actor=DISPATCHER)
    other = start(engine)
    engine.fire(other, "reject", actor=DISPATCHER, data={"reason": REASON})
    with suppress(SvcflowError):
        engine.fire(other, "accept", actor=DISPATCHER)
    database = create_engine(engine._store.url)
    with database.connect() as connection:
        start(engine.on(connection))
        connection.commit()
    database.dispose()


def test_a_command_is_a_span_of_its_outcome(engine, measured):
    """A span names instance, procedure, trigger, the steps it led to and the outcome."""
    inst = start(engine)
    engine.fire(inst, "accept", actor=DISPATCHER)
    assert measured.spans() == [
        (
            "svcflow.start",
            {
                "command": "start",
                "instance": inst,
                "procedure": "repair",
                "steps": ("reported",),
                "outcome": "done",
            },
        ),
        (
            "svcflow.fire",
            {
                "command": "fire",
                "instance": inst,
                "trigger": "accept",
                "procedure": "repair",
                "steps": ("accepted",),
                "outcome": "done",
            },
        ),
    ]


def test_a_span_says_by_which_rule_a_command_was_refused(engine, measured):
    """Refused has the rule, an error its code, a repeated command says so; no span holds an exception."""
    inst = start(engine, command_id="c-1")
    start(engine, command_id="c-1")
    with pytest.raises(SvcflowError):
        engine.fire(inst, "accept", actor=STRANGER)
    with pytest.raises(FieldError):
        engine.update(inst, data={"fee": PHONE})
    said = [
        (told["outcome"], told.get("rule"), told.get("error.type"), told.get("procedure"))
        for _, told in measured.spans()
    ]
    assert said == [
        ("done", None, None, "repair"),
        ("repeated", None, None, None),
        ("refused", "role", None, "repair"),
        ("error", None, "field", None),
    ]
    assert [span.events for span in measured.exporter.get_finished_spans()] == [()] * 4


def test_a_span_of_an_error_has_its_status_and_a_refused_one_has_not(engine, measured):
    """What carries error.type is ERROR; done, repeated and refused are answers. No description holds a value."""
    inst = start(engine, command_id="c-1")
    start(engine, command_id="c-1")
    with pytest.raises(SvcflowError):
        engine.fire(inst, "accept", actor=STRANGER)
    with pytest.raises(FieldError):
        engine.update(inst, data={"fee": PHONE})
    engine._store.close()
    with pytest.raises(StoreError):
        engine.update(inst, data={"fee": 1})
    said = [
        (span.attributes["svcflow.outcome"], span.attributes.get("error.type"), span.status.status_code.name)
        for span in measured.exporter.get_finished_spans()
    ]
    assert said == [
        ("done", None, "UNSET"),
        ("repeated", None, "UNSET"),
        ("refused", None, "UNSET"),
        ("error", "field", "ERROR"),
        ("error", "store", "ERROR"),
    ]
    assert {span.status.description for span in measured.exporter.get_finished_spans()} == {None}


def test_facts_are_counted_by_kind_and_procedure(engine, measured, clock):
    """The counter has what commands and ticks recorded, refusals too, and nothing that was not kept."""
    inst = start(engine, command_id="c-1")
    start(engine, command_id="c-1")
    with pytest.raises(SvcflowError):
        engine.fire(inst, "accept", actor=STRANGER)
    with pytest.raises(FieldError):
        engine.update(inst, data={"fee": PHONE})
    clock.advance(timedelta(hours=3))
    engine.tick()
    counted = {key[0]: point.value for key, point in measured.points("svcflow.facts").items()}
    journal = [fact.kind for fact in engine.journal(inst)]
    assert counted == {kind: journal.count(kind) for kind in journal}
    assert set(counted) == {"Started", "Refused", "Warned", "Overdue"}
    assert {key[1] for key in measured.points("svcflow.facts")} == {"repair"}


def test_what_could_not_be_kept_is_not_counted(engine, measured, monkeypatch):
    """A store that fails after the decision leaves no count, and the span says that it failed."""

    def away(*_: object) -> None:
        raise StoreError(engine.catalog["repair"].name)

    monkeypatch.setattr("svcflow.store.unit_of_work.UnitOfWork.save", away)
    with pytest.raises(StoreError):
        start(engine)
    assert measured.points("svcflow.facts") == {}
    assert measured.spans()[0][1]["error.type"] == "store"


def test_the_duration_of_commands_is_a_histogram(engine, measured):
    """It has a point for each command, procedure and outcome, in seconds."""
    inst = start(engine)
    for actor in (STRANGER, DISPATCHER):
        with suppress(SvcflowError):
            engine.fire(inst, "accept", actor=actor)
    points = measured.points("svcflow.command.duration")
    assert {key: point.count for key, point in points.items()} == {
        ("start", "done", "repair"): 1,
        ("fire", "refused", "repair"): 1,
        ("fire", "done", "repair"): 1,
    }
    assert all(0 < point.sum < 60 for point in points.values())


def test_the_gauge_says_how_late_the_ticker_is(engine, measured, clock):
    """0 while nothing is due or nobody ticks here; otherwise the age of the oldest instant not yet recorded."""

    def lateness() -> float:
        return measured.points("svcflow.ticker.lateness")[()].value

    start(engine)
    assert lateness() == 0
    clock.advance(timedelta(hours=3))
    assert lateness() == 0
    with engine.running() as ticker:
        until(lambda: lateness() == 0, "the ticker ticks")
        ticker._tick = tuple  # a ticker that hangs
        clock.advance(timedelta(days=2))
        assert lateness() >= 3_600
    assert lateness() == 0


def test_a_span_stands_below_the_hosts(measured):
    """The trace of the task goes on in the thread that carries its command."""

    async def ask() -> None:
        async with AsyncEngine("memory://", Catalog.shipped()) as engine:
            with measured.traces.get_tracer("host").start_as_current_span("request"):
                await engine.start("repair", data={"place": PLACE})

    asyncio.run(ask())
    command, request = measured.exporter.get_finished_spans()
    assert (command.name, command.parent.span_id) == ("svcflow.start", request.context.span_id)


def test_no_span_and_no_metric_names_a_person_or_a_value(engine, measured, clock):
    """After a whole play nothing exported holds an actor, a recipient, a value or a reason."""
    play(engine, clock)
    data = measured.reader.get_metrics_data()
    exported = data.to_json() + "".join(span.to_json() for span in measured.exporter.get_finished_spans())
    assert len(measured.spans()) > 12
    assert [secret for secret in SECRETS if secret in exported] == []


def test_no_log_record_names_a_person_or_a_value(engine, clock, caplog):
    """After a whole play no record holds one either, in its message, its arguments or its traceback."""
    caplog.set_level(logging.DEBUG, "svcflow")
    play(engine, clock)
    assert len(caplog.records) > 12
    formatter = logging.Formatter("%(message)s")
    written = [f"{formatter.format(record)} {vars(record)}" for record in caplog.records]
    assert [(secret, line) for secret in SECRETS for line in written if secret in line] == []


def test_the_log_has_commands_at_debug_and_ticks_and_refusals_at_info(engine, clock, caplog):
    """Records name instance, procedure and kinds of facts; a refusal names its rule."""
    caplog.set_level(logging.DEBUG, "svcflow")
    inst = start(engine, instance_id="r-1", command_id="c-1")
    start(engine, instance_id="r-1", command_id="c-1")
    with suppress(SvcflowError):
        engine.fire(inst, "accept", actor=STRANGER)
    clock.advance(timedelta(hours=3))
    engine.tick()
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("DEBUG", "Start of r-1 (repair): Started"),
        ("DEBUG", "Start of r-1: answered again"),
        ("INFO", "Fire of r-1 (repair): refused by rule role"),
        ("DEBUG", "Fire of r-1 (repair): Refused"),
        ("INFO", "recorded of r-1 (repair): Warned, Overdue"),
    ]
    caplog.clear()
    engine.tick()
    engine.recompute(reason="nothing has changed")
    assert caplog.records == []


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


ENGINE = "import svcflow; engine = svcflow.Engine('memory://', svcflow.Catalog.shipped());"
START = "engine.start('repair', data={'place': 'x'});"


def test_without_the_package_nothing_is_measured():
    """Where OpenTelemetry is not installed an engine has no telemetry, and runs."""
    hidden = "import sys; sys.modules['opentelemetry'] = None;"
    seen = "print(engine._telemetry, [name for name in sys.modules if name.startswith('opentelemetry.')])"
    assert run(f"{hidden}{ENGINE}{START}{seen}") == "None []"


def test_a_package_that_is_not_there_is_no_error(monkeypatch):
    """The look for it answers None."""
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    assert telemetry.__wrapped__() is None


def test_importing_svcflow_does_not_import_opentelemetry():
    """It is imported when the first engine is made."""
    seen = "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    assert run(f"import sys, svcflow; from svcflow.runtime import engine; {seen}") == "[]"


def test_the_providers_of_the_process_are_used():
    """What the host sets as its providers gets the spans, even if it sets them after the engine was made."""
    code = f"""{ENGINE}
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
exporter, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
{START}
print([span.name for span in exporter.get_finished_spans()])"""
    assert run(code) == "['svcflow.start']"


def test_nothing_is_told_while_nobody_listens():
    """Until a provider is set a command has no span; from then on each has one."""
    heard = []
    telemetry = Telemetry(
        TracerProvider().get_tracer("svcflow"), MeterProvider().get_meter("svcflow"), heard.pop
    )
    heard.extend([False, True])
    assert [telemetry.heard(), telemetry.heard()] == [False, False]
    telemetry._look_again = 0.0  # a second later
    assert [telemetry.heard(), telemetry.heard()] == [True, True]
    assert heard == []
