"""Hash chain of one instance's journal: h(i) = SHA-256(h(i-1) ‖ canonical bytes), h(0) = 32 zero bytes.

It shows that an entry was changed, inserted, removed or moved. It cannot show that the tail was cut off or that the whole
chain was written anew; for that, heads must be kept elsewhere (see seal.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple

from svcflow.errors import CorruptJournal
from svcflow.journal.canonical import from_bytes, to_bytes
from svcflow.journal.personal_data import Commitments, Secrets, verify_secrets
from svcflow.kernel.facts import Fact
from svcflow.text import Text

GENESIS = bytes(32)


class Entry(NamedTuple):
    """Entry of a journal: a fact, its canonical bytes and its link."""

    fact: Fact
    body: bytes
    link: bytes


def link(previous: bytes, body: bytes) -> bytes:
    """Return the link of an entry from that of the entry before it."""
    return sha256(previous + body).digest()


def chained(
    previous: bytes, facts: Iterable[Fact], commitments: Commitments | None = None
) -> tuple[Entry, ...]:
    """Return the facts as entries that continue a chain; `commitments` takes their personal data."""
    entries = []
    for fact in facts:
        body = to_bytes(fact, commitments)
        previous = sha256(previous + body).digest()  # `link`, without the call
        entries.append(Entry(fact, body, previous))
    return tuple(entries)


def verified(
    instance: str, rows: Iterable[tuple[bytes, bytes]], head: bytes, secrets: Secrets | None = None
) -> Iterator[Fact]:
    """Yield the facts of a journal stored as (body, link), checking every link, number, commitment and the head.

    Raises: CorruptJournal naming the instance and the first entry that does not fit.
    """
    previous, sequence = GENESIS, 0
    commitments = None if secrets is None else Commitments(secrets)
    verify_secrets(instance, secrets or {})
    for body, stored_link in rows:
        sequence += 1
        if not isinstance(body, bytes) or link(previous, body) != stored_link:
            raise _broken(instance, sequence, "哈希链不符", "does not fit its hash", "link")
        fact = _read(sequence, body, commitments)
        if commitments is not None and commitments.missing:
            raise _broken(
                instance, sequence, "的个人信息缺失", "lacks the personal data it is committed to", "secrets"
            )
        if fact.instance != instance or fact.sequence != sequence:
            raise _broken(instance, sequence, "序号或实例不符", "has a wrong number or instance", "body")
        previous = stored_link
        yield fact
    if previous != head:
        raise _broken(
            instance, sequence, "末尾与实例记录不符", "is not the last one that the instance records", "head"
        )


def _read(sequence: int, body: bytes, commitments: Commitments | None) -> Fact:
    try:
        return from_bytes(body, commitments)
    except CorruptJournal as error:
        error.table, error.column, error.row = "svcflow_facts", "body", str(sequence)
        raise


def _broken(instance: str, sequence: int, zh: str, en: str, column: str) -> CorruptJournal:
    """Return the error for an entry, located in its own row, or for head and secrets in that of the instance."""
    of_instance = column in ("head", "secrets")
    return CorruptJournal(
        Text(
            zh=f"实例 {instance} 第 {sequence} 条留痕{zh}", en=f"journal of {instance}: entry {sequence} {en}"
        ),
        Text(
            zh="从备份恢复，并查明是谁改动了存储",
            en="restore it from a backup, and find out who changed the store",
        ),
        table="svcflow_instances" if of_instance else "svcflow_facts",
        column=column,
        row="" if of_instance else str(sequence),
    )
