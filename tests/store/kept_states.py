"""Stores as a version left them, with an instance in each state that later versions judge otherwise, as text.

`states` are states that a rule of today would not let come about, or reads otherwise; `beyond` are instants
and amounts that no sum of time reaches. `PYTHONPATH=tests:tests/store python tests/store/kept_states.py` writes
both, from SQLite and PostgreSQL, under the number of the present schema: before that changes, and never over
files that are there. The plays are those of version 2, and some of their commands are refused by now: a later
version keeps a play of its own. `restore` puts one back.
"""

from __future__ import annotations

import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import psycopg
from kept_journals import lines
from psycopg import sql
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import make_url
from sqlalchemy.schema import CreateIndex, CreateTable
from stored_play import MORNING

from svcflow import Actor, Catalog, Engine, Recipient, Refused, VirtualClock
from svcflow.errors import DeclarationError
from svcflow.model.catalog import load
from svcflow.store import schema
from svcflow.store.postgres.backend import _tables

HERE = Path(__file__).parent
LI, WANG = Actor("li", roles={"clerk"}), Actor("wang", roles={"clerk"})
CHEN, BOTH = Actor("chen", roles={"chief"}), Actor("both", roles={"clerk", "chief"})
NO_CLERK, NO_CHIEF = Actor("", roles={"clerk"}), Actor("", roles={"chief"})
CONTROL = "\x1b[2J\x1b]52;c;cm0gLXJm\x07\rall in order\x9b31m\u202eredro\u2066"
"""Control characters of every class: C0, C1, and those that turn the direction of writing."""
LONG = "x" * 70_000
"""Longer than what a command may bring."""
SUBSCRIPTION = "letters"


def catalog(name: str) -> Catalog:
    """Return the procedures of a kept store, as far as they can be declared today, or stand beside a newer version."""
    if (HERE / name / "newer").is_dir():
        return Catalog.from_folder(HERE / name)
    found = []
    for file in sorted((HERE / name / "procedures").glob("*.yaml")):
        with suppress(DeclarationError):
            found.append(load(file))
    return Catalog.of(*found)


class Script:
    """Play on an engine; its clock goes on as the script says."""

    def __init__(self, engine: Engine, clock: VirtualClock) -> None:
        self.engine, self.clock = engine, clock

    def later(self, **length: float) -> None:
        self.clock.advance(timedelta(**length))
        self.engine.tick()


def play_states(engine: Engine, clock: VirtualClock, checkpoints: Path) -> None:
    """Leave an instance in each state."""
    script = Script(engine, clock)
    for part in (
        _everyday,
        _requirements,
        _guards,
        _four_eyes,
        _sent_back,
        _promises,
        _refusals,
        _rounds,
        _work,
        _kept_deadlines,
    ):
        part(script)
        engine.seal(checkpoints)
    _subscription(script)


def _everyday(script: Script) -> None:
    engine, guest = script.engine, Recipient("hu", group="leaders")
    meeting = (script.clock.now + timedelta(days=3)).isoformat()
    for name in ("open", "held", "parallel", "ended", "forgotten"):
        data = {"place": "3-1204", "meeting": meeting, "guest": "Hu" if name == "forgotten" else "Sun"}
        recipient = guest if name == "forgotten" else Recipient("sun", group="staff")
        engine.start(
            "tour", data=data, recipient=recipient, actor=LI, instance_id=name, command_id=f"start-{name}"
        )
    script.later(hours=1)
    engine.extend("open", "planned", reason="the guest asked", actor=LI)
    engine.hold("held", reason="third_party", actor=LI)
    for name in ("parallel", "ended"):
        engine.fire(name, "prepare", actor=LI)
        engine.fire(name, "book", actor=LI, evidence={"plan": "p.pdf"} if name == "ended" else {})
    engine.fire("ended", "order", actor=CHEN)
    script.later(minutes=10)
    engine.fire("ended", "receive", actor=LI, occurred_at=script.clock.now - timedelta(minutes=5))
    engine.fire("forgotten", "drop", actor=LI)
    engine.forget("hu", actor=CHEN)
    late = engine.deviations(instance="ended")[0].sequence
    engine.explain_deviation("ended", late, reason="the guest was early", actor=LI)
    engine.accept_deviation("ended", late, reason="seen", actor=CHEN)


