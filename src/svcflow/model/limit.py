"""Time limits as a procedure declares them: what, from where to where, how long, who is warned.

The deadline that a limit gives for one instance is computed in the kernel.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from decimal import Decimal
from typing import Literal

import attrs

from svcflow.bounds import LONGEST, count
from svcflow.errors import DeclarationError, Problem
from svcflow.model.amount import Amount, named_amount, parameter_name
from svcflow.model.fullwidth import fullwidth_remedy, halved
from svcflow.model.guard import Guard
from svcflow.model.target import TARGET_KINDS, Anchor, ClockTime, Target, TargetKind, named_clock_time
from svcflow.text import NO_TEXT, Text

Severity = Literal["minor", "major", "critical"]
SEVERITIES: tuple[Severity, ...] = ("minor", "major", "critical")
Visits = Literal["first", "each", "sum"]
"""Which visits of a step a limit judges: only the first, each by itself, or all of them together."""
VISITS: tuple[Visits, ...] = ("first", "each", "sum")
END = "end"
"""What `to` of a span says for any end of the procedure, where no step has this id."""

_HOLD, _WAIT, _TIMER = "hold.", ".wait", ".then"
"""What the ids of limits that nobody names are made with; no id that somebody gives has a dot."""

_PERCENT = re.compile(r"(\d{1,4}(?:\.\d{1,3})?)\s*%")


def hold_limit(reason: str) -> str:
    """Return the id of the limit over a hold for a reason."""
    return f"{_HOLD}{reason}"


def reason_of(limit: str) -> str:
    """Return the reason of the hold a limit is over; empty when it is over none."""
    return limit.removeprefix(_HOLD) if limit.startswith(_HOLD) else ""


def wait_limit(step: str) -> str:
    """Return the id of the limit over the waiting of a step; `within` has the step's own id."""
    return f"{step}{_WAIT}"


def timer_of_step(step: str) -> str:
    """Return the id of the timer of a step's automatic move, `then`."""
    return f"{step}{_TIMER}"


def step_of_timer(limit: str) -> str:
    """Return the step whose automatic move a timer makes; empty for a limit."""
    return limit.removesuffix(_TIMER) if limit.endswith(_TIMER) else ""


def step_of(limit: str) -> tuple[str, bool]:
    """Return the step that a limit over one step is named after, and whether it is over its waiting."""
    return limit.removesuffix(_WAIT), limit.endswith(_WAIT)


def optional_amount(written: object) -> Amount | None:
    """Convert a written amount, or the name of a parameter that sets one, keeping None."""
    return None if written is None else named_amount(written)


def _days(written: int | str) -> int:
    """Convert a number of days as people write it: `1` or `+1`."""
    return int(written) if isinstance(written, str) else written


def optional_guard(written: object) -> Guard | None:
    """Convert a written guard, keeping None."""
    return written if written is None or isinstance(written, Guard) else Guard(str(written))


def optional_anchor(written: object) -> Anchor | None:
    """Convert a written anchor, keeping None."""
    return None if written is None else Anchor.parse(written)


def optional_clock_time(written: object) -> ClockTime | None:
    """Convert a written time of day, or the name of a parameter that sets one, keeping None."""
    return None if written is None else named_clock_time(written)


