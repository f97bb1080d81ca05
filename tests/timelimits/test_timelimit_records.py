"""What is on record about time: extensions, deemed moves, holds, late records, recomputed deadlines, versions."""

from __future__ import annotations

from datetime import date, timedelta

import attrs
import pytest
from timelimit_cases import CHIEF, HOUR, MICRO, WANG, Desk, at, booked, procedure, work

from svcflow import Catalog, Engine, VirtualClock
from svcflow.errors import Refused
from svcflow.model.field import Field
from svcflow.model.limit import Extension, Row, TimeLimit
from svcflow.model.procedure import HoldRule
from svcflow.model.step import Step, Transition
from svcflow.model.yaml.document import Document
from svcflow.store.memory.store import MemoryStore
from svcflow.worktime import shipped_calendar

PROLONGED = TimeLimit(within="3wd", extension=Extension("2wd", role="chief", evidence=("notice",)))


def extend(desk: Desk, when: str, **more: object) -> Desk:
    given = {"reason": "外地核实", "actor": CHIEF, "evidence": {"notice": "n-1"}, **more}
    desk.go(when).engine.extend(desk.id, "work", **given)
    return desk


def test_an_extension_prolongs_once_and_keeps_the_first_deadline() -> None:
    """Two more working days; the journal still shows what was due before."""
    desk = extend(Desk(work(PROLONGED), "03-02 09:00"), "03-04 10:00")
    assert desk.due() == "03-09 17:30"
    fact = desk.facts("Extended")[0]
    assert fact.was_us == _us("03-05 17:30")
    assert (fact.reason, fact.actor) == ("外地核实", "zhao")
    with pytest.raises(Refused, match="once already"):
        extend(desk, "03-04 11:00")


def _us(written: str) -> int:
    return round(at(written).timestamp() * 1_000_000)


def test_an_extension_is_asked_before_the_deadline() -> None:
    """At the deadline still, a microsecond later no more: the original verdict stays."""
    assert extend(Desk(work(PROLONGED), "03-02 09:00"), at("03-05 17:30")).due() == "03-09 17:30"
    late = Desk(work(PROLONGED), "03-02 09:00")
    with pytest.raises(Refused, match="overdue"):
        extend(late, at("03-05 17:30") + MICRO)
    assert late.deviations() == [("overdue", "03-05 17:30")]


@pytest.mark.parametrize(
    ("more", "message"),
    [({"actor": WANG}, "to grant"), ({"evidence": {}}, "owes evidence: notice")],
)
def test_an_extension_is_for_its_role_with_its_evidence(more: dict[str, object], message: str) -> None:
    """Who may grant it and what must be shown are declared."""
    desk = Desk(work(PROLONGED), "03-02 09:00")
    with pytest.raises(Refused, match=message) as refused:
        extend(desk, "03-03 10:00", **more)
    assert refused.value.rule == "extension"
    assert desk.due() == "03-05 17:30"


def test_a_limit_without_extension_has_none() -> None:
    """Not declared, not granted."""
    with pytest.raises(Refused, match="has no extension"):
        extend(Desk(work("3wd"), "03-02 09:00"), "03-03 10:00")


def test_a_limit_that_there_is_not_is_told_with_the_nearest() -> None:
    """A misspelt limit is refused by the same rule, not as one that declares no extension."""
    desk = Desk(work(PROLONGED), "03-02 09:00")
    with pytest.raises(Refused, match=r"procedure .* has no limit 'wrok'; did you mean work") as refused:
        desk.engine.extend(desk.id, "wrok", reason="外地核实", actor=CHIEF)
    assert refused.value.rule == "extension"
    assert "没有时限“wrok”；是否指 work？" in refused.value.text("zh")
    assert desk.due() == "03-05 17:30"


def test_an_extension_in_a_hold_shows_what_would_have_been_due() -> None:
    """While held there is no deadline; the journal keeps the one it would have had, running on at once."""
    desk = extend(Desk(work(PROLONGED), "03-02 09:00").hold("03-03 10:00"), "03-03 11:00")
    assert desk.facts("Extended")[0].was_us == _us("03-05 17:30")
    assert desk.resume("03-03 12:00").due() == "03-09 17:30"


def test_a_deemed_move_is_late_though_it_comes_at_the_deadline() -> None:
    """What the system deems done at the deadline was not done by anybody: overdue, settled, not annulled."""
    step = Step("check", within="2wh", on_overdue="confirm", to=(Transition("confirm", "end"),))
    desk = Desk(procedure(step, Step("end", end="completed")), "03-02 09:00").tick("03-02 15:00")
    assert desk.told("Overdue", "Moved", "Settled") == [
        (kind, "03-02 11:00") for kind in ("Overdue", "Moved", "Settled")
    ]
    assert desk.state("check") == "late"
    one = desk.engine.deviations()[0]
    assert (one.overrun, one.annulled) == (timedelta(0), False)
    assert desk.engine.instance(desk.id).status == "ended"


