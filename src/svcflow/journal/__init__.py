"""The journal: canonical bytes, the hash chain, its verification."""

from svcflow.journal.canonical import from_bytes, to_bytes
from svcflow.journal.chain import GENESIS, Entry, chained, link, verified

__all__ = ["GENESIS", "Entry", "chained", "from_bytes", "link", "to_bytes", "verified"]
