"""The instances that a process changed last on a server, so that it need not read them again to change them.

What is remembered is what reading would have found, with the stamp of the row it was written as. It is taken on
trust until it is kept: a row of another stamp is not changed. It knows no connection and decides nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import NamedTuple

from svcflow.runtime.store import ChangeSet, LockedInstance

CAPACITY = 256
"""How many instances are remembered: idle ones shall take no memory."""


class CachedInstance(NamedTuple):
    """An instance as it was written, and the stamp of its row."""

    found: LockedInstance
    stamp: str


class InstanceCache:
    """Remember instances. Safe to use from several threads: whoever takes one has it alone."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[str, CachedInstance] = OrderedDict()

    def take(self, instance: str) -> CachedInstance | None:
        """Return what is remembered of an instance, and forget it: the next one reads, unless it is put back."""
        with self._lock:
            return self._kept.pop(instance, None)

    def put(self, found: LockedInstance, change: ChangeSet, stamp: str) -> None:
        """Remember what a change has left of what was found."""
        with self._lock:
            self._kept[change.instance.id] = CachedInstance(change.leaves(found), stamp)
            if len(self._kept) > CAPACITY:
                self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forget everything: of what is erased nothing may stay."""
        with self._lock:
            self._kept.clear()