# holds


def held(*rules: HoldRule) -> Desk:
    return Desk(work("4wh", holds=rules), "03-02 09:00")


def test_a_hold_has_a_reason_of_the_list_and_owes_its_evidence() -> None:
    """Only declared reasons; evidence that the recipient was told (行政许可法 §45)."""
    desk = held(HoldRule("recipient", at_most="2wd", evidence=("notice",)), HoldRule("statutory"))
    with pytest.raises(Refused, match="no reason to hold"):
        desk.hold("03-02 09:10", reason="third_party")
    with pytest.raises(Refused, match="owes evidence: notice"):
        desk.hold("03-02 09:20", reason="recipient")
    desk.hold("03-02 10:00", reason="recipient", evidence={"notice": "n-1"})
    assert (desk.state(), desk.remaining()) == ("paused", 3 * HOUR)
    assert desk.due("hold.recipient") == "03-04 17:30"


def test_a_hold_past_its_cap_is_long_wait_each_time() -> None:
    """Each hold has the whole of its cap; the deviation has a kind of its own and the limit is not overdue."""
    desk = held(HoldRule("third_party", at_most="4wh"))
    desk.hold("03-02 10:00").resume("03-02 16:00").hold("03-03 09:00").resume("03-03 11:00")
    assert desk.deviations() == [("long_wait", "03-02 15:30")]
    desk.hold("03-03 11:30").resume("03-04 09:30")
    assert desk.deviations() == [("long_wait", "03-02 15:30"), ("long_wait", "03-03 17:00")]
    assert [one.overrun for one in desk.engine.deviations()] == [HOUR / 2, 1.5 * HOUR]
    assert desk.state() == "running"


def test_a_hold_at_the_very_deadline_saves_nothing() -> None:
    """◇ The time was used up at it; a pause that stops no counted time changes nothing."""
    desk = Desk(work("2wh"), "03-02 09:00").hold("03-02 11:00")
    assert desk.deviations() == []
    desk.go(at("03-02 11:00") + MICRO)
    assert desk.deviations() == [("overdue", "03-02 11:00")]


# late records


def late(within: str, occurred: str, recorded: str, **more: object) -> Desk:
    return Desk(work(within, **more), "03-02 09:00").fire("finish", recorded, occurred_at=at(occurred))


def test_a_record_within_the_tolerance_is_no_deviation() -> None:
    """Written down an hour later where two are allowed; beyond it `late_record`, with by how much."""
    assert late("4wh", "03-02 10:00", "03-02 11:00", late_after="2h").deviations() == []
    desk = late("4wh", "03-02 10:00", "03-02 12:30", late_after="2h")
    assert [kind for kind, _ in desk.deviations()] == ["late_record"]
    assert desk.engine.deviations()[0].detail == {"late_us": 150 * 60_000_000}


def test_a_limit_is_judged_by_when_it_happened() -> None:
    """In time though recorded late: annulled and kept. Late by its own instant: the overrun is up to that."""
    met = late("2wh", "03-02 11:00", "03-02 16:00", late_after="1d")
    assert (met.state(), met.deviations()) == ("met", [("overdue", "03-02 11:00")])
    one = met.engine.deviations()[0]
    assert (one.annulled, one.overrun) == (True, timedelta(0))
    missed = late("2wh", "03-02 11:30", "03-02 16:00", late_after="1d")
    assert missed.state() == "late"
    assert [(one.annulled, one.overrun) for one in missed.engine.deviations()] == [(False, HOUR / 2)]


def test_late_in_closed_hours_is_late_by_nothing_and_not_annulled() -> None:
    """Due at 17:30 and done at 20:00: no working time was overrun, but the deadline was."""
    desk = Desk(work("3wd"), "03-02 09:00").fire("finish", "03-05 20:00")
    one = desk.engine.deviations()[0]
    assert (desk.state(), one.overrun, one.annulled) == ("late", timedelta(0), False)


@pytest.mark.parametrize("occurred", ["03-02 08:59", "03-02 12:01"])
def test_what_cannot_have_happened_then_is_refused(occurred: str) -> None:
    """Before the instance's last change, or in the future."""
    desk = Desk(work("2wh"), "03-02 09:00").go("03-02 12:00")
    with pytest.raises(Refused) as refused:
        desk.fire("finish", occurred_at=at(occurred))
    assert refused.value.rule == "occurred_at"
    assert desk.state() == "overdue"


