"""Subscription of a handler to facts: its name, the kinds it gets, and how it is called."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import attrs
import orjson

from svcflow.bounds import shown
from svcflow.errors import SubscriptionError, UnknownSubscription
from svcflow.journal.personal_data import strip_commitments
from svcflow.kernel.facts import FACTS, Fact
from svcflow.nearest import did_you_mean
from svcflow.runtime.outbox.feed import FeedEntry
from svcflow.runtime.outbox.retry_policy import RetryPolicy
from svcflow.text import Text
from svcflow.wording import DEVIATIONS

Handler = Callable[..., object]
"""A function of a Fact, and of its `Delivery` if it has a second argument; when it raises, the fact is tried again.

The class and the place of an error are kept; of a `DeliveryError`, which names nobody, its text too.
"""

Since = Literal["now", "start"]

_LONGEST_NAME = 80


def snake(name: str) -> str:
    """Return the name of a class in snake case, as kinds are written."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


FACT_KINDS: Mapping[str, str] = {snake(name): name for name in FACTS}
"""Class of facts by the kind that a subscription names: `Overdue` by `overdue`."""


@attrs.frozen
class Delivery:
    """Circumstances of one call of a handler: the subscription, the attempt (from 1), and the position in the feed."""

    subscription: str
    attempt: int
    position: int
    body: bytes = attrs.field(repr=False, eq=False, default=b"{}")

    @property
    def record(self) -> Mapping[str, object]:
        """The fact as plain data, with no personal data: no persons, no fields marked `personal`."""
        record: dict[str, Any] = orjson.loads(self.body)
        strip_commitments(record)
        return record


@attrs.frozen
class FactFilter:
    """Filter of facts by class and by kind of deviation; without any kind it admits all."""

    classes: frozenset[str] = frozenset()
    deviations: frozenset[str] = frozenset()

    @classmethod
    def of(cls, kinds: Iterable[str]) -> FactFilter:
        """Return the filter for kinds as users write them. Raises: SubscriptionError for one that does not exist."""
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
        """The classes of facts to read from the feed; the empty set means all."""
        return self.classes | {"Overdue", "Deviated"} if self.deviations else self.classes

    def admits(self, fact: Fact) -> bool:
        """Return whether a fact passes the filter."""
        if not (self.classes or self.deviations):
            return True
        return fact.kind in self.classes or getattr(fact, "deviation", None) in self.deviations


@attrs.frozen
class Subscription:
    """A handler with its name, the filter of its facts and its retry policy."""

    name: str
    filter: FactFilter
    handler: Handler
    retry_policy: RetryPolicy
    takes_delivery: bool
    """Whether the handler takes the `Delivery` as its second argument."""

    @classmethod
    def of(
        cls, name: str | None, kinds: Iterable[str], handler: Handler, retry_policy: RetryPolicy
    ) -> Subscription:
        """Return a checked subscription. Raises: SubscriptionError for a name, a kind or a handler that will not do."""
        if any(map(inspect.iscoroutinefunction, (handler, type(handler).__call__))):
            raise SubscriptionError(
                Text(zh="处理函数不能是 async", en="an async handler would never be awaited"),
                Text(zh="在普通函数里用 asyncio.run", en="write a plain function that calls asyncio.run"),
            )
        return cls(
            _named(name, handler), FactFilter.of(kinds), handler, retry_policy, _takes_delivery(handler)
        )

    def call(self, entry: FeedEntry, attempt: int) -> None:
        """Call the handler with a fact; what it raises passes through."""
        if self.takes_delivery:
            self.handler(entry.fact, Delivery(self.name, attempt, entry.position, entry.body))
        else:
            self.handler(entry.fact)


def refuse_bare(kinds: Iterable[object]) -> None:
    """Raise SubscriptionError for a function among the kinds: the decorator was written without brackets."""
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
    """Return the error for removing a subscription that has dead letters."""
    return SubscriptionError(
        Text(zh=f"订阅 {name} 还有 {dead} 条死信", en=f"{name} still has dead letters: {dead}"),
        Text(
            zh="先重新投递（redeliver），或用 discard=True（--discard）一并丢弃",
            en="deliver them again (redeliver), or discard them with discard=True (--discard)",
        ),
    )


def _takes_delivery(handler: Handler) -> bool:
    parameters = inspect.signature(handler).parameters.values()
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return len([p for p in positional if p.default is p.empty]) > 1


def _named(name: str | None, handler: Handler) -> str:
    chosen = getattr(handler, "__name__", "") if name is None or name == "" else name
    if not isinstance(chosen, str) or not re.fullmatch(rf"[\w.-]{{1,{_LONGEST_NAME}}}", chosen):
        raise SubscriptionError(
            Text(
                zh=f"订阅名 {shown(chosen)} 不可用", en=f"a subscription cannot have the name {shown(chosen)}"
            ),
            Text(
                zh='用 name="…" 给出：字母、数字、_ . -，不超过 80 个；以后不要改，进度按名保存',
                en='give name="…" of letters, digits, _ . - (80 at most), and keep it: how far it is, is kept by name',
            ),
        )
    return chosen


def _unknown_kind(kind: str) -> SubscriptionError:
    message = Text(zh=f"没有事实或偏差种类“{kind}”", en=f"there is no kind of fact or deviation {kind!r}")
    return SubscriptionError(message, _nearest(kind, [*FACT_KINDS, *DEVIATIONS]))


def _nearest(name: str, known: list[str]) -> Text:
    near = difflib.get_close_matches(snake(name), known, 1) if isinstance(name, str) else []
    if near:
        return did_you_mean(near[0])
    listed = ", ".join(dict.fromkeys(known)) or "-"
    return Text(zh=f"可用：{listed}", en=f"there are: {listed}")
