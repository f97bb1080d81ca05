"""Replay of one case of a foreign log through the kernel, command by command, every rule on record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, Literal

import attrs

from svcflow.analysis.activity_mapping import MappedEvent, MappedSequence
from svcflow.errors import CalendarCoverageError
from svcflow.kernel.commands import Actor, Command, Fire, Start
from svcflow.kernel.compiled import Calendars, Compiled, compile_procedure
from svcflow.kernel.decide import Outcome, transact
from svcflow.kernel.facts import Fact, Moved
from svcflow.kernel.instance import Instance, Stopwatch, Verdict
from svcflow.kernel.lifecycle.deviations import Deviation, deviations_of
from svcflow.kernel.moves.four_eyes import steps_done
from svcflow.kernel.timing.stopwatch import met_when_replaced
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import Procedure
from svcflow.model.start_rule import StartRule
from svcflow.model.step import Branch, Step

__all__ = ["CaseReplay", "Judgement", "Missed", "compile_for_replay"]

Judgement = Literal["met", "cancelled", "open"]
"""How a limit that was not breached stands: met, ended for another reason, or still running at the log's end."""
Missed = tuple[str, str]
"""An event that could not be replayed: the rule that closed the way, and its activity."""


class CaseReplay:
    """Replay of one case; its events are given in the order of time."""

    __slots__ = (
        "_case", "_compiled", "_done", "_facts", "_past", "broken_off", "instance", "latest", "missed", "unjudged",
    )  # fmt: skip

    def __init__(self, compiled: Compiled, case: str) -> None:
        self._compiled, self._case = compiled, case
        self._facts: list[Fact] = []
        self._past: list[tuple[Stopwatch, Judgement]] = []
        self.instance: Instance | None = None
        self.missed: list[Missed] = []
        self.latest: list[Fact] = []
        """The facts that the last event led to."""
        self.unjudged: Counter[str] = Counter()
        """How often the log does not tell what a rule asks: `role`, and who did which step (`not_by`)."""
        self._done: dict[str, bool] = {}
        """The steps that another person has to check, once they are done: whether the log tells by whom."""
        self.broken_off = False
        """Whether the case left what a calendar covers; what came before stands."""

    def run(self, sequence: MappedSequence, actors: Mapping[int, Actor], times: Sequence[int]) -> None:
        """Replay all events of a case; those from the first beyond a calendar's coverage on are missed."""
        for place, event in enumerate(sequence.events):
            try:
                self.replay(event, actors[event.index], times[event.index], starts=sequence.starts)
            except CalendarCoverageError:
                self.broken_off = True
                self.missed += [("calendar-coverage", left.activity) for left in sequence.events[place:]]
                return

    def replay(self, event: MappedEvent, actor: Actor, at_us: int, *, starts: bool) -> None:
        """Start the instance with its first event, and fire what an event means unless it `starts`."""
        self.latest = []
        if self.instance is None:
            rule = self._compiled.procedure.start
            # who does a later event need not be who asked
            asker = actor if starts else attrs.evolve(actor, roles=None)
            self._transact(Start(self._case, actor=asker), at_us)
            self.unjudged["role"] += bool(rule is not None and rule.role and asker.roles is None)
            if starts:
                return
        if event.trigger is None:
            self.missed.append(("started", event.activity))
            return
        outcome = self._transact(Fire(event.trigger, actor), at_us)
        self._count_unjudged(outcome.facts, actor)
        if outcome.refused is not None:
            self.missed.append((outcome.refused.rule, event.activity))

    def wait(self, until_us: int) -> None:
        """Record what became due until the end of the log."""
        if self.broken_off:
            return
        try:
            self._transact(None, until_us)
        except CalendarCoverageError:
            self.broken_off = True

    def deviations(self) -> tuple[Deviation, ...]:
        """Return the deviations recorded so far, in their order; `sequence` is 0, for no journal is kept."""
        return tuple(attrs.evolve(deviation, sequence=0) for deviation in deviations_of(self._facts))

    def judgements(self, deviations: Iterable[Deviation]) -> list[tuple[str, Judgement]]:
        """Return how each visit of each limit stands that is not among the deviations."""
        if self.instance is None:  # broken off at the very start
            return []
        watches = self.instance.stopwatches.values()
        present = [(watch, _JUDGEMENTS[watch.verdict]) for watch in watches if watch.verdict in _JUDGEMENTS]
        breached = {(deviation.limit, deviation.visit) for deviation in deviations}
        return [
            (watch.limit, judgement)
            for watch, judgement in (*self._past, *present)
            if (watch.limit, watch.visit) not in breached
        ]

    def replaced(self) -> Mapping[tuple[str, int], Judgement]:
        """Return how each limit stood on each visit that a later one has replaced."""
        return {(watch.limit, watch.visit): judgement for watch, judgement in self._past}

    def _count_unjudged(self, facts: Iterable[Fact], actor: Actor) -> None:
        for fact in facts:
            if not isinstance(fact, Moved) or (fact.automatic and not fact.via):
                continue
            row = self._compiled.rows(fact.via or fact.step, fact.trigger)[fact.row]
            self.unjudged["role"] += bool(row.role and actor.roles is None and not fact.automatic)
            steps = steps_done(self._compiled, fact) if self._compiled.excluded else ()
            checked = (other for step in steps for other in self._compiled.steps[step].step.not_by)
            named = bool(actor.id)
            self.unjudged["not_by"] += any(
                other in self._done and not (named and self._done[other]) for other in checked
            )
            for step in self._compiled.excluded.intersection(steps):
                others = self._done.get(step, True) if self._compiled.steps[step].branches else True
                self._done[step] = named and others

    def _transact(self, command: Command | None, at_us: int) -> Outcome:
        outcome = transact(self._compiled, self.instance, command, at_us)
        if self.instance is not None:
            self._keep_replaced(self.instance.stopwatches, outcome)
        self.instance = outcome.instance
        self._facts += outcome.facts
        self.latest += outcome.facts
        return outcome

    def _keep_replaced(self, before: Mapping[str, Stopwatch], outcome: Outcome) -> None:
        """Keep stopwatches that a new visit has replaced: an instance has those of the last visit only."""
        after = outcome.instance.stopwatches
        if before is after:
            return
        for name, watch in before.items():
            if after[name].visit != watch.visit:
                limit = self._compiled.limits[name]
                reached = self._compiled.reaches(outcome.facts, limit)
                met = met_when_replaced(limit, watch, reached=reached)
                self._past.append((watch, "met" if met else "cancelled"))


