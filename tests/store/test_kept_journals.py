"""Journals of every release so far, kept as text, lead where they led when they were written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import kept_journals
import orjson
import pytest

from svcflow import Catalog, Engine, VirtualClock
from svcflow.journal import GENESIS, from_bytes, link, to_bytes, verified
from svcflow.journal.personal_data import Secret
from svcflow.journal.personal_data import from_bytes as secrets_from
from svcflow.kernel import compile_procedure, deviations_of, evolve_all
from svcflow.kernel.compiled import calendars_of
from svcflow.kernel.facts import Fact
from svcflow.kernel.instance import FIELDS, Instance, from_state
from svcflow.store import open_store

HERE = Path(__file__).parent
KEPT = sorted((HERE / "journals").glob("*.jsonl"))
SCHEMAS = sorted((HERE / "schemas").glob("*.sql"))
CATALOG: Catalog = kept_journals.CATALOG
COMPILED = {one.id: compile_procedure(one, calendars_of(CATALOG)) for one in CATALOG}


def journals(file: Path) -> Iterator[tuple[dict[str, object], list[bytes]]]:
    """Yield each journal: what is said of it, and its entries."""
    found: list[tuple[dict[str, object], list[bytes]]] = []
    for line in file.read_bytes().splitlines():
        if line.startswith(b'{"journal":'):
            found.append((orjson.loads(line), []))
        else:
            found[-1][1].append(line)
    yield from found


def replayed(facts: tuple[Fact, ...]) -> Instance:
    return evolve_all(COMPILED[facts[0].procedure], None, facts)


@pytest.mark.parametrize("file", KEPT, ids=lambda file: file.stem)
def test_a_kept_journal_leads_to_the_same_instance_and_deviations(file):
    """Chain, commitments, bytes, and all that the entries mean are what they were."""
    kinds: set[str] = set()
    for said, bodies in journals(file):
        rows, head = [], GENESIS
        for body in bodies:
            assert to_bytes(from_bytes(body)) == body
            rows.append((body, head := link(head, body)))
        erased = {token for body in bodies for token in orjson.loads(body).get("commitments", ())}
        secrets = {token: Secret(*row) for token, row in said["secrets"].items()} | dict.fromkeys(erased)
        facts = tuple(verified(said["journal"], rows, bytes.fromhex(said["head"]), secrets))
        assert kept_journals.seen(replayed(facts), deviations_of(facts)) == said["leads_to"]
        kinds |= {fact.kind for fact in facts}
    assert kinds >= kept_journals.KINDS


def test_what_is_played_today_leads_where_the_newest_kept_journals_led():
    """The same commands at the same instants: but for the salts, the same entries."""
    store, clock = open_store("memory://"), VirtualClock(kept_journals.MORNING)
    kept_journals.play(Engine(store, CATALOG, clock=clock), clock)
    for said, bodies in journals(KEPT[-1]):
        facts = store.facts(said["journal"])
        assert kept_journals.nameless(kept_journals.seen(replayed(tuple(facts)), deviations_of(facts))) == (
            kept_journals.nameless(said["leads_to"])
        )
        now, then = [(fact.kind, fact.occurred_us, fact.recorded_us) for fact in facts], [
            (entry["kind"], entry["occurred_us"], entry["recorded_us"]) for entry in map(orjson.loads, bodies)
        ]  # fmt: skip
        assert now == then


@pytest.mark.parametrize("file", SCHEMAS, ids=lambda file: file.stem)
def test_a_database_of_an_older_schema_holds_journals_that_lead_to_its_instances(file):
    """Entry by entry the chain fits, and the record of each instance is what its entries lead to today."""
    base = sqlite3.connect(":memory:")
    base.executescript(file.read_text(encoding="utf-8"))
    columns = [column for _, column, *_ in base.execute("PRAGMA table_info(svcflow_instances)")]
    secrets = "secrets" if "secrets" in columns else "NULL"
    kept = base.execute(f"SELECT id, head, state, {secrets} FROM svcflow_instances").fetchall()  # noqa: S608
    assert len(kept) == 4
    for name, head, state, beside in kept:
        rows = base.execute(
            "SELECT body, link FROM svcflow_facts WHERE instance = ? ORDER BY sequence", (name,)
        ).fetchall()
        facts = tuple(verified(name, rows, head, secrets_from(beside)))
        fields = len(orjson.loads(state))
        assert replayed(facts)[:fields] == from_state(orjson.loads(state))[:fields], FIELDS
        asked = "SELECT sequence, kind, step, role, occurred_us, overrun_us FROM svcflow_deviations WHERE instance = ?"
        found = [
            (one.sequence, one.kind, one.step, one.role, one.occurred_us, one.overrun_us)
            for one in deviations_of(facts)
        ]
        assert found == base.execute(asked, (name,)).fetchall()
    base.close()
