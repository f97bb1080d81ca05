"""Writing to a terminal: characters that steer it are shown escaped, wherever they come from.

Data, reasons, names and foreign logs may hold any character. C0 and C1 controls move the cursor, clear the screen
or write to the clipboard; bidirectional controls show a line in another order than it has (Unicode TR 36).
"""

from __future__ import annotations

import json
import logging
import re
import sys
from typing import IO, Any

import click

from svcflow.text import STEERING, visible

__all__ = ["echo", "echo_json", "escape_log_lines"]


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
