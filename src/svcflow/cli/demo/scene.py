"""A scene: one thing somebody does in the demonstration's week, as plain values. It plays nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import attrs

from svcflow.kernel.commands import Actor, Recipient
from svcflow.model.field import Value
from svcflow.text import Text
from svcflow.wording import WEEKDAYS

__all__ = ["FINISH", "MONDAY", "ZONE", "Act", "Scene", "Thread", "day"]

Act = Literal["start", "fire", "hold", "resume"]
Told = Value | Text
ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=ZONE)
FINISH = datetime(2026, 3, 6, 16, 30, tzinfo=ZONE)
_DAYS = tuple(weekday.en for weekday in WEEKDAYS)


def day(written: str) -> datetime:
    """Read `Tue 11:40` as an instant of the week."""
    name, clock = written.split()
    hour, minute = map(int, clock.split(":"))
    at = MONDAY + timedelta(days=_DAYS.index(name))
    return at.replace(hour=hour, minute=minute)


@attrs.frozen
class Scene:
    """Hold one command: when, on which instance, what, by whom; `refused` says that a rule must refuse it."""

    at: datetime
    instance: str
    act: Act
    what: str
    actor: Actor
    data: Mapping[str, Told] = attrs.field(factory=dict)
    evidence: Mapping[str, str] = attrs.field(factory=dict)
    override: Text | None = None
    recipient: Recipient | None = None
    refused: bool = False


class Thread:
    """Write down the scenes of one instance one after another."""

    def __init__(self, instance: str) -> None:
        self.instance = instance
        self.scenes: list[Scene] = []

    def start(self, at: str, procedure: str, actor: str, recipient: str, **data: Told) -> Thread:
        """Begin the instance."""
        name, _, group = recipient.partition(":")
        served = Recipient(name, group)  # type: ignore[arg-type]  # validated by the class itself
        self.scenes.append(
            Scene(day(at), self.instance, "start", procedure, _actor(actor), data, recipient=served)
        )
        return self

    def fire(
        self,
        at: str,
        trigger: str,
        actor: str,
        *,
        evidence: str = "",
        override: Text | None = None,
        refused: bool = False,
        **data: Told,
    ) -> Thread:
        """Move the instance; evidence is written `photo=P-1 order=W-2`."""
        records = dict(pair.split("=") for pair in evidence.split())
        self.scenes.append(
            Scene(
                day(at),
                self.instance,
                "fire",
                trigger,
                _actor(actor),
                data,
                records,
                override,
                refused=refused,
            )
        )
        return self

    def hold(self, at: str, reason: str, actor: str, *, evidence: str) -> Thread:
        """Stop its clocks."""
        records = dict(pair.split("=") for pair in evidence.split())
        self.scenes.append(Scene(day(at), self.instance, "hold", reason, _actor(actor), {}, records))
        return self

    def resume(self, at: str, actor: str) -> Thread:
        """Let its clocks run on."""
        self.scenes.append(Scene(day(at), self.instance, "resume", "", _actor(actor)))
        return self


def _actor(written: str) -> Actor:
    name, _, roles = written.partition(":")
    return Actor(name, roles.split(","))
