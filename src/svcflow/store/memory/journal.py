"""Journal of one instance in memory, with the instance that it leads to.

Bytes, links, commitments and work are computed when they are first read: most journals in memory are never verified,
exported or delivered.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

from svcflow.journal.canonical import from_bytes
from svcflow.journal.chain import GENESIS, Entry, chained
from svcflow.journal.personal_data import NO_SECRETS, Commitments, Secrets
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import Fact
from svcflow.kernel.instance import Instance
from svcflow.kernel.lifecycle.work_items import Work, work_of
from svcflow.runtime.store import ChangeSet, Decision


class MemoryJournal:
    """Journal of one instance. One thread at a time appends to it; others may read meanwhile.

    `facts` may be ahead of the written entries. All unwritten ones were decided under one version of the procedure.
    """

    __slots__ = ("_compiled", "_entries", "_lock", "_secrets", "_work", "facts", "instance")

    def __init__(self, change: ChangeSet) -> None:
        self._lock = Lock()
        self.instance = change.instance
        self.facts: list[Fact] = []
        self._compiled: Compiled | None = None
        self._entries: list[Entry] = []
        self._secrets: Secrets = NO_SECRETS
        self._work: tuple[Instance | None, Sequence[Work]] = (None, ())
        self.append(change)

    def append_decision(self, decision: Decision) -> None:
        """Append facts that are yet to be written."""
        # facts before the instance: a thread that reads meanwhile finds all facts of the instance that it finds
        self.facts.extend(decision.facts)
        self._compiled = decision.compiled
        self.instance = decision.instance

    def append(self, change: ChangeSet) -> None:
        """Append written entries, and take over what is stored beside them."""
        work = change.work if change.work is not None else self.work()
        with self._lock:
            self.facts.extend(entry.fact for entry in change.entries)
            self._entries.extend(change.entries)
            if change.secrets is not None:
                self._secrets = change.secrets
            self.instance = change.instance
            self._work = (change.instance, work)
            if change.forgotten:
                self._forget()

    @property
    def head(self) -> bytes:
        """The link of the last entry."""
        return self.entries()[self.instance.sequence - 1].link

    @property
    def secrets(self) -> Secrets:
        """The personal data kept beside the journal."""
        self.entries()
        return self._secrets

    def entries(self) -> Sequence[Entry]:
        """Return all entries, in order."""
        if len(self._entries) < len(self.facts):
            with self._lock:
                self._write()
        return self._entries

    def bodies(self) -> Sequence[bytes]:
        """Return the canonical bytes of the entries, in order."""
        return [entry.body for entry in self.entries()]

    def work(self) -> Sequence[Work]:
        """Return the work of the instance."""
        instance, (computed_for, work) = self.instance, self._work
        if computed_for is not instance and self._compiled is not None:
            work = work_of(self._compiled, instance)
            self._work = (instance, work)
        return work

    def _write(self) -> None:
        unwritten = self.facts[len(self._entries) :]
        if unwritten and self._compiled is not None:
            commitments = Commitments(self._secrets, self._compiled.personal, self.instance.recipient)
            head = self._entries[-1].link if self._entries else GENESIS
            entries = chained(head, unwritten, commitments)
            # before the entries: a thread that finds them finds what they commit to
            self._secrets = commitments.all_secrets()
            self._entries.extend(entries)

    def _forget(self) -> None:
        """Read all facts anew, without the personal data that was erased."""
        commitments = Commitments(self._secrets)
        self._entries = [entry._replace(fact=from_bytes(entry.body, commitments)) for entry in self._entries]
        self.facts = [entry.fact for entry in self._entries]
