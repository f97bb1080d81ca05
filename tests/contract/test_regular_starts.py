"""Regular starts, on every store: each occurrence begins once, whichever process comes; what is lost is recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from regular_start_cases import MONDAY, daily, engine_at, ticked, visits

from svcflow import Recipient
from svcflow.errors import FieldError
from svcflow.kernel.facts import Deviated, Started
from svcflow.model.procedure import Procedure
from svcflow.runtime.store import Store

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIRST, SECOND = "visit-regular-2026-01-05T0830", "visit-regular-2026-01-06T0830"
EACH = visits(daily(for_="residents"))


def test_an_occurrence_begins_once_whoever_ticks(store: Store):
    """Of several processes one begins it; the next day it begins anew, with declared data and actor."""
    procedure = visits(daily(actor="schedule", data={"place": "hall"}))
    assert ticked(store, MONDAY, procedure) == []
    assert ticked(store, MONDAY + 9 * HOUR, procedure) == [FIRST]
    assert ticked(store, MONDAY + 9 * HOUR, procedure) == []
    assert ticked(store, MONDAY + DAY + 9 * HOUR, procedure) == [SECOND]
    started = engine_at(store, MONDAY + 2 * DAY, procedure).journal(FIRST)[0]
    assert isinstance(started, Started)
    assert (started.actor, started.data, started.start, started.occurrence) == (
        "schedule",
        {"place": "hall"},
        "regular",
        "2026-01-05T08:30",
    )


def test_what_was_due_before_the_first_tick_does_not_begin(store: Store):
    """Occurrences count from when a process first ran on the store."""
    assert ticked(store, MONDAY + 9 * HOUR) == []
    assert ticked(store, MONDAY + DAY + 9 * HOUR) == [SECOND]


def test_after_downtime_the_latest_begins_and_records_each_that_was_lost(store: Store):
    """Three days were slept through: the fourth begins, with three deviations that are nobody's."""
    ticked(store, MONDAY)
    assert ticked(store, MONDAY + 3 * DAY + 9 * HOUR) == ["visit-regular-2026-01-08T0830"]
    engine = engine_at(store, MONDAY + 3 * DAY + 9 * HOUR)
    missed = engine.deviations(kind="missed_start")
    assert [one.detail["occurrence"][:10] for one in missed] == ["2026-01-05", "2026-01-06", "2026-01-07"]
    assert [one.due_at for one in missed] == [MONDAY + n * DAY + timedelta(hours=8.5) for n in range(3)]
    assert {(one.actor, one.role, one.step, one.severity) for one in missed} == {("", "", "planned", "major")}
    assert engine.verify().ok


def recipients_of(*people: str, bad: str = ""):
    def residents(due_at: datetime) -> Iterator[tuple[Recipient, Mapping[str, str]]]:
        for person in people:
            yield Recipient(person, "retirees"), {"nowhere" if person == bad else "place": f"at {person}'s"}

    return residents


def for_each(store: Store, at: datetime, function: object, procedure: Procedure = EACH) -> list[str | None]:
    """Tick at an instant with a function for the recipients; return for whom instances began."""
    engine = engine_at(store, at, procedure)
    engine.recipients("residents")(function)
    return [fact.recipient for fact in engine.tick() if isinstance(fact, Started)]


def test_an_instance_begins_for_each_recipient(store: Store):
    """The function gives recipients and data; the ids tell nothing of them, and the salt is gone afterwards."""
    for_each(store, MONDAY, recipients_of())
    assert for_each(store, MONDAY + 9 * HOUR, recipients_of("li", "wang")) == ["li", "wang"]
    assert for_each(store, MONDAY + 9 * HOUR, recipients_of("li", "wang")) == []
    engine = engine_at(store, MONDAY + 9 * HOUR, EACH)
    by_person = {one.recipient: one for one in engine.instances()}
    assert {name: one.data["place"] for name, one in by_person.items()} == {
        "li": "at li's",
        "wang": "at wang's",
    }
    assert all(one.id.startswith(FIRST) and name not in one.id for name, one in by_person.items())
    (position,) = store.starts()
    assert (position.done, position.pending, position.salt) == ("2026-01-05T08:30", "", "")


def test_a_process_without_the_function_leaves_it_to_one_that_has_it(store: Store):
    """Nothing is lost and nothing recorded as failed; the process with the function begins it."""
    assert ticked(store, MONDAY, EACH) == []
    assert ticked(store, MONDAY + 9 * HOUR, EACH) == []
    assert for_each(store, MONDAY + 9 * HOUR, recipients_of("li")) == ["li"]


