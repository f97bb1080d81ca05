"""What the tests of the command line share: a runner, a folder with one procedure, a store with one instance."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cli_answers import DESK, LAMP, MONDAY, TOUR
from click.testing import CliRunner, Result

from svcflow.cli.app import app

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (
        "SVCFLOW_LANG",
        "SVCFLOW_DB",
        "SVCFLOW_AT",
        "SVCFLOW_PROCEDURES",
        "LC_ALL",
        "LC_MESSAGES",
        "LANG",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the procedure `lamp`."""
    made = tmp_path / "procedures"
    made.mkdir()
    (made / "lamp.yaml").write_text(LAMP, encoding="utf-8")
    return made


@pytest.fixture
def run() -> Run:
    """Return a function that runs the command line in this process; an error that is ours is raised."""

    def invoke(*args: object, exit_code: int | None = 0) -> Result:
        result = CliRunner().invoke(app, [str(arg) for arg in args], prog_name="svcflow")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        if exit_code is not None:
            assert result.exit_code == exit_code, result.output
        return result

    return invoke


@pytest.fixture
def tour(folder: Path, svc: Run) -> str:
    """Start an instance `t` of `tour` on Monday 09:00, booked for Wednesday 14:00, and return its id."""
    (folder / "tour.yaml").write_text(TOUR, encoding="utf-8")
    (folder / "desk.yaml").write_text(DESK, encoding="utf-8")
    svc("start", "tour", "--id", "t", "-d", "starts=2026-03-04T14:00+08:00", "--actor", "g:guide")
    return "t"


@pytest.fixture
def svc(run: Run, folder: Path, tmp_path: Path) -> Run:
    """Return `run` with a store, the folder and Monday 09:00 given; JSON answers are parsed."""

    def invoke(*args: object, at: str = MONDAY, exit_code: int | None = 0) -> Result:
        return run(*args, "--db", tmp_path / "s.db", "--procedures", folder, "--at", at, exit_code=exit_code)

    return invoke


@pytest.fixture
def lamp(svc: Run) -> str:
    """Start an instance `lamp-1` on Monday 09:00 and return its id."""
    svc("start", "lamp", "--data", "place=hall", "--id", "lamp-1", "--actor", "d:desk")
    return "lamp-1"
