"""Resources: the pool of people of one role, and the instances and pieces of work of a run."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import count

import attrs

from svcflow.kernel.compiled import CompiledMove
from svcflow.kernel.facts import Fact
from svcflow.kernel.instance import NEVER, Instance
from svcflow.simulate.plan import StepPlan
from svcflow.worktime.calendar import WorkCalendar

__all__ = ["RolePool", "SimulatedCase", "Task"]


class RolePool:
    """Members of one role, given work lowest free number first; `capacity=None` sets no bound.

    Waiting work is served in the order in which it was asked for. `busy_us` is counted until `until_us`.
    """

    __slots__ = (
        "_free",
        "_queue",
        "_recruited",
        "busy_us",
        "calendar",
        "capacity",
        "role",
        "until_us",
        "waits_us",
    )

    def __init__(self, role: str, capacity: int | None, calendar: WorkCalendar, until_us: int) -> None:
        self.role, self.capacity, self.calendar, self.until_us = role, capacity, calendar, until_us
        self._free: list[int] = list(range(1, (capacity or 0) + 1))
        self._recruited = capacity or 0
        self._queue: deque[Task] = deque()
        self.waits_us: list[int] = []
        """How long each piece of work waited, in the pool's open time, in the order in which they began."""
        self.busy_us = 0
        """How much open time its members together worked until `until_us`."""

    def ask(self, task: Task) -> None:
        """Put a piece of work at the end of the queue."""
        self._queue.append(task)

    @property
    def served(self) -> int:
        """How many pieces of work began."""
        return len(self.waits_us)

    def begin(self, now_us: int) -> Iterator[Task]:
        """Yield the work that somebody takes up now, to begin when the pool is open; its member and start are set.

        First come, first served, but nobody is held up by work that only another member may do.
        """
        passed: list[Task] = []
        while self._queue and (self._free or self.capacity is None):
            task = self._queue.popleft()
            if not task.live:
                continue
            member = self._take(task.barred)
            if member is None:
                passed.append(task)
                continue
            task.member = member
            task.start_us = now_us
            # In open time: a night between asking and beginning is no waiting.
            self.waits_us.append(self.calendar.between_us(task.asked_us, now_us))
            yield task
        self._queue.extendleft(reversed(passed))

    def release(self, task: Task, now_us: int) -> None:
        """Free the member of a piece of work that ended or was withdrawn; work that still waits has none."""
        if task.start_us == UNSTARTED:
            return
        heappush(self._free, task.member)
        last_us = min(now_us, self.until_us)
        if task.start_us < last_us:
            self.busy_us += self.calendar.between_us(task.start_us, last_us)

    def actor(self, task: Task) -> str:
        """Return who acts: `<role>-<n>`; where everybody else is barred, a stand-in with the next free number."""
        names = (f"{self.role}-{number}" for number in count(task.member))
        return next(name for name in names if name not in task.barred)

    def _take(self, barred: tuple[str, ...]) -> int | None:
        """Take a free member who is not barred; None when there is none.

        Where all members are barred, the work would wait for ever: nobody is, and a stand-in acts (`actor`).
        """
        if barred and self.capacity is not None:
            members = (f"{self.role}-{number}" for number in range(1, self.capacity + 1))
            barred = () if all(name in barred for name in members) else barred
        passed: list[int] = []
        member = self._next()
        while member is not None and f"{self.role}-{member}" in barred:
            passed.append(member)
            member = self._next()
        for other in passed:
            heappush(self._free, other)
        return member

    def _next(self) -> int | None:
        return heappop(self._free) if self._free else self._recruit()

    def _recruit(self) -> int | None:
        if self.capacity is not None:
            return None
        self._recruited += 1
        return self._recruited


UNSTARTED = -1


@attrs.define(eq=False)
class SimulatedCase:
    """One simulated instance: its present state, its facts, and the work under way."""

    number: int
    instance: Instance
    facts: list[Fact]
    tasks: dict[str, Task] = attrs.field(factory=dict)
    visits: dict[str, int] = attrs.field(factory=dict)
    met: set[str] = attrs.field(factory=set)
    """Limits that were met on a visit which a later one has replaced: the instance knows the last visit only."""
    wake_us: int = NEVER
    """When the next limit passes that moves the instance by itself; NEVER where there is none."""


@attrs.define(eq=False)
class Task:
    """One piece of work: a visit of a step. `live` ends when the step is left, by whatever way."""

    case: SimulatedCase
    plan: StepPlan
    visit: int
    amount_us: int
    choice: float
    row: CompiledMove | None
    pool: RolePool | None
    barred: tuple[str, ...]
    asked_us: int
    start_us: int = UNSTARTED
    member: int = 0
    live: bool = True
