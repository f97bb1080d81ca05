"""Data that come with a move count as if they had come just before it, in every run of every procedure."""

from __future__ import annotations

import attrs
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from procedures import SKILLED, Run, actors, commands, runs, values

from svcflow.kernel import Compiled, Fire, Instance, Outcome, Update, transact
from svcflow.kernel.facts import Deviated, Fact, Moved, Updated
from svcflow.kernel.moves.availability import available

EXAMPLES = settings(max_examples=settings.default.max_examples // 4)


def moments(run: Run) -> list[Instance]:
    """The instance after each command of a run that left it open."""
    return [one.instance for one in run.outcomes[:-1] if one.instance.status != "ended"]


def taken(outcome: Outcome) -> tuple[str, list[tuple[object, ...]]]:
    """What refused the command, else the rows it took and what departed from the rules by it."""
    if outcome.refused is not None:
        return f"{outcome.refused.rule} {outcome.refused.step}", []
    done = [_essence(fact) for fact in outcome.facts if isinstance(fact, Moved | Deviated)]
    return "", [one for one in done if one]


def _essence(fact: Fact) -> tuple[object, ...]:
    if isinstance(fact, Moved):
        deemed = fact.automatic and fact.trigger != "done" and not fact.via  # by limits, not by guards
        return () if deemed else (fact.step, fact.trigger, fact.row, fact.to, fact.via)
    assert isinstance(fact, Deviated)
    return () if fact.deviation == "too_early" else (fact.deviation, fact.step, fact.trigger, fact.detail)


def fires(known: Compiled, instance: Instance) -> st.SearchStrategy[Fire]:
    """Moves of every kind with data of every kind: open ones, ways round the order, ways into parallel steps."""
    fired = commands(known, instance).filter(lambda one: isinstance(one, Fire))
    return st.builds(lambda one, data: attrs.evolve(one, data=data), fired, values)


@EXAMPLES
@given(runs(), st.data())
def test_data_with_a_move_count_as_data_just_before_it(run: Run, data: st.DataObject):
    """The row taken, the refusals and the deviations are the same; what a move requires comes with it either way."""
    at = data.draw(st.sampled_from(moments(run) or [run.outcomes[0].instance]))
    command, at_us = data.draw(fires(run.compiled, at)), at.updated_us
    with_it = transact(run.compiled, at, command, at_us)
    before = transact(run.compiled, at, Update(data=command.data), at_us)
    assume(all(isinstance(fact, Updated) for fact in before.facts))  # nor does time bring anything in between
    papers = dict(command.evidence) | ({"note": "n"} if command.data.get("note") else {})
    apart = transact(run.compiled, before.instance, attrs.evolve(command, data={}, evidence=papers), at_us)
    event("refused" if apart.refused else "moved")
    assert taken(with_it) == taken(apart)


@EXAMPLES
@given(runs(), values, actors | st.just(SKILLED))
def test_what_is_available_with_data_is_what_a_move_with_them_meets(run: Run, data: dict, actor: object):
    """Open is what is not refused once all it requires comes with it, and it leads where it was said to."""
    at = run.outcomes[len(run.outcomes) // 2].instance
    for told in available(run.compiled, at, actor, at.updated_us, data):
        papers = dict.fromkeys((*told.requires, *told.evidence), "p")
        outcome = transact(
            run.compiled, at, Fire(told.trigger, actor, data, papers, told.step), at.updated_us
        )
        assert (outcome.refused is None) is told.open
        if outcome.refused is not None:
            assert (outcome.refused.rule, outcome.refused.reason) == (told.rule, told.why)
        else:
            moved = next(fact for fact in outcome.facts if isinstance(fact, Moved) and not fact.automatic)
            assert (moved.trigger, moved.step, moved.to) == (told.trigger, told.step, told.to)


@EXAMPLES
@given(runs(), st.data())
def test_a_refusal_for_the_order_lists_what_is_available_and_never_itself(run: Run, data: st.DataObject):
    """Whoever asks is told what is open to them."""
    at = data.draw(st.sampled_from(moments(run) or [run.outcomes[0].instance]))
    actor, trigger = data.draw(actors), data.draw(st.sampled_from(sorted(run.compiled.triggers)))
    outcome = transact(run.compiled, at, Fire(trigger, actor), at.updated_us)
    if outcome.refused is None or outcome.refused.rule != "order":
        return
    told = available(run.compiled, at, actor, at.updated_us)
    listed = outcome.remedy.en.removeprefix("open are: ").split(";")[0]
    open_now = ", ".join(sorted({one.trigger for one in told if one.open}))
    assert listed == (open_now or "nothing is open to this actor there")
    assert trigger not in listed.split(", ")


@EXAMPLES
@given(runs(), st.data())
def test_a_value_of_before_meets_no_requirement_and_sent_again_it_does(run: Run, data: st.DataObject):
    """Whether a move is refused for what it requires hangs on what comes with it alone."""
    at = data.draw(st.sampled_from(moments(run) or [run.outcomes[0].instance]))
    told = [one for one in available(run.compiled, at, SKILLED, at.updated_us) if one.open and one.requires]
    for one in told:
        rows = run.compiled.rows(one.step, one.trigger)
        refuses = rows[0].enforce["requires"] == "refuse"
        papers = dict.fromkeys(one.evidence, "p")
        for note, came in (({}, False), ({"note": "x"}, True), ({"note": "\u3000"}, False)):
            outcome = transact(
                run.compiled, at, Fire(one.trigger, SKILLED, note, papers, one.step), at.updated_us
            )
            missing = [
                fact
                for fact in outcome.facts
                if isinstance(fact, Deviated) and fact.deviation == "missing_data"
            ]
            assert (outcome.refused is not None and outcome.refused.rule == "requires") is (
                refuses and not came
            )
            assert bool(missing) is (not refuses and not came)
