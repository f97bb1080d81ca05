"""Answer: how a command answers: lines for people, or one JSON value for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

import click

from svcflow.cli.asked import Asked

__all__ = ["answer", "paragraphs"]


def answer(asked: Asked, data: Callable[[], object], text: Callable[[], str]) -> None:
    """Write the one that is asked for; the other is not even made."""
    click.echo(json.dumps(data(), ensure_ascii=False, indent=2) if asked.as_json else text().rstrip("\n"))


def paragraphs(parts: Iterable[str]) -> str:
    """Join the parts that say something, a blank line between them."""
    return "\n\n".join(part.rstrip("\n") for part in parts if part.strip())
