"""What holds of every run of every procedure."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import attrs
import orjson
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from procedures import Run, replayed, runs

from svcflow.journal import GENESIS, chained, from_bytes, to_bytes, verified
from svcflow.journal.canonical import to_record
from svcflow.kernel import Fire, Instance, deviations_of, evolve, evolve_all, transact
from svcflow.kernel.facts import Deviated, Fact, Moved, Refused
from svcflow.kernel.instance import NEVER, from_state, to_state
from svcflow.kernel.timing.deadlines import deadlines

EXAMPLES = settings(max_examples=settings.default.max_examples // 4)
"""A run takes some 20 ms to make up; SVCFLOW_HYPOTHESIS=thorough multiplies them by twenty."""


def bare(facts: tuple[Fact, ...]) -> list[Fact]:
    """The facts without the instant at which they were written down."""
    return [attrs.evolve(fact, recorded_us=0) for fact in facts]


@EXAMPLES
@given(runs(), st.data())
def test_ticks_anywhere_give_the_same_journal(run: Run, data: st.DataObject):
    """What is recorded does not depend on when a scheduler happened to run, recorded_at aside."""
    ticks = []
    for (before, _), (after, _), outcome in zip(run.asked, run.asked[1:], run.outcomes, strict=False):
        due = [us for us in (outcome.instance.next_us, outcome.instance.next_us - 1) if before <= us <= after]
        instants = st.one_of(st.integers(before, after), st.sampled_from([*due, before, after]))
        ticks.append(tuple(sorted(data.draw(st.lists(instants, max_size=4)))))
    assert bare(replayed(run, iter(ticks))) == bare(run.facts)


@EXAMPLES
@given(runs())
def test_ticks_at_every_due_instant_give_the_same_journal(run: Run):
    """A scheduler that is never late records what one that comes once a month does."""
    facts: list[Fact] = []
    instance: Instance | None = None
    for at_us, command in run.asked:
        while instance is not None and instance.next_us <= at_us:
            outcome = transact(run.compiled, instance, None, instance.next_us)
            assert outcome.facts
            instance = outcome.instance
            facts += outcome.facts
        outcome = transact(run.compiled, instance, command, at_us)
        instance = outcome.instance
        facts += outcome.facts
    assert bare(tuple(facts)) == bare(run.facts)


@EXAMPLES
@given(runs(), st.integers(1, 9))
def test_parts_of_any_size_give_the_same_journal(run: Run, most: int):
    """However few facts one decision may record, those of all of them are byte for byte those of a single one."""
    facts: list[Fact] = []
    instance: Instance | None = None
    for at_us, command in run.asked:
        outcome = transact(run.compiled, instance, command, at_us, most)
        while outcome.behind or outcome.instance.next_us <= at_us:
            facts += outcome.facts
            asked = command if outcome.behind else None  # what the command brought on is due by now
            outcome = transact(run.compiled, outcome.instance, asked, at_us, most)
        facts += outcome.facts
        instance = outcome.instance
    assert [to_bytes(fact) for fact in facts] == [to_bytes(fact) for fact in run.facts]
    assert instance == run.instance


@EXAMPLES
@given(runs())
def test_facts_alone_give_the_instance(run: Run):
    """evolve_all over the journal is the instance that transact returned, at every command and fact."""
    facts: list[Fact] = []
    instance = None
    for outcome in run.outcomes:
        for fact in outcome.facts:
            instance = evolve(run.compiled, instance, fact)
        facts += outcome.facts
        assert instance == outcome.instance == evolve_all(run.compiled, None, facts)


@EXAMPLES
@given(runs())
def test_instances_and_facts_survive_their_stored_form(run: Run):
    """State, record, canonical bytes and chain read back to what was written."""
    for outcome in run.outcomes:
        assert from_state(orjson.loads(orjson.dumps(to_state(outcome.instance)))) == outcome.instance
    entries = chained(GENESIS, run.facts)
    for entry in entries:
        assert from_bytes(entry.body) == entry.fact
        assert to_bytes(from_bytes(entry.body)) == entry.body
    kept = [(entry.body, entry.link) for entry in entries]
    assert tuple(verified("i1", kept, entries[-1].link)) == run.facts
    assert evolve_all(run.compiled, None, verified("i1", kept, entries[-1].link)) == run.instance


@EXAMPLES
@given(runs())
def test_a_journal_counts_without_gaps_and_never_runs_backwards(run: Run):
    """sequence is 1, 2, 3 …; occurred_us never decreases; nothing occurs after it was recorded."""
    facts = run.facts
    assert [fact.sequence for fact in facts] == list(range(1, len(facts) + 1))
    assert all(a.occurred_us <= b.occurred_us for a, b in pairwise(facts))
    assert all(fact.occurred_us <= fact.recorded_us for fact in facts)


@EXAMPLES
@given(runs())
def test_each_rung_fires_at_most_once_per_visit(run: Run):
    """A warning, an escalation, a breach: once for each limit and visit and declared rung."""
    overdue = Counter((f.limit, f.visit) for f in run.facts if f.kind == "Overdue")
    assert all(times == 1 for times in overdue.values())
    fired = Counter((f.kind, f.limit, f.visit, f.at) for f in run.facts if f.kind in ("Warned", "Escalated"))
    for (kind, limit, _, at), times in fired.items():
        declared = run.compiled.limits[limit].limit
        rungs = declared.warn if kind == "Warned" else declared.escalate
        assert times <= sum(rung.at == at for rung in rungs)


@EXAMPLES
@given(runs())
def test_a_breach_is_stamped_with_its_deadline(run: Run):
    """A breach occurs at its deadline, or later only when a change made it one, or a later clock."""
    for fact in run.facts:
        if fact.kind == "Overdue":
            assert fact.occurred_us >= fact.due_us
            before = run.facts[fact.sequence - 2]
            assert fact.occurred_us in (fact.due_us, before.occurred_us)


@EXAMPLES
@given(runs())
def test_every_breach_of_an_ended_limit_is_settled(run: Run):
    """Once a limit has ended, its overrun is on record; while it runs, none is."""
    breaches = {(f.limit, f.visit) for f in run.facts if f.kind == "Overdue"}
    settled = {(f.limit, f.visit) for f in run.facts if f.kind == "Settled"}
    assert settled <= breaches
    clocks = run.instance.stopwatches
    still = {(c.limit, c.visit) for c in clocks.values() if c.overdue and not c.verdict}
    assert breaches - still <= settled


@EXAMPLES
@given(runs())
def test_a_refused_attempt_changes_no_state(run: Run):
    """After a refusal the instance is what it would be without the attempt, sequence and instant aside."""
    instance = None
    for (at_us, _), outcome in zip(run.asked, run.outcomes, strict=True):
        if outcome.refused is not None:
            without = transact(run.compiled, instance, None, at_us).instance
            same = {"sequence": 0, "updated_us": 0}
            assert outcome.instance._replace(**same) == without._replace(**same)
        instance = outcome.instance


@EXAMPLES
@given(runs())
def test_only_active_steps_are_somebodys(run: Run):
    """Leaving a step ends its assignment, whichever way it was left."""
    for outcome in run.outcomes:
        assert set(outcome.instance.assignees) <= set(outcome.instance.active)


@EXAMPLES
@given(runs())
def test_an_assigned_step_is_left_by_its_assignee_or_by_another_role(run: Run):
    """Only the assignee or who acts for them makes the moves of the step's role; a foreign log may do otherwise."""
    assume(not run.compiled.foreign)
    instance = None
    for (_, command), outcome in zip(run.asked, run.outcomes, strict=True):
        if isinstance(command, Fire) and command.actor.roles is not None and instance is not None:
            for fact in outcome.facts:
                who = instance.assignees.get(getattr(fact, "step", ""))
                if isinstance(fact, Moved) and not fact.automatic and who is not None:
                    left = run.compiled.steps[fact.step].step
                    row = run.compiled.rows(fact.via or fact.step, fact.trigger)[fact.row]
                    assert who in (fact.actor, fact.behalf) or row.move.role not in (None, left.role)
        instance = outcome.instance


