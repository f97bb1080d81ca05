"""The Merkle tree is that of RFC 6962, to the byte, and its proofs prove nothing else."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcflow.errors import CorruptJournal
from svcflow.journal import Frontier
from svcflow.journal.merkle import (
    EMPTY,
    consistency_proof,
    continues,
    includes,
    inclusion_proof,
    root_of,
)

STANDARD = [
    bytes.fromhex(leaf)
    for leaf in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]  # fmt: skip
"""The eight leaves with which the reference implementation of Certificate Transparency is tested."""
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
LEAVES = [bytes([n, 7 * n % 256]) for n in range(70)]
leaves_of = st.lists(st.binary(max_size=40), max_size=40)


@pytest.mark.parametrize("size", range(9))
def test_the_published_roots_come_out(size):
    """Sizes 0 to 8 of the standard leaves: incremental and by definition, the root is the published one."""
    assert Frontier().extended(STANDARD[:size]).root.hex() == ROOTS[size]
    assert root_of(STANDARD[:size]).hex() == ROOTS[size]


def test_the_published_proofs_come_out():
    """Of leaf 0 and leaf 5 in 8; from 2 and from 6 leaves to 8."""
    assert [one.hex()[:8] for one in inclusion_proof(STANDARD, 0)] == ["96a296d2", "5f083f0a", "6b47aaf2"]
    assert [one.hex()[:8] for one in inclusion_proof(STANDARD, 5)] == ["bc1a0643", "ca854ea1", "d37ee418"]
    assert [one.hex()[:8] for one in consistency_proof(STANDARD, 2)] == ["5f083f0a", "6b47aaf2"]
    assert [one.hex()[:8] for one in consistency_proof(STANDARD, 6)] == ["0ebc5d34", "ca854ea1", "d37ee418"]


def test_the_definition_is_the_one_of_the_standard():
    """0x00 before a leaf, 0x01 before a pair, split at the largest power of two below: written out for five."""
    a, b, c, d, e = (sha256(b"\x00" + leaf).digest() for leaf in LEAVES[:5])

    def pair(left: bytes, right: bytes) -> bytes:
        return sha256(b"\x01" + left + right).digest()

    assert root_of(LEAVES[:5]) == pair(pair(pair(a, b), pair(c, d)), e)
    assert root_of([]) == EMPTY == sha256(b"").digest()


@given(leaves_of, st.data())
def test_a_tree_grown_in_parts_is_the_tree_made_at_once(leaves: list[bytes], data: st.DataObject):
    """However the leaves are split over calls, and kept as bytes in between, the root is by the definition."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(leaves)), max_size=5)))
    tree = Frontier()
    for start, end in zip([0, *cuts], [*cuts, len(leaves)], strict=True):
        tree = Frontier.from_bytes(tree.extended(leaves[start:end]).to_bytes())
        assert (tree.size, tree.root) == (end, root_of(leaves[:end]))
        assert len(tree.peaks) == end.bit_count()


def test_a_frontier_is_a_value():
    """Growing one leaves it as it was."""
    tree = Frontier().extended(LEAVES[:3])
    before = tree.to_bytes()
    assert tree.extended(LEAVES[3:]) == Frontier().extended(LEAVES)
    assert tree.to_bytes() == before


@pytest.mark.parametrize("change", [lambda b: b[:-1], lambda b: b + b"\0", lambda b: b[:7], lambda _: b"",
                                    lambda b: b"\0" * 8 + b[8:]])  # fmt: skip
def test_bytes_that_are_no_frontier_are_corrupt(change):
    """A cut, lengthened or miscounted form is refused, in both languages."""
    with pytest.raises(CorruptJournal, match="frontier of the sealed tree has") as error:
        Frontier.from_bytes(change(Frontier().extended(LEAVES[:3]).to_bytes()))
    assert "封存树" in error.value.text("zh")


