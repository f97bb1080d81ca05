"""Output of the command line: nothing in it steers a terminal; progress and files."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
from pathlib import Path

import pytest
from cli_answers import parsed

from svcflow.cli.calendar_year import year_text
from svcflow.cli.output import OutputError, echo, echo_json, escape_log_lines, write_whole
from svcflow.cli.progress import progress
from svcflow.drawing.calendar_year import Year
from svcflow.text import visible
from svcflow.worktime import WorkCalendar

HOSTILE = "\x1b[2J\x1b]52;c;cm0gLXJm\x07\rall in order\x9b1m\u202egnol\u2066\x00"
STEERS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]")


@pytest.fixture
def poisoned(svc):
    """Start an instance `x` that holds the hostile text wherever one can stand, and return its id."""
    svc(
        "start",
        "lamp",
        "--id",
        "x",
        "-d",
        f"place={HOSTILE}".replace("\x00", ""),
        "--recipient",
        "r:staff",
    )
    svc("fire", "x", "accept", "--actor", "d:desk")
    svc("fire", "x", "fit", "--actor", "f:fitter", "-d", "reason=fine\nForged  line", exit_code=None)
    svc("fire", "x", "close", "--actor", "f:fitter", "--override", "\x1b[2Jhurry\u202e", exit_code=None)
    svc("fire", "x", "close", "--actor", "d:desk", "-e", "photo\x07=\x1b[0m", exit_code=None)
    return "x"


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(
    "words",
    [
        ("show", "x", "--journal"), ("show", "x", "--journal", "--json"), ("list",), ("list", "--json"), ("worklist",),
        ("deviations",), ("deviations", "--json"), ("explain", "x", "asked"), ("verify",),
        ("show", "\x1b[2Jnobody"), ("fire", "x", "go\x1b[2J"), ("list", "--step", "\x1b[2J\nForged"),
        ("start", "lamp", "-d", "pl\x1bace=1"), ("nonsense\x1b[2J",), ("list", "--after", "\x9b\u202e"),
    ],
)  # fmt: skip
def test_no_command_lets_a_control_character_through(svc, run, poisoned, words, lang):
    """Tables, lines, JSON, refusals and usage errors: only the ends of lines are left of the controls."""
    call = run if words[0].startswith("nonsense") else svc
    said = call(*words, "--lang", lang, exit_code=None)
    assert said.output
    assert not STEERS.search(said.output)
    assert "\nForged" not in said.output


def test_json_holds_the_very_text(svc, poisoned):
    """What is escaped in JSON reads back as what was given."""
    assert parsed(svc("show", "x", "--json"))["instance"]["data"]["place"] == HOSTILE.replace("\x00", "")


def test_an_escaped_character_is_named(capsys):
    """Each class of control is shown by its number, and a value makes no line of its own in a cell."""
    assert visible("a\x1b\x85\u202e\nb\udc80") == "a\\x1b\\x85\\u202e\\nb\\udc80"
    assert visible("报修 e\u0301 👩\u200d💻 −½") == "报修 e\u0301 👩\u200d💻 −½"
    echo("one\ntwo\x07")
    assert capsys.readouterr().out == "one\ntwo\\x07\n"
    echo_json({"k\x9b": "\u202e\U000e0041"})
    written = capsys.readouterr().out
    assert not STEERS.search(written)
    assert json.loads(written) == {"k\x9b": "\u202e\U000e0041"}


def test_a_log_record_is_one_line(capsys, monkeypatch):
    """Warnings of the library reach standard error escaped; a traceback keeps its lines."""
    log = logging.getLogger("svcflow")
    monkeypatch.setattr(log, "handlers", [])
    escape_log_lines()
    log.warning("%s failed\nForged", "i\x1b[2J")
    try:
        int("\x1b[2J")
    except ValueError:
        log.exception("tick")
    said = capsys.readouterr().err
    assert said.startswith("i\\x1b[2J failed\\nForged\ntick\nTraceback")
    assert not STEERS.search(said)


def test_a_coloured_year_escapes_the_names_of_its_days():
    """The colours are ours; what a calendar file says is not."""
    calendar = WorkCalendar.from_mapping(
        {
            "calendar": "odd",
            "timezone": "UTC",
            "weekly": {"mon-fri": ["09:00-17:00"]},
            "covers": {"from": "2026-01-01", "to": "2026-12-31"},
            "holidays": [{"date": "2026-01-01", "name": "New\x9b2J\u202e"}],
        }
    )
    written = year_text(Year.of(calendar, 2026), "en", coloured=True)
    assert "New\\x9b2J\\u202e" in written
    assert not STEERS.search(re.sub("\x1b\\[[0-9;]*m", "", written))


class _Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("rich", [True, False])
def test_progress_shows_on_a_terminal_with_and_without_rich(monkeypatch, rich):
    """On a terminal something is written, with rich or plainly; both end cleanly."""
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    if not rich:
        monkeypatch.setitem(sys.modules, "rich", None)
        monkeypatch.setitem(sys.modules, "rich.progress", None)
    with progress("reading") as advance:
        advance(1, 2)
        advance(7, 0)
    assert "reading" in terminal.getvalue()


def test_progress_is_silent_where_nobody_looks(monkeypatch):
    """A pipe gets no progress."""
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stderr", pipe)
    with progress("reading") as advance:
        advance(1, 2)
    assert pipe.getvalue() == ""


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path):
    """When writing fails the earlier file stands, and nothing is left beside it."""
    target = tmp_path / "a.svg"
    target.write_text("earlier")

    def half(path: Path) -> None:
        path.write_text("hal")
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError):
        write_whole(target, half)
    assert target.read_text() == "earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["a.svg"]
    write_whole(target, lambda path: path.write_text("later"))
    assert target.read_text() == "later"
