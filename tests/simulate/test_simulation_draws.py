"""Random numbers, lengths of time, values of fields, and the way out of a step."""

from __future__ import annotations

import math
from collections import Counter
from statistics import fmean

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from simulate_cases import procedure, situation

from svcflow.kernel.facts import Moved
from svcflow.model.field import Field
from svcflow.model.scenario import Duration, Fixed, NumberDistribution, Shares
from svcflow.model.step import Step, Transition
from svcflow.simulate import simulate
from svcflow.simulate.field_values import value_sampler
from svcflow.simulate.sampling import Streams, sampler
from svcflow.worktime import shipped_calendar

MINUTE = 60_000_000
NUMBERS = [(k + 0.5) / 20_000 for k in range(20_000)]
SHAPES = {
    "constant": ({"value": "7m"}, 7.0),
    "exponential": ({"mean": "10m"}, 10.0),
    "uniform": ({"low": "2m", "high": "6m"}, 4.0),
    "triangular": ({"low": "2m", "mode": "3m", "high": "10m"}, 5.0),
    "lognormal": ({"median": "10m", "p95": "30m"}, 10 * math.exp((math.log(3) / 1.6448536) ** 2 / 2)),
}


@given(st.integers(), st.integers(1, 10**6), st.text(max_size=20), st.integers(1, 1_000))
def test_a_random_number_depends_on_its_name_only(seed, number, place, visit):
    """Asked twice it is the same; it lies strictly between 0 and 1, so that every inverse is finite."""
    drawn = Streams(seed).of(number, place, visit)
    assert drawn == Streams(seed).of(number, place, visit)
    assert all(0 < one < 1 for one in drawn)
    assert len(set(drawn)) == 8
    assert drawn != Streams(seed).of(number, place, visit + 1)
    assert drawn != Streams(seed + 1).of(number, place, visit)


def test_random_numbers_fill_their_range_evenly():
    """Each tenth gets its tenth, over instances as over the eight numbers of one draw."""
    streams = Streams(5)
    tenths = Counter(int(one * 10) for number in range(2_000) for one in streams.of(number, "serve"))
    assert (
        sum((count - 1_600) ** 2 / 1_600 for count in tenths.values()) < 27.9
    )  # chi-square, 9 degrees, 0.1 %


@pytest.mark.parametrize("name", SHAPES)
def test_a_length_of_time_has_the_declared_distribution(name):
    """The mean is that of the distribution, and a larger number never gives a shorter time."""
    parameters, mean = SHAPES[name]
    sample = sampler(Duration(distribution=name, **parameters))
    lengths = [sample(number) for number in NUMBERS]
    assert fmean(lengths) / MINUTE == pytest.approx(mean, rel=0.002)
    assert lengths == sorted(lengths)
    assert lengths[0] >= 0


def test_percentiles_are_where_they_were_declared():
    """The median and p95 of a lognormal time, the ends of a uniform and a triangular one."""
    lognormal = sampler(Duration(distribution="lognormal", median="10m", p95="30m"))
    assert lognormal(0.5) == 10 * MINUTE
    assert lognormal(0.95) == pytest.approx(30 * MINUTE, abs=1)
    triangular = sampler(Duration(distribution="triangular", low="2m", mode="3m", high="10m"))
    assert triangular(1 / 8) == 3 * MINUTE
    assert sampler(Duration(distribution="triangular", low="2m", mode="2m", high="2m"))(0.3) == 2 * MINUTE
    assert sampler(Duration(distribution="lognormal", median="2m", p95="2m"))(0.99) == 2 * MINUTE


FIELDS = st.one_of(
    st.builds(Field, st.just("f"), type=st.just("choice"), choices=st.just(("a", "b", "c"))),
    st.builds(Field, st.just("f"), type=st.sampled_from(["text", "boolean", "instant"])),
    st.builds(
        Field,
        st.just("f"),
        type=st.just("number"),
        minimum=st.none() | st.integers(-9, 9) | st.floats(-9, 9),
        maximum=st.none() | st.integers(10, 20) | st.floats(10, 20),
    ),
)


ALWAYS = shipped_calendar("always")
OFFICE = shipped_calendar("cn_office")
START = 1_767_000_000_000_000  # Mon 2025-12-29 17:20 in Shanghai
MANY = [(k + 0.5) / 300 for k in range(300)]