@attrs.frozen
class Rung:
    """One row of a warning or escalation ladder.

    `at` is a share of the limit (`75%`), a time after the deadline (`+30m`) or, for clock times and anchors,
    before it (`-10m`), in the limit's own clock; or a time after or before it in working units (`+1wd`, `-4wh`),
    whatever the limit's clock. A parameter may set the time (`+grace`).
    """

    at: str = attrs.field(converter=str)
    role: str | None = None
    action: str | None = None
    offset: Amount | None = attrs.field(default=None, eq=False, repr=False, kw_only=True)
    """Time after the deadline or before it, which `at` writes; None for a share."""

    def __attrs_post_init__(self) -> None:
        if _PERCENT.fullmatch(self.at) is None:
            if self.at[:1] not in ("+", "-"):
                raise DeclarationError([_bad_rung(self.at)])
            if self.offset is None:
                object.__setattr__(self, "offset", named_amount(self.at[1:]))

    @property
    def point(self) -> str:
        """Where it stands, as `at` writes it, with the value of a parameter in the place of its name."""
        return f"{self.at[0]}{self.offset}" if parameter_name(self.at[1:]) else self.at

    @property
    def share(self) -> Decimal | None:
        """Share of the limit, 1 being the deadline; None for a time before or after it."""
        match = _PERCENT.fullmatch(self.at)
        return Decimal(match[1]) / 100 if match else None

    @property
    def after(self) -> Amount | None:
        """Time after the deadline; None for the other forms."""
        return self.offset if self.at.startswith("+") else None

    @property
    def ahead(self) -> Amount | None:
        """Time before the deadline; None for the other forms."""
        return self.offset if self.at.startswith("-") else None


def _bad_rung(at: str) -> Problem:
    return Problem(
        (),
        Text(zh=f"“{at}”不是预警点", en=f"{at!r} is no point of a ladder"),
        _rung_remedy(at),
    )


def _rung_remedy(at: str) -> Text:
    fixed = re.sub(r"\s", "", halved(at))
    if fixed.isdecimal():
        return Text(zh=f"写 {fixed}%，或 -{fixed}m", en=f"write {fixed}%, or -{fixed}m")
    if fixed != at and (_PERCENT.fullmatch(fixed) or fixed[:1] in ("+", "-")):
        return fullwidth_remedy(at, fixed) or Text(zh=f"写 {fixed}", en=f"write {fixed}")
    return Text(zh="写 75%、+30m 或 -10m", en="write 75%, +30m or -10m")


def _rungs(rows: Iterable[Rung | str]) -> tuple[Rung, ...]:
    return tuple(row if isinstance(row, Rung) else Rung(row) for row in rows)


@attrs.frozen
class Row:
    """One row of a matrix: the target that holds when the guard is true; first match wins.

    Give exactly one of `within`, `by`, `before`, `after`, `at_least`, `every`, or `no_target`. `calendar` is the one it
    counts on, where that is not the calendar of the limit.
    """

    within: Amount | None = attrs.field(default=None, converter=optional_amount)
    when: Guard | None = attrs.field(default=None, converter=optional_guard)
    source: str | None = None
    no_target: bool = False
    by: ClockTime | None = attrs.field(default=None, converter=optional_clock_time, kw_only=True)
    cutoff: ClockTime | None = attrs.field(default=None, converter=optional_clock_time, kw_only=True)
    day: int = attrs.field(default=0, converter=_days, validator=count(0, LONGEST["wd"]), kw_only=True)
    before: Anchor | None = attrs.field(default=None, converter=optional_anchor, kw_only=True)
    after: Anchor | None = attrs.field(default=None, converter=optional_anchor, kw_only=True)
    at_least: Amount | None = attrs.field(default=None, converter=optional_amount, kw_only=True)
    every: Amount | None = attrs.field(default=None, converter=optional_amount, kw_only=True)
    calendar: str | None = attrs.field(default=None, kw_only=True)

    @property
    def kinds(self) -> tuple[TargetKind, ...]:
        """Kinds of target that are given; a valid row has at most one."""
        return tuple(kind for kind in TARGET_KINDS if getattr(self, kind) is not None)

    @property
    def target(self) -> Target | None:
        """Target of the row; None when it sets none. Rows that demand the same have equal targets."""
        if not self.kinds:
            return None
        kind = self.kinds[0]
        if kind == "by":
            cutoff = self.cutoff and self.cutoff.plain
            return Target(kind, time=self.by and self.by.plain, cutoff=cutoff, day=self.day)
        if kind in ("before", "after"):
            return Target(kind, anchor=getattr(self, kind).plain)
        return Target(kind, amount=getattr(self, kind).plain)


