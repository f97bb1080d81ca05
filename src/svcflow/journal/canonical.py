"""Canonical bytes of a fact: the same fact gives the same bytes on every machine and in every version.

A record is the fact as plain data: its kind, and its fields but those at their default.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

import attrs
import orjson

from svcflow.errors import CorruptJournal, FieldError
from svcflow.journal.personal_data import Commitments
from svcflow.kernel.facts import FACTS, Fact
from svcflow.kernel.storable import storage_error
from svcflow.text import Text


def to_bytes(fact: Fact, commitments: Commitments | None = None) -> bytes:
    """Return the fact as JSON in UTF-8: keys sorted, no spaces, fields at their default left out.

    With `commitments`, those stand where personal data would.

    Raises: FieldError when a value has no JSON form (a text that is no Unicode, a number over 64 bits).
    """
    try:
        record = to_record(fact)
        if commitments is not None:
            commitments.commit(record)
        return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
    except TypeError as error:
        raise _unwritable(fact, error) from None


def from_bytes(body: bytes, commitments: Commitments | None = None) -> Fact:
    """Return the fact of bytes that `to_bytes` wrote. Raises: CorruptJournal when they hold none."""
    try:
        record: Any = orjson.loads(body)
        if commitments is not None:
            commitments.reveal(record)
        return from_record(record)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = Text(zh=f"留痕无法读取：{error}", en=f"an entry of the journal cannot be read: {error}")
        raise CorruptJournal(message) from error


def _unwritable(fact: Fact, error: TypeError) -> FieldError:
    """Return the error that names the field of a fact that has no JSON form."""
    for name, value in to_record(fact).items():
        field_error = (
            storage_error(f"{fact.kind}.{name}", value) if isinstance(value, str | Mapping) else None
        )
        if field_error is not None:
            return field_error
    return FieldError(
        Text(zh=f"有内容无法留痕：{error}", en=f"a value cannot be kept in the journal: {error}")
    )


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
    """Return the fact of a record that `to_record` made. Raises: KeyError or TypeError when it holds none."""
    fields = dict(record)
    return FACTS[fields.pop("kind")](**fields)


@attrs.frozen
class _Shape:
    """Fields of one class of facts, with a function that reads them all at once."""

    names: tuple[str, ...]
    defaults: tuple[Any, ...]
    values: Callable[[Fact], tuple[Any, ...]]

    @classmethod
    def of(cls, kind: type[Fact]) -> _Shape:
        names = tuple(field.name for field in attrs.fields(kind))
        return cls(names, tuple(field.default for field in attrs.fields(kind)), attrgetter(*names))


_SHAPES = {kind: _Shape.of(kind) for kind in FACTS.values()}
