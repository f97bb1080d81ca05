"""Retry policy of a subscription: attempts, pauses between them, and the lease of a worker."""

from __future__ import annotations

from datetime import timedelta

import attrs

from svcflow.bounds import refuse_count, refuse_length
from svcflow.errors import FieldError, SubscriptionError
from svcflow.text import Text

_SECOND_US = 1_000_000


@attrs.frozen
class RetryPolicy:
    """How often a fact is tried, with which pauses, and for how long a worker has a subscription to itself.

    Each pause is four times the one before, up to the longest: with the defaults it takes 83 minutes to give up.
    """

    attempts: int = 8
    pause_us: int = _SECOND_US
    longest_us: int = 3600 * _SECOND_US
    lease_us: int = 60 * _SECOND_US

    @classmethod
    def of(cls, attempts: int, pause: timedelta, longest_pause: timedelta, lease: timedelta) -> RetryPolicy:
        """Return a policy from lengths of time.

        Raises: SubscriptionError for less than one attempt, a pause below 0 or a lease of 0.
        """
        try:
            refuse_count("attempts", attempts)
            for name, length in (("pause", pause), ("longest_pause", longest_pause), ("lease", lease)):
                refuse_length(name, length)
        except FieldError as error:
            raise SubscriptionError(error.message) from None
        pause_us, longest_us, lease_us = (
            length // timedelta(microseconds=1) for length in (pause, longest_pause, lease)
        )
        if not lease_us:
            raise SubscriptionError(Text(zh="lease 须大于 0", en="the lease is above 0"))
        return cls(attempts, pause_us, longest_us, lease_us)

    def pause_after(self, attempts: int) -> int:
        """Return the pause after so many attempts, in microseconds."""
        # the exponent is bounded, for the number of attempts is not: 4**30 µs is beyond every longest pause
        return min(self.pause_us << 2 * min(attempts - 1, 30), self.longest_us)
