"""Counting: a list as numbers: its options and answers. What is counted, the engine has said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from svcflow.cli.answer import answer
from svcflow.cli.asked import Asked
from svcflow.cli.command import option
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.model.catalog import Catalog
    from svcflow.model.procedure import Role
    from svcflow.model.step import Step

__all__ = ["answer_count", "answer_counts", "counted"]

_KEYS: Mapping[str, Text] = {
    "procedure": Text(zh="流程", en="Procedure"),
    "status": Text(zh="状态", en="Status"),
    "kind": Text(zh="种类", en="Kind"),
    "step": Text(zh="环节", en="Step"),
    "role": Text(zh="岗位", en="Role"),
    "group": Text(zh="服务对象", en="Group"),
}
_COUNT, _NAME = Text(zh="数量", en="Count"), Text(zh="名称", en="Name")
_NOTHING = Text(zh="没有可计数的", en="nothing to count")


def counted(*keys: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add `--count` and `--count-by`."""
    whole = option(
        "--count", is_flag=True, wording=Text(zh="只说有多少个", en="Only say how many there are.")
    )
    by = option(
        "--count-by",
        type=click.Choice(keys),
        wording=Text(zh="按此分别计数，多的在前", en="Count them by this, the most first."),
    )
    return lambda function: whole(by(function))


def answer_count(asked: Asked, count: int) -> None:
    """Answer with a number."""
    answer(asked, lambda: {"count": count}, lambda: str(count))


def answer_counts(
    asked: Asked, by: str, counts: Mapping[str, int], catalog: Catalog, procedure: str | None
) -> None:
    """Answer with the number of each key, and what people call it."""

    def text() -> str:
        from svcflow.cli.table import table

        named = _named(by, catalog, procedure)
        words = {key: named[key].in_(asked.lang) for key in counts if key in named}
        rows = [
            (key or "—", "" if words.get(key) == key else words.get(key, ""), str(count))
            for key, count in counts.items()
        ]
        heads = [head.in_(asked.lang) for head in (_KEYS[by], _NAME, _COUNT)]
        return table(heads, rows, right=heads[-1:]) if rows else _NOTHING.in_(asked.lang)

    answer(asked, lambda: {"counts": dict(counts)}, text)


def _named(by: str, catalog: Catalog, procedure: str | None) -> Mapping[str, Text]:
    from svcflow.cli.wording import STANDINGS, STATUSES
    from svcflow.kernel.lifecycle.deviations import KINDS
    from svcflow.model.words import GROUPS

    if by == "procedure":
        return {one.id: one.name for one in catalog}
    if by == "status":
        return {**STATUSES, **STANDINGS}
    if by == "kind":
        return {str(kind): text for kind, text in KINDS.items()}
    if by == "group":
        return GROUPS
    meant = [one for one in catalog.procedures.values() if procedure in (None, one.id)]
    return _shared((one.all_steps if by == "step" else one.roles) for one in meant)


def _shared(declared: Iterable[Mapping[str, Step | Role]]) -> Mapping[str, Text]:
    """Return the name of each id; where procedures call it by different names, all of them."""
    called: dict[str, dict[Text, None]] = {}
    for of in declared:
        for name, one in of.items():
            called.setdefault(name, {})[one.name] = None
    return {
        name: Text(
            zh=" / ".join(dict.fromkeys(text.in_("zh") for text in texts if text)),
            en=" / ".join(dict.fromkeys(text.in_("en") for text in texts if text)),
        )
        for name, texts in called.items()
    }
