"""Moves that a step makes by itself: after a length of time, or at an instant that the instance carries."""

from __future__ import annotations

from typing import Any

import attrs

from svcflow.model.amount import Amount
from svcflow.model.guard import Guard
from svcflow.model.limit import (
    Row,
    TimeLimit,
    optional_amount,
    optional_anchor,
    optional_guard,
    timer_of_step,
)
from svcflow.model.target import Anchor
from svcflow.text import Text


@attrs.frozen
class MoveInstant:
    """One row of an automatic move: when it is made while the guard is true; first match wins.

    Give exactly one of `after`, a length of time since the step was entered, and `at`, a scheduled instant.
    """

    after: Amount | None = attrs.field(default=None, converter=optional_amount)
    when: Guard | None = attrs.field(default=None, converter=optional_guard)
    source: str | None = None
    at: Anchor | None = attrs.field(default=None, converter=optional_anchor, kw_only=True)

    @property
    def row(self) -> Row:
        """The row of a time limit that is due when the move is made."""
        if self.at is None:
            return Row(self.after, self.when, self.source)
        if self.at.sign < 0:
            return Row(None, self.when, self.source, before=self.at)
        return Row(None, self.when, self.source, after=self.at)


@attrs.frozen
class AutomaticMove:
    """Move that a step makes by itself unless it is left before: the trigger `fire`, when its instant comes.

    Give one of `after`, `at`, or `match` with rows of them. It is no time limit: nothing is overdue at its instant.
    """

    fire: str
    after: Amount | None = attrs.field(default=None, converter=optional_amount, kw_only=True)
    at: Anchor | None = attrs.field(default=None, converter=optional_anchor, kw_only=True)
    match: tuple[MoveInstant, ...] = attrs.field(default=(), converter=tuple, kw_only=True)
    calendar: str | None = attrs.field(default=None, kw_only=True)
    source: str | None = attrs.field(default=None, kw_only=True)

    @property
    def rows(self) -> tuple[MoveInstant, ...]:
        """The matrix, or the one row that the move's own instant stands for."""
        return self.match or (MoveInstant(self.after, source=self.source, at=self.at),)

    def timer(self, step: str, name: Text) -> TimeLimit:
        """Return the timer of the move over a step: a time limit for the kernel, which makes the move when it is due."""
        rows: Any = tuple(
            row.row for row in self.rows
        )  # attrs' converters of collections are beyond mypy's plugin
        return TimeLimit(
            id=timer_of_step(step),
            name=name,
            step=step,
            match=rows,
            source=self.source,
            calendar=self.calendar,
            visits="each",
            # It counts since the step was entered, also when data change which row applies.
            on_change="from_start",
        )
