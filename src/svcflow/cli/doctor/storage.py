"""Probes of storage: permission to write, a store's file, a store on a server. Only read."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from svcflow.cli.doctor.probe import Probe, State, plain
from svcflow.cli.session import sqlite_file, url_of
from svcflow.errors import SvcflowError
from svcflow.text import NO_TEXT, Text, system_words
from svcflow.wording import many

__all__ = ["storage"]

_NAME = Text(zh="存储", en="Store")
_START = Text(zh="svcflow start 会新建", en="svcflow start makes it")


def storage(db: str | None) -> Iterator[Probe]:
    """Yield the findings about the store and its folder; without a store about this folder."""
    file = None if db is None else sqlite_file(url_of(db))
    if db == "memory://":
        yield Probe(
            "store", _NAME, "note", Text(zh="内存，不留存", en="in memory, nothing outlives the process")
        )
    elif db is not None and db.startswith("postgresql"):
        yield from _server(db)
    elif db is not None and file is None:
        remedy = Text(
            zh="写文件名、sqlite:///文件名 或 postgresql+psycopg://用户@主机/数据库",
            en="write a file name, sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE",
        )
        yield Probe("store", _NAME, "failure", Text(zh=f"不支持 {db}", en=f"{db} is not supported"), remedy)
    if file is not None:
        yield _store(file)
        yield from _failed_starts(file)
    yield _writable(file.parent if file is not None else Path.cwd())


def _store(file: Path) -> Probe:
    from svcflow.store import schema

    if not file.is_file():
        message = Text(zh=f"没有文件 {file}", en=f"there is no file {file}")
        return Probe("store", _NAME, "failure", message, _START)
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as reader:
            found = reader.execute(
                f"SELECT value FROM {schema.meta.name} WHERE name = 'schema'"  # noqa: S608  # a name of ours
            ).fetchone()
            count = reader.execute(f"SELECT count(*) FROM {schema.instances.name}").fetchone()  # noqa: S608  # same
    except sqlite3.Error as error:
        message = Text(
            zh=f"{file} 不是 svcflow 的存储：{error}", en=f"{file} is no store of svcflow: {error}"
        )
        remedy = Text(zh="换一个文件，或从备份恢复", en="choose another file, or restore it from a backup")
        return Probe("store", _NAME, "failure", message, remedy)
    version = None if found is None else found[0]
    data = {"file": str(file), "schema": version, "instances": count[0]}
    message = Text(
        zh=f"{file}，结构版本 {version}，{count[0]} 个实例",
        en=f"{file}, schema version {version}, {many(count[0], 'instance')}",
    )
    state, remedy = _schema_state(str(version), schema.VERSION)
    return Probe("store", _NAME, state, message, remedy, data)


def _failed_starts(file: Path) -> Iterator[Probe]:
    """Yield a finding where regular starts could not begin; nothing of a file that has no table of them."""
    from svcflow.store import schema

    query = f"SELECT procedure, start, pending, error FROM {schema.starts.name} WHERE error <> ''"  # noqa: S608  # a name of ours
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as reader:
            failed = reader.execute(query).fetchall()
    except sqlite3.Error:  # the probe of the store itself tells what is wrong with it
        return
    yield from _starts_probe(failed)


def _starts_probe(failed: Sequence[tuple[str, str, str, str]]) -> Iterator[Probe]:
    """Yield a finding about regular starts that could not begin: procedure, start, occurrence and error of each."""
    if failed:
        listed = "; ".join(
            f"{procedure}/{start} {pending}: {error}" for procedure, start, pending, error in failed
        )
        keys = ("procedure", "start", "occurrence", "error")
        yield Probe(
            "starts",
            Text(zh="定期启动", en="Regular starts"),
            "warning",
            Text(zh=f"未能启动 {listed}", en=f"could not begin {listed}"),
            Text(zh="svcflow starts 说明何时再试", en="svcflow starts says when it is tried again"),
            {"failed": [dict(zip(keys, row, strict=True)) for row in failed]},
        )


def _schema_state(version: str, present: int) -> tuple[State, Text]:
    if version == str(present):
        return "ok", NO_TEXT
    if version.isdecimal() and 0 < int(version) < present:
        return "note", Text(
            zh=f"下次打开时升到第 {present} 版；先备份",
            en=f"it is brought up to version {present} when it is next opened; back it up before",
        )
    return "failure", Text(zh="升级 svcflow", en="upgrade svcflow")


def _writable(folder: Path) -> Probe:
    name, where = Text(zh="写入权限", en="Writing"), folder.resolve()
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        why = system_words(error)
        message = Text(zh=f"不能写入 {where}：{why.zh}", en=f"{where} cannot be written: {why.en}")
        remedy = Text(zh="另选文件夹，或检查权限", en="choose another folder, or see to its permissions")
        return Probe("writing", name, "failure", message, remedy, {"folder": str(where)})
    return Probe("writing", name, "ok", plain(str(where)), data={"folder": str(where)})


def _server(url: str) -> Iterator[Probe]:
    """Probe a store on a server: whether it can be reached, its version, and whether the server writes to disk."""
    try:
        figures, failed = _server_figures(url)
    except SvcflowError as error:
        yield Probe("store", _NAME, "failure", error.message, error.remedy)
        return
    if figures is None:
        yield Probe("store", _NAME, "failure", Text(zh="还没有存储", en="there is no store yet"), _START)
        return
    yield _server_probe(figures)
    yield from _starts_probe(failed)


def _server_figures(url: str) -> tuple[dict[str, object] | None, Sequence[tuple[str, str, str, str]]]:
    """Return the figures of a store, None where there is none, and the regular starts that could not begin."""
    from sqlalchemy import func, select, text
    from sqlalchemy.engine import make_url

    from svcflow.store import schema
    from svcflow.store.postgres.pool import ConnectionPool

    connections = ConnectionPool(make_url(url))
    try:
        with connections.reading() as connection:
            if connection.scalar(text("SELECT to_regclass('svcflow_meta')")) is None:
                return None, ()
            version = select(schema.meta.c.value).where(schema.meta.c.name == "schema")
            figures = {
                "url": connections.url,
                "server": connection.scalar(text("SHOW server_version")),
                "schema": connection.scalar(version),
                "instances": connection.scalar(select(func.count()).select_from(schema.instances)),
                "fsync": connection.scalar(text("SHOW fsync")),
            }
            if figures["schema"] != str(schema.VERSION):
                return figures, ()
            columns = [schema.starts.c[name] for name in ("procedure", "start", "pending", "error")]
            rows = connection.execute(select(*columns).where(schema.starts.c.error != "")).all()
            return figures, [(row[0], row[1], row[2], row[3]) for row in rows]
    finally:
        connections.close()


def _server_probe(figures: dict[str, object]) -> Probe:
    from svcflow.store import schema

    message = Text(
        zh=f"PostgreSQL {figures['server']}，结构版本 {figures['schema']}，{figures['instances']} 个实例",
        en=f"PostgreSQL {figures['server']}, schema version {figures['schema']}, {many(int(str(figures['instances'])), 'instance')}",
    )
    if figures["schema"] != str(schema.VERSION):
        return Probe(
            "store", _NAME, "failure", message, Text(zh="升级 svcflow", en="upgrade svcflow"), figures
        )
    if figures["fsync"] != "on":
        remedy = Text(zh="打开 fsync，否则断电会丢数据", en="switch fsync on, or a power cut loses data")
        return Probe("store", _NAME, "warning", message, remedy, figures)
    return Probe("store", _NAME, "ok", message, NO_TEXT, figures)
