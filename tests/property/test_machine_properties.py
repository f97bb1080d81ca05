"""Machines of the package transitions allow exactly the moves that the kernel's order and guards allow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st
from procedures import BEGIN_US, CALENDARS, SKILLED, procedures
from transitions.extensions import HierarchicalMachine

from svcflow.kernel import Compiled, Fire, Instance, Start, compile_procedure, transact
from svcflow.machine import from_machine, to_machine
from svcflow.model.procedure import Procedure
from svcflow.model.step import DONE, Enforce, Step, Transition

GIVEN = {"note": "x"}
DATA = st.fixed_dictionaries({"kind": st.sampled_from(["a", "b"]), "size": st.integers(0, 3)})
MOST = 12
EXAMPLES = settings(max_examples=settings.default.max_examples // 4)


def by_order(procedure: Procedure, guard: str) -> Procedure:
    """The procedure with nothing refused but what is against the order, or closed by a guard if `guard` says so."""
    rules = Enforce("record", "record", "record", "refuse", guard, "record", "record", "record")
    return attrs.evolve(procedure, enforce=rules)


def ordered(guard: st.SearchStrategy[str]) -> st.SearchStrategy[Procedure]:
    return st.builds(by_order, procedures(), guard)


def questions(known: Compiled, instance: Instance) -> Iterator[tuple[str, str | None]]:
    """Every trigger, without a step and for each step that is active."""
    for trigger in known.triggers:
        yield from ((trigger, step) for step in (None, *instance.active))


def after(
    known: Compiled, instance: Instance, trigger: str, step: str | None, **data: Any
) -> Instance | None:
    """The instance after a trigger, at the instant at which it began; None when it is refused."""
    if trigger not in known.triggers:
        return None
    outcome = transact(known, instance, Fire(trigger, SKILLED, {**GIVEN, **data}, step=step), BEGIN_US)
    return None if outcome.refused else outcome.instance


def walk(
    data: st.DataObject,
    procedure: Procedure,
    fields: dict[str, Any],
    agree: Callable[[Instance], None],
    follow: Callable[[str, str | None], None],
) -> None:
    """Go through the procedure by moves drawn from those that the kernel lets through, to its end or for a while."""
    known = compile_procedure(procedure, CALENDARS.__getitem__)
    instance = transact(known, None, Start("i1", fields, None, SKILLED), BEGIN_US).instance
    for _ in range(MOST):
        agree(instance)
        ways = {
            (t, s): found for t, s in questions(known, instance) if (found := after(known, instance, t, s))
        }
        if instance.status == "ended" or not ways:
            return
        chosen = data.draw(st.sampled_from(sorted(ways, key=str)))
        instance = ways[chosen]
        follow(*chosen)
    agree(instance)


def asked(trigger: str, step: str | None) -> dict[str, Any]:
    return {"step": step, "data": GIVEN} if step else {"data": GIVEN}


@EXAMPLES
@given(ordered(st.sampled_from(["refuse", "refuse", "record"])), DATA, st.data())
def test_a_flat_machine_allows_what_the_kernel_allows(
    procedure: Procedure, fields: dict[str, Any], data: st.DataObject
) -> None:
    """In every state reached, for every trigger, with and without the step it means; and it goes the same way."""
    known = compile_procedure(procedure, CALENDARS.__getitem__)
    machine = to_machine(procedure)
    model: Any = machine.model
    model.data = dict(fields)

    def agree(instance: Instance) -> None:
        assert set(model.state.split("__")) == set(instance.steps)
        for trigger, step in questions(known, instance):
            if instance.status != "ended" and (step is None or trigger in known.steps[step].triggers):
                kernel = after(known, instance, trigger, step) is not None
                assert model.may_trigger(trigger, **asked(trigger, step)) == kernel, (trigger, step)

    walk(data, procedure, fields, agree, lambda trigger, step: model.trigger(trigger, **asked(trigger, step)))


def joins_always(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps with a `done` that no guard closes: a hierarchical machine joins after the move, or not at all."""
    return tuple(
        attrs.evolve(
            step,
            to=tuple(move for move in step.to if move.trigger != DONE or not step.parallel)
            + (
                (Transition(DONE, next(m.step for m in step.to if m.trigger == DONE)),)
                if step.parallel
                else ()
            ),
            parallel=tuple(attrs.evolve(one, steps=joins_always(one.steps)) for one in step.parallel),
        )
        for step in steps
    )


@EXAMPLES
@given(ordered(st.sampled_from(["refuse", "refuse", "record"])), DATA, st.data())
def test_a_hierarchical_machine_goes_the_way_of_the_kernel(
    procedure: Procedure, fields: dict[str, Any], data: st.DataObject
) -> None:
    """Branches are nested states; the last one that ends goes on by `done`."""
    procedure = attrs.evolve(procedure, steps=joins_always(procedure.steps))
    known = compile_procedure(procedure, CALENDARS.__getitem__)
    machine = to_machine(procedure, machine_cls=HierarchicalMachine)
    model: Any = machine.model
    model.data = dict(fields)

    def leaves(state: Any) -> Iterator[str]:
        for one in state if isinstance(state, list) else [state]:
            yield from (
                leaves(one) if isinstance(one, list) else [one.rpartition(machine.state_cls.separator)[2]]
            )

    def agree(instance: Instance) -> None:
        assert {
            step
            for step in leaves(model.state)
            if known.steps[step].step.end is None or step in instance.steps
        } == set(instance.steps)
        for trigger, step in questions(known, instance):
            usual = step is None or trigger in known.steps[step].triggers
            joins = trigger == DONE and (step is None or known.steps[step].branches)
            if instance.status != "ended" and usual and not joins:
                kernel = after(known, instance, trigger, step) is not None
                assert model.may_trigger(trigger, **asked(trigger, step)) == kernel, (trigger, step)

    walk(data, procedure, fields, agree, lambda trigger, step: model.trigger(trigger, **asked(trigger, step)))


