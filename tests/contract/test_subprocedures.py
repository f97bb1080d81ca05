"""Sub-procedures, on every store: a child starts once, its parent hears of its end once, whatever is interrupted."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from threading import Thread

import attrs
import pytest

from svcflow import Actor, Catalog, Engine, Procedure, Recipient, Refused, VirtualClock
from svcflow.errors import FieldError, PersonInUse, StoreError
from svcflow.kernel.commands import RecordChildEnd, RecordChildStart, Start
from svcflow.kernel.instance import NEVER
from svcflow.model.field import Field
from svcflow.model.procedure import Role
from svcflow.model.step import Branch, Step, Transition
from svcflow.model.subprocedure import SubProcedure
from svcflow.runtime.child_runner import ChildRunner
from svcflow.runtime.store import Store

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOST, DRIVER, BOSS = (
    Actor("zhao", roles={"host"}),
    Actor("li", roles={"driver"}),
    Actor("qian", roles={"host", "driver"}),
)
CAR = SubProcedure(
    "vehicle",
    data={"pickup_at": "arrives_at", "rider": "guest"},
    outcomes={"completed": "arrived", "cancelled": "no_car"},
)
FIRST = "r1.driving.1"


def reception(version: int = 1, runs: SubProcedure | None = CAR, name: str = "driving") -> Procedure:
    """Planned, driving (which runs a vehicle dispatch), received."""
    return Procedure(
        id="reception",
        version=version,
        roles=(Role("host"),),
        fields=(Field("arrives_at", type="instant"), Field("guest", personal=True)),
        steps=(
            Step("planned", role="host", to=(Transition("order", name),)),
            Step(
                name,
                role="host",
                within="8h",
                runs=runs,
                to=(Transition("arrived", "received"), Transition("no_car", "planned")),
            ),
            Step("received", end="completed"),
        ),
    )


VEHICLE = Procedure(
    id="vehicle",
    roles=(Role("driver"),),
    fields=(Field("pickup_at", type="instant", required=True), Field("rider", personal=True)),
    steps=(
        Step(
            "asked",
            role="driver",
            within="1h",
            to=(Transition("drive", "driven"), Transition("refuse", "off")),
        ),
        Step("driven", end="completed", name="Driven"),
        Step("off", end="cancelled"),
    ),
)
AT = {"arrives_at": "2026-03-03T14:00:00+08:00"}


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOON)


@pytest.fixture
def engine(store: Store, clock: VirtualClock) -> Engine:
    return Engine(store, Catalog.of(reception(), VEHICLE), clock=clock)


def kinds(engine: Engine, name: str) -> list[str]:
    return [fact.kind for fact in engine.journal(name)]


def ordered(engine: Engine, **start: object) -> None:
    """A reception whose car has been ordered."""
    engine.start("reception", instance_id="r1", **{"data": AT, **start})
    engine.fire("r1", "order", actor=HOST)


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing follows a command: as if every process were killed right after its commit."""
    monkeypatch.setattr(ChildRunner, "after_command", lambda *_: False)
    yield
    monkeypatch.undo()


def test_a_child_starts_with_the_command_and_moves_its_parent_when_it_ends(engine):
    """It has the data as mapped, and the parent's recipient; each names the other."""
    ordered(engine, recipient=Recipient("chen", "leaders"))
    child = engine.instance(FIRST)
    assert (child.procedure, child.data["pickup_at"]) == ("vehicle", AT["arrives_at"])
    assert (child.recipient, child.group, child.parent.id, child.parent.step) == (
        "chen",
        "leaders",
        "r1",
        "driving",
    )
    assert engine.instance("r1").children[FIRST].state == "running"
    engine.fire(FIRST, "drive", actor=DRIVER)
    assert kinds(engine, "r1") == [
        "Started",
        "Moved",
        "ChildRequested",
        "ChildStarted",
        "ChildEnded",
        "Moved",
    ]
    assert kinds(engine, FIRST) == ["Started", "Moved", "ParentTold"]
    assert engine.instance("r1").outcome == "completed"
    assert engine.tick() == ()
    assert engine.verify().ok


