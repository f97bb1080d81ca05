"""The procedures that come with the library are complete, bilingual and consistent with what stands beside them."""

from __future__ import annotations

import pytest

from svcflow.model.catalog import Catalog
from svcflow.model.procedure import Procedure
from svcflow.model.scenario import Scenario
from svcflow.model.source import PROPOSAL, source_keys
from svcflow.model.step import walk
from svcflow.text import Text

CATALOG = Catalog.shipped()
PROCEDURES = tuple(CATALOG)
SCENARIOS = tuple(CATALOG.scenarios.values())
RATED = tuple(procedure for procedure in PROCEDURES if procedure.id != "expense_declaration")

each_procedure = pytest.mark.parametrize("procedure", PROCEDURES, ids=str)
each_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.id)


def wordings(procedure: Procedure) -> dict[str, Text]:
    named = {"name": procedure.name, "owner": procedure.owner, "purpose": procedure.purpose}
    for group in ("roles", "fields", "indicators"):
        named |= {f"{group}.{item.id}": item.name for item in getattr(procedure, group).values()}
    named |= {f"limits.{limit.id}": limit.name for limit in procedure.time_limits.values()}
    for step in walk(procedure.steps):
        named[f"steps.{step.id}"] = step.name
        named |= {f"{step.id}.to.{move.trigger}": move.name for move in step.to}
        named |= {f"{step.id}.parallel.{branch.id}": branch.name for branch in step.parallel}
    return named


def test_the_four_procedures_are_shipped():
    """Repair, meeting, complaint and expense declaration, each with a scenario, one with a mapping."""
    assert [procedure.id for procedure in PROCEDURES] == [
        "complaint",
        "expense_declaration",
        "meeting",
        "repair",
    ]
    assert set(CATALOG.scenarios) == {f"{procedure.id}_usual" for procedure in PROCEDURES}
    assert set(CATALOG.mappings) == {"expense_declaration_bpic2020"}


@each_procedure
def test_every_name_of_a_shipped_procedure_is_in_both_languages(procedure):
    """Nobody meets a bare id in a drawing or a message."""
    assert [name for name, text in wordings(procedure).items() if not (text.zh and text.en)] == []


@each_procedure
def test_every_limit_of_a_shipped_procedure_has_a_source(procedure):
    """A figure is cited, or is marked as a proposal; every source is used."""
    cited = set()
    for limit in procedure.time_limits.values():
        for row in limit.rows:
            if row.within is not None and not limit.id.endswith(".wait"):
                assert source_keys(row.source), limit.id
            cited.update(source_keys(row.source))
    cited.update(key for item in procedure.indicators.values() for key in source_keys(item.source))
    assert procedure.sources.keys() - cited <= {"BPIC2020"}
    assert PROPOSAL not in procedure.sources


@each_procedure
def test_every_role_is_used_and_every_step_with_work_has_one(procedure):
    """Somebody answers for each step, and no role stands idle."""
    steps = [step for step in walk(procedure.steps) if step.end is None]
    assert [step.id for step in steps if step.role is None] == []
    used = {step.role for step in steps} | {move.role for step in steps for move in step.to}
    for limit in procedure.time_limits.values():
        used |= {rung.role for rung in (*limit.warn, *limit.escalate)}
    assert procedure.roles.keys() <= used


@each_procedure
def test_every_rework_is_bounded(procedure):
    """No case goes round for ever without a deviation."""
    moves = [move for step in walk(procedure.steps) for move in step.to if move.kind == "rework"]
    assert moves
    assert all(move.at_most for move in moves)


@pytest.mark.parametrize("procedure", RATED, ids=str)
def test_a_service_ends_with_the_recipient_s_rating_or_is_deemed_unrated(procedure):
    """The rating takes five grades; silence closes the instance by itself."""
    (step,) = [step for step in procedure.steps if "rate" in {move.trigger for move in step.to}]
    targets = {move.trigger: procedure.all_steps[move.step] for move in step.to}
    assert step.then.fire == "skip_rating"
    assert targets["rate"].id == "rated"
    assert {target.end for target in targets.values()} == {"completed"}
    assert len(procedure.fields["rating"].values) == 5
    assert [move.requires for move in step.to if move.trigger == "rate"] == [("rating",)]


@each_scenario
def test_a_scenario_speaks_of_its_procedure_s_steps_exits_and_roles(scenario: Scenario):
    """Every working step has a duration, every fork its shares, every role its pool, and the figures say what they are."""
    procedure = CATALOG[scenario.procedure]
    working = {step.id: step for step in walk(procedure.steps) if step.end is None and not step.parallel}
    exits = {step.id: {move.trigger for move in step.to} for step in working.values()}
    assert scenario.durations.keys() == working.keys()
    assert scenario.exits.keys() == {name for name, triggers in exits.items() if len(triggers) > 1}
    assert all(branching.shares.keys() == exits[name] for name, branching in scenario.exits.items())
    assert scenario.pools.keys() == procedure.roles.keys()
    assert scenario.name.zh
    assert scenario.name.en
    assert "proposal" in scenario.stated


def test_the_mapping_of_the_expense_log_names_declared_triggers_and_roles():
    """An activity maps to what the procedure declares, and what starts an instance is an activity."""
    mapping = CATALOG.mappings["expense_declaration_bpic2020"]
    procedure = CATALOG[mapping.procedure, mapping.version]
    assert set(mapping.activities.values()) == procedure.triggers - {"lapse"}
    assert set(mapping.roles.values()) == procedure.roles.keys() - {"payment"}
    assert set(mapping.starts) <= mapping.activities.keys()
    assert not set(mapping.ignore) & mapping.activities.keys()


COMMON = (
    "submit approve_administration approve_finally request_payment handle_payment",
    "submit approve_administration approve_budget approve_finally request_payment handle_payment",
    "submit approve_finally request_payment handle_payment",
    "submit approve_pre_approver approve_finally request_payment handle_payment",
    "submit reject_administration take_back submit approve_administration approve_finally request_payment handle_payment",
    (
        "submit approve_administration reject_supervisor take_back submit approve_administration approve_finally "
        "request_payment handle_payment"
    ),
)


@pytest.mark.parametrize("way", COMMON, ids=range(len(COMMON)))
def test_the_common_ways_of_an_expense_declaration_are_declared(way):
    """The most frequent variants of the log run from submission to payment within the declared order."""
    procedure = CATALOG["expense_declaration"]
    step = procedure.steps[0]
    for trigger in way.split()[1:]:
        (move,) = [move for move in step.to if move.trigger == trigger]
        step = procedure.all_steps[move.step]
    assert step.end == "completed"
