"""Saying what a migration does, or would do, to instances."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import attrs

from svcflow.cli.departures import departures_json, departures_text
from svcflow.cli.errors import spoken
from svcflow.cli.json import Record
from svcflow.cli.language import Tongue
from svcflow.cli.names import Names
from svcflow.cli.output import paragraphs
from svcflow.cli.session import names_in
from svcflow.kernel.lifecycle.deviations import Deviation
from svcflow.text import Text
from svcflow.text_table import table

if TYPE_CHECKING:
    from svcflow.runtime.engine import Engine
    from svcflow.runtime.migration import LimitPreview, MigrationPreview

__all__ = ["Crossing", "migrations_json", "migrations_text"]

_FATES = {
    "kept": Text(zh="保持", en="kept"),
    "moved": Text(zh="改期", en="moved"),
    "ended": Text(zh="取消", en="ended"),
    "started": Text(zh="起算", en="started"),
}
_HEADS = Text(
    zh="实例|环节|时限|变化|原截止|新截止|不能变更的原因",
    en="Instance|Steps|Limit|What becomes of it|Due before|Due after|Refused because",
)


@attrs.frozen
class Crossing:
    """Hold what becomes of one instance, and the deviations that were recorded on the way."""

    procedure: str
    preview: MigrationPreview
    departed: tuple[Deviation, ...] = ()

    @property
    def already(self) -> bool:
        """Whether there is nothing to do: it is of that version."""
        return self.preview.from_version == self.preview.to_version

    @property
    def refused(self) -> str:
        """The rule that keeps it where it is, or nothing."""
        return "" if self.already else self.preview.refused


def migrations_json(found: Sequence[Crossing], *, done: bool) -> Record:
    """Return what becomes of each instance."""
    return {"done": done, "instances": [_json(one) for one in found]}


def migrations_text(engine: Engine, found: Sequence[Crossing], lang: Tongue, *, done: bool) -> str:
    """Return a table of what becomes of each instance, a sentence, and what was recorded on the way."""
    if not found:
        return Text(zh="没有这样的实例", en="no such instances").in_(lang)
    versions = {
        (one.procedure, version)
        for one in found
        for version in (one.preview.from_version, one.preview.to_version)
    }
    names_of = names_in(engine, versions, lang)
    heads = _HEADS.in_(lang).split("|")
    rows = [row for one in found if not one.already for row in _rows(one, names_of)]
    grid = table(heads, rows, whole=(heads[0], *heads[4:6]), flows=True) if rows else ""
    exposed = [_exposed(one.preview, lang) for one in found if one.preview.exposed]
    departed = (departures_text(engine, one.departed, lang) for one in found)
    return paragraphs(("\n".join((grid, *exposed, _counted(found, lang, done=done))).lstrip("\n"), *departed))


def _counted(found: Sequence[Crossing], lang: Tongue, *, done: bool) -> str:
    refused, already = sum(bool(one.refused) for one in found), sum(one.already for one in found)
    count = len(found) - refused - already
    said = Text(
        zh=f"{count} 个实例{'已' if done else '可以'}变更版本，{refused} 个不能",
        en=f"{count} {'migrated' if done else 'may be migrated'}, {refused} refused",
    )
    there = Text(zh=f"，{already} 个已是该版本", en=f", {already} already there")
    return said.in_(lang) + (there.in_(lang) if already else "")


def _exposed(one: MigrationPreview, lang: Tongue) -> str:
    listed = ", ".join(one.exposed)
    return Text(
        zh=f"! {one.instance}：{listed} 将是个人信息，留痕中已有的值仍是明文，不能抹去",
        en=f"! {one.instance}: {listed} will be personal; values in the journal stay in the clear and cannot be erased",
    ).in_(lang)


def _json(one: Crossing) -> Record:
    preview = one.preview
    why, remedy = (Text(), Text()) if one.already else (preview.why, spoken(preview.remedy))
    return {
        "instance": preview.instance,
        "from_version": preview.from_version,
        "to_version": preview.to_version,
        "already": one.already,
        "steps_before": list(preview.steps_before),
        "steps_after": list(preview.steps_after),
        "limits": [
            {
                "limit": limit.limit,
                "fate": limit.fate,
                "before": None if limit.before is None else limit.before.isoformat(),
                "after": None if limit.after is None else limit.after.isoformat(),
            }
            for limit in preview.limits
        ],
        "exposed": list(preview.exposed),
        "refused": one.refused,
        "why": {"zh": why.in_("zh"), "en": why.in_("en")},
        "remedy": {"zh": remedy.in_("zh"), "en": remedy.in_("en")},
        "deviations": departures_json(one.departed),
    }


def _rows(one: Crossing, names_of: Callable[[str, int], Names]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each limit; the first, which there always is, names the instance."""
    preview = one.preview
    after = names_of(one.procedure, preview.to_version)
    before = names_of(one.procedure, preview.from_version)
    cells = [_limit(limit, before if limit.fate == "ended" else after) for limit in preview.limits]
    first, *more = cells or [("", "", "", "")]
    yield (preview.instance, _steps(preview), *first, _why(one, after.lang))
    for row in more:
        yield ("", "", *row, "")


def _steps(one: MigrationPreview) -> str:
    before, after = ", ".join(one.steps_before), ", ".join(one.steps_after)
    return before if before == after else f"{before} → {after}"


def _limit(limit: LimitPreview, names: Names) -> tuple[str, str, str, str]:
    fate = _FATES[limit.fate].in_(names.lang)
    return names.limit(limit.limit), fate, names.when(limit.before), names.when(limit.after)


def _why(one: Crossing, lang: Tongue) -> str:
    stop, preview = "；" if lang == "zh" else "; ", one.preview
    said = (text.in_(lang) for text in (preview.why, spoken(preview.remedy)) if text)
    return stop.join(said) if one.refused else ""
