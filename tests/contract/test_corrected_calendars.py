"""A calendar that was corrected, or prolonged, after journals were begun by it: verification tells that from a forgery."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest
from contract_cases import rows_with

from svcflow import Actor, Catalog, Engine, Procedure, VirtualClock
from svcflow.journal.chain import GENESIS, chained
from svcflow.kernel.instance import Instance
from svcflow.kernel.lifecycle.work_items import work_of
from svcflow.model.limit import TimeLimit
from svcflow.model.step import Step, Transition
from svcflow.runtime.store import ChangeSet, Store
from svcflow.runtime.stored_rows import state_of

LI = Actor("li")
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
OFFICE = """
calendar: office
timezone: UTC
weekly: {mon-fri: ["09:00-17:00"]}
covers: {from: 2026-01-01, to: LAST}
holidays: [HOLIDAYS]
"""


def desk(version: int, calendar: str) -> Procedure:
    return Procedure(
        id="desk",
        version=version,
        calendar=calendar,
        steps=(
            Step("asked", within="2wd", to=(Transition("answer", "done"), Transition("look", "seen"))),
            Step("seen", within=TimeLimit(at_least="10wh"), to=(Transition("answer", "done"),)),
            Step("done", end="completed"),
        ),
    )


MARCH, JANUARY = "{date: 2026-03-03, name: closed after all}", "{date: 2027-01-04, name: closed}"


def catalog(folder: Path, holidays: str = "", last: str = "2026-12-31") -> Catalog:
    folder.mkdir()
    office = OFFICE.replace("LAST", last).replace("HOLIDAYS", holidays)
    for name, text in {
        "office": office,
        "other": office.replace("office", "other").replace(JANUARY, f"{MARCH}, {JANUARY}"),
    }.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    procedures = Catalog.of(desk(1, "office"), desk(2, "other")).procedures
    return attrs.evolve(Catalog.from_folder(folder), procedures=procedures)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(MONDAY)


@pytest.fixture
def play(store: Store, clock: VirtualClock, tmp_path: Path) -> None:
    """Leave one instance that ended in time, one that stayed for a minimum, and one in open hours of one day."""
    engine = Engine(store, catalog(tmp_path / "announced"), clock=clock)
    for name in ("answered", "stayed", "running"):
        engine.start(("desk", 1), actor=LI, instance_id=name)
    clock.advance(timedelta(hours=1))
    engine.fire("answered", "answer", actor=LI)
    engine.fire("stayed", "look", actor=LI)
    clock.advance(timedelta(hours=27))
    engine.fire("stayed", "answer", actor=LI)
    assert engine.verify().ok
    assert engine.verify().notes == ()


@pytest.fixture
def corrected(store: Store, clock: VirtualClock, tmp_path: Path, play: None) -> Engine:
    return Engine(store, catalog(tmp_path / "corrected", MARCH), clock=clock)


@pytest.fixture
def prolonged(store: Store, clock: VirtualClock, tmp_path: Path, play: None) -> Engine:
    return Engine(store, catalog(tmp_path / "prolonged", JANUARY, "2027-12-31"), clock=clock)


def test_deadlines_by_a_calendar_that_was_corrected_since_are_a_note(corrected):
    """They stay as they were; verification says which calendar it was, and that it could not check them."""
    found = corrected.verify()
    assert (found.ok, found.instances) == (True, 3)
    assert {name for name, _ in found.notes} == {"answered", "stayed", "running"}
    assert all("office" in note.en and "office" in note.zh for _, note in found.notes)


def test_a_correction_that_moves_no_deadline_is_not_worth_a_note(corrected):
    """An instance that began by the calendar as it is now, or whose deadlines it leaves alone, is simply right."""
    corrected.start(("desk", 1), actor=LI, instance_id="new")
    assert corrected.verify("new").notes == ()


def test_a_recomputed_deadline_can_be_checked_again(corrected):
    """Once it was reckoned anew, and that is on record, it is what the journal leads to."""
    corrected.recompute(reason="corrected")
    found = corrected.verify()
    assert (found.ok, {name for name, _ in found.notes}) == (True, {"answered", "stayed"})


def test_a_calendar_that_was_only_prolonged_was_not_corrected(prolonged):
    """A new year with its holidays says nothing else about the years before."""
    found = prolonged.verify()
    assert (found.ok, found.notes) == (True, ())


def forged(engine: Engine, monkeypatch: pytest.MonkeyPatch, name: str, **changed: object) -> bool:
    """Tell whether a change of what is kept of an instance is found."""
    kept = engine._store.load(name)
    (limit,) = [one for one in kept.instance.stopwatches if one in changed] or [""]
    clock = changed.pop(limit, None)
    instance: Instance = kept.instance._replace(**changed)
    if clock is not None:
        clocks = {**instance.stopwatches, limit: instance.stopwatches[limit]._replace(**clock)}
        instance = instance._replace(stopwatches=clocks)
    with monkeypatch.context() as patched:
        rows_with(patched, engine._store, state=state_of(instance), next_us=instance.next_us)
        found = engine.verify(name)
    return [one for one, _ in found.problems] == [name]


FORGERIES = [
    {"outcome": "rejected"},
    {"recipient": "wang"},
    {"asked": {"verdict": "late"}},
    {"asked": {"overdue": True}},
    {"asked": {"started_us": 0}},
    {"asked": {"fired": 1}},
]


@pytest.mark.parametrize("changed", FORGERIES, ids=str)
def test_what_hangs_on_no_calendar_is_found_all_the_same(corrected, monkeypatch, changed):
    """A correction excuses the instants of deadlines, and nothing else."""
    assert forged(corrected, monkeypatch, "answered", **changed)


@pytest.mark.parametrize("changed", [*FORGERIES, {"asked": {"due_us": 1}}, {"next_us": 1}], ids=str)
def test_a_forged_deadline_is_no_correction_of_a_calendar_that_says_the_same(prolonged, monkeypatch, changed):
    """Where the calendar says what it said, only what the journal leads to is right."""
    assert forged(prolonged, monkeypatch, "answered", **changed)


@pytest.mark.parametrize("due", ["keep", "recompute"])
def test_a_migration_marks_the_calendars_of_the_other_version(store, clock, tmp_path, due):
    """The calendar that was corrected is one that the instance only came to by a migration."""
    engine = Engine(store, catalog(tmp_path / "announced"), clock=clock)
    engine.start(("desk", 1), actor=LI, instance_id="over")
    over = engine.migrate("over", 2, reason="edition 2", due=due)
    started, migrated = engine.journal("over")
    assert (list(started.calendars), list(migrated.calendars)) == (["office"], ["other"])
    assert started.calendars["office"].startswith("2026-12-31:")
    engine.fire("over", "answer", actor=LI)
    later = Engine(store, catalog(tmp_path / "corrected", JANUARY, "2027-12-31"), clock=clock)
    found = later.verify()
    assert found.ok
    ((name, note),) = found.notes
    assert (name, "calendar other" in note.en) == ("over", True)
    assert later.instance("over").stopwatches["asked"].due_us == over.stopwatches["asked"].due_us


def test_a_person_is_forgotten_without_a_deadline_being_moved(corrected):
    """What is told anew from the journal keeps the deadlines it had, which nothing personal decides."""
    before = corrected.instance("answered").stopwatches
    corrected.forget("li", open=True)
    assert corrected.instance("answered").stopwatches == before
    assert corrected.verify().ok


def test_a_journal_without_marks_is_not_excused(corrected):
    """Nobody can tell a correction from a forgery of it: it is reported, until its deadlines are recomputed."""
    for name in ("answered", "running"):
        unmarked(corrected, name)
    assert {name for name, _ in corrected.verify().problems} == {"old answered", "old running"}
    corrected.recompute(reason="corrected")
    assert {name for name, _ in corrected.verify().problems} == {"old answered"}


def unmarked(engine: Engine, name: str) -> None:
    """Keep an instance once more, as an earlier version left it."""
    kept, (started, *others) = engine.instance(name), engine.journal(name)
    facts = [
        attrs.evolve(one, instance=f"old {name}") for one in (attrs.evolve(started, calendars={}), *others)
    ]
    entries = chained(GENESIS, facts)
    work = work_of(engine._registry.of(kept), kept)
    change = ChangeSet(kept._replace(id=f"old {name}"), entries, work=work)
    engine._store.change(f"old {name}", None, lambda _: change)
