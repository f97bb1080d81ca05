"""Who asks in a simulation: in their role, with what the start requires, early enough unless a scenario says other."""

from __future__ import annotations

import attrs
import pytest
from simulate_cases import calendars, procedure, situation

from svcflow.errors import Refused
from svcflow.kernel.facts import Deviated, Started
from svcflow.model.field import Field
from svcflow.model.procedure import StartRule
from svcflow.model.scenario import Duration
from svcflow.model.step import Enforce, Step, Transition
from svcflow.simulate import simulate
from svcflow.simulate.field_values import early_enough

SERVE = Step("serve", role="clerk", to=(Transition("finish", "done"),))


def desk(before="due - 2h", **more):
    return procedure(
        SERVE,
        roles=("clerk", "client"),
        fields=(Field("due", type="instant"), Field("why", default="trip")),
        start=StartRule(role="client", requires=("why", "due", "letter"), before=before),
        **more,
    )


def journals(proc, scenario, instances=40):
    return list(simulate(proc, instances, 1, scenario=scenario, calendars=calendars).journals().values())


@pytest.mark.parametrize("before", ["due", "due - 2h", "due - 12d", "due - 9wh", "due - 4wd"])
def test_whoever_is_simulated_asks_early_enough(before):
    """Whatever the notice: by itself a simulation breaks no rule of the start."""
    for facts in journals(desk(before, calendar="office"), situation(every="7h", serve="10m")):
        assert isinstance(facts[0], Started)
        assert set(facts[0].data) == {"due", "why"}
        assert facts[0].evidence
        assert not any(isinstance(fact, Deviated) for fact in facts)


def test_a_scenario_may_have_people_ask_late():
    """Each such request is short notice; refused, the scenario does not fit the procedure, which is told."""
    late = attrs.evolve(
        situation(every="7h", serve="10m"), fields={"due": Duration(distribution="constant", value="1h")}
    )
    for facts in journals(desk(), late, 5):
        assert [fact.deviation for fact in facts if isinstance(fact, Deviated)] == ["short_notice"]
    with pytest.raises(Refused, match="2 hours before due"):
        journals(desk(enforce=Enforce(start="refuse")), late, 5)


def test_an_instant_is_put_off_until_it_is_asked_for_in_time():
    """To the minute, and no further than needed."""
    hour_us = 3_600_000_000
    draw = early_enough(lambda _number, _at_us: "1970-01-01T00:30:00+00:00", lambda due_us: due_us - hour_us)
    assert draw(0.5, 0) == "1970-01-01T01:00:00+00:00"
    assert draw(0.5, 1) == "1970-01-01T01:01:00+00:00"
