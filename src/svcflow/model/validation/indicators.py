"""Rules of indicators: what each is of, what it counts, a target that can be compared, exclusions with reasons."""

from __future__ import annotations

import re
from collections.abc import Iterator

from svcflow.errors import Path, Problem
from svcflow.model.fullwidth import halved
from svcflow.model.procedure_parts import COUNTS, Indicator, Measured, ProcedureParts
from svcflow.model.validation.references import guard_names, identifier
from svcflow.nearest import nearest
from svcflow.text import Text, is_blank
from svcflow.wording import DEVIATIONS

__all__ = ["indicator_problems", "measured"]

_TARGET = re.compile(r"(?:(?:>=|<=|>|<|=)\s*)?\d+(?:\.\d+)?\s*%?")
_NAMES: dict[Measured, Text] = {
    "limit": Text(zh="时限", en="limit"),
    "rating": Text(zh="评价字段", en="rating"),
    "trigger": Text(zh="流转", en="trigger"),
    "deviation": Text(zh="偏差种类", en="kind of deviation"),
}


def measured(procedure: ProcedureParts, of: str) -> Measured | None:
    """Return what a name is of; None when there is no such thing. A limit comes before a trigger of the same name."""
    if of in procedure.time_limits:
        return "limit"
    if of in procedure.fields and procedure.fields[of].type == "rating":
        return "rating"
    if of in DEVIATIONS:
        return "deviation"
    return "trigger" if of in procedure.triggers else None


def indicator_problems(procedure: ProcedureParts) -> Iterator[Problem]:
    """Yield the mistakes of every indicator."""
    for indicator in procedure.indicators.values():
        path: Path = ("indicators", indicator.id)
        yield from identifier(indicator.id, path)
        yield from _of(procedure, indicator, path)
        yield from _target(indicator, path)
        if indicator.weight is not None and indicator.weight <= 0:
            yield Problem(
                (*path, "weight"),
                Text(zh="权重须大于零", en="a weight is above zero"),
                Text(
                    zh="写大于零的数，或删去指标", en="write a number above zero, or leave the indicator out"
                ),
            )
        for place, rule in enumerate(indicator.exclude):
            yield from guard_names(procedure, rule.when, (*path, "exclude", place, "when"))
            if is_blank(rule.reason.zh) and is_blank(rule.reason.en):
                yield Problem(
                    (*path, "exclude", place, "reason"),
                    Text(zh="剔除须说明理由", en="an exclusion says why"),
                    Text(zh="写 reason: {zh: …, en: …}", en="write reason: {zh: …, en: …}"),
                )


def _of(procedure: ProcedureParts, indicator: Indicator, path: Path) -> Iterator[Problem]:
    of = indicator.of
    if of is None:
        for key in ("numerator", "denominator"):
            if getattr(indicator, key) is not None:
                yield Problem(
                    (*path, key),
                    Text(zh=f"没有 of，{key} 无从计起", en=f"{key} counts nothing without 'of'"),
                    Text(
                        zh="写 of: 时限、评价字段、流转或偏差种类",
                        en="write of: a limit, rating, trigger or kind of deviation",
                    ),
                )
        return
    kind = measured(procedure, of)
    if kind is None:
        yield _nothing_of(procedure, of, (*path, "of"))
    else:
        yield from _counts(indicator, kind, path)


def _counts(indicator: Indicator, kind: Measured, path: Path) -> Iterator[Problem]:
    for key, allowed in zip(("numerator", "denominator"), COUNTS[kind], strict=True):
        given = getattr(indicator, key)
        if given is not None and given not in allowed:
            listed = ", ".join(allowed)
            yield Problem(
                (*path, key),
                Text(
                    zh=f"{_NAMES[kind].zh}的指标没有“{given}”",
                    en=f"an indicator of a {_NAMES[kind].en} has no {key} {given!r}",
                ),
                Text(zh=f"可取：{listed}", en=f"there are: {listed}"),
            )


def _nothing_of(procedure: ProcedureParts, of: str, path: Path) -> Problem:
    ratings = [field.id for field in procedure.fields.values() if field.type == "rating"]
    known = [*procedure.time_limits, *ratings, *sorted(procedure.triggers), *DEVIATIONS]
    return Problem(
        path,
        Text(
            zh=f"没有名为“{of}”的时限、评价字段、流转或偏差种类",
            en=f"there is no limit, rating, trigger or kind of deviation {of!r}",
        ),
        nearest(of, known),
    )


def _target(indicator: Indicator, path: Path) -> Iterator[Problem]:
    written = indicator.target
    if written is None or _TARGET.fullmatch(written.strip()):
        return
    near = halved(written).strip().replace("≥", ">=").replace("≤", "<=").replace("==", "=")
    remedy = (
        f'">= {near}"'
        if re.fullmatch(r"[\d.]+\s*%?", near)
        else f'"{near}"'
        if _TARGET.fullmatch(near)
        else '">= 95%"'
    )
    yield Problem(
        (*path, "target"),
        Text(zh=f"“{written}”不能比较", en=f"{written!r} cannot be compared with"),
        Text(zh=f"写 {remedy}", en=f"write {remedy}"),
    )
