"""URL of a store: the backend that it names, and what to write instead where it names none."""

from __future__ import annotations

import re

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from svcflow.errors import StoreError
from svcflow.store.sql import Backend
from svcflow.text import Text

_POSTGRES = "postgresql+psycopg"
_MEMORY = (None, "", ":memory:")


def open_backend(url: str) -> Backend:
    """Open the database that a URL names.

    Raises: StoreError when it names none of ours, or the database cannot be used; MissingExtra when its driver is not
    installed.
    """
    if not url.isprintable():  # a file cannot be named with NUL or half of a surrogate pair
        raise unsupported(url)
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # ValueError: a port that is no number
        raise unsupported(url) from None
    if (
        parsed.drivername in ("sqlite", "sqlite+pysqlite")
        and parsed.database not in _MEMORY
        and not parsed.host
    ):
        from svcflow.store.sqlite.read_only import open_sqlite  # noqa: PLC0415  # only the one that is asked for

        return open_sqlite(parsed)
    if parsed.drivername in ("postgresql", _POSTGRES):
        from svcflow.store.postgres.backend import PostgresBackend  # noqa: PLC0415  # needs an extra

        return PostgresBackend(parsed)
    raise unsupported(url, _suggestion(parsed))


def unsupported(url: object, suggestion: str | None = None) -> StoreError:
    """Return the error for what names no store of ours; `suggestion` is the URL to write instead."""
    remedy = (
        Text(zh=f"写 {suggestion}", en=f"write {suggestion}")
        if suggestion
        else Text(
            zh="写 memory://、sqlite:///文件名 或 postgresql+psycopg://用户@主机/数据库",
            en="write memory://, sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE",
        )
    )
    name = url if isinstance(url, str) else f"<{type(url).__name__}>"
    # by hand: what no URL can be parsed from may hold a password all the same
    shown = re.sub(r"(://[^:/@]*):.*@", r"\1:***@", name if name.isprintable() else ascii(name))
    return StoreError(Text(zh=f"不支持存储 {shown}", en=f"the store {shown} is not supported"), remedy)


def _suggestion(url: URL) -> str | None:
    """Return the URL by which a store opens the same database; None where there is none."""
    dialect = url.drivername.partition("+")[0].lower()
    if dialect in ("postgres", "postgresql"):
        return url.set(drivername=_POSTGRES).render_as_string()
    if dialect != "sqlite":
        return None
    if url.database in _MEMORY and not url.host:
        return "memory://"
    return f"sqlite:///{url.database or url.host}"
