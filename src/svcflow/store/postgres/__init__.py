"""The store on a PostgreSQL server; raises MissingExtra when imported without its driver."""

from __future__ import annotations

from svcflow.errors import MissingExtra
from svcflow.text import Text

try:
    import psycopg  # noqa: F401  # whether it is there
except ImportError as error:
    raise MissingExtra(
        "postgres", Text(zh="PostgreSQL 存储需要 psycopg 3", en="a store in PostgreSQL needs psycopg 3")
    ) from error
