"""The doctor: what it says of this machine, of stores, and of calendars near their end."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from importlib.metadata import PackageNotFoundError

import pytest
from cli_answers import parsed

from database_server import connected
from svcflow.cli.doctor.declarations import calendar
from svcflow.cli.doctor.software import sqlite
from svcflow.errors import DrawingError
from svcflow.store import open_store, schema
from svcflow.text import Text
from svcflow.worktime import shipped_calendar

PROBES = {
    "python", "packages", "extra-fast", "extra-png", "extra-postgres", "extra-rich", "sqlite", "terminal", "graphviz", "font",
    "procedures", "calendar-always", "calendar-cn_always", "calendar-cn_office", "calendar-nl_office", "writing",
}  # fmt: skip


def _states(result):
    return {probe["id"]: probe["state"] for probe in parsed(result)["probes"]}


def test_the_doctor_looks_at_everything(run):
    """Every probe is there, in JSON with keys that stay, and nothing here is broken."""
    result = run("doctor", "--json")
    found = parsed(result)
    assert found["ok"]
    assert {probe["id"] for probe in found["probes"]} >= PROBES
    assert all(set(probe) == {"id", "state", "said", "remedy", "data"} for probe in found["probes"])
    assert all(probe["said"]["zh"] and probe["said"]["en"] for probe in found["probes"])


@pytest.mark.parametrize(
    ("lang", "words"), [("zh", ("布线", "中文字体", "写入权限")), ("en", ("Graphviz", "Writing"))]
)
def test_the_doctor_speaks_both_languages(run, lang, words):
    """The table stands in the asked language."""
    said = run("doctor", "--lang", lang).stdout
    assert all(word in said for word in words)


@pytest.mark.parametrize(
    ("version", "state"), [("3.40.1", "warning"), ("3.51.2", "warning"), ("3.51.3", "ok"), ("3.52.0", "ok")]
)
def test_an_old_sqlite_is_warned_of(version, state):
    """Before 3.51.3 two writers can spoil the WAL; from there on nothing is said."""
    assert sqlite(version).state == state


@pytest.mark.parametrize(("left", "state"), [(60, "ok"), (59, "warning"), (0, "warning"), (-1, "warning")])
def test_a_calendar_near_its_end_is_warned_of(left, state):
    """From 60 days before its coverage ends the calendar is a warning, and says how long is left."""
    office = shipped_calendar("cn_office")
    assert office.covers is not None
    found = calendar(office, date.fromordinal(office.covers.last.toordinal() - left))
    assert (found.state, found.data["days_left"]) == (state, left)
    assert ("ended" in found.message.en) == (left < 0)


def test_a_store_is_looked_at_and_not_changed(run, svc, lamp, tmp_path):
    """The schema version and the number of instances are told; the file stays as it is."""
    before = (tmp_path / "s.db").read_bytes()
    probe = next(one for one in parsed(svc("doctor", "--json"))["probes"] if one["id"] == "store")
    assert (probe["state"], probe["data"]["schema"], probe["data"]["instances"]) == (
        "ok",
        str(schema.VERSION),
        1,
    )
    assert (tmp_path / "s.db").read_bytes() == before


@pytest.mark.parametrize(("version", "state"), [("1", "note"), ("99", "failure")])
@pytest.mark.usefixtures("lamp")
def test_a_store_of_another_version_is_told(run, tmp_path, version, state):
    """An older one will be migrated, which is worth a backup; a newer one cannot be used."""
    with closing(sqlite3.connect(tmp_path / "s.db")) as file, file:
        file.execute("UPDATE svcflow_meta SET value = ? WHERE name = 'schema'", (version,))
    result = run("doctor", "--db", tmp_path / "s.db", "--json", exit_code=int(state == "failure"))
    assert _states(result)["store"] == state


def test_a_bad_store_is_a_failure(run, tmp_path):
    """A missing, foreign or unsupported store exits with 1, and none is made or changed."""
    with closing(sqlite3.connect(tmp_path / "foreign.db")) as foreign:
        foreign.execute("CREATE TABLE somebody (x)")
        foreign.commit()
    before = (tmp_path / "foreign.db").read_bytes()
    for db in ("none.db", "foreign.db", "mysql://x/y", "postgresql://x@127.0.0.1:9/y"):
        assert _states(run("doctor", "--db", db, "--json", exit_code=1))["store"] == "failure"
    assert (tmp_path / "foreign.db").read_bytes() == before
    assert not (tmp_path / "none.db").exists()


def test_a_store_on_a_server_is_looked_at_and_not_made(run, postgres_url, database_server):
    """Without our tables it is a failure and none are made; with them version and instances are told."""
    for _ in range(2):
        assert _states(run("doctor", "--db", postgres_url, "--json", exit_code=1))["store"] == "failure"
    open_store(postgres_url).close()
    probe = next(
        one for one in parsed(run("doctor", "--db", postgres_url, "--json"))["probes"] if one["id"] == "store"
    )
    assert (probe["data"]["schema"], probe["data"]["instances"]) == (str(schema.VERSION), 0)
    assert probe["state"] == {"on": "ok", "off": "warning"}[probe["data"]["fsync"]]
    with connected(postgres_url) as connection:
        connection.execute("UPDATE svcflow_meta SET value = '9'")
    assert _states(run("doctor", "--db", postgres_url, "--json", exit_code=1))["store"] == "failure"


def test_faulty_procedures_are_a_failure(run, folder):
    """A folder that does not load is told of, and the rest is still looked at."""
    (folder / "bad.yaml").write_text("procedure: [", encoding="utf-8")
    states = _states(run("doctor", "--procedures", folder, "--json", exit_code=1))
    assert states["procedures"] == "failure"
    assert states["python"] == "ok"


def test_no_font_and_no_graphviz_are_no_failure(run, monkeypatch):
    """Without a Chinese font and without any Graphviz everything but PNG still works."""
    monkeypatch.setattr("svcflow.drawing.render.fonts._folders", list)
    monkeypatch.setattr("svcflow.drawing.render.fonts._scanned", lambda _known: ())
    states = _states(run("doctor", "--json"))
    assert states["font"] == "note"


def test_missing_packages_and_extras_are_told(run, monkeypatch):
    """A missing dependency is a failure, a missing extra a note that says what to install."""

    def version(name):
        if name in ("attrs", "rich"):
            raise PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr("svcflow.cli.doctor.software.version", version)
    found = {probe["id"]: probe for probe in parsed(run("doctor", "--json", exit_code=1))["probes"]}
    assert (found["packages"]["state"], found["packages"]["said"]["en"]) == ("failure", "missing: attrs")
    assert (found["extra-rich"]["state"], found["extra-rich"]["remedy"]["en"]) == (
        "note", "pip install 'svcflow[rich]'"
    )  # fmt: skip


def test_a_faulty_calendar_and_a_router_that_fails_are_told(run, folder, monkeypatch):
    """A calendar that cannot be read is a failure; a router that does not work is a warning."""

    def fails(*_, **__):
        raise DrawingError(Text(zh="坏了", en="broken"))

    (folder / "moon.yaml").write_text("calendar: moon\ntimezone: Nowhere/At_all\nweekly: {}\n")
    monkeypatch.setattr("svcflow.cli.doctor.drawing.draw", fails)
    states = _states(run("doctor", "--procedures", folder, "--json", exit_code=1))
    assert (states["calendar-moon"], states["graphviz"]) == ("failure", "warning")


def test_a_folder_without_permission_and_a_store_in_memory(run):
    """A place where nothing can be written is a failure; a store in memory is noted."""
    states = _states(run("doctor", "--db", "missing/s.db", "--json", exit_code=1))
    assert (states["store"], states["writing"]) == ("failure", "failure")
    assert _states(run("doctor", "--db", "memory://", "--json"))["store"] == "note"