def _requirements(script: Script) -> None:
    engine = script.engine
    for name in ("met_by_old_data", "met_by_blank", "stands_on_old_data"):
        engine.start("reason", data={"subject": "door"}, actor=LI, instance_id=name)
    engine.start("reason", data={"subject": "   "}, actor=LI, instance_id="blank_subject")
    for name in ("met_by_old_data", "stands_on_old_data"):
        engine.fire(name, "reject", actor=LI, data={"ground": "first time"})
        engine.fire(name, "again", actor=LI, evidence={"note": "n"})
    engine.fire("met_by_old_data", "reject", actor=LI)
    engine.fire("met_by_blank", "reject", actor=LI, data={"ground": ""})
    engine.fire("blank_subject", "reject", actor=LI, data={"ground": " \t"})
    engine.update("blank_subject", evidence={"note": " "}, actor=LI)
    engine.start("reason", data={"subject": CONTROL, "ground": CONTROL}, actor=LI, instance_id="control")
    engine.update("control", evidence={"note": CONTROL}, actor=LI)
    engine.fire("control", "again", actor=LI, override=CONTROL)


def _guards(script: Script) -> None:
    engine = script.engine
    for name in ("guard_passed_on_old_data", "guard_passed_and_paid"):
        engine.start("payment", actor=LI, instance_id=name)
        engine.fire(name, "submit", actor=LI, data={"amount": 5000})
    engine.fire("guard_passed_and_paid", "pay", actor=LI)
    engine.start("payment", actor=LI, instance_id="guarded_rightly", data={"amount": 5000})
    engine.fire("guarded_rightly", "submit", actor=LI, data={"amount": 5000})
    engine.start("joined", actor=LI, instance_id="done_guard")
    engine.fire("done_guard", "end_x", actor=LI)
    engine.fire("done_guard", "end_y", actor=LI)
    engine.start("joined", actor=LI, instance_id="before_done_guard")
    engine.fire("before_done_guard", "end_x", actor=LI)


def _four_eyes(script: Script) -> None:
    engine = script.engine
    pairs = {
        "nameless_both": (NO_CLERK, NO_CHIEF),
        "nameless_second": (LI, NO_CHIEF),
        "nameless_first": (NO_CLERK, CHEN),
    }
    for name, (one, two) in pairs.items():
        engine.start("four", actor=one, instance_id=name)
        engine.fire(name, "pass_on", actor=one)
        engine.fire(name, "approve", actor=two)
    engine.start("four", actor=NO_CLERK, instance_id="nameless_asked")
    engine.fire("nameless_asked", "pass_on", actor=NO_CLERK)
    engine.start("four", actor=BOTH, instance_id="one_override")
    engine.fire("one_override", "approve", actor=BOTH, override="hurry")
    now = script.clock.now
    engine.delegate(
        CHEN, "li", roles={"chief"}, since=now, until=now + timedelta(hours=6), delegation_id="chen_to_li"
    )
    engine.start("four", actor=LI, instance_id="override_by_deputy")
    engine.fire("override_by_deputy", "approve", actor=engine.acting(LI, "chen", "four"), override="hurry")
    for name in ("claimed_by_deputy", "given_back_by_deputy"):
        engine.start("four", actor=WANG, instance_id=name)
        engine.fire(name, "pass_on", actor=WANG)
        engine.claim(name, actor=engine.acting(LI, "chen", "four"))
    engine.release("given_back_by_deputy", actor=engine.acting(LI, "chen", "four"))
    script.later(hours=7)  # the delegation has ended


def _kept_deadlines(script: Script) -> None:
    engine = script.engine
    for name in ("kept_deadline", "kept_deadline_changed"):
        engine.start(("kept", 1), actor=LI, instance_id=name)
        engine.migrate(name, 2, reason="new times")
    script.later(minutes=1)
    engine.update("kept_deadline_changed", data={"urgent_h": True, "urgent_cd": True}, actor=LI)
    script.later(minutes=1)


def _sent_back(script: Script) -> None:
    engine = script.engine
    for name, version in (("sent_back", 2), ("sent_back_to_new", 1), ("overdue_to_new", 1)):
        engine.start(("sent_back", version), actor=LI, instance_id=name)
    script.later(days=1)
    engine.fire("sent_back_to_new", "up", actor=LI)
    engine.fire("sent_back", "back", actor=CHEN)
    engine.fire("sent_back_to_new", "back", actor=CHEN)
    for name in ("sent_back_to_new", "overdue_to_new"):
        engine.migrate(name, 2, reason="moves by itself")
    script.later(hours=1)


def _promises(script: Script) -> None:
    engine, clock = script.engine, script.clock
    for name in ("promised", "promised_and_recomputed"):
        engine.start(("inquiry", 1), actor=LI, instance_id=name)
    script.later(hours=1)
    for name, due in (("promised", "keep"), ("promised_and_recomputed", "recompute")):
        engine.fire(name, "go", actor=LI)
        engine.migrate(name, 2, reason="new promises", due=due)
    for name in ("cleared", "cleared_and_migrated", "moved_near"):
        engine.start(("visit", 1), actor=LI, instance_id=name)
        engine.reschedule(name, "meet", clock.now + timedelta(minutes=10), actor=LI)
        if name != "moved_near":
            engine.reschedule(name, "meet", None)
    engine.migrate("cleared_and_migrated", 2, reason="new name")


