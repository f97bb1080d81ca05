"""Journals: canonical bytes, the hash chain, personal data beside it, and seals that show what a chain cannot."""

from svcflow.journal.canonical import from_bytes, to_bytes
from svcflow.journal.chain import GENESIS, Entry, chained, link, verified
from svcflow.journal.checkpoint import Checkpoint
from svcflow.journal.merkle import Frontier
from svcflow.journal.seal import Leaf, verified_against

__all__ = [
    "GENESIS",
    "Checkpoint",
    "Entry",
    "Frontier",
    "Leaf",
    "chained",
    "from_bytes",
    "link",
    "to_bytes",
    "verified",
    "verified_against",
]
