"""Sealing: where each journal stood, as leaves of a tree, checked against a checkpoint kept elsewhere.

It reads no store: leaves and links are handed in. What was written after the checkpoint it cannot judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import NamedTuple

import orjson

from svcflow.errors import CorruptJournal
from svcflow.journal.checkpoint import Checkpoint
from svcflow.journal.merkle import Frontier
from svcflow.text import Text

LinkAt = Callable[[str, int], bytes | None]
Problems = tuple[tuple[str, CorruptJournal], ...]


class Leaf(NamedTuple):
    """Say that the journal of an instance had `sequence` entries, the last with the link `head`."""

    instance: str
    sequence: int
    head: bytes

    def to_bytes(self) -> bytes:
        """Return the leaf as JSON in UTF-8, keys sorted, no spaces, the head in hex digits; this never changes."""
        return orjson.dumps({"head": self.head.hex(), "instance": self.instance, "sequence": self.sequence})


def verified_against(checkpoint: Checkpoint, leaves: Iterable[Leaf], link_at: LinkAt) -> Problems:
    """Check the leaves that a store keeps, and its journals, against a checkpoint; return what is wrong.

    `link_at` gives the link of an entry by instance and sequence, None when there is no such entry. That the
    entries up to there fit their links is for `verified` to see. Each problem stands with its instance, or
    with the checkpoint's origin when it is about the leaves themselves; of an instance only the first.
    """
    tree = Frontier()
    found: dict[str, CorruptJournal] = {}
    for leaf in islice(leaves, checkpoint.size):
        tree = tree.extended((leaf.to_bytes(),))
        kept = None if leaf.instance in found else link_at(leaf.instance, leaf.sequence)
        if kept != leaf.head:
            found.setdefault(leaf.instance, _differs(leaf, lost=kept is None))
    return (*_of_leaves(checkpoint, tree), *found.items())


def _of_leaves(checkpoint: Checkpoint, tree: Frontier) -> Problems:
    if tree.size < checkpoint.size:
        message = Text(
            zh=f"{checkpoint.origin} 只有 {tree.size} 片叶子，检查点封存了 {checkpoint.size} 片",
            en=f"{checkpoint.origin} keeps {tree.size} leaves; the checkpoint sealed {checkpoint.size}",
        )
    elif tree.root != checkpoint.root:
        message = Text(
            zh=f"{checkpoint.origin} 的 {tree.size} 片叶子不是检查点所封存的",
            en=f"the {tree.size} leaves of {checkpoint.origin} are not those that the checkpoint sealed",
        )
    else:
        return ()
    return ((checkpoint.origin, CorruptJournal(message, _REMEDY)),)


def _differs(leaf: Leaf, *, lost: bool) -> CorruptJournal:
    zh, en = ("已不存在", "is gone") if lost else ("已被改写", "is not the one that was sealed")
    message = Text(
        zh=f"实例 {leaf.instance} 已封存的第 {leaf.sequence} 条留痕{zh}",
        en=f"journal of {leaf.instance}: sealed entry {leaf.sequence} {en}",
    )
    return CorruptJournal(message, _REMEDY)


_REMEDY = Text(
    zh="从备份恢复，并查明是谁改动了存储",
    en="restore the store from a backup, and find out who changed it",
)
