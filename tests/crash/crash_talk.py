"""What writers said until they were killed, or lost their server."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

Command = tuple[str, int]


@attrs.frozen
class Talk:
    """Hold what the writers of one round asked, and what was acknowledged to them."""

    asked: set[Command]
    acknowledged: set[Command]

    @property
    def names(self) -> list[str]:
        """The instances that were asked for."""
        return sorted({name for name, _ in self.asked})

    def done(self, name: str) -> set[int]:
        """What was acknowledged of one instance."""
        return {number for one, number in self.acknowledged if one == name}

    def left_open(self, name: str) -> set[int]:
        """What was asked of one instance and not acknowledged; a writer asks one thing at a time."""
        found = {number for one, number in self.asked if one == name} - self.done(name)
        assert len(found) <= 1
        return found


def talk_of(lines: Iterable[str]) -> Talk:
    """Read the whole lines; the last one of a killed process may be cut."""
    said = [line.split() for line in lines if line.startswith(("ask", "ack")) and line.endswith("\n")]
    words = [(word, (name, int(number))) for word, name, number in said]
    return Talk(
        {what for word, what in words if word == "ask"}, {what for word, what in words if word == "ack"}
    )
