"""The examples: each runs as it is published."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import warnings
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

import svcflow

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
DISPATCHER = {"X-Actor": "dispatcher-1", "X-Roles": "dispatcher"}
TECHNICIAN = {"X-Actor": "technician-1", "X-Roles": "technician"}


def run(*arguments: str) -> str:
    """Run Python in the examples' folder with warnings as errors; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments], cwd=EXAMPLES, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made
    spec.loader.exec_module(made)
    return made


def test_every_example_is_run_here():
    """An example that no test runs would rot."""
    tests = Path(__file__).read_text(encoding="utf-8")
    assert [path.name for path in EXAMPLES.glob("*.py") if path.stem not in tests] == []


def test_the_plain_script_finds_the_late_arrival():
    """embed_script.py prints the one deviation and that the journal verifies."""
    printed = run("embed_script.py").splitlines()
    assert printed[1:] == [
        "deviation: overdue of arrive, 20 minutes, major",
        "journal verifies: True",
    ]


def test_the_drawings_are_svg(tmp_path):
    """draw_diagrams.py writes one well-formed SVG for each shipped procedure."""
    printed = run("draw_diagrams.py", str(tmp_path))
    written = sorted(path.stem for path in tmp_path.glob("*.svg"))
    assert written == [procedure.id for procedure in svcflow.Catalog.shipped()]
    assert len(printed.splitlines()) == len(written)
    for path in tmp_path.glob("*.svg"):
        assert ET.parse(path).getroot().tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314  # our own


def test_the_simulation_test_passes():
    """test_with_simulation.py is collected by pytest and passes with the library's fixtures."""
    printed = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_with_simulation.py")
    assert " passed in " in printed.splitlines()[-1]


@pytest.fixture
def clock():
    return svcflow.VirtualClock(datetime.fromisoformat("2026-03-02T09:00+08:00"))


@pytest.fixture
def client(tmp_path, clock):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Using `httpx` with")  # starlette's, about its own test client
        from fastapi.testclient import TestClient
    app = module("fastapi_service").create_app(f"sqlite:///{tmp_path / 'service.db'}", clock)
    with TestClient(app) as opened:
        yield opened


def started(client: TestClient) -> str:
    answer = client.post(
        "/procedures/repair/instances", json={"data": {"place": "3-1204"}}, headers=DISPATCHER
    )
    assert answer.status_code == 201
    return str(answer.json()["id"])


def test_the_service_starts_moves_and_lists_deviations(client, clock):
    """fastapi_service.py runs a request over HTTP; a limit that passes is listed."""
    instance = started(client)
    moved = client.post(f"/instances/{instance}/accept", json={}, headers=DISPATCHER)
    assert moved.json()["steps"] == ["accepted"]
    clock.advance(timedelta(hours=5))
    found = client.get("/deviations", params={"procedure": "repair"}).json()
    assert [(one["instance"], one["kind"], one["step"]) for one in found] == [
        (instance, "overdue", "accepted")
    ]


def test_the_service_answers_409_where_a_rule_refuses(client):
    """A refusal names its rule and speaks both languages."""
    answer = client.post(f"/instances/{started(client)}/accept", json={}, headers=TECHNICIAN)
    assert (answer.status_code, answer.json()["rule"]) == (409, "role")
    assert "调度员" in answer.json()["zh"]


def test_the_service_answers_404_for_what_it_does_not_know(client):
    """Unknown instances, procedures and triggers are not found."""
    for way in (
        "/instances/nothing/accept",
        f"/instances/{started(client)}/acept",
        "/procedures/x/instances",
    ):
        assert client.post(way, json={}, headers=DISPATCHER).status_code == 404


def test_the_service_answers_422_for_values_that_do_not_fit(client):
    """A value that does not fit its field is named."""
    body = {"data": {"place": "3-1204", "priority": "soon"}}
    answer = client.post("/procedures/repair/instances", json=body, headers=DISPATCHER)
    assert (answer.status_code, answer.json()["code"]) == (422, "field")


def test_the_service_does_a_command_once(client):
    """A command sent again with its id gives the first answer again."""
    body = {"data": {"place": "3-1204"}, "command_id": "form-1"}
    answers = [
        client.post("/procedures/repair/instances", json=body, headers=DISPATCHER).json() for _ in range(2)
    ]
    assert answers[0] == answers[1]
