"""Spans that end when a trigger is fired, and spans that last to any end of the procedure."""

from __future__ import annotations

import pytest
from timelimit_cases import Desk, procedure

from svcflow.checks import check
from svcflow.drawing.scene.from_procedure import scene_of
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import Procedure
from svcflow.model.step import Branch, Step, Transition
from svcflow.text import Text


def declared(**limit: object) -> Procedure:
    """A case that is asked about, worked on with calls to the asker, and closed or turned down."""
    return procedure(
        Step("asked", to=(Transition("accept", "working"), Transition("refuse", "turned_down"))),
        Step(
            "working",
            within="9wh",
            to=(
                Transition("call", "working", name=Text("回访", "Call")),
                Transition("finish", "closed"),
                Transition("stop", "turned_down"),
            ),
        ),
        Step("closed", end="completed"),
        Step("turned_down", end="rejected"),
        limits=(TimeLimit(id="span", **{"within": "4wh", **limit}),),
    )


def started(**limit: object) -> Desk:
    return Desk(declared(from_="working", **limit), "03-02 08:30").fire("accept", "03-02 09:00")


def test_a_span_ends_when_its_trigger_is_fired() -> None:
    """By the move itself, whatever step it leads to; the last of the time allowed is still in time."""
    desk = started(to_trigger="call").fire("call", "03-02 14:30")
    assert (desk.state("span"), desk.due("span")) == ("running", "03-02 14:30")
    assert desk.deviations() == []
    desk = started(to_trigger="finish").fire("finish", "03-02 15:00")
    (found,) = desk.engine.deviations(instance=desk.id)
    assert (found.limit, desk.written(found.due_at), str(found.overrun)) == ("span", "03-02 14:30", "0:30:00")


def test_a_span_whose_trigger_leads_back_to_its_start_begins_again() -> None:
    """Its time goes on or begins anew, as `visits` says; told apart, each call is due four hours after the last."""
    for visits, due, state in (
        ("sum", "03-02 14:30", "running"),
        ("each", "03-02 15:30", "running"),
        ("first", "03-02 14:30", "met"),
    ):
        desk = started(to_trigger="call", visits=visits).fire("call", "03-02 10:00")
        assert (desk.due("span"), desk.state("span")) == (due, state), visits
    desk = started(to_trigger="call", visits="each").fire("call", "03-02 10:00").fire("call", "03-02 16:00")
    assert [one.visit for one in desk.engine.deviations(instance=desk.id)] == [2]


def test_an_end_without_the_trigger_cancels_the_span() -> None:
    """Nothing was reached: the span is neither met nor breached, unless it was late before."""
    assert started(to_trigger="call").fire("finish", "03-02 10:00").state("span") == "cancelled"
    assert started(to_trigger="call").fire("finish", "03-03 10:00").state("span") == "late"


@pytest.mark.parametrize("trigger", ["finish", "stop"])
def test_a_span_to_end_is_met_by_any_end(trigger: str) -> None:
    """Completed or not: what counts is that the instance ended in time."""
    assert started(to="end").fire(trigger, "03-02 14:30").state("span") == "met"
    desk = started(to="end").fire(trigger, "03-02 15:30")
    assert desk.state("span") == "late"
    assert [str(one.overrun) for one in desk.engine.deviations(instance=desk.id)] == ["1:00:00"]


def test_a_minimum_to_any_end_may_be_too_short() -> None:
    """An end before the least time is too early, as that of a whole procedure."""
    desk = started(to="end", within=None, at_least="4wh").fire("stop", "03-02 10:00")
    assert desk.deviations() == [("too_early", "03-02 10:00")]


def test_a_step_called_end_is_that_step() -> None:
    """Only without one does the word mean every end."""
    ends = (Step("end", end="completed"), Step("off", end="cancelled"))
    work = Step("work", to=(Transition("finish", "end"), Transition("drop", "off")))
    span = TimeLimit(id="span", from_="work", to="end", within="4wh")
    desk = Desk(procedure(work, *ends, limits=(span,)), "03-02 09:00").fire("drop", "03-02 10:00")
    assert desk.state("span") == "cancelled"


