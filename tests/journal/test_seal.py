"""What a hash chain cannot show is shown by a checkpoint that was kept elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import attrs
import pytest

from svcflow.errors import CorruptJournal
from svcflow.journal import GENESIS, Checkpoint, Frontier, Leaf, chained, verified, verified_against
from svcflow.journal.merkle import root_of
from svcflow.kernel.facts import Fact, Moved, Started

Journals = dict[str, list[bytes]]
"""The links of each instance's journal, as a store keeps them."""


def facts(name: str, count: int, by: str = "li") -> list[Fact]:
    started = Started(name, 1, 10, 10, by, "repair", 1, "a")
    return [started, *(Moved(name, n, 10 * n, 10 * n, by, "a", "go", "a") for n in range(2, count + 1))]


def links(name: str, count: int, by: str = "li") -> list[bytes]:
    return [entry.link for entry in chained(GENESIS, facts(name, count, by))]


def leaf(journals: Journals, name: str, sequence: int) -> Leaf:
    return Leaf(name, sequence, journals[name][sequence - 1])


def sealed(leaves: list[Leaf]) -> Checkpoint:
    return Checkpoint("hall-3", len(leaves), root_of([one.to_bytes() for one in leaves]), 1_000)


def found(checkpoint: Checkpoint, leaves: list[Leaf], journals: Journals) -> list[tuple[str, str]]:
    """What is found wrong, as (name, English message without the remedy)."""

    def link_at(name: str, sequence: int) -> bytes | None:
        journal = journals.get(name, [])
        return journal[sequence - 1] if sequence <= len(journal) else None

    problems = verified_against([checkpoint], ((one, link_at(one.instance, one.sequence)) for one in leaves))
    assert all(isinstance(error, CorruptJournal) and error.remedy for _, error in problems)
    assert all(error.message.zh and error.remedy.zh for _, error in problems)
    return [(name, error.message.en) for name, error in problems]


JOURNALS = {"r1": links("r1", 6), "r2": links("r2", 3), "三楼": links("三楼", 2)}
LEAVES = [
    leaf(JOURNALS, "r1", 2), leaf(JOURNALS, "r2", 3), leaf(JOURNALS, "r1", 4), leaf(JOURNALS, "三楼", 2),
    leaf(JOURNALS, "r1", 5),
]  # fmt: skip
SEALED = sealed(LEAVES)
REWRITTEN = ("hall-3", "the 5 leaves of hall-3 are not those that the checkpoint sealed")


def test_an_untouched_store_agrees_with_its_checkpoint():
    """Nothing is found, also when entries and leaves have been added since."""
    grown = JOURNALS | {"r9": links("r9", 4)}
    assert found(SEALED, LEAVES, JOURNALS) == []
    assert found(SEALED, [*LEAVES, leaf(grown, "r9", 3), leaf(grown, "r1", 6)], grown) == []
    assert found(sealed([]), [], {}) == []


def test_the_bytes_of_a_leaf_are_sorted_json():
    """Anybody can compute root and leaf without this library; these bytes never change."""
    one = Leaf("三楼", 2, bytes(range(32)))
    text = f'{{"head":"{bytes(range(32)).hex()}","instance":"三楼","sequence":2}}'
    assert one.to_bytes() == text.encode()
    assert Frontier().extended([one.to_bytes()]).root == sha256(b"\x00" + text.encode()).digest()