def test_every_leaf_of_every_tree_is_shown_to_be_in_it():
    """Sizes 1 to 40, every leaf: the proof has at most log2 hashes and is accepted."""
    for size in range(1, 41):
        root = root_of(LEAVES[:size])
        for index in range(size):
            proof = inclusion_proof(LEAVES[:size], index)
            assert len(proof) <= (size - 1).bit_length()
            assert includes(root, size, index=index, leaf=LEAVES[index], proof=proof)


def test_every_earlier_tree_is_shown_to_be_continued():
    """Sizes 0 to 40, every earlier size."""
    for size in range(41):
        for before in range(size + 1):
            proof = consistency_proof(LEAVES[:size], before)
            assert len(proof) <= size.bit_length() + 1
            assert continues(
                root_of(LEAVES[:size]),
                size,
                before_root=root_of(LEAVES[:before]),
                before_size=before,
                proof=proof,
            )


def damaged(proof: tuple[bytes, ...]) -> list[tuple[bytes, ...]]:
    """The proof with one hash changed, left out, doubled, or one too many."""
    out = [(*proof, EMPTY), (EMPTY, *proof)]
    for place, one in enumerate(proof):
        flipped = bytes([one[0] ^ 1]) + one[1:]
        out += [
            (*proof[:place], flipped, *proof[place + 1 :]),
            (*proof[:place], *proof[place + 1 :]),
            (*proof[:place], one, *proof[place:]),
        ]
    return out


def test_no_other_leaf_place_size_root_or_proof_is_accepted():
    """Sizes 1 to 12: whatever of an inclusion proof is changed, it is refused."""
    for size in range(1, 13):
        root = root_of(LEAVES[:size])
        for index in range(size):
            leaf, proof = LEAVES[index], inclusion_proof(LEAVES[:size], index)
            for other in set(range(-1, size + 2)) - {index}:
                assert not includes(root, size, index=other, leaf=leaf, proof=proof)
            assert not includes(root, size, index=index, leaf=leaf + b"x", proof=proof)
            assert not includes(EMPTY, size, index=index, leaf=leaf, proof=proof)
            assert not includes(root, 0, index=index, leaf=leaf, proof=proof)
            for wrong in damaged(proof):
                assert not includes(root, size, index=index, leaf=leaf, proof=wrong)


def test_no_rewritten_past_is_accepted():
    """Sizes 0 to 12: a changed proof, root or count does not show that the tree only grew."""
    for size in range(13):
        root = root_of(LEAVES[:size])
        for before in range(size + 1):
            old, proof = root_of(LEAVES[:before]), consistency_proof(LEAVES[:size], before)
            rewritten = root_of([b"x", *LEAVES[1:before]]) if before else root_of([b"x"])
            cases = [(root, size, rewritten, before, proof), (root, size, old, size + 1, proof),
                     (root, size, old, -1, proof)]  # fmt: skip
            if before:
                cases.append((rewritten, size, old, before, proof))
            cases += [(root, size, old, before, wrong) for wrong in damaged(proof)]
            for of, now, of_before, then, given_proof in cases:
                assert not continues(of, now, before_root=of_before, before_size=then, proof=given_proof)


def test_a_proof_longer_than_any_tree_is_refused_at_once():
    """Hostile lengths neither recurse without end nor pass."""
    long = (EMPTY,) * 100_000
    assert not includes(EMPTY, 2**64, index=5, leaf=b"", proof=long)
    assert not continues(EMPTY, 2**64, before_root=EMPTY, before_size=5, proof=long)


@pytest.mark.parametrize("index", [-1, 3])
def test_there_is_no_proof_of_a_leaf_that_is_not_there(index):
    """A place outside the tree is a mistake of the caller."""
    with pytest.raises(ValueError, match=f"no leaf {index} among 3"):
        inclusion_proof(LEAVES[:3], index)


@pytest.mark.parametrize("before", [-1, 4])
def test_there_is_no_proof_of_a_tree_that_shrank(before):
    """So is an earlier size that is larger than the present one."""
    with pytest.raises(ValueError, match=f"{before} leaves cannot have become 3"):
        consistency_proof(LEAVES[:3], before)
