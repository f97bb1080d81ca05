"""Sampling of lengths of time and of numbers from uniform numbers, by inverting the distribution.

Inversion keeps common random numbers in step: a larger number never gives a shorter time, so that two scenarios with
the same seed differ by what was changed only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2b
from math import exp, log, log1p, sqrt
from statistics import NormalDist
from struct import Struct

import attrs

from svcflow.model.scenario import Duration, NumberDistribution

__all__ = ["Sampler", "Streams", "number_sampler", "sampler"]

Sampler = Callable[[float], int]
"""Function from a number strictly between 0 and 1 to microseconds."""

_Parameters = Mapping[str, float]
_Inverse = Callable[[float], float]

_NORMAL = NormalDist()
_P95 = _NORMAL.inv_cdf(0.95)


_WORDS = Struct("<8Q")
_SPACING = 2.0**-52


def sampler(duration: Duration) -> Sampler:
    """Return the inverse distribution function of a duration, in whole microseconds."""
    inverse = _INVERSES[duration.distribution](
        {name: amount.us for name, amount in duration.parameters.items()}
    )
    return lambda number: round(inverse(number))


def number_sampler(mix: NumberDistribution) -> Callable[[float], float]:
    """Return the inverse distribution function of the values of a number."""
    return _INVERSES[mix.distribution](mix.parameters)


def _constant(parameters: _Parameters) -> _Inverse:
    value = parameters["value"]
    return lambda _: value


def _exponential(parameters: _Parameters) -> _Inverse:
    mean = parameters["mean"]
    return lambda number: -mean * log1p(-number)  # log1p: exact for small numbers too


def _uniform(parameters: _Parameters) -> _Inverse:
    low, width = parameters["low"], parameters["high"] - parameters["low"]
    return lambda number: low + number * width


def _triangular(parameters: _Parameters) -> _Inverse:
    low, mode, high = parameters["low"], parameters["mode"], parameters["high"]
    if low == high:
        return lambda _: low
    width, rising = high - low, (mode - low) / (high - low)

    def inverse(number: float) -> float:
        if number < rising:
            return low + sqrt(number * width * (mode - low))
        return high - sqrt((1 - number) * width * (high - mode))

    return inverse


def _lognormal(parameters: _Parameters) -> _Inverse:
    median = parameters["median"]
    sigma = log(parameters["p95"] / median) / _P95
    return lambda number: median * exp(sigma * _NORMAL.inv_cdf(number))


_INVERSES: Mapping[str, Callable[[_Parameters], _Inverse]] = {
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
