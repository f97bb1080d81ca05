"""The rows that a store keeps, as they are: verification compares them with what the journals lead to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from svcflow.errors import CorruptJournal
from svcflow.journal.seal import Leaf
from svcflow.kernel.instance import Instance, from_state, to_state
from svcflow.text import Text

Row = Sequence[Any]


class Columns(NamedTuple):
    """Columns of a table in the order in which its rows give them; the first `key` of them tell its rows apart."""

    names: tuple[str, ...]
    key: int


class InstanceRows(NamedTuple):
    """The rows of all tables that are about one instance, by table; the column with its id comes first in each."""

    instance: str
    tables: Mapping[str, Sequence[Row]]


class SealedLeaf(NamedTuple):
    """A leaf of the sealed tree with its place, and the link its entry has now; None when there is no such entry."""

    place: int
    leaf: Leaf
    link: bytes | None


class LastSeal(NamedTuple):
    """The last seal that a store keeps: the name of the store, and size, position and frontier of the tree."""

    origin: str
    size: int
    position: int
    frontier: bytes


def state_of(instance: Instance) -> bytes:
    """Return an instance as its row keeps it."""
    return orjson.dumps(to_state(instance))


def instance_of(state: bytes) -> Instance:
    """Return the instance that a row keeps. Raises: CorruptJournal when it keeps none."""
    try:
        return from_state(orjson.loads(state))
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        message = Text(
            zh=f"实例的记录无法读取：{error}", en=f"the record of an instance cannot be read: {error}"
        )
        raise CorruptJournal(message, table="svcflow_instances", column="state") from error
