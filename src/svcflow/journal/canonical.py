"""Canonical bytes of a fact: the same fact gives the same bytes on every machine and in every version."""

from __future__ import annotations

from typing import Any

import orjson

from svcflow.errors import CorruptJournal, FieldError
from svcflow.kernel.facts import Fact, from_record, to_record
from svcflow.text import Text


def to_bytes(fact: Fact) -> bytes:
    """Return the fact as JSON in UTF-8: keys sorted, no spaces, fields at their default left out.

    Raises: FieldError when a value has no JSON form (a text that is no Unicode, a number over 64 bits).
    """
    try:
        return orjson.dumps(to_record(fact), option=orjson.OPT_SORT_KEYS)
    except TypeError as error:
        message = Text(zh=f"有内容无法留痕：{error}", en=f"a value cannot be kept in the journal: {error}")
        raise FieldError(message) from None


def from_bytes(body: bytes) -> Fact:
    """Return the fact that `to_bytes` wrote. Raises: CorruptJournal when the bytes hold none."""
    try:
        record: Any = orjson.loads(body)
        return from_record(record)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = Text(zh=f"留痕无法读取：{error}", en=f"an entry of the journal cannot be read: {error}")
        raise CorruptJournal(message) from error