def test_an_annulled_breach_can_be_breached_again() -> None:
    """Work that comes back goes on with what was left, and its real breach is recorded with the real overrun."""
    declared = procedure(
        Step("work", within="4wh", to=(Transition("send", "check"),)),
        Step("check", to=(Transition("back", "work"), Transition("done", "end"))),
        Step("end", end="completed"),
        late_after="5d",
    )
    desk = Desk(declared, "03-02 09:00").fire("send", "03-02 17:00", occurred_at=at("03-02 11:00"))
    desk.fire("back", "03-03 09:00")
    assert (desk.state(), desk.due()) == ("running", "03-03 11:00")
    desk.fire("send", "03-03 14:30")
    found = desk.engine.deviations()
    assert [(one.kind, one.due_at, one.annulled, one.overrun) for one in found] == [
        ("overdue", at("03-02 14:30"), True, timedelta(0)),
        ("overdue", at("03-03 11:00"), False, 2 * HOUR),
    ]


def test_a_miss_that_was_none_is_annulled() -> None:
    """Tea served at 09:10 but written down at 09:40: the misses of 09:15 and 09:30 are annulled, that of 09:25 is one."""
    declared = work(TimeLimit(every="15m", done_by="tea"), late_after="1h")
    desk = Desk(declared, "03-02 09:00").fire("tea", "03-02 09:40", occurred_at=at("03-02 09:10"))
    assert sorted((one.occurred_at, one.annulled) for one in desk.engine.deviations()) == [
        (at("03-02 09:15"), True),
        (at("03-02 09:25"), False),
        (at("03-02 09:30"), True),
    ]
    assert (desk.state(), desk.due()) == ("running", "03-02 09:40")
    gone = Desk(declared, "03-02 09:00").fire("finish", "03-02 09:40", occurred_at=at("03-02 09:20"))
    assert [one.annulled for one in gone.engine.deviations()] == [False, True]


@pytest.mark.parametrize(
    ("every", "occurred", "recorded", "annulled", "missed"),
    [
        ("2wh", "03-02 10:00", "03-02 17:00", ["03-02 11:00", "03-02 14:30", "03-02 16:30"], ["03-02 12:00", "03-02 15:30"]),
        ("1wd", "03-03 17:00", "03-06 09:00", ["03-03 17:30", "03-04 17:30", "03-05 17:30"], ["03-04 17:30", "03-05 17:30"]),
    ],
)  # fmt: skip
def test_misses_in_open_time_and_days_are_annulled_too(
    every: str, occurred: str, recorded: str, annulled: list[str], missed: list[str]
) -> None:
    """The intervals are followed back by the calendar, over noon and night."""
    desk = Desk(work(TimeLimit(every=every, done_by="tea"), late_after="9d"), "03-02 09:00")
    desk.fire("tea", recorded, occurred_at=at(occurred))
    found = desk.engine.deviations()
    assert sorted(desk.written(one.occurred_at) for one in found if one.annulled) == annulled
    assert sorted(desk.written(one.occurred_at) for one in found if not one.annulled) == missed


# calendars and versions


def published(last: str, *off: str) -> dict[str, object]:
    mapping = shipped_calendar("cn_office").to_mapping()
    holidays = [run for run in mapping["holidays"] if run["date"].year == 2026]
    holidays += [{"date": date.fromisoformat(day), "name": "元旦"} for day in off]
    return {
        **mapping,
        "calendar": "unit",
        "covers": {"from": date(2026, 1, 1), "to": date.fromisoformat(last)},
        "holidays": holidays,
        "makeup": [run for run in mapping["makeup"] if run["date"].year == 2026],
    }


def engine_on(
    store: MemoryStore, clock: VirtualClock, calendar: dict[str, object], *declared: object
) -> Engine:
    catalog = Catalog({(p.id, p.version): p for p in declared}, {"unit": Document(calendar, "", {})})
    return Engine(store, catalog, clock=clock)


def test_a_provisional_deadline_is_recomputed_when_the_year_is_published() -> None:
    """Both deadlines stay on record; those that did not change are left alone; asked again, nothing happens."""
    store, clock = MemoryStore(), VirtualClock(at("12-30 10:00"))
    declared = work(TimeLimit(within="3wd", warn=["50%"]), calendar="unit")
    before = engine_on(store, clock, published("2026-12-31"), declared)
    far = before.start("sample", actor=WANG).id
    assert before.deadlines(far)[0].provisional
    clock.move_to(at("12-31 09:00"))
    after = engine_on(store, clock, published("2027-12-31", "2027-01-01"), declared)
    assert after.deadlines(far)[0].due_at == at("2027-01-04 17:30")
    facts = after.recompute(reason="2027 年安排已公布", actor=CHIEF)
    assert [(fact.kind, fact.was_us, fact.due_us, fact.actor) for fact in facts] == [
        ("Recomputed", _us("2027-01-04 17:30"), _us("2027-01-05 17:30"), "zhao")
    ]
    deadline = after.deadlines(far)[0]
    assert (deadline.due_at, deadline.provisional) == (at("2027-01-05 17:30"), False)
    assert after.recompute(reason="again") == ()
    assert after.verify().ok


