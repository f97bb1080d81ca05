"""The courier: delivers the facts of one subscription, in order within each instance, at least once.

A fact that fails waits, and later facts of its instance wait behind it; those of other instances go on.
Handlers run outside any transaction, and their errors end here. What was done is noted at the latest after
`NOTED_S` or the one fact that took longer, so that is what a killed process delivers a second time.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Iterator
from secrets import token_hex
from types import FrameType, TracebackType

import attrs

from svcflow.errors import DeliveryError
from svcflow.kernel.facts import Fact
from svcflow.runtime.clock import Clock
from svcflow.runtime.outbox.feed import (
    FEED_BATCH,
    DeliveryFailure,
    DeliveryProgress,
    Feed,
    FeedBatch,
    FeedEntry,
    SubscriptionPosition,
)
from svcflow.runtime.outbox.subscription import Subscription

NOTED_S = 0.1
_log = logging.getLogger("svcflow")


@attrs.frozen
class Delivered:
    """Count what was delivered, which attempts failed and are made again, and which facts were given up."""

    count: int = 0
    failed: int = 0
    dead: int = 0

    def __add__(self, other: Delivered) -> Delivered:
        """Return both together."""
        return Delivered(self.count + other.count, self.failed + other.failed, self.dead + other.dead)


class DeliveryWorker:
    """Deliver what one subscription is to be given; `proceed` says whether to go on after each fact."""

    def __init__(self, feed: Feed, subscription: Subscription, clock: Clock) -> None:
        self.subscription = subscription
        self._feed = feed
        self._clock = clock
        self._missed = False
        self._seen = 0  # between the cursor and here there is nothing for us

    def next_us(self) -> int | None:
        """Return when what waits is next due; None when nothing waits."""
        look = self._look()
        return None if look is None else look.next_us

    def deliver(self, proceed: Callable[[], bool] = lambda: True, *, thrifty: bool = False) -> Delivered:
        """Deliver what there is by now, unless another worker is at it.

        `thrifty` leaves the cursor where it is while there is little to pass over, and saves the writing.
        """
        until, now_us = self._feed.settled_position(), self._clock.now_us()
        if not self._wanted(until, now_us, thrifty=thrifty):
            return Delivered()
        name, owner = self.subscription.name, token_hex(8)
        cursor = self._feed.take(name, owner, now_us, now_us + self.subscription.pace.lease_us)
        if cursor is None:
            return Delivered()
        round_ = _DeliveryRound(self._feed, self.subscription, self._clock, owner, max(cursor, self._seen))
        try:
            round_.run(until, proceed)
        finally:
            round_.close()
        return round_.delivered

    def _wanted(self, until: int, now_us: int, *, thrifty: bool) -> bool:
        """Tell whether there is anything to do, without keeping others from it."""
        look = self._look()
        if look is None:
            return False
        if look.next_us is not None and look.next_us <= now_us:
            return True
        after = max(look.position, self._seen)
        if not thrifty or until - look.position >= FEED_BATCH:
            return until > look.position
        portion = self._feed.read(self.subscription.name, self.subscription.wanted.read, after, until)
        if not portion.facts:
            self._seen = max(self._seen, portion.position)
        return bool(portion.facts)

    def _look(self) -> SubscriptionPosition | None:
        """Look where the subscription stands. That it was removed is said once."""
        look = self._feed.look(self.subscription.name)
        if look is None and not self._missed:
            _log.warning("%s was unsubscribed; its handler is not called any more", self.subscription.name)
        self._missed = look is None
        return look


class _DeliveryRound:
    """One round of a worker that holds the lease."""

    def __init__(
        self, feed: Feed, subscription: Subscription, clock: Clock, owner: str, position: int
    ) -> None:
        self.delivered = Delivered()
        self._position = position
        self._feed = feed
        self._subscription = subscription
        self._clock = clock
        self._owner = owner
        self._held = True
        self._failures: list[DeliveryFailure] = []
        self._done: list[tuple[str, int]] = []
        self._noted = time.monotonic()

    def run(self, until: int, proceed: Callable[[], bool]) -> None:
        """Try again what is due, then deliver what stands behind the cursor, portion by portion."""

        def on() -> bool:
            return self._held and proceed()

        self._retry(on)
        while on() and self._position < until:
            wanted = self._subscription.wanted.read
            self._pass_on(self._feed.read(self._subscription.name, wanted, self._position, until), on)
            self._note()
            self._retry(on)

    def close(self) -> None:
        """Note what was done, and give the lease back."""
        self._note(back=True)

    def _retry(self, on: Callable[[], bool]) -> None:
        """Try again what is due, and what stood behind it."""
        while on() and (due := self._feed.due(self._subscription.name, self._clock.now_us())):
            for parked in due:
                if not on():
                    return
                if self._attempt(parked.fed, parked.attempts):
                    self._done.append((parked.fed.fact.instance, parked.fed.fact.sequence))
                self._note_at_times()
            self._note()

    def _pass_on(self, portion: FeedBatch, on: Callable[[], bool]) -> None:
        """Deliver a portion. What stands behind a fact that failed goes in line."""
        behind: set[str] = set()
        for fed in portion.facts:
            if not on():
                return
            if self._subscription.wanted.admits(fed.fact):
                instance = fed.fact.instance
                if fed.behind or instance in behind:
                    self._failures.append(DeliveryFailure(instance, fed.fact.sequence, 0, 0, "blocked", ""))
                elif not self._attempt(fed, 0):
                    behind.add(instance)
            self._position = fed.position
            self._note_at_times()
        self._position = portion.position

    def _attempt(self, fed: FeedEntry, attempts: int) -> bool:
        """Give a fact to the handler; return whether it took it."""
        try:
            self._subscription.hand_over(fed, attempts + 1)
        except Exception as error:  # noqa: BLE001  # whatever a handler raises is noted, and the fact tried again
            self._failures.append(self._failure(fed.fact, attempts + 1, error))
            return False
        self.delivered += Delivered(count=1)
        return True

    def _failure(self, fact: Fact, attempts: int, error: Exception) -> DeliveryFailure:
        pace, now_us = self._subscription.pace, self._clock.now_us()
        said = cause(error, self._subscription.handler)
        where = (self._subscription.name, fact.instance, fact.sequence, attempts, pace.attempts, said)
        if attempts >= pace.attempts:
            self.delivered += Delivered(dead=1)
            _log.error("%s gives up %s/%s after attempt %s of %s: %s", *where)
            return DeliveryFailure(fact.instance, fact.sequence, attempts, now_us, "dead", said)
        self.delivered += Delivered(failed=1)
        _log.warning("%s could not take %s/%s at attempt %s of %s: %s", *where)
        at_us = now_us + pace.pause_after(attempts)
        return DeliveryFailure(fact.instance, fact.sequence, attempts, at_us, "waiting", said)

    def _note_at_times(self) -> None:
        if time.monotonic() - self._noted >= NOTED_S:
            self._note()

    def _note(self, *, back: bool = False) -> None:
        """Keep what was done so far. Another worker that has the lease by now does it again."""
        if not self._held:
            return
        until_us = 0 if back else self._clock.now_us() + self._subscription.pace.lease_us
        notes = DeliveryProgress(self._position, tuple(self._failures), tuple(self._done))
        self._held = self._feed.note(self._subscription.name, self._owner, notes, until_us)
        self._failures, self._done, self._noted = [], [], time.monotonic()
        if not self._held:
            _log.warning(
                "%s: the lease ran out and another worker took it, or it was unsubscribed",
                self._subscription.name,
            )


_LONGEST = 1_000


def cause(error: Exception, handler: object) -> str:
    """Return the class of an error, with what it says or the place in the handler's module where it came up."""
    if isinstance(error, DeliveryError):
        said = traceback.format_exception_only(error)[0].strip()  # also of one that cannot say what it is
    else:
        said = f"{_name(type(error))} at {_place(error, handler)}"
    return (
        said[:_LONGEST].encode(errors="replace").decode().replace("\0", "?")
    )  # what every database can keep


def _name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _place(error: Exception, handler: object) -> str:
    """Name function and line: where the handler's own module was left, else where the error was raised."""
    met = list(_frames(error.__traceback__))
    own = [one for one in met if one[0].f_globals.get("__name__") == getattr(handler, "__module__", None)]
    frame, line = (own or met)[-1]
    return f"{frame.f_globals.get('__name__', '')}.{frame.f_code.co_qualname}:{line}"


def _frames(trace: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while trace is not None:
        yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next
