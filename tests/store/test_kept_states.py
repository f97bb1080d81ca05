"""Stores of every version so far, with an instance in each state that is judged otherwise today: they go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from kept_journals import nameless, seen
from kept_states import CHEN, HERE, LI, PLAYS, SUBSCRIPTION, WANG, catalog, journals, restore
from stored_play import MORNING

from svcflow import Engine, Instance, VirtualClock, dump
from svcflow.cli.app import app
from svcflow.journal import GENESIS, from_bytes, link, to_bytes, verified
from svcflow.journal.personal_data import Secret
from svcflow.kernel.lifecycle.deviations import deviations_of
from svcflow.kernel.replay import replay
from svcflow.runtime.filters import DeviationQuery
from svcflow.runtime.procedure_registry import ProcedureRegistry
from svcflow.store import open_store

VERSIONS = sorted({file.name.split(".")[0] for file in (HERE / "states").glob("*.jsonl")}, key=int)
KINDS = ("sqlite", "postgresql")
LATER = MORNING + timedelta(days=3)
"""After all that was played, but for what was started in the last year there is."""
PHOTO = {"photo": "1.jpg"}
Opened = Callable[[str], Engine]


@pytest.fixture(params=VERSIONS, ids=lambda version: f"version {version}")
def version(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if kind == "sqlite":
        return f"sqlite:///{tmp_path / 'kept.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def opened(version: str, kind: str, url: str) -> Iterator[Opened]:
    """A function that restores a kept store and opens it."""
    engines: list[Engine] = []

    def open_kept(name: str) -> Engine:
        restore(url, (HERE / name / f"{version}.{kind}.sql").read_text(encoding="utf-8"))
        engines.append(Engine(url, catalog(name), clock=VirtualClock(LATER)))
        return engines[-1]

    yield open_kept
    for engine in engines:
        engine.close()


def said(name: str, version: str) -> list[tuple[dict, list[bytes]]]:
    """What was said of each journal of a kept store when it was written, and its entries."""
    return list(journals((HERE / name / f"{version}.jsonl").read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", PLAYS)
def test_kept_journals_of_every_state_lead_where_they_led(name, version):
    """Chain, bytes, commitments, instances and deviations are what they were, whatever the rules say today."""
    version_of = ProcedureRegistry(catalog(name), open_store("memory://")).version
    for told, bodies in said(name, version):
        rows, head = [], GENESIS
        for body in bodies:
            assert to_bytes(from_bytes(body)) == body
            rows.append((body, head := link(head, body)))
        secrets = {token: Secret(*row) for token, row in told["secrets"].items()}
        facts = tuple(
            verified(
                told["journal"],
                rows,
                bytes.fromhex(told["head"]),
                secrets | dict.fromkeys(_erased(bodies, secrets)),
            )
        )
        assert seen(replay(version_of, facts), deviations_of(facts)) == told["leads_to"], told["journal"]


def _erased(bodies: list[bytes], secrets: dict) -> set[str]:
    import orjson

    return {token for body in bodies for token in orjson.loads(body).get("commitments", ())} - {*secrets}


@pytest.mark.parametrize("name", PLAYS)
def test_a_kept_store_of_every_state_opens_and_verifies(name, opened, version, kind):
    """With the checkpoints that were kept elsewhere; each instance is what was said of it."""
    engine = opened(name)
    verification = engine.verify(checkpoint=HERE / name / f"{version}.{kind}.checkpoints")
    assert verification.problems == ()
    assert verification.notes == ()
    told = said(name, version)
    assert verification.instances == len(told)
    for one, _ in told:
        deviations = engine._store.deviations(DeviationQuery(one["journal"]))
        found = seen(engine.instance(one["journal"]), deviations)
        assert nameless(found) == nameless(one["leads_to"]), one["journal"]


def test_the_work_and_the_absences_of_a_kept_store_are_there(opened):
    """Who has what, who acts for whom, and how far deliveries are."""
    engine = opened("states")
    having = {item.instance: item.assignee for item in engine.worklist() if item.assignee}
    assert having == {"claimed": "li", "assigned": "wang", "claimed_by_deputy": "li"}
    assert engine.acting(WANG, "chen", "four").behalf == "chen"
    assert {one.id: one.revoked_at is None for one in engine.delegations()} == {
        "chen_to_li": True,
        "in_force": True,
        "revoked": False,
    }
    assert {one.name for one in engine.subscriptions()} == {SUBSCRIPTION, "slow", "behind"}
    assert [one.fact.instance for one in engine.dead_letters()] == ["ended"]


GOES_ON: dict[str, Callable[[Engine, str], Instance]] = {
    "assigned": lambda engine, name: engine.fire(name, "go", actor=WANG, evidence=PHOTO),
    "before_done_guard": lambda engine, name: engine.update(name, data={"n": 9}, actor=LI),
    "blank_subject": lambda engine, name: engine.fire(name, "again", actor=LI, evidence={"note": "n"}),
    "bloated": lambda engine, name: engine.fire(name, "go", actor=LI, evidence=PHOTO),
    "claimed": lambda engine, name: engine.fire(name, "go", actor=LI, evidence=PHOTO),
    "claimed_by_deputy": lambda engine, name: engine.assign(name, "chen", actor=CHEN),
    "cleared": lambda engine, name: engine.reschedule(name, "meet", LATER + timedelta(days=1), actor=LI),
    "cleared_and_migrated": lambda engine, name: engine.reschedule(name, "meet", LATER + timedelta(days=1)),
    "control": lambda engine, name: engine.update(name, data={"ground": "plain"}, actor=LI),
    "done_guard": lambda engine, name: engine.fire(name, "pay", actor=LI),
    "free": lambda engine, name: engine.claim(name, actor=WANG),
    "given_back_by_deputy": lambda engine, name: engine.fire(name, "approve", actor=CHEN),
    "guard_passed_on_old_data": lambda engine, name: engine.fire(name, "pay", actor=LI),
    "guarded_rightly": lambda engine, name: engine.fire(name, "approve", actor=CHEN),
    "held": lambda engine, name: engine.resume(name, actor=LI),
    "kept_deadline": lambda engine, name: engine.fire(name, "end_wh", actor=LI),
    "kept_deadline_changed": lambda engine, name: engine.fire(name, "end_h", actor=LI),
    "met_by_blank": lambda engine, name: engine.fire(name, "again", actor=LI, evidence={"note": "n"}),
    "met_by_old_data": lambda engine, name: engine.fire(name, "end", actor=LI, evidence={"note": "n"}),
    "missed_rounds": lambda engine, name: engine.fire(name, "pass", actor=LI),
    "moved_near": lambda engine, name: engine.fire(name, "go", actor=LI),
    "nameless_asked": lambda engine, name: engine.fire(name, "approve", actor=CHEN),
    "nameless_both": lambda engine, name: engine.fire(name, "pay", actor=LI),
    "nameless_first": lambda engine, name: engine.fire(name, "pay", actor=LI),
    "nameless_second": lambda engine, name: engine.fire(name, "pay", actor=WANG),
    "one_override": lambda engine, name: engine.fire(name, "pay", actor=LI),
    "open": lambda engine, name: engine.fire(name, "prepare", actor=LI),
    "overdue_to_new": lambda engine, name: engine.fire(name, "ok", actor=LI),
    "override_by_deputy": lambda engine, name: engine.fire(name, "pay", actor=WANG),
    "parallel": lambda engine, name: engine.fire(name, "order", actor=CHEN),
    "promised": lambda engine, name: engine.revert_migration(name, reason="too soon", actor=LI),
    "promised_and_recomputed": lambda engine, name: engine.fire(name, "finish", actor=LI),
    "refused_under_an_id": lambda engine, name: engine.fire(
        name, "go", actor=LI, evidence=PHOTO, command_id="form-8"
    ),
    "sent_back": lambda engine, name: engine.fire(name, "ok", actor=LI),
    "sent_back_to_new": lambda engine, name: engine.update(name, evidence={"note": "n"}, actor=LI),
    "stands_on_old_data": lambda engine, name: engine.fire(
        name, "reject", actor=LI, data={"ground": "second time"}
    ),
    "undelivered": lambda engine, name: engine.hold(name, reason="recipient", actor=LI),
}
"""A further command for each instance that has not ended; one that is in order today as it was then."""


def test_every_instance_of_a_kept_store_goes_on(opened, version):
    """Each takes a further command and becomes overdue; deliveries go on; all of it verifies."""
    engine = opened("states")
    running = {one["journal"] for one, _ in said("states", version) if one["leads_to"]["status"] != "ended"}
    assert running == {*GOES_ON}
    for name, command in GOES_ON.items():
        before = engine.instance(name).sequence
        assert command(engine, name).sequence > before, name
    delivered: list[str] = []
    engine.on_fact("started", name=SUBSCRIPTION, attempts=1)(lambda fact: delivered.append(fact.instance))
    assert engine.deliver().count == len(delivered) > 0
    engine.clock.advance(timedelta(hours=12))
    assert engine.tick()
    assert engine.seal().size > 0
    assert engine.verify().problems == ()


def test_every_instance_that_holds_what_is_out_of_range_goes_on(opened):
    """It ends, with what it holds; its neighbours become overdue, and all of it verifies."""
    engine = opened("beyond")
    running = [one.id for one in engine.instances(status="running") if one.id != "started_last"]
    for name in running[::2]:
        if engine.instance(name).procedure in engine.catalog:
            assert engine.fire(name, "go", actor=LI).status == "ended", name
    engine.clock.advance(timedelta(hours=12))
    engine.tick()
    assert engine.verify().problems == ()


def test_a_kept_deadline_gives_way_to_the_row_that_the_data_choose(opened):
    """Whatever it comes to, data that choose another row can be given."""
    engine = opened("states")
    for unit in ("wh", "h", "wd", "cd"):
        engine.update("kept_deadline", data={f"urgent_{unit}": True}, actor=LI)
    engine.tick()
    assert engine.verify().problems == ()


@pytest.mark.parametrize("name", PLAYS)
def test_every_question_about_a_kept_store_is_answered(name, opened):
    """Lists, deadlines, explanations, what is open, work, deviations: of each instance and of all."""
    engine = opened(name)
    assert list(failures(questions(engine))) == []


def questions(engine: Engine) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield everything that can be asked of a store, with its name."""
    yield "worklist", lambda: [(item.due_at, item.entered_at) for item in engine.worklist()]
    yield "worklist of one", lambda: [item.due_at for item in engine.worklist(LI)]
    yield "deviations", lambda: [(one.due_at, one.occurred_at, one.overrun) for one in engine.deviations()]
    yield "counts", lambda: [engine.count_instances(), engine.deviation_counts("kind")]
    for one in engine.instances():
        name = one.id
        yield f"{name}: times", lambda one=one: (one.started_at, one.ended_at)
        yield f"{name}: journal", lambda name=name: [fact.occurred_at for fact in engine.journal(name)]
        yield f"{name}: available", lambda name=name: engine.available(name, LI)
        yield (
            f"{name}: deadlines",
            lambda name=name: [(line.due_at, line.remaining) for line in engine.deadlines(name, ended=True)],
        )
        for limit in one.stopwatches:
            for lang in ("zh", "en"):
                yield (
                    f"{name}: explain {limit}, {lang}",
                    lambda name=name, limit=limit, lang=lang: engine.explain(name, limit).text(lang),
                )


