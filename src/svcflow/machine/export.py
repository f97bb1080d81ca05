"""A procedure as a state machine of the package `transitions`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar, get_args, overload

from transitions import Machine
from transitions.extensions.nesting import HierarchicalMachine

from svcflow.bounds import shown
from svcflow.errors import DeclarationError, FieldError, Problem
from svcflow.machine.conditions import (
    BranchesEnded,
    GuardCondition,
    JoinBranches,
    MachineModel,
    StepCondition,
)
from svcflow.machine.configurations import Configuration, StepTree, flatten
from svcflow.machine.tags import move_tags, step_tags
from svcflow.model.guard import Guard
from svcflow.model.procedure import Procedure
from svcflow.model.step import DONE, Step, Transition
from svcflow.text import Lang, Text

AnyMachine = TypeVar("AnyMachine", bound=Machine)


@overload
def to_machine(
    procedure: Procedure,
    model: object = None,
    *,
    machine_cls: type[AnyMachine],
    lang: Lang | None = "en",
    **options: Any,
) -> AnyMachine: ...


@overload
def to_machine(
    procedure: Procedure, model: object = None, *, lang: Lang | None = "en", **options: Any
) -> Machine: ...


def to_machine(
    procedure: Procedure,
    model: object = None,
    *,
    machine_cls: type[Machine] = Machine,
    lang: Lang | None = "en",
    **options: Any,
) -> Machine:
    """Return a procedure as a machine of the package `transitions`: its steps, triggers, guards and ends.

    `model` is one model, a list of them, or "self" for the machine itself; without one it gets a `MachineModel`,
    reached as `machine.model`. `machine_cls` is the class to make: `GraphMachine`, `MarkupMachine`, `AsyncMachine`
    or your own; `options` are its keyword arguments. `send_event` is true unless given, so that guards see the
    model's data, and `auto_transitions` is false. Names in `lang` are the labels of states and transitions; roles,
    waits, ends and kinds are their `tags`. With `lang=None` they have neither: from markup with labels and tags only
    classes of states that take them can make a machine again.

    The state of a flat machine is the instance's step; inside a parallel step, the steps of the branches joined by
    two underscores, the last one of which goes on to where `done` leads. A trigger open in two branches takes
    `step="..."`. A `HierarchicalMachine` has a parallel state with a child for each branch instead.

    A machine has no clock, roles, evidence or journal: an `Engine` has.

    Raises: DeclarationError when the branches combine to more than 10,000 states, or a trigger is called like the
        attribute in which models keep their state; FieldError for what is no procedure, and for another `lang`.
    """
    _refuse_arguments(procedure, lang)
    machine_options = {"send_event": True, "auto_transitions": False, "name": procedure.id, **options}
    _refuse_attribute(procedure, machine_options.get("model_attribute", "state"))
    make = _nested if issubclass(machine_cls, HierarchicalMachine) else _flat
    machine: Any = make(procedure, machine_cls, lang, machine_options)
    if "title" not in options and hasattr(machine, "title"):
        machine.title = procedure.name.in_(lang or "en") or procedure.id
    if model == Machine.self_literal or (isinstance(model, list | tuple) and Machine.self_literal in model):
        # a GraphMachine without models has a `get_graph` of its own, and refuses to be a model that has one
        vars(machine).pop("get_graph", None)
    machine.add_model(MachineModel() if model is None else model)
    made: Machine = machine
    return made


def _refuse_arguments(procedure: object, lang: object) -> None:
    if not isinstance(procedure, Procedure):
        raise FieldError(
            Text(
                zh=f"to_machine 须给出服务流程，而不是 {shown(procedure)}",
                en=f"to_machine takes a procedure, not {shown(procedure)}",
            ),
            Text(zh="文件用 svcflow.load 读入", en="read a file with svcflow.load"),
        )
    if lang is not None and lang not in get_args(Lang):
        known = ", ".join(get_args(Lang))
        raise FieldError(
            Text(zh=f"lang 不能是 {shown(lang)}", en=f"lang cannot be {shown(lang)}"),
            Text(zh=f"可用：{known}；不要标签则为 None", en=f"take one of {known}, or None for no labels"),
        )


def _refuse_attribute(procedure: Procedure, attribute: str) -> None:
    for step in procedure.all_steps.values():
        for move in step.to:
            if move.trigger == attribute:
                message = Text(
                    zh=f"模型的状态也存放在属性 {attribute} 中",
                    en=f"models keep their state in an attribute {attribute!r} too",
                )
                remedy = Text(
                    zh='换一个属性：to_machine(..., model_attribute="step")',
                    en='name another attribute: to_machine(..., model_attribute="step")',
                )
                raise DeclarationError([Problem(("steps", step.id, "to", move.trigger), message, remedy)])


def _flat(
    procedure: Procedure, machine_cls: type[Machine], lang: Lang | None, options: dict[str, Any]
) -> Machine:
    configurations, moves = flatten(procedure)
    names = _state_names(configurations)
    steps = procedure.all_steps
    machine = machine_cls(
        model=None,
        states=[
            {"name": name, "final": steps[configuration[0]].end is not None}
            for configuration, name in names.items()
        ],
        initial=names[configurations[0]],
        **options,
    )
    for configuration, name in names.items():
        _describe(machine.get_state(name), [steps[step] for step in configuration], lang)
    for flat in moves:
        conditions = [_guard_condition(procedure, guard) for guard in flat.when]
        _add(
            machine,
            flat.move,
            names[flat.source],
            names[flat.dest],
            lang,
            conditions=[*([StepCondition(flat.step)] if flat.step else []), *conditions],
            unless=[_guard_condition(procedure, guard) for guard in flat.unless],
        )
    return machine


def _state_names(configurations: Iterable[Configuration]) -> dict[Configuration, str]:
    """Return a name for each configuration: its steps, joined by as many underscores as keep the names apart."""
    between, names = "__", dict[Configuration, str]()
    while len(set(names.values())) != len(tuple(configurations)):
        names = {configuration: between.join(configuration) for configuration in configurations}
        between += "_"
    return names


def _nested(
    procedure: Procedure, machine_cls: type[Machine], lang: Lang | None, options: dict[str, Any]
) -> Machine:
    machine_cls = _separating(machine_cls, procedure)
    separator: str = machine_cls.state_cls.separator  # type: ignore[attr-defined]  # states that nest have one
    paths = {step.id: separator.join(path) for path, step in _paths(procedure.steps)}
    machine = machine_cls(
        model=None,
        states=[_nested_state(step) for step in procedure.steps],
        initial=procedure.steps[0].id,
        **options,
    )
    for name, step in procedure.all_steps.items():
        _describe(machine.get_state(paths[name]), [step], lang)
        for branch in step.parallel:
            if branch.name and lang:
                state: Any = machine.get_state(separator.join((paths[name], branch.id)))
                state.label = branch.name.in_(lang)
    tree = StepTree(procedure)
    for name, step in procedure.all_steps.items():
        for trigger in tree.rows[name]:
            rivals = _open_beside(tree, name, trigger)
            states = frozenset(paths[rival] for rival in (name, *rivals))
            first: list[Any] = [StepCondition(name, states)] if rivals else []
            if step.parallel and trigger == DONE:
                ends = (inner for branch in step.parallel for inner in branch.steps if inner.end is not None)
                first.append(BranchesEnded(paths[name], frozenset(paths[end.id] for end in ends), separator))
            for move, when in tree.choices(name, trigger):
                conditions = [*first, *(_guard_condition(procedure, guard) for guard in when)]
                ends_branch = tree.around[name] and tree.steps[move.step].end is not None
                after = [JoinBranches(DONE)] if ends_branch else []
                _add(machine, move, paths[name], paths[move.step], lang, conditions=conditions, after=after)
    return machine


def _separating(machine_cls: type[Any], procedure: Procedure) -> type[Machine]:
    """Return the class, with dots between the names of nested states where its own separator occurs in a name."""
    names = [*procedure.all_steps, *(b.id for step in procedure.all_steps.values() for b in step.parallel)]
    if not any(machine_cls.state_cls.separator in name for name in names):
        return machine_cls
    state_cls = type(machine_cls.state_cls.__name__, (machine_cls.state_cls,), {"separator": "."})
    return type(machine_cls.__name__, (machine_cls,), {"state_cls": state_cls})


def _paths(steps: Iterable[Step], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Step]]:
    for step in steps:
        path = (*above, step.id)
        yield path, step
        for branch in step.parallel:
            yield from _paths(branch.steps, (*path, branch.id))


def _nested_state(step: Step, *, outermost: bool = True) -> dict[str, Any]:
    if not step.parallel:
        # transitions 0.9.3 takes a parallel state for final as soon as its last child is, and raises AttributeError
        return {"name": step.id, "final": outermost and step.end is not None}
    branches = [
        {
            "name": branch.id,
            "initial": branch.steps[0].id,
            "children": [_nested_state(inner, outermost=False) for inner in branch.steps],
        }
        for branch in step.parallel
    ]
    return {"name": step.id, "parallel": branches}


def _open_beside(tree: StepTree, name: str, trigger: str) -> list[str]:
    """Return the other steps that can be active together with one and have the same trigger."""
    if not tree.around[name] and not tree.steps[name].parallel:
        return []  # else a procedure of 2,000 steps would be compared pair by pair, for ten seconds
    return [
        other
        for other in tree.having[trigger]
        if other != name
        and tree.beside(name, other)
        and not (trigger == DONE and (tree.steps[other].parallel or tree.steps[name].parallel))
    ]


def _describe(state: Any, steps: list[Step], lang: Lang | None) -> None:
    """Give a state the names and tags of its steps, which the package's diagrams and markup show."""
    if lang is None:
        return
    if any(step.name for step in steps):
        state.label = " + ".join(step.name.in_(lang) or step.id for step in steps)
    state.tags = [tag for step in steps for tag in step_tags(step)]


def _add(
    machine: Machine, move: Transition, source: str, dest: str, lang: Lang | None, **conditions: Any
) -> None:
    machine.add_transition(move.trigger, source, dest, **conditions)
    if lang is None:
        return
    transition: Any = machine.events[move.trigger].transitions[source][-1]
    if move.name:
        transition.label = move.name.in_(lang)
    transition.tags = move_tags(move)


def _guard_condition(procedure: Procedure, guard: Guard) -> GuardCondition:
    fields = {name: field for name, field in procedure.fields.items() if name in guard.names}
    return GuardCondition(guard, fields)
