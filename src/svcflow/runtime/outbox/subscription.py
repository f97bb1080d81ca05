"""A subscription: which facts a handler is given, under which name, and how long it is tried.

It knows no store and delivers nothing.
"""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, Literal

import attrs
import orjson

from svcflow.bounds import refuse_count, refuse_length, shown
from svcflow.errors import FieldError, SubscriptionError, UnknownSubscription
from svcflow.journal.personal_data import strip
from svcflow.kernel.facts import FACTS, Fact
from svcflow.runtime.outbox.feed import FeedEntry
from svcflow.text import Text
from svcflow.wording import DEVIATIONS

Handler = Callable[..., object]
"""Takes a Fact, and the `Delivery` too if it has a second argument; to raise is to ask for another attempt.

Of what it raises the class and the place are kept; of a `DeliveryError`, which names nobody, the text too.
"""

Since = Literal["now", "start"]

_SECOND_US = 1_000_000
_LONGEST_NAME = 80


def snake(name: str) -> str:
    """Write the name of a class as kinds are written."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


FACT_KINDS: Mapping[str, str] = {snake(name): name for name in FACTS}
"""What a subscription writes for each class of facts: `overdue` for `Overdue`."""


@attrs.frozen
class Delivery:
    """Say how a fact comes: to which subscription, at which attempt (from 1), from which position."""

    subscription: str
    attempt: int
    position: int
    body: bytes = attrs.field(repr=False, eq=False, default=b"{}")

    @property
    def record(self) -> Mapping[str, object]:
        """The fact as plain data, with no personal data: no persons, no fields marked `personal`."""
        record: dict[str, Any] = orjson.loads(self.body)
        strip(record)
        return record


@attrs.frozen
class FactFilter:
    """Choose facts by their class and by their kind of deviation; without any kind it chooses all."""

    classes: frozenset[str] = frozenset()
    deviations: frozenset[str] = frozenset()

    @classmethod
    def of(cls, kinds: Iterable[str]) -> FactFilter:
        """Read kinds as a user writes them. Raises: SubscriptionError for one that does not exist."""
        classes, deviations = set(), set()
        for kind in kinds:
            if kind in FACT_KINDS:
                classes.add(FACT_KINDS[kind])
            elif kind in DEVIATIONS:
                deviations.add(kind)
            else:
                raise _unknown_kind(kind)
        return cls(frozenset(classes), frozenset(deviations))

    @property
    def read(self) -> frozenset[str]:
        """The classes of facts that have to be looked at; none means all."""
        return self.classes | {"Overdue", "Deviated"} if self.deviations else self.classes

    def admits(self, fact: Fact) -> bool:
        """Tell whether a fact is one of those."""
        if not (self.classes or self.deviations):
            return True
        return fact.kind in self.classes or getattr(fact, "deviation", None) in self.deviations


@attrs.frozen
class RetryPolicy:
    """Say how often a fact is tried, with which pauses, and for how long a worker has a subscription to itself.

    Each pause is four times the one before, up to the longest: with 8 attempts it takes 83 minutes to give up.
    """

    attempts: int = 8
    pause_us: int = _SECOND_US
    longest_us: int = 3600 * _SECOND_US
    lease_us: int = 60 * _SECOND_US

    @classmethod
    def of(cls, attempts: int, pause: timedelta, longest_pause: timedelta, lease: timedelta) -> RetryPolicy:
        """Read lengths of time. Raises: SubscriptionError when there is no attempt, no lease or a pause below 0."""
        try:
            refuse_count("attempts", attempts)
            for place, length in (("pause", pause), ("longest_pause", longest_pause), ("lease", lease)):
                refuse_length(place, length)
        except FieldError as error:
            raise SubscriptionError(error.message) from None
        pause_us, longest_us, lease_us = (
            one // timedelta(microseconds=1) for one in (pause, longest_pause, lease)
        )
        if not lease_us:
            raise SubscriptionError(Text(zh="lease 须大于 0", en="the lease is above 0"))
        return cls(attempts, pause_us, longest_us, lease_us)

    def pause_after(self, attempts: int) -> int:
        """Return how long to wait after so many attempts, in microseconds."""
        return min(self.pause_us << 2 * min(attempts - 1, 30), self.longest_us)


@attrs.frozen
class Subscription:
    """Hold a handler with its name, the facts it wants and its pace."""

    name: str
    wanted: FactFilter
    handler: Handler
    pace: RetryPolicy
    two: bool
    """Whether the handler takes the Delivery too."""

    @classmethod
    def of(cls, name: str | None, kinds: Iterable[str], handler: Handler, pace: RetryPolicy) -> Subscription:
        """Make one. Raises: SubscriptionError for a name, a kind or a handler that will not do."""
        if any(map(inspect.iscoroutinefunction, (handler, type(handler).__call__))):
            raise SubscriptionError(
                Text(zh="处理函数不能是 async", en="an async handler would never be awaited"),
                Text(zh="在普通函数里用 asyncio.run", en="write a plain function that calls asyncio.run"),
            )
        return cls(_named(name, handler), FactFilter.of(kinds), handler, pace, _takes_two(handler))

    def hand_over(self, fed: FeedEntry, attempt: int) -> None:
        """Give a fact to the handler; whatever it raises passes through."""
        if self.two:
            self.handler(fed.fact, Delivery(self.name, attempt, fed.position, fed.body))
        else:
            self.handler(fed.fact)


def refuse_bare(kinds: Iterable[object]) -> None:
    """Raise SubscriptionError when a function stands among the kinds: the decorator was written without brackets."""
    if any(map(callable, kinds)):
        raise SubscriptionError(
            Text(zh="on_fact 须带括号", en="on_fact is written with brackets"),
            Text(zh="写 @engine.on_fact()", en="write @engine.on_fact()"),
        )


def unknown_subscription(name: str, known: Iterable[str]) -> UnknownSubscription:
    """Return the error for a name that no subscription has."""
    return UnknownSubscription(
        Text(zh=f"没有订阅 {name}", en=f"there is no subscription {name!r}"), _nearest(name, list(known))
    )


def undelivered(name: str, dead: int) -> SubscriptionError:
    """Return the error for a subscription that is to go while it has facts that it gave up."""
    return SubscriptionError(
        Text(zh=f"订阅 {name} 还有 {dead} 条死信", en=f"{name} still has dead letters: {dead}"),
        Text(
            zh="先重新投递（redeliver），或用 discard=True（--discard）一并丢弃",
            en="deliver them again (redeliver), or discard them with discard=True (--discard)",
        ),
    )


def _takes_two(handler: Handler) -> bool:
    parameters = inspect.signature(handler).parameters.values()
    plain = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    return len([one for one in plain if one.default is one.empty]) > 1


def _named(name: str | None, handler: Handler) -> str:
    found = getattr(handler, "__name__", "") if name is None or name == "" else name
    if not isinstance(found, str) or not re.fullmatch(rf"[\w.-]{{1,{_LONGEST_NAME}}}", found):
        raise SubscriptionError(
            Text(
                zh=f"订阅名 {shown(found)} 不可用", en=f"a subscription cannot have the name {shown(found)}"
            ),
            Text(
                zh='用 name="…" 给出：字母、数字、_ . -，不超过 80 个；以后不要改，进度按名保存',
                en='give name="…" of letters, digits, _ . - (80 at most), and keep it: how far it is, is kept by name',
            ),
        )
    return found


def _unknown_kind(kind: str) -> SubscriptionError:
    message = Text(zh=f"没有事实或偏差种类“{kind}”", en=f"there is no kind of fact or deviation {kind!r}")
    return SubscriptionError(message, _nearest(kind, [*FACT_KINDS, *DEVIATIONS]))


def _nearest(name: str, known: list[str]) -> Text:
    near = difflib.get_close_matches(snake(name), known, 1) if isinstance(name, str) else []
    if near:
        return Text(zh=f"是否指 {near[0]}？", en=f"did you mean {near[0]}?")
    listed = ", ".join(dict.fromkeys(known)) or "-"
    return Text(zh=f"可用：{listed}", en=f"there are: {listed}")
