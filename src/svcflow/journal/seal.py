"""Sealing: where each journal stood, as leaves of a tree, checked against a checkpoint kept elsewhere.

It reads no store: leaves and links are handed in. What was written after the checkpoint it cannot judge.
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
    """Say that the journal of an instance had `sequence` entries, the last with the link `head`."""

    instance: str
    sequence: int
    head: bytes

    def to_bytes(self) -> bytes:
        """Return the leaf as JSON in UTF-8, keys sorted, no spaces, the head in hex digits; this never changes."""
        return orjson.dumps({"head": self.head.hex(), "instance": self.instance, "sequence": self.sequence})


def verified_against(
    checkpoints: Iterable[Checkpoint], sealed: Iterable[tuple[Leaf, bytes | None]]
) -> Problems:
    """Check the leaves that a store keeps, and its journals, against checkpoints of it; return what is wrong.

    Each leaf comes with the link that its entry has now, None when there is no such entry. That the entries up
    to there fit their links is for `verified` to see. Each problem stands with its instance, or with the
    checkpoint's origin when it is about the leaves themselves; of an instance only the first.
    """
    tree = Frontier()
    wanted = tuple(checkpoints)
    roots = {0: tree.root}
    found: dict[str, CorruptJournal] = {}
    for leaf, link in sealed:
        tree = tree.extended((leaf.to_bytes(),))
        if link != leaf.head and leaf.instance not in found:
            found[leaf.instance] = differs(leaf.instance, leaf.sequence, lost=link is None)
        if any(tree.size == one.size for one in wanted):
            roots[tree.size] = tree.root
    return (
        *((one.origin, error) for one in wanted if (error := _of_leaves(one, tree.size, roots)) is not None),
        *found.items(),
    )


def differs(instance: str, sequence: int, *, lost: bool) -> CorruptJournal:
    """Return the error for a sealed entry that is not there any more, or is another one."""
    zh, en = ("已不存在", "is gone") if lost else ("已被改写", "is not the one that was sealed")
    message = Text(
        zh=f"实例 {instance} 已封存的第 {sequence} 条留痕{zh}",
        en=f"journal of {instance}: sealed entry {sequence} {en}",
    )
    return CorruptJournal(message, _REMEDY, table="svcflow_leaves", column="head", row=str(sequence))


def other_leaves(origin: str, kept: int, sealed: int) -> CorruptJournal:
    """Return the error for leaves that are not as many as were sealed."""
    message = Text(
        zh=f"{origin} 存有 {kept} 片叶子，最近一次封存的是 {sealed} 片",
        en=f"{origin} keeps {kept} leaves; {sealed} were sealed last",
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
