"""Commitments of one instance: every field of a fact that names a person is replaced, and revealed again."""

from __future__ import annotations

import attrs
import pytest

from svcflow.journal.canonical import from_record, to_record
from svcflow.journal.personal_data import MARK, NO_SECRETS, Commitments
from svcflow.kernel.facts import (
    Accepted,
    Assigned,
    Explained,
    Fact,
    Moved,
    Released,
    Started,
)

HEAD = ("i1", 1, 0, 0, "li")


@pytest.mark.parametrize(
    ("fact", "fields"),
    [
        (Started(*HEAD, "p", 1, "a", recipient="zhang", behalf="wang"), {"actor", "behalf", "recipient"}),
        (Moved(*HEAD, "a", "go", "b", behalf="wang"), {"actor", "behalf"}),
        (Assigned(*HEAD, "a", "zhang", behalf="wang"), {"actor", "behalf", "to"}),
        (Released(*HEAD, "a", behalf="wang"), {"actor", "behalf"}),
        (Explained(*HEAD, 5, "rain", behalf="wang"), {"actor", "behalf"}),
        (Accepted(*HEAD, 5, "seen"), {"actor"}),
    ],
    ids=lambda one: one.kind if isinstance(one, Fact) else "",
)
def test_whoever_acts_or_is_acted_for_or_has_a_step_is_replaced(fact, fields):
    """Nothing that is kept with the chain names them; who may read it reads what was written."""
    commitments, record = Commitments(NO_SECRETS), to_record(fact)
    commitments.commit(record)
    assert {name for name in record if str(record[name]).startswith(MARK)} == fields
    reading = Commitments(commitments.all_secrets())
    reading.reveal(record)
    assert from_record(record) == fact
    assert not reading.missing


def test_a_claim_is_still_seen_to_be_one_when_who_claimed_is_erased():
    """Equal persons have equal commitments, so `to` and `actor` stay equal."""
    commitments, record = Commitments(NO_SECRETS), to_record(Assigned(*HEAD, "a", "li"))
    commitments.commit(record)
    Commitments(dict.fromkeys(commitments.added)).reveal(record)
    erased = from_record(record)
    assert isinstance(erased, Assigned)
    assert erased.claimed
    assert attrs.astuple(erased)[4].startswith("erased-")
