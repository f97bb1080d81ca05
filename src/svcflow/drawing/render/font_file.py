"""What a font file holds: its family names and whether it has a character. Reads TrueType, OpenType, TTC."""

from __future__ import annotations

import struct
from pathlib import Path

_NAME_FAMILY, _NAME_TYPOGRAPHIC = 1, 16


def families(path: Path) -> tuple[str, ...]:
    """Return the family names of every face in the file. Raises: OSError, ValueError when it is no font."""
    data = path.read_bytes()
    found: dict[str, None] = {}
    for offset in _faces(data):
        table = _table(data, offset, b"name")
        if table is not None:
            found.update(dict.fromkeys(_names(data, table)))
    return tuple(found)


def has(path: Path, char: str) -> bool:
    """Say whether the first face of the file maps a character. Raises: OSError, ValueError."""
    data = path.read_bytes()
    table = _table(data, _faces(data)[0], b"cmap")
    if table is None:
        return False
    count = _u16(data, table + 2)
    starts = {table + _u32(data, table + 8 + 8 * i) for i in range(count)}
    return any(_maps(data, start, ord(char)) for start in sorted(starts))


def _faces(data: bytes) -> list[int]:
    if data[:4] == b"ttcf":
        return [_u32(data, 12 + 4 * i) for i in range(_u32(data, 8))]
    if data[:4] not in (b"\0\1\0\0", b"OTTO", b"true"):
        raise ValueError("not a TrueType or OpenType font")
    return [0]


def _table(data: bytes, face: int, tag: bytes) -> int | None:
    for i in range(_u16(data, face + 4)):
        entry = face + 12 + 16 * i
        if data[entry : entry + 4] == tag:
            return _u32(data, entry + 8)
    return None


def _names(data: bytes, table: int) -> list[str]:
    out = []
    texts = table + _u16(data, table + 4)
    for i in range(_u16(data, table + 2)):
        platform, _, language, name, size, start = struct.unpack_from(">6H", data, table + 6 + 12 * i)
        if platform == 3 and name in (_NAME_FAMILY, _NAME_TYPOGRAPHIC) and language == 0x409:
            out.append(data[texts + start : texts + start + size].decode("utf-16-be"))
    return out


def _maps(data: bytes, start: int, code: int) -> bool:
    kind = _u16(data, start)
    if kind == 12:
        groups = (
            struct.unpack_from(">III", data, start + 16 + 12 * i) for i in range(_u32(data, start + 12))
        )
        return any(first <= code <= last for first, last, _ in groups)
    if kind == 4:
        half = _u16(data, start + 6) // 2
        for i in range(half):
            last = _u16(data, start + 14 + 2 * i)
            first = _u16(data, start + 16 + 2 * half + 2 * i)
            if first <= code <= last and first != 0xFFFF:
                return True
    return False


def _u16(data: bytes, at: int) -> int:
    return int(struct.unpack_from(">H", data, at)[0])


def _u32(data: bytes, at: int) -> int:
    return int(struct.unpack_from(">I", data, at)[0])
