"""Streams: random numbers named by what they are drawn for, so that no draw depends on another.

Two scenarios with one seed see the same numbers for the same instance, step and visit, in whatever order
things happen. It knows no distribution.
"""

from __future__ import annotations

from hashlib import blake2b
from struct import Struct

import attrs

__all__ = ["Streams"]

_WORDS = Struct("<8Q")
_SPACING = 2.0**-52


@attrs.frozen
class Streams:
    """Give the uniform numbers of one seed; every number lies strictly between 0 and 1."""

    seed: int

    def of(self, number: int, place: str, visit: int = 1) -> tuple[float, ...]:
        """Return eight independent numbers for one visit of one place by one instance."""
        return _uniforms(f"{self.seed}|{number}|{visit}|{place}")


def _uniforms(key: str) -> tuple[float, ...]:
    # 52 bits and a half: every value is exact in a float and neither 0 nor 1 is possible
    words = _WORDS.unpack(blake2b(key.encode()).digest())
    return tuple([((word >> 12) + 0.5) * _SPACING for word in words])
