"""Sampling of lengths of time and field values from uniform numbers, by inverting the distribution.

Inversion keeps common random numbers in step: a larger number never gives a shorter time, so that two scenarios with
the same seed differ by what was changed only.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from math import exp, log, log1p, sqrt
from statistics import NormalDist
from struct import Struct

import attrs

from svcflow.kernel.facts import to_datetime
from svcflow.model.amount import DAY_US
from svcflow.model.field import Field, Value
from svcflow.model.scenario import Duration

__all__ = ["NUMBER_SPAN", "PLACEHOLDER", "Sampler", "Streams", "sampler", "value_of"]

Sampler = Callable[[float], int]
"""Function from a number strictly between 0 and 1 to microseconds."""

PLACEHOLDER = "simulated"
NUMBER_SPAN = 1_000
"""How far above its minimum a number without a maximum is drawn."""
INSTANT_DAYS = 10
"""How far ahead an instant is drawn at most."""

_NORMAL = NormalDist()
_P95 = _NORMAL.inv_cdf(0.95)


_WORDS = Struct("<8Q")
_SPACING = 2.0**-52


def sampler(duration: Duration) -> Sampler:
    """Return the inverse distribution function of a duration, in whole microseconds."""
    us = {name: amount.us for name, amount in duration.parameters.items()}
    return _SAMPLERS[duration.distribution](us)


def value_of(field: Field, number: float, at_us: int) -> Value:
    """Return a value that the field accepts: each choice as likely as another, numbers over their range.

    A number lies between `minimum` (or 0) and `maximum` (or `NUMBER_SPAN` above), whole when the bounds are;
    an instant at most ten days after `at_us`; text is a placeholder.
    """
    match field.type:
        case "choice":
            return field.choices[int(number * len(field.choices))]
        case "boolean":
            return number < 0.5
        case "number":
            return _number(field, number)
        case "instant":
            minutes = int(number * INSTANT_DAYS * DAY_US) // 60_000_000
            return to_datetime(at_us // 60_000_000 * 60_000_000 + minutes * 60_000_000).isoformat()
    return PLACEHOLDER


def _number(field: Field, number: float) -> Value:
    low = field.minimum if field.minimum is not None else min(0, field.maximum or 0)
    high = field.maximum if field.maximum is not None else low + NUMBER_SPAN
    if isinstance(low, int) and isinstance(high, int):
        return low + int(number * (high - low + 1))
    return low * (1 - number) + high * number


def _constant(us: dict[str, int]) -> Sampler:
    value = us["value"]
    return lambda _: value


def _exponential(us: dict[str, int]) -> Sampler:
    mean = us["mean"]
    return lambda number: round(-mean * log1p(-number))  # log1p: exact for small numbers too


def _uniform(us: dict[str, int]) -> Sampler:
    low, width = us["low"], us["high"] - us["low"]
    return lambda number: round(low + number * width)


def _triangular(us: dict[str, int]) -> Sampler:
    low, mode, high = us["low"], us["mode"], us["high"]
    if low == high:
        return lambda _: low
    width, rising = high - low, (mode - low) / (high - low)

    def sample(number: float) -> int:
        if number < rising:
            return round(low + sqrt(number * width * (mode - low)))
        return round(high - sqrt((1 - number) * width * (high - mode)))

    return sample


def _lognormal(us: dict[str, int]) -> Sampler:
    median = us["median"]
    sigma = log(us["p95"] / median) / _P95
    return lambda number: round(median * exp(sigma * _NORMAL.inv_cdf(number)))


_SAMPLERS: dict[str, Callable[[dict[str, int]], Sampler]] = {
    "constant": _constant,
    "exponential": _exponential,
    "uniform": _uniform,
    "triangular": _triangular,
    "lognormal": _lognormal,
}


@attrs.frozen
class Streams:
    """Uniform random numbers of one seed; every number lies strictly between 0 and 1."""

    seed: int

    def of(self, number: int, place: str, visit: int = 1) -> tuple[float, ...]:
        """Return eight independent numbers for one visit of one place by one instance."""
        return _uniforms(f"{self.seed}|{number}|{visit}|{place}")


def _uniforms(key: str) -> tuple[float, ...]:
    # 52 bits and a half: every value is exact in a float, and neither 0 nor 1, whose logarithm the inversion takes.
    words = _WORDS.unpack(blake2b(key.encode()).digest())
    return tuple([((word >> 12) + 0.5) * _SPACING for word in words])
