"""The probe of a store in PostgreSQL: reads what stands there; makes and changes nothing."""

from __future__ import annotations

from svcflow.cli.doctor.probe import Probe
from svcflow.errors import SvcflowError
from svcflow.text import NO_TEXT, Text
from svcflow.wording import many

__all__ = ["server"]

_NAME = Text(zh="存储", en="Store")
_MAKES = Text(zh="svcflow start 会新建", en="svcflow start makes it")


def server(url: str) -> Probe:
    """Judge a store by its URL: whether it can be reached, whose it is, and whether its server writes to disk."""
    try:
        found = _looked_at(url)
    except SvcflowError as error:
        return Probe("store", _NAME, "failure", error.message, error.remedy)
    if found is None:
        return Probe("store", _NAME, "failure", Text(zh="还没有存储", en="there is no store yet"), _MAKES)
    return _judged(found)


def _looked_at(url: str) -> dict[str, object] | None:
    from sqlalchemy import func, select, text
    from sqlalchemy.engine import make_url

    from svcflow.store import schema
    from svcflow.store.postgres.pool import ConnectionPool

    connections = ConnectionPool(make_url(url))
    try:
        with connections.reading() as connection:
            if connection.scalar(text("SELECT to_regclass('svcflow_meta')")) is None:
                return None
            asked = select(schema.meta.c.value).where(schema.meta.c.name == "schema")
            return {
                "url": connections.url,
                "server": connection.scalar(text("SHOW server_version")),
                "schema": connection.scalar(asked),
                "instances": connection.scalar(select(func.count()).select_from(schema.instances)),
                "fsync": connection.scalar(text("SHOW fsync")),
            }
    finally:
        connections.close()


def _judged(found: dict[str, object]) -> Probe:
    from svcflow.store import schema

    said = Text(
        zh=f"PostgreSQL {found['server']}，结构版本 {found['schema']}，{found['instances']} 个实例",
        en=f"PostgreSQL {found['server']}, schema version {found['schema']}, {many(int(str(found['instances'])), 'instance')}",
    )
    if found["schema"] != str(schema.VERSION):
        return Probe("store", _NAME, "failure", said, Text(zh="升级 svcflow", en="upgrade svcflow"), found)
    if found["fsync"] != "on":
        remedy = Text(zh="打开 fsync，否则断电会丢数据", en="switch fsync on, or a power cut loses data")
        return Probe("store", _NAME, "warning", said, remedy, found)
    return Probe("store", _NAME, "ok", said, NO_TEXT, found)
