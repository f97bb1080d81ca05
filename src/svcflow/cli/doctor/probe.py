"""A probe's finding: one thing about this machine, how it stands, and what to do. It looks at nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import attrs

from svcflow.text import NO_TEXT, Text
from svcflow.wording import many

__all__ = ["STATES", "Probe", "State", "counted", "plain"]

State = Literal["ok", "note", "warning", "failure"]
STATES: Mapping[State, Text] = {
    "ok": Text(zh="正常", en="ok"),
    "note": Text(zh="提示", en="note"),
    "warning": Text(zh="注意", en="warning"),
    "failure": Text(zh="有误", en="failure"),
}


@attrs.frozen
class Probe:
    """Hold one finding; `data` are its figures, for programs."""

    id: str
    name: Text
    state: State
    said: Text
    remedy: Text = NO_TEXT
    data: Mapping[str, object] = attrs.field(factory=dict)

    def to_json(self) -> dict[str, object]:
        """Return plain data with keys that stay."""
        return {
            "id": self.id,
            "state": self.state,
            "said": {"zh": self.said.zh, "en": self.said.en},
            "remedy": {"zh": self.remedy.zh, "en": self.remedy.en},
            "data": dict(self.data),
        }


def counted(count: int, state: State) -> Text:
    """Count findings of one state."""
    word = STATES[state]
    return Text(zh=f"{count} {word.zh}", en=f"{count} {word.en}" if state == "ok" else many(count, word.en))


def plain(said: str) -> Text:
    """Return a wording that is the same in both languages: versions, paths."""
    return Text(zh=said, en=said)
