"""What reads a journal inside a change sees what others of the same commit have written; on every store."""

from __future__ import annotations

import sqlite3
from threading import Barrier, Thread

import pytest
from stored_play import CATALOG, CHIEF, CLERK, MORNING

from svcflow import Catalog, Engine, Procedure, Recipient, VirtualClock
from svcflow.errors import ChangedProcedure, FieldError, Refused, StoreError
from svcflow.model.field import Field
from svcflow.model.procedure import Role
from svcflow.model.step import Step, Transition
from svcflow.runtime.store import Store
from waiting import PATIENCE_S

ROUNDS = 12


def together(*acts):
    """Run functions at the same moment, each in a thread of its own."""
    barrier, errors = Barrier(len(acts)), []

    def run(act) -> None:
        barrier.wait(PATIENCE_S)
        try:
            act()
        except Exception as error:  # noqa: BLE001  # told to the test
            errors.append(error)

    threads = [Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    return errors


def test_forgetting_among_writers_loses_no_move(store: Store):
    """Whoever is forgotten while others write: every acknowledged move is there, and the journal leads to it."""
    engine = Engine(store, CATALOG, clock=VirtualClock(MORNING))
    for number in range(ROUNDS):
        name, noise = f"r{number}", f"n{number}"
        for one in (name, noise):
            engine.start("repair", recipient=Recipient(f"p{number}"), actor=CLERK, instance_id=one)
        errors = together(
            lambda name=name: engine.fire(name, "accept", actor=CLERK),
            lambda number=number: engine.forget(f"p{number}", open=True),
            *[lambda noise=noise, i=i: engine.update(noise, data={"place": str(i)}) for i in range(4)],
        )
        assert errors == []
        assert engine.instance(name).steps == ("working",)
    assert engine.verify().ok


def version(number: int, first: str, **phone: object) -> Procedure:
    steps = (
        Step(first, role="clerk", within="1h", to=(Transition("go", "end"),)),
        Step("end", end="completed"),
    )
    fields = (Field("phone", personal=True, **phone), Field("visit_at", type="instant", personal=True))
    return Procedure(id="p", version=number, roles=(Role("clerk"),), fields=fields, steps=steps)


THREE = Catalog.of(version(1, "asked"), version(2, "taken"), version(3, "asked", type="number"))


def test_one_migration_is_taken_back_once(store: Store):
    """Two who take the same migration back at the same moment: one does, the other is refused."""
    engine = Engine(store, THREE, clock=VirtualClock(MORNING))
    for number in range(ROUNDS):
        name = engine.start(("p", 1), instance_id=f"i{number}").id
        engine.migrate(name, 2, steps={"asked": "taken"}, reason="second edition")
        back = [lambda name=name: engine.revert_migration(name, reason="too early")] * 2
        noise = [lambda name=name, i=i: engine.update(name, data={"phone": str(i)}) for i in range(3)]
        errors = together(*back, *noise)
        assert [type(error) for error in errors] == [Refused]
        assert [fact.kind for fact in engine.journal(name)].count("Migrated") == 2
    assert engine.verify().ok


def test_the_version_gone_over_to_is_pinned(store: Store):
    """After a migration the new version cannot come to say something else."""
    engine = Engine(store, THREE, clock=VirtualClock(MORNING))
    engine.start(("p", 1), instance_id="i")
    engine.migrate("i", 2, steps={"asked": "taken"}, reason="second edition")
    other = version(2, "taken", required=True)
    changed = Engine(store, Catalog.of(version(1, "asked"), other), clock=VirtualClock(MORNING))
    with pytest.raises(ChangedProcedure):
        changed.fire("i", "go", actor=CLERK)


def test_a_refused_migration_quotes_no_value(store: Store):
    """What does not fit is named; what is personal is not asked, for it may be erased by then."""
    plain = Field("fee"), Field("fee", type="number")
    catalog = Catalog.of(
        *(
            Procedure(
                id="q", version=n, fields=(field,), steps=version(n, "asked").steps, roles=(Role("clerk"),)
            )
            for n, field in enumerate(plain, 1)
        )
    )
    engine = Engine(store, catalog, clock=VirtualClock(MORNING))
    engine.start(("q", 1), data={"fee": "SECRET"}, instance_id="i")
    with pytest.raises(Refused, match="fee") as refused:
        engine.migrate("i", 2, reason="numbers")
    assert "SECRET" not in refused.value.text("zh") + refused.value.text("en")
    assert all(b"SECRET" not in body for body, _ in list(store.rows("i"))[1:])


def test_a_forgotten_value_does_not_stand_in_the_way_of_a_migration(store: Store):
    """An erased telephone number is no number, and goes over all the same, there and back."""
    engine = Engine(store, THREE, clock=VirtualClock(MORNING))
    engine.start(("p", 1), data={"phone": "139"}, recipient=Recipient("zhang"), instance_id="i")
    engine.migrate("i", 3, reason="numbers")
    engine.forget("zhang", open=True)
    assert engine.revert_migration("i", reason="too early").version == 1
    assert engine.verify().ok


def test_nothing_is_scheduled_by_what_is_personal(store: Store):
    """A personal instant is changed by update, which keeps it beside the journal."""
    engine = Engine(store, THREE, clock=VirtualClock(MORNING))
    engine.start(("p", 1), actor=CLERK, instance_id="i")
    with pytest.raises(FieldError, match="update"):
        engine.reschedule("i", "visit_at", MORNING, actor=CLERK)
    engine.update("i", data={"visit_at": MORNING.isoformat()}, actor=CLERK)
    assert all(b"2026-03-02T" not in body for body, _ in store.rows("i"))


def test_who_asks_to_be_forgotten_is(store: Store):
    """The one who asks does not stay behind as the one who asked."""
    engine = Engine(store, CATALOG, clock=VirtualClock(MORNING))
    engine.start("repair", actor=CLERK, instance_id="i")
    engine.fire("i", "accept", actor=CLERK)
    engine.forget(CLERK.id, actor=CLERK, open=True)
    assert CLERK.id not in repr(engine.journal("i"))
    assert all(one is None for one in store.secrets("i").values())


def test_data_after_forgetting_are_of_whoever_wrote_them(store: Store):
    """When nobody knows any more who is served, new data can still be found and erased."""
    engine = Engine(store, CATALOG, clock=VirtualClock(MORNING))
    engine.start("repair", recipient=Recipient("zhang"), actor=CLERK, instance_id="i")
    engine.forget("zhang", open=True)
    engine.update("i", data={"contact": "138"}, actor=CHIEF)
    assert engine.forget("chen", open=True).values == 2
    assert engine.instance("i").data["contact"].startswith("erased-")


@pytest.mark.parametrize("limit", [0, -1, 2**63])
def test_a_page_holds_one_item_at_least(store: Store, limit):
    """What cannot be a page is a FieldError, whatever the store."""
    engine = Engine(store, CATALOG, clock=VirtualClock(MORNING))
    for ask in (engine.instances, engine.deviations, engine.worklist):
        with pytest.raises(FieldError):
            ask(limit=limit)


def test_forgetting_says_when_a_reader_keeps_the_log(tmp_path):
    """While somebody reads an old state the log of SQLite still holds it; that is no success."""
    path = tmp_path / "service.db"
    with Engine(f"sqlite:///{path}", CATALOG, clock=VirtualClock(MORNING)) as engine:
        engine.start("repair", recipient=Recipient("zhang"), actor=CLERK, instance_id="i")
        reader = sqlite3.connect(path, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM svcflow_instances").fetchall()
        with pytest.raises(StoreError, match="forget again"):
            engine.forget("zhang", open=True)
        reader.close()
        engine.forget("zhang", open=True)
        assert b"zhang" not in path.with_name("service.db-wal").read_bytes()
