"""Merkle tree of RFC 6962: one hash over many leaves, which are bytes, and short proofs about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from hashlib import sha256

import attrs

from svcflow.errors import CorruptJournal
from svcflow.text import Text

Proof = tuple[bytes, ...]

HASH_BYTES = 32
_SIZE_BYTES = 8


@attrs.frozen
class Frontier:
    """Frontier of a growing tree: its size and the roots of its full subtrees, largest first.

    That is all that is needed to append leaves. A tree of n leaves has as many full subtrees as n has ones in binary, so
    at most 64.

    >>> Frontier().extended([b"a", b"b"]).extended([b"c"]).root == root_of([b"a", b"b", b"c"])
    True
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def extended(self, leaves: Iterable[bytes]) -> Frontier:
        """Return the tree with further leaves at its end."""
        size, peaks = self.size, list(self.peaks)
        for leaf in leaves:
            # leaf and inner node begin with different bytes (RFC 6962 §2.1), or one could be passed off as the other
            node, rest = sha256(b"\x00" + leaf).digest(), size
            while rest & 1:  # as adding one to a binary number carries: two subtrees of one size become one
                node = sha256(b"\x01" + peaks.pop() + node).digest()
                rest >>= 1
            peaks.append(node)
            size += 1
        return Frontier(size, tuple(peaks))

    @property
    def root(self) -> bytes:
        """The hash of the whole tree."""
        if not self.peaks:
            return EMPTY
        return reduce(lambda right, left: _node(left, right), reversed(self.peaks))

    def to_bytes(self) -> bytes:
        """Return the size as eight bytes, big-endian, followed by the roots."""
        return self.size.to_bytes(_SIZE_BYTES, "big") + b"".join(self.peaks)

    @classmethod
    def from_bytes(cls, stored: bytes) -> Frontier:
        """Return the frontier that `to_bytes` wrote. Raises: CorruptJournal when size and roots do not agree."""
        size = int.from_bytes(stored[:_SIZE_BYTES], "big")
        if len(stored) != _SIZE_BYTES + HASH_BYTES * size.bit_count():
            message = Text(
                zh=f"封存树的前沿有 {len(stored)} 字节，与其 {size} 片叶子不符",
                en=f"the frontier of the sealed tree has {len(stored)} bytes, which do not fit its {size} leaves",
            )
            raise CorruptJournal(message, Text(zh="由叶子重算", en="compute it again from the leaves"))
        places = range(_SIZE_BYTES, len(stored), HASH_BYTES)
        return cls(size, tuple(stored[place : place + HASH_BYTES] for place in places))


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the root computed from all leaves, by the definition of RFC 6962 §2.1."""
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    half = _half(len(leaves))
    return _node(root_of(leaves[:half]), root_of(leaves[half:]))


def inclusion_proof(leaves: Sequence[bytes], index: int) -> Proof:
    """Return the hashes that lead from one leaf to the root (RFC 6962 §2.1.1).

    Raises: ValueError when there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise ValueError(f"there is no leaf {index} among {len(leaves)}")
    if len(leaves) == 1:
        return ()
    half = _half(len(leaves))
    if index < half:
        return (*inclusion_proof(leaves[:half], index), root_of(leaves[half:]))
    return (*inclusion_proof(leaves[half:], index - half), root_of(leaves[:half]))


def includes(root: bytes, size: int, *, index: int, leaf: bytes, proof: Sequence[bytes]) -> bool:
    """Return whether a proof shows that the tree of this root and size has this leaf at `index`."""
    if not 0 <= index < size:
        return False
    return _root_by_inclusion(sha256(b"\x00" + leaf).digest(), index, size, proof) == root


def consistency_proof(leaves: Sequence[bytes], before: int) -> Proof:
    """Return the hashes that show the first `before` leaves to be unchanged (RFC 6962 §2.1.2).

    Raises: ValueError when there were never so many leaves.
    """
    if not 0 <= before <= len(leaves):
        raise ValueError(f"{before} leaves cannot have become {len(leaves)}")
    return _subtree_proof(leaves, before, known=True) if before else ()


def continues(
    root: bytes, size: int, *, before_root: bytes, before_size: int, proof: Sequence[bytes]
) -> bool:
    """Return whether a proof shows that the tree of `root` only appended leaves to that of `before_root`."""
    if not 0 <= before_size <= size:
        return False
    if before_size == 0:
        return before_root == EMPTY and not proof
    return _roots_by_consistency(before_root, before_size, size, proof, known=True) == (before_root, root)


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def _half(size: int) -> int:
    """Return the largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def _root_by_inclusion(node: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """Return the root that a proof leads to; None when it has too few or too many hashes."""
    if size == 1 or not proof:
        return None if size > 1 or proof else node
    half = _half(size)
    if index < half:
        left = _root_by_inclusion(node, index, half, proof[:-1])
        return None if left is None else _node(left, proof[-1])
    right = _root_by_inclusion(node, index - half, size - half, proof[:-1])
    return None if right is None else _node(proof[-1], right)


def _subtree_proof(leaves: Sequence[bytes], before: int, *, known: bool) -> Proof:
    """Return the proof for a subtree; the root of one that is wholly `before` is left out where it is known."""
    if before == len(leaves):
        return () if known else (root_of(leaves),)
    half = _half(len(leaves))
    if before <= half:
        return (*_subtree_proof(leaves[:half], before, known=known), root_of(leaves[half:]))
    return (*_subtree_proof(leaves[half:], before - half, known=False), root_of(leaves[:half]))


def _roots_by_consistency(
    before_root: bytes, before: int, size: int, proof: Sequence[bytes], *, known: bool
) -> tuple[bytes, bytes] | None:
    """Return the former and the present root that a proof leads to; None when its length is wrong."""
    if before == size:
        own = (before_root,) if known else proof
        return (own[0], own[0]) if len(own) == 1 and not (known and proof) else None
    if not proof:
        return None
    half, last = _half(size), proof[-1]
    if before <= half:
        roots = _roots_by_consistency(before_root, before, half, proof[:-1], known=known)
        return None if roots is None else (roots[0], _node(roots[1], last))
    roots = _roots_by_consistency(before_root, before - half, size - half, proof[:-1], known=False)
    return None if roots is None else (_node(last, roots[0]), _node(last, roots[1]))


EMPTY = sha256(b"").digest()
"""The root of a tree without leaves."""
