"""A migration looked at beforehand, and carried out as a driver does it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

import svcflow
from svcflow.errors import UnknownProcedure
from svcflow.kernel import Compiled, Fact, Hold, Instance, Migrate, Revert, Start, compile_procedure, transact
from svcflow.kernel.compiled import calendars_of
from svcflow.model.limit import TimeLimit
from svcflow.model.step import Step, Transition
from svcflow.runtime.migration import preview, target_of
from svcflow.runtime.procedure_registry import ProcedureRegistry
from svcflow.store import open_store

HOUR_US = 3_600_000_000
DONE = Step("done", end="completed")


def version(number: int, first: str, within: str | None, **limits: str) -> svcflow.Procedure:
    step = Step(first, within=within, to=[Transition("finish", "done")])
    spans = [TimeLimit(id=name, within=amount) for name, amount in limits.items()]
    return svcflow.Procedure(id="p", version=number, steps=(step, DONE), limits=spans)


CATALOG = svcflow.Catalog.of(
    version(1, "asked", "4h", whole="9h", gone="5h"), version(2, "taken", "2h", whole="3h", fresh="7h")
)
MAPPED = {"asked": "taken"}


def version_of(name: str, number: int) -> Compiled:
    return ProcedureRegistry(CATALOG, open_store("memory://")).version(name, number)


@pytest.fixture
def started() -> tuple[Instance, tuple[Fact, ...]]:
    outcome = transact(compile_procedure(CATALOG["p", 1], calendars_of(CATALOG)), None, Start("i1"), 0)
    return outcome.instance, outcome.facts


def at(hours: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hours)


def test_the_preview_names_what_becomes_of_each_limit(started):
    """Kept, ended and started limits with their deadlines before and after; steps before and after."""
    instance, _ = started
    seen = preview(version_of, instance, Migrate(2, MAPPED), HOUR_US)
    assert (seen.instance, seen.from_version, seen.to_version) == ("i1", 1, 2)
    assert (seen.steps_before, seen.steps_after, seen.refused) == (("asked",), ("taken",), "")
    assert {one.limit: (one.fate, one.before, one.after) for one in seen.limits} == {
        "taken": ("kept", at(4), at(4)),
        "whole": ("kept", at(9), at(9)),
        "gone": ("ended", at(5), None),
        "fresh": ("started", None, at(7)),
    }
    anew = preview(version_of, instance, Migrate(2, MAPPED, due="recompute"), HOUR_US)
    assert {one.limit: one.after for one in anew.limits if one.fate == "moved"} == {
        "taken": at(2),
        "whole": at(3),
    }


def test_a_limit_that_stands_still_is_kept_by_what_is_left(started):
    """Paused limits have no deadline; what is left says whether it is the same."""
    held = transact(version_of("p", 1), started[0], Hold("recipient"), HOUR_US).instance
    fates = {
        due: {
            one.limit: one.fate
            for one in preview(version_of, held, Migrate(2, MAPPED, due=due), HOUR_US).limits
        }
        for due in ("keep", "recompute")
    }
    assert (fates["keep"]["whole"], fates["recompute"]["whole"]) == ("kept", "moved")


def test_the_preview_says_which_rule_refuses_and_why(started):
    """A refusal is an answer with its remedy; nothing is recorded."""
    seen = preview(version_of, started[0], Migrate(2), HOUR_US)
    assert (seen.refused, seen.limits, seen.steps_after) == ("migration", (), ("asked",))
    assert "asked" in seen.why.en
    assert "taken" in seen.remedy.en


def test_what_is_previewed_happens_and_is_taken_back(started):
    """The driver needs the journal to take a migration back."""
    instance, facts = started
    there = Migrate(2, MAPPED)
    one, two = version_of("p", 1), version_of("p", 2)
    over = transact(one, instance, there, HOUR_US, target=target_of(version_of, instance, there))
    assert over.instance.version == 2
    journal, back = (*facts, *over.facts), Revert()
    assert preview(version_of, over.instance, back, HOUR_US, journal).steps_after == ("asked",)
    target = target_of(version_of, over.instance, back, journal)
    assert transact(two, over.instance, back, HOUR_US, target=target).instance.version == 1
    target = target_of(version_of, over.instance, back)
    nothing = transact(two, over.instance, back, HOUR_US, target=target)
    assert nothing.refused is not None
    assert nothing.refused.rule == "migration"


def test_a_version_that_is_not_there_is_unknown(started):
    """It is a mistake of the caller and leaves no fact."""
    with pytest.raises(UnknownProcedure):
        target_of(version_of, started[0], Migrate(9))
