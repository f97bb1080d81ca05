"""A case: one instance driven through the kernel alone, with the hour it is; and small procedures for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import pairwise

from svcflow.kernel import (
    NOBODY,
    Actor,
    Command,
    Compiled,
    Deadline,
    Deviation,
    Fact,
    Fire,
    Hold,
    Outcome,
    Recipient,
    Resume,
    Start,
    Update,
    compile_procedure,
    deviations_of,
    evolve_all,
    transact,
)
from svcflow.kernel.facts import to_datetime
from svcflow.kernel.timing.deadlines import deadlines
from svcflow.model.field import Field
from svcflow.model.procedure import Procedure, Role
from svcflow.model.step import Branch, Step, Transition
from svcflow.worktime.calendar import WorkCalendar
from svcflow.worktime.instants import to_us

OFFICE = WorkCalendar.from_mapping(
    {
        "calendar": "office",
        "timezone": "Asia/Shanghai",
        "weekly": {"mon-fri": ["08:30-12:00", "13:30-17:30"]},
    }
)
ALWAYS = WorkCalendar.from_mapping(
    {"calendar": "always", "timezone": "UTC", "weekly": {"mon-sun": ["00:00-24:00"]}}
)
CALENDARS = {"office": OFFICE, "always": ALWAYS}
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=OFFICE.timezone)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
MICRO = timedelta(microseconds=1)
CLERK, CHIEF = Role("clerk"), Role("chief")


def move(trigger: str, step: str, **more: object) -> Transition:
    return Transition(trigger, step, **more)


def line(*names: str, **more: Mapping[str, object]) -> tuple[Step, ...]:
    """Steps one after the other, each left by `to_<next>`; the last one ends the instance."""
    steps = [
        Step(name, to=(move(f"to_{after}", after),), **more.get(name, {})) for name, after in pairwise(names)
    ]
    return (*steps, Step(names[-1], end="completed"))


def fork(name: str, *to: Transition, **branches: tuple[Step, ...]) -> Step:
    return Step(name, parallel=tuple(Branch(one, steps) for one, steps in branches.items()), to=to)


def procedure(*steps: Step, fields: Iterable[Field] = (), **more: object) -> Procedure:
    given = {"id": "sample", "calendar": "office", "roles": (CLERK, CHIEF), **more}
    return Procedure(steps=steps, fields=fields, **given)


class Case:
    """One instance; every command is given `after` the last one, on Monday 2026-03-02 from 09:00."""

    def __init__(self, declared: Procedure, *, enforce: str = "declared", **start: object) -> None:
        self.compiled: Compiled = compile_procedure(declared, CALENDARS.__getitem__, enforce=enforce)
        self.now = start.pop("at", MONDAY)
        self.facts: list[Fact] = []
        self.instance = None
        self.outcome = self._do(Start("i1", **start))

    def fire(self, trigger: str, after: timedelta = MINUTE, **more: object) -> Outcome:
        return self.do(Fire(trigger, **more), after)

    def hold(self, after: timedelta = MINUTE, reason: str = "third_party", **more: object) -> Outcome:
        return self.do(Hold(reason, **more), after)

    def resume(self, after: timedelta = MINUTE) -> Outcome:
        return self.do(Resume(), after)

    def update(self, after: timedelta = MINUTE, **more: object) -> Outcome:
        return self.do(Update(**more), after)

    def wait(self, after: timedelta) -> Outcome:
        return self.do(None, after)

    def do(self, command: Command | None, after: timedelta) -> Outcome:
        self.now += after
        return self._do(command)

    def _do(self, command: Command | None) -> Outcome:
        self.outcome = transact(self.compiled, self.instance, command, to_us(self.now))
        self.instance = self.outcome.instance
        self.facts += self.outcome.facts
        assert evolve_all(self.compiled, None, self.facts) == self.instance
        return self.outcome

    @property
    def rule(self) -> str:
        """The rule that refused the last command; empty when none did."""
        return self.outcome.refused.rule if self.outcome.refused else ""

    @property
    def kinds(self) -> list[str]:
        return [fact.kind for fact in self.facts]

    def of(self, kind: str) -> list[Fact]:
        return [fact for fact in self.facts if fact.kind == kind]

    @property
    def deviations(self) -> list[tuple[str, str]]:
        return [(one.kind, one.step) for one in deviations_of(self.facts)]

    @property
    def all_deviations(self) -> tuple[Deviation, ...]:
        return deviations_of(self.facts)

    def deadline(self, limit: str, *, ended: bool = False) -> Deadline:
        found = deadlines(self.compiled, self.instance, to_us(self.now), ended=ended)
        return next(one for one in found if one.limit == limit)

    def due(self, limit: str) -> str | None:
        """The deadline as the office's clock shows it: `Mon 11:00`."""
        at = self.deadline(limit).due_at
        return None if at is None else clock_time(at)

    def when(self, fact: Fact) -> str:
        return clock_time(to_datetime(fact.occurred_us))


def clock_time(at: datetime) -> str:
    local = at.astimezone(OFFICE.timezone)
    return local.strftime("%a %H:%M") + (f":{local:%S.%f}" if local.second or local.microsecond else "")


def worker(name: str, *roles: str) -> Actor:
    return Actor(name, roles=roles)


__all__ = ["ALWAYS", "NOBODY", "OFFICE", "Branch", "Case", "Recipient", "Step"]
