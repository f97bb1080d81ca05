"""Instances go over to another version and back, alike on every store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from svcflow import Actor, Catalog, Engine, Procedure, Recipient, Refused, VirtualClock
from svcflow.errors import FieldError, PersonInUse, StaleRevision, UnknownProcedure
from svcflow.model.field import Field
from svcflow.model.procedure import Role
from svcflow.model.step import Step, Transition
from svcflow.runtime.store import Store

HOUR = timedelta(hours=1)
CLERK = Actor("li", roles={"clerk"})
CHIEF = Actor("chen", roles={"chief"})


def declared(version: int, first: str, within: str, role: str) -> Procedure:
    return Procedure(
        id="inquiry",
        version=version,
        roles=(Role("clerk"), Role("chief")),
        fields=(Field("phone", personal=True),),
        steps=(
            Step(first, role=role, within=within, to=(Transition("answer", "answered"),)),
            Step("answered", end="completed"),
        ),
    )


CATALOG = Catalog.of(declared(1, "received", "4h", "clerk"), declared(2, "taken", "2h", "chief"))
MAPPED = {"received": "taken"}


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def engine(store: Store, clock: VirtualClock) -> Engine:
    engine = Engine(store, CATALOG, clock=clock)
    engine.start(("inquiry", 1), data={"phone": "139"}, actor=CLERK, instance_id="i")
    clock.advance(HOUR)
    return engine


def test_a_migration_is_kept_with_its_deadline(engine, clock):
    """The instance runs under the new version; its deadline stays, its work is another role's."""
    (before,) = engine.deadlines("i")
    (seen,) = engine.preview_migration("i", 2, steps=MAPPED)
    assert (seen.steps_after, [one.fate for one in seen.limits]) == (("taken",), ["kept"])
    assert engine.instance("i").version == 1
    over = engine.migrate("i", 2, steps=MAPPED, reason="second edition", actor=CHIEF)
    assert (over.version, over.steps) == (2, ("taken",))
    (after,) = engine.deadlines("i")
    assert (after.limit, after.due_at) == ("taken", before.due_at)
    assert [(one.version, one.role) for one in engine.worklist()] == [(2, "chief")]
    assert engine.verify().ok


@pytest.mark.parametrize("blank", ["", " ", "\u3000\u200b"])
def test_a_migration_has_a_reason_that_says_something(engine, blank):
    """Blank text is no reason, to go over or to go back; nothing is recorded."""
    with pytest.raises(FieldError, match="no reason is given"):
        engine.migrate("i", 2, steps=MAPPED, reason=blank)
    with pytest.raises(FieldError, match="no reason is given"):
        engine.revert_migration("i", reason=blank)
    assert [fact.kind for fact in engine.journal("i")] == ["Started"]


def test_a_refused_migration_is_on_record(engine):
    """A step without a counterpart is named, and the instance stays where it is."""
    with pytest.raises(Refused, match="received"):
        engine.migrate("i", 2, reason="second edition")
    assert engine.instance("i").version == 1
    assert engine.journal("i")[-1].rule == "migration"
    with pytest.raises(UnknownProcedure):
        engine.migrate("i", 3, reason="third edition")
    with pytest.raises(StaleRevision):
        engine.migrate("i", 2, steps=MAPPED, reason="second edition", expected_revision=7)


def test_a_migration_asked_again_is_made_once(engine):
    """The answer of the first run is given again, also after the instance went back."""
    first = engine.migrate("i", 2, steps=MAPPED, reason="second edition", command_id="c")
    back = engine.revert_migration("i", reason="too early")
    assert (back.version, back.steps) == (1, ("received",))
    assert engine.migrate("i", 2, steps=MAPPED, reason="second edition", command_id="c") == first
    assert engine.instance("i") == back
    assert [fact.kind for fact in engine.journal("i")] == ["Started", "Migrated", "Migrated"]
    with pytest.raises(Refused, match="migration"):
        engine.revert_migration("i", reason="too early again")
    assert engine.verify().ok


def test_what_was_late_before_is_settled_after(engine, clock):
    """A breach under the old name of a limit gets its overrun when the renamed limit ends."""
    clock.advance(4 * HOUR)
    engine.migrate("i", 2, steps=MAPPED, reason="second edition")
    clock.advance(HOUR)
    engine.fire("i", "answer", actor=CHIEF)
    (late,) = engine.deviations()
    assert (late.limit, late.version, late.overrun) == ("received", 1, 2 * HOUR)
    assert engine.verify().ok
    assert engine.explain("i", "taken").lines


def test_a_person_is_forgotten_through_all_versions(engine):
    """The journal is replayed through the migration when somebody is erased from it."""
    engine.migrate("i", 2, steps=MAPPED, reason="second edition", actor=CHIEF)
    engine.forget("li", open=True)
    assert engine.instance("i").data["phone"].startswith("erased-")
    assert engine.instance("i").version == 2
    assert engine.verify().ok


