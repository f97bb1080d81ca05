"""Sample data for guards: enough values that what holds for all samples holds for all data.

That is so for guards made of `and`, `or`, `not` and comparisons of a field with constants: between two
neighbouring constants nothing can change. A guard beyond that (arithmetic, functions, one number compared
with another) is not sampled; the answer is then None, never a guess.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise, product
from math import prod
from typing import TypeAlias

import attrs

from svcflow.errors import GuardError
from svcflow.model.field import Field, Value
from svcflow.model.guard import Guard
from svcflow.model.procedure import Procedure
from svcflow.text import Text

__all__ = ["GROUP", "MAX_SAMPLES", "Sample", "constants_of", "domains", "holds", "samples", "worded"]

MAX_SAMPLES = 10_000
GROUP = "recipient.group"
"""The one key of `recipient` whose values are known beforehand."""

Sample: TypeAlias = Mapping[str, Value]
_Constants: TypeAlias = dict[str, set[Value]]
_EQUALITY = (ast.Eq, ast.NotEq, ast.In, ast.NotIn)


class _NotSampled(Exception):  # it never leaves this module
    """Raised for a guard outside what can be sampled."""


def samples(
    procedure: Procedure, guards: Iterable[Guard], given: frozenset[str] = frozenset()
) -> tuple[Sample, ...] | None:
    """Return the data to try the guards on; None when they are beyond sampling or need too many.

    A field that may be left out is tried without a value too, unless it is in `given`.
    """
    values = domains(procedure, guards, given)
    if values is None or prod(len(domain) for domain in values.values()) > MAX_SAMPLES:
        return None
    return tuple(dict(zip(values, chosen, strict=True)) for chosen in product(*values.values()))


def domains(
    procedure: Procedure, guards: Iterable[Guard], given: frozenset[str]
) -> dict[str, tuple[Value, ...]] | None:
    """Return for each field the guards name the values worth trying; None when beyond sampling."""
    found: _Constants = {}
    try:
        for guard in guards:
            for name, constants in _ConstantReader(procedure).read(guard).items():
                found.setdefault(name, set()).update(constants)
    except _NotSampled:
        return None
    return {name: _domain(procedure, name, found[name], given) for name in sorted(found)}


def constants_of(procedure: Procedure, guard: Guard) -> Mapping[str, set[Value]]:
    """Return the constants each field is compared with; empty when the guard is beyond sampling."""
    try:
        return _ConstantReader(procedure).read(guard)
    except _NotSampled:
        return {}


def holds(guard: Guard | None, sample: Sample) -> bool:
    """Return whether a row would be taken: a guard that cannot be decided denies, as in the kernel."""
    data: dict[str, object] = {name: value for name, value in sample.items() if name != GROUP}
    if GROUP in sample:
        data["recipient"] = {"group": sample[GROUP]}
    try:
        return guard is None or guard.holds(data)
    except GuardError:
        return False


def worded(sample: Sample) -> Text:
    """Return a sample as an example for people."""
    zh = [
        f"{name} 未填" if value is None else f"{name} = {_literal(value)}" for name, value in sample.items()
    ]
    en = [
        f"{name} not given" if value is None else f"{name} = {_literal(value)}"
        for name, value in sample.items()
    ]
    return Text(zh="、".join(zh) or "任何数据", en=", ".join(en) or "any data")


def _literal(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return (
        f'"{value}"' if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)
    )


def _domain(
    procedure: Procedure, name: str, constants: set[Value], given: frozenset[str]
) -> tuple[Value, ...]:
    if name == GROUP:
        return tuple(procedure.recipients)
    field = procedure.fields[name]
    optional = not field.required and field.default is None and name not in given
    return (*_values(field, constants), *((None,) if optional else ()))


def _values(field: Field, constants: set[Value]) -> tuple[Value, ...]:
    match field.type:
        case "choice" | "rating":
            return tuple(field.values)
        case "boolean":
            return (True, False)
        case "number":
            return tuple(_numbers(field, [c for c in constants if isinstance(c, int | float)]))
        case _:
            written = sorted(c for c in constants if isinstance(c, str) and c)
            other = "x"
            while other in written:
                other += "x"
            return (*written, other, *(("",) if field.type == "text" else ()))


def _numbers(field: Field, constants: list[int | float]) -> Iterator[Value]:
    """Return both sides of each constant, the middle between neighbours, and the ends of the declared range."""
    edges = sorted({float(c) for c in constants})
    tried = {c + d for c in edges for d in (-1.0, 0.0, 1.0)} | {(a + b) / 2 for a, b in pairwise(edges)}
    low, high = field.minimum, field.maximum
    tried |= {float(bound) for bound in (low, high) if bound is not None}
    for value in sorted(tried or {0.0}):
        if (low is None or value >= low) and (high is None or value <= high):
            yield int(value) if value.is_integer() else value


@attrs.frozen
class _ConstantReader:
    """Reader of the constants that a guard compares each field with. Raises: _NotSampled."""

    procedure: Procedure

    def read(self, guard: Guard) -> _Constants:
        found: _Constants = {}
        self._truth(guard.tree, found)
        return found

    def _truth(self, node: ast.expr, found: _Constants) -> None:
        match node:
            case ast.BoolOp(values=parts):
                for part in parts:
                    self._truth(part, found)
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                self._truth(inner, found)
            case ast.Compare(left=left, ops=ops, comparators=rest):
                for op, (one, other) in zip(ops, pairwise((left, *rest)), strict=True):
                    self._comparison(op, one, other, found)
            case ast.Constant():
                return
            case _:
                found.setdefault(self._variable(node), set()).add(0)

    def _comparison(self, op: ast.cmpop, one: ast.expr, other: ast.expr, found: _Constants) -> None:
        left, right = _constants(one), _constants(other)
        if left is not None and right is not None:
            return
        if isinstance(op, ast.In | ast.NotIn) and (
            right is None or not isinstance(other, ast.List | ast.Tuple)
        ):
            raise _NotSampled
        if left is None and right is None:
            self._two_fields(one, other, found)
            return
        name = self._variable(one if left is None else other)
        if self._type(name) in ("text", "instant") and not isinstance(op, _EQUALITY):
            raise _NotSampled
        found.setdefault(name, set()).update(right if left is None else left)  # type: ignore[arg-type]  # one is known

    def _two_fields(self, one: ast.expr, other: ast.expr, found: _Constants) -> None:
        for name in (self._variable(one), self._variable(other)):
            if self._type(name) not in ("choice", "rating", "boolean"):
                raise _NotSampled
            found.setdefault(name, set())

    def _variable(self, node: ast.expr) -> str:
        name = ast.unparse(node)
        if name == GROUP or (isinstance(node, ast.Name) and name in self.procedure.fields):
            return name
        raise _NotSampled

    def _type(self, name: str) -> str:
        return "choice" if name == GROUP else self.procedure.fields[name].type


def _constants(node: ast.expr) -> set[Value] | None:
    """Return the constants an operand stands for; None when it is not made of constants only."""
    match node:
        case ast.Constant(value=value) if isinstance(value, str | int | float | None):
            return {value}
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=value)) if isinstance(value, int | float):
            return {-value}
        case ast.List(elts=items) | ast.Tuple(elts=items):
            parts = [_constants(item) for item in items]
            return None if None in parts else {v for part in parts if part is not None for v in part}
    return None
