"""Commands of procedure files: check, draw, diff, simulate, conform."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_answers import LAMP, parsed

from svcflow.model.catalog import shipped_folder

LOG = """\
<log xes.version="1.0"><trace><string key="concept:name" value="c1"/>
<event><string key="concept:name" value="Ask"/><date key="time:timestamp" value="2026-03-02T09:00:00+08:00"/></event>
<event><string key="concept:name" value="Accept"/><date key="time:timestamp" value="2026-03-02T14:00:00+08:00"/></event>
</trace></log>
"""
MAPPING = "mapping: lamp_log\nprocedure: lamp\nstarts: [Ask]\nactivities: {Ask: accept, Accept: accept}\n"


def test_check_gives_every_finding_its_place(run, folder):
    """A finding stands as file:line:column path: severity code, and counts in the summary."""
    lines = run("check", folder).stdout.splitlines()
    found = [line for line in lines if "step-without-limit" in line]
    assert found
    assert found[0].startswith(f"{folder / 'lamp.yaml'}:28:3 steps.fitted: warning step-without-limit: ")
    assert "1 file: 0 errors" in lines[-1]
    assert "警告 step-without-limit" in run("check", folder, "--lang", "zh").stdout


@pytest.mark.parametrize(("severity", "exit_code"), [("error", 0), ("warning", 1), ("note", 1)])
def test_check_exits_by_the_asked_severity(run, folder, severity, exit_code):
    """The severity asked for, and worse, decides the exit code."""
    run("check", folder, "--severity", severity, exit_code=exit_code)


def test_check_as_json_has_keys_that_stay(run, folder):
    """Files, findings and a summary; each finding with code, place and both languages."""
    found = parsed(run("check", folder / "lamp.yaml", "--json"))
    assert set(found) == {"files", "findings", "summary"}
    keys = {"code", "severity", "path", "file", "line", "column", "message", "remedy"}
    assert all(set(one) == keys for one in found["findings"])
    assert found["summary"]["warning"] == sum(one["severity"] == "warning" for one in found["findings"])


def test_check_goes_on_after_a_faulty_file(run, folder):
    """A file that cannot be loaded is listed with its place; the others are still checked; the exit code is 3."""
    (folder / "bad.yaml").write_text(
        LAMP.replace("role: fitter", "role: fiter").replace("lamp", "bad"), encoding="utf-8"
    )
    (folder / "broken.yaml").write_text("procedure: [", encoding="utf-8")
    result = run("check", folder, exit_code=3)
    assert "bad.yaml" in result.stdout
    assert ": error declaration: " in result.stdout
    assert "lamp.yaml:28:3" in result.stdout
    found = parsed(run("check", folder, "--json", exit_code=3))
    assert found["error"]["code"] == "declaration"
    assert {one["file"].rsplit("/")[-1] for one in found["findings"]} >= {
        "bad.yaml",
        "broken.yaml",
        "lamp.yaml",
    }


def test_check_refuses_a_name_declared_twice_and_an_unknown_calendar(run, folder):
    """What only shows across files is found too."""
    (folder / "copy.yaml").write_text(LAMP, encoding="utf-8")
    (folder / "odd.yaml").write_text(
        LAMP.replace("lamp", "odd").replace("cn_office", "moon"), encoding="utf-8"
    )
    said = run("check", folder, exit_code=3).stdout
    assert "is declared in" in said
    assert "odd.yaml:4:" in said
    assert "moon" in said


def test_check_knows_the_calendars_of_the_files(run, folder):
    """A procedure may name a calendar that is declared beside it."""
    (folder / "lamp.yaml").write_text(LAMP.replace("cn_office", "moon"), encoding="utf-8")
    (folder / "moon.yaml").write_text('calendar: moon\ntimezone: UTC\nweekly: {mon-fri: ["09:00-17:00"]}\n')
    assert "2 files: 0 errors" in run("check", folder).stdout


def test_check_without_arguments_takes_what_is_shipped(run):
    """The shipped documents can all be loaded."""
    assert parsed(run("check", "--json", exit_code=None)).get("error") is None


def test_check_of_nothing_is_told(run, tmp_path):
    """A folder without YAML is bad input, not success."""
    (tmp_path / "empty").mkdir()
    assert "no .yaml file" in run("check", "empty", exit_code=3).stdout


@pytest.mark.parametrize(
    ("name", "begins"), [("a.svg", b"<svg"), ("a.json", b"{"), ("a.dot", b"digraph"), ("a.png", b"\x89PNG")]
)
def test_draw_writes_the_format_of_the_suffix(run, folder, tmp_path, name, begins):
    """Each suffix gives its format, and nothing else is left in the folder."""
    said = run("draw", folder / "lamp.yaml", "-o", name, "--lang", "en")
    assert said.stdout.strip() == name
    assert begins in (tmp_path / name).read_bytes()[:200]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "procedures"])


def test_draw_takes_an_id_and_names_its_file(run, folder, tmp_path):
    """By default the drawing is ID.svg here, in both languages; JSON tells where."""
    found = parsed(run("draw", "lamp", "--procedures", folder, "--json", "--direction", "vertical"))
    assert (found["file"], found["procedure"], found["version"]) == ("lamp.svg", "lamp", 1)
    svg = (tmp_path / "lamp.svg").read_text(encoding="utf-8")
    assert "换灯" in svg
    assert "Lamp" in svg


@pytest.mark.parametrize("router", ["auto", "own", "wasm", "dot"])
def test_a_router_is_still_accepted(run, folder, tmp_path, router):
    """Every map is routed by svcflow itself: what named Graphviz is accepted, and said to have no effect."""
    plain = ["draw", "lamp", "--procedures", folder]
    run(*plain, "-o", "plain.svg")
    result = run(*plain, "-o", "routed.svg", "--router", router, "--lang", "zh+en")
    assert (tmp_path / "routed.svg").read_bytes() == (tmp_path / "plain.svg").read_bytes()
    assert ("has no effect" in result.stderr) == (router in ("wasm", "dot"))


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["lamp", "-o", "x.pdf"], "drawing"),
        (["lamp", "-o", ".svg"], "drawing"),
        (["lamp", "-o", "nowhere/x.svg"], "output"),
        (["lamp", "-o", "."], "output"),
        (["lampe"], "unknown-procedure"),
        (["lamp@3"], "unknown-procedure"),
        (["missing.yaml"], "declaration"),
    ],
)
def test_draw_that_fails_leaves_nothing(run, folder, tmp_path, args, code):
    """An error is explained and leaves no file, not even half of one."""
    (tmp_path / "x.pdf").write_text("mine")
    found = parsed(run("draw", *args, "--procedures", folder, "--json", exit_code=3))
    assert found["error"]["code"] == code
    assert sorted(path.name for path in tmp_path.iterdir()) == ["procedures", "x.pdf"]
    assert (tmp_path / "x.pdf").read_text() == "mine"


def test_a_file_without_a_suffix_is_named_as_it_was_given(run, folder):
    """Not as the temporary file that was to become it."""
    said = run("draw", "lamp", "--procedures", folder, "-o", ".svg", exit_code=3).stderr
    assert "cannot be saved as '.svg'; supported are" in said
    said = run("draw", "lamp", "--procedures", folder, "-o", ".", exit_code=3).stderr
    assert ". cannot be written: Is a directory" in said


def test_simulate_is_the_same_for_the_same_seed(run, folder):
    """Without a scenario the stated default is taken; the seed decides the result."""
    args = ("simulate", folder / "lamp.yaml", "-n", 20, "--json")
    first, again, other = (run(*args, "--seed", seed).stdout for seed in (3, 3, 4))
    assert first == again != other
    assert json.loads(first)["instances"] == 20
    assert "换灯" in run("simulate", folder / "lamp.yaml", "-n", 5, "--lang", "zh").stdout


def test_simulate_takes_the_scenario_beside_the_procedure(run):
    """A shipped procedure is simulated under its shipped scenario."""
    name = next(shipped_folder().rglob("*.scenario.yaml")).name.removesuffix(".scenario.yaml")
    found = parsed(run("simulate", name, "-n", 5, "--json"))
    assert (found["procedure"], found["instances"]) == (name, 5)
    assert "no scenario" in run("simulate", name, "--scenario", "busy", exit_code=3).stderr


def test_conform_holds_a_log_against_a_procedure(run, folder, tmp_path):
    """The mapping beside the file is found; a late acceptance is a deviation and exits with 1."""
    (tmp_path / "log.xes").write_text(LOG, encoding="utf-8")
    (folder / "lamp.mapping.yaml").write_text(MAPPING, encoding="utf-8")
    args = ("conform", "log.xes", "--procedure", folder / "lamp.yaml")
    found = parsed(run(*args, "--json", exit_code=1))
    assert found["cases"] == 1
    assert found["deviations"]["kind"]["overdue"] >= 1
    assert found["worst"] == ["c1"]
    assert "c1" in run(*args, "--lang", "zh", exit_code=1).stdout
    assert "超时" in run(*args, "--mapping", "lamp_log", "--lang", "zh", exit_code=1).stdout
    assert parsed(run(*args, "--top", 0, "--json", exit_code=1))["worst"] == []


def test_conform_without_a_mapping_says_so(run, folder, tmp_path):
    """Where no mapping is to be found the error names the option."""
    (tmp_path / "log.xes").write_text(LOG, encoding="utf-8")
    result = run("conform", "log.xes", "--procedure", folder / "lamp.yaml", exit_code=3)
    assert "--mapping" in result.stderr


def test_what_stands_beside_a_file_is_found_and_faulty_neighbours_do_not_matter(run, folder, tmp_path):
    """Calendar, scenario and mapping beside a procedure's file serve it; a broken neighbour is left alone."""
    (folder / "lamp.yaml").write_text(LAMP.replace("cn_office", "moon"), encoding="utf-8")
    (folder / "moon.yaml").write_text('calendar: moon\ntimezone: UTC\nweekly: {mon-fri: ["09:00-17:00"]}\n')
    (folder / "busy.yaml").write_text(
        "scenario: busy\nprocedure: lamp\narrivals: {between: {distribution: constant, value: 1h}}\n"
    )
    (folder / "broken.yaml").write_text("procedure: [")
    found = parsed(run("simulate", folder / "lamp.yaml", "-n", 3, "--json"))
    assert found["scenario"] == "busy"
    assert parsed(run("simulate", folder / "lamp.yaml", "-n", 3, "--scenario", "busy", "--json")) == found
    again = run("simulate", folder / "lamp.yaml", "-n", 3, "--scenario", folder / "busy.yaml", "--json")
    assert parsed(again) == found
    (tmp_path / "map.yaml").write_text(MAPPING)
    (tmp_path / "log.xes").write_text(LOG, encoding="utf-8")
    args = ("conform", "log.xes", "--procedure", folder / "lamp.yaml", "--mapping", "map.yaml", "--json")
    assert parsed(run(*args, exit_code=1))["mapping"] == "lamp_log"