def test_one_whose_start_fails_keeps_nobody_else_waiting(store: Store):
    """The others begin at once; that one is tried again later, and begins once it is put right."""
    for_each(store, MONDAY, recipients_of())
    at = MONDAY + 9 * HOUR
    assert for_each(store, at, recipients_of("li", "wang", "zhao", bad="wang")) == ["li", "zhao"]
    assert for_each(store, at, recipients_of("li", "wang", "zhao")) == []  # it waits
    (position,) = store.starts()
    assert "FieldError" in position.error
    assert "wang" not in position.error
    assert for_each(store, at + HOUR, recipients_of("li", "wang", "zhao")) == ["wang"]
    assert store.starts()[0].error == ""


def test_an_occurrence_that_could_not_begin_for_somebody_is_lost_for_them_alone(store: Store):
    """The next occurrence begins for everybody, and records the loss where there was one."""
    for_each(store, MONDAY, recipients_of())
    for_each(store, MONDAY + 9 * HOUR, recipients_of("li", "wang", bad="wang"))
    assert for_each(store, MONDAY + DAY + 9 * HOUR, recipients_of("li", "wang")) == ["li", "wang"]
    engine = engine_at(store, MONDAY + DAY + 9 * HOUR, EACH)
    (lost,) = engine.deviations(kind="missed_start")
    assert engine.instance(lost.instance).recipient == "wang"
    assert lost.detail["occurrence"] == "2026-01-05T08:30"
    assert engine.verify().ok


@pytest.mark.parametrize("after", [0, 1])
def test_a_function_that_raises_is_called_again(store: Store, after: int):
    """Whoever it yielded before begins; other regular starts are not kept from beginning."""

    def broken(due_at: datetime) -> Iterator[tuple[Recipient, Mapping[str, str]]]:
        yield from list(recipients_of("li", "wang")(due_at))[:after]
        raise OSError("the register of residents is away, said li")

    both = visits(daily(id="each", for_="residents"), daily(id="once", at="08:45"))
    for_each(store, MONDAY, recipients_of(), both)
    begun = for_each(store, MONDAY + 9 * HOUR, broken, both)
    assert begun == [*["li"][:after], ""]
    error = next(one.error for one in store.starts() if one.start == "each")
    assert error.startswith("OSError at ")
    assert "li" not in error.split(" at ")[0]
    assert for_each(store, MONDAY + 10 * HOUR, recipients_of("li", "wang"), both) == ["li", "wang"][after:]


def test_what_is_no_recipient_with_data_is_told(store: Store):
    """A function that yields something else is a failure like any other."""
    for_each(store, MONDAY, recipients_of())
    assert for_each(store, MONDAY + 9 * HOUR, lambda _: ["li", (Recipient("wang"), {})]) == ["wang"]
    assert "FieldError" in store.starts()[0].error


def test_a_process_that_died_is_relieved_after_its_lease(store: Store):
    """What it had begun to begin is begun by another one, one minute later; what it did is not done twice."""

    class Died(BaseException):
        """The process is gone: nothing is written any more."""

    def dies(due_at: datetime) -> Iterator[tuple[Recipient, Mapping[str, str]]]:
        yield Recipient("li"), {}
        raise Died

    for_each(store, MONDAY, recipients_of())
    at = MONDAY + 9 * HOUR
    with pytest.raises(Died):
        for_each(store, at, dies)
    everybody = recipients_of("li", "wang")
    assert for_each(store, at + timedelta(seconds=59), everybody) == []
    assert for_each(store, at + timedelta(seconds=60), everybody) == ["wang"]


def test_processes_that_tick_at_once_begin_each_instance_once(url: str):
    """Their clocks are apart, so that each takes what the others have begun for left behind."""
    people = [f"person-{number}" for number in range(8)]
    engines = [engine_at(url, MONDAY + place * timedelta(minutes=2), EACH) for place in range(4)]
    for engine in engines:
        engine.recipients("residents")(recipients_of(*people))
        engine.tick()
        engine.clock.advance(9 * HOUR)
    with ThreadPoolExecutor(len(engines)) as threads:
        begun = [fact.recipient for facts in threads.map(lambda one: one.tick(), engines) for fact in facts]
    assert sorted(begun) == people
    assert engines[0].count_instances() == len(people)
    assert engines[0].verify().ok
    for engine in engines:
        engine.close()


def test_a_start_that_its_procedure_cannot_take_is_told_in_words(store: Store):
    """Where nobody's data are in it, what is wrong is said as it is; a later version that is right begins."""
    taken = engine_at(store, MONDAY)
    taken.tick()
    taken.start("visit", instance_id=FIRST)  # somebody else has that id
    assert ticked(store, MONDAY + 9 * HOUR) == []
    (failed, *_) = engine_at(store, MONDAY + 9 * HOUR).coming_starts(MONDAY + 10 * HOUR)
    assert failed.error == f"there is an instance {FIRST} already; choose another `instance_id`"
    assert ticked(store, MONDAY + DAY + 9 * HOUR) == [SECOND]


