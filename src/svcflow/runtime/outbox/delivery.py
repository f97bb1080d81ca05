"""Delivery of facts to one subscription: at least once, in order within each instance.

A fact that fails waits, and later facts of its instance wait behind it; those of other instances go on.
Handlers run outside any transaction, and their errors end here. Progress is recorded at least every `RECORD_S`, or
after the one fact that took longer: so much is what a process that is killed delivers a second time.
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

RECORD_S = 0.1
_log = logging.getLogger("svcflow")


@attrs.frozen
class Delivered:
    """Counts of one delivery: facts delivered, attempts that failed and are made again, and facts given up."""

    count: int = 0
    failed: int = 0
    dead: int = 0

    def __add__(self, other: Delivered) -> Delivered:
        """Return the sums of both."""
        return Delivered(self.count + other.count, self.failed + other.failed, self.dead + other.dead)


class DeliveryWorker:
    """Delivers facts to one subscription; of several workers on it, one at a time holds the lease."""

    def __init__(self, feed: Feed, subscription: Subscription, clock: Clock) -> None:
        self.subscription = subscription
        self._feed = feed
        self._clock = clock
        self._removal_logged = False
        self._skipped_to = 0  # between the cursor and this position no fact is for this subscription

    def next_us(self) -> int | None:
        """Return when the next fact that waits is tried again; None when none waits."""
        place = self._position()
        return None if place is None else place.next_us

    def deliver(self, proceed: Callable[[], bool] = lambda: True, *, thrifty: bool = False) -> Delivered:
        """Deliver what there is by now, unless another worker has the lease; `proceed` is called after each fact.

        `thrifty` leaves the cursor where it is while there is little to skip, and saves the commit.
        """
        # the end is read before the lease is taken: what is committed later is for the next round
        until, now_us = self._feed.settled_position(), self._clock.now_us()
        if not self._has_work(until, now_us, thrifty=thrifty):
            return Delivered()
        name, owner = self.subscription.name, token_hex(8)
        cursor = self._feed.acquire(name, owner, now_us, now_us + self.subscription.retry_policy.lease_us)
        if cursor is None:
            return Delivered()
        # another worker may have moved the cursor meanwhile; up to `_skipped_to` there is nothing to read again
        round_ = _DeliveryRound(
            self._feed, self.subscription, self._clock, owner, max(cursor, self._skipped_to)
        )
        try:
            round_.run(until, proceed)
        finally:
            round_.close()
        return round_.delivered

    def _has_work(self, until: int, now_us: int, *, thrifty: bool) -> bool:
        """Return whether there is anything to deliver or to skip; take no lease for that."""
        place = self._position()
        if place is None:
            return False
        if place.next_us is not None and place.next_us <= now_us:
            return True
        after = max(place.position, self._skipped_to)
        if not thrifty or until - place.position >= FEED_BATCH:
            return until > place.position
        batch = self._feed.read(self.subscription.name, self.subscription.filter.read, after, until)
        if not batch.facts:
            self._skipped_to = max(self._skipped_to, batch.position)
        return bool(batch.facts)

    def _position(self) -> SubscriptionPosition | None:
        """Return the position of the subscription; log once that it was removed."""
        place = self._feed.position_of(self.subscription.name)
        if place is None and not self._removal_logged:
            _log.warning("%s was unsubscribed; its handler is not called any more", self.subscription.name)
        self._removal_logged = place is None
        return place


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
        self._leased = True
        self._failures: list[DeliveryFailure] = []
        self._done: list[tuple[str, int]] = []
        self._recorded_s = time.monotonic()

    def run(self, until: int, proceed: Callable[[], bool]) -> None:
        """Try again what is due, then deliver what lies behind the cursor, batch by batch."""

        def on() -> bool:
            return self._leased and proceed()

        self._retry(on)
        while on() and self._position < until:
            kinds = self._subscription.filter.read
            self._deliver(self._feed.read(self._subscription.name, kinds, self._position, until), on)
            self._record()
            self._retry(on)

    def close(self) -> None:
        """Record what was done, and release the lease."""
        self._record(release=True)

    def _retry(self, on: Callable[[], bool]) -> None:
        """Try again what is due; what stood behind it becomes due in turn."""
        while on() and (due := self._feed.due(self._subscription.name, self._clock.now_us())):
            for undelivered in due:
                if not on():
                    return
                if self._attempt(undelivered.entry, undelivered.attempts):
                    fact = undelivered.entry.fact
                    self._done.append((fact.instance, fact.sequence))
                self._record_at_times()
            self._record()

    def _deliver(self, batch: FeedBatch, on: Callable[[], bool]) -> None:
        """Deliver a batch. A fact behind one that failed is put in line, so that its instance stays in order."""
        failed: set[str] = set()
        for entry in batch.facts:
            if not on():
                return
            if self._subscription.filter.admits(entry.fact):
                instance = entry.fact.instance
                if entry.behind or instance in failed:
                    self._failures.append(DeliveryFailure(instance, entry.fact.sequence, 0, 0, "blocked", ""))
                elif not self._attempt(entry, 0):
                    failed.add(instance)
            self._position = entry.position
            self._record_at_times()
        self._position = batch.position

    def _attempt(self, entry: FeedEntry, attempts: int) -> bool:
        """Call the handler with a fact; return whether it succeeded."""
        try:
            self._subscription.call(entry, attempts + 1)
        except Exception as error:  # noqa: BLE001  # whatever a handler raises is recorded, and the fact tried again
            self._failures.append(self._failure(entry.fact, attempts + 1, error))
            return False
        self.delivered += Delivered(count=1)
        return True

    def _failure(self, fact: Fact, attempts: int, error: Exception) -> DeliveryFailure:
        policy, now_us = self._subscription.retry_policy, self._clock.now_us()
        text = cause(error, self._subscription.handler)
        where = (self._subscription.name, fact.instance, fact.sequence, attempts, policy.attempts, text)
        if attempts >= policy.attempts:
            self.delivered += Delivered(dead=1)
            _log.error("%s gives up %s/%s after attempt %s of %s: %s", *where)
            return DeliveryFailure(fact.instance, fact.sequence, attempts, now_us, "dead", text)
        self.delivered += Delivered(failed=1)
        _log.warning("%s could not take %s/%s at attempt %s of %s: %s", *where)
        at_us = now_us + policy.pause_after(attempts)
        return DeliveryFailure(fact.instance, fact.sequence, attempts, at_us, "waiting", text)

    def _record_at_times(self) -> None:
        if time.monotonic() - self._recorded_s >= RECORD_S:
            self._record()

    def _record(self, *, release: bool = False) -> None:
        """Record what was done so far, and renew the lease or release it.

        Nothing is recorded once another worker has the lease: it delivers the same facts again.
        """
        if not self._leased:
            return
        until_us = 0 if release else self._clock.now_us() + self._subscription.retry_policy.lease_us
        progress = DeliveryProgress(self._position, tuple(self._failures), tuple(self._done))
        self._leased = self._feed.record(self._subscription.name, self._owner, progress, until_us)
        self._failures, self._done, self._recorded_s = [], [], time.monotonic()
        if not self._leased:
            _log.warning(
                "%s: the lease ran out and another worker took it, or it was unsubscribed",
                self._subscription.name,
            )


_LONGEST = 1_000


def cause(error: Exception, handler: object) -> str:
    """Return the class of an error and the place in the handler's module; of a DeliveryError its text instead.

    What other errors say may quote the fact, and so personal data.
    """
    if isinstance(error, DeliveryError):
        text = traceback.format_exception_only(error)[0].strip()  # also of one whose __str__ raises
    else:
        text = f"{_name(type(error))} at {_place(error, handler)}"
    # cut, and without what some databases cannot keep: lone surrogates and NUL
    return text[:_LONGEST].encode(errors="replace").decode().replace("\0", "?")


def _name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _place(error: Exception, handler: object) -> str:
    """Return function and line: where the handler's own module was left, else where the error was raised."""
    frames = list(_frames(error.__traceback__))
    module = getattr(handler, "__module__", None)
    own = [place for place in frames if place[0].f_globals.get("__name__") == module]
    frame, line = (own or frames)[-1]
    return f"{frame.f_globals.get('__name__', '')}.{frame.f_code.co_qualname}:{line}"


def _frames(trace: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while trace is not None:
        yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next
