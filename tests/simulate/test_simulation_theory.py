"""The simulation against queueing theory, and against a queue computed by hand from the same numbers."""

from __future__ import annotations

import math
from statistics import fmean, stdev

import pytest
from simulate_cases import calendars, exponential, one_step, situation

from svcflow.model.scenario import Pool
from svcflow.simulate import simulate
from svcflow.simulate.arrivals import arrivals_from, gaps_of
from svcflow.simulate.plan import make_plan
from svcflow.simulate.run import DURATION, SimulationRun
from svcflow.simulate.sampling import Streams

MINUTE = 60_000_000
BATCHES = 25
T99 = 2.797
"""Student's t for 99 % and 24 degrees of freedom."""


def queue(capacity, service, instances, seed):
    scenario = situation(
        between="10m", serve=exponential(service), pools={"clerk": Pool(capacity=capacity, calendar="always")}
    )
    plan, streams = make_plan(one_step(), scenario, calendars), Streams(seed)
    run = SimulationRun(plan, arrivals_from(plan, 0, gaps_of(plan, instances, streams)), streams)
    run.go()
    return run


def erlang_c(servers, load):
    last = load**servers / math.factorial(servers) * servers / (servers - load)
    return last / (sum(load**k / math.factorial(k) for k in range(servers)) + last)


@pytest.mark.parametrize(("capacity", "service"), [(1, "6m"), (2, "13m")])
def test_the_mean_waiting_time_is_that_of_theory(capacity, service):
    """M/M/1 at 60 % and M/M/2 at 65 % load: Erlang's C within the 99 % interval of batch means."""
    run = queue(capacity, service, 20_000, seed=1)
    arriving, serving = 1 / 10, 1 / int(service[:-1])
    theory = erlang_c(capacity, arriving / serving) / (capacity * serving - arriving)
    waits = [us / MINUTE for us in run.pools["clerk"].waits_us]
    size = len(waits) // BATCHES
    means = [fmean(waits[i * size : (i + 1) * size]) for i in range(BATCHES)]
    half = T99 * stdev(means) / math.sqrt(BATCHES)
    assert half < theory / 4, "the interval is too wide to say anything"
    assert abs(fmean(means) - theory) < half


def test_the_pool_is_as_busy_as_theory_says():
    """Load is arrivals times service time, and the share of instances that need not wait is the rest."""
    scenario = situation(between="10m", serve=exponential("6m"))
    result = simulate(one_step(), 5_000, 2, scenario=scenario)
    assert result.pools["clerk"].utilisation == pytest.approx(0.6, abs=0.03)


@pytest.mark.parametrize("capacity", [1, 2, 3])
def test_every_single_wait_is_that_of_a_queue_computed_by_hand(capacity):
    """First come, first served (Kiefer-Wolfowitz): exact to the microsecond, instance by instance."""
    run = queue(capacity, f"{8 * capacity}m", 3_000, seed=3)
    free, expected = [0] * capacity, []
    for number, at_us in enumerate(run.arrivals_us, 1):
        start_us = max(at_us, min(free))
        expected.append(start_us - at_us)
        free[free.index(min(free))] = start_us + run.plan.steps["serve"].sample(
            run.streams.of(number, "serve")[DURATION]
        )
    assert run.pools["clerk"].waits_us == expected
    assert max(expected) > 0
