"""Folder of the demonstration: filled beside its place and moved there whole; another folder is never touched."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from svcflow.cli.output import OutputError
from svcflow.text import Text

__all__ = ["DATABASE", "RECORD", "prepared"]

DATABASE, RECORD = "demo.db", "demo.json"
_OWN = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}-lock", RECORD)


@contextmanager
def prepared(folder: Path, drawings: Collection[str]) -> Iterator[Path]:
    """Yield a folder to fill; at the end it takes the place of `folder`, or of an earlier demonstration there.

    Raises: OutputError when something else is there, or it cannot be written.
    """
    _check_own(folder, {*_OWN, *(f"{name}{suffix}" for name in drawings for suffix in (".svg", ".png"))})
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise OutputError.of(folder, error) from error
    try:
        yield beside
        beside.chmod(0o755)
        _put(beside, folder)
    except OSError as error:
        raise (error if isinstance(error, OutputError) else OutputError.of(folder, error)) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _check_own(folder: Path, own: Collection[str]) -> None:
    if folder.is_dir():
        names = {entry.name for entry in folder.iterdir()}
        if not names or (RECORD in names and names <= set(own)):
            return
    elif not folder.exists():
        return
    raise OutputError(
        Text(zh=f"{folder} 不是空的，也不是先前的演示", en=f"{folder} is neither empty nor an earlier demo"),
        Text(zh="用 --folder 另选一个文件夹", en="choose another with --folder"),
    )


def _put(filled: Path, folder: Path) -> None:
    """Swap the finished folder in; the earlier one goes only when the new one stands."""
    if not folder.exists():
        filled.replace(folder)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        earlier = folder.replace(aside / folder.name)
        try:
            filled.replace(folder)
        except OSError:
            earlier.replace(folder)
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
