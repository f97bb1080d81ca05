"""Spans that owe nothing until their end is reached: if at all, then within."""

from __future__ import annotations

import attrs
import pytest
from timelimit_cases import CHIEF, WANG, Desk, at, procedure

from svcflow import Actor
from svcflow.checks import check
from svcflow.drawing.scene.from_procedure import scene_of
from svcflow.errors import DeclarationError
from svcflow.model.field import Field
from svcflow.model.limit import Extension, Rung, TimeLimit, Visits
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step, Transition

FIELDS = (Field("meeting", type="instant"), Field("kind", default="a"))


def declared(**limit: object) -> Procedure:
    """A decision against which an objection may be lodged, once or again after it was withdrawn."""
    span = TimeLimit(
        id="objection", **{"from_": "decided", "to": "objected", "within": "2wd", "if_reached": True, **limit}
    )
    return procedure(
        Step("decided", role="clerk", to=(Transition("object", "objected"), Transition("close", "closed"))),
        Step(
            "objected",
            to=(
                Transition("withdraw", "decided", kind="rework", at_most=9),
                Transition("again", "decided", kind="rework", clock="restart", at_most=9),
                Transition("uphold", "closed"),
            ),
        ),
        Step("closed", end="completed"),
        limits=(span,),
        fields=FIELDS,
    )


def decided(**limit: object) -> Desk:
    return Desk(declared(**limit), "03-02 09:00")


def found(desk: Desk) -> list[tuple[str, str, str, str]]:
    """Kind, step, when it occurred and how much it was over."""
    desk.engine.tick()
    deviations = desk.engine.deviations(instance=desk.id)
    return [(one.kind, one.step, desk.written(one.occurred_at), str(one.overrun)) for one in deviations]


def test_what_is_never_reached_is_no_breach_however_long_it_takes() -> None:
    """Neither while it runs nor at the end of the instance, which cancels it."""
    desk = decided().tick("03-20 09:00")
    assert (desk.state("objection"), desk.due("objection")) == ("lapsed", "03-04 17:30")
    assert str(desk.remaining("objection")) == "0:00:00"
    desk.fire("close", "04-20 09:00")
    assert found(desk) == []
    assert desk.state("objection") == "cancelled"


def test_reached_in_time_is_met_at_the_very_deadline_and_late_after_it() -> None:
    """The breach occurs when the end is reached, at the step where the span began, and is settled at once."""
    met = decided().fire("object", "03-04 17:30")
    assert (found(met), met.state("objection")) == ([], "met")
    desk = decided().fire("object", "03-05 10:30")
    assert found(desk) == [("overdue", "decided", "03-05 10:30", "2:00:00")]
    assert [fact.kind for fact in desk.facts()][-3:] == ["Moved", "Overdue", "Settled"]
    assert (desk.state("objection"), desk.due("objection")) == ("late", "03-04 17:30")


def test_work_is_not_due_by_what_nobody_owes() -> None:
    """No list of work shows the deadline, before it or after."""
    desk = decided()
    assert [item.due_at for item in desk.engine.worklist(role="clerk")] == [None]
    assert list(desk.engine.instances(due_before=at("04-01 09:00"))) == []


def test_a_late_end_is_recorded_once_for_each_visit() -> None:
    """Lodged again after a late one, the visit stays late and is settled anew; told apart, the next has its own time."""
    desk = decided().fire("object", "03-05 10:30").fire("withdraw", "03-05 11:30")
    assert desk.state("objection") == "overdue"
    desk.fire("object", "03-05 13:30")
    assert found(desk) == [("overdue", "decided", "03-05 10:30", "2:30:00")]
    for back, visits in (("again", "sum"), ("withdraw", "each")):
        desk = decided(visits=visits).fire("object", "03-05 10:30").fire(back, "03-05 11:30")
        assert (desk.state("objection"), desk.due("objection")) == ("running", "03-09 17:30")
        desk.fire("object", "03-10 09:30")
        assert [(one[2], one[3]) for one in found(desk)] == [
            ("03-05 10:30", "2:00:00"),
            ("03-10 09:30", "1:00:00"),
        ]
    desk = decided(visits="first").fire("object", "03-03 09:00").fire("withdraw", "03-03 10:00")
    assert found(desk.fire("object", "03-20 10:00")) == []


