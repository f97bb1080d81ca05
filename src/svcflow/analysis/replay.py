"""Replay: one case of a foreign log put through the kernel, command by command, every rule on record.

It decides nothing: what an event does, and what departs from the procedure, is `kernel.transact`'s to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import attrs

from svcflow.analysis.translation import Ask
from svcflow.kernel.commands import Actor, Command, Fire, Start
from svcflow.kernel.compiled import Calendars, Compiled, compile_procedure
from svcflow.kernel.decide import Outcome, transact
from svcflow.kernel.deviations import Deviation, deviations_of
from svcflow.kernel.facts import Fact
from svcflow.kernel.instance import Clock, Instance
from svcflow.kernel.ladder import CompiledLimit
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step

__all__ = ["Judgement", "Missed", "Replay", "compile_for_replay", "superseded"]

Judgement = Literal["met", "cancelled", "open"]
"""How a limit that was not breached stands: met, ended for another reason, or still running at the log's end."""
Missed = tuple[str, str]
"""An event that could not be replayed: the rule that closed the way, and its activity."""


class Replay:
    """Replay one case; give it the events in the order of time."""

    __slots__ = ("_case", "_compiled", "_facts", "_past", "instance", "missed")

    def __init__(self, compiled: Compiled, case: str) -> None:
        self._compiled, self._case = compiled, case
        self._facts: list[Fact] = []
        self._past: list[tuple[Clock, Judgement]] = []
        self.instance: Instance | None = None
        self.missed: list[Missed] = []

    def take(self, ask: Ask, actor: Actor, at_us: int, *, starts: bool) -> None:
        """Start the instance with its first event, and fire what the event means unless it `starts`."""
        if self.instance is None:
            self._do(Start(self._case, actor=actor), at_us)
            if starts:
                return
        if ask.trigger is None:
            self.missed.append(("started", ask.activity))
            return
        outcome = self._do(Fire(ask.trigger, actor), at_us)
        if outcome.refused is not None:
            self.missed.append((outcome.refused.rule, ask.activity))

    def wait(self, until_us: int) -> None:
        """Record what time brought until the end of the log."""
        self._do(None, until_us)

    @property
    def deviations(self) -> tuple[Deviation, ...]:
        """The deviations recorded so far, in their order."""
        return deviations_of(self._facts)

    def judgements(self) -> list[tuple[str, Judgement]]:
        """Return how each visit of each limit that was not breached stands."""
        assert self.instance is not None  # noqa: S101  # asked after at least one event
        now = [(clock, clock.verdict or "open") for clock in self.instance.clocks.values()]
        breached = {(one.limit, one.visit) for one in self.deviations if one.limit}
        return [
            (clock.limit, judgement)
            for clock, judgement in (*self._past, *now)
            if judgement != "late" and (clock.limit, clock.visit) not in breached
        ]

    def _do(self, command: Command | None, at_us: int) -> Outcome:
        outcome = transact(self._compiled, self.instance, command, at_us)
        if self.instance is not None:
            self._remember(self.instance.clocks, outcome.instance.clocks)
        self.instance = outcome.instance
        self._facts += outcome.facts
        return outcome

    def _remember(self, before: Mapping[str, Clock], after: Mapping[str, Clock]) -> None:
        """Keep clocks that a new visit has replaced: the instance knows the last visit only."""
        if before is after:
            return
        for limit, clock in before.items():
            if after[limit].visit != clock.visit:
                self._past.append((clock, superseded(self._compiled.limits[limit], clock)))


def superseded(limit: CompiledLimit, clock: Clock) -> Judgement:
    """Judge a clock that its limit's next visit replaced.

    A step's clock ends with the step, so one that seems to run was met in the very command that entered the
    step again; a span that begins anew was neither met nor breached.
    """
    if clock.verdict == "met" or (not clock.verdict and limit.limit.scope == "step"):
        return "met"
    return "cancelled"


def compile_for_replay(procedure: Procedure, calendars: Calendars) -> Compiled:
    """Compile with every rule on record, required fields optional and no warnings or escalations.

    A mapping gives no data, so nothing can be said of fields; warnings of the past call nobody, change no
    deviation and cost a tenth of the replay. Raises: UnknownCalendar.
    """
    plain = attrs.evolve(
        procedure,
        fields={name: attrs.evolve(field, required=False) for name, field in procedure.fields.items()},
        steps=_silent_steps(procedure.steps),
        limits=[_silent(limit) for limit in procedure.limits],
    )
    return compile_procedure(plain, calendars, enforce="record")


def _silent_steps(steps: tuple[Step, ...]) -> list[Step]:
    return [
        attrs.evolve(
            step,
            within=None if step.within is None else _silent(step.within),
            parallel=[attrs.evolve(branch, steps=_silent_steps(branch.steps)) for branch in step.parallel],
        )
        for step in steps
    ]


def _silent(limit: TimeLimit) -> TimeLimit:
    return attrs.evolve(limit, warn=(), escalate=())