def flipped(one: Leaf) -> Iterator[Leaf]:
    """The leaf with each one of its bits the other way round."""
    for place in range(len(one.head) * 8):
        head = bytearray(one.head)
        head[place // 8] ^= 1 << place % 8
        yield one._replace(head=bytes(head))
    for bit in range(16):
        yield one._replace(sequence=one.sequence ^ 1 << bit)
    for place, letter in enumerate(one.instance):
        for bit in range(7):
            other = one.instance[:place] + chr(ord(letter) ^ 1 << bit) + one.instance[place + 1 :]
            yield one._replace(instance=other)


def test_every_flipped_bit_of_a_leaf_is_found():
    """Whichever bit of whichever leaf: the root is another one."""
    missed, count = [], 0
    for place, one in enumerate(LEAVES):
        for other in flipped(one):
            count += 1
            if REWRITTEN not in found(SEALED, [*LEAVES[:place], other, *LEAVES[place + 1 :]], JOURNALS):
                missed.append((place, other))
    assert missed == []
    assert count > 5 * 8 * 32


def test_every_flipped_bit_of_a_sealed_link_is_found():
    """Whichever bit of whichever link that was sealed: the journal is named, with its entry."""
    for one in LEAVES:
        for other in flipped(one):
            if other.head != one.head:
                journal = list(JOURNALS[one.instance])
                journal[one.sequence - 1] = other.head
                said = (
                    f"journal of {one.instance}: sealed entry {one.sequence} is not the one that was sealed"
                )
                assert found(SEALED, LEAVES, JOURNALS | {one.instance: journal}) == [(one.instance, said)]


@pytest.mark.parametrize("place", range(5))
def test_a_deleted_leaf_is_found(place):
    """One fewer than sealed, wherever it stood."""
    said = ("hall-3", "hall-3 keeps 4 leaves; the checkpoint sealed 5")
    assert said in found(SEALED, LEAVES[:place] + LEAVES[place + 1 :], JOURNALS)


@pytest.mark.parametrize("place", range(5))
def test_a_leaf_exchanged_for_a_later_one_is_found(place):
    """Deleted here and made up for at the end: the count is right, the root is not."""
    leaves = [*LEAVES[:place], *LEAVES[place + 1 :], leaf(JOURNALS, "r1", 6)]
    assert REWRITTEN in found(SEALED, leaves, JOURNALS)


@pytest.mark.parametrize("place", range(5))
def test_an_inserted_leaf_is_found(place):
    """A true one, a double one, among what was sealed."""
    for one in (leaf(JOURNALS, "r1", 1), LEAVES[0]):
        assert REWRITTEN in found(SEALED, [*LEAVES[:place], one, *LEAVES[place:]], JOURNALS)


@pytest.mark.parametrize(("one", "other"), [(a, b) for a in range(5) for b in range(a)])
def test_swapped_leaves_are_found(one, other):
    """Any two in each other's place."""
    leaves = list(LEAVES)
    leaves[one], leaves[other] = leaves[other], leaves[one]
    assert REWRITTEN in found(SEALED, leaves, JOURNALS)


@pytest.mark.parametrize(("kept", "entry"), [(0, 2), (1, 2), (2, 4), (3, 4), (4, 5), (5, None)])
def test_a_cut_tail_is_found_up_to_what_was_sealed(kept, entry):
    """The first sealed entry that is gone is named; entry 6 was never sealed, and is not missed."""
    cut = JOURNALS | {"r1": JOURNALS["r1"][:kept]}
    list(
        verified("r1", _rows("r1", kept), ([GENESIS, *JOURNALS["r1"]])[kept])
    )  # the chain itself sees nothing
    expected = [("r1", f"journal of r1: sealed entry {entry} is gone")] if entry else []
    assert found(SEALED, LEAVES, cut) == expected


def _rows(name: str, count: int) -> list[tuple[bytes, bytes]]:
    return [(entry.body, entry.link) for entry in chained(GENESIS, facts(name, 6))[:count]]


def test_deleted_instances_are_found():
    """All of them are named, once each."""
    assert [name for name, _ in found(SEALED, LEAVES, {})] == ["r1", "r2", "三楼"]


def rewritten(name: str) -> Journals:
    return JOURNALS | {name: links(name, len(JOURNALS[name]), by="zhang")}


@pytest.mark.parametrize("name", sorted(JOURNALS))
def test_a_chain_written_anew_is_found(name):
    """Every fact, link and head made to fit: the chain verifies, the checkpoint does not."""
    entries = chained(GENESIS, facts(name, 6, "zhang"))
    list(verified(name, [(one.body, one.link) for one in entries], entries[-1].link))
    first = next(one.sequence for one in LEAVES if one.instance == name)
    said = f"journal of {name}: sealed entry {first} is not the one that was sealed"
    assert found(SEALED, LEAVES, rewritten(name)) == [(name, said)]


@pytest.mark.parametrize("name", sorted(JOURNALS))
def test_a_chain_written_anew_together_with_its_leaves_is_found(name):
    """Leaves made to fit the forged journal do not fit the checkpoint."""
    forged = rewritten(name)
    leaves = [leaf(forged, one.instance, one.sequence) for one in LEAVES]
    assert found(SEALED, leaves, forged) == [REWRITTEN]


@pytest.mark.parametrize("back", range(5))
def test_a_whole_store_set_back_to_an_older_state_is_found(back):
    """An old backup put in its place is whole in itself, and too short."""
    leaves = LEAVES[:back]
    sealed_up_to = {one.instance: one.sequence for one in leaves}
    journals = {name: kept[: sealed_up_to.get(name, 0)] for name, kept in JOURNALS.items()}
    said = ("hall-3", f"hall-3 keeps {back} leaves; the checkpoint sealed 5")
    assert found(SEALED, leaves, journals) == [said]


def test_a_checkpoint_of_another_store_does_not_agree():
    """Its root is of other leaves."""
    other = attrs.evolve(SEALED, root=bytes(32))
    assert found(other, LEAVES, JOURNALS) == [REWRITTEN]
