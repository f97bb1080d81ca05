"""Checkpoints as lines of a file: durable, readable, and never going back."""

from __future__ import annotations

import json
import os
import stat

import attrs
import pytest

from svcflow.errors import CorruptJournal, StoreError
from svcflow.journal import Checkpoint
from svcflow.journal.checkpoint import append, newest, parse

ROOT = bytes(range(32))
NOON_US = 1_772_452_800_000_000
FIRST = Checkpoint("hall-3", 3, ROOT, NOON_US)
LINE = (
    '{"checkpoint":1,"origin":"hall-3","size":3,'
    '"root":"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",'
    '"sealed_at":"2026-03-02T12:00:00+00:00"}'
)


def wrong(**changed: object) -> bytes:
    return json.dumps(json.loads(LINE) | changed).encode()


def test_a_checkpoint_is_one_line_that_people_can_read():
    """The form is fixed: files of checkpoints are kept for years."""
    assert FIRST.to_line() == LINE
    assert parse(LINE.encode()) == (FIRST,)


@pytest.mark.parametrize("sealed_us", [NOON_US + 1, 0, NOON_US])
def test_a_line_reads_back_to_the_checkpoint(sealed_us):
    """To the microsecond, and whatever the name holds."""
    one = Checkpoint('三号楼 "a"\n', 2**64 - 1, ROOT, sealed_us)
    assert parse(one.to_line().encode()) == (one,)


@pytest.mark.parametrize(
    "changed",
    [{"origin": ""}, {"size": -1}, {"size": 2**64}, {"root": bytes(31)}, {"root": bytes(33)}],
    ids=lambda changed: next(iter(changed)),
)
def test_a_checkpoint_that_could_not_be_read_again_is_not_made(changed):
    """What is written can be read: nothing else is ever appended."""
    with pytest.raises(ValueError):
        attrs.evolve(FIRST, **changed)


def test_an_instant_of_another_zone_is_the_same_instant():
    """A person may have written the local time."""
    assert parse(wrong(sealed_at="2026-03-02T20:00:00+08:00")) == (FIRST,)


def test_the_newest_of_a_file_is_its_last(tmp_path):
    """append adds at the end; a file that is not there, or empty, holds none."""
    file = tmp_path / "hall-3.checkpoints"
    assert newest(file) is None
    for one in (FIRST, later := attrs.evolve(FIRST, size=9, root=ROOT[::-1], sealed_us=NOON_US + 5)):
        append(file, one)
        assert newest(file) == one
    assert file.read_text() == f"{LINE}\n{later.to_line()}\n"
    file.write_text("\n")
    assert newest(file) is None


def test_the_same_state_may_be_sealed_again(tmp_path):
    """Nothing happened in between; also when the clock was set back."""
    file = tmp_path / "c"
    for at_us in (NOON_US, NOON_US + 1, NOON_US - 1):
        append(file, attrs.evolve(FIRST, sealed_us=at_us))
    assert len(parse(file.read_bytes())) == 3


def test_a_last_line_without_its_end_is_completed(tmp_path):
    """An editor or a mail may have taken the end of the last line away."""
    file = tmp_path / "c"
    file.write_text(LINE)
    append(file, FIRST)
    assert file.read_text() == f"{LINE}\n{LINE}\n"


def test_lines_that_came_from_another_system_read(tmp_path):
    """Line ends of Windows and empty lines do not matter."""
    assert parse(f"\r\n{LINE}\r\n\r\n{LINE}\r\n".encode()) == (FIRST, FIRST)


def test_what_is_appended_is_on_the_disk(tmp_path, monkeypatch):
    """The file is synced, and for a new file the folder too, before append returns."""
    synced = []
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (synced.append(os.fstat(handle)), sync(handle)))
    append(tmp_path / "c", FIRST)
    assert [stat.S_ISDIR(one.st_mode) for one in synced] == [False, True]
    assert synced[0].st_size == len(LINE) + 1
    append(tmp_path / "c", FIRST)
    assert [one.st_size for one in synced[2:]] == [2 * len(LINE) + 2]


@pytest.mark.parametrize(
    ("following", "kind", "said"),
    [
        (attrs.evolve(FIRST, size=2), CorruptJournal, "a checkpoint of hall-3 has 2 leaves after one of 3"),
        (attrs.evolve(FIRST, root=bytes(32)), CorruptJournal, "two checkpoints of hall-3 with 3 leaves differ"),
        (attrs.evolve(FIRST, origin="hall-4"), StoreError, "are of hall-3, not of hall-4; keep a file for each"),
    ],
    ids=["smaller", "other root", "other origin"],
)  # fmt: skip
def test_what_a_growing_tree_cannot_give_is_refused(tmp_path, following, kind, said):
    """Appending and reading name both; the file is left as it was."""
    file = tmp_path / "c"
    append(file, FIRST)
    with pytest.raises(kind, match=f"{file}: .*{said}") as error:
        append(file, following)
    assert "hall-3" in error.value.text("zh")
    assert file.read_text() == LINE + "\n"
    with pytest.raises(kind, match=f"c:2:1: .*{said}"):
        parse(f"{LINE}\n{following.to_line()}\n".encode(), "c")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (LINE[:-1].encode(), "this is no whole line of JSON; delete it when it is the last line, cut off"),
        (LINE.encode() + b"x", "this is no whole line of JSON"),
        (b"\xff", "this is no whole line of JSON"),
        (b"[1]", "a checkpoint has just the keys checkpoint, origin, size, root, sealed_at"),
        (b"null", "a checkpoint has just the keys"),
        (wrong(by="li"), "a checkpoint has just the keys"),
        (b'{"checkpoint": 1}', "a checkpoint has just the keys"),
        (wrong(checkpoint=2), "checkpoint: this library knows format 1"),
        (wrong(checkpoint=True), "checkpoint: this library knows format 1"),
        (wrong(origin=""), "origin: this is no name of a store"),
        (wrong(origin=7), "origin: this is no name of a store"),
        (wrong(size=-1), "size: this is no count of leaves"),
        (wrong(size=2**64), "size: this is no count|this is no whole line"),
        (wrong(size=True), "size: this is no count of leaves"),
        (wrong(size="3"), "size: this is no count of leaves"),
        (wrong(root="ab"), "root: these are not 64 hex digits"),
        (wrong(root="G" * 64), "root: these are not 64 hex digits"),
        (wrong(root="0" * 64 + "\n"), "root: these are not 64 hex digits"),
        (wrong(root=None), "root: these are not 64 hex digits"),
        (wrong(sealed_at="2026-03-02T12:00:00"), "sealed_at: this is no instant with its offset"),
        (wrong(sealed_at="noon"), "sealed_at: this is no instant with its offset"),
        (wrong(sealed_at=5), "sealed_at: this is no instant with its offset"),
    ],
)
def test_a_line_that_is_no_checkpoint_is_named(tmp_path, line, said):
    """File, line, key, what is wrong and what to do; nothing is written behind it."""
    file = tmp_path / "c"
    file.write_bytes(LINE.encode() + b"\n" + line)
    for ask in (lambda: newest(file), lambda: append(file, FIRST)):
        with pytest.raises(CorruptJournal, match=f"{file}:2:1") as error:
            ask()
        assert any(part in str(error.value) for part in said.split("|"))
        assert ":2:1" in error.value.text("zh")
    assert file.read_bytes() == LINE.encode() + b"\n" + line
