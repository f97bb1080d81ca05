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
from svcflow.model.scenario import Duration
from svcflow.model.step import Step, Transition
from svcflow.simulate import simulate
from svcflow.simulate.sampling import NUMBER_SPAN, Streams, sampler, value_of

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


@given(FIELDS, st.floats(0, 1, exclude_min=True, exclude_max=True))
@example(Field("f", type="number", maximum=-5), 0.5)
def test_every_value_that_is_drawn_is_one_the_field_accepts(field, number):
    """Whatever the field allows; drawing it is no way round its rules."""
    value = value_of(field, number, 1_767_000_000_000_000)
    assert value is not None
    assert field.accept(value) == value


def test_choices_are_equally_likely_and_numbers_spread_over_their_range():
    """Three choices a third each; whole numbers where the bounds are whole, both ends included."""
    choice = Field("f", type="choice", choices=["a", "b", "c"])
    assert Counter(value_of(choice, (k + 0.5) / 300, 0) for k in range(300)) == {"a": 100, "b": 100, "c": 100}
    number = Field("f", type="number", minimum=1, maximum=3)
    assert Counter(value_of(number, (k + 0.5) / 300, 0) for k in range(300)) == {1: 100, 2: 100, 3: 100}
    assert value_of(Field("f", type="number"), 0.9999, 0) == NUMBER_SPAN


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
