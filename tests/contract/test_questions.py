"""What engines answer about many instances and deviations, alike on every store."""

from __future__ import annotations

from datetime import timedelta

import pytest

from svcflow import Actor, Catalog, Engine, Procedure, Recipient, VirtualClock
from svcflow.errors import FieldError
from svcflow.model.field import Field
from svcflow.model.procedure import Role
from svcflow.model.step import Step, Transition
from svcflow.runtime.store import Store

HOUR = timedelta(hours=1)
CLERK = Actor("li", roles={"clerk"})
CHIEF = Actor("chen", roles={"chief"})


def declared(name: str) -> Procedure:
    return Procedure(
        id=name,
        roles=(Role("clerk"), Role("chief")),
        fields=(
            Field("priority", type="choice", choices=("normal", "urgent"), default="normal"),
            Field("fee", type="number"),
            Field("paid", type="boolean"),
            Field("odd"),
        ),
        steps=(
            Step("asked", role="clerk", within="1h", to=(Transition("accept", "done_by_chief"),)),
            Step("done_by_chief", role="chief", within="2h", to=(Transition("close", "closed"),)),
            Step("closed", end="completed"),
        ),
    )


@pytest.fixture
def engine(store: Store) -> Engine:
    """Six instances an hour apart: r0…r3 of repair, m0 and m1 of moving; r0 ended, r1 accepted, all of repair late, and m0."""
    clock = VirtualClock()
    engine = Engine(store, Catalog.of(declared("repair"), declared("moving")), clock=clock)
    groups = ("staff", "leaders", "staff", "retirees", "staff", "leaders")
    for number, name in enumerate(("r0", "r1", "r2", "r3", "m0", "m1")):
        engine.start(
            "repair" if name[0] == "r" else "moving",
            data={"priority": "urgent" if number % 2 else "normal", "fee": number, "paid": number > 3},
            recipient=Recipient(f"guest-{number % 3}", group=groups[number]),
            actor=CLERK,
            instance_id=name,
        )
        clock.advance(HOUR / 4)
    for name in ("r0", "r1"):
        engine.fire(name, "accept", actor=CLERK)
    engine.fire("r0", "close", actor=CHIEF)
    clock.advance(HOUR * 3 / 4)
    engine.tick()
    return engine


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, "m1 m0 r3 r2 r1 r0"),
        ({"procedure": "moving"}, "m1 m0"),
        ({"status": "ended"}, "r0"),
        ({"step": "asked"}, "m1 m0 r3 r2"),
        ({"step": "closed"}, ""),
        ({"role": "chief"}, "r1"),
        ({"recipient": "guest-1"}, "m0 r1"),
        ({"recipient": "li"}, ""),
        ({"group": "staff"}, "m0 r2 r0"),
        ({"data": {"priority": "urgent"}}, "m1 r3 r1"),
        ({"data": {"fee": 2}}, "r2"),
        ({"data": {"paid": True}}, "m1 m0"),
        ({"data": {"odd": None, "fee": 3}}, "r3"),
        ({"data": {"odd": "x"}}, ""),
        ({"data": {'no"such': 1}}, ""),
        ({"group": "leaders", "procedure": "repair", "status": "running"}, "r1"),
    ],
    ids=str,
)
def test_instances_are_found_by_each_filter(engine, filters, expected):
    """Each filter narrows the answer; the count is that of the answer."""
    assert [one.id for one in engine.instances(**filters)] == expected.split()
    assert engine.count_instances(**filters) == len(expected.split())


def test_instances_are_found_by_when_they_started(engine):
    """`since` is included, `until` is not."""
    second, last = engine.instance("r1").started_at, engine.instance("m1").started_at
    assert [one.id for one in engine.instances(since=second, until=last)] == ["m0", "r3", "r2", "r1"]


@pytest.mark.parametrize("size", [1, 2, 5, 6, 7])
def test_pages_follow_each_other_without_gap_or_double(engine, size):
    """Going on behind the last page gives every instance once, in order; the last page says that it is."""
    for number in range(3):  # several of one instant are told apart by their ids
        engine.start("repair", instance_id=f"same-{number}")
    seen, after = [], None
    while True:
        page = engine.instances(limit=size, after=after)
        assert len(page) <= size
        seen += page
        after = page.after
        if after is None:
            break
    assert seen == list(engine.instances())
    assert len({one.id for one in seen}) == 9


def test_instances_that_come_meanwhile_do_not_shift_the_pages(engine):
    """A page is continued behind its last instance, not after so many."""
    page = engine.instances(limit=2)
    engine.start("repair", instance_id="new")
    assert [one.id for one in engine.instances(limit=2, after=page.after)] == ["r3", "r2"]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_deviations_come_in_pages_too(engine, size):
    """Pages of deviations are in the order in which they occurred."""
    seen, after = [], None
    while True:
        page = engine.deviations(limit=size, after=after)
        seen += page
        after = page.after
        if after is None:
            break
    assert seen == list(engine.deviations())
    assert [one.instance for one in seen] == ["r0", "r1", "r2", "r3", "m0"]


def test_true_is_not_the_number_one(engine):
    """A filter on a number is not met by a truth value, nor the other way round, as in JSON."""
    assert [one.id for one in engine.instances(data={"paid": True})] == ["m1", "m0"]
    assert [one.id for one in engine.instances(data={"fee": 1})] == ["r1"]
    for data in ({"paid": 1}, {"paid": 0}, {"fee": True}, {"fee": False}):
        assert engine.instances(data=data) == ()


@pytest.mark.parametrize("after", ["", "x", "WzFd", "WyJhIiwgImIiXQ=="])
def test_what_is_no_cursor_is_refused(engine, after):
    """A cursor comes from a page; anything else is a FieldError with the remedy."""
    with pytest.raises(FieldError, match="after"):
        engine.instances(limit=1, after=after)


def test_a_filter_that_is_none_is_a_type_error(engine):
    """A misspelt filter finds nothing by mistake."""
    with pytest.raises(TypeError, match="proceduer"):
        engine.instances(proceduer="repair")


def test_counts_are_by_key_the_most_first(engine):
    """Instances by procedure, status, group and the work that waits; deviations likewise."""
    assert engine.instance_counts("procedure") == {"repair": 4, "moving": 2}
    assert list(engine.instance_counts("procedure")) == ["repair", "moving"]
    assert engine.instance_counts("status") == {"running": 5, "ended": 1}
    assert engine.instance_counts("group", procedure="repair") == {"staff": 2, "leaders": 1, "retirees": 1}
    assert engine.instance_counts("step") == {"asked": 4, "done_by_chief": 1}
    assert engine.instance_counts("role", procedure="moving") == {"clerk": 2}
    assert engine.deviation_counts("kind") == {"overdue": 5}
    assert engine.deviation_counts("procedure", role="clerk") == {"repair": 4, "moving": 1}
    assert engine.deviation_counts("group") == {"staff": 3, "leaders": 1, "retirees": 1}
    assert engine.count_deviations(group="staff") == 3
    assert [one.instance for one in engine.deviations(group="staff")] == ["r0", "r2", "m0"]
    assert engine.count_deviations(kind="guard") == 0