@attrs.frozen
class Extension:
    """Permission to prolong a limit once: by how much, by whom, with which evidence."""

    by: Amount = attrs.field(converter=named_amount)
    role: str | None = None
    evidence: tuple[str, ...] = attrs.field(default=(), converter=tuple)


@attrs.frozen(kw_only=True)
class TimeLimit:
    """Time limit over a step, a span of steps or the whole procedure.

    Give one of `within`, `by`, `before`, `after`, `at_least`, `every`, or `match` with rows of them. A span
    runs from entering `from_` to entering `to`, or until `to_trigger` is fired; `to` is `end` for any end of the
    procedure. Without these, and without `step`, the limit runs from start to end of the procedure. The `within` of a step is usually written at the step. `done_by` is the trigger
    that counts as one occurrence of `every`. Of a step that is entered again, `visits` says whether the time of
    all visits adds up (`sum`), each is judged by itself, or only the first is. A span with `if_reached` owes nothing until
    its end is reached: then it is judged. `early_is_better` says that being done sooner than is demanded serves better.
    """

    id: str = ""
    name: Text = NO_TEXT
    step: str | None = None
    from_: str | None = None
    to: str | None = None
    within: Amount | None = attrs.field(default=None, converter=optional_amount)
    by: ClockTime | None = attrs.field(default=None, converter=optional_clock_time)
    cutoff: ClockTime | None = attrs.field(default=None, converter=optional_clock_time)
    day: int = attrs.field(default=0, converter=_days, validator=count(0, LONGEST["wd"]))
    before: Anchor | None = attrs.field(default=None, converter=optional_anchor)
    after: Anchor | None = attrs.field(default=None, converter=optional_anchor)
    at_least: Amount | None = attrs.field(default=None, converter=optional_amount)
    every: Amount | None = attrs.field(default=None, converter=optional_amount)
    done_by: str | None = None
    match: tuple[Row, ...] = attrs.field(default=(), converter=tuple)
    source: str | None = None
    calendar: str | None = None
    severity: Severity = attrs.field(default="minor", validator=attrs.validators.in_(SEVERITIES))
    warn: tuple[Rung, ...] = attrs.field(default=(), converter=_rungs)
    escalate: tuple[Rung, ...] = attrs.field(default=(), converter=_rungs)
    in_opening_hours: bool = attrs.field(default=False, validator=attrs.validators.instance_of(bool))
    on_overdue: str | None = None
    extension: Extension | None = None
    recipient_facing: bool = False
    stoppable: bool = True
    on_change: Literal["from_start", "from_now"] | None = attrs.field(
        default=None, validator=attrs.validators.in_(("from_start", "from_now", None))
    )
    visits: Visits = attrs.field(default="sum", validator=attrs.validators.in_(VISITS))
    to_trigger: str | None = None
    if_reached: bool = False
    early_is_better: bool = False

    @property
    def rows(self) -> tuple[Row, ...]:
        """The matrix, or the one row that the limit's own target stands for."""
        return self.match or (
            Row(
                self.within,
                source=self.source,
                by=self.by,
                cutoff=self.cutoff,
                day=self.day,
                before=self.before,
                after=self.after,
                at_least=self.at_least,
                every=self.every,
            ),
        )

    @property
    def scope(self) -> Literal["step", "span", "procedure"]:
        """What the limit runs over: a step, a span, or the whole procedure."""
        if self.step is not None:
            return "step"
        ends = (self.from_, self.to, self.to_trigger)
        return "procedure" if all(end is None for end in ends) else "span"

    def lasts_to_end(self, steps: Container[str]) -> bool:
        """Return whether this is a span to any end of a procedure with these steps; a step called `end` is that step."""
        return self.to == END and END not in steps
