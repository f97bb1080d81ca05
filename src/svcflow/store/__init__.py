"""Stores: in memory, and in a SQL database."""

from __future__ import annotations

from svcflow.runtime.store import Store


def open_store(url: object) -> Store:
    """Open the store that a URL names: `memory://`, `sqlite:///FILE` or `postgresql+psycopg://…`.

    Raises: StoreError when it names none, or is no text at all, such as a `Path`.
    """
    if url == "memory://":
        from svcflow.store.memory.store import MemoryStore  # noqa: PLC0415  # only the store that is asked for

        return MemoryStore()
    from svcflow.store.sql import SqlStore  # noqa: PLC0415  # see above
    from svcflow.store.url import open_backend, unsupported  # noqa: PLC0415  # SQLAlchemy takes 200 ms

    if not isinstance(url, str):
        raise unsupported(url)
    return SqlStore(open_backend(url))


def join_store(store: Store, host: object) -> Store:
    """Return a store that reads and writes inside the transaction that a host has open. Raises: StoreError."""
    from svcflow.store.joined import join  # noqa: PLC0415  # see above

    return join(store, host)
