"""Which backend a URL names."""

from __future__ import annotations

import re

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from svcflow.errors import StoreError
from svcflow.store.sql import Backend
from svcflow.text import Text


def open_backend(url: str) -> Backend:
    """Open the database that a URL names. Raises: StoreError; MissingExtra when its driver is not installed."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # the second of a port that is no number
        raise _unsupported(url) from None
    if parsed.get_backend_name() == "sqlite" and parsed.database and parsed.database != ":memory:":
        from svcflow.store.sqlite import SqliteBackend  # noqa: PLC0415  # only the one that is asked for

        return SqliteBackend(parsed)
    if parsed.drivername in ("postgresql", "postgresql+psycopg"):
        from svcflow.store.postgres import PostgresBackend  # noqa: PLC0415  # needs an extra

        return PostgresBackend(parsed)
    raise _unsupported(url)


def _unsupported(url: str) -> StoreError:
    remedy = Text(
        zh="写 memory://、sqlite:///文件名 或 postgresql+psycopg://用户@主机/数据库",
        en="write memory://, sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE",
    )
    shown = re.sub(r"(://[^:/@]*):.*@", r"\1:***@", url)
    return StoreError(Text(zh=f"不支持存储 {shown}", en=f"the store {shown} is not supported"), remedy)
