"""Parts of a procedure: role, indicator, rule of holds; and the protocol that validation reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import attrs

from svcflow.model.amount import Amount
from svcflow.model.field import Field
from svcflow.model.limit import TimeLimit, optional_amount
from svcflow.model.step import Enforce, HoldReason, Step
from svcflow.text import NO_TEXT, Text


@attrs.frozen
class Role:
    """Role of those who act."""

    id: str
    name: Text = attrs.field(default=NO_TEXT, kw_only=True)


@attrs.frozen
class Indicator:
    """Measured value with a target, of a limit or of the whole procedure."""

    id: str
    name: Text = attrs.field(default=NO_TEXT, kw_only=True)
    of: str | None = attrs.field(default=None, kw_only=True)
    target: str | None = attrs.field(default=None, kw_only=True)
    source: str | None = attrs.field(default=None, kw_only=True)


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
    def sources(self) -> Mapping[str, str]: ...
    @property
    def late_after(self) -> Amount | None: ...
    @property
    def holds(self) -> tuple[HoldRule, ...]: ...
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
