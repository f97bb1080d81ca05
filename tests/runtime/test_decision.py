"""What a decision leaves to be kept: of the work of an instance only what it has changed."""

from __future__ import annotations

import pytest

from svcflow import Actor, Catalog, Procedure
from svcflow.kernel import Start, compile_procedure, transact
from svcflow.kernel.commands import Claim, Command, Extend, Fire
from svcflow.kernel.compiled import calendars_of
from svcflow.kernel.lifecycle.work_items import work_of
from svcflow.model.limit import Extension, TimeLimit
from svcflow.model.procedure import Role
from svcflow.model.step import Step, Transition
from svcflow.runtime.commands import decision_of
from svcflow.runtime.store import ChangeSet, LockedInstance, StoredJournal

HOUR_US = 3_600_000_000
CLERK = Actor("li.wei", roles={"clerk"})
ROUNDS = compile_procedure(
    Procedure(
        id="rounds",
        roles=(Role("clerk"),),
        steps=(
            Step(
                "asked",
                role="clerk",
                within=TimeLimit(within="2h", warn=["50%"], extension=Extension("1h")),
                to=(Transition("accept", "walking"),),
            ),
            Step("walking", role="clerk", to=(Transition("round", "walking"), Transition("close", "closed"))),
            Step("closed", end="done"),
        ),
        limits=(TimeLimit(id="walk", from_="walking", to="closed", every="1h", done_by="round"),),
    ),
    calendars_of(Catalog.of()),
)


def change_of(found: LockedInstance, command: Command | None, at_us: int) -> ChangeSet:
    """Return what is to be kept after a command, or after time alone."""
    change = decision_of(found, transact(ROUNDS, found.instance, command, at_us), None)
    assert change is not None
    return change.written(found)


def asked() -> LockedInstance:
    """Return an instance as it begins."""
    change = change_of(LockedInstance(None), Start("r1", actor=CLERK), 0)
    return LockedInstance(change.instance, StoredJournal(change.entries[-1].link, change.secrets or {}))


def walking() -> LockedInstance:
    """Return an instance in its second step, which somebody has to make rounds in."""
    change = change_of(asked(), Fire("accept", CLERK), 1)
    return LockedInstance(change.instance, StoredJournal(change.entries[-1].link, change.secrets or {}))


@pytest.mark.parametrize("at_us", [HOUR_US, 3 * HOUR_US], ids=["warned", "overdue"])
def test_work_that_is_what_it_was_is_not_kept_again(at_us):
    """A warning and a breach change a clock and no work: neither step, nor who has it, nor when it is due."""
    change = change_of(asked(), None, at_us)
    assert change.instance.stopwatches != asked().instance.stopwatches
    assert change.work is None


@pytest.mark.parametrize(
    ("found", "command", "at_us"),
    [
        (asked, Fire("accept", CLERK), 1),
        (asked, Claim("asked", CLERK), 1),
        (asked, Extend("asked", "later", CLERK), 1),
        (walking, None, 2 * HOUR_US),
        (walking, Fire("close", CLERK), 2),
    ],
    ids=["moved", "claimed", "extended", "next interval", "ended"],
)
def test_work_that_changed_is_kept(found, command, at_us):
    """Another step, another person or another deadline, also one that time brings by itself: the work is kept anew."""
    before = found()
    change = change_of(before, command, at_us)
    assert change.work == work_of(ROUNDS, change.instance)
    assert change.work != work_of(ROUNDS, before.instance)
