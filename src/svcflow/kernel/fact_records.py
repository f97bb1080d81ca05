"""Records: facts as plain data, and back. They know the fields of each class of facts, not what they mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

import attrs

from svcflow.kernel.facts import FACTS, Fact


def to_record(fact: Fact) -> dict[str, Any]:
    """Return the fact as plain data with its `kind`, fields at their default left out.

    Leaving defaults out keeps the bytes of old journals the same when a later version adds a field.
    """
    kind = type(fact)
    shape = _SHAPES[kind]
    fields = zip(shape.names, shape.values(fact), shape.defaults, strict=True)
    record = {name: value for name, value, default in fields if value is not default and value != default}
    record["kind"] = kind.__name__
    return record


def from_record(record: Mapping[str, Any]) -> Fact:
    """Return the fact that `to_record` wrote. Raises: KeyError or TypeError when it is none."""
    fields = dict(record)
    return FACTS[fields.pop("kind")](**fields)


@attrs.frozen
class _Shape:
    """Remember the fields of one class of facts, and how to read them all at once."""

    names: tuple[str, ...]
    defaults: tuple[Any, ...]
    values: Callable[[Fact], tuple[Any, ...]]

    @classmethod
    def of(cls, kind: type[Fact]) -> _Shape:
        names = tuple(field.name for field in attrs.fields(kind))
        return cls(names, tuple(field.default for field in attrs.fields(kind)), attrgetter(*names))


_SHAPES = {kind: _Shape.of(kind) for kind in FACTS.values()}