def four_eyes(version: int, not_by: str | None) -> Procedure:
    return Procedure(
        id="approval",
        version=version,
        steps=(
            Step("asked", to=(Transition("pass_on", "approving"),)),
            Step("approving", not_by=not_by, to=(Transition("approve", "end"), Transition("back", "asked"))),
            Step("end", end="completed"),
        ),
    )


@pytest.fixture
def desk(store: Store, clock: VirtualClock) -> Engine:
    catalog = Catalog.of(four_eyes(1, None), four_eyes(2, "asked"))
    engine = Engine(store, catalog, clock=clock)
    engine.start(("approval", 1), actor=CLERK, instance_id="a")
    engine.fire("a", "pass_on", actor=CLERK)
    return engine


def test_who_did_a_step_before_the_rule_came_is_barred_by_it(desk):
    """The journal says who it was, to the engine that migrates as to the one that verifies."""
    desk.migrate("a", 2, reason="four eyes")
    with pytest.raises(Refused, match="who did 'asked'"):
        desk.fire("a", "approve", actor=CLERK)
    assert desk.verify().ok
    desk.revert_migration("a", reason="not yet")
    desk.migrate("a", 2, reason="now")
    assert desk.available("a", CLERK)[0].open is False
    assert desk.fire("a", "approve", actor=CHIEF).status == "ended"
    assert desk.verify().ok


def test_whom_an_open_instance_has_to_tell_from_others_is_not_forgotten(desk):
    """Not even with `open`: nobody could be shown to be another person. Afterwards, or done again, it is."""
    desk.migrate("a", 2, reason="four eyes")
    with pytest.raises(PersonInUse, match="not_by"):
        desk.forget("li", open=True)
    assert desk.instance("a").left_by == {"asked": ("li",)}
    desk.fire("a", "back", actor=CHIEF)
    desk.fire("a", "pass_on", actor=CHIEF)
    assert desk.forget("li", open=True).instances == ("a",)
    assert desk.fire("a", "approve", actor=CLERK).status == "ended"
    assert desk.forget("chen").instances == ("a",)
    assert desk.verify().ok


def test_the_rule_bars_everybody_where_who_did_the_step_was_erased_before(desk):
    """It may be the same person again, or another of that name; a migration back is the way out."""
    desk.forget("li", open=True)
    desk.migrate("a", 2, reason="four eyes")
    for who in (CLERK, CHIEF):
        with pytest.raises(Refused, match="was erased") as refused:
            desk.fire("a", "approve", actor=who)
        assert "migrate" in refused.value.remedy.en
    desk.revert_migration("a", reason="nobody could go on")
    assert desk.fire("a", "approve", actor=CHIEF).status == "ended"
    assert desk.verify().ok


def told(version: int, *personal: str) -> Procedure:
    """A desk whose second edition says that what it asks for is somebody's own."""
    return Procedure(
        id="told",
        version=version,
        fields=(
            *(Field(name, personal=name in personal) for name in ("phone", "place")),
            Field("at", type="instant", personal="at" in personal),
        ),
        steps=(Step("asked", to=(Transition("close", "end"),)), Step("end", end="completed")),
    )


@pytest.fixture
def listener(store: Store, clock: VirtualClock) -> Engine:
    engine = Engine(store, Catalog.of(told(1), told(2, "phone", "at")), clock=clock)
    data = {"phone": "139", "place": "3-1204", "at": "2026-03-02T09:00:00+00:00"}
    engine.start(("told", 1), data=data, recipient=Recipient("zhang"), actor=CLERK, instance_id="served")
    engine.start(("told", 1), data={"phone": "138"}, actor=CLERK, instance_id="own")
    engine.start(("told", 1), data={"place": "1-1"}, actor=CLERK, instance_id="other")
    return engine


def test_a_migration_says_which_fields_that_become_personal_stand_in_the_clear(listener):
    """What was recorded stays as it is; what is recorded afterwards is kept beside the journal."""
    seen = listener.preview_migration(["served", "own", "other"], 2)
    assert [one.exposed for one in seen] == [("at", "phone"), ("phone",), ()]
    listener.migrate("own", 2, reason="edition 2")
    listener.update("own", data={"phone": "137"}, actor=CLERK)
    assert listener.forget("li", open=True).in_clear == 1
    assert listener.instance("own").data["phone"].startswith("erased-")


def test_entries_that_cannot_be_erased_are_counted_when_a_person_is_forgotten(listener):
    """Those of who was served, else of who wrote them down, under any version; moved anchors too."""
    listener.reschedule("served", "at", datetime(2026, 3, 3, tzinfo=UTC), actor=CHIEF)
    listener.update("served", data={"place": "2-2"}, actor=CHIEF)
    assert listener.forget("chen", open=True).in_clear == 0
    assert listener.forget("zhang", open=True).in_clear == 2
    assert listener.forget("li", open=True).in_clear == 1
    assert listener.verify().ok
