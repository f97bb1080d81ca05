"""What users' tests import, and the pytest plugin."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from svcflow import testing
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step, Transition
from svcflow.testing import assert_deviation, assert_no_deviation, assert_path, path_of

PROCEDURE = Procedure(
    id="p",
    steps=(
        Step("a", within="1h", to=(Transition("go", "b"),)),
        Step("b", to=(Transition("stop", "end"),)),
        Step("end", end="completed"),
    ),
)


@pytest.fixture
def late(svc_engine, svc_clock):
    engine = svc_engine(PROCEDURE)
    inst = engine.start("p")
    svc_clock.advance(timedelta(hours=2))
    engine.fire(inst.id, "go")
    return engine.journal(inst.id)


def test_the_path_is_the_steps_entered(late):
    """path_of lists them; assert_path fails with both paths in its message."""
    assert path_of(late) == ("a", "b")
    assert_path(late, "a", "b")
    with pytest.raises(AssertionError, match="entered a → b, expected a → end"):
        assert_path(late, "a", "end")


def test_a_deviation_is_found_or_what_there_is_is_told(late):
    """assert_deviation returns the first that fits; its failure lists those there are."""
    assert assert_deviation(late, "overdue", step="a", limit="a").overrun == timedelta(hours=1)
    for wanted in ({"step": "b"}, {"limit": "x"}):
        with pytest.raises(AssertionError, match="there are: overdue in a of a"):
            assert_deviation(late, "overdue", **wanted)
    with pytest.raises(AssertionError, match="there are: none"):
        assert_deviation(late[:1], "overdue")


def test_the_absence_of_deviations_is_asserted_by_kind(late):
    """assert_no_deviation fails on any, or on one kind only."""
    assert_no_deviation(late, "guard")
    assert_no_deviation(late[:1])
    with pytest.raises(AssertionError, match="unexpected deviations: overdue in a of a"):
        assert_no_deviation(late)


def test_the_fixtures_give_engines_on_one_clock(svc_engine, svc_clock):
    """Every engine made in a test stands on the same virtual clock, at a Monday."""
    assert svc_clock.now == datetime(2026, 1, 5, tzinfo=UTC)
    first, second = svc_engine(PROCEDURE), svc_engine(PROCEDURE)
    assert first.clock is second.clock is svc_clock
    first.start("p")
    assert second.instances() == ()


def test_the_assertions_are_listed():
    """`svcflow.testing.__all__` is sorted."""
    assert list(testing.__all__) == sorted(testing.__all__)


def test_the_plugin_is_loaded_by_its_entry_point(pytester):
    """In a project of its own, a test gets the fixtures without any configuration, and engines are closed."""
    pytester.makepyfile(
        """
        import svcflow
        from svcflow.model.step import Step, Transition

        MADE = []

        def test_fixtures(svc_engine, svc_clock):
            p = svcflow.Procedure(id="p", steps=(Step("a", to=(Transition("go", "b"),)), Step("b", end="done")))
            engine = svc_engine(p)
            engine.running().__enter__()
            MADE.append(engine._ticker._thread)
            assert engine.fire(engine.start("p").id, "go").started_at == svc_clock.now

        def test_afterwards():
            assert not MADE[0].is_alive()
        """
    )
    result = pytester.runpytest_subprocess("-W", "error", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=2)


def test_the_plugin_costs_nothing_until_it_is_used(pytester):
    """Loading pytest with the plugin loads neither the engine nor the kernel."""
    pytester.makepyfile(
        """
        import sys

        def test_nothing_is_loaded():
            assert not [name for name in sys.modules if name.startswith(("svcflow.runtime", "svcflow.kernel"))]
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1)
