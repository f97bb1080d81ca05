"""Checkpoints: the size and root of the sealed tree at one instant, as lines of a file to be kept elsewhere.

One line is one checkpoint in JSON:
`{"checkpoint":1,"origin":"…","size":3,"root":"<64 hex digits>","sealed_at":"2026-03-02T12:00:00+00:00"}`
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path as File
from typing import Any

import attrs
import orjson
from attrs.validators import ge, lt, max_len, min_len

from svcflow.bounds import shown
from svcflow.errors import CorruptJournal, Path, Problem, StoreError
from svcflow.kernel.facts import to_datetime
from svcflow.text import NO_TEXT, Text, system_words
from svcflow.worktime.instants import to_us

FORMAT = 1
_KEYS = ("checkpoint", "origin", "size", "root", "sealed_at")
_LARGEST = 2**64


@attrs.frozen
class Checkpoint:
    """Checkpoint: at `sealed_us` the store named `origin` had sealed `size` leaves with this root.

    Raises: ValueError when it could not be read again: no origin, a negative size, a root of other than 32 bytes.
    """

    origin: str = attrs.field(validator=min_len(1))
    size: int = attrs.field(validator=[ge(0), lt(_LARGEST)])
    root: bytes = attrs.field(validator=[min_len(32), max_len(32)])
    sealed_us: int

    def to_line(self) -> str:
        """Return the checkpoint as one line of JSON, without the newline."""
        values = (FORMAT, self.origin, self.size, self.root.hex(), to_datetime(self.sealed_us).isoformat())
        return orjson.dumps(dict(zip(_KEYS, values, strict=True))).decode()


def parse(text: bytes, file: str = "") -> tuple[Checkpoint, ...]:
    """Return the checkpoints of a file, oldest first; empty lines are passed over.

    Raises: CorruptJournal naming the line that is no checkpoint, or that goes back behind the one before it;
    StoreError when the lines are of more than one store.
    """
    lines = [(number, line) for number, line in enumerate(text.split(b"\n"), 1) if line.strip()]
    checkpoints = [(number, _parsed(line, file, number)) for number, line in lines]
    for (_, earlier), (number, later) in pairwise(checkpoints):
        _refuse_backwards(earlier, later, file, number)
    return tuple(checkpoint for _, checkpoint in checkpoints)


def newest(file: str | os.PathLike[str]) -> Checkpoint | None:
    """Return the last checkpoint of a file; None when there is no file or nothing in it.

    Raises: as `parse`; StoreError when it cannot be read.
    """
    return next(reversed(parse(_contents(file), str(file))), None)


def append(file: str | os.PathLike[str], checkpoint: Checkpoint) -> None:
    """Append a checkpoint to a file; it is on the disk when this returns. One process may write at a time.

    Raises: CorruptJournal when it is smaller than the last one there, or of the same size with another root:
    the store has lost what it had sealed; StoreError when the file belongs to another store, or cannot be
    written.
    """
    before = _contents(file)
    for last in parse(before, str(file))[-1:]:
        _refuse_backwards(last, checkpoint, str(file), 0)
    # a file that was copied may lack the last newline
    end = b"\n" if before and not before.endswith(b"\n") else b""
    with _usable(file), File(file).open("ab") as out:
        out.write(end + checkpoint.to_line().encode() + b"\n")
        out.flush()
        os.fsync(out.fileno())
    if not before:  # fsync of a file does not make its name durable
        _sync_folder(File(file).parent)


def _contents(file: str | os.PathLike[str]) -> bytes:
    with _usable(file):
        try:
            return File(file).read_bytes()
        except FileNotFoundError:
            return b""


@contextmanager
def _usable(file: object) -> Iterator[None]:
    """Raise what opening a file of checkpoints raises inside the block as StoreError."""
    try:
        yield
    except (OSError, TypeError, ValueError) as error:  # the last two where the argument names no file at all
        why = system_words(error) if isinstance(error, OSError) else Text(str(error), str(error))
        raise StoreError(
            Text(
                zh=f"检查点文件 {shown(file)} 不能用：{why.zh}",
                en=f"the file of checkpoints {shown(file)} cannot be used: {why.en}",
            ),
            Text(zh="另给一个文件", en="give another file"),
        ) from error


def _sync_folder(folder: File) -> None:
    """Make the name of a new file durable, on systems where a folder can be opened."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _parsed(line: bytes, file: str, number: int) -> Checkpoint:
    try:
        record: Any = orjson.loads(line)
    except ValueError:
        message = Text(zh="不是一行完整的 JSON", en="this is no whole line of JSON")
        raise CorruptJournal(_at(file, number, (), message), _CUT) from None
    if not isinstance(record, dict) or set(record) != set(_KEYS):
        message = Text(
            zh=f"检查点恰有这些键：{'、'.join(_KEYS)}",
            en=f"a checkpoint has just the keys {', '.join(_KEYS)}",
        )
        raise CorruptJournal(_at(file, number, (), message), _RESTORE)
    for key, (fits, message) in _VALUES.items():
        if not fits(record[key]):
            raise CorruptJournal(_at(file, number, (key,), message), _RESTORE)
    sealed_us = to_us(datetime.fromisoformat(record["sealed_at"]))
    return Checkpoint(record["origin"], record["size"], bytes.fromhex(record["root"]), sealed_us)


