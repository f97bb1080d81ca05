"""What holds of every migration of every run: replay gives the instance, and kept deadlines stay kept."""

from __future__ import annotations

from itertools import pairwise

import attrs
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from procedures import BEGIN_US, CALENDARS, MINUTE_US, SKILLED, commands, gaps, procedures, starts, successors
from procedures import _next as next_instant

from svcflow.journal import from_bytes, to_bytes
from svcflow.kernel import (
    Compiled,
    Fact,
    Hold,
    Instance,
    Migrate,
    MigrationTarget,
    Resume,
    Revert,
    Start,
    compile_procedure,
    deviations_of,
    migration_in_force,
    performers_of,
    replay,
    transact,
)
from svcflow.kernel.instance import from_state, to_state
from svcflow.kernel.timing.deadlines import deadlines
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step, Transition

EXAMPLES = settings(max_examples=settings.default.max_examples // 4)


class Journey:
    """An instance that is driven through two versions and back."""

    def __init__(self, *versions: Procedure) -> None:
        self.versions = {one.version: compile_procedure(one, CALENDARS.__getitem__) for one in versions}
        self.facts: list[Fact] = []
        self.instance: Instance | None = None
        self.now_us = BEGIN_US

    def version_of(self, _name: str, version: int) -> Compiled:
        return self.versions[version]

    @property
    def compiled(self) -> Compiled:
        return self.versions[self.instance.version if self.instance else 1]

    def do(self, command: object, at_us: int) -> None:
        compiled, self.now_us = self.compiled, at_us
        performers, target = performers_of(self.version_of, self.facts), None
        if isinstance(command, Migrate):
            target = MigrationTarget(self.versions[command.version], performers=performers)
        elif isinstance(command, Revert):
            back = migration_in_force(self.facts)
            target = MigrationTarget(self.versions[back.from_version if back else 1], back, performers)
        outcome = transact(compiled, self.instance, command, at_us, target=target)
        self.instance = outcome.instance
        self.facts += outcome.facts


@st.composite
def journeys(draw: st.DrawFn) -> Journey:
    """A run with a migration or several in it, some taken back."""
    first = draw(procedures())
    second, steps = draw(successors(first))
    back = {new: old for old, new in steps.items()}
    case = Journey(first, second)
    begin = draw(starts)
    # Who may start is the matter of another property: here somebody who may does.
    case.do(attrs.evolve(begin, actor=SKILLED) if first.start is not None else begin, BEGIN_US)
    for _ in range(draw(st.integers(2, 12))):
        at_us = next_instant(case.now_us, case.instance.next_us, draw(gaps))
        over = Migrate(2, steps) if case.instance.version == 1 else Migrate(1, back)
        over = attrs.evolve(over, due=draw(st.sampled_from(["keep", "recompute"])))
        usual = commands(case.compiled, case.instance)
        case.do(draw(st.one_of(usual, usual, st.sampled_from([over, over, Revert()]))), at_us)
        assert replay(case.version_of, case.facts) == case.instance
    case.do(None, case.now_us + 30 * 86_400_000_000)
    return case


@EXAMPLES
@given(journeys())
def test_a_journal_with_migrations_leads_to_the_instance(case: Journey):
    """Replay through the versions gives what deciding left, also from the stored form of both."""
    assert replay(case.version_of, case.facts) == case.instance
    read = [from_bytes(to_bytes(fact)) for fact in case.facts]
    assert read == case.facts
    assert replay(case.version_of, read) == case.instance
    assert from_state(orjson.loads(orjson.dumps(to_state(case.instance)))) == case.instance


@EXAMPLES
@given(journeys())
def test_a_journal_with_migrations_is_in_order_and_its_breaches_are_settled(case: Journey):
    """Nothing occurs before what stands before it; an ended limit's overrun is on record, under whatever name."""
    assert [fact.sequence for fact in case.facts] == list(range(1, len(case.facts) + 1))
    assert all(a.occurred_us <= b.occurred_us for a, b in pairwise(case.facts))
    known = case.compiled.limits
    running = sum(
        c.overdue and not c.verdict and c.limit in known for c in case.instance.stopwatches.values()
    )
    open_ = [
        one for one in deviations_of(case.facts) if one.kind in ("overdue", "breached_on_attach", "long_wait")
    ]
    assert sum(one.overrun is None for one in open_) <= running


@EXAMPLES
@given(journeys(), st.integers(0, 10**12))
def test_deadlines_of_a_migrated_instance_can_be_asked_at_any_instant(case: Journey, later_us: int):
    """Every limit it speaks of is one of the version it is in."""
    for one in deadlines(case.compiled, case.instance, case.now_us + later_us, ended=True):
        assert one.limit in case.compiled.limits


AMOUNTS = {
    "elapsed": ["90m", "5h", "2d"],
    "working": ["50wm", "5wh", "20wh"],
    "working_days": ["1wd", "2wd", "6wd"],
    "calendar_days": ["1cd", "4cd", "9cd"],
    "months": ["1mo", "2mo"],
}


def waiting(within: str, version: int) -> Procedure:
    step = Step("a", within=TimeLimit(within=within), to=(Transition("go", "z"),))
    return Procedure(id="p", version=version, calendar="office", steps=(step, Step("z", end="done")))


@pytest.mark.parametrize("family", AMOUNTS)
@given(data=st.data())
def test_a_kept_deadline_is_where_it_would_have_been(family: str, data: st.DataObject):
    """Whatever holds come before and after, the deadline is that of an instance which was never migrated."""
    old, new = (data.draw(st.sampled_from(AMOUNTS[family])) for _ in range(2))
    moved, stayed = Journey(waiting(old, 1), waiting(new, 2)), Journey(waiting(old, 1))
    both = (moved, stayed)
    for one in both:
        one.do(Start("i1"), BEGIN_US)
    held = False
    crossing = data.draw(st.integers(0, 4))
    for turn in range(6):
        at_us = moved.now_us + data.draw(st.integers(0, 40 * 60)) * MINUTE_US
        if turn == crossing:
            moved.do(Migrate(2), at_us)
            stayed.do(None, at_us)
        for one in both:
            one.do(Resume() if held else Hold("recipient"), at_us)
        held = not held
        clocks = [one.instance.stopwatches["a"] for one in both]
        assert [clocks[0].due_us, clocks[0].overdue] == [clocks[1].due_us, clocks[1].overdue]
    moved.do(Revert(), moved.now_us)
    assert moved.instance.stopwatches["a"].extra == 0
    assert moved.instance.stopwatches["a"].due_us == stayed.instance.stopwatches["a"].due_us
