"""What is out of the bounds is refused by its place, on every store, and nothing of it is kept."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from svcflow import Actor, Catalog, Engine, VirtualClock, load
from svcflow.bounds import FIRST_DAY, LAST_DAY, LONGEST
from svcflow.errors import DeclarationError, FieldError, StoreError, SubscriptionError
from svcflow.model.field import Field
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import Procedure, Role
from svcflow.model.step import Step, Transition
from svcflow.worktime.calendar import WorkCalendar

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LI = Actor("li", {"clerk"})
VISIT = Procedure(
    id="visit",
    roles=(Role("clerk"),),
    fields=(Field("meet", type="instant"), Field("n", type="number")),
    steps=(
        Step("asked", role="clerk", within="1h", to=(Transition("go", "asked"), Transition("end", "over"))),
        Step("over", end="done"),
    ),
    limits=(TimeLimit(id="ahead", before="meet - 30m"),),
)
BEFORE = datetime.combine(FIRST_DAY, datetime.min.time(), UTC) - timedelta(microseconds=1)
AFTER = datetime.combine(LAST_DAY, datetime.min.time(), UTC) + timedelta(days=1)
OUTSIDE = (
    BEFORE,
    AFTER,
    datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
    datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-14))),
)
SAID = "it takes an instant from 1900-01-01 to 2199-12-31 (UTC), not "
INSTANTS = {
    "start": ("meet", lambda e, at: e.start("visit", data={"meet": at.isoformat()}, actor=LI)),
    "start, a datetime": ("meet", lambda e, at: e.start("visit", data={"meet": at}, actor=LI)),
    "fire": ("meet", lambda e, at: e.fire("v", "go", data={"meet": at.isoformat()}, actor=LI)),
    "update": ("meet", lambda e, at: e.update("v", data={"meet": at.isoformat()}, actor=LI)),
    "reschedule": ("meet", lambda e, at: e.reschedule("v", "meet", at, actor=LI)),
    "occurred_at": ("occurred_at", lambda e, at: e.fire("v", "go", occurred_at=at, actor=LI)),
    "since": ("since", lambda e, at: e.instances(since=at)),
    "until": ("until", lambda e, at: e.count_deviations(until=at)),
    "due_before": ("due_before", lambda e, at: e.worklist(due_before=at)),
    "delegated since": (
        "since",
        lambda e, at: e.delegate(LI, "wang", roles={"clerk"}, since=at, until=NOON),
    ),
    "clock": ("start", lambda _, at: VirtualClock(at)),
    "clock moved": ("at", lambda e, at: e.clock.move_to(at)),
}
"""Every entrance of an instant, and the place its error names."""


@pytest.fixture
def engine(store) -> Engine:
    engine = Engine(store, VISIT, clock=VirtualClock(NOON))
    engine.start("visit", instance_id="v", actor=LI)
    return engine


@pytest.mark.parametrize("name", INSTANTS)
def test_an_instant_out_of_the_bounds_is_refused_by_its_place(engine, name):
    """Before 1900 and after 2199, whatever its offset; nothing is recorded, and everybody is answered about."""
    place, ask = INSTANTS[name]
    before = engine.journal("v")
    for at in OUTSIDE:
        with pytest.raises(FieldError) as told:
            ask(engine, at)
        assert f"{place}: {SAID}{at}" in told.value.text("en")
        assert f"{place}：须为 1900-01-01 至 2199-12-31（UTC）的时刻，不能是 {at}" in told.value.text("zh")
    assert engine.journal("v") == before
    assert len(engine.instances()) == 1
    assert engine.deadlines("v")


@pytest.mark.parametrize("at", [BEFORE + timedelta(microseconds=1), AFTER - timedelta(microseconds=1)])
def test_the_first_and_the_last_instant_are_taken(engine, at):
    """They are kept, their limits are reckoned, and all of it is answered."""
    engine.reschedule("v", "meet", at, actor=LI)
    engine.clock.advance(timedelta(hours=3))
    engine.tick()
    assert {line.limit for line in engine.deadlines("v")} == {"asked", "ahead"}
    assert "due" in engine.explain("v", "ahead").text("en")
    assert engine.verify().ok


@pytest.mark.parametrize(
    "number",
    [2**63, -(2**63) - 1, 10**400, 10**5000, float("nan"), float("inf")],
    ids=lambda one: type(one).__name__,
)
def test_a_number_out_of_the_bounds_is_refused_by_its_field(engine, number):
    """Whole numbers are of 64 bits, others finite; a number of thousands of digits is told without them."""
    with pytest.raises(
        FieldError, match=r"field n takes a number|data\.n: the whole number is beyond"
    ) as told:
        engine.update("v", data={"n": number}, actor=LI)
    assert len(told.value.text("en")) < 200
    assert len(engine.journal("v")) == 1


@pytest.mark.parametrize("length", [timedelta(days=36_526), timedelta.max, timedelta(-1), 5])
def test_a_length_of_time_out_of_the_bounds_is_refused_by_its_place(engine, length):
    """What a clock goes on by, what is asked for as soon overdue, how long a subscription waits."""
    with pytest.raises(FieldError, match="within: it takes a length of time from 0 to 36525 days"):
        engine.overdue(within=length)
    with pytest.raises(FieldError, match="by: it takes a length of time from 0 to 36525 days"):
        engine.clock.advance(length)
    with pytest.raises(SubscriptionError, match="pause: it takes a length of time from 0 to 36525 days"):
        engine.on_fact(name="x", pause=length)(print)


DECLARED = {
    "steps.a.within": "steps: {a: {within: AMOUNT, to: {go: z}}, z: {end: done}}",
    "steps.a.within.escalate[0]": "steps: {a: {within: {within: 1d, escalate: [+AMOUNT]}, to: {go: z}}, z: {end: done}}",
    "steps.a.at_most": "steps: {a: {waits: third_party, at_most: AMOUNT, to: {go: z}}, z: {end: done}}",
    "limits[0].after": (
        "fields: {w: {type: instant}}\nsteps: {a: {to: {go: z}}, z: {end: done}}\n"
        "limits: [{id: l, after: w + AMOUNT}]"
    ),
    "limits[0].match[0].within": (
        "fields: {n: {type: number}}\nsteps: {a: {to: {go: z}}, z: {end: done}}\n"
        "limits: [{id: l, match: [{when: n > 1, within: AMOUNT}, {within: 1d}]}]"
    ),
    "limits[0].extension.by": (
        "steps: {a: {to: {go: z}}, z: {end: done}}\nlimits: [{id: l, within: 1d, extension: {by: AMOUNT}}]"
    ),
    "late_after": "late_after: AMOUNT\nsteps: {a: {to: {go: z}}, z: {end: done}}",
    "holds.third_party.at_most": "holds: {third_party: {at_most: AMOUNT}}\nsteps: {a: {to: {go: z}}, z: {end: done}}",
}


@pytest.mark.parametrize("place", DECLARED)
def test_an_amount_out_of_the_bounds_is_a_mistake_of_the_declaration(place, tmp_path):
    """It is told with file and line when it is loaded; at the bound it loads. Of an older version it is kept for what runs."""
    file = tmp_path / "p.yaml"
    text = f"procedure: p\nversion: 1\n{DECLARED[place]}\n"
    file.write_text(text.replace("AMOUNT", f"{LONGEST['d'] + 1}d"), encoding="utf-8")
    with pytest.raises(DeclarationError) as told:
        load(file)
    (problem,) = told.value.problems
    assert problem.line > 1
    assert f"{place}: 36526d is longer than 100 years; write 36525d at most" in problem.text("en")
    with pytest.raises(DeclarationError, match="longer than 100 years"):
        Catalog.from_folder(tmp_path)
    newer = text.replace("version: 1", "version: 2").replace("AMOUNT", f"{LONGEST['d']}d")
    (tmp_path / "q.yaml").write_text(newer, encoding="utf-8")
    with Engine("memory://", Catalog.from_folder(tmp_path)) as engine:
        assert engine.start("p").version == 2
        with pytest.raises(DeclarationError, match="longer than 100 years"):
            engine.start(("p", 1))


def test_a_catalog_of_python_refuses_an_amount_out_of_the_bounds():
    """What is built in Python is looked at when it is put into a catalog."""
    long = Procedure(
        id="long", steps=(Step("a", within="99999d", to=(Transition("go", "z"),)), Step("z", end="done"))
    )
    with pytest.raises(DeclarationError, match="longer than 100 years"):
        Engine("memory://", long)


@pytest.mark.parametrize("last", [date(2200, 1, 1), date(9999, 12, 31)])
def test_a_calendar_covers_no_date_out_of_the_bounds(last):
    """Its file is told which date it takes."""
    office = {
        "calendar": "o",
        "timezone": "UTC",
        "weekly": {"mon": ["09:00-17:00"]},
        "covers": {"from": "2026-01-01", "to": last},
    }
    with pytest.raises(
        DeclarationError, match=r"covers.to: it takes a date from 1900-01-01 to 2199-12-31, not"
    ):
        WorkCalendar.from_mapping(office)


@pytest.mark.parametrize(
    ("url", "instead"),
    [
        ("postgres://u:secret@db.example/svc", r"postgresql\+psycopg://u:\*\*\*@db.example/svc"),
        ("postgresql+asyncpg://u@db.example/svc", r"postgresql\+psycopg://u@db.example/svc"),
        ("postgresql+psycopg2://db.example/svc", r"postgresql\+psycopg://db.example/svc"),
        ("sqlite+aiosqlite:///service.db", "sqlite:///service.db"),
        ("sqlite+pysqlcipher:///service.db", "sqlite:///service.db"),
        ("sqlite://service.db", "sqlite:///service.db"),
        ("sqlite://", "memory://"),
        ("mysql://u@db.example/svc", "memory://, sqlite:///FILE or postgresql"),
        ("service.db", "memory://, sqlite:///FILE or postgresql"),
        ("sqlite:///a\0b", "memory://, sqlite:///FILE or postgresql"),
        (b"sqlite:///x", "memory://, sqlite:///FILE or postgresql"),
        (None, "memory://, sqlite:///FILE or postgresql"),
    ],
)
def test_a_url_that_we_do_not_speak_is_answered_with_the_one_to_write(url, instead, tmp_path, monkeypatch):
    """Whatever driver it names, and though that driver is not installed; no password is said, no file made."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match=f"is not supported; write {instead}") as told:
        Engine(url, VISIT)
    assert "secret" not in str(told.value)
    assert list(tmp_path.iterdir()) == []
