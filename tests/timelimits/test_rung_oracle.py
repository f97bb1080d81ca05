"""Points of ladders in working units and in opening hours, against an oracle that steps minute by minute.

`SVCFLOW_ORACLE_CASES` says how many situations are tried; 2,000 have been, without a disagreement.
"""

from __future__ import annotations

import math
import os
import random
from collections.abc import Sequence
from datetime import date

import attrs
import pytest
from minute_oracle import Days, Situation, reached, situation
from test_oracle import compiled_of

from svcflow.kernel import Compiled, Hold, Resume, Start, compile_procedure, transact
from svcflow.kernel.facts import Escalated, Fact, Warned

CASES = int(os.environ.get("SVCFLOW_ORACLE_CASES", "300"))
MINUTE_US = 60_000_000
MOST = 60 * 24 * 60
POINTS = ("+1wd", "+2wd", "+3wd", "+30wm", "+90wm", "+240wm", "-1wd", "-2wd", "-30wm", "-90wm", "-300wm")


@attrs.frozen
class Ladder:
    """What is declared beside the limit: warnings before, escalations after, and whether they wait for opening hours."""

    warn: tuple[str, ...]
    escalate: tuple[str, ...]
    waits: bool


def ladder(seed: int) -> Ladder:
    rng = random.Random(seed * 7 + 1)
    points = rng.sample(POINTS, rng.randint(1, 5))
    warn = tuple(at for at in points if at.startswith("-"))
    return Ladder(warn, tuple(at for at in points if at.startswith("+")), rng.random() < 0.5)


def plain(seed: int) -> Situation:
    """One visit of a maximum, held and resumed now and then."""
    made = situation(seed)
    rng = random.Random(seed)
    minute, events = made.events[0][0], [made.events[0]]
    for _ in range(rng.randint(0, 3)):
        minute += rng.choice((rng.randint(1, 90), rng.randint(1, 600), rng.randint(1, 4000)))
        events.append((minute, "hold" if events[-1][1] != "hold" else "resume"))
    if events[-1][1] == "hold":
        events.append((minute + rng.randint(1, 3000), "resume"))
    made.kind, made.visits, made.extent, made.events = "within", "sum", "step", events
    made.if_reached = False
    return made


def open_at(days: Days, minute: int) -> bool:
    return days.owner(minute) is not None


def before_due(days: Days, due: int, at: str) -> int:
    """The latest minute from which so much of the working time is left until the deadline."""
    count, minute = int(at[1:-2]), due
    if at.endswith("wd"):
        own = days.owner(due - 1) or days.wall(due - 1)[0]
        seen: set[date] = set()
        while True:
            closing = days.is_closing(minute)
            if closing is not None and closing < own:
                seen.add(closing)
                if len(seen) == count:
                    return minute
            minute -= 1
    while count:
        minute -= 1
        count -= open_at(days, minute)
    return minute


def after_due(days: Days, due: int, at: str, runs: Sequence[Sequence[float]]) -> int | None:
    """The first minute by which so much working time has run past the deadline; None where it stands still for good."""
    count = int(at[1:-2])
    own = days.owner(due - 1) or days.wall(due - 1)[0]
    for minute in range(due, due + MOST):
        ran = any(low <= minute - 1 < high for low, high in runs) and minute > due
        if ran and at.endswith("wm"):
            count -= open_at(days, minute - 1)
        if ran and at.endswith("wd"):
            closing = days.is_closing(minute)
            count -= closing is not None and closing > own
        if not count:
            return minute
        if all(high <= minute for _, high in runs):
            return None
    raise AssertionError(at)


def opened(days: Days, minute: int, due: int, since: int) -> int:
    """The next open minute; one that would pass a deadline still ahead gives way to the last opening before."""
    opens = minute
    while not open_at(days, opens):
        opens += 1
    if opens <= due or minute >= due:
        return opens
    while minute > since and not (open_at(days, minute) and not open_at(days, minute - 1)):
        minute -= 1
    return minute


def expected(made: Situation, declared: Ladder) -> dict[str, int]:
    """When each point of the ladder is recorded, by what the clock on the wall says."""
    days, found, runs = Days(made), dict[str, int](), list[list[float]]()
    until = made.events[-1][0] + MOST // 3
    starts = [minute for minute, does in made.events if does != "hold"]
    stops = [minute for minute, does in made.events if does == "hold"]
    for number, start in enumerate(starts):
        stop = stops[number] if number < len(stops) else math.inf
        runs.append([start, math.inf])
        due = reached(days, made, runs)
        assert due is not None
        for at in (*declared.warn, *declared.escalate):
            if at in found:
                continue
            warns = at.startswith("-")
            point = before_due(days, due, at) if warns else after_due(days, due, at, runs)
            if point is None:
                continue
            planned = opened(days, point, due, start) if declared.waits else point
            # A hold takes the deadline away that a warning comes before; what was reached past it only waits to be told.
            if max(planned if warns else point, start) <= stop and max(planned, start) <= until:
                found[at] = max(planned, start)
        runs[-1][1] = stop
    return found


def told(made: Situation, declared: Ladder) -> dict[str, int]:
    """When the kernel records each."""
    compiled, instance, facts = with_ladder(made, declared), None, list[Fact]()
    commands = {"start": Start("one"), "hold": Hold("third_party"), "resume": Resume()}
    for minute, does in made.events:
        outcome = transact(compiled, instance, commands[does], minute * MINUTE_US)
        assert outcome.refused is None, (made, outcome.refused)
        instance, facts = outcome.instance, [*facts, *outcome.facts]
    outcome = transact(compiled, instance, None, (made.events[-1][0] + MOST // 3) * MINUTE_US)
    rungs = [one for one in (*facts, *outcome.facts) if isinstance(one, Warned | Escalated)]
    assert all(isinstance(one, Warned) == one.at.startswith("-") for one in rungs)
    assert len({one.at for one in rungs}) == len(rungs)
    assert all(one.occurred_us % MINUTE_US == 0 for one in rungs)
    return {one.at: one.occurred_us // MINUTE_US for one in rungs}


def with_ladder(made: Situation, declared: Ladder) -> Compiled:
    compiled = compiled_of(made)
    (limit,) = compiled.procedure.time_limits.values()
    laddered = attrs.evolve(
        limit, warn=declared.warn, escalate=declared.escalate, in_opening_hours=declared.waits
    )
    work = attrs.evolve(compiled.procedure.steps[0], within=laddered)
    steps = (work, *compiled.procedure.steps[1:])
    calendar = compiled.calendar
    return compile_procedure(attrs.evolve(compiled.procedure, steps=steps), lambda _: calendar)


def agrees(seed: int) -> None:
    made, declared = plain(seed), ladder(seed)
    assert told(made, declared) == expected(made, declared), (seed, made, declared)


@pytest.mark.parametrize("seed", range(12))
def test_a_ladder_is_climbed_as_the_walk_says(seed: int) -> None:
    """A few situations, at once."""
    agrees(seed)


@pytest.mark.long
@pytest.mark.parametrize("part", range(6))
def test_every_ladder_is_climbed_as_the_walk_says(part: int) -> None:
    """Units, nights, days off, changes of the clock, holds before and after the deadline."""
    for seed in range(part, CASES, 6):
        agrees(seed)
