"""Canonical bytes of a fact: the same fact gives the same bytes on every machine and in every version."""

from __future__ import annotations

import json
from typing import Any

from svcflow.errors import CorruptJournal
from svcflow.kernel.facts import Fact, from_record, to_record
from svcflow.text import Text

_ENCODE = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def to_bytes(fact: Fact) -> bytes:
    """Return the fact as JSON in UTF-8: keys sorted, no spaces, fields at their default left out."""
    return _ENCODE(to_record(fact)).encode()


def from_bytes(body: bytes) -> Fact:
    """Return the fact that `to_bytes` wrote. Raises: CorruptJournal when the bytes hold none."""
    try:
        record: Any = json.loads(body)
        return from_record(record)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = Text(zh=f"留痕无法读取：{error}", en=f"an entry of the journal cannot be read: {error}")
        raise CorruptJournal(message) from error