_JUDGEMENTS: Mapping[Verdict, Judgement] = {"": "open", "met": "met", "cancelled": "cancelled"}
"""How a limit stands that was not broken; `late` and `early` are deviations and counted as such."""


def compile_for_replay(
    procedure: Procedure, calendars: Calendars, told: Container[str] = frozenset()
) -> Compiled:
    """Compile with every rule on record, required fields optional and no warnings or escalations.

    A mapping gives no data, so nothing can be said of fields, nor of the notice that a start gives; warnings of
    the past call nobody, change no deviation and cost a tenth of the replay. A step moves on by itself only where the log does not tell: `told` are the
    triggers that it has activities for. Raises: UnknownCalendar.
    """
    rule = procedure.start
    changes: dict[str, Any] = {  # attrs' converters of collections are beyond mypy's plugin
        "start": StartRule(role=rule.role, name=rule.name) if rule is not None and rule.role else None,
        "fields": tuple(attrs.evolve(field, required=False) for field in procedure.fields.values()),
        "steps": _silent_steps(procedure.steps, told),
        "limits": tuple(_silent(limit) for limit in procedure.limits),
    }
    return compile_procedure(attrs.evolve(procedure, **changes), calendars, enforce="record")


def _silent_steps(steps: tuple[Step, ...], told: Container[str]) -> tuple[Step, ...]:
    return tuple(_silent_step(step, told) for step in steps)


def _silent_step(step: Step, told: Container[str]) -> Step:
    changes: dict[str, Any] = {
        "then": None if step.then is None or step.then.fire in told else step.then,
        "within": None if step.within is None else _silent(step.within),
        "parallel": tuple(_silent_branch(branch, told) for branch in step.parallel),
    }
    return attrs.evolve(step, **changes)


def _silent_branch(branch: Branch, told: Container[str]) -> Branch:
    changes: dict[str, Any] = {"steps": _silent_steps(branch.steps, told)}
    return attrs.evolve(branch, **changes)


def _silent(limit: TimeLimit) -> TimeLimit:
    return attrs.evolve(limit, warn=(), escalate=())