def test_diff_lists_what_changed_and_exits_with_1(run, folder):
    """A changed limit is told as it is written, in both languages; equal versions exit with 0."""
    newer = folder / "lamp-2.yaml"
    newer.write_text(LAMP.replace("version: 1", "version: 2").replace("{wh: 4,", "{wh: 2,"), encoding="utf-8")
    said = run("diff", "lamp@1", "lamp@2", "--procedures", folder, exit_code=1).stdout.splitlines()
    assert said[0] == "lamp v1 → lamp v2: 2 changes, 0 breaking for running instances"
    assert said[1:] == ["≠ version: 1 → 2", "≠ step accepted › limit accepted › within: 4wh → 2wh"]
    zh = run("diff", folder / "lamp.yaml", newer, "--lang", "zh", exit_code=1).stdout
    assert "≠ 环节 accepted › 时限 accepted › within：4wh → 2wh" in zh
    assert "no difference" in run("diff", newer, "lamp@2", "--procedures", folder).stdout


def test_diff_as_json_has_keys_that_stay(run, folder):
    """What breaks is marked, and the mapping of steps is proposed; an unknown version is bad input."""
    newer = folder / "lamp-2.yaml"
    newer.write_text(LAMP.replace("version: 1", "version: 2").replace("fitted", "placed"), encoding="utf-8")
    found = parsed(run("diff", "lamp@1", "lamp@2", "--procedures", folder, "--json", exit_code=1))
    assert set(found) == {"old", "new", "equal", "changes", "steps"}
    assert [one["name"] for one in found["changes"] if one["breaking"]] == ["fitted"]
    assert [one["to"] for one in found["steps"] if one["match"] == "renamed"] == ["placed"]
    assert parsed(run("diff", "lamp@1", "lamp@9", "--procedures", folder, "--json", exit_code=3))["error"]