def _refusals(script: Script) -> None:
    engine = script.engine
    for name in ("refused_under_an_id", "bloated"):
        engine.start("owed", actor=LI, instance_id=name)
    with suppress(Refused):
        engine.fire("refused_under_an_id", "go", actor=LI, command_id="form-7")
    with suppress(Refused):
        engine.extend("bloated", LONG, reason="longer", actor=LI)


def _rounds(script: Script) -> None:
    script.engine.start("round", actor=LI, instance_id="missed_rounds")
    script.later(minutes=40)
    script.engine.fire("missed_rounds", "pass", actor=LI)


def _work(script: Script) -> None:
    engine, now = script.engine, script.clock.now
    for name in ("claimed", "assigned", "free"):
        engine.start("owed", actor=LI, instance_id=name)
    engine.claim("claimed", actor=LI)
    engine.assign("assigned", "wang", reason="knows the place", actor=CHEN)
    engine.claim("free", actor=LI)
    engine.release("free", actor=LI)
    for name in ("in_force", "revoked"):
        engine.delegate(
            CHEN,
            "wang",
            roles={"chief"},
            procedures={"four"},
            since=now,
            until=now + timedelta(days=300),
            delegation_id=name,
        )
    engine.revoke("revoked")


def _subscription(script: Script) -> None:
    """Leave a subscription with facts delivered, one given up, and one that waits."""

    def refuse(fact: object) -> None:
        if getattr(fact, "instance", "") == "ended":
            raise OSError("no letters today")

    pause = timedelta(minutes=1)
    script.engine.on_fact("started", name=SUBSCRIPTION, since="start", attempts=1, pause=pause)(refuse)
    script.engine.on_fact("moved", name="slow", since="start", attempts=8, pause=pause)(refuse)
    script.engine.on_fact("overdue", name="behind", since="start")(refuse)
    script.engine._outbox.workers.pop("behind")  # nobody has come for it yet
    script.engine.deliver()
    script.engine.start("owed", actor=LI, instance_id="undelivered")


def play_beyond(engine: Engine, clock: VirtualClock, checkpoints: Path) -> None:
    """Leave instances that hold an instant or an amount out of any range."""
    engine.start("extreme", actor=LI, instance_id="good", data={"meet": "2026-03-02T09:00:00+00:00", "n": 1})
    years = {
        "first": "0001-01-01T00:00:00+00:00",
        "before_first": "0001-01-01T00:00:00+14:00",
        "just_first": "0001-01-01T00:20:00+00:00",
        "last": "9999-12-31T23:59:59+00:00",
        "after_last": "9999-12-31T23:59:59-14:00",
        "old": "1899-12-31T23:59:59+00:00",
        "late": "2200-01-01T00:00:00+00:00",
    }
    for name, value in years.items():
        engine.start("extreme", actor=LI, instance_id=f"{name}_given", data={"meet": value, "n": 2**63 - 1})
    for name, value in years.items():
        engine.start("extreme", actor=LI, instance_id=f"{name}_updated", data={"n": -(2**63)})
        engine.update(f"{name}_updated", data={"meet": value}, actor=LI)
    for name, value in years.items():
        engine.start("extreme", actor=LI, instance_id=f"{name}_rescheduled", data={"n": 1.7e308})
        engine.reschedule(f"{name}_rescheduled", "meet", datetime.fromisoformat(value), actor=LI)
    engine.start("huge", actor=LI, instance_id="huge_within")
    engine.start("huge", actor=LI, instance_id="huge_after", data={"meet": "9000-01-01T00:00:00+00:00"})
    engine.start("huge", actor=LI, instance_id="huge_ended", data={"meet": "2026-03-02T09:00:00+00:00"})
    engine.fire("huge_ended", "go", actor=LI)
    clock.advance(timedelta(hours=2))
    engine.tick()
    engine.seal(checkpoints)
    clock.move_to(datetime(9999, 12, 31, 23, 30, tzinfo=UTC))
    engine.start("extreme", actor=LI, instance_id="started_last")


PLAYS: Mapping[str, Callable[[Engine, VirtualClock, Path], None]] = {
    "states": play_states,
    "beyond": play_beyond,
}


