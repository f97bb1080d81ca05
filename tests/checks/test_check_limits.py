"""Limits against the limits inside them: what is reported, in which words, and that it is certain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from checks_declared import declared, end, fork, found, hour, move, paths, step
from hypothesis import assume, given
from hypothesis import strategies as st

from svcflow.checks import Finding
from svcflow.checks.path_weights import Length, WorkingDayLength, measures
from svcflow.model.amount import Amount
from svcflow.model.field import Field
from svcflow.model.limit import Row, TimeLimit
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step
from svcflow.worktime import WorkCalendar, shipped_calendar

SHORTEST, LONGEST = "limit-below-shortest-way", "limit-below-longest-way"
OFFICE = shipped_calendar("cn_office")
PRIORITY = Field("priority", type="choice", choices=["high", "low"], required=True)


def whole(within: object = None, **more: object) -> TimeLimit:
    return TimeLimit(id="whole", within=within, source="proposal", **more)


def line(*within: str | TimeLimit | None) -> list[Step]:
    """Steps s0, s1, … one after another, each with its limit, then the end."""
    names = [f"s{n}" for n in range(len(within))]
    limits = [w if isinstance(w, TimeLimit) or w is None else hour(w) for w in within]
    after = [*names[1:], "closed"]
    return [step(name, to, within=w) for name, to, w in zip(names, after, limits, strict=True)] + [end()]


def over(limit: TimeLimit, *steps: Step, **more: object) -> Procedure:
    return declared(*steps, limits=[limit], **more)


def only(procedure: Procedure, code: str, calendar: WorkCalendar | None = None) -> Finding:
    (finding,) = found(procedure, code, calendar=calendar)
    return finding


def test_the_message_names_the_way_the_sum_and_the_limit() -> None:
    """A reviewer reads what comes to what, without computing again."""
    finding = only(over(whole("24h"), *line("20h", "10h")), SHORTEST)
    assert finding.message.en == (
        "used up, the limits on the shortest way (s0 20h → s1 10h → closed) come to 30 h; the whole limit 'whole' is 24h"
    )
    assert finding.path == ("limits", 0)


def test_a_limit_just_kept_is_no_finding() -> None:
    """Met at the very deadline is met."""
    assert not found(over(whole("24h"), *line("20h", "4h")), SHORTEST)


def test_a_step_without_a_limit_counts_as_no_time() -> None:
    """What is not declared is not assumed."""
    assert not found(over(whole("24h"), *line("20h", None, "4h")), SHORTEST)


def test_only_the_longer_way_breaking_is_a_warning() -> None:
    """A limit that can be kept on the short way and not on the long one is a warning that names the long one."""
    procedure = over(whole("3h"), step("s0", "s1", "closed"), step("s1", "closed", within=hour("5h")), end())
    assert not found(procedure, SHORTEST)
    assert "s0 1h → s1 5h → closed" in only(procedure, LONGEST).message.en


def test_rework_does_not_lengthen_the_longest_way() -> None:
    """The longest way is without rework: how often work returns is bounded elsewhere."""
    back = move("back", "s0", kind="rework", at_most=1)
    assert not found(over(whole("2h"), step("s0", "s1"), step("s1", "closed", back), end()), LONGEST)


def test_a_step_entered_by_rework_only_is_not_on_the_longest_way() -> None:
    """Rework may lead to a step of its own; the way through it is left out as well."""
    again = move("again", "redo", kind="rework", at_most=1)
    steps = [step("s0", "closed", again), step("redo", "closed", within=hour("9h")), end()]
    assert not found(over(whole("2h"), *steps), LONGEST)
    plain = [step("s0", "closed", "redo"), step("redo", "closed", within=hour("9h")), end()]
    assert found(over(whole("2h"), *plain), LONGEST)


def test_the_whole_limit_times_no_single_step() -> None:
    """A limit over everything says nothing of one step, which is still without a limit."""
    assert found(over(whole("2h"), *line("1h", None)), "step-without-limit")


def test_a_limit_over_a_parallel_step_times_the_steps_of_its_branches() -> None:
    """Its own, or that of a span it lies in; without either they have none."""
    ended = end("ended", "done")

    def split(**more: object) -> list[Step]:
        return [
            fork(
                "both",
                move("done", "closed"),
                branches={"one": [step("a", "ended", within=None), ended]},
                **more,
            ),
            end(),
        ]

    assert found(declared(*split()), "step-without-limit")
    assert not found(declared(*split(within=hour())), "step-without-limit")
    span = TimeLimit(id="span", from_="both", to="closed", within="5h", source="proposal")
    assert not found(over(span, *split()), "step-without-limit")


def test_being_turned_down_early_does_not_make_the_limit_enough() -> None:
    """A whole limit is measured to completion, not to the quickest other end."""
    steps = [step("s0", "s1", "turned_down"), step("s1", "closed", within=hour("9h")), end()]
    assert found(over(whole("8h"), *steps, end("turned_down", "rejected")), SHORTEST)


def test_a_span_counts_from_entering_one_step_to_entering_the_other() -> None:
    """The step a span starts at is counted, the step it ends at is not."""
    span = TimeLimit(id="span", from_="s1", to="s2", within="5h", source="proposal")
    assert not found(over(span, *line("9h", "5h", "9h")), SHORTEST)
    assert found(over(span, *line("9h", "6h", "9h")), SHORTEST)


def test_a_wait_takes_nothing_from_a_limit_it_stops() -> None:
    """Waiting stops a limit that may be stopped; one that may not be stopped runs on."""
    wait = step("s1", "closed", within=None, waits="recipient", at_most="30h")
    assert not found(over(whole("24h"), step("s0", "s1"), wait, end()), SHORTEST)
    assert found(over(whole("24h", stoppable=False), step("s0", "s1"), wait, end()), SHORTEST)


def forked(room: str, food: str, **more: object) -> list[Step]:
    branches = {
        "room": [step("room", "room_done", within=hour(room)), end("room_done", "done")],
        "food": [step("food", "food_done", within=hour(food)), end("food_done", "done")],
    }
    return [fork("work", move("done", "closed"), branches=branches, **more), end()]


def test_the_longest_branch_counts_not_the_sum_of_branches() -> None:
    """Branches run side by side: two hours beside three are three."""
    assert not found(over(whole("3h"), *forked("2h", "3h")), SHORTEST)
    assert found(over(whole("3h"), *forked("2h", "4h")), SHORTEST)


def test_a_parallel_steps_own_limit_is_held_against_its_branches() -> None:
    """A limit on the parallel step that one of its branches breaks is found at that step."""
    procedure = declared(*forked("2h", "4h", within=hour("3h")))
    assert only(procedure, SHORTEST).path == ("steps", "work", "within")
    assert not found(declared(*forked("2h", "3h", within=hour("3h"))), SHORTEST)


def test_a_span_into_a_branch_counts_the_steps_of_that_branch() -> None:
    """A limit may start outside a branch and end inside it; the other branch is not in its way."""
    span = TimeLimit(id="span", from_="s0", to="room_done", within="2h", source="proposal")
    assert not found(over(span, step("s0", "work"), *forked("1h", "9h")), SHORTEST)
    assert found(over(span, step("s0", "work"), *forked("2h", "1h")), SHORTEST)


def test_a_span_out_of_a_branch_counts_what_follows_the_join() -> None:
    """A limit may start inside a branch and end after the branches have joined."""
    branches = {"room": [step("room", "room_done", within=hour("2h")), end("room_done", "done")]}
    steps = [
        fork("work", move("done", "s1"), branches=branches),
        step("s1", "s2"),
        step("s2", "closed"),
        end(),
    ]
    span = TimeLimit(id="span", from_="room", to="s2", within="2h", source="proposal")
    assert found(over(span, *steps), SHORTEST)
    wide = TimeLimit(id="span", from_="room", to="s2", within="3h", source="proposal")
    assert not found(over(wide, *steps), SHORTEST)


def test_a_span_between_two_branches_is_left_alone() -> None:
    """Branches of one parallel step have no order, so nothing can be said of the way between them."""
    span = TimeLimit(id="span", from_="room", to="food", within="1m", source="proposal")
    assert not paths(over(span, *forked("2h", "2h")), "span-without-way")


def test_a_span_that_ends_as_it_begins_is_found() -> None:
    """A parallel step is entered together with the first steps of its branches, however deep; not with later ones."""
    inner = {"p": [step("p", "p_end"), end("p_end", "done")], "q": [step("q", "q_end"), end("q_end", "done")]}
    deep = fork("deep", move("done", "x_end"), branches=inner)
    outer = {"x": [deep, end("x_end", "done")], "y": [step("y", "y_end"), end("y_end", "done")]}
    whole = fork("both", move("done", "closed"), branches=outer)

    def nothing(to: str) -> bool:
        span = TimeLimit(id="span", from_="both", to=to, within="5h", source="proposal")
        return bool(found(over(span, whole, end()), "span-of-nothing"))

    ends = ["deep", "p", "q", "y", "p_end", "x_end", "closed"]
    assert [name for name in ends if nothing(name)] == ["deep", "p", "q", "y"]


def rowed(high: str, low: str) -> TimeLimit:
    return TimeLimit(
        match=[
            Row(within=high, when='priority == "high"', source="proposal"),
            Row(within=low, source="proposal"),
        ]
    )


def test_matrices_are_compared_case_by_case() -> None:
    """Urgent steps are held against the urgent whole, ordinary ones against the ordinary whole."""
    fits = over(
        TimeLimit(id="whole", match=rowed("1h", "20h").match), *line(rowed("1h", "20h")), fields=[PRIORITY]
    )
    assert not found(fits, SHORTEST)
    tight = over(
        TimeLimit(id="whole", match=rowed("1h", "20h").match), *line(rowed("2h", "20h")), fields=[PRIORITY]
    )
    assert 'with priority = "high", used up' in only(tight, SHORTEST).message.en


def test_a_row_without_a_target_holds_nothing() -> None:
    """`no_target` rows are neither a limit to keep nor time that a step may take."""
    free = TimeLimit(id="whole", match=[Row(when='priority == "high"', no_target=True), Row(within="3h")])
    procedure = over(free, *line(rowed("9h", "3h")), fields=[PRIORITY])
    assert not found(procedure, SHORTEST)


def test_guards_that_cannot_be_sampled_leave_the_least_row() -> None:
    """Where rows cannot be told apart, only what breaks with every row is reported."""
    fee = Field("fee", type="number", required=True)
    odd = TimeLimit(
        match=[Row(within="9h", when="fee * 2 > 1", source="proposal"), Row(within="2h", source="proposal")]
    )
    assert not found(over(whole("2h"), *line(odd), fields=[fee]), SHORTEST)
    assert found(over(whole("1h"), *line(odd), fields=[fee]), SHORTEST)


@pytest.mark.parametrize(
    ("limit", "steps", "broken"),
    [
        ("24h", ["1wd"], False),  # a working day begun just before midnight ends within 24 h
        ("24h", ["1wd", "15m"], False),
        ("24h", ["2wd"], True),
        ("24h", ["1wd", "1wd"], True),
        ("24h", ["20wh", "5h"], True),
        ("8wh", ["30h"], False),  # a night may hold any number of plain hours
        ("8wh", ["2wd"], True),
        ("1wd", ["8wh", "8wh"], False),  # the day of the start has hours too
        ("1wd", ["9wh", "9wh"], True),
        ("3wd", ["2wd", "2h", "1wd"], False),
        ("3wd", ["2wd", "2h", "2wd"], True),
    ],
)
def test_clocks_are_compared_by_what_is_certain(limit: str, steps: list[str], broken: bool) -> None:  # noqa: FBT001  # a row of the table
    """Limits of different clocks are compared by the least a step may take, never by a rule of thumb."""
    assert bool(found(over(whole(limit), *line(*steps)), SHORTEST)) is broken


def test_a_figure_that_rests_on_the_hours_of_a_day_says_so() -> None:
    """Without a calendar a working day counts as 8 working hours; with one, its own hours count."""
    procedure = over(whole("15wh"), *line("2wd"), calendar="cn_office")
    assert "counting a working day as 8 working hours" in only(procedure, SHORTEST).message.en
    longer = over(whole("14wh"), *line("2wd"), calendar="cn_office")
    assert "with the hours of the calendar" in only(longer, SHORTEST, OFFICE).message.en
    assert not found(procedure, SHORTEST, calendar=OFFICE)


def test_on_a_calendar_always_open_working_time_is_plain_time() -> None:
    """Hours of a calendar that never closes are hours, and its working days are calendar days."""
    assert found(over(whole("8wh"), *line("9h"), calendar="always"), SHORTEST)
    assert not found(over(whole("8wh"), *line("9h")), SHORTEST)


def test_working_hours_of_two_calendars_do_not_add_up() -> None:
    """Time that is open in one calendar may be closed in the other."""
    other = TimeLimit(within="9wh", calendar="canteen", source="proposal")
    assert not found(over(whole("8wh"), *line(other)), SHORTEST)


def test_working_days_of_a_calendar_always_open_are_dates() -> None:
    """Each working day there moves the date on by one; plain hours move it by whole days only."""
    assert (
        "5 calendar days"
        in only(over(whole("4wd"), *line("2wd", "3wd"), calendar="always"), SHORTEST).message.en
    )
    assert found(over(whole("1wd"), *line("50h"), calendar="always"), SHORTEST)
    assert not found(over(whole("2wd"), *line("50h"), calendar="always"), SHORTEST)


def test_a_clock_without_a_measure_claims_nothing() -> None:
    """Months have no measure yet, so nothing is compared with them."""
    assert not list(measures(Length(Amount.parse("1mo"), "office"), WorkingDayLength()))


def test_other_calendars_give_nothing_to_a_limit_in_working_days() -> None:
    """Working days of another calendar may all fall on one working day of this one."""
    other = TimeLimit(within="9wd", calendar="canteen", source="proposal")
    assert not found(over(whole("2wd"), *line(other)), SHORTEST)


def test_a_limit_declared_apart_for_a_step_counts_as_the_steps_own() -> None:
    """`step:` under limits says how long a step may take, as `within` at the step does."""
    apart = TimeLimit(id="apart", step="s0", within="9h", source="proposal")
    procedure = declared(*line(None, "1h"), limits=[apart, whole("8h")])
    assert "s0 9h → s1 1h" in only(procedure, SHORTEST).message.en
    assert not found(procedure, "step-without-limit")


def test_a_step_row_without_a_target_counts_as_no_time() -> None:
    """Where a step has no target for the data at hand, nothing is added for it."""
    open_ended = TimeLimit(
        match=[
            Row(when='priority == "high"', no_target=True),
            Row(within="9h", source="proposal"),
        ]
    )
    procedure = over(whole("8h"), *line(open_ended), fields=[PRIORITY])
    assert 'priority = "low"' in only(procedure, SHORTEST).message.en


def test_a_long_way_is_shortened_in_the_message() -> None:
    """A message names the first steps and the last, and how many lie between."""
    finding = only(over(whole("2h"), *line(*["1h"] * 12)), SHORTEST)
    assert "s6 1h → … 5 … → closed" in finding.message.en


def test_more_cases_than_the_bound_are_judged_by_the_least_row() -> None:
    """Beyond the bound rows are not held together, so only what every row breaks is reported."""
    fields = [Field(f"f{n}", type="boolean", required=True) for n in range(8)]
    limits = [
        TimeLimit(
            match=[Row(within="2h", when=field.id, source="proposal"), Row(within="1h", source="proposal")]
        )
        for field in fields
    ]
    assert not found(over(whole("8h"), *line(*limits), fields=fields), SHORTEST)
    assert found(over(whole("7h"), *line(*limits), fields=fields), SHORTEST)


def test_branches_nested_in_branches_are_weighed_inside_out() -> None:
    """The inner parallel step weighs its longest branch, the outer one its own longest."""
    inner = fork(
        "inner",
        move("done", "room_done"),
        branches={"x": [step("x1", "x2", within=hour("4h")), end("x2", "done")]},
    )
    outer = fork("outer", move("done", "closed"), branches={"room": [inner, end("room_done", "done")]})
    assert found(over(whole("3h"), outer, end()), SHORTEST)
    assert not found(over(whole("4h"), outer, end()), SHORTEST)
    span = TimeLimit(id="span", from_="x1", to="closed", within="3h", source="proposal")
    assert found(over(span, outer, end()), SHORTEST)


AMOUNTS = st.one_of(
    st.integers(1, 60).map(lambda n: f"{n}h"),
    st.integers(1, 30).map(lambda n: f"{n}wh"),
    st.integers(1, 5).map(lambda n: f"{n}wd"),
)
STARTS = st.datetimes(datetime(2025, 1, 6), datetime(2026, 9, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001  # made aware beside it


def ends(start: datetime, amount: Amount) -> datetime:
    """When an amount is used up, by the calendar itself."""
    if amount.family == "working_days":
        return OFFICE.closing(OFFICE.nth_working_day(start.astimezone(OFFICE.timezone), amount.count))
    if amount.family == "working":
        return OFFICE.add(start, timedelta(microseconds=amount.us))
    return start + timedelta(microseconds=amount.us)


@given(
    limit=AMOUNTS,
    steps=st.lists(AMOUNTS, min_size=1, max_size=5),
    starts=st.lists(STARTS, min_size=5, max_size=5),
)
def test_what_is_reported_is_broken_whenever_an_instance_starts(
    limit: str, steps: list[str], starts: list[datetime]
) -> None:
    """A limit reported as broken on the shortest way is overrun from every start, when steps use theirs up."""
    procedure = over(whole(limit), *line(*steps), calendar="cn_office")
    assume(found(procedure, SHORTEST, calendar=OFFICE))
    for start in starts:
        at = start
        for amount in steps:
            at = ends(at, Amount.parse(amount))
        assert at > ends(start, Amount.parse(limit))


@given(limit=st.integers(1, 99), steps=st.lists(st.integers(1, 50), min_size=1, max_size=5))
@pytest.mark.parametrize("unit", ["h", "wh", "wd"])
def test_limits_of_one_clock_are_added_up_exactly(unit: str, limit: int, steps: list[int]) -> None:
    """Where all run on one clock, a finding is made exactly when the sum exceeds the limit."""
    procedure = over(whole(f"{limit}{unit}"), *line(*(f"{n}{unit}" for n in steps)))
    assert bool(found(procedure, SHORTEST)) == (sum(steps) > limit)
