"""Assertions on facts and deviations for tests of users; the fixtures are in the pytest plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the plugin stands in this package, and is loaded by every run of pytest
    from collections.abc import Sequence

    from svcflow.kernel.facts import Fact
    from svcflow.kernel.lifecycle.deviations import Deviation

__all__ = ["assert_deviation", "assert_no_deviation", "assert_path", "path_of"]


def path_of(facts: tuple[Fact, ...]) -> tuple[str, ...]:
    """Return the steps that a journal entered, in order."""
    from svcflow.kernel.facts import Moved, Started  # noqa: PLC0415  # see above

    entered = []
    for fact in facts:
        if isinstance(fact, Started):
            entered.append(fact.step)
        elif isinstance(fact, Moved):
            entered.append(fact.to)
    return tuple(entered)


def assert_path(facts: tuple[Fact, ...], *steps: str) -> None:
    """Fail unless the journal entered exactly these steps."""
    entered = path_of(facts)
    if entered != steps:
        raise AssertionError(f"entered {' → '.join(entered)}, expected {' → '.join(steps)}")


def assert_deviation(
    facts: tuple[Fact, ...], kind: str, *, step: str | None = None, limit: str | None = None
) -> Deviation:
    """Fail unless the journal holds such a deviation; return the first one."""
    deviations = _deviations(facts)
    for deviation in deviations:
        if deviation.kind == kind and step in (None, deviation.step) and limit in (None, deviation.limit):
            return deviation
    raise AssertionError(
        f"no deviation {kind!r} (step {step}, limit {limit}); there are: {_listed(deviations)}"
    )


def assert_no_deviation(facts: tuple[Fact, ...], kind: str | None = None) -> None:
    """Fail when the journal holds a deviation (of one kind)."""
    unexpected = [deviation for deviation in _deviations(facts) if kind in (None, deviation.kind)]
    if unexpected:
        raise AssertionError(f"unexpected deviations: {_listed(unexpected)}")


def _deviations(facts: tuple[Fact, ...]) -> tuple[Deviation, ...]:
    from svcflow.kernel.lifecycle.deviations import deviations_of  # noqa: PLC0415  # see above

    return deviations_of(facts)


def _listed(deviations: Sequence[Deviation]) -> str:
    listed = (
        f"{deviation.kind} in {deviation.step}{f' of {deviation.limit}' if deviation.limit else ''}"
        for deviation in deviations
    )
    return ", ".join(listed) or "none"
