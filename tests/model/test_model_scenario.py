"""Scenarios: distributions with units, checked when they are read."""

from __future__ import annotations

import pytest

from svcflow.errors import DeclarationError
from svcflow.model.amount import Amount
from svcflow.model.scenario import Branching, Duration, Fixed, NumberDistribution, Pool, Scenario, Shares
from svcflow.model.yaml.document import parse_document
from svcflow.model.yaml.parse import by_kind, structure


def load(written: str) -> Scenario:
    return parse_document(written).build(lambda data: structure(by_kind(data, "scenario"), Scenario))


WRITTEN = """\
scenario: busy
procedure: repair
name: {zh: 繁忙, en: Busy}
arrivals: {between: {distribution: exponential, mean: 5wm}, calendar: cn_office}
durations:
  a: 30m
  b: {distribution: uniform, low: 1h, high: 2h}
exits: {a: {go: 0.9, stop: 1}}
fields:
  priority: {emergency: 0.1, normal: 0.9}
  tea: {true: 0.7, false: 0.3}
  fee: {distribution: lognormal, median: 120, p95: 900}
  visit_at: {distribution: exponential, mean: 8wh}
  place: A-301
pools: {clerk: {capacity: 2}}
stated: 建议值
"""


def test_a_scenario_is_read_with_its_short_forms():
    """`30m` is a constant time; shares are numbers."""
    scenario = load(WRITTEN)
    assert scenario.durations["a"] == Duration(distribution="constant", value="30m")
    assert scenario.durations["b"].parameters == {"low": Amount(1, "h"), "high": Amount(2, "h")}
    assert scenario.exits["a"] == Branching(shares={"go": 0.9, "stop": 1.0})
    assert scenario.pools["clerk"] == Pool(capacity=2)
    assert scenario.fields == {
        "priority": Shares(of={"emergency": 0.1, "normal": 0.9}),
        "tea": Shares(of={"true": 0.7, "false": 0.3}),
        "fee": NumberDistribution(distribution="lognormal", median=120, p95=900),
        "visit_at": Duration(distribution="exponential", mean="8wh"),
        "place": Fixed(value="A-301"),
    }
    assert scenario.arrivals.between.working
    assert not scenario.durations["a"].working


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"distribution": "constant"}, "takes exactly value"),
        ({"distribution": "exponential", "value": "3h"}, "takes exactly mean"),
        ({"distribution": "uniform", "low": "1h", "high": "2h", "mean": "1h"}, "takes exactly high, low"),
        ({"distribution": "uniform", "low": "1h", "high": "2wh"}, "all in m h d or all in wm wh"),
        ({"distribution": "constant", "value": "2wd"}, "all in m h d or all in wm wh"),
        ({"distribution": "uniform", "low": "2h", "high": "1h"}, "must rise"),
        ({"distribution": "triangular", "low": "1h", "mode": "3h", "high": "2h"}, "must rise"),
        ({"distribution": "lognormal", "median": "2h", "p95": "1h"}, "must rise"),
        ({"distribution": "lognormal", "median": "0h", "p95": "1h"}, "must rise"),
    ],
)
def test_wrong_parameters_of_a_distribution_are_refused(parameters, said):
    """A parameter that is missing, foreign or out of order never becomes a silent zero."""
    with pytest.raises(DeclarationError, match=said) as caught:
        Duration(**parameters)
    assert caught.value.text("zh") != caught.value.text("en")


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"distribution": "constant"}, "takes exactly value"),
        ({"distribution": "uniform", "low": 2, "high": 1}, "must rise"),
        ({"distribution": "lognormal", "median": 0, "p95": 1}, "must rise"),
        ({"distribution": "exponential", "mean": 0}, "the mean must be above zero"),
    ],
)
def test_wrong_parameters_of_a_number_are_refused(parameters, said):
    """As those of a time are."""
    with pytest.raises(DeclarationError, match=said) as caught:
        NumberDistribution(**parameters)
    assert caught.value.text("zh") != caught.value.text("en")


@pytest.mark.parametrize("shares", [{}, {"go": -1}, {"go": 0, "stop": 0}])
def test_shares_that_lead_nowhere_are_refused(shares):
    """A step is left by one of its exits."""
    with pytest.raises(DeclarationError, match="not negative and not all zero"):
        Branching(shares=shares)
    with pytest.raises(DeclarationError, match="not negative and not all zero"):
        Shares(of=shares)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("low: 1h", "low: 1 h", "durations.b.low: '1 h' is ambiguous"),
        ("low: 1h, high", "lo: 1h, high", "durations.b.lo: there is no key 'lo' here; did you mean low?"),
        ("uniform", "unifrom", "did you mean uniform?"),
        ("go: 0.9", "go: often", "exits.a: takes a number, not 'often'"),
        ("go: 0.9", "go: true", "exits.a: takes a number, not True"),
        ("capacity: 2", "capacity: 0", "pools.clerk: capacity: it takes a whole number from 1"),
        ("{clerk: {capacity: 2}}", "[clerk]", "pools: takes a mapping"),
        ("normal: 0.9", "normal: often", "fields.priority: takes a number, not 'often'"),
        ("median: 120, p95", "median: 120m, p95", "fields.fee"),
        ("place: A-301", "place: [A-301]", "fields.place: takes a single value"),
        ("procedure: repair\n", "", "the key 'procedure' is missing"),
    ],
)
def test_a_mistake_in_a_scenario_is_told_with_its_path(old, new, said):
    """Wrong parameters are refused when the file is read, not when it is simulated."""
    assert WRITTEN.count(old) == 1
    with pytest.raises(DeclarationError) as caught:
        load(WRITTEN.replace(old, new))
    assert said in caught.value.text("en")
