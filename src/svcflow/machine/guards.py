"""Guards for the conditions of any machine: a field for what each callable decides."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from svcflow.machine.conditions import BranchesEnded, GuardCondition, StepCondition
from svcflow.machine.names import Names, guard_name
from svcflow.model.field import Field
from svcflow.model.guard import Guard
from svcflow.text import Text


class GuardWriter:
    """The guards of one procedure, with the fields that they name."""

    def __init__(self, transitions: Iterable[Any]) -> None:
        conditions = [condition.func for transition in transitions for condition in transition.conditions]
        self.fields: dict[str, Field] = {}
        for func in conditions:
            if isinstance(func, GuardCondition):
                self.fields |= func.fields
        self._names = Names(self.fields)

    def guard(self, transition: Any) -> Guard | None:
        """Return a guard that holds when all of a transition's conditions do. Raises: GuardError when it is too long."""
        conditions = [condition for condition in transition.conditions if not _is_of_branches(condition.func)]
        parts = [
            self._part(condition.func, holds=condition.target, alone=len(conditions) == 1)
            for condition in conditions
        ]
        return Guard(" and ".join(parts)) if parts else None

    def _part(self, func: Any, *, holds: bool, alone: bool) -> str:
        if isinstance(func, GuardCondition):
            text = func.guard.plain if holds and alone else f"({func.guard.plain})"
        else:
            text = self._field(func)
        return text if holds else f"not {text}"

    def _field(self, func: Any) -> str:
        """Return the field that says what a callable, or what is called by a name, decides."""
        called = func if isinstance(func, str) else _called(func)
        # a method of the model is the same condition as its name, which the package looks up on the model
        named = isinstance(func, str) or hasattr(func, "__self__")
        name = self._names.identifier(
            guard_name(called), key=("name", called) if named else ("callable", _key(func))
        )
        wording = Text(zh=f"条件 {called}", en=f"Condition {called}")
        self.fields.setdefault(name, Field(name, type="boolean", name=wording))
        return name


def _is_of_branches(func: Any) -> bool:
    """Return whether a condition chooses or joins branches, as the engine does of itself for every procedure."""
    return isinstance(func, BranchesEnded) or (isinstance(func, StepCondition) and bool(func.states))


def _called(func: Any) -> str:
    if isinstance(func, partial):
        return _called(func.func)
    return str(getattr(func, "__name__", type(func).__name__))


def _key(func: Any) -> object:
    """Return what is the same for the same condition, and can be looked up."""
    try:
        hash(func)
    except TypeError:
        return id(func)
    return func