def in_branches(limit: TimeLimit) -> Procedure:
    """Two branches of two hours each; the first has a trigger `signal` before its end."""
    return procedure(
        Step("asked", within="1wh", to=(Transition("go", "both"),)),
        Step(
            "both",
            parallel=(
                Branch(
                    "a", (Step("a1", within="2wh", to=(Transition("signal", "a2"),)), Step("a2", end="done"))
                ),
                Branch(
                    "b", (Step("b1", within="9wh", to=(Transition("ready", "b2"),)), Step("b2", end="done"))
                ),
            ),
            to=(Transition("done", "after"),),
        ),
        Step("after", within="2wh", to=(Transition("close", "closed"),)),
        Step("closed", end="completed"),
        limits=(limit,),
    )


def test_a_trigger_in_a_branch_ends_a_span_from_outside_it() -> None:
    """And `done` may end one: it is fired when the last branch has ended."""
    signal = TimeLimit(id="span", from_="asked", to_trigger="signal", within="4wh")
    desk = Desk(in_branches(signal), "03-02 08:30").fire("go", "03-02 09:00").fire("signal", "03-02 10:00")
    assert desk.state("span") == "met"
    done = TimeLimit(id="span", from_="asked", to_trigger="done", within="4wh")
    desk = Desk(in_branches(done), "03-02 08:30").fire("go", "03-02 09:00").fire("signal", "03-02 10:00")
    assert desk.state("span") == "running"
    assert desk.fire("ready", "03-02 11:00").state("span") == "met"


@pytest.mark.parametrize(
    ("limit", "enough", "short"),
    [({"from_": "asked", "to_trigger": "signal"}, "3wh", "2wh"),
     ({"from_": "asked", "to_trigger": "done"}, "10wh", "9wh"),
     ({"from_": "both", "to_trigger": "close"}, "11wh", "10wh"),
     ({"from_": "after", "to": "end"}, "2wh", "1wh"),
     ({"from_": "a1", "to": "end"}, "4wh", "3wh")],
)  # fmt: skip
def test_the_steps_before_the_trigger_are_weighed(limit, enough, short) -> None:
    """What the steps may take on the way to the trigger or the end is held against the span."""

    def found(within: str) -> set[str]:
        codes = {one.code for one in check(in_branches(TimeLimit(id="span", within=within, **limit)))}
        return codes & {"limit-below-shortest-way", "span-without-way"}

    assert found(enough) == set()
    assert found(short) == {"limit-below-shortest-way"}


def test_steps_on_the_way_to_a_trigger_or_end_are_timed_by_the_span() -> None:
    """No limit of their own is missed there."""
    for limit in ({"to_trigger": "call"}, {"to": "end"}):
        shown = {
            one.path for one in check(declared(from_="asked", **limit)) if one.code == "step-without-limit"
        }
        assert ("steps", "asked") not in shown, limit


def test_the_map_and_the_explanation_say_where_the_span_ends() -> None:
    """A trigger by its name in quotes, any end as the end."""
    heads = [note.head for note in scene_of(declared(from_="working", to_trigger="call")).notes][:1]
    assert [(head.zh, head.en) for head in heads] == [
        ("span（P2 working → “回访”）", "span (P2 working → “Call”)")
    ]
    heads = [note.head for note in scene_of(declared(from_="working", to="end")).notes][:1]
    assert [(head.zh, head.en) for head in heads] == [
        ("span（P2 working → 结束）", "span (P2 working → end)")
    ]
    desk = started(to_trigger="finish").fire("finish", "03-02 10:00")
    first, *_, last = desk.engine.explain(desk.id, "span").lines
    assert first.text("en").endswith("started, 'working' was entered")
    assert last.text("en").endswith("ended, in time, 3 h of open time to spare")
