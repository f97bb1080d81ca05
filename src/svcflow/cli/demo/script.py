"""Script of the demonstration's week: its commands, and how an engine plays them on a virtual clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import attrs

from svcflow.cli.language import Tongue
from svcflow.errors import Refused
from svcflow.kernel.commands import Actor, Recipient
from svcflow.model.field import Value
from svcflow.runtime.clock import VirtualClock
from svcflow.runtime.engine import Engine
from svcflow.text import Text
from svcflow.wording import WEEKDAYS

__all__ = ["FINISH", "MONDAY", "ZONE", "DemoCommand", "InstanceScript", "play"]

Act = Literal["start", "fire", "hold", "resume"]
ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=ZONE)
FINISH = datetime(2026, 3, 6, 16, 30, tzinfo=ZONE)
_DAYS = tuple(weekday.en for weekday in WEEKDAYS)


def day(text: str) -> datetime:
    """Return the instant of the week that is written `Tue 11:40`."""
    name, clock = text.split()
    hour, minute = map(int, clock.split(":"))
    at = MONDAY + timedelta(days=_DAYS.index(name))
    return at.replace(hour=hour, minute=minute)


@attrs.frozen
class DemoCommand:
    """One command of the week; `refused` says that a rule has to refuse it."""

    at: datetime
    instance: str
    act: Act
    what: str
    actor: Actor
    data: Mapping[str, Value | Text] = attrs.field(factory=dict)
    evidence: Mapping[str, str] = attrs.field(factory=dict)
    override: Text | None = None
    recipient: Recipient | None = None
    refused: bool = False


class InstanceScript:
    """The commands of one instance, written one after another.

    Instants are written `Tue 11:40`, actors `id:role,role`, evidence `photo=P-1 order=W-2`.
    """

    def __init__(self, instance: str) -> None:
        self.instance = instance
        self.commands: list[DemoCommand] = []

    def start(
        self, at: str, procedure: str, actor: str, recipient: str, **data: Value | Text
    ) -> InstanceScript:
        """Start the instance."""
        name, _, group = recipient.partition(":")
        served = Recipient(name, group)  # type: ignore[arg-type]  # validated by the class itself
        return self._add(at, "start", procedure, actor, data=data, recipient=served)

    def fire(
        self,
        at: str,
        trigger: str,
        actor: str,
        *,
        evidence: str = "",
        override: Text | None = None,
        refused: bool = False,
        **data: Value | Text,
    ) -> InstanceScript:
        """Move the instance."""
        return self._add(at, "fire", trigger, actor, evidence, data=data, override=override, refused=refused)

    def hold(self, at: str, reason: str, actor: str, *, evidence: str) -> InstanceScript:
        """Stop its clocks."""
        return self._add(at, "hold", reason, actor, evidence)

    def resume(self, at: str, actor: str) -> InstanceScript:
        """Let its clocks run on."""
        return self._add(at, "resume", "", actor)

    def _add(
        self, at: str, act: Act, what: str, actor: str, evidence: str = "", **more: Any
    ) -> InstanceScript:
        name, _, roles = actor.partition(":")
        records = dict(pair.split("=") for pair in evidence.split())
        who = Actor(name, roles.split(","))
        self.commands.append(DemoCommand(day(at), self.instance, act, what, who, evidence=records, **more))
        return self


def play(engine: Engine, clock: VirtualClock, commands: Sequence[DemoCommand], lang: Tongue) -> None:
    """Give the commands to an engine, each at its instant, and let time run to the end of the week."""
    for command in commands:
        clock.move_to(command.at)
        try:
            _give(engine, command, lang)
        except Refused:
            if not command.refused:
                raise
    clock.move_to(FINISH)
    engine.tick()


def _give(engine: Engine, command: DemoCommand, lang: Tongue) -> None:
    name, actor, evidence = command.instance, command.actor, command.evidence
    data = {key: value.in_(lang) if isinstance(value, Text) else value for key, value in command.data.items()}
    if command.act == "start":
        engine.start(command.what, data=data, recipient=command.recipient, actor=actor, instance_id=name)
    elif command.act == "fire":
        reason = None if command.override is None else command.override.in_(lang)
        engine.fire(name, command.what, actor=actor, data=data, evidence=evidence, override=reason)
    elif command.act == "hold":
        engine.hold(name, reason=command.what, actor=actor, evidence=evidence)
    else:
        engine.resume(name, actor=actor)
