"""The notes under a map: limits over several steps, and limits that depend on the case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from svcflow.drawing.scene import phrases
from svcflow.drawing.scene.scene import Note
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import Procedure
from svcflow.model.step import walk
from svcflow.model.target import Target
from svcflow.text import Text


def notes_of(procedure: Procedure, number: Mapping[str, str]) -> Iterator[Note]:
    """Yield the notes; steps are called by their numbers."""
    for limit in procedure.limits:
        yield Note(head=_scope(procedure, limit, number), body=_cases(limit))
    for step in walk(procedure.steps):
        for limit in step.time_limits:
            if len(limit.rows) > 1:
                name = phrases.name_of(limit.name, step.id)
                at = number.get(step.id, "")
                yield Note(
                    head=Text(zh=f"{at} {name.zh or name.en}", en=f"{at} {name.en or name.zh}"),
                    body=_cases(limit),
                )


def _scope(procedure: Procedure, limit: TimeLimit, number: Mapping[str, str]) -> Text:
    name = phrases.name_of(limit.name, limit.id)
    if limit.step is not None:
        place = number.get(limit.step, "")
        return Text(zh=f"{place} {name.zh or name.en}".strip(), en=f"{place} {name.en or name.zh}".strip())
    ends = []
    for key, edge in ((limit.from_, Text(zh="开始", en="start")), (limit.to, Text(zh="结束", en="end"))):
        step = procedure.all_steps.get(key) if key else None
        if step is None:
            ends.append(edge)
        else:
            called = phrases.name_of(step.name, step.id)
            at = number.get(step.id, "")
            ends.append(
                Text(zh=f"{at} {called.zh or called.en}".strip(), en=f"{at} {called.en or called.zh}".strip())
            )
    zh, en = (" → ".join(end.in_(lang) for end in ends) for lang in ("zh", "en"))
    return Text(zh=f"{name.zh or name.en}（{zh}）", en=f"{name.en or name.zh} ({en})")


def _target(target: Target | None) -> Text:
    if target is None:
        return Text(zh="无时限", en="no limit")
    most = "≤ " if target.kind == "within" else ""
    return Text(zh=f"{most}{target.text('zh')}", en=f"{most}{target.text('en')}")


def _cases(limit: TimeLimit) -> Text:
    zh, en = [], []
    for row in limit.rows:
        said = _target(row.target)
        if row.when is not None:
            guard = phrases.condition_text(str(row.when))
            said = Text(zh=f"{guard} {said.zh}", en=f"{guard} {said.en}")
        elif len(limit.rows) > 1:
            said = Text(zh=f"其余 {said.zh}", en=f"otherwise {said.en}")
        zh.append(said.zh)
        en.append(said.en)
    return Text(zh="；".join(zh), en="; ".join(en))
