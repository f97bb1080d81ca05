"""Answer: how a command answers: lines for people, or one JSON value for programs."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable, Iterable
from typing import IO, Any

import click

from svcflow.cli.language import Asked
from svcflow.text import STEERING, visible

__all__ = ["answer", "echo", "echo_json", "escape_log_lines", "paragraphs"]


def answer(
    asked: Asked, data: Callable[[], object], text: Callable[[], str], *, styled: bool = False
) -> None:
    """Write the one that is asked for; the other is not even made.

    `styled` says that the text holds escape codes of its own; whoever made it has escaped what came from outside.
    """
    if asked.as_json:
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


def _in_json(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]
