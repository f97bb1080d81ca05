"""Sub-procedures on the command line: both instances say what they run, or by what they are run."""

from __future__ import annotations

import pytest
from cli_answers import parsed

PARENT = """\
procedure: visit
name: {zh: 接待, en: Visit}
roles: {host: {zh: 接待员, en: Host}}
steps:
  planned: {name: {zh: 方案, en: Planned}, role: host, to: {order: driving}}
  driving:
    name: {zh: 用车, en: Driving}
    role: host
    runs: {procedure: car, outcomes: {completed: arrived}}
    to: {arrived: received}
  received: {end: completed}
"""
CHILD = """\
procedure: car
roles: {driver: {zh: 司机, en: Driver}}
steps:
  asked: {name: {zh: 申请, en: Asked}, role: driver, to: {drive: driven}}
  driven: {end: completed}
"""
HOST, DRIVER = ("--actor", "zhao:host"), ("--actor", "li:driver")


@pytest.fixture
def visit(folder, svc) -> str:
    """Order the car of a visit `v`, and return the id of its child."""
    (folder / "visit.yaml").write_text(PARENT, encoding="utf-8")
    (folder / "car.yaml").write_text(CHILD, encoding="utf-8")
    svc("start", "visit", "--id", "v", *HOST)
    svc("fire", "v", "order", *HOST)
    return "v.driving.1"


def test_each_shows_the_other(svc, visit):
    """In words and as JSON, while it runs and when it has ended."""
    assert "runs               v.driving.1 (Driving): running" in svc("show", "v").stdout
    assert "上级流程" in svc("show", visit, "--lang", "zh").stdout
    assert parsed(svc("show", visit, "--json"))["instance"]["parent"] == "v"
    svc("fire", visit, "drive", *DRIVER)
    (child,) = parsed(svc("show", "v", "--json"))["instance"]["children"]
    assert child == {
        "instance": visit, "procedure": "car", "step": "driving", "state": "ended", "outcome": "completed",
    }  # fmt: skip
    journal = svc("show", "v", "--journal").stdout
    assert f"Driving: {visit} has ended (completed)" in journal
    assert "v.driving.1 (Driving): completed" in journal


def test_the_worklist_names_what_a_step_runs(svc, visit):
    """The step of the parent has the sign and the child."""
    assert f"Driving ⊞ {visit}" in svc("worklist").stdout
    work = {one["instance"]: one for one in parsed(svc("worklist", "--json"))["work"]}
    assert (work["v"]["child"], work["v"]["parent"]) == (visit, None)
    assert (work[visit]["child"], work[visit]["parent"]) == (None, "v")


def test_check_takes_the_files_together(run, folder):
    """A procedure that is run by a step of another is looked for among the files that are given."""
    (folder / "visit.yaml").write_text(PARENT, encoding="utf-8")
    said = run("check", folder / "visit.yaml", exit_code=3).stdout
    assert "steps.driving.runs.procedure: error declaration: the catalog has no procedure 'car'" in said
    assert "give its file too" in said
    (folder / "car.yaml").write_text(CHILD, encoding="utf-8")
    assert "3 files: 0 errors" in run("check", folder).stdout


def test_a_simulation_says_that_it_simulates_no_child(run, folder):
    """The time of the step stands for it; what is refused in production does not stop the run."""
    (folder / "visit.yaml").write_text(
        PARENT.replace("outcomes:", "on_call_off: refuse, outcomes:"), encoding="utf-8"
    )
    (folder / "car.yaml").write_text(CHILD, encoding="utf-8")
    said = run("simulate", "visit", "--procedures", folder, "--instances", 20).stdout
    assert "sub-procedures not simulated themselves" in said
