"""Parts of a procedure: role, indicator, rule of holds; and the protocol that validation reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

import attrs

from svcflow.bounds import number
from svcflow.model.amount import Amount
from svcflow.model.field import Field
from svcflow.model.guard import Guard
from svcflow.model.limit import TimeLimit, optional_amount
from svcflow.model.parameter import Parameter
from svcflow.model.regular_start import RegularStart
from svcflow.model.source import Source
from svcflow.model.start_rule import StartRule
from svcflow.model.step import Enforce, HoldReason, Step
from svcflow.text import NO_TEXT, Text


def _guard(written: object) -> Guard:
    return written if isinstance(written, Guard) else Guard(str(written))


@attrs.frozen
class Certificate:
    """Certificate that shows who is qualified for a step; who holds it, a register says."""

    id: str
    name: Text = attrs.field(default=NO_TEXT, kw_only=True)


@attrs.frozen
class Role:
    """Role of those who act."""

    id: str
    name: Text = attrs.field(default=NO_TEXT, kw_only=True)


Numerator = Literal[
    "met", "late", "instances", "occurrences", "rated", "very_satisfied", "satisfied_or_better", "fair_or_better",
    "dissatisfied_or_worse",
]  # fmt: skip
Denominator = Literal["judged", "started", "ended", "rated"]


@attrs.frozen(kw_only=True)
class Exclusion:
    """Instances that an indicator leaves out, and why."""

    when: Guard = attrs.field(converter=_guard)
    reason: Text


@attrs.frozen
class Indicator:
    """Measured value with a target: of a limit, a rating, a trigger, or a kind of deviation.

    It is the share of `numerator` in `denominator`; which ones there are hangs on what it is of (`COUNTS`), and the
    first of each is taken where none is given. `weight` says how much it weighs beside the others.
    """

    id: str
    name: Text = attrs.field(default=NO_TEXT, kw_only=True)
    of: str | None = attrs.field(default=None, kw_only=True)
    target: str | None = attrs.field(default=None, kw_only=True)
    source: str | None = attrs.field(default=None, kw_only=True)
    numerator: Numerator | None = attrs.field(default=None, kw_only=True)
    denominator: Denominator | None = attrs.field(default=None, kw_only=True)
    exclude: tuple[Exclusion, ...] = attrs.field(default=(), converter=tuple, kw_only=True)
    weight: int | float | None = attrs.field(default=None, validator=number, kw_only=True)


Measured = Literal["limit", "rating", "trigger", "deviation"]
COUNTS: Mapping[Measured, tuple[tuple[Numerator, ...], tuple[Denominator, ...]]] = {
    "limit": (("met", "late"), ("judged", "started")),
    "rating": (
        ("fair_or_better", "satisfied_or_better", "very_satisfied", "dissatisfied_or_worse", "rated"),
        ("rated", "ended"),
    ),
    "trigger": (("instances", "occurrences"), ("ended", "started")),
    "deviation": (("instances", "occurrences"), ("ended", "started")),
}
"""What may stand above and below the line of an indicator, by what it is of; the first of each is the default."""


@attrs.frozen(kw_only=True)
class Excellence:
    """Service beyond the standard: earlier, foreseen, confirmed by whoever was served; never at a cost.

    Source: 机关事务管理条例 §27, by which nothing may be supplied beyond the prescribed items and standards.
    """

    cost_effect: Literal["none"] = attrs.field(default="none", validator=attrs.validators.in_(("none",)))


@attrs.frozen
class HoldRule:
    """How long a hold for one reason may last, and the evidence it requires."""

    reason: HoldReason
    at_most: Amount | None = attrs.field(default=None, converter=optional_amount, kw_only=True)
    evidence: tuple[str, ...] = attrs.field(default=(), converter=tuple, kw_only=True)


class ProcedureParts(Protocol):
    """Attributes of a `Procedure` that validation reads.

    A procedure is validated when it is built, so its module imports the validation; this protocol keeps the
    validation from importing the module of the class back.
    """

    @property
    def id(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def fields(self) -> Mapping[str, Field]: ...
    @property
    def roles(self) -> Mapping[str, Role]: ...
    @property
    def certificates(self) -> Mapping[str, Certificate]: ...
    @property
    def parameters(self) -> Mapping[str, Parameter]: ...
    @property
    def sources(self) -> Mapping[str, Source]: ...
    @property
    def start(self) -> StartRule | None: ...
    @property
    def late_after(self) -> Amount | None: ...
    @property
    def holds(self) -> tuple[HoldRule, ...]: ...
    @property
    def starts(self) -> tuple[RegularStart, ...]: ...
    @property
    def steps(self) -> tuple[Step, ...]: ...
    @property
    def limits(self) -> tuple[TimeLimit, ...]: ...
    @property
    def indicators(self) -> Mapping[str, Indicator]: ...
    @property
    def enforce(self) -> Enforce: ...
    @property
    def all_steps(self) -> Mapping[str, Step]: ...
    @property
    def time_limits(self) -> Mapping[str, TimeLimit]: ...
    @property
    def triggers(self) -> frozenset[str]: ...