def restore(url: str, text: str) -> None:
    """Put a kept store into an empty database."""
    statements = _whole(text)
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(str(make_url(url).database))) as file:
            file.executescript(statements)
        return
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as connection:
        connection.execute(statements.encode())


def journals(text: str) -> Iterator[tuple[dict[str, object], list[bytes]]]:
    """Yield each journal of a kept store: what was said of it, and its entries."""
    found: list[tuple[dict[str, object], list[bytes]]] = []
    for line in _whole(text).encode().splitlines():
        if line.startswith(b'{"journal":'):
            found.append((orjson.loads(line), []))
        else:
            found[-1][1].append(line)
    yield from found


def _short(text: str) -> str:
    """Return text in which a long run of `x` is said by its length."""
    return re.sub(r"x{1000,}", lambda found: f"<x*{len(found[0])}>", text)


def _whole(text: str) -> str:
    return re.sub(r"<x\*(\d+)>", lambda found: "x" * int(found[1]), text)


def _sqlite_text(url: str) -> Iterator[str]:
    """Yield the statements that make a SQLite database again."""
    with closing(sqlite3.connect(str(make_url(url).database))) as file:
        made = file.execute(
            "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name LIKE 'svcflow%' ORDER BY type DESC, name"
        ).fetchall()
        yield "BEGIN"
        for name, statement in made:
            yield statement
            if statement.startswith("CREATE TABLE"):
                for row in file.execute(f"SELECT * FROM {name}"):  # noqa: S608  # a name of ours
                    yield _insert(name, row, "CAST('{}' AS BLOB)", "X'{}'")
        yield "COMMIT"


def _postgres_text(url: str) -> Iterator[str]:
    """Yield the statements that make the tables of a PostgreSQL schema again, in the current one."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    dialect = postgresql.dialect()
    with psycopg.connect(plain) as connection:
        for table in sorted(_tables().tables.values(), key=lambda table: table.name):
            yield str(CreateTable(table).compile(dialect=dialect)).strip()
            yield from (
                str(CreateIndex(index).compile(dialect=dialect)).strip()
                for index in sorted(table.indexes, key=lambda index: str(index.name))
            )
            keys = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.primary_key)
            asked = sql.SQL("SELECT * FROM {} ORDER BY {}").format(sql.Identifier(table.name), keys)
            for row in connection.execute(asked):
                yield _insert(table.name, row, "convert_to('{}', 'UTF8')", "decode('{}', 'hex')")
    yield "SELECT setval(pg_get_serial_sequence('svcflow_facts', 'position'), (SELECT max(position) FROM svcflow_facts))"


def _insert(table: str, row: Sequence[object], of_text: str, of_bytes: str) -> str:
    values = ", ".join(_literal(value, of_text, of_bytes) for value in row)
    return f"INSERT INTO {table} VALUES ({values})"  # noqa: S608  # written, not run


def _literal(value: object, of_text: str, of_bytes: str) -> str:
    """Return a value as SQL; bytes as the text they are, if that can be read."""
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return f"'{_quoted(value)}'"
    assert isinstance(value, bytes)
    with suppress(UnicodeDecodeError):
        text = value.decode()
        if text.isprintable():
            return of_text.format(_quoted(text))
    return of_bytes.format(value.hex())


def _quoted(text: str) -> str:
    assert text.isprintable(), text
    return text.replace("'", "''")


def write(name: str, kind: str, url: str) -> None:
    """Play on an empty database and keep what comes of it beside the procedures."""
    folder, clock = HERE / name, VirtualClock(MORNING)
    stem = f"{schema.VERSION}.{kind}"
    checkpoints = folder / f"{stem}.checkpoints"
    assert not checkpoints.exists(), f"{stem} is kept already"
    with Engine(url, catalog(name), clock=clock) as engine:
        PLAYS[name](engine, clock, checkpoints)
        if kind == "sqlite":
            text = b"\n".join(lines(engine._store)).decode() + "\n"
            (folder / f"{schema.VERSION}.jsonl").write_text(_short(text), encoding="utf-8")
    statements = _sqlite_text(url) if kind == "sqlite" else _postgres_text(url)
    text = "".join(f"{statement};\n" for statement in statements)
    (folder / f"{stem}.sql").write_text(_short(text), encoding="utf-8")


if __name__ == "__main__":
    from database_server import DatabaseServer, own_server

    with tempfile.TemporaryDirectory() as folder:
        running = own_server(Path(folder) / "server")
        try:
            for name in PLAYS:
                write(name, "sqlite", f"sqlite:///{folder}/{name}.db")
                with DatabaseServer(running.get_uri()).place() as url:
                    write(name, "postgresql", url)
        finally:
            running.cleanup()
