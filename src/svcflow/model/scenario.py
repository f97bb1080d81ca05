"""Scenarios of a simulation: arrivals, durations, mixes of data and capacities, which no procedure declares."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, TypeAlias

import attrs

from svcflow.bounds import LARGEST, count, number
from svcflow.errors import DeclarationError, Problem
from svcflow.model.amount import Amount, NamedAmount
from svcflow.model.field import Value
from svcflow.text import NO_TEXT, Text

Distribution = Literal["constant", "exponential", "uniform", "triangular", "lognormal"]
DISTRIBUTIONS: tuple[Distribution, ...] = ("constant", "exponential", "uniform", "triangular", "lognormal")

_NEEDS: Mapping[str, frozenset[str]] = {
    "constant": frozenset({"value"}),
    "exponential": frozenset({"mean"}),
    "uniform": frozenset({"low", "high"}),
    "triangular": frozenset({"low", "mode", "high"}),
    "lognormal": frozenset({"median", "p95"}),
}


_PARAMETERS = ("value", "mean", "low", "mode", "high", "median", "p95")
"""Parameters of all distributions, as they are listed."""


def _time(written: object) -> Amount | None:
    if isinstance(written, NamedAmount):  # a scenario has no parameters
        written = written.parameter
    amount = None if written is None else Amount.parse(written)
    problem = None if amount is None else amount.too_long
    if problem is not None:
        raise DeclarationError([problem])
    return amount


@attrs.frozen(kw_only=True)
class Duration:
    """Distribution of times with its parameters, each an amount with its unit.

    All parameters of one duration run on one clock: elapsed (`m h d`) or working time (`wm wh`).

    Raises: DeclarationError when parameters are missing, foreign to the distribution or out of order.
    """

    distribution: Distribution = attrs.field(validator=attrs.validators.in_(DISTRIBUTIONS))
    value: Amount | None = attrs.field(default=None, converter=_time)
    mean: Amount | None = attrs.field(default=None, converter=_time)
    low: Amount | None = attrs.field(default=None, converter=_time)
    mode: Amount | None = attrs.field(default=None, converter=_time)
    high: Amount | None = attrs.field(default=None, converter=_time)
    median: Amount | None = attrs.field(default=None, converter=_time)
    p95: Amount | None = attrs.field(default=None, converter=_time)

    def __attrs_post_init__(self) -> None:
        parameters = self.parameters
        _refuse_other_parameters(self.distribution, parameters)
        if len({amount.family for amount in parameters.values()}) > 1 or next(
            iter(parameters.values())
        ).family not in (
            "elapsed",
            "working",
        ):
            raise _wrong("参数须同为 m h d 或同为 wm wh", "parameters are all in m h d or all in wm wh")
        _refuse_disorder(self.distribution, {name: amount.us for name, amount in parameters.items()})

    @property
    def parameters(self) -> Mapping[str, Amount]:
        """Parameters that are given, by name."""
        return {name: getattr(self, name) for name in _PARAMETERS if getattr(self, name) is not None}

    @property
    def working(self) -> bool:
        """Whether the time runs only inside open intervals of the calendar."""
        return next(iter(self.parameters.values())).family == "working"


def _refuse_other_parameters(distribution: Distribution, given: Collection[str]) -> None:
    needs = _NEEDS[distribution]
    if set(given) != needs:
        raise _wrong(
            f"{distribution} 的参数须为 {', '.join(sorted(needs))}",
            f"{distribution} takes exactly {', '.join(sorted(needs))}",
        )


def _refuse_disorder(distribution: Distribution, given: Mapping[str, float]) -> None:
    ordered = [given[key] for key in ("low", "mode", "median", "p95", "high") if key in given]
    if ordered != sorted(ordered) or (distribution == "lognormal" and ordered[0] <= 0):
        raise _wrong("参数次序不对", "parameters must rise: low, mode, high; 0 < median <= p95")


@attrs.frozen(kw_only=True)
class NumberDistribution:
    """Distribution of the values of a number, with its parameters in the unit of the field.

    Values are whole when all parameters are, and have two decimals otherwise; one beyond the bounds of the field is
    drawn at the bound.

    Raises: DeclarationError when parameters are missing, foreign to the distribution or out of order.
    """

    distribution: Distribution = attrs.field(validator=attrs.validators.in_(DISTRIBUTIONS))
    value: int | float | None = attrs.field(default=None, validator=number)
    mean: int | float | None = attrs.field(default=None, validator=number)
    low: int | float | None = attrs.field(default=None, validator=number)
    mode: int | float | None = attrs.field(default=None, validator=number)
    high: int | float | None = attrs.field(default=None, validator=number)
    median: int | float | None = attrs.field(default=None, validator=number)
    p95: int | float | None = attrs.field(default=None, validator=number)

    def __attrs_post_init__(self) -> None:
        _refuse_other_parameters(self.distribution, self.parameters)
        _refuse_disorder(self.distribution, self.parameters)
        if self.distribution == "exponential" and self.parameters["mean"] <= 0:
            raise _wrong("平均值须大于零", "the mean must be above zero")

    @property
    def parameters(self) -> Mapping[str, int | float]:
        """Parameters that are given, by name."""
        return {name: getattr(self, name) for name in _PARAMETERS if getattr(self, name) is not None}

    @property
    def whole(self) -> bool:
        """Whether it gives whole numbers."""
        return all(isinstance(parameter, int) for parameter in self.parameters.values())


@attrs.frozen(kw_only=True)
class Shares:
    """Shares of single values of a field; they need not sum to 1, and a value that is left out does not occur."""

    of: Mapping[str, float]

    def __attrs_post_init__(self) -> None:
        _refuse_shares(self.of.values())


@attrs.frozen(kw_only=True)
class Fixed:
    """One value that the field has in every instance."""

    value: Value


FieldMix: TypeAlias = Shares | Fixed | NumberDistribution | Duration
"""What the values of one field are: shares, one value, a distribution of numbers, or, of an instant, how long after the start."""


@attrs.frozen(kw_only=True)
class Arrivals:
    """How instances arrive: the time between two of them, inside a calendar's open hours or always."""

    between: Duration
    calendar: str | None = None


@attrs.frozen(kw_only=True)
class Pool:
    """Capacity of one role: how many act at the same time; they work when its calendar is open."""

    capacity: int = attrs.field(default=1, validator=count())
    calendar: str | None = None


@attrs.frozen(kw_only=True)
class Branching:
    """Shares with which the exits of one step are taken; they need not sum to 1."""

    shares: Mapping[str, float]

    def __attrs_post_init__(self) -> None:
        _refuse_shares(self.shares.values())


def _refuse_shares(shares: Collection[float]) -> None:
    if not all(0 <= share <= LARGEST for share in shares) or not any(shares):
        raise _wrong(
            "比例不能为负、不能大于 2^63，且不能全为零",
            "shares are at most 2^63, not negative and not all zero",
        )


@attrs.frozen(kw_only=True)
class Scenario:
    """One situation of a procedure to simulate."""

    id: str
    procedure: str
    name: Text = NO_TEXT
    arrivals: Arrivals
    durations: Mapping[str, Duration] = attrs.field(factory=dict)
    exits: Mapping[str, Branching] = attrs.field(factory=dict)
    pools: Mapping[str, Pool] = attrs.field(factory=dict)
    fields: Mapping[str, FieldMix] = attrs.field(factory=dict)
    stated: str = ""


def _wrong(zh: str, en: str) -> DeclarationError:
    return DeclarationError([Problem((), Text(zh=zh, en=en))])
