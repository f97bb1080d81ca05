"""Settled values on random runs: nothing changes one without a refusal or a deviation."""

from __future__ import annotations

import attrs
from hypothesis import given
from hypothesis import strategies as st
from procedures import BEGIN_US, CALENDARS, MINUTE_US, SKILLED, Run, procedures

from svcflow.kernel import Command, Compiled, Fire, Instance, Start, Update, compile_procedure, transact
from svcflow.kernel.facts import Deviated, Fact, Moved, Started, Updated
from svcflow.model.field import Field


def settling(run: Run, fact: Moved) -> tuple[set[str], set[str]]:
    """The fields that a move settles, and those that it opens again as rework."""
    move = run.compiled.rows(fact.via or fact.step, fact.trigger)[fact.row].move
    fields = run.compiled.procedure.fields.values()
    back = {
        field.id
        for field in fields
        if move.kind == "rework" and fact.to in run.compiled.unsettled.get(field.id, ())
    }
    return {field.id for field in fields if field.settled_by == fact.trigger}, back


def changes(fact: Fact, data: dict[str, object], settled: set[str]) -> list[str]:
    given = fact.data if isinstance(fact, Moved | Updated) else {}
    return [name for name in settled if name in given and given[name] != data.get(name)]


@st.composite
def runs(draw: st.DrawFn) -> Run:
    """A procedure one of whose first moves settles the size, and moves and updates that often bring another size."""
    declared = draw(procedures())
    early = [move.trigger for step in declared.steps[:2] for move in step.to]
    size = Field("size", type="number", default=0, settled_by=draw(st.sampled_from(early)))
    fields = {**declared.fields, "size": size}
    enforce = attrs.evolve(declared.enforce, role="record", evidence="record", guard="record")
    known = compile_procedure(
        attrs.evolve(declared, fields=fields, enforce=enforce),
        CALENDARS.__getitem__,
        enforce=draw(st.sampled_from(["declared", "declared", "record"])),
    )
    asked: list[tuple[int, Command | None]] = [(BEGIN_US, Start("i1", actor=SKILLED))]
    outcomes = [transact(known, None, asked[0][1], BEGIN_US)]
    for _ in range(draw(st.integers(4, 16))):
        if outcomes[-1].instance.status == "ended":
            break
        asked.append((asked[-1][0] + MINUTE_US, draw(commands(known, outcomes[-1].instance))))
        outcomes.append(transact(known, outcomes[-1].instance, asked[-1][1], asked[-1][0]))
    return Run(known, tuple(asked), tuple(outcomes))


@st.composite
def commands(draw: st.DrawFn, known: Compiled, instance: Instance) -> Command:
    data = draw(st.fixed_dictionaries({}, optional={"size": st.integers(0, 2)}))
    open_here = [(step, name) for step in instance.active for name in known.steps[step].triggers]
    if not open_here or draw(st.integers(0, 3)) == 0:
        return Update(SKILLED, {"size": draw(st.integers(0, 2))})
    step, trigger = draw(st.sampled_from(open_here))
    return Fire(trigger, SKILLED, {"note": "x", **data}, {"photo": "p"}, step)


@given(runs())
def test_a_settled_value_changes_only_on_record(run: Run) -> None:
    """Each change of one comes with a deviation that names the field, never where it is refused."""
    data: dict[str, object] = {}
    settled: set[str] = set()
    for outcome in run.outcomes:
        recorded = [
            fact.detail["fields"]
            for fact in outcome.facts
            if isinstance(fact, Deviated) and fact.deviation == "settled_value_changed"
        ]
        changed = []
        for fact in outcome.facts:
            opened: set[str] = set()
            if isinstance(fact, Moved):
                new, opened = settling(run, fact)
            changed += [names] if (names := changes(fact, data, settled - opened)) else []
            if isinstance(fact, Started | Moved | Updated):
                data |= fact.data
            if isinstance(fact, Moved):
                settled = settled - opened | new
        assert recorded == changed
        assert not changed or run.compiled.foreign or run.compiled.procedure.enforce.settled == "record"
        assert set(outcome.instance.settled) == settled
