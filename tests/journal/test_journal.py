"""Canonical bytes and the chain of one instance's journal."""

from __future__ import annotations

from hashlib import sha256

import pytest

from svcflow.errors import CorruptJournal, FieldError
from svcflow.journal import GENESIS, chained, from_bytes, link, to_bytes, verified
from svcflow.kernel.facts import Deviated, Moved, Resumed, Started, Updated

FACTS = (
    Started("r1", 1, 10, 10, "li", "repair", 1, "a", {"b": 1, "a": "甲", "c": None, "d": 1.5, "e": True}),
    Moved("r1", 2, 20, 21, "li", "a", "go", "b"),
    Deviated("r1", 3, 20, 21, "li", "skipped_step", "b", "major", detail={"z": 1, "y": [2, 3]}),
)


def kept() -> list[tuple[bytes, bytes]]:
    return [(entry.body, entry.link) for entry in chained(GENESIS, FACTS)]


def test_the_bytes_of_a_fact_are_sorted_json_without_defaults():
    """The canonical form is fixed: these bytes must never change, journals are verified against them."""
    assert to_bytes(Resumed("r1", 4, 30, 31, "", "third_party")) == (
        b'{"actor":"","instance":"r1","kind":"Resumed","occurred_us":30,"reason":"third_party","recorded_us":31,"sequence":4}'
    )
    assert (
        to_bytes(FACTS[0])
        == (
            '{"actor":"li","data":{"a":"甲","b":1,"c":null,"d":1.5,"e":true},"instance":"r1","kind":"Started",'
            '"occurred_us":10,"procedure":"repair","recorded_us":10,"sequence":1,"step":"a","version":1}'
        ).encode()
    )


def test_the_order_in_which_data_were_given_does_not_matter():
    """The same fact gives the same bytes."""
    one, other = {"a": 1, "b": {"x": 1, "y": 2}}, {"b": {"y": 2, "x": 1}, "a": 1}
    assert to_bytes(Updated("r1", 1, 0, 0, "", one)) == to_bytes(Updated("r1", 1, 0, 0, "", other))


@pytest.mark.parametrize("fact", FACTS)
def test_bytes_read_back_to_the_fact(fact):
    """from_bytes is the inverse of to_bytes."""
    assert from_bytes(to_bytes(fact)) == fact


@pytest.mark.parametrize("value", ["\ud800", 2**64, object(), {1: 2}])
def test_what_has_no_json_form_is_a_field_error(value):
    """A text that is no Unicode, a number over 64 bits, an object: told to the caller, not written."""
    with pytest.raises(FieldError):
        to_bytes(Updated("r1", 1, 0, 0, "", {"note": value}))


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"1", b"null", b"{}", b'{"kind":"Imagined"}', b'{"kind":"Moved"}', b'{"kind":[]}', b"\xff\xfe"],
)  # fmt: skip
def test_bytes_that_hold_no_fact_are_corrupt(body):
    """Whatever stands there, the only error is CorruptJournal."""
    with pytest.raises(CorruptJournal):
        from_bytes(body)


def test_the_chain_is_sha256_over_the_previous_link_and_the_body():
    """h(i) = SHA-256(h(i-1) ‖ body), h(0) = 32 zero bytes: anybody can verify it without this library."""
    previous = bytes(32)
    for entry in chained(GENESIS, FACTS):
        assert entry.link == sha256(previous + entry.body).digest() == link(previous, entry.body)
        previous = entry.link


def test_a_chain_made_in_two_parts_is_the_chain_made_at_once():
    """A chain goes on from any link."""
    first = chained(GENESIS, FACTS[:1])
    assert (*first, *chained(first[-1].link, FACTS[1:])) == chained(GENESIS, FACTS)


def test_a_whole_journal_verifies():
    """Every fact comes back, in order."""
    assert tuple(verified("r1", kept(), kept()[-1][1])) == FACTS
    assert tuple(verified("r1", [], GENESIS)) == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows[:1] + rows[2:], "entry 2 does not fit"),
        (lambda rows: [rows[1], rows[0], rows[2]], "entry 1 does not fit"),
        (lambda rows: [*rows, rows[2]], "entry 4 does not fit"),
        (lambda rows: rows[:2], "entry 2 is not the last one"),
        (lambda _: [], "entry 0 is not the last one"),
        (lambda rows: [(rows[0][0] + b" ", rows[0][1]), *rows[1:]], "entry 1 does not fit"),
    ],
)
def test_each_kind_of_tampering_names_the_entry(change, said):
    """Deleted, swapped, repeated, cut, changed: the error says which entry, in both languages."""
    with pytest.raises(CorruptJournal, match=f"journal of r1: {said}") as error:
        list(verified("r1", change(kept()), kept()[-1][1]))
    assert "r1" in error.value.text("zh")


def test_a_chain_that_fits_but_counts_wrongly_is_found():
    """Links made anew do not help entries with a wrong number or of another instance."""
    wrong = chained(GENESIS, (FACTS[0], FACTS[2]))
    with pytest.raises(CorruptJournal, match="entry 2 has a wrong number"):
        list(verified("r1", [(e.body, e.link) for e in wrong], wrong[-1].link))
    with pytest.raises(CorruptJournal, match="entry 1 has a wrong number or instance"):
        list(verified("r2", kept(), kept()[-1][1]))