SEASONAL = """\
calendar: seasonal
timezone: Asia/Shanghai
weekly:
  - {from: 05-01, to: 09-30, mon-fri: ["08:00-12:00", "14:30-17:30"]}
  - {from: 10-01, to: 04-30, mon-fri: ["08:30-12:00", "13:30-17:30"]}
covers: {from: 2026-01-01, to: 2026-12-31}
makeup:
  - {date: 2026-02-09, to: 2026-02-20, hours: ["08:30-12:00"]}
days:
  - {date: 2026-03-06, name: {zh: 半天, en: Half day}, hours: ["08:30-12:00"]}
"""


def test_check_reads_calendars_too(run, folder):
    """Make-up days that open a weekend are found in the file in which they stand; a gap between seasons is refused."""
    file = folder / "seasonal.yaml"
    file.write_text(SEASONAL, encoding="utf-8")
    out = run("check", folder).stdout
    assert f"{file}:8:5 makeup[0]: warning makeup-opens-days-off: " in out
    file.write_text(SEASONAL.replace("to: 04-30", "to: 04-20"), encoding="utf-8")
    out = run("check", folder, exit_code=3).stdout
    assert (
        f"{file}:5:23 weekly[1].to: error declaration: no season holds on 04-21…04-30; write to: 04-30" in out
    )


