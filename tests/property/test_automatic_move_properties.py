"""Whatever a procedure is: a step that moves on by itself makes nothing overdue, and changes no figure but its own move."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st
from procedures import CALENDARS, SKILLED, Run, compiled, runs

from svcflow.errors import CalendarCoverageError
from svcflow.kernel import Compiled, Fact, Fire, Instance, compile_procedure, deviations_of, transact
from svcflow.kernel.facts import Deviated, Escalated, Moved, Overdue, Settled, Warned
from svcflow.kernel.instance import NEVER
from svcflow.kernel.lifecycle.work_items import work_of
from svcflow.kernel.timing.deadlines import deadlines
from svcflow.model.limit import step_of_timer
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step
from svcflow.simulate import simulate

EXAMPLES = settings(max_examples=settings.default.max_examples // 4)
FEW = settings(max_examples=max(5, settings.default.max_examples // 10))


def timers(known: Compiled) -> set[str]:
    return {name for name, limit in known.limits.items() if limit.is_timer}


@EXAMPLES
@given(runs())
def test_nothing_of_it_is_a_deadline_a_breach_or_work_that_is_due(run: Run):
    """No fact of a limit, no deviation, no deadline and no worklist speaks of a timer."""
    names = timers(run.compiled)
    told = [fact for fact in run.facts if isinstance(fact, Warned | Escalated | Overdue | Settled | Deviated)]
    assert names.isdisjoint(fact.limit for fact in told)
    assert names.isdisjoint(one.limit for one in deviations_of(run.facts))
    for (at_us, _), outcome in zip(run.asked, run.outcomes, strict=True):
        instance = outcome.instance
        shown = deadlines(outcome.compiled, instance, at_us, ended=True)
        assert names.isdisjoint(one.limit for one in shown)
        rest = {name: watch for name, watch in instance.stopwatches.items() if name not in names}
        assert work_of(run.compiled, instance) == work_of(run.compiled, instance._replace(stopwatches=rest))
        assert not any(instance.stopwatches[name].overdue for name in names & instance.stopwatches.keys())


@EXAMPLES
@given(runs())
def test_it_moves_at_the_instant_that_its_timer_has_and_is_the_systems(run: Run):
    """Never before, and never later than its step was entered or its instant set."""
    instance: Instance | None = None
    for (at_us, command), outcome in zip(run.asked, run.outcomes, strict=True):
        while instance is not None and instance.next_us <= at_us:
            before, instance, facts = instance, *ticked(run.compiled, instance, instance.next_us)
            for fact in facts:
                if isinstance(fact, Moved) and fact.timed:
                    watch = before.stopwatches.get(f"{fact.step}.then")
                    assert watch is None or watch.due_us <= fact.occurred_us <= before.next_us
                    assert (fact.actor, fact.automatic, fact.trigger) == ("", True, f"later_{fact.step}")
        assert (
            instance is None
            or outcome.instance.status == "ended"
            or not due(run.compiled, outcome.instance, at_us)
        )
        instance = transact(run.compiled, instance, command, at_us).instance


def ticked(known: Compiled, instance: Instance, at_us: int) -> tuple[Instance, tuple[Fact, ...]]:
    outcome = transact(known, instance, None, at_us)
    return outcome.instance, outcome.facts


def due(known: Compiled, instance: Instance, at_us: int) -> list[str]:
    """The timers whose instant is past while their step is still active."""
    watches = (instance.stopwatches[name] for name in timers(known) & instance.stopwatches.keys())
    return [watch.limit for watch in watches if not watch.verdict and watch.due_us <= at_us != NEVER]


def of_limits(facts: Iterable[Fact]) -> list[tuple[object, ...]]:
    """What the facts say of limits, without their numbers."""
    kinds = Warned | Escalated | Overdue | Settled
    return [
        (fact.kind, fact.limit, fact.visit, fact.due_us, fact.occurred_us)
        for fact in facts
        if isinstance(fact, kinds)
    ]


def told_apart(facts: Iterable[Fact], moved: Collection[int]) -> list[Fact]:
    """Return the facts without what is told of a limit at the very instant of an automatic move.

    The move comes before it and may end the limit; a person's comes after it.
    """
    return [
        fact for fact in facts if not (isinstance(fact, Warned | Escalated) and fact.occurred_us in moved)
    ]


def by_hand(step: Step) -> Step:
    branches = [attrs.evolve(one, steps=[by_hand(each) for each in one.steps]) for one in step.parallel]
    return attrs.evolve(step, then=None, parallel=branches)


@EXAMPLES
@given(runs())
def test_limits_run_as_if_somebody_had_made_the_move_at_that_instant(run: Run):
    """The same commands, with the automatic moves made by a person: every warning, breach and overrun is the same."""
    declared = run.compiled.procedure
    plain = attrs.evolve(declared, steps=[by_hand(step) for step in declared.steps])
    known = compile_procedure(
        plain, CALENDARS.__getitem__, enforce="record" if run.compiled.foreign else "declared"
    )
    facts: list[Fact] = []
    present: Instance | None = None
    instance: Instance | None = None

    def do(command: object, at_us: int) -> bool:
        nonlocal instance
        outcome = transact(known, instance, command, at_us)
        instance = outcome.instance
        facts.extend(outcome.facts)
        return outcome.refused is None

    for at_us, command in run.asked:
        for asked in (None, command) if present is not None else (command,):
            outcome = transact(run.compiled, present, asked, at_us)
            present = outcome.instance
            timed = [fact for fact in outcome.facts if isinstance(fact, Moved) and fact.timed]
            if asked is not None:
                do(asked, at_us)
            for fact in timed:
                if not do(Fire(fact.trigger, SKILLED, {}, {"photo": "p"}, fact.step), fact.occurred_us):
                    return  # not to be made by a person: the case is held, or somebody else has the step
        do(None, at_us)
    moved = {fact.occurred_us for fact in run.facts if isinstance(fact, Moved) and fact.timed}
    assert of_limits(told_apart(facts, moved)) == of_limits(told_apart(run.facts, moved))


@FEW
@given(compiled(), st.integers(0, 9))
def test_no_figure_of_a_simulation_counts_it(known: Compiled, seed: int):
    """Breaches are of limits; what deviates is what the journals say of limits and rules."""
    declared: Procedure = known.procedure
    try:
        result = simulate(declared, 5, seed, calendars=CALENDARS.__getitem__)
    except CalendarCoverageError:  # work that is sent back again and again outlasts the calendar
        return
    assert not any(step_of_timer(name) for name in result.breaches)
    journals = [fact for facts in result.journals().values() for fact in facts]
    counted = sum(isinstance(fact, Overdue | Deviated) for fact in journals)
    assert sum(result.deviations.values()) == counted
    assert not any(step_of_timer(getattr(fact, "limit", "")) for fact in journals)
