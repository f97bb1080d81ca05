"""The payload of a command: how much data one may bring. Knows sizes, not fields."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from svcflow.errors import FieldError
from svcflow.kernel.commands import Command
from svcflow.text import Text

PAYLOAD_LIMIT = 64 * 1024
"""How many bytes of JSON one command may bring, unless the engine is told otherwise."""

_CARRIED = ("data", "evidence", "reason", "override")


def refuse_too_large(command: Command, limit: int) -> None:
    """Raise FieldError when a command brings more than `limit` bytes, or something that has no JSON form."""
    size = 0
    for name in _CARRIED:
        carried = getattr(command, name, None)
        if carried:
            size += _size(carried)
    if size > limit:
        raise FieldError(
            Text(
                zh=f"一次提交的数据有 {size} 字节，超过上限 {limit} 字节",
                en=f"one command brings {size} bytes of data; the limit is {limit}",
            ),
            Text(
                zh="大的内容另存，只提交其地址；或设 Engine(payload_limit=…)",
                en="keep what is large elsewhere and give its address, or set Engine(payload_limit=…)",
            ),
        )


def _size(carried: Mapping[str, object] | str) -> int:
    try:
        return len(orjson.dumps(carried, default=str))
    except TypeError as error:
        message = Text(zh=f"有内容无法留痕：{error}", en=f"a value cannot be kept in the journal: {error}")
        raise FieldError(message) from None