def test_a_calendars_year_shows_seasons_and_half_days(run, folder):
    """In words, and as plain data."""
    (folder / "seasonal.yaml").write_text(SEASONAL, encoding="utf-8")
    out = run("calendar", "show", "seasonal", "2026", "--procedures", folder).stdout
    assert "05-01 … 09-30: Mon-Fri 08:00-12:00 14:30-17:30" in out
    assert "03-06         T other times     Half day" in out
    assert out.splitlines()[-1].endswith(", 1 day of other hours")
    found = parsed(run("calendar", "show", "seasonal", "2026", "--procedures", folder, "--json"))
    assert [day["date"] for day in found["days"] if day["kind"] == "hours"] == ["2026-03-06"]
    assert len(found["seasons"]) == 2


TURN = """\
procedure: turn
calendar: always
steps:
  asked: {within: {h: 2}, to: {answer: answered}}
  answered: {end: completed}
"""
TURNS = "mapping: turns\nprocedure: turn\nstarts: [Ask]\nactivities: {Answer: answer}\nignore: [Note]\n"


def happened(name: str, minute: int | None, lifecycle: str = "complete") -> str:
    stamp = f'<date key="time:timestamp" value="2026-03-02T09:{minute or 0:02}:00+08:00"/>'
    return (
        f'<event><string key="concept:name" value="{name}"/>'
        f'<string key="lifecycle:transition" value="{lifecycle}"/>{stamp if minute is not None else ""}</event>'
    )