def reminding(visits: Visits) -> Procedure:
    """A step that `remind` leads back to, and ends the span that starts there."""
    span = TimeLimit(
        id="span", from_="work", to_trigger="remind", within="2wd", if_reached=True, visits=visits
    )
    ways = (
        Transition("remind", "work"),
        Transition("redo", "work", clock="restart"),
        Transition("finish", "end"),
    )
    return procedure(Step("work", to=ways), Step("end", end="completed"), limits=(span,))


def test_a_move_that_ends_the_span_and_begins_it_anew_is_judged_by_the_visit_it_ends() -> None:
    """The next visit is not late by it; what is begun anew before its end was reached leaves nothing to judge."""
    desk = Desk(reminding("each"), "03-02 09:00").fire("remind", "03-05 10:30")
    assert found(desk) == [("overdue", "work", "03-05 10:30", "2:00:00")]
    assert (desk.state("span"), desk.deadline("span").visit) == ("running", 2)
    desk.fire("redo", "03-20 10:30")
    assert len(found(desk)) == 1
    assert desk.deadline("span").visit == 3


def test_a_move_that_ends_the_span_and_goes_on_with_it_records_that_it_was_late() -> None:
    """Where visits add up the clock never rests, and yet the end was reached, once too late for good."""
    desk = Desk(reminding("sum"), "03-02 09:00").fire("remind", "03-03 10:30")
    assert (found(desk), desk.state("span")) == ([], "running")
    desk.fire("remind", "03-05 10:30")
    assert found(desk) == [("overdue", "work", "03-05 10:30", "2:00:00")]
    assert len(found(desk.fire("remind", "03-06 10:30"))) == 1


def test_a_late_record_of_a_timely_end_is_in_time() -> None:
    """What counts is when it was done."""
    desk = decided().fire("object", "03-20 10:00", occurred_at=at("03-04 17:00"))
    assert ([one[0] for one in found(desk)], desk.state("objection")) == (["late_record"], "met")


def test_holds_and_extensions_move_the_deadline_as_for_others() -> None:
    """A hold stops the time, an extension adds to it."""
    desk = decided().hold("03-03 10:00").resume("03-05 10:00")
    assert desk.due("objection") == "03-06 17:30"
    desk = decided(extension=Extension("3wd"))
    desk.go("03-03 10:00").engine.extend(desk.id, "objection", reason="asked", actor=CHIEF)
    assert desk.due("objection") == "03-09 17:30"
    assert found(desk.fire("object", "03-09 10:00")) == []
    lapsed = decided().hold("03-10 10:00")
    assert lapsed.state("objection") == "lapsed"
    assert found(lapsed.resume("03-12 10:00").fire("object", "03-12 11:00"))[0][0] == "overdue"


def test_warnings_are_given_and_nothing_else_is() -> None:
    """A warning says that the time runs out for what may still be done."""
    desk = decided(warn=[Rung("50%"), Rung("100%")]).tick("03-20 09:00")
    assert [kind for kind, _ in desk.told("Warned", "Overdue", "Escalated")] == ["Warned", "Warned"]
    desk.fire("object")
    assert [fact.kind for fact in desk.facts()][-3:] == ["Moved", "Overdue", "Settled"]


@pytest.mark.parametrize(
    ("limit", "in_time", "late"),
    [({"within": None, "by": "15:00", "day": 1}, "03-03 15:00", "03-03 15:01"),
     ({"within": None, "before": "meeting - 2h"}, "03-04 08:00", "03-04 08:01"),
     ({"within": None, "after": "meeting + 1wd"}, "03-05 17:30", "03-06 09:00")],
)  # fmt: skip
def test_clock_times_and_scheduled_instants_may_be_judged_when_reached(limit, in_time, late) -> None:
    """Every kind of deadline; without its instant there is nothing to be late for."""
    meeting = {"meeting": at("03-04 10:00").isoformat()} if "by" not in limit else {}
    for when, expected in ((in_time, []), (late, [("overdue", late)])):
        desk = Desk(declared(**limit), "03-02 09:00", data=meeting).fire("object", when)
        assert desk.deviations() == expected
    if meeting:
        assert Desk(declared(**limit), "03-02 09:00").fire("object", late).state("objection") == "cancelled"


