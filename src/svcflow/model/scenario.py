"""Scenarios of a simulation: arrivals, durations and capacities, which no procedure declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import attrs

from svcflow.bounds import LARGEST, count
from svcflow.errors import DeclarationError, Problem
from svcflow.model.amount import Amount
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


def _time(written: object) -> Amount | None:
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
        needs = _NEEDS[self.distribution]
        if parameters.keys() != needs:
            raise _wrong(
                f"{self.distribution} 的参数须为 {', '.join(sorted(needs))}",
                f"{self.distribution} takes exactly {', '.join(sorted(needs))}",
            )
        if len({amount.family for amount in parameters.values()}) > 1 or next(
            iter(parameters.values())
        ).family not in (
            "elapsed",
            "working",
        ):
            raise _wrong("参数须同为 m h d 或同为 wm wh", "parameters are all in m h d or all in wm wh")
        ordered = [
            parameters[key].us for key in ("low", "mode", "median", "p95", "high") if key in parameters
        ]
        if ordered != sorted(ordered) or (self.distribution == "lognormal" and ordered[0] <= 0):
            raise _wrong("参数次序不对", "parameters must rise: low, mode, high; 0 < median <= p95")

    @property
    def parameters(self) -> Mapping[str, Amount]:
        """Parameters that are given, by name."""
        named = {
            name: getattr(self, name) for name in attrs.fields_dict(type(self)) if name != "distribution"
        }
        return {name: amount for name, amount in named.items() if amount is not None}

    @property
    def working(self) -> bool:
        """Whether the time runs only inside open intervals of the calendar."""
        return next(iter(self.parameters.values())).family == "working"


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
        shares = self.shares.values()
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
    stated: str = ""


def _wrong(zh: str, en: str) -> DeclarationError:
    return DeclarationError([Problem((), Text(zh=zh, en=en))])