def shape(procedure: Procedure) -> dict[str, Any]:
    """What a machine can say of a procedure."""
    return {
        name: (step.end, step.role, step.waits, [branch.id for branch in step.parallel], by_trigger(step))
        for name, step in procedure.all_steps.items()
    }


def by_trigger(step: Step) -> dict[str, list[Transition]]:
    rows: dict[str, list[Transition]] = {}
    for move in step.to:
        rows.setdefault(move.trigger, []).append(attrs.evolve(move, clock="continue", otherwise=None))
    return rows


@EXAMPLES
@given(ordered(st.just("refuse")))
def test_a_hierarchical_machine_gives_the_procedure_back(procedure: Procedure) -> None:
    """Steps, branches, moves, guards, kinds, roles and bounds."""
    again = from_machine(to_machine(procedure, machine_cls=HierarchicalMachine))
    assert shape(again) == shape(procedure)


@EXAMPLES
@given(ordered(st.just("refuse")), DATA, st.data())
def test_a_flat_machine_gives_a_procedure_that_goes_the_same_way(
    procedure: Procedure, fields: dict[str, Any], data: st.DataObject
) -> None:
    """Also where branches became combinations of steps: the same triggers lead through both procedures."""
    skeleton = from_machine(to_machine(procedure))
    skeleton = attrs.evolve(skeleton, calendar="office", fields={**procedure.fields, **skeleton.fields})
    again = compile_procedure(skeleton, CALENDARS.__getitem__)
    known = compile_procedure(procedure, CALENDARS.__getitem__)
    chosen = [name for name in again.procedure.fields if name.startswith("step_")]
    other = [transact(again, None, Start("i1", fields, None, SKILLED), BEGIN_US).instance]

    def answer(trigger: str, step: str | None) -> Instance | None:
        choice = {name: name == f"step_{step}" for name in chosen}
        return after(again, other[0], trigger, None, **choice)

    def agree(instance: Instance) -> None:
        assert (other[0].status == "ended") == (instance.status == "ended")
        for trigger, step in questions(known, instance):
            if instance.status != "ended" and (step is None or trigger in known.steps[step].triggers):
                assert (answer(trigger, step) is None) == (after(known, instance, trigger, step) is None)

    def follow(trigger: str, step: str | None) -> None:
        found = answer(trigger, step)
        assert found is not None
        other[0] = found

    walk(data, procedure, fields, agree, follow)


NAMES = ("a", "b", "c", "d")
SWITCHES = ("is_open", "is_paid")


@st.composite
def machines(draw: st.DrawFn) -> Any:
    """A machine of somebody else: states, some inside another one, and transitions with conditions by name."""
    inside = draw(st.integers(0, 2))
    group = {"name": "P", "initial": NAMES[0], "children": list(NAMES[:inside])}
    states = [*([group] if inside else []), *NAMES[inside:]]
    paths = [*(["P"] if inside else []), *(f"P_{name}" for name in NAMES[:inside]), *NAMES[inside:]]
    machine = HierarchicalMachine(
        model=None, states=states, initial=draw(st.sampled_from(paths)), auto_transitions=False
    )
    for _ in range(draw(st.integers(1, 8))):
        machine.add_transition(
            draw(st.sampled_from(["go", "back", "skip"])),
            draw(st.sampled_from(paths)),
            draw(st.sampled_from([*paths, None])),
            conditions=draw(st.lists(st.sampled_from(SWITCHES), max_size=1)),
            unless=draw(st.lists(st.sampled_from(SWITCHES), max_size=1)),
        )
    return machine


class Switches:
    is_open = is_paid = False


@EXAMPLES
@given(machines(), st.lists(st.tuples(st.booleans(), st.booleans()), max_size=8), st.data())
def test_a_skeleton_goes_the_way_of_its_machine(
    machine: Any, switches: list[tuple[bool, bool]], data: st.DataObject
) -> None:
    """Where the fields say what the conditions decide, the same triggers lead to the same steps."""
    model: Any = Switches()
    machine.add_model(model)
    known = compile_procedure(attrs.evolve(from_machine(machine), calendar="office"), CALENDARS.__getitem__)
    instance = transact(known, None, Start("i1", {}, None, SKILLED), BEGIN_US).instance
    for values in switches:
        model.is_open, model.is_paid = values
        chosen = {
            name: value
            for name, value in zip(SWITCHES, values, strict=True)
            if name in known.procedure.fields
        }
        assert (model.state.rpartition("_")[2],) == instance.steps
        if instance.status == "ended":
            assert not any(machine.get_triggers(model.state))
            return
        trigger = data.draw(st.sampled_from(sorted(machine.events)))
        found = transact(known, instance, Fire(trigger, SKILLED, chosen), BEGIN_US)
        assert model.may_trigger(trigger) == (found.refused is None)
        if found.refused is None:
            model.trigger(trigger)
            instance = found.instance
