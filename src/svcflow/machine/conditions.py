"""Conditions of exported transitions, and the model whose data they read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import attrs
from transitions import EventData, Machine

from svcflow.errors import GuardError
from svcflow.model.field import Field
from svcflow.model.guard import Guard
from svcflow.model.validation.references import RECIPIENT


class MachineModel:
    """Model of a machine that `to_machine` made, where no other is given: a state, and the data guards read.

    `recipient` is who is served: a `Recipient`, or a mapping with the keys `id` and `group`.
    """

    def __init__(self, data: Mapping[str, object] | None = None, recipient: object = None) -> None:
        self.data = dict(data or {})
        self.recipient = recipient


@attrs.frozen(slots=False)
class GuardCondition:
    """A guard as a condition of the package `transitions`: false where it cannot be decided, as in the engine.

    It reads, the later before the earlier: the defaults of the fields; the model's `data`, or its attributes when it
    has none; what comes with the trigger, as `data={...}` or as keyword arguments. The model is known only to
    machines with `send_event=True`, which `to_machine` sets. Attributes that the package gives a model or a machine,
    such as `state`, triggers or `name`, are no data.

    Raises: FieldError when a value does not fit its field.
    """

    guard: Guard
    fields: Mapping[str, Field] = attrs.field(eq=False, repr=False)
    """The declared fields that the guard names."""

    @property
    def __name__(self) -> str:
        """The guard's text, by which diagrams and markup show the condition."""
        return self.guard.text

    def __call__(self, *args: object, **kwargs: object) -> bool:
        """Return whether the guard holds for a trigger's arguments, or for its `EventData`."""
        model, given = _arguments(args, kwargs)
        known: dict[str, object] = {name: field.default for name, field in self.fields.items()}
        for source in (_model_data(model, self.guard.names - _reserved(args, model)), _given_data(given)):
            known |= {name: value for name, value in source.items() if value is not None}
        values: dict[str, Any] = {
            name: self.fields[name].accept(value) for name, value in known.items() if name in self.fields
        }
        values[RECIPIENT] = _recipient(known.get(RECIPIENT))
        try:
            return bool(self.guard.holds(values))
        except GuardError:
            return False


@attrs.frozen(slots=False)
class StepCondition:
    """Choice of the branch that a trigger moves, where it is open in several at once: `model.go(step="packed")`.

    `states` are the full names of all states of a hierarchical machine that have the trigger; a flat machine has a
    state for each combination of steps, and the condition only on those in which the trigger is open twice.
    """

    step: str
    states: frozenset[str] = attrs.field(default=frozenset(), repr=False)

    @property
    def __name__(self) -> str:
        """What diagrams and markup show."""
        return f"step_{self.step}"

    def __call__(self, *args: object, **kwargs: object) -> bool:
        """Return whether the trigger means this step; without `step`, whether no other active one has it."""
        _, given = _arguments(args, kwargs)
        if given.get("step") is not None:
            return given["step"] == self.step
        event = next((arg for arg in args if isinstance(arg, EventData)), None)
        return bool(self.states) and (event is None or len(self.states & set(_active(event))) < 2)


@attrs.frozen(slots=False)
class BranchesEnded:
    """Whether all branches of a parallel state of a hierarchical machine have ended; true where nobody can know.

    Machines without `send_event` do not say in which state the model is: `done` is theirs to fire.
    """

    parallel: str
    ends: frozenset[str]
    """The full names of the states in which its branches end."""
    separator: str

    @property
    def __name__(self) -> str:
        """What diagrams and markup show."""
        return "branches_ended"

    def __call__(self, *args: object, **_: object) -> bool:
        """Return whether every innermost active state inside the parallel one is an end of a branch."""
        event = next((arg for arg in args if isinstance(arg, EventData)), None)
        if event is None:
            return True
        machine: Any = event.machine
        active = _flat(getattr(event.model, machine.model_attribute))
        return all(name in self.ends for name in active if name.startswith(self.parallel + self.separator))


@attrs.frozen(slots=False)
class JoinBranches:
    """Callback after a branch has ended: fires `done`, which goes through when it was the last branch."""

    trigger: str

    @property
    def __name__(self) -> str:
        """What diagrams and markup show."""
        return self.trigger

    def __call__(self, *args: object, **_: object) -> object:
        """Fire the trigger on the model with what the outer one came with; return what that returns, for `await`."""
        event = next((arg for arg in args if isinstance(arg, EventData)), None)
        if event is None:
            return None
        model: Any = event.model
        return model.trigger(self.trigger, *event.args, **event.kwargs)


def _arguments(args: tuple[object, ...], kwargs: Mapping[str, object]) -> tuple[object, Mapping[str, object]]:
    """Return the model and the keyword arguments; of the outer trigger too, where one fired the other."""
    model: object = None
    given = dict(kwargs)
    for arg in args:
        if isinstance(arg, EventData):
            outer, inner = _arguments(tuple(arg.args), arg.kwargs)
            model = arg.model if arg.model is not None else outer
            given |= inner
    return model, given


def _reserved(args: tuple[object, ...], model: object) -> frozenset[str]:
    """Return the attributes of a model that are none of its own: where its state is kept, and all of a machine's."""
    event: Any = next((arg for arg in args if isinstance(arg, EventData)), None)
    kept = frozenset(() if event is None else (event.machine.model_attribute,))
    return kept | _of_machines() if isinstance(model, Machine) else kept


@lru_cache(maxsize=1)
def _of_machines() -> frozenset[str]:
    return frozenset((*dir(Machine(model=None)), "title"))


def _model_data(model: object, names: frozenset[str]) -> Mapping[str, object]:
    data = getattr(model, "data", None)
    if not isinstance(data, Mapping):
        attributes = {name: getattr(model, name, None) for name in names}
        return {name: value for name, value in attributes.items() if not callable(value)}
    return {**data, RECIPIENT: getattr(model, RECIPIENT, None)}


def _given_data(given: Mapping[str, object]) -> Mapping[str, object]:
    """Return the data among a trigger's arguments; `step` is no data, it names the branch."""
    named = {name: value for name, value in given.items() if name != "step"}
    data = named.get("data")
    return {**named, **data} if isinstance(data, Mapping) else named


def _recipient(who: object) -> Mapping[str, object]:
    if isinstance(who, Mapping):
        return {"id": who.get("id", ""), "group": who.get("group")}
    return {"id": getattr(who, "id", ""), "group": getattr(who, "group", None)}


def _active(event: EventData) -> Iterator[str]:
    """Yield the full names of the states that a model is in, and of those around them."""
    machine: Any = event.machine
    separator = machine.state_cls.separator
    for name in _flat(getattr(event.model, machine.model_attribute)):
        path = name.split(separator)
        yield from (separator.join(path[:depth]) for depth in range(1, len(path) + 1))


def _flat(names: str | list[Any]) -> Iterator[str]:
    if isinstance(names, str):
        yield names
    else:
        for name in names:
            yield from _flat(name)
