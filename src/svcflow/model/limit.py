"""Time limits as a procedure declares them: what, from where to where, how long, who is warned.

A limit says nothing about one instance; the deadline it gives there is the kernel's to compute.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

import attrs

from svcflow.errors import DeclarationError, Problem
from svcflow.model.amount import Amount
from svcflow.model.guard import Guard
from svcflow.text import NO_TEXT, Text

Severity = Literal["minor", "major", "critical"]
SEVERITIES: tuple[Severity, ...] = ("minor", "major", "critical")
PROPOSAL = "proposal"

_PERCENT = re.compile(r"(\d{1,4}(?:\.\d{1,3})?)\s*%")


def optional_amount(written: object) -> Amount | None:
    """Convert a written amount, keeping None."""
    return None if written is None else Amount.parse(written)


def optional_guard(written: object) -> Guard | None:
    """Convert a written guard, keeping None."""
    return written if written is None or isinstance(written, Guard) else Guard(str(written))


@attrs.frozen
class Rung:
    """Stand for one row of a warning or escalation ladder.

    `at` is a share of the limit (`75%`) or a time after the deadline (`+30m`), in the limit's own clock.
    """

    at: str = attrs.field(converter=str)
    role: str | None = None
    action: str | None = None

    def __attrs_post_init__(self) -> None:
        if _PERCENT.fullmatch(self.at) is None:
            if not self.at.startswith("+"):
                raise DeclarationError([_bad_rung(self.at)])
            Amount.parse(self.at[1:])

    @property
    def share(self) -> Decimal | None:
        """The share of the limit, 1 being the deadline; None for a time after it."""
        match = _PERCENT.fullmatch(self.at)
        return Decimal(match[1]) / 100 if match else None

    @property
    def after(self) -> Amount | None:
        """The time after the deadline; None for a share."""
        return Amount.parse(self.at[1:]) if self.at.startswith("+") else None


def _bad_rung(at: str) -> Problem:
    return Problem(
        (),
        Text(zh=f"“{at}”不是预警点", en=f"{at!r} is no point of a ladder"),
        Text(zh="写 75% 或 +30m", en="write 75% or +30m"),
    )


def _rungs(rows: Iterable[Rung | str]) -> tuple[Rung, ...]:
    return tuple(row if isinstance(row, Rung) else Rung(row) for row in rows)


@attrs.frozen
class Row:
    """Stand for one row of a matrix: the limit that holds when the guard is true; first match wins."""

    within: Amount | None = attrs.field(default=None, converter=optional_amount)
    when: Guard | None = attrs.field(default=None, converter=optional_guard)
    source: str | None = None
    no_target: bool = False


@attrs.frozen(kw_only=True)
class TimeLimit:
    """Declare one time limit over a step, a span of steps or the whole procedure.

    Give `within` or `match`. A span runs from entering `from_` to entering `to`; without both, and without
    `step`, the limit runs from start to end of the procedure. `step` limits are usually written at the step.
    """

    id: str = ""
    name: Text = NO_TEXT
    step: str | None = None
    from_: str | None = None
    to: str | None = None
    within: Amount | None = attrs.field(default=None, converter=optional_amount)
    match: tuple[Row, ...] = attrs.field(default=(), converter=tuple)
    source: str | None = None
    calendar: str | None = None
    severity: Severity = attrs.field(default="minor", validator=attrs.validators.in_(SEVERITIES))
    warn: tuple[Rung, ...] = attrs.field(default=(), converter=_rungs)
    escalate: tuple[Rung, ...] = attrs.field(default=(), converter=_rungs)
    on_overdue: str | None = None
    recipient_facing: bool = False
    stoppable: bool = True
    on_change: Literal["from_start", "from_now"] | None = attrs.field(
        default=None, validator=attrs.validators.in_(("from_start", "from_now", None))
    )

    @property
    def rows(self) -> tuple[Row, ...]:
        """The matrix, or the one row that `within` stands for."""
        return self.match or (Row(within=self.within, source=self.source),)

    @property
    def scope(self) -> Literal["step", "span", "procedure"]:
        """Over what the limit runs."""
        if self.step is not None:
            return "step"
        return "span" if self.from_ is not None or self.to is not None else "procedure"
