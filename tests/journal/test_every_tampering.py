"""All of 64 entries: every bit, every entry deleted, put in, swapped or written anew, every length of a cut tail."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations

import attrs
import pytest
from stored_play import CATALOG, CLERK, MORNING

from svcflow import Engine, Recipient, VirtualClock
from svcflow.errors import CorruptJournal
from svcflow.journal import GENESIS, Checkpoint, Leaf, link, verified, verified_against
from svcflow.journal.merkle import root_of
from svcflow.journal.personal_data import Secret, Secrets
from svcflow.store import open_store

pytestmark = pytest.mark.long

ENTRIES = 64
Rows = list[tuple[bytes, bytes]]


@attrs.frozen
class Kept:
    """Hold a journal as a store keeps it."""

    name: str
    rows: Rows
    head: bytes
    secrets: Secrets


def kept(instances: int) -> list[Kept]:
    """So many instances with 64 entries together, as an engine writes them."""
    store, clock = open_store("memory://"), VirtualClock(MORNING)
    engine = Engine(store, CATALOG, clock=clock)
    found = []
    for number in range(instances):
        name, data = f"r{number}", {"place": "3-1204", "contact": "139 0000 0000"}
        engine.start("repair", data=data, recipient=Recipient("zhang"), actor=CLERK, instance_id=name)
        engine.fire(name, "accept", actor=CLERK)
        for _ in range(ENTRIES // instances - 2):
            clock.advance(timedelta(seconds=1))
            engine.fire(name, "again", actor=CLERK, data={"place": f"1-{number}"})
        found.append(Kept(name, list(store.rows(name)), store.load(name).head, store.secrets(name)))
    assert sum(len(one.rows) for one in found) == ENTRIES
    return found


LONG = kept(1)[0]


def is_found(one: Kept, rows: Rows | None = None, head: bytes | None = None, secrets: object = None) -> bool:
    """Whether a journal that was changed in this way does not verify; no other error may come out."""
    try:
        for _ in verified(one.name, rows or one.rows, head or one.head, secrets or one.secrets):
            pass
    except CorruptJournal:
        return True
    return False


def flipped(value: bytes) -> Iterator[bytes]:
    """Every value with one other bit."""
    for place, byte in enumerate(value):
        for bit in range(8):
            yield value[:place] + bytes([byte ^ 1 << bit]) + value[place + 1 :]


def test_every_bit_of_64_entries_counts():
    """Of body, link and head: none of them can be another."""
    tried, missed = 0, []
    for one in kept(8):
        assert not is_found(one)
        for place, (body, made) in enumerate(one.rows):
            wrong = [(other, made) for other in flipped(body)] + [(body, other) for other in flipped(made)]
            before, after = one.rows[:place], one.rows[place + 1 :]
            missed += [(one.name, place, row) for row in wrong if not is_found(one, [*before, row, *after])]
            tried += len(wrong)
        missed += [(one.name, "head", head) for head in flipped(one.head) if not is_found(one, head=head)]
    assert missed == []
    assert tried > 100_000


@pytest.mark.parametrize("part", ["person", "value", "salt"])
def test_every_bit_beside_the_journal_counts_unless_it_says_the_same(part):
    """A value kept beside the journal, its salt and whose it is cannot be others."""
    for token, secret in LONG.secrets.items():
        for other in flipped(getattr(secret, part).encode()):
            changed = secret._replace(**{part: other.decode("latin-1")})
            found = is_found(LONG, secrets={**LONG.secrets, token: changed})
            assert found == (not says_the_same(secret, changed)), changed


def says_the_same(one: Secret, other: Secret) -> bool:
    """Whether all are the same; the last letter of a salt has bits that say nothing."""
    try:
        return one[:2] == other[:2] and urlsafe_b64decode(one.salt) == urlsafe_b64decode(other.salt)
    except ValueError:
        return False


@pytest.mark.parametrize(
    "row", [["li", '"li"', 7], [1, 2, 3], ["li", None, "AAAA"], ["li", '"\ud800"', "AAAA"]]
)
def test_what_is_no_salt_and_no_value_is_found_too(row):
    """Whatever stands beside the journal, verification says so and goes on."""
    for token in LONG.secrets:
        assert is_found(LONG, secrets={**LONG.secrets, token: Secret(*row)})


def test_every_deleted_entry_is_found():
    """Wherever it stood, the last one included."""
    assert all(is_found(LONG, LONG.rows[:n] + LONG.rows[n + 1 :]) for n in range(ENTRIES))


def test_every_entry_put_in_anywhere_is_found():
    """Any of the entries once more, at any place, also with a link that fits there."""
    for place in range(ENTRIES + 1):
        previous = LONG.rows[place - 1][1] if place else GENESIS
        for body, made in LONG.rows:
            for added in ((body, made), (body, link(previous, body))):
                assert is_found(LONG, [*LONG.rows[:place], added, *LONG.rows[place:]])


def test_every_two_entries_that_are_swapped_are_found():
    """With their links, and without."""
    for one, other in combinations(range(ENTRIES), 2):
        rows = list(LONG.rows)
        rows[one], rows[other] = rows[other], rows[one]
        assert is_found(LONG, rows)
        rows[one], rows[other] = (rows[one][0], LONG.rows[one][1]), (rows[other][0], LONG.rows[other][1])
        assert is_found(LONG, rows)


def relinked(bodies: list[bytes]) -> Rows:
    """The chain made anew by somebody who knows the method."""
    rows: Rows = []
    for body in bodies:
        rows.append((body, link(rows[-1][1] if rows else GENESIS, body)))
    return rows


def sealed_finds(rows: Rows) -> bool:
    """Whether a checkpoint that was kept elsewhere shows that the journal is not the one that was sealed."""
    leaf = Leaf(LONG.name, ENTRIES, LONG.head)
    checkpoint = Checkpoint("hall-3", 1, root_of([leaf.to_bytes()]), 1_000)
    forged = Leaf(LONG.name, len(rows), rows[-1][1])
    now = rows[ENTRIES - 1][1] if len(rows) >= ENTRIES else None
    honest = verified_against([checkpoint], [(leaf, now)])
    return bool(honest) and bool(verified_against([checkpoint], [(forged, forged.head)]))


@pytest.mark.parametrize("length", range(1, ENTRIES))
def test_every_cut_tail_is_found_by_a_checkpoint_kept_elsewhere(length):
    """With the head set back the chain alone cannot know; neither leaving the leaf nor forging it helps."""
    rows = LONG.rows[:length]
    assert not is_found(LONG, rows, rows[-1][1])
    assert sealed_finds(rows)


@pytest.mark.parametrize("place", range(ENTRIES))
def test_every_entry_written_anew_is_found_by_a_checkpoint_kept_elsewhere(place):
    """With every link after it made to fit the chain alone cannot know."""
    bodies = [body for body, _ in LONG.rows]
    bodies[place] = bodies[place].replace(b'"recorded_us":17', b'"recorded_us":16')
    rows = relinked(bodies)
    assert rows != LONG.rows
    assert not is_found(LONG, rows, rows[-1][1])
    assert sealed_finds(rows)
    assert relinked([body for body, _ in LONG.rows]) == LONG.rows
