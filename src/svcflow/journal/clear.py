"""What stands in the clear in a journal though a version of the procedure says that it is personal.

A field that becomes personal in a later version was written down as it was before; the chain binds those
bytes, so they cannot be erased. It only finds them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import orjson

from svcflow.journal.personal import Secrets, persons_in


def exposed(bodies: Iterable[bytes], fields: Collection[str]) -> frozenset[str]:
    """Return which of the fields have values in the clear."""
    return frozenset(name for body in bodies for name in _clear(orjson.loads(body), fields))


def count_exposed(
    bodies: Iterable[bytes], fields: Collection[str], served: str, secrets: Secrets, person: str
) -> int:
    """Count the entries that hold fields of a person in the clear.

    They are about the person served, or, where nobody is, about whoever wrote them down.
    """
    records = [orjson.loads(body) for body in bodies] if fields else []
    own = (one for one in records if served == person or (not served and _wrote(one, secrets, person)))
    return sum(any(_clear(record, fields)) for record in own)


def count_named(bodies: Iterable[bytes], person: str) -> int:
    """Count the entries that name a person in the clear, as those written before there were commitments do."""
    written = orjson.dumps(person)
    return sum(person in persons_in(orjson.loads(body)) for body in bodies if written in body)


def _clear(record: dict[str, Any], fields: Collection[str]) -> Iterator[str]:
    """Yield the fields of an entry that are no commitments; those of an anchor that was moved, too."""
    data = record.get("data") or {}
    yield from (name for name in fields if data.get(name) is not None and type(data[name]) is not dict)
    if record.get("field") in fields:
        yield record["field"]


def _wrote(record: dict[str, Any], secrets: Secrets, person: str) -> bool:
    secret = secrets.get(record.get("actor", ""))
    return secret is not None and secret.person == person
