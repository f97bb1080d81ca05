"""Paging: a list in pages: its options, and how the next page is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from svcflow.cli.answer import paragraphs
from svcflow.cli.asked import Tongue
from svcflow.cli.command import option
from svcflow.text import Text

__all__ = ["going_on", "limited", "paged"]

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def limited(limit: int | None) -> Decorator:
    """Add `--limit`, with its default."""
    return option(
        "--limit",
        type=click.IntRange(min=1),
        default=limit,
        show_default=limit is not None,
        wording=Text(zh="最多列出多少个", en="List at most so many."),
    )


def paged(limit: int | None) -> Decorator:
    """Add `--limit` and `--after`."""
    behind = option(
        "--after",
        metavar="CURSOR",
        wording=Text(zh="接着上一页：其答复末尾的页标", en="Go on behind a page: the cursor it ended with."),
    )
    return lambda function: limited(limit)(behind(function))


def going_on(said: str, after: str | None, lang: Tongue) -> str:
    """Return a page, and what to add for the next one if there is one."""
    if after is None:
        return said
    more = Text(zh=f"未完；下一页加 --after {after}", en=f"There are more: add --after {after}")
    return paragraphs((said, more.in_(lang)))
