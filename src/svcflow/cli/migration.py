"""Saying what a migration does, or would do, to instances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from svcflow.cli.asked import Tongue
from svcflow.cli.records import Record
from svcflow.cli.table import table
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.runtime.migration import LimitPreview, MigrationPreview

__all__ = ["migrations_json", "migrations_text"]

_FATES = {
    "kept": Text(zh="保持", en="kept"),
    "moved": Text(zh="改期", en="moved"),
    "ended": Text(zh="取消", en="ended"),
    "started": Text(zh="起算", en="started"),
}


def migrations_json(found: Sequence[MigrationPreview], *, done: bool) -> Record:
    """Return what becomes of each instance."""
    return {"done": done, "instances": [_json(one) for one in found]}


def migrations_text(found: Sequence[MigrationPreview], lang: Tongue, *, done: bool) -> str:
    """Return a table of what becomes of each instance, and a sentence."""
    heads = Text(zh="实例|环节|时限|不能变更的原因", en="instance|steps|limits|refused because").in_(lang)
    rows = [
        (one.instance, _steps(one), ", ".join(_limit(limit, lang) for limit in one.limits), _why(one, lang))
        for one in found
    ]
    refused = sum(bool(one.refused) for one in found)
    count = len(found) - refused
    said = Text(
        zh=f"{count} 个实例{'已' if done else '可以'}变更版本，{refused} 个不能",
        en=f"{count} {'migrated' if done else 'may be migrated'}, {refused} refused",
    ).in_(lang)
    if not found:
        return Text(zh="没有这样的实例", en="no such instances").in_(lang)
    shown = table(heads.split("|"), rows, whole=(heads.split("|")[0],), flows=True)
    return "\n".join((shown, *(_exposed(one, lang) for one in found if one.exposed), said))


def _exposed(one: MigrationPreview, lang: Tongue) -> str:
    listed = ", ".join(one.exposed)
    return Text(
        zh=f"! {one.instance}：{listed} 将是个人信息，留痕中已有的值仍是明文，不能抹去",
        en=f"! {one.instance}: {listed} will be personal; values in the journal stay in the clear and cannot be erased",
    ).in_(lang)


def _json(one: MigrationPreview) -> Record:
    return {
        "instance": one.instance,
        "from_version": one.from_version,
        "to_version": one.to_version,
        "steps_before": list(one.steps_before),
        "steps_after": list(one.steps_after),
        "limits": [
            {
                "limit": limit.limit,
                "fate": limit.fate,
                "before": None if limit.before is None else limit.before.isoformat(),
                "after": None if limit.after is None else limit.after.isoformat(),
            }
            for limit in one.limits
        ],
        "exposed": list(one.exposed),
        "refused": one.refused,
        "why": {"zh": one.why.in_("zh"), "en": one.why.in_("en")},
        "remedy": {"zh": one.remedy.in_("zh"), "en": one.remedy.in_("en")},
    }


def _steps(one: MigrationPreview) -> str:
    before, after = ", ".join(one.steps_before), ", ".join(one.steps_after)
    return before if before == after else f"{before} → {after}"


def _limit(limit: LimitPreview, lang: Tongue) -> str:
    return f"{limit.limit} {_FATES[limit.fate].in_(lang)}"


def _why(one: MigrationPreview, lang: Tongue) -> str:
    stop = "；" if lang == "zh" else "; "
    return stop.join(text.in_(lang) for text in (one.why, one.remedy) if text) if one.refused else ""