@pytest.mark.parametrize(
    ("limit", "said"),
    [({"to": "end"}, "every step and procedure ends: if_reached is for a limit whose end may never be reached"),
     ({"from_": None, "to": None, "step": "decided"}, "every step and procedure ends"),
     ({"from_": None, "to": None}, "every step and procedure ends"),
     ({"escalate": [Rung("100%")]}, "with if_reached nothing is overdue until the end is reached"),
     ({"on_overdue": "close"}, "so there is no escalate or on_overdue; write warn, or leave if_reached out"),
     ({"within": None, "at_least": "1wd"}, "if_reached is not for at_least; use within, by, before or after"),
     ({"within": None, "every": "1wd", "done_by": "object"}, "if_reached is not for every")],
)  # fmt: skip
def test_if_reached_is_refused_where_it_says_nothing(limit, said) -> None:
    """By place, with what to write in its stead."""
    with pytest.raises(DeclarationError) as refused:
        declared(**limit)
    (problem,) = [one for one in refused.value.problems if one.path[-1] == "if_reached"]
    assert problem.path == ("limits", 0, "if_reached")
    assert said in str(refused.value)
    assert problem.message.zh
    assert problem.remedy.zh


def test_a_span_that_owes_nothing_times_no_step() -> None:
    """The steps it runs over still need limits of their own."""
    untimed = {one.path for one in check(declared()) if one.code == "step-without-limit"}
    timed = {one.path for one in check(declared(if_reached=False)) if one.code == "step-without-limit"}
    assert untimed - timed == {("steps", "decided")}


def test_a_span_that_owes_nothing_is_not_held_against_the_limits_of_its_steps() -> None:
    """A step may take longer than the time for objecting; that its end cannot be reached is found all the same."""
    sums = {"limit-below-shortest-way", "limit-below-longest-way", "span-without-way"}

    def codes(*limits: TimeLimit) -> set[str]:
        steps = attrs.evolve(declared().steps[0], within="9wd"), *declared().steps[1:]
        return sums & {one.code for one in check(attrs.evolve(declared(), steps=steps, limits=limits))}

    objection = declared().limits[0]
    assert codes(objection) == set()
    assert codes(attrs.evolve(objection, if_reached=False)) == {"limit-below-shortest-way"}
    assert codes(attrs.evolve(objection, from_="closed")) == {"span-without-way"}


def test_the_explanation_and_the_map_say_that_it_is_judged_when_reached() -> None:
    """Before the deadline, after it, and when it is reached too late."""
    lapsed = decided().tick("03-20 09:00")
    lines = lapsed.engine.explain(lapsed.id, "objection").text("en").splitlines()
    assert lines[0] == "objection: limit 2 working days, if reached at all"
    assert lines[-1] == "as of Fri 03-20 09:00: the time is over; it was not reached, which is no breach"
    late = decided().fire("object", "03-05 10:30")
    told = late.engine.explain(late.id, "objection")
    assert told.text("en").splitlines()[-2:] == [
        "Thu 03-05 10:30: ended, 2 h of open time late",
        "Thu 03-05 10:30: reached past its deadline, overdue",
    ]
    assert told.text("zh").splitlines()[-1] == "03-05 周四 10:30 到达时已过截止：超时"
    assert [(note.body.zh, note.body.en) for note in scene_of(declared(visits="each")).notes][:1] == [
        ("≤ 2个工作日；若到达才计，每次进入另计", "≤ 2 working days; if reached at all, each visit by itself")
    ]


def test_who_is_named_by_a_late_booking_stays_who_booked() -> None:
    """A deadline that had passed when its instant was booked is short notice of who booked it."""
    desk = Desk(declared(within=None, before="meeting - 4h"), "03-02 09:00")
    desk.update("03-02 10:00", meeting=at("03-02 13:00").isoformat())
    desk.fire("object", "03-02 11:00", actor=Actor("li", {"clerk"}))
    (one,) = desk.engine.deviations(instance=desk.id)
    assert (one.kind, one.actor) == ("short_notice", WANG.id)