def drawn(field, mix=None, constants=(), calendar=ALWAYS, numbers=MANY):
    """Return what an evenly spread draw of the field gives."""
    sample = value_sampler(field, mix, constants, calendar)
    return [sample(number, START) for number in numbers]


CONSTANTS = st.lists(st.integers(-30, 30) | st.floats(-30, 30), max_size=3)


@given(FIELDS, CONSTANTS, st.floats(0, 1, exclude_min=True, exclude_max=True))
@example(Field("f", type="number", maximum=-5), [], 0.5)
@example(Field("f", type="number", minimum=0), [0], 0.001)
def test_every_value_that_is_drawn_is_one_the_field_accepts(field, constants, number):
    """Whatever the field allows and the guards name; drawing it is no way round its rules."""
    (value,) = drawn(field, constants=constants, numbers=[number])
    assert value is not None
    assert field.accept(value) == value


def test_choices_are_equally_likely_and_numbers_lie_on_both_sides_of_what_guards_name():
    """Three choices a third each; below, between and above the constants equally often; bounds are kept."""
    choice = Field("f", type="choice", choices=["a", "b", "c"])
    assert Counter(drawn(choice)) == {"a": 100, "b": 100, "c": 100}
    fee = Field("f", type="number", minimum=0)
    values = drawn(fee, constants=[200])
    assert (min(values), max(values)) == (0, 400)
    assert Counter(value > 200 for value in values) == {False: 150, True: 150}
    three = Counter((value > 10) + (value > 20) for value in drawn(fee, constants=[10, 20]))
    assert three == {0: 100, 1: 100, 2: 100}
    bounded = Field("f", type="number", minimum=1, maximum=3)
    assert Counter(drawn(bounded)) == {1: 100, 2: 100, 3: 100}
    assert set(drawn(Field("f", type="number"))) == {0}, "nothing depends on a number that no guard names"


def test_a_mix_gives_its_shares_and_one_value_is_that_value():
    """Keys are the values as a document writes them; a share of nothing never comes."""
    choice = Field("f", type="choice", choices=["a", "b", "c"])
    assert Counter(drawn(choice, Shares(of={"a": 1, "b": 0, "c": 3}))) == {"a": 75, "c": 225}
    wanted = Field("f", type="boolean")
    assert Counter(drawn(wanted, Shares(of={"true": 0.7, "false": 0.3}))) == {True: 210, False: 90}
    assert Counter(drawn(Field("f", type="number"), Shares(of={"1": 1, "2.5": 1}))) == {1: 150, 2.5: 150}
    assert set(drawn(Field("f"), Fixed(value="A-301"))) == {"A-301"}


def test_a_number_has_the_distribution_of_its_mix_within_the_bounds_of_its_field():
    """Half the fees lie below the median, 5 in 100 above p95; whole numbers by whole parameters."""
    fee = Field("f", type="number", minimum=0, maximum=1_000)
    values = drawn(fee, NumberDistribution(distribution="lognormal", median=120, p95=900), numbers=NUMBERS)
    assert sum(value <= 120 for value in values) / len(values) == pytest.approx(0.5, abs=0.005)
    assert sum(value <= 900 for value in values) / len(values) == pytest.approx(0.95, abs=0.001)
    assert all(isinstance(value, int) for value in values)
    assert max(values) == 1_000
    exact = drawn(Field("f", type="number"), NumberDistribution(distribution="uniform", low=0.5, high=1.5))
    assert all(value == round(value, 2) for value in exact)


def test_an_instant_comes_so_long_after_the_start_in_the_calendar_s_hours():
    """Two working hours after Monday 17:20 are Tuesday 10:20; an hour is an hour at any time."""
    visit = Field("f", type="instant")
    working = Duration(distribution="constant", value="2wh")
    assert drawn(visit, working, calendar=OFFICE, numbers=[0.5]) == ["2025-12-30T02:20:00+00:00"]
    elapsed = Duration(distribution="constant", value="1h")
    assert drawn(visit, elapsed, calendar=OFFICE, numbers=[0.5]) == ["2025-12-29T10:20:00+00:00"]


