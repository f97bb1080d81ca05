"""Seals: heads of journals as leaves of a Merkle tree, checked against checkpoints kept elsewhere.

A checkpoint says nothing about what was written after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import orjson

from svcflow.errors import CorruptJournal
from svcflow.journal.checkpoint import Checkpoint
from svcflow.journal.merkle import Frontier
from svcflow.text import Text

Problems = tuple[tuple[str, CorruptJournal], ...]


class Leaf(NamedTuple):
    """Leaf of the sealed tree: the journal of an instance had `sequence` entries, the last with the link `head`."""

    instance: str
    sequence: int
    head: bytes

    def to_bytes(self) -> bytes:
        """Return the leaf as JSON in UTF-8, keys sorted, no spaces, the head in hex digits; this never changes."""
        return orjson.dumps({"head": self.head.hex(), "instance": self.instance, "sequence": self.sequence})


def verified_against(
    checkpoints: Iterable[Checkpoint], sealed: Iterable[tuple[Leaf, bytes | None]]
) -> Problems:
    """Check the leaves and journals of a store against its checkpoints; return what is wrong.

    Each leaf comes with the link that its entry has now, None when there is no such entry; `chain.verified` checks that
    link. Each problem comes with its instance, or with the checkpoint's origin when it is about the leaves themselves; of
    an instance only the first.
    """
    tree = Frontier()
    all_checkpoints = tuple(checkpoints)
    roots = {0: tree.root}
    problems: dict[str, CorruptJournal] = {}
    for leaf, link in sealed:
        tree = tree.extended((leaf.to_bytes(),))
        if link != leaf.head and leaf.instance not in problems:
            problems[leaf.instance] = altered_entry(leaf.instance, leaf.sequence, lost=link is None)
        if any(tree.size == checkpoint.size for checkpoint in all_checkpoints):
            roots[tree.size] = tree.root
    return (
        *(
            (checkpoint.origin, error)
            for checkpoint in all_checkpoints
            if (error := _of_leaves(checkpoint, tree.size, roots)) is not None
        ),
        *problems.items(),
    )


def altered_entry(instance: str, sequence: int, *, lost: bool) -> CorruptJournal:
    """Return the error for a sealed entry that is gone (`lost`), or was replaced."""
    zh, en = ("已不存在", "is gone") if lost else ("已被改写", "is not the one that was sealed")
    message = Text(
        zh=f"实例 {instance} 已封存的第 {sequence} 条留痕{zh}",
        en=f"journal of {instance}: sealed entry {sequence} {en}",
    )
    return CorruptJournal(message, _REMEDY, table="svcflow_leaves", column="head", row=str(sequence))


def wrong_leaf_count(origin: str, count: int, sealed: int) -> CorruptJournal:
    """Return the error for a store with more or fewer leaves than were sealed."""
    message = Text(
        zh=f"{origin} 存有 {count} 片叶子，最近一次封存的是 {sealed} 片",
        en=f"{origin} keeps {count} leaves; {sealed} were sealed last",
    )
    return CorruptJournal(message, _REMEDY, table="svcflow_leaves", column="place")


def _of_leaves(checkpoint: Checkpoint, size: int, roots: Mapping[int, bytes]) -> CorruptJournal | None:
    if size < checkpoint.size:
        message = Text(
            zh=f"{checkpoint.origin} 只有 {size} 片叶子，检查点封存了 {checkpoint.size} 片",
            en=f"{checkpoint.origin} keeps {size} leaves; the checkpoint sealed {checkpoint.size}",
        )
    elif roots[checkpoint.size] != checkpoint.root:
        message = Text(
            zh=f"{checkpoint.origin} 的 {checkpoint.size} 片叶子不是检查点所封存的",
            en=f"the {checkpoint.size} leaves of {checkpoint.origin} are not those that the checkpoint sealed",
        )
    else:
        return None
    return CorruptJournal(message, _REMEDY, table="svcflow_leaves")


_REMEDY = Text(
    zh="从备份恢复，并查明是谁改动了存储",
    en="restore the store from a backup, and find out who changed it",
)
