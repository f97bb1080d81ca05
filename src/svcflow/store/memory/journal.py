"""The journal of one instance in memory, with the instance that it leads to.

Bytes, links, commitments and work are made when somebody asks for them: most journals in memory are never verified,
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
    """Journal of one instance. One thread at a time adds to it; others may read meanwhile.

    `facts` may be ahead of what is written. What is not written yet was decided under one version of the procedure.
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
        self.keep(change)

    def add(self, decision: Decision) -> None:
        """Go on with facts that are yet to be written."""
        # facts before the instance: whoever reads meanwhile finds the facts of the instance that they find
        self.facts.extend(decision.facts)
        self._compiled = decision.compiled
        self.instance = decision.instance

    def keep(self, change: ChangeSet) -> None:
        """Go on with entries that are written, and with what stands beside them."""
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
        instance, (told_of, work) = self.instance, self._work
        if told_of is not instance and self._compiled is not None:
            work = work_of(self._compiled, instance)
            self._work = (instance, work)
        return work

    def _write(self) -> None:
        unwritten = self.facts[len(self._entries) :]
        if unwritten and self._compiled is not None:
            book = Commitments(self._secrets, self._compiled.personal, self.instance.recipient)
            head = self._entries[-1].link if self._entries else GENESIS
            entries = chained(head, unwritten, book)
            # before the entries: whoever finds them finds what they commit to
            self._secrets = book.all_secrets()
            self._entries.extend(entries)

    def _forget(self) -> None:
        """Leave no facts that know more than what is kept beside the journal."""
        book = Commitments(self._secrets)
        self._entries = [entry._replace(fact=from_bytes(entry.body, book)) for entry in self._entries]
        self.facts = [entry.fact for entry in self._entries]