def ways(*transitions, exits=None, instances=4_000, **rest):
    """Return the share of instances whose first move was each trigger."""
    steps = (Step("serve", role="clerk", to=transitions, **rest), Step("other", end="cancelled"))
    back = Step("back", role="clerk", to=[Transition("again", "serve")])
    proc = procedure(*steps, back, fields=[Field("fee", type="number", minimum=0, maximum=99)])
    result = simulate(proc, instances, 9, scenario=situation(exits=exits, pools={}, serve="1m", back="1m"))
    first = [next(fact for fact in facts if isinstance(fact, Moved)) for facts in result.journals().values()]
    return {trigger: count / instances for trigger, count in Counter(fact.trigger for fact in first).items()}


def test_shares_decide_where_they_are_given():
    """They need not sum to 1, and what they leave out is not taken."""
    to = (Transition("a", "done"), Transition("b", "other"), Transition("c", "other"))
    shares = ways(*to, exits={"serve": {"a": 3, "b": 1}})
    assert shares == {"a": pytest.approx(0.75, abs=0.02), "b": pytest.approx(0.25, abs=0.02)}


def test_a_share_behind_a_closed_guard_goes_to_the_others():
    """Half the instances may take it at all, half of those do."""
    to = (Transition("a", "done"), Transition("b", "other", when="fee >= 50"))
    shares = ways(*to, exits={"serve": {"a": 1, "b": 1}})
    assert shares == {"a": pytest.approx(0.75, abs=0.03), "b": pytest.approx(0.25, abs=0.03)}


def test_without_shares_the_first_normal_transition_goes_before():
    """5 % exceptions, 5 % rework, and nine tenths of the rest by the first normal one."""
    to = (
        Transition("main", "done"),
        Transition("side", "other"),
        Transition("fail", "other", kind="exception"),
        Transition("redo", "back", kind="rework"),
    )
    shares = ways(*to)
    assert shares == {
        "main": pytest.approx(0.81, abs=0.02),
        "side": pytest.approx(0.09, abs=0.02),
        "fail": pytest.approx(0.05, abs=0.02),
        "redo": pytest.approx(0.05, abs=0.02),
    }


def test_without_shares_guards_decide():
    """The first transition whose guard holds is the main one."""
    to = (Transition("small", "done", when="fee < 50"), Transition("large", "other", when="fee >= 50"))
    assert ways(*to) == {"small": pytest.approx(0.5, abs=0.03), "large": pytest.approx(0.5, abs=0.03)}


def test_what_is_deemed_made_is_left_to_time_unless_it_is_the_normal_way():
    """Nobody fires `lapse` while another way is normal; `confirm` is fired, though it may be deemed too."""
    lapse = (Transition("rate", "done"), Transition("lapse", "other"))
    assert ways(*lapse, within="1d", on_overdue="lapse") == {"rate": 1}
    confirm = (Transition("confirm", "done"), Transition("redo", "back", kind="rework"))
    shares = ways(*confirm, within="1d", on_overdue="confirm")
    assert shares["confirm"] == pytest.approx(0.95, abs=0.02)


def test_bounded_rework_stops_at_its_bound_without_shares():
    """Nobody goes round a third time where twice is allowed and there is another way."""
    to = (Transition("finish", "done"), Transition("redo", "back", kind="rework", at_most=1))
    proc = procedure(
        Step("serve", role="clerk", to=to), Step("back", role="clerk", to=[Transition("again", "serve")])
    )
    result = simulate(proc, 2_000, 1, scenario=situation(pools={}, serve="1m", back="1m"))
    times = Counter(
        sum(fact.trigger == "redo" for fact in facts if isinstance(fact, Moved))
        for facts in result.journals().values()
    )
    assert set(times) == {0, 1}
    assert result.deviations == {}
    shared = simulate(
        proc,
        500,
        1,
        scenario=situation(pools={}, serve="1m", back="1m", exits={"serve": {"redo": 1, "finish": 1}}),
    )
    assert shared.deviations["rework_over_bound"] > 0


def test_rework_that_would_be_refused_is_not_tried():
    """A bound that refuses closes the way, whatever share the scenario gives it."""
    redo = Transition("redo", "back", kind="rework", at_most=1, enforce={"rework": "refuse"})
    proc = procedure(
        Step("serve", role="clerk", to=(Transition("finish", "done"), redo)),
        Step("back", role="clerk", to=[Transition("again", "serve")]),
    )
    exits = {"serve": {"redo": 99, "finish": 1}}
    result = simulate(proc, 50, 1, scenario=situation(pools={}, serve="1m", back="1m", exits=exits))
    assert result.ended == 50
    assert result.deviations == {}
