"""Cache of the instances that a process changed last on a server, so that it need not read them to change them again.

An entry is what reading would return, with the stamp of the row. It need not be current: a row of another stamp is
not changed (see postgres/bulk_statement.py).
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import NamedTuple

from svcflow.runtime.store import ChangeSet, LockedInstance

CAPACITY = 256
"""How many instances are cached, at most: idle ones shall take no memory."""


class CachedInstance(NamedTuple):
    """Instance as it was written, and the stamp of its row."""

    instance: LockedInstance
    stamp: str


class InstanceCache:
    """Cache of instances by id. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._cached: OrderedDict[str, CachedInstance] = OrderedDict()

    def take(self, instance: str) -> CachedInstance | None:
        """Remove and return an instance; None when it is not cached. Of several threads one gets it, the others read."""
        with self._lock:
            return self._cached.pop(instance, None)

    def put(self, locked: LockedInstance, change: ChangeSet, stamp: str) -> None:
        """Add the instance that a change leaves."""
        with self._lock:
            self._cached[change.instance.id] = CachedInstance(change.leaves(locked), stamp)
            if len(self._cached) > CAPACITY:
                self._cached.popitem(last=False)

    def clear(self) -> None:
        """Remove everything: no erased personal data may stay."""
        with self._lock:
            self._cached.clear()
