"""The product's core promise: a simulated journal is one that production would have kept."""

from __future__ import annotations

import json
import random
from itertools import groupby

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulate_cases import SITUATIONS

from svcflow.journal.canonical import from_bytes, to_bytes
from svcflow.kernel import (
    Actor,
    Fire,
    Recipient,
    Start,
    compile_procedure,
    deviations_of,
    evolve_all,
    transact,
)
from svcflow.kernel.facts import Moved, Refused, Started
from svcflow.simulate import default_scenario, simulate
from svcflow.simulate.arrivals import arrivals_from, gaps_of, starts_of
from svcflow.simulate.plan import make_plan
from svcflow.simulate.run import SimulationRun
from svcflow.simulate.sampling import Streams
from svcflow.worktime import shipped_calendar

IDS = [f"{procedure.id}-{scenario.id if scenario else 'default'}" for procedure, scenario in SITUATIONS]
EVERY_SITUATION = pytest.mark.parametrize(("procedure", "scenario"), SITUATIONS, ids=IDS)


def command_of(facts):
    """Read back the one command among facts recorded together; None when only time passed."""
    for fact in facts:
        if isinstance(fact, Started):
            recipient = Recipient(fact.recipient, fact.group)
            return Start(fact.instance, fact.data, recipient, Actor(fact.actor), fact.evidence)
        if isinstance(fact, Moved) and not fact.automatic:
            actor = Actor(fact.actor, {fact.role} if fact.role else ())
            return Fire(fact.trigger, actor, fact.data, fact.evidence, fact.step)
    return None


def replayed(compiled, facts, *, ticks=()):
    """Put the commands of a journal through a fresh kernel, with ticks at other instants between them."""
    groups = [(at, command_of(tuple(group))) for at, group in groupby(facts, lambda fact: fact.recorded_us)]
    instance, journal = None, []
    commands = [(at, 1, command) for at, command in groups if command is not None]
    idle = [(at, 0, None) for at in ticks if commands[0][0] < at]
    for at, _, command in sorted([*commands, *idle], key=lambda row: row[:2]):
        outcome = transact(compiled, instance, command, at)
        instance = outcome.instance
        journal += outcome.facts
    if facts[-1].recorded_us > commands[-1][0]:
        outcome = transact(compiled, instance, None, facts[-1].recorded_us)
        instance, journal = outcome.instance, [*journal, *outcome.facts]
    return instance, tuple(journal)


def unrecorded(facts):
    return tuple(attrs.evolve(fact, recorded_us=0) for fact in facts)


def deviation_bytes(facts):
    return json.dumps([attrs.asdict(one) for one in deviations_of(facts)], sort_keys=True).encode()


@EVERY_SITUATION
def test_a_simulated_journal_put_through_the_kernel_again_gives_the_same_deviations(procedure, scenario):
    """Command by command through a fresh kernel: the same facts, and the same deviations byte for byte."""
    result = simulate(procedure, 40, 11, scenario=scenario)
    compiled = compile_procedure(procedure, shipped_calendar)
    for facts in result.journals().values():
        again, journal = replayed(compiled, facts)
        assert unrecorded(journal) == unrecorded(facts)
        assert deviation_bytes(journal) == deviation_bytes(facts)
        assert again == evolve_all(compiled, None, facts)
        assert tuple(from_bytes(to_bytes(fact)) for fact in facts) == facts
    assert sum(result.deviations.values()) == sum(len(deviations_of(j)) for j in result.journals().values())


OF_TIME = {
    "overdue",
    "long_wait",
    "too_early",
    "missed_occurrence",
    "short_notice",
    "infeasible_on_reschedule",
}
"""Deviations that come about by durations, not by what somebody does against a rule."""


@EVERY_SITUATION
def test_nothing_simulated_is_refused(procedure, scenario):
    """Commands are made to be accepted: roles, evidence, required data and guards are kept."""
    result = simulate(procedure, 40, 5, scenario=scenario)
    facts = [fact for journal in result.journals().values() for fact in journal]
    assert not any(isinstance(fact, Refused) for fact in facts)
    assert set(result.deviations) <= OF_TIME | {"rework_over_bound"}
    assert result.still_open == 0


@given(st.sampled_from(range(len(SITUATIONS))), st.randoms(use_true_random=False), st.integers(0, 2**32))
@settings(max_examples=25)
def test_extra_ticks_change_nothing_in_a_journal(place, chance, seed):
    """Wherever a scheduler would have looked at an instance between its commands."""
    procedure, scenario = SITUATIONS[place]
    compiled = compile_procedure(procedure, shipped_calendar)
    for facts in simulate(procedure, 3, seed, scenario=scenario).journals().values():
        first, last = facts[0].recorded_us, facts[-1].recorded_us
        ticks = [chance.randint(first, last) for _ in range(20)]
        _, journal = replayed(compiled, facts, ticks=ticks)
        assert unrecorded(journal) == unrecorded(facts)


@EVERY_SITUATION
def test_extra_ticks_change_nothing_in_a_simulation(procedure, scenario):
    """Not the facts, not who waited for whom: nothing in a run depends on when an instance was looked at."""
    plain, ticked = (run_of(procedure, scenario) for _ in range(2))
    chance = random.Random(3)
    first = plain.arrivals_us[0]
    for _ in range(400):
        ticked.at(first + chance.randrange(30 * 86_400_000_000), poke(ticked), chance.randrange(30))
    plain.go()
    ticked.go()
    assert [unrecorded(case.facts) for case in ticked.cases] == [
        unrecorded(case.facts) for case in plain.cases
    ]
    assert ticked.ended == plain.ended
    for role, pool in plain.pools.items():
        assert ticked.pools[role].waits_us == pool.waits_us
        assert ticked.pools[role].busy_us == pool.busy_us
    assert ticked.events > plain.events


def run_of(procedure, scenario):
    plan, streams = (
        make_plan(procedure, scenario or default_scenario(procedure), shipped_calendar),
        Streams(2),
    )
    gaps = gaps_of(plan, 30, streams)
    return SimulationRun(plan, arrivals_from(plan, starts_of(plan, gaps, None)[0], gaps), streams)


def poke(run):
    def tick(place):
        if place < len(run.cases):
            run.tick(run.cases[place])

    return tick


@EVERY_SITUATION
def test_one_seed_gives_one_set_of_facts(procedure, scenario):
    """And another seed gives others."""
    first, second, other = (simulate(procedure, 12, seed, scenario=scenario) for seed in (4, 4, 5))
    assert first.journals() == second.journals()
    assert first.to_json() == second.to_json()
    assert first.journals() != other.journals()
