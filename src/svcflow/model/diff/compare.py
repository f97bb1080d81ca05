"""Difference of two versions: changes, what breaks, which step became which; as text and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import attrs

from svcflow.model.diff.changes import (
    AttributeChange,
    ChangeKind,
    PathElement,
    Section,
    changes_between,
    changes_of_step,
)
from svcflow.model.diff.compatibility import broken_by
from svcflow.model.diff.parameter_effect import Effect, effect_of
from svcflow.model.diff.step_mapping import Match, StepMatch, matches
from svcflow.model.procedure import Procedure
from svcflow.text import Lang, Text

MARKS: Mapping[ChangeKind, str] = {"added": "＋", "removed": "－", "changed": "≠"}
_WORDS: Mapping[Section, Text] = {
    "procedure": Text(zh="流程", en="procedure"),
    "step": Text(zh="环节", en="step"),
    "branch": Text(zh="分支", en="branch"),
    "transition": Text(zh="流转", en="transition"),
    "otherwise": Text(zh="否则拒绝", en="otherwise refuse"),
    "limit": Text(zh="时限", en="limit"),
    "row": Text(zh="条件行", en="row"),
    "rung": Text(zh="预警点", en="rung"),
    "extension": Text(zh="延长", en="extension"),
    "role": Text(zh="岗位", en="role"),
    "certificate": Text(zh="证书", en="certificate"),
    "field": Text(zh="字段", en="field"),
    "hold": Text(zh="暂停", en="hold"),
    "regular_start": Text(zh="定期启动", en="regular start"),
    "enforcement": Text(zh="违规处理", en="enforcement"),
    "indicator": Text(zh="指标", en="indicator"),
    "exclusion": Text(zh="剔除", en="exclusion"),
    "start": Text(zh="启动", en="start"),
    "excellence": Text(zh="超值服务", en="excellence"),
    "source": Text(zh="依据", en="source"),
    "automatic_move": Text(zh="自动流转", en="automatic move"),
    "subprocedure": Text(zh="子流程", en="sub-procedure"),
    "parameter": Text(zh="参数", en="parameter"),
}
_EFFECTS: Mapping[Effect, Text] = {
    "tightened": Text(zh="（收紧）", en=" (tightened)"),
    "relaxed": Text(zh="（放宽）", en=" (relaxed)"),
}
_MATCHES: Mapping[Match, Text] = {
    "same": Text(zh="不变", en="same"),
    "renamed": Text(zh="疑似改名", en="probably renamed"),
    "gone": Text(zh="没有对应", en="no counterpart"),
}


@attrs.frozen
class Difference:
    """Difference of two versions of a procedure; false when there is none.

    `steps` proposes which step became which, for a migration. `breaking` are the changes that running
    instances may stumble over; `broken_by` says how.
    """

    old: Procedure
    new: Procedure
    changes: tuple[AttributeChange, ...]
    steps: tuple[StepMatch, ...]

    def __bool__(self) -> bool:
        return bool(self.changes)

    @property
    def breaking(self) -> tuple[AttributeChange, ...]:
        """The changes that break something for running instances."""
        return tuple(change for change in self.changes if broken_by(change) is not None)

    @property
    def mapping(self) -> dict[str, str]:
        """The proposed mapping of steps whose id changed, as a migration takes it."""
        return {match.step: match.to for match in self.steps if match.match == "renamed"}

    def inside(self, match: StepMatch) -> tuple[AttributeChange, ...]:
        """Return what changed in a step that was probably renamed; the other steps' changes are among `changes`."""
        if match.match != "renamed":
            return ()
        return changes_of_step(self.old.all_steps[match.step], self.new.all_steps[match.to])

    def text(self, lang: Lang = "en") -> str:
        """Return the difference, a line for each change: ＋ added, － removed, ≠ changed, ! breaking."""
        return "\n".join(self._lines(lang))

    def to_json(self) -> dict[str, object]:
        """Return the difference as plain data with keys that stay; none of it depends on a language."""
        return {
            "old": {"procedure": self.old.id, "version": self.old.version},
            "new": {"procedure": self.new.id, "version": self.new.version},
            "equal": not self,
            "changes": [_change_json(change) for change in self.changes],
            "steps": [
                {
                    "step": match.step,
                    "match": match.match,
                    "to": match.to,
                    "candidates": list(match.candidates),
                    "changes": [_change_json(change) for change in self.inside(match)],
                }
                for match in self.steps
            ],
        }

    def _lines(self, lang: Lang) -> Iterator[str]:
        title = f"{self.old} → {self.new}"
        if not self:
            yield f"{title}{Text(zh='：没有不同', en=': no difference').in_(lang)}"
            return
        count, breaking = len(self.changes), len(self.breaking)
        counts = Text(
            zh=f"：{count} 处不同，{breaking} 处影响在办实例",
            en=f": {count} change{'' if count == 1 else 's'}, {breaking} breaking for running instances",
        )
        yield f"{title}{counts.in_(lang)}"
        for change in self.changes:
            yield from _change_lines(change, lang, effect_of(change, self.old, self.new))
        moved = [match for match in self.steps if match.match != "same"]
        if moved:
            yield Text(
                zh="建议的环节对应（变更版本用）", en="Proposed mapping of steps, for a migration"
            ).in_(lang)
            for match in moved:
                yield f"  {_match_line(match, lang)}"
                for change in self.inside(match):
                    yield from (f"    {line}" for line in _change_lines(change, lang))


