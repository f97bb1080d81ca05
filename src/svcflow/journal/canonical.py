"""Canonical bytes of a fact: the same fact gives the same bytes on every machine and in every version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from svcflow.errors import CorruptJournal, FieldError
from svcflow.journal.personal_data import Commitments
from svcflow.kernel.fact_records import from_record, to_record
from svcflow.kernel.facts import Fact
from svcflow.kernel.storable import misfit
from svcflow.text import Text


def to_bytes(fact: Fact, book: Commitments | None = None) -> bytes:
    """Return the fact as JSON in UTF-8: keys sorted, no spaces, fields at their default left out.

    With a book, commitments stand where personal data would.

    Raises: FieldError when a value has no JSON form (a text that is no Unicode, a number over 64 bits).
    """
    try:
        record = to_record(fact)
        if book is not None:
            book.veil(record)
        return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
    except TypeError as error:
        raise _unwritable(fact, error) from None


def from_bytes(body: bytes, book: Commitments | None = None) -> Fact:
    """Return the fact that `to_bytes` wrote. Raises: CorruptJournal when the bytes hold none."""
    try:
        record: Any = orjson.loads(body)
        if book is not None:
            book.reveal(record)
        return from_record(record)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = Text(zh=f"留痕无法读取：{error}", en=f"an entry of the journal cannot be read: {error}")
        raise CorruptJournal(message) from error


def _unwritable(fact: Fact, error: TypeError) -> FieldError:
    """Return the error that names the part of a fact that has no JSON form."""
    for name, value in to_record(fact).items():
        found = misfit(f"{fact.kind}.{name}", value) if isinstance(value, str | Mapping) else None
        if found is not None:
            return found
    return FieldError(
        Text(zh=f"有内容无法留痕：{error}", en=f"a value cannot be kept in the journal: {error}")
    )