def test_what_a_crash_interrupts_the_next_tick_does(interrupted, engine, clock):
    """The start of the child, its end, and that the parent knows of it; ticks repeat nothing."""
    ordered(engine)
    assert kinds(engine, "r1")[-1] == "ChildRequested"
    assert [fact.kind for fact in engine.tick()] == ["Started", "ChildStarted"]
    engine.fire(FIRST, "drive", actor=DRIVER)
    clock.advance(HOUR)
    assert [fact.kind for fact in engine.tick()] == ["ChildEnded", "Moved", "ParentTold"]
    assert engine.tick() == ()
    moved = engine.journal("r1")[-1]
    assert moved.occurred_us == engine.instance(FIRST).ended_us, "it counts from when the child ended"
    assert engine.verify().ok


@pytest.mark.parametrize("half", ["started", "told"])
def test_an_errand_that_was_done_by_half_is_finished(interrupted, engine, half):
    """A crash between the two commands: the first was done, and is not done again."""
    ordered(engine)
    done = engine._executor.done
    if half == "started":
        child = engine._sweeper._children
        parent = engine.instance("r1")
        child._started(parent, FIRST, parent.children[FIRST])
    else:
        engine.tick()
        engine.fire(FIRST, "drive", actor=DRIVER)
        done("r1", RecordChildEnd(FIRST, "completed", engine.instance(FIRST).ended_us))
    assert engine.verify().ok
    engine.tick()
    engine.tick()
    if half == "told":
        done("r1", RecordChildStart(FIRST, 1))
        assert kinds(engine, FIRST) == ["Started", "Moved", "ParentTold"]
        assert kinds(engine, "r1").count("ChildEnded") == 1
    assert kinds(engine, "r1").count("ChildStarted") == 1
    assert engine.verify().ok


