"""Deadlines from scratch: `python benchmarks/timelimits.py`.

An instance of 20 facts and 5 limits (working hours, working days, calendar days, elapsed, by a time of day)
is rebuilt from its journal and its deadlines are asked; target 100 microseconds. Then the working-time
arithmetic underneath. `--profile` says where the time goes.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
import time
import timeit
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from svcflow import Actor, Catalog, Engine, Procedure, VirtualClock
from svcflow.explanation.explain import explain
from svcflow.kernel import Compiled, Fact, compile_procedure, evolve_all
from svcflow.kernel.timing.deadlines import deadlines
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import Role
from svcflow.model.step import Step, Transition
from svcflow.worktime import shipped_calendar
from svcflow.worktime.instants import to_us

FACTS = 20
CLERK = Actor("clerk-1", {"clerk"})
START = datetime(2026, 3, 2, 1, tzinfo=UTC)


def repair() -> Procedure:
    back = Transition("back", "work", kind="rework")
    return Procedure(
        id="repair",
        calendar="cn_office",
        roles=[Role("clerk")],
        steps=[
            Step("work", role="clerk", within="40wh", to=[Transition("send", "check")]),
            Step("check", role="clerk", within="2d", to=[back, Transition("pass", "end")]),
            Step("end", end="completed"),
        ],
        limits=[
            TimeLimit(id="reply", within="30wd", warn=["75%"], recipient_facing=True),
            TimeLimit(id="whole", within="60cd"),
            TimeLimit(id="bill", from_="work", to="end", by="17:00", day=9),
        ],
    )


def journal() -> tuple[Compiled, tuple[Fact, ...], int]:
    """Send the work to and fro with two holds until the journal has its facts."""
    clock = VirtualClock(START)
    engine = Engine("memory://", Catalog.of(repair()), clock=clock)
    name = engine.start("repair", actor=CLERK).id
    for number in range(FACTS - 1):
        clock.advance(timedelta(hours=3))
        if number in (3, 9):
            engine.hold(name, reason="third_party", actor=CLERK)
        elif number in (4, 10):
            engine.resume(name, actor=CLERK)
        else:
            at_work = engine.instance(name).steps == ("work",)
            engine.fire(name, "send" if at_work else "back", actor=CLERK)
    facts = engine.journal(name)
    assert len(facts) == FACTS, len(facts)
    return compile_procedure(repair(), shipped_calendar), facts, to_us(clock.now)


def each(work: Callable[[], object], number: int = 500) -> float:
    """Return microseconds of processor time a call, the best of nine rounds."""
    return min(timeit.repeat(work, number=number, repeat=9, timer=time.process_time)) / number * 1e6


def arithmetic() -> None:
    office = shipped_calendar("cn_office")
    start_us, hours_us = to_us(START), 30 * 3_600_000_000
    end_us = office.add_us(start_us, hours_us)
    print(
        f"  add_us              {each(lambda: office.add_us(start_us, hours_us), 20_000):8.2f}   (target 3)"
    )
    print(
        f"  between_us          {each(lambda: office.between_us(start_us, end_us), 20_000):8.2f}   (target 3)"
    )


def main() -> None:
    compiled, facts, now_us = journal()
    instance = evolve_all(compiled, None, facts)
    assert len(deadlines(compiled, instance, now_us, ended=True)) == 5

    def scratch() -> object:
        return deadlines(compiled, evolve_all(compiled, None, facts), now_us)

    print(f"{FACTS} facts, 5 limits; microseconds")
    print(f"  from scratch        {each(scratch):8.1f}   (target 100)")
    print(f"    evolve_all        {each(lambda: evolve_all(compiled, None, facts)):8.1f}")
    print(f"    deadlines         {each(lambda: deadlines(compiled, instance, now_us)):8.1f}")
    print(f"  explain one limit   {each(lambda: explain(compiled, facts, 'reply', now_us), 20):8.1f}")
    arithmetic()
    if "--profile" in sys.argv:
        profile = cProfile.Profile()
        profile.runcall(lambda: [scratch() for _ in range(2_000)])
        pstats.Stats(profile).sort_stats("tottime").print_stats(22)


if __name__ == "__main__":
    main()