@EXAMPLES
@given(runs())
def test_the_state_knows_where_each_deviation_stands(run: Run):
    """The projection agrees with what the journal says, also after the end."""
    for count in range(1, len(run.outcomes) + 1):
        facts = [fact for outcome in run.outcomes[:count] for fact in outcome.facts]
        found = {one.sequence: one.status for one in deviations_of(facts)}
        assert dict(run.outcomes[count - 1].instance.deviations) == found


@EXAMPLES
@given(runs())
def test_no_refusal_and_no_deviation_names_a_person_in_its_text(run: Run):
    """Persons stand in fields of their own, which can be erased."""
    for fact in run.facts:
        if isinstance(fact, Refused | Deviated):
            told = attrs.evolve(fact, actor="", behalf="")
            assert "wang" not in str(to_record(told))


@EXAMPLES
@given(runs())
def test_deadlines_agree_with_the_clocks(run: Run):
    """Reading deadlines never fails; a paused one has an instant only if it was reached, an overdue one nothing left."""
    for (at_us, _), outcome in zip(run.asked, run.outcomes, strict=True):
        for one in deadlines(run.compiled, outcome.instance, at_us, ended=True):
            if one.state == "paused":
                assert one.due_at is None or one.remaining == timedelta(0)
            if one.state == "running":
                assert one.due_at is not None
                assert one.remaining is not None
            if one.state == "overdue":
                assert one.remaining is not None
                assert one.remaining.total_seconds() <= 0


@EXAMPLES
@given(runs())
def test_what_has_ended_is_never_due(run: Run):
    """After the end no clock is armed and no limit is open."""
    if run.instance.status == "ended":
        assert run.instance.next_us == NEVER
        assert all(clock.verdict for clock in run.instance.stopwatches.values())
        assert [f.kind for f in run.facts].count("Started") == 1