@pytest.fixture
def held(run, folder, tmp_path):
    """Hold a log of one case against the turn."""
    (folder / "turn.yaml").write_text(TURN, encoding="utf-8")
    (folder / "turns.yaml").write_text(TURNS, encoding="utf-8")

    def of(events, *more, exit_code):
        told = "".join(happened(*event) for event in events)
        case = f'<trace><string key="concept:name" value="c1"/>{told}</trace>'
        (tmp_path / "log.xes").write_text(f"<log>{case}</log>", encoding="utf-8")
        files = ("log.xes", "--procedure", folder / "turn.yaml", "--mapping", folder / "turns.yaml")
        return run("conform", *files, *more, exit_code=exit_code)

    return of


@pytest.mark.parametrize(
    ("events", "exit_code", "first"),
    [
        ([("Ask", 0), ("Answer", 5)], 0, "100 % of events mapped, 1 case judged"),
        ([("Ask", 0), ("Note", 3), ("Answer", 5)], 0, "66.6 % of events mapped, 1 case judged"),
        ([("Come", 0), ("Go", 5)], 3, "0 % of events mapped, 0 cases judged"),
        ([("Note", 0)], 3, "0 % of events mapped, 0 cases judged"),
        ([("Ask", 0, "start"), ("Answer", 5, "start")], 3, "0 % of events mapped, 0 cases judged"),
        ([("Ask", None), ("Answer", None)], 3, "0 % of events mapped, 0 cases judged"),
        ([], 3, "0 % of events mapped, 0 cases judged"),
        ([("Ask", 0), ("Answer", 5), ("Answer", 9)], 1, "100 % of events mapped, 1 case judged"),
        ([("Answer", 0), ("Ask", 0)], 1, "100 % of events mapped, 1 case judged"),
    ],
)
def test_conform_says_first_what_it_rests_on(held, events, exit_code, first):
    """Nothing judged is bad input, what could not be replayed a finding; text and JSON say how much was mapped."""
    lines = held(events, "--lang", "en", exit_code=exit_code).stdout.splitlines()
    assert lines[0] == first
    assert lines[1].startswith("nothing was judged") == (exit_code == 3)
    found = parsed(held(events, "--json", exit_code=exit_code))
    assert found["judged"] == (0 if exit_code == 3 else 1)
    known = [event for event in events if len(event) == 3 or event[1] is not None]
    assert found["mapped_share"] == (found["mapped"] / len(known) if known else None)
    assert found["judged"] or "没有案例可判定" in held(events, "--lang", "zh", exit_code=3).stdout


def test_conform_is_not_told_by_severity_what_it_could_not_replay(held):
    """An event that no way leads to exits with 1 whatever severity is asked for."""
    events = [("Ask", 0), ("Answer", 5), ("Answer", 9)]
    assert "instance had ended" in held(events, "--severity", "critical", "--lang", "en", exit_code=1).stdout


def test_check_reads_each_file_once(run, folder, monkeypatch):
    """What is checked is what was read: a file that changes meanwhile is not mixed with itself."""
    read: list[str] = []
    open_ = Path.open

    def opened(path, *args, **options):
        read.append(path.name)
        return open_(path, *args, **options)

    monkeypatch.setattr(Path, "open", opened)
    run("check", folder)
    assert read.count("lamp.yaml") == 1


def test_check_tells_of_an_unknown_calendar_of_a_limit(run, folder):
    """It is found where it is named, and not first when an instance starts."""
    text = LAMP + "limits: [{id: whole, within: 9wd, calendar: cn_ofice}]\n"
    (folder / "lamp.yaml").write_text(text, encoding="utf-8")
    said = run("check", folder, exit_code=3).stdout
    assert (
        "limits[0].calendar: error declaration: there is no calendar 'cn_ofice'; did you mean cn_office?"
        in said
    )