def test_several_engines_that_tick_at_once_start_a_child_once(store, clock, interrupted):
    """And its parent hears of the end once."""
    catalog = Catalog.of(reception(), VEHICLE)
    engines = [Engine(store, catalog, clock=clock) for _ in range(3)]

    def tick_all() -> None:
        threads = [Thread(target=engine.tick) for engine in engines for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    ordered(engines[0])
    tick_all()
    assert kinds(engines[0], FIRST) == ["Started"]
    engines[0].fire(FIRST, "drive", actor=DRIVER)
    tick_all()
    assert kinds(engines[0], "r1") == [
        "Started",
        "Moved",
        "ChildRequested",
        "ChildStarted",
        "ChildEnded",
        "Moved",
    ]
    assert kinds(engines[0], FIRST) == ["Started", "Moved", "ParentTold"]


def test_leaving_the_step_calls_the_child_off(engine):
    """It ends as cancelled, by a fact of its own, and moves its parent nowhere."""
    ordered(engine)
    engine.fire("r1", "no_car", actor=HOST)
    assert kinds(engine, FIRST) == ["Started", "CalledOff", "ParentTold"]
    assert engine.instance(FIRST).outcome == "cancelled"
    assert engine.instance("r1").steps == ("planned",)
    engine.fire("r1", "order", actor=HOST)
    assert engine.instance("r1.driving.2").status == "running"
    assert list(engine.worklist(DRIVER)) == [
        one for one in engine.worklist() if one.instance == "r1.driving.2"
    ]
    assert engine.verify().ok


def test_a_child_that_was_not_started_in_time_is_never_started(interrupted, engine):
    """Its id is used up, so that no slower process starts it."""
    ordered(engine)
    request = engine.instance("r1")
    engine.fire("r1", "no_car", actor=HOST)
    engine.tick()
    assert kinds(engine, FIRST) == ["Started", "CalledOff", "ParentTold"]
    list(engine._sweeper._children._start(request, FIRST))  # the slower process
    assert kinds(engine, FIRST) == ["Started", "CalledOff", "ParentTold"]
    assert engine.verify().ok
    assert engine.tick() == ()


def test_a_refused_call_off_keeps_the_parent(store, clock):
    """The refusal says what has to end first."""
    keeping = SubProcedure("vehicle", data={"pickup_at": "arrives_at"}, on_call_off="refuse")
    engine = Engine(store, Catalog.of(reception(runs=keeping), VEHICLE), clock=clock)
    ordered(engine)
    with pytest.raises(Refused, match=FIRST) as refused:
        engine.fire("r1", "no_car", actor=HOST)
    assert refused.value.rule == "subprocedure"
    engine.fire(FIRST, "refuse", actor=DRIVER)
    engine.fire("r1", "no_car", actor=HOST)
    assert engine.instance("r1").steps == ("planned",)


def test_a_child_that_lacks_what_it_requires_waits_for_it(engine):
    """The command is done; each tick tells what is missing, and once it is there the child starts."""
    ordered(engine, data={})
    assert engine.instance("r1").children[FIRST].state == "requested"
    for _ in range(2):
        with pytest.raises(FieldError, match="pickup_at"):
            engine.tick()
    engine.update("r1", data=AT)
    assert engine.instance(FIRST).status == "running"
    assert engine.tick() == ()


def test_an_error_of_one_parent_does_not_stop_the_others(interrupted, engine):
    """All others have their turn first."""
    engine.start("reception", instance_id="r0")
    engine.fire("r0", "order", actor=HOST)
    ordered(engine)
    with pytest.raises(FieldError, match="r0"):
        engine.tick()
    assert engine.instance(FIRST).status == "running"


def test_an_id_that_somebody_took_is_told(engine):
    """The instance of that id is left alone."""
    engine.start("vehicle", instance_id=FIRST, data={"pickup_at": AT["arrives_at"]})
    ordered(engine)
    with pytest.raises(StoreError, match=FIRST):
        engine.tick()
    assert engine.instance(FIRST).parent is None


def test_the_clocks_of_the_parent_go_on(engine, clock):
    """Its limit passes while the child runs."""
    ordered(engine)
    clock.advance(9 * HOUR)
    engine.tick()
    assert {(one.instance, one.limit) for one in engine.deviations()} == {("r1", "driving"), (FIRST, "asked")}


def test_children_run_side_by_side_in_branches(store, clock):
    """Each of its own branch; the last one joins them."""

    def branch(name: str) -> Branch:
        runs = SubProcedure("vehicle", data={"pickup_at": "arrives_at"}, outcomes={"completed": "arrived"})
        return Branch(
            name,
            (
                Step(name, runs=runs, to=(Transition("arrived", f"{name}_in"),)),
                Step(f"{name}_in", end="done"),
            ),
        )

    convoy = Procedure(
        id="reception",
        fields=(Field("arrives_at", type="instant"),),
        steps=(
            Step("all", parallel=(branch("bus"), branch("car")), to=(Transition("done", "end"),)),
            Step("end", end="completed"),
        ),
    )
    engine = Engine(store, Catalog.of(convoy, VEHICLE), clock=clock)
    engine.start("reception", instance_id="r1", data=AT)
    assert set(engine.instance("r1").children) == {"r1.bus.1", "r1.car.1"}
    engine.fire("r1.car.1", "drive", actor=DRIVER)
    assert engine.instance("r1").status == "running"
    engine.fire("r1.bus.1", "drive", actor=DRIVER)
    assert engine.instance("r1").outcome == "completed"
    assert engine.verify().ok


def test_a_child_runs_a_child_of_its_own(store, clock):
    """The end of the innermost goes all the way up; being called off goes all the way down."""
    trip = Procedure(
        id="trip",
        fields=(Field("arrives_at", type="instant"),),
        steps=(
            Step(
                "riding",
                runs=SubProcedure(
                    "vehicle", data={"pickup_at": "arrives_at"}, outcomes={"completed": "there"}
                ),
                to=(Transition("there", "end"),),
            ),
            Step("end", end="completed"),
        ),
    )
    over = SubProcedure("trip", data={"arrives_at": "arrives_at"}, outcomes={"completed": "arrived"})
    engine = Engine(store, Catalog.of(reception(runs=over), trip, VEHICLE), clock=clock)
    ordered(engine)
    engine.fire("r1.driving.1.riding.1", "drive", actor=DRIVER)
    assert engine.instance("r1").outcome == "completed"
    engine.start("reception", instance_id="r2", data=AT)
    engine.fire("r2", "order", actor=HOST)
    engine.fire("r2", "no_car", actor=HOST)
    assert {engine.instance(name).outcome for name in ("r2.driving.1", "r2.driving.1.riding.1")} == {
        "cancelled"
    }
    assert engine.verify().ok


def test_the_worklist_shows_what_runs_what(engine):
    """The step of the parent has the child, the step of the child the parent."""
    ordered(engine)
    assert {(one.instance, one.step, one.child, one.parent) for one in engine.worklist()} == {
        ("r1", "driving", FIRST, ""),
        (FIRST, "asked", "", "r1"),
    }
    engine.fire(FIRST, "refuse", actor=DRIVER)
    assert [(one.step, one.child) for one in engine.worklist()] == [("planned", "")]


def test_who_did_a_step_of_the_parent_is_barred_in_the_child(store, clock):
    """By the parent's journal; and cannot be forgotten while somebody else has to do the step."""
    other = Procedure(
        id="vehicle",
        roles=(Role("driver"),),
        fields=VEHICLE.fields.values(),
        steps=(
            Step("asked", role="driver", not_by="parent.planned", to=(Transition("drive", "driven"),)),
            Step("driven", end="completed"),
        ),
    )
    engine = Engine(store, Catalog.of(reception(), other), clock=clock)
    engine.start("reception", instance_id="r1", data=AT)
    engine.fire("r1", "order", actor=BOSS)
    assert b"qian" not in b"".join(body for body, _ in store.rows(FIRST))
    with pytest.raises(Refused, match="planned of the parent"):
        engine.fire(FIRST, "drive", actor=BOSS)
    with pytest.raises(PersonInUse):
        engine.forget("qian", open=True)
    assert engine.verify().ok
    engine.fire(FIRST, "drive", actor=DRIVER)
    engine.forget("qian")
    assert engine.verify().ok
    started = engine.journal(FIRST)[0]
    assert started.performers["parent.planned"][0].startswith("erased-")


def test_a_person_is_forgotten_on_both_sides(engine, store):
    """As recipient, and in the field that was handed over."""
    ordered(engine, data={**AT, "guest": "Dr. Sun"}, recipient=Recipient("sun"))
    assert engine.instance(FIRST).data["rider"] == "Dr. Sun"
    engine.fire(FIRST, "drive", actor=DRIVER)
    assert set(engine.forget("sun").instances) == {"r1", FIRST}
    for name in ("r1", FIRST):
        assert engine.instance(name).recipient.startswith("erased-")
    assert engine.verify().ok


def test_a_parent_goes_over_to_a_version_that_runs_the_same(store, clock):
    """Under another name of the step too; a version that does not run it there is refused while the child runs."""
    catalog = Catalog(
        procedures={
            (one.id, one.version): one
            for one in (reception(), reception(2, name="riding"), reception(3, runs=None), VEHICLE)
        }
    )
    engine = Engine(store, catalog, clock=clock)
    engine.start(("reception", 1), instance_id="r1", data=AT)
    engine.fire("r1", "order", actor=HOST)
    with pytest.raises(Refused, match="does not run that procedure") as refused:
        engine.migrate("r1", 3, reason="new")
    assert refused.value.rule == "migration"
    engine.migrate("r1", 2, steps={"driving": "riding"}, reason="new")
    assert engine.instance("r1").children[FIRST].step == "riding"
    engine.fire(FIRST, "drive", actor=DRIVER)
    assert engine.instance("r1").outcome == "completed"
    assert engine.verify().ok


def test_verification_sees_a_child_that_no_step_asked_for(engine):
    """Its own journal holds, and names a parent that knows nothing of it."""
    engine.start("reception", instance_id="r1", data=AT)
    start = Start(FIRST, {"pickup_at": AT["arrives_at"]}, parent="r1", parent_step="driving")
    engine._executor.start(engine._registry.newest("vehicle"), start, None)
    ((name, error),) = engine.verify().problems
    assert (name, error.table, error.column) == (FIRST, "svcflow_instances", "state")
    assert "did not request it" in str(error)
    assert [name for name, _ in engine.verify(FIRST).problems] == [FIRST]


def test_verification_sees_a_child_that_is_not_there(interrupted, engine):
    """The parent has recorded a start that never was."""
    ordered(engine)
    engine._executor.done("r1", RecordChildStart(FIRST, 1))
    ((name, error),) = engine.verify().problems
    assert (name, error.column) == ("r1", "state")
    assert "there is no such instance" in str(error)


def test_verification_sees_an_end_that_is_none(engine):
    """The parent believes that the child has ended, which goes on."""
    ordered(engine)
    engine._executor.done("r1", RecordChildEnd(FIRST, "completed", engine.instance("r1").updated_us))
    ((name, error),) = engine.verify().problems
    assert name == "r1"
    assert "which that instance is not" in str(error)


def test_what_is_pending_is_due(interrupted, engine, store):
    """So every driver of `tick` does it: the ticker, a dispatcher, a sweep of another process."""
    ordered(engine)
    pending = engine.instance("r1")
    assert store.next_due_us() == pending.pending_us == pending.next_us
    engine.tick()
    assert engine.instance("r1").pending_us == NEVER


def test_a_child_that_goes_over_to_another_version_remembers_who_is_barred(store, clock):
    """They came with its start, and are in no move of its own journal."""

    def vehicle(version: int) -> Procedure:
        return Procedure(
            id="vehicle",
            version=version,
            fields=VEHICLE.fields.values(),
            steps=(
                Step("asked", not_by="parent.planned", to=(Transition("drive", "driven"),)),
                Step("driven", end="completed"),
            ),
        )

    old, new = vehicle(1), vehicle(2)
    Engine(store, Catalog.of(reception(), old), clock=clock).start("reception", instance_id="r1", data=AT)
    engine = Engine(store, Catalog.of(reception(), old), clock=clock)
    engine.fire("r1", "order", actor=HOST)
    catalog = Catalog(procedures={(one.id, one.version): one for one in (reception(), old, new)})
    engine = Engine(store, catalog, clock=clock)
    engine.migrate(FIRST, 2, reason="new")
    with pytest.raises(Refused, match="planned of the parent"):
        engine.fire(FIRST, "drive", actor=HOST)
    engine.fire(FIRST, "drive", actor=DRIVER)
    assert engine.instance("r1").outcome == "completed"


def test_the_newest_version_in_force_is_started(store, clock):
    """One that is in force from next year on is not; and a child ends under the version it started in."""
    later = attrs.evolve(VEHICLE, version=2, effective=date(2027, 1, 1))
    catalog = Catalog(procedures={(one.id, one.version): one for one in (reception(), VEHICLE, later)})
    engine = Engine(store, catalog, clock=clock)
    ordered(engine)
    assert engine.instance(FIRST).version == 1
    clock.move_to(datetime(2027, 2, 1, tzinfo=UTC))
    engine.fire(FIRST, "refuse", actor=DRIVER)
    engine.fire("r1", "order", actor=HOST)
    assert engine.instance("r1.driving.2").version == 2


def test_in_the_transaction_of_a_host_the_tick_after_the_commit_does_it(tmp_path, clock):
    """Rolled back, there is no child; committed, the engine's tick starts it."""
    engine = Engine(f"sqlite:///{tmp_path / 'service.db'}", Catalog.of(reception(), VEHICLE), clock=clock)
    engine.start("reception", instance_id="r1", data=AT)
    host = sqlite3.connect(tmp_path / "service.db", isolation_level=None)
    for end in ("ROLLBACK", "COMMIT"):
        host.execute("BEGIN IMMEDIATE")
        engine.on(host).fire("r1", "order", actor=HOST)
        host.execute(end)
        engine.tick()
        assert [one.id for one in engine.instances(procedure="vehicle")] == (
            [FIRST] if end == "COMMIT" else []
        )
    host.execute("BEGIN IMMEDIATE")
    engine.on(host).fire(FIRST, "drive", actor=DRIVER)
    engine.on(host).tick()
    host.execute("COMMIT")
    assert engine.instance("r1").outcome == "completed"
    assert engine.verify().ok
    host.close()
    engine.close()


def test_an_explanation_says_what_ran_meanwhile(engine, clock):
    """Beside how the deadline of the step came to be: its clock goes on."""
    ordered(engine)
    clock.advance(HOUR)
    engine.fire(FIRST, "drive", actor=DRIVER)
    lines = [line for line in engine.explain("r1", "driving").lines if line.kind == "child"]
    assert [line.words.en.partition(": ")[2] for line in lines] == [
        f"{FIRST} started; the clock goes on",
        f"{FIRST} ended (completed)",
    ]
    assert all("子流程" in line.words.zh for line in lines)
