"""Findings of `svcflow doctor`: one thing about this machine, its state, and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

import attrs

from svcflow.cli.language import Tongue
from svcflow.text import NO_TEXT, Text
from svcflow.text_table import table
from svcflow.wording import many

__all__ = ["Probe", "State", "plain", "probes_text"]

State = Literal["ok", "note", "warning", "failure"]
_STATES: Mapping[State, Text] = {
    "ok": Text(zh="正常", en="ok"),
    "note": Text(zh="提示", en="note"),
    "warning": Text(zh="注意", en="warning"),
    "failure": Text(zh="有误", en="failure"),
}


@attrs.frozen
class Probe:
    """One finding; `data` are its figures, for programs."""

    id: str
    name: Text
    state: State
    message: Text
    remedy: Text = NO_TEXT
    data: Mapping[str, object] = attrs.field(factory=dict)

    def to_json(self) -> dict[str, object]:
        """Return plain data with keys that stay."""
        return {
            "id": self.id,
            "state": self.state,
            "said": {"zh": self.message.zh, "en": self.message.en},
            "remedy": {"zh": self.remedy.zh, "en": self.remedy.en},
            "data": dict(self.data),
        }


def plain(text: str) -> Text:
    """Return a text that is the same in both languages: versions, paths."""
    return Text(zh=text, en=text)


def probes_text(probes: Sequence[Probe], lang: Tongue) -> str:
    """Return the table of findings, and their number by state."""
    rows = []
    for probe in probes:
        rows.append((_STATES[probe.state].in_(lang), probe.name.in_(lang), probe.message.in_(lang)))
        if probe.remedy:
            rows.append(("", "", f"→ {probe.remedy.in_(lang)}"))
    heads = (Text(zh="情况", en="State"), Text(zh="项目", en="What"), Text(zh="说明", en="Found"))
    numbers = Counter(probe.state for probe in probes)
    counts = (", " if lang == "en" else "，").join(
        _count(numbers[state], state).in_(lang) for state in _STATES if numbers[state]
    )
    return f"{table([head.in_(lang) for head in heads], rows, flows=True)}\n\n  {counts}"


def _count(number: int, state: State) -> Text:
    word = _STATES[state]
    return Text(
        zh=f"{number} {word.zh}", en=f"{number} {word.en}" if state == "ok" else many(number, word.en)
    )
