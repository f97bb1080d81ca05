"""Answer: how a command answers: lines for people, or one JSON value for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import click

from svcflow.cli.asked import Asked
from svcflow.cli.terminal import echo, echo_json

__all__ = ["answer", "paragraphs"]


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