def failures(asked: Iterator[tuple[str, Callable[[], object]]]) -> Iterator[str]:
    """Yield what was not answered, with the error: all of it, because one cure mends many."""
    for name, ask in asked:
        try:
            ask()
        except Exception as error:  # noqa: BLE001  # whatever it is, it is reported
            yield f"{name}: {error!r}"


@pytest.mark.parametrize("lang", ["zh", pytest.param("en", marks=pytest.mark.long)])
@pytest.mark.parametrize("name", PLAYS)
def test_the_command_line_answers_about_a_kept_store(name, lang, tmp_path, version):
    """`list`, `worklist`, `deviations`, and `show --journal` and `explain` of each instance, as text."""
    url, folder = f"sqlite:///{tmp_path / 'kept.db'}", tmp_path / "procedures"
    restore(url, (HERE / name / f"{version}.sqlite.sql").read_text(encoding="utf-8"))
    for procedure in catalog(name).procedures.values():
        own = folder / procedure.id  # a command about one instance reads no more than it needs
        own.mkdir(parents=True, exist_ok=True)
        (own / f"{procedure.version}.yaml").write_text(dump(procedure), encoding="utf-8")
    with Engine(url, catalog(name), clock=VirtualClock(LATER)) as engine:
        instances = list(engine.instances())

    def asked() -> Iterator[tuple[str, Callable[[], object]]]:
        for question in ("list", "worklist", "deviations", "verify", "outbox"):
            yield question, lambda question=question: run(folder, question)
        for one in instances:
            own = folder / one.procedure
            for command in (
                ("show", one.id, "--journal", "--actor", "li:clerk"),
                *(("explain", one.id, limit) for limit in one.stopwatches),
            ):
                yield " ".join(command), lambda own=own, command=command: run(own, *command)

    def run(procedures: Path, *command: str) -> None:
        given = {"--db": url, "--procedures": procedures, "--at": LATER.isoformat(), "--lang": lang}
        options = [str(word) for option in given.items() for word in option]
        result = CliRunner().invoke(app, [*command, *options])
        if result.exit_code not in (0, 1) or not isinstance(result.exception, SystemExit | None):
            raise AssertionError(repr(result.exception) + result.output) from result.exception

    assert list(failures(asked())) == []
