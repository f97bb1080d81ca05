"""Binding of parameters: every quantity and guard of a procedure that names one gets the value in force."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import attrs

from svcflow.errors import DeclarationError, Path, Problem
from svcflow.model.amount import Amount, NamedAmount
from svcflow.model.guard import Guard
from svcflow.model.limit import Row, Rung, TimeLimit
from svcflow.model.parameter import Parameter, Quantity, kind_of, kind_text, written_quantity
from svcflow.model.step import Transition
from svcflow.model.target import TARGET_KINDS, Anchor, ClockTime, NamedClockTime
from svcflow.nearest import nearest
from svcflow.text import NO_TEXT, Text

__all__ = ["Binding", "named_in", "without_consequences"]

_LEAVES = frozenset((str, int, float, bool, type(None), Text, Amount, ClockTime))


class Binding:
    """Values of parameters put where a procedure names them.

    `uses` are the places at which each parameter is named, `problems` what names none or one of another kind.
    """

    def __init__(self, parameters: Mapping[str, Parameter]) -> None:
        self.problems: list[Problem] = []
        self.uses: dict[str, list[Path]] = {}
        self._parameters = parameters
        in_force = {name: parameter.in_force for name, parameter in parameters.items()}
        self._numbers = {name: value for name, value in in_force.items() if kind_of(value) == "number"}

    def bound(self, value: Any, path: Path) -> Any:
        """Return a value of the model with the parameters that it names bound; itself where it names none."""
        kind = type(value)
        if kind in _LEAVES:
            return value
        if kind is tuple:
            made = tuple(self.bound(item, (*path, place)) for place, item in _placed(value))
            return value if all(new is old for new, old in zip(made, value, strict=True)) else made
        if kind is dict:
            return self._entries(value, path)
        if kind is NamedAmount:
            return self._amount(value, path)
        if kind is NamedClockTime:
            return self._clock_time(value, path)
        if kind is Guard:
            return self._guard(value, path)
        return self._parts(value, path) if attrs.has(kind) else value

    def _entries(self, entries: dict[str, Any], path: Path) -> dict[str, Any]:
        made = {key: self.bound(entry, (*path, key)) for key, entry in entries.items()}
        return entries if all(made[key] is entry for key, entry in entries.items()) else made

    def _parts(self, value: Any, path: Path) -> Any:
        changed = {}
        for attribute in attrs.fields(type(value)):
            if attribute.init:
                part = getattr(value, attribute.name)
                made = self.bound(part, _inner(value, attribute.name, path))
                if made is not part:
                    changed[attribute.name] = made
        return attrs.evolve(value, **changed) if changed else value

    def _amount(self, named: NamedAmount, path: Path) -> NamedAmount:
        value = self._value(named.parameter, path)
        if isinstance(value, Amount):
            return NamedAmount(value.value, value.unit, parameter=named.parameter)
        if value is not None:
            self._other_kind(named.parameter, value, _AN_AMOUNT, path)
        return named

    def _clock_time(self, named: NamedClockTime, path: Path) -> NamedClockTime:
        value = self._value(named.parameter, path, ClockTime)
        if isinstance(value, ClockTime):
            return NamedClockTime(value.written, parameter=named.parameter)
        if value is not None:
            self._other_kind(named.parameter, value, _A_CLOCK_TIME, path)
        return named

    def _guard(self, guard: Guard, path: Path) -> Guard:
        named = (guard.names | guard.constants.keys()) & self._parameters.keys()
        for name in sorted(named):
            value = self._value(name, path)
            if value is not None and name not in self._numbers:
                self._other_kind(name, value, _A_NUMBER, path)
        constants = {name: self._numbers[name] for name in named & self._numbers.keys()}
        return guard if constants == guard.constants else Guard(guard.text, constants=constants)

    def _value(self, name: str, path: Path, read: Callable[[str], object] = Amount.parse) -> Quantity | None:
        parameter = self._parameters.get(name)
        if parameter is not None:
            self.uses.setdefault(name, []).append(path)
            return parameter.in_force
        self.problems.append(
            self._unknown(name, path) if self._parameters else _no_quantity(read, name, path)
        )
        return None

    def _unknown(self, name: str, path: Path) -> Problem:
        message = Text(zh=f"没有名为“{name}”的参数", en=f"there is no parameter {name!r}")
        return Problem(path, message, nearest(name, self._parameters))

    def _other_kind(self, name: str, value: Quantity, wanted: Text, path: Path) -> None:
        own, written = kind_text(value), written_quantity(value)
        message = Text(
            zh=f"此处须为{wanted.zh}，参数 {name} 是{own.zh}：{written}",
            en=f"this takes {wanted.en}; parameter {name} is {own.en}: {written}",
        )
        fitting = [
            other
            for other, p in self._parameters.items()
            if other != name and _FITS[wanted](kind_of(p.value))
        ]
        self.problems.append(Problem(path, message, nearest(name, fitting) if fitting else NO_TEXT))


_AN_AMOUNT = Text(zh="时长", en="an amount of time")
_A_CLOCK_TIME = Text(zh="时刻", en="a time of day")
_A_NUMBER = Text(zh="数", en="a number")
_FITS: Mapping[Text, Callable[[str], bool]] = {
    _AN_AMOUNT: lambda kind: kind not in ("number", "clock"),
    _A_CLOCK_TIME: lambda kind: kind == "clock",
    _A_NUMBER: lambda kind: kind == "number",
}


def _no_quantity(read: Callable[[str], object], name: str, path: Path) -> Problem:
    """Return the mistake of a name where there are no parameters: whoever wrote it meant a quantity."""
    try:
        read(name)
    except DeclarationError as error:
        (problem,) = error.problems
        return Problem(path, problem.message, problem.remedy)
    raise AssertionError(f"{name} is read as a quantity")  # names of parameters are none


def named_in(row: Row) -> tuple[str, ...]:
    """Return the parameters that the row of a limit names: in its guard, and for its target."""
    amounts = (row.within, row.at_least, row.every, *(a.amount for a in (row.before, row.after) if a))
    times = (row.by, row.cutoff)
    return (
        *(row.when.constants if row.when else ()),
        *(amount.parameter for amount in amounts if isinstance(amount, NamedAmount)),
        *(time.parameter for time in times if isinstance(time, NamedClockTime)),
    )


def without_consequences(problems: Iterable[Problem], unbound: Iterable[Problem]) -> Iterator[Problem]:
    """Yield the problems but for those of a limit whose parameter is not bound: what they judge is no value."""
    places = [_limit_of(problem.path) for problem in unbound]
    for problem in problems:
        if not any(problem.path[: len(place)] == place for place in places):
            yield problem


def _inner(value: Any, name: str, path: Path) -> Path:
    """Return the place of an attribute of a value; an amount that is written inside a text stands at that text."""
    if type(value) is Anchor:
        return path
    return (*path, "at" if type(value) is Rung else name.removesuffix("_"))


def _limit_of(path: Path) -> Path:
    """Return the place of the limit in which a quantity stands; its own place where it stands in none."""
    for key in ("match", "warn", "escalate", "extension"):
        if key in path:
            return path[: path.index(key)]
    return path[:-1] if path[-1] in (*TARGET_KINDS, "cutoff") and len(path) > 1 else path


def _placed(items: tuple[Any, ...]) -> Iterator[tuple[str | int, Any]]:
    """Yield each item with its place in a document: its name where it is keyed by one, else its position."""
    for place, item in enumerate(items):
        if isinstance(item, Transition):
            yield item.trigger, item
        elif isinstance(item, TimeLimit):
            yield place, item
        else:
            yield getattr(item, "reason", None) or getattr(item, "id", None) or place, item
