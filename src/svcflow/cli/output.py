"""Answers of a command: lines for people, one JSON value for programs, or a file."""

from __future__ import annotations

import errno
import json
import logging
import os
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any

import click

from svcflow.cli.language import AnswerForm
from svcflow.errors import SvcflowError
from svcflow.text import STEERING, Text, system_words, visible

__all__ = ["OutputError", "answer", "echo", "echo_json", "escape_log_lines", "paragraphs", "write_whole"]


class OutputError(SvcflowError, OSError):
    """A file or folder cannot be written."""

    code = "output"

    @classmethod
    def of(cls, where: object, error: OSError) -> OutputError:
        """Return the error for a place that cannot be written."""
        why = system_words(error)
        return cls(
            Text(zh=f"无法写入 {where}：{why.zh}", en=f"{where} cannot be written: {why.en}"),
            Text(
                zh="检查文件夹是否存在、可写，或另选位置",
                en="see that the folder exists and is writable, or choose another place",
            ),
        )


def answer(
    form: AnswerForm, data: Callable[[], object], text: Callable[[], str], *, styled: bool = False
) -> None:
    """Write an answer as text or as JSON; the other one is not made.

    `styled` says that the text holds escape codes of its own; whoever made it has escaped what came from outside.
    """
    if form.as_json:
        echo_json(data())
    elif styled:
        click.echo(text().rstrip("\n"))
    else:
        echo(text().rstrip("\n"))


def paragraphs(parts: Iterable[str]) -> str:
    """Join the parts that say something, a blank line between them."""
    return "\n\n".join(part.rstrip("\n") for part in parts if part.strip())


def echo(text: str, *, file: IO[Any] | None = None, err: bool = False) -> None:
    """Write lines; of the characters that steer a terminal only the ends of the lines stay."""
    click.echo("\n".join(map(visible, text.split("\n"))), file=file, err=err)


def echo_json(value: object, *, file: IO[Any] | None = None) -> None:
    """Write a value as JSON, which reads back as the same value."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    # JSON itself escapes C0 only; the others can stand in its texts alone, so that an escape is the same value
    click.echo("\n".join(STEERING.sub(_in_json, line) for line in text.split("\n")), file=file)


def escape_log_lines() -> None:
    """Let the library's log records reach standard error as one escaped line each, and their tracebacks below."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(_LineFormatter())
    logging.getLogger("svcflow").addHandler(handler)


class _LineFormatter(logging.Formatter):
    """Format a record with its steering characters escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record."""
        return "\n".join(map(visible, super().format(record).split("\n")))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the name of the standard library
        """Return the message on one line."""
        return visible(super().formatMessage(record))


def _in_json(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1]


def write_whole(target: Path, write: Callable[[Path], object]) -> Path:
    """Write a file so that no reader sees half of it, and return it.

    `write` fills a file of the same name in a temporary folder beside it, which then takes its place.

    Raises: OutputError; nothing is left behind when `write` fails.
    """
    import shutil  # these two with `random` and others, which no answer on a screen needs
    import tempfile

    try:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        folder = Path(tempfile.mkdtemp(prefix=f".{target.stem}-", dir=target.parent))
    except OSError as error:
        raise OutputError.of(target, error) from error
    beside = folder / target.name
    try:
        write(beside)
        beside.chmod(0o644)
        beside.replace(target)
    except OSError as error:
        raise OutputError.of(target, error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return target
