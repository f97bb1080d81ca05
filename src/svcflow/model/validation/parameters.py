"""Rules of parameters: names of their own, values within their bounds, sources that are listed."""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Mapping

import attrs

from svcflow.errors import Path, Problem
from svcflow.model.guard import FUNCTIONS
from svcflow.model.parameter import Override, Overrides, Parameter, kind_of, size
from svcflow.model.procedure_parts import ProcedureParts
from svcflow.model.source import PROPOSAL, Source, source_keys
from svcflow.model.validation.references import RECIPIENT, RENAME, identifier, unknown
from svcflow.text import Text


def parameter_problems(procedure: ProcedureParts) -> Iterator[Problem]:
    """Yield the mistakes of the parameters that a procedure declares."""
    for parameter in procedure.parameters.values():
        path: Path = ("parameters", parameter.id)
        yield from identifier(parameter.id, path)
        yield from _name(procedure, parameter.id, path)
        yield from _bounds(parameter, path)
        if parameter.unit is not None and kind_of(parameter.value) != "number":
            yield Problem(
                (*path, "unit"),
                Text(zh="只有数才写 unit", en="only a number has a unit of its own"),
                Text(
                    zh=f"删去 unit，单位已在 {parameter.value} 中",
                    en=f"leave unit out: {parameter.value} says it",
                ),
            )


def override_problems(
    parameters: Mapping[str, Parameter], sources: Mapping[str, Source], overrides: Overrides
) -> Iterator[Problem]:
    """Yield the mistakes of the values that an institution sets for the parameters of a procedure."""
    known = (*overrides.sources, *sources, PROPOSAL)
    for override in overrides.values.values():
        path: Path = ("values", override.id)
        parameter = parameters.get(override.id)
        if parameter is None:
            yield unknown(path, "参数", "parameter", override.id, parameters)
            continue
        problem = parameter.refuses(override.value)
        if problem is not None:
            yield attrs.evolve(problem, path=path)
        if override.unit is not None and override.unit != parameter.unit:
            yield _other_unit(parameter, override, path)
        for key in source_keys(override.source):
            if key not in known:
                yield unknown((*path, "source"), "来源", "source", key, known)


def _name(procedure: ProcedureParts, name: str, path: Path) -> Iterator[Problem]:
    if name == RECIPIENT or name in FUNCTIONS or keyword.iskeyword(name):
        yield Problem(path, Text(zh=f"{name} 为保留名", en=f"{name!r} is reserved in guards"), RENAME)
    elif name in procedure.fields:
        yield Problem(path, Text(zh=f"{name} 已是字段名", en=f"{name!r} is the name of a field"), RENAME)
    elif name[:1].isdecimal():
        yield Problem(
            path,
            Text(zh=f"“{name}”会读作数或时长", en=f"{name!r} would be read as a number or an amount of time"),
            Text(zh="参数名以字母开头", en="begin the name of a parameter with a letter"),
        )


def _bounds(parameter: Parameter, path: Path) -> Iterator[Problem]:
    unbounded = attrs.evolve(parameter, minimum=None, maximum=None)
    for key, bound in (("minimum", parameter.minimum), ("maximum", parameter.maximum)):
        problem = None if bound is None else unbounded.refuses(bound)
        if problem is not None:
            yield attrs.evolve(problem, path=(*path, key))
    low, high = parameter.minimum, parameter.maximum
    if low is not None and high is not None and kind_of(low) == kind_of(high) and size(low) > size(high):
        yield Problem(
            (*path, "minimum"),
            Text(zh="minimum 大于 maximum", en="the minimum is above the maximum"),
            Text(zh="两者对调", en="swap the two"),
        )
        return
    problem = parameter.refuses(parameter.value)
    if problem is not None:
        yield attrs.evolve(problem, path=(*path, "value"))


def _other_unit(parameter: Parameter, override: Override, path: Path) -> Problem:
    unit = parameter.unit
    message = Text(zh=f"参数 {parameter.id} 没有单位", en=f"parameter {parameter.id} has no unit")
    if unit:
        message = Text(
            zh=f"参数 {parameter.id} 的单位是 {unit}，不能是 {override.unit}",
            en=f"parameter {parameter.id} is in {unit}, not in {override.unit}",
        )
    remedy = Text(zh="改用同一单位，或删去 unit", en="use the same unit, or leave unit out")
    return Problem((*path, "unit"), message, remedy)