def test_a_start_that_a_version_no_longer_has_begins_no_more(store: Store):
    """Its position stays, and does no harm; one that a later version has again goes on by its own rhythm."""
    old, without = visits(daily()), visits(version=2)
    again = visits(daily(at="10:00"), version=3)
    ticked(store, MONDAY, old)
    assert ticked(store, MONDAY + 9 * HOUR, old, without) == []
    assert ticked(store, MONDAY + DAY, again) == [FIRST.replace("0830", "1000")]


def test_an_old_version_whose_calendar_is_gone_is_left_out(store: Store):
    """It is in force no more; an engine is not made where the newest version lacks its calendar."""
    old = visits(daily(calendar="gone"), calendar="gone", effective=MONDAY.date())
    ticked(store, MONDAY, old, visits(daily(), version=2))
    assert ticked(store, MONDAY + 9 * HOUR, old, visits(daily(), version=2)) == [FIRST]


def test_a_newer_version_takes_over_with_its_own_rhythm(store: Store):
    """What was due by the old one begins before; an old program that still runs begins nothing any more."""
    old, new = visits(daily()), visits(daily(at="10:00"), version=2)
    ticked(store, MONDAY, old)
    at = MONDAY + DAY + 9 * HOUR
    assert ticked(store, at, old, new) == [SECOND]
    engine = engine_at(store, at, old, new)
    assert (engine.instance(SECOND).version, engine.count_deviations(kind="missed_start")) == (2, 1)
    assert ticked(store, at + 2 * HOUR, old, new) == ["visit-regular-2026-01-06T1000"]
    assert ticked(store, at + DAY, old) == []
    assert engine_at(store, at + DAY, old).coming_starts(at + 3 * DAY) == ()
    assert ticked(store, at + DAY, old, new) == []


def test_a_version_begins_by_itself_from_the_day_it_is_in_force(store: Store):
    """Before, the version in force does; what falls into downtime around that day is not lost."""
    old = visits(daily())
    new = visits(daily(at="10:00"), daily(id="new", at="11:00"), version=2, effective=MONDAY.date() + DAY)
    assert ticked(store, MONDAY, old, new) == []
    assert ticked(store, MONDAY + 12 * HOUR, old, new) == [FIRST]
    assert ticked(store, MONDAY + 2 * DAY + 9 * HOUR, old, new) == [
        "visit-regular-2026-01-07T0830",
        "visit-new-2026-01-06T1100",
    ]


def test_an_engine_says_what_is_to_come(store: Store):
    """Soonest first; what failed is said with its error and when it is tried again."""
    office = visits(daily(), daily(id="office", every="1wd", at="09:00", calendar="cn_office"))
    for _ in range(2):  # before the first tick as after it
        coming = engine_at(store, MONDAY, office).coming_starts(MONDAY + DAY)
        assert [(one.start, one.due_at) for one in coming] == [
            ("office", MONDAY + HOUR),
            ("regular", MONDAY + timedelta(hours=8.5)),
        ]
        ticked(store, MONDAY, office)
    for_each(store, MONDAY, recipients_of())
    for_each(store, MONDAY + 9 * HOUR, recipients_of("wang", bad="wang"))
    failed, following = engine_at(store, MONDAY + 10 * HOUR, EACH).coming_starts(MONDAY + DAY + 10 * HOUR)
    assert "FieldError" in failed.error
    assert failed.retry_at == MONDAY + timedelta(hours=9, minutes=7, seconds=30)
    assert (following.occurrence, following.error, following.recipients) == (
        "2026-01-06T08:30",
        "",
        "residents",
    )


def test_days_that_no_calendar_covers_are_said_to_be_unknown(store: Store):
    """Nothing begins there and nothing is guessed; the last covered day is the last that is known."""
    office = visits(daily(calendar="cn_office"))
    end = datetime(2026, 12, 31, 4, 0, tzinfo=UTC)
    ticked(store, end, office)
    coming = engine_at(store, end, office).coming_starts(end + 30 * DAY)
    assert [(one.due_at, str(one.unknown_from)) for one in coming] == [(None, "2027-01-01")]
    assert ticked(store, end + 7 * DAY, office) == []


def test_a_wrong_registration_is_refused(store: Store):
    """A name that no regular start has, and what is no plain function."""
    engine = engine_at(store, MONDAY, EACH)

    async def residents(due_at: datetime) -> None: ...

    with pytest.raises(FieldError, match="residents"):
        engine.recipients("resident")(recipients_of())
    with pytest.raises(FieldError, match="plain function"):
        engine.recipients()(residents)


def test_an_instance_that_began_by_itself_is_verified(store: Store):
    """Journal, chain, rows and the table of positions agree."""
    ticked(store, MONDAY)
    (name,) = ticked(store, MONDAY + 2 * DAY + 9 * HOUR)
    engine = engine_at(store, MONDAY + 2 * DAY + 9 * HOUR)
    assert engine.verify().ok
    assert [type(fact) for fact in engine.journal(name)] == [Started, Deviated, Deviated]
