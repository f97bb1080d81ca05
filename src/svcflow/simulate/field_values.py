"""Values of the fields of simulated instances: from a scenario's mix, or else from what the procedure declares."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import accumulate, pairwise

from svcflow.checks.guard_samples import constants_of
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import to_datetime
from svcflow.model.amount import DAY_US
from svcflow.model.field import Field, Value
from svcflow.model.guard import Guard
from svcflow.model.scenario import Duration, FieldMix, Fixed, NumberDistribution, Shares
from svcflow.simulate.sampling import number_sampler, sampler
from svcflow.worktime.calendar import WorkCalendar
from svcflow.worktime.instants import to_us

__all__ = [
    "INSTANT_DAYS",
    "PLACEHOLDER",
    "ValueSampler",
    "early_enough",
    "field_constants",
    "shared_value",
    "value_sampler",
]

PLACEHOLDER = "simulated"
INSTANT_DAYS = 10
"""How far ahead an instant is drawn at most, where the scenario says nothing of it."""
MINUTE_US = 60_000_000
_TRUTHS: Mapping[str, Value] = {"true": True, "false": False}

ValueSampler = Callable[[float, int], Value]
"""Function from a number strictly between 0 and 1, and the instant at which the instance starts, to a value."""


def field_constants(compiled: Compiled) -> Mapping[str, frozenset[Value]]:
    """Return the constants that the guards of moves and limits compare each field with; fields without any have an empty set."""
    constants: dict[str, frozenset[Value]] = {}
    for guard in guards_of(compiled):
        for name, values in constants_of(compiled.procedure, guard).items():
            constants[name] = constants.get(name, frozenset()) | values
    return constants


def guards_of(compiled: Compiled) -> Iterable[Guard]:
    """Yield the guards of all moves and of all rows of limits."""
    moves = (row.move.when for name in compiled.steps for row in compiled.exits(name))
    rows = (row.guard for limit in compiled.limits.values() for row in limit.rows)
    return (guard for guard in (*moves, *rows) if guard is not None)


def value_sampler(
    field: Field, mix: FieldMix | None, constants: Iterable[Value], calendar: WorkCalendar
) -> ValueSampler:
    """Return the function that draws the values of a field; a mix of the scenario comes before all else.

    Without one a choice and a boolean have each value as often as another, a number lies around the constants that
    guards compare it with, an instant comes at most ten days after the start, and text is a placeholder.
    """
    match mix:
        case Fixed(value=value):
            return lambda _number, _at_us: value
        case Shares(of=shares):
            return _shared(field, shares)
        case NumberDistribution():
            return _distributed(field, mix)
        case Duration():
            return _after_start(mix, calendar)
    match field.type:
        case "choice" | "rating":
            return _evenly(tuple(field.values))
        case "boolean":
            return _evenly((True, False))
        case "number":
            return _around(field, sorted(set(_numbers(constants))))
        case "instant":
            return _within_days
    return lambda _number, _at_us: PLACEHOLDER


def shared_value(field: Field, written: str) -> Value:
    """Return the value of a field that the key of a share means: keys of a document are text. Raises: ValueError."""
    if field.type == "boolean":
        return _TRUTHS.get(written.lower(), written)
    if field.type == "number":
        return float(written) if "." in written else int(written)
    return written


def _shared(field: Field, shares: Mapping[str, float]) -> ValueSampler:
    values = [shared_value(field, written) for written in shares]
    ends = list(accumulate(shares.values()))
    # Rounding at the very end never reaches a value whose share is 0.
    last = max(place for place, share in enumerate(shares.values()) if share)
    return lambda number, _at_us: values[min(bisect_right(ends, number * ends[-1]), last)]


def _distributed(field: Field, mix: NumberDistribution) -> ValueSampler:
    sample, decimals = number_sampler(mix), None if mix.whole else 2
    return lambda number, _at_us: _bounded(field, round(sample(number), decimals))


def _bounded(field: Field, value: float) -> float:
    if field.minimum is not None and value < field.minimum:
        return field.minimum
    if field.maximum is not None and value > field.maximum:
        return field.maximum
    return value


def _after_start(mix: Duration, calendar: WorkCalendar) -> ValueSampler:
    sample = sampler(mix)

    def value(number: float, at_us: int) -> Value:
        length = sample(number)
        due_us = calendar.add_us(at_us, length) if mix.working else at_us + length
        return _minute(due_us)

    return value


def _within_days(number: float, at_us: int) -> Value:
    return _minute(at_us // MINUTE_US * MINUTE_US + int(number * INSTANT_DAYS * DAY_US))


def early_enough(draw: ValueSampler, latest: Callable[[int], int]) -> ValueSampler:
    """Return the function that draws an instant as `draw` does, and puts it off until it is asked for early enough.

    `latest` tells the latest instant at which one may ask for something at an instant.
    """

    def value(number: float, at_us: int) -> Value:
        scheduled_us = to_us(datetime.fromisoformat(str(draw(number, at_us))))
        while (short_us := at_us - latest(scheduled_us)) > 0:  # in working time more than once
            scheduled_us += -(-short_us // MINUTE_US) * MINUTE_US
        return _minute(scheduled_us)

    return value


def _minute(at_us: int) -> str:
    return to_datetime(at_us // MINUTE_US * MINUTE_US).isoformat()


def _evenly(values: Sequence[Value]) -> ValueSampler:
    return lambda number, _at_us: values[int(number * len(values))]


def _numbers(values: Iterable[Value]) -> Iterator[float]:
    return (value for value in values if isinstance(value, int | float) and not isinstance(value, bool))


def _around(field: Field, constants: Sequence[float]) -> ValueSampler:
    """Return the function that draws a number: below, between and above the constants equally often, evenly inside.

    The outer ranges are as wide as the constants lie apart, or as the largest is. A constant belongs to the range
    below it. Without constants nothing depends on the number: it is drawn over its bounds, or is the one bound.
    """
    ranges = _ranges(field, constants)
    whole = all(isinstance(end, int) for ends in ranges for end in ends)

    def value(number: float, _at_us: int) -> Value:
        place, inside = divmod(number * len(ranges), 1)
        low, high = ranges[int(place)]
        if whole:
            return int(low) + int(inside * (high - low + 1))
        return min(high, low * (1 - inside) + high * inside)

    return value


def _ranges(field: Field, constants: Sequence[float]) -> tuple[tuple[float, float], ...]:
    low, high = field.minimum, field.maximum
    inside = [_plain(c) for c in constants if (low is None or c >= low) and (high is None or c <= high)]
    if not inside:
        one = low if low is not None else high if high is not None else 0
        return ((one, one) if low is None or high is None else (low, high),)
    width = max(inside[-1] - inside[0], abs(inside[0]), abs(inside[-1]), 1)
    first = max(low, inside[0] - width) if low is not None else inside[0] - width
    last = min(high, inside[-1] + width) if high is not None else inside[-1] + width
    whole = all(isinstance(end, int) for end in (first, *inside, last))
    ends = [first, *inside, last]
    ranges = [
        (one + 1 if whole and place else one, other) for place, (one, other) in enumerate(pairwise(ends))
    ]
    return tuple((one, other) for one, other in ranges if one <= other)


def _plain(value: float) -> float:
    return int(value) if float(value).is_integer() else value