def diff(old: Procedure, new: Procedure) -> Difference:
    """Return what differs between two versions of a procedure.

    >>> from svcflow.model.step import Step
    >>> steps = [Step("done", end="completed")]
    >>> old, new = Procedure(id="p", steps=steps), Procedure(id="p", version=2, steps=steps)
    >>> print(diff(old, new).text())
    p v1 → p v2: 1 change, 0 breaking for running instances
    ≠ version: 1 → 2
    """
    return Difference(old, new, changes_between(old, new), matches(old, new))


def _change_lines(change: AttributeChange, lang: Lang, effect: Effect | None = None) -> Iterator[str]:
    where = " › ".join(
        filter(None, (*(_place(place, lang) for place in change.places[1:]), change.attribute))
    )
    stop = "：" if lang == "zh" else ": "
    values = [_shown(value, lang) for value in (change.before, change.after)]
    if values[0] == values[1]:
        values = [json.dumps(value, ensure_ascii=False) for value in (change.before, change.after)]
    written = {"added": values[1], "removed": values[0], "changed": " → ".join(values)}[change.kind]
    word = _EFFECTS[effect].in_(lang) if effect else ""
    yield f"{MARKS[change.kind]} {where}{stop + written if written else ''}{word}"
    broken = broken_by(change)
    if broken is not None:
        yield f"  ! {broken.in_(lang)}"


def _place(place: PathElement, lang: Lang) -> str:
    return f"{_WORDS[place.section].in_(lang)} {place.name}".rstrip()


def _shown(value: object, lang: Lang) -> str:
    """Return a value for people: a name in their language, a thing by its name, the rest as in a document."""
    if value is None:
        return "—"
    if isinstance(value, Mapping):
        if value and value.keys() <= {"zh", "en"}:
            return Text(**value).in_(lang)
        if "name" in value:
            return _shown(value["name"], lang)
        return ", ".join(f"{key}: {_shown(item, lang)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_shown(item, lang) for item in value) or "—"
    return value if isinstance(value, str) else json.dumps(value)


def _match_line(match: StepMatch, lang: Lang) -> str:
    to = match.to or "?"
    others = [name for name in match.candidates if name != match.to]
    maybe = Text(zh=f"；或 {', '.join(others)}", en=f"; or {', '.join(others)}").in_(lang) if others else ""
    return f"{match.step} → {to} ({_MATCHES[match.match].in_(lang)}{maybe})"


def _change_json(change: AttributeChange) -> dict[str, object]:
    broken = broken_by(change)
    return {
        "kind": change.kind,
        "section": change.section,
        "name": change.name,
        "attribute": change.attribute,
        "path": list(change.path),
        "before": change.before,
        "after": change.after,
        "breaking": broken is not None,
        "why": {"zh": broken.zh, "en": broken.en} if broken is not None else None,
    }
