"""Procedure: the declared, versioned standard, as an immutable value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Literal, Protocol, TypeVar

import attrs

from svcflow.errors import DeclarationError, Path, Problem
from svcflow.model.amount import Amount
from svcflow.model.field import Field
from svcflow.model.limit import TimeLimit, optional_amount
from svcflow.model.parameter import Override, Overrides, Parameter, Quantity, Written, written_quantity
from svcflow.model.parameter_binding import Binding, without_consequences
from svcflow.model.procedure_parts import Certificate, Excellence, Exclusion, HoldRule, Indicator, Role
from svcflow.model.regular_start import RegularStart
from svcflow.model.source import Source, sources_of
from svcflow.model.start_rule import StartRule
from svcflow.model.step import ENFORCE, Enforce, Step, walk
from svcflow.model.validation.parameters import override_problems
from svcflow.model.validation.procedure import problems_of
from svcflow.text import NO_TEXT, Text

__all__ = [
    "AREAS",
    "GROUPS",
    "Area",
    "Certificate",
    "Excellence",
    "Exclusion",
    "Group",
    "HoldRule",
    "Indicator",
    "Procedure",
    "Role",
    "StartRule",
]

Area = Literal["assets", "property", "vehicles", "construction", "catering", "staff", "all"]
AREAS: tuple[Area, ...] = ("assets", "property", "vehicles", "construction", "catering", "staff", "all")
Group = Literal["leaders", "staff", "retirees", "logistics"]
GROUPS: tuple[Group, ...] = ("leaders", "staff", "retirees", "logistics")


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=_Identified)


def _identified(items: Iterable[T], kinds: str) -> list[T]:
    """Return the items, refusing those without an id, such as the keys or values of a document's mapping."""
    objects = list(items)
    for item in objects:
        if not hasattr(item, "id"):
            message = Text(
                zh=f"须为 {kinds} 的对象，不能是 {item!r}", en=f"takes objects ({kinds}), not {item!r}"
            )
            remedy = Text(zh="文件用 svcflow.load 读入", en="read a file with svcflow.load")
            raise DeclarationError([Problem((), message, remedy)])
    return objects


def _steps(steps: Iterable[Step]) -> tuple[Step, ...]:
    return tuple(_identified(steps, "Step"))


def _keyed(items: Iterable[T] | Mapping[str, T]) -> dict[str, T]:
    """Return the items by their ids, refusing one named twice or kept under another's name."""
    objects = _identified(items.values() if isinstance(items, Mapping) else items, "Field, Role, Indicator")
    keyed = {item.id: item for item in objects}
    if len(keyed) != len(objects) or (isinstance(items, Mapping) and keyed.keys() != items.keys()):
        names = ", ".join(item.id for item in objects)
        message = Text(
            zh=f"每个名字只用一次，并与其键一致：{names}",
            en=f"each id is used once and equals its key: {names}",
        )
        raise DeclarationError([Problem((), message)])
    return keyed


@attrs.frozen(kw_only=True, slots=False, eq=True)
class Procedure:
    """One version of a procedure; its first step is where an instance starts.

    Raises: DeclarationError listing every mistake, the same whether built from YAML or in Python.
    """

    id: str
    version: int = 1
    name: Text = NO_TEXT
    area: Area = attrs.field(default="all", validator=attrs.validators.in_(AREAS))
    owner: Text = NO_TEXT
    purpose: Text = NO_TEXT
    effective: date | None = None
    recipients: tuple[Group, ...] = attrs.field(
        default=GROUPS,
        converter=tuple,
        validator=attrs.validators.deep_iterable(attrs.validators.in_(GROUPS)),
    )
    calendar: str = "always"
    sources: Mapping[str, Source] = attrs.field(factory=dict, converter=sources_of)
    parameters: Mapping[str, Parameter] = attrs.field(factory=dict, converter=_keyed)
    fields: Mapping[str, Field] = attrs.field(factory=dict, converter=_keyed)
    roles: Mapping[str, Role] = attrs.field(factory=dict, converter=_keyed)
    certificates: Mapping[str, Certificate] = attrs.field(factory=dict, converter=_keyed)
    enforce: Enforce = ENFORCE
    start: StartRule | None = None
    late_after: Amount | None = attrs.field(default=None, converter=optional_amount)
    """How much later than it happened something may be recorded; later is a `late_record`."""
    holds: tuple[HoldRule, ...] = attrs.field(default=(), converter=tuple)
    starts: tuple[RegularStart, ...] = attrs.field(default=(), converter=tuple)
    """When instances begin by themselves."""
    steps: tuple[Step, ...] = attrs.field(converter=_steps)
    limits: tuple[TimeLimit, ...] = attrs.field(default=(), converter=tuple)
    indicators: Mapping[str, Indicator] = attrs.field(factory=dict, converter=_keyed)
    excellence: Excellence | None = None

    def __attrs_post_init__(self) -> None:
        binding = self._bind()
        problems = (*binding.problems, *without_consequences(problems_of(self), binding.problems))
        if problems:
            raise DeclarationError(problems)

    def _bind(self) -> Binding:
        """Put the values of parameters where they are named."""
        binding = Binding(self.parameters)
        for attribute in attrs.fields(Procedure):
            if attribute.name not in ("parameters", "sources"):
                part = getattr(self, attribute.name)
                bound = binding.bound(part, (attribute.name,))
                if bound is not part:
                    object.__setattr__(self, attribute.name, bound)
        return binding

    def with_parameters(self, values: Overrides | Mapping[str, Override | Quantity | str]) -> Procedure:
        """Return the procedure with other values of its parameters; those that are not given have their declared ones.

        Raises: DeclarationError for a parameter that is not declared, and for a value that it cannot have.
        """
        given = values if isinstance(values, Overrides) else Overrides(id=self.id, values=values)
        problems = tuple(override_problems(self.parameters, self.sources, given))
        if problems:
            raise DeclarationError(problems)
        overrides = given.of(self.sources)
        parameters: Mapping[str, Parameter] = {
            name: attrs.evolve(parameter, override=overrides.get(name))
            for name, parameter in self.parameters.items()
        }
        return attrs.evolve(self, parameters=parameters)  # type: ignore[arg-type]  # its converter is generic

    @cached_property
    def overridden(self) -> Mapping[str, Written]:
        """The values in force of parameters, as written, that are not those declared."""
        return {
            name: written_quantity(parameter.in_force)
            for name, parameter in self.parameters.items()
            if parameter.in_force != parameter.value
        }

    @cached_property
    def parameter_uses(self) -> Mapping[str, Sequence[Path]]:
        """The places at which each parameter is named."""
        return self._bind().uses

    @cached_property
    def all_steps(self) -> Mapping[str, Step]:
        """Every step by id, those inside branches included, in declared order."""
        return {step.id: step for step in walk(self.steps)}

    @cached_property
    def time_limits(self) -> Mapping[str, TimeLimit]:
        """Every limit by id: those of steps, then spans and whole-procedure limits."""
        own = [limit for step in walk(self.steps) for limit in step.time_limits]
        return {limit.id: limit for limit in (*own, *self.limits)}

    @cached_property
    def triggers(self) -> frozenset[str]:
        """Every trigger the procedure declares."""
        return frozenset(move.trigger for step in walk(self.steps) for move in step.to)

    def __hash__(self) -> int:
        return hash((self.id, self.version))

    def __str__(self) -> str:
        return f"{self.id} v{self.version}"