def test_a_breach_stays_one_of_the_calendar_it_was_one_of() -> None:
    """What was overdue before a correction is not recomputed."""
    store, clock = MemoryStore(), VirtualClock(at("12-31 10:00"))
    declared = work("1wd", calendar="unit")
    before = engine_on(store, clock, published("2026-12-31"), declared)
    name = before.start("sample").id
    clock.move_to(at("2027-01-02 09:00"))
    before.tick()
    after = engine_on(store, clock, published("2027-12-31", "2027-01-01"), declared)
    assert after.recompute(reason="published") == ()
    assert after.deadlines(name)[0].due_at == at("2027-01-01 17:30")


def test_a_change_of_policy_holds_for_new_instances_only() -> None:
    """A version with a shorter limit leaves what runs under the old one alone."""
    store, clock = MemoryStore(), VirtualClock(at("03-02 09:00"))
    old = work("3wd", calendar="unit")
    engine = engine_on(store, clock, published("2026-12-31"), old)
    first = engine.start("sample").id
    new = attrs.evolve(work("1wd", calendar="unit"), version=2, fields=(), roles=())
    engine = engine_on(store, clock, published("2026-12-31"), old, new)
    second = engine.start("sample").id
    assert engine.recompute(reason="policy") == ()
    assert engine.deadlines(first)[0].due_at == at("03-05 17:30")
    assert engine.deadlines(second)[0].due_at == at("03-03 17:30")


def test_a_version_not_in_force_yet_cannot_be_started() -> None:
    """Refused until its effective date begins, in the calendar's own zone."""
    declared = work("1wd", effective=date(2026, 3, 3))
    with pytest.raises(Refused) as refused:
        Desk(declared, at("03-03 00:00") - MICRO)
    assert refused.value.rule == "effective"
    assert "2026-03-03" in refused.value.text("zh")
    assert Desk(declared, "03-03 00:00").state() == "running"


def test_rungs_fire_once_in_each_visit() -> None:
    """Bounced work is not warned of twice; a restarted visit is warned of anew."""
    for clock, warned in (("continue", 1), ("restart", 2)):
        declared = procedure(
            Step("work", within=TimeLimit(within="4wh", warn=["50%"]), to=(Transition("send", "check"),)),
            Step("check", to=(Transition("back", "work", clock=clock), Transition("done", "end"))),
            Step("end", end="completed"),
        )
        desk = Desk(declared, "03-02 09:00").fire("send", "03-02 11:30").fire("back", "03-02 13:30")
        desk.tick("03-02 16:00")
        assert len(desk.facts("Warned")) == warned


def test_a_visit_that_is_restarted_settles_the_one_it_ends() -> None:
    """Overdue, sent round with `restart`: the old visit's overrun is known, the new one begins."""
    declared = procedure(
        Step(
            "work", within="2wh", to=(Transition("again", "work", clock="restart"), Transition("done", "end"))
        ),
        Step("end", end="completed"),
    )
    desk = Desk(declared, "03-02 09:00").fire("again", "03-02 11:30")
    assert [(one.visit, one.overrun) for one in desk.engine.deviations()] == [(1, HOUR / 2)]
    assert (desk.due(), desk.deadline().visit) == ("03-02 15:00", 2)


def test_the_meeting_of_another_instance_is_its_own() -> None:
    """A command on one instance touches no other's deadline."""
    desk = Desk(
        booked(TimeLimit(before="meeting - 1h")),
        "03-02 09:00",
        data={"meeting": at("03-02 16:00").isoformat()},
    )
    other = desk.engine.start("sample", data={"meeting": at("03-02 16:00").isoformat()}).id
    desk.reschedule("03-02 10:00", "03-03 10:00")
    assert desk.engine.deadlines(other)[0].due_at == at("03-02 15:00")


def test_a_limit_without_a_target_is_not_extended() -> None:
    """There is no deadline to put off, and none is made up; once there is a target, it is extended."""
    rows = (Row("3wd", when="real"), Row(no_target=True))
    declared = work(
        TimeLimit(match=rows, extension=Extension("2wd")),
        fields=(Field("real", type="boolean", default=False),),
    )
    desk = Desk(declared, "03-02 09:00")
    with pytest.raises(Refused, match="no target now") as refused:
        extend(desk, "03-02 10:00")
    assert refused.value.rule == "extension"
    assert desk.engine.explain(desk.id, "work").text("zh").splitlines() == [
        "work：不设时限",
        "2026-03-02 周一 09:00 起算：进入“work”",
    ]
    desk.update("03-02 11:00", real=True)
    extend(desk, "03-02 12:00")
    assert desk.due() == "03-09 17:30"
