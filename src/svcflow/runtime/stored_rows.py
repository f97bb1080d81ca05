"""Rows as they stand in a store, for verification against the journals."""

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
    """Names of a table's columns, in the order of its rows; the first `key` of them are the primary key."""

    names: tuple[str, ...]
    key: int


class InstanceRows(NamedTuple):
    """The rows about one instance, by table; the first column of each holds its id."""

    instance: str
    tables: Mapping[str, Sequence[Row]]


class SealedLeaf(NamedTuple):
    """A leaf of the sealed tree with its index, and the present link of its entry; None when the entry is gone."""

    place: int
    leaf: Leaf
    link: bytes | None


class LastSeal(NamedTuple):
    """The last seal of a store: the origin of its checkpoints, and size, position and frontier of the tree."""

    origin: str
    size: int
    position: int
    frontier: bytes


def state_of(instance: Instance) -> bytes:
    """Return the state of an instance as its row stores it."""
    return orjson.dumps(to_state(instance))


def instance_of(state: bytes) -> Instance:
    """Return the instance of a stored state. Raises: CorruptJournal when the state cannot be read."""
    try:
        return from_state(orjson.loads(state))
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        message = Text(
            zh=f"实例的记录无法读取：{error}", en=f"the record of an instance cannot be read: {error}"
        )
        raise CorruptJournal(message, table="svcflow_instances", column="state") from error