def _is_format(value: object) -> bool:
    return type(value) is int and value == FORMAT


def _is_origin(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_size(value: object) -> bool:
    return type(value) is int and 0 <= value < _LARGEST


def _is_root(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def _is_instant(value: object) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


_VALUES = {
    "checkpoint": (
        _is_format,
        Text(zh=f"本库支持的格式是 {FORMAT}", en=f"this library knows format {FORMAT}"),
    ),
    "origin": (_is_origin, Text(zh="须为存储的名称", en="this is no name of a store")),
    "size": (_is_size, Text(zh="须为不小于零的整数", en="this is no count of leaves")),
    "root": (_is_root, Text(zh="须为 64 位小写十六进制数字", en="these are not 64 hex digits in lower case")),
    "sealed_at": (_is_instant, Text(zh="须为带时区的时刻", en="this is no instant with its offset")),
}


def _refuse_backwards(last: Checkpoint, following: Checkpoint, file: str, number: int) -> None:
    """Raise unless a tree that only grows can have led from one checkpoint to the other."""
    if last.origin != following.origin:
        message = Text(
            zh=f"此文件属于 {last.origin}，不收 {following.origin} 的检查点",
            en=f"the checkpoints here are of {last.origin}, not of {following.origin}",
        )
        remedy = Text(zh="每个存储用自己的文件", en="keep a file for each store")
        raise StoreError(_at(file, number, (), message), remedy)
    if following.size < last.size:
        message = Text(
            zh=f"{following.origin} 的检查点只有 {following.size} 片叶子，而此前已有 {last.size} 片",
            en=f"a checkpoint of {following.origin} has {following.size} leaves after one of {last.size}",
        )
        raise CorruptJournal(_at(file, number, (), message), _LOST)
    if following.size == last.size and following.root != last.root:
        message = Text(
            zh=f"{following.origin} 有两个 {last.size} 片叶子的检查点，根却不同",
            en=f"two checkpoints of {following.origin} with {last.size} leaves differ in their root",
        )
        raise CorruptJournal(_at(file, number, (), message), _LOST)


def _at(file: str, number: int, path: Path, message: Text) -> Text:
    where = Problem(path, message, NO_TEXT, file, number, 1)
    return Text(zh=where.text("zh"), en=where.text("en"))


_CUT = Text(
    zh="若是写到一半就断了的末行，删去它；否则取回备份",
    en="delete it when it is the last line, cut off while it was written; else take the file from a backup",
)
_RESTORE = Text(zh="由备份取回此文件", en="take the file from a backup")
_LOST = Text(
    zh="存储丢失或改写了已封存的内容：从备份恢复，并查明原因",
    en="the store has lost or rewritten what it had sealed: restore it from a backup, and find out why",
)
