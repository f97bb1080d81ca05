"""What users' tests import: assertions on facts and deviations. The fixtures are in the pytest plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the plugin stands in this package, and is loaded by every run of pytest
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
    found = _deviations(facts)
    for one in found:
        if one.kind == kind and step in (None, one.step) and limit in (None, one.limit):
            return one
    raise AssertionError(f"no deviation {kind!r} (step {step}, limit {limit}); there are: {_listed(found)}")


def assert_no_deviation(facts: tuple[Fact, ...], kind: str | None = None) -> None:
    """Fail when the journal holds a deviation (of one kind)."""
    found = [one for one in _deviations(facts) if kind in (None, one.kind)]
    if found:
        raise AssertionError(f"unexpected deviations: {_listed(found)}")


def _deviations(facts: tuple[Fact, ...]) -> tuple[Deviation, ...]:
    from svcflow.kernel.lifecycle.deviations import deviations_of  # noqa: PLC0415  # see above

    return deviations_of(facts)


def _listed(found: tuple[Deviation, ...] | list[Deviation]) -> str:
    return (
        ", ".join(f"{one.kind} in {one.step}{f' of {one.limit}' if one.limit else ''}" for one in found)
        or "none"
    )
