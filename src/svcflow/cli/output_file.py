"""Writing files so that a reader never sees half of one: beside the target first, then renamed over it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from svcflow.cli.errors import OutputError

__all__ = ["written"]


def written(target: Path, write: Callable[[Path], object]) -> Path:
    """Let `write` fill a temporary file of the same suffix, then put it in the target's place.

    Raises: OutputError; nothing is left behind when `write` fails.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.stem}-", suffix=target.suffix, dir=target.parent)
        os.close(handle)
    except OSError as error:
        raise OutputError.of(target, error) from error
    beside = Path(name)
    try:
        write(beside)
        beside.chmod(0o644)
        beside.replace(target)
    except OSError as error:
        raise OutputError.of(target, error) from error
    finally:
        beside.unlink(missing_ok=True)
    return target
