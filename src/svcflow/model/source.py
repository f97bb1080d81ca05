"""Sources: the documents that limits and indicators rest on, with their strength, year and how they were read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal, get_args

import attrs

from svcflow.bounds import count
from svcflow.text import Lang
from svcflow.wording import READINGS, STRENGTHS

__all__ = ["PROPOSAL", "Source", "cited", "source_keys", "sources_of"]

PROPOSAL = "proposal"
"""Key of what no document says: a figure of the procedure's own author. It is never listed."""
Strength = Literal[
    "law", "ministry_rule", "technical_code", "local_statute", "unit_rule", "template", "proposal"
]
Reading = Literal["original", "excerpt", "quotation"]
_SPLIT = re.compile(r"[,，、\s]+")


@attrs.frozen
class Source:
    """Document that limits and indicators cite: its title, how strongly it binds, its year, and how it was read.

    >>> print(Source("D2", title="机关事务管理条例", strength="law", year=2012, read="original").text("en"))
    D2 机关事务管理条例 (law or regulation, 2012, read in the original)
    """

    id: str
    title: str = attrs.field(kw_only=True)
    strength: Strength | None = attrs.field(
        default=None, validator=attrs.validators.in_((*get_args(Strength), None)), kw_only=True
    )
    year: int | None = attrs.field(default=None, validator=count(1, 9999), kw_only=True)
    read: Reading | None = attrs.field(
        default=None, validator=attrs.validators.in_((*get_args(Reading), None)), kw_only=True
    )
    url: str | None = attrs.field(default=None, kw_only=True)

    def text(self, lang: Lang = "en") -> str:
        """Return its key and title, with its strength, its year and how it was read, as far as they are known."""
        head = f"{self.id} {self.title}" if self.title else ""
        about = [
            *([STRENGTHS[self.strength].in_(lang)] if self.strength else ()),
            *([str(self.year)] if self.year else ()),
            *([READINGS[self.read].in_(lang)] if self.read else ()),
        ]
        if not head or not about:
            return head or ", ".join(about)
        return f"{head} ({', '.join(about)})" if lang == "en" else f"{head}（{'，'.join(about)}）"


_PROPOSED = Source(PROPOSAL, title="", strength="proposal")


def sources_of(sources: Mapping[str, Source | str] | Iterable[Source]) -> dict[str, Source]:
    """Return sources by their keys; of a mapping, a text is the title of one."""
    if not isinstance(sources, Mapping):
        return {source.id: source for source in sources}
    return {
        key: source if isinstance(source, Source) else Source(key, title=source)
        for key, source in sources.items()
    }


def source_keys(source: str | None) -> tuple[str, ...]:
    """Return the keys that a limit or an indicator cites: `D1, L7` names two."""
    return tuple(part for part in _SPLIT.split(source or "") if part)


def cited(source: str | None, sources: Mapping[str, Source]) -> tuple[Source, ...]:
    """Return the sources that are cited, a proposal among them."""
    known = {PROPOSAL: _PROPOSED, **sources}
    return tuple(known[key] for key in source_keys(source) if key in known)
