"""The documentation: its code runs, its tables are complete, its links lead somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import attrs
import click
import pytest

import svcflow
from pages import PAGES, ROOT, Block, blocks_of, matches, run_page
from svcflow import errors, explanation
from svcflow.checks import CODES
from svcflow.cli.app import COMMANDS, app
from svcflow.kernel import facts
from svcflow.kernel.moves.availability import Available
from svcflow.model import (
    automatic_move,
    field,
    guard,
    limit,
    log_mapping,
    parameter,
    procedure,
    regular_start,
    scenario,
    source,
    step,
    subprocedure,
)
from svcflow.model.yaml.unknown_keys import UNWRITTEN
from svcflow.runtime.filters import DeviationFilters, InstanceFilters
from svcflow.wording import DEVIATIONS
from svcflow.worktime import calendar, calendar_file

REFERENCE = ROOT / "docs" / "reference"
DECLARED = {
    "procedure": procedure.Procedure,
    "field": field.Field,
    "source": source.Source,
    "parameter": parameter.Parameter,
    "parameters": parameter.Overrides,
    "value": parameter.Override,
    "role": procedure.Role,
    "certificate": procedure.Certificate,
    "enforce": step.Enforce,
    "start": procedure.StartRule,
    "hold": procedure.HoldRule,
    "regular start": regular_start.RegularStart,
    "step": step.Step,
    "then": automatic_move.AutomaticMove,
    "sub-procedure": subprocedure.SubProcedure,
    "branch": step.Branch,
    "transition": step.Transition,
    "otherwise": step.Otherwise,
    "limit": limit.TimeLimit,
    "row": limit.Row,
    "extension": limit.Extension,
    "rung": limit.Rung,
    "indicator": procedure.Indicator,
    "exclusion": procedure.Exclusion,
    "excellence": procedure.Excellence,
    "scenario": scenario.Scenario,
    "arrivals": scenario.Arrivals,
    "duration": scenario.Duration,
    "pool": scenario.Pool,
    "mapping": log_mapping.LogMapping,
}
DOCUMENTS = ("procedure", "scenario", "mapping", "parameters")
SAME_AS_KEY = {
    "parameter",
    "value",
    "source",
    "role",
    "certificate",
    "hold",
    "branch",
    "step",
    "field",
    "indicator",
}


def sections(page: Path) -> dict[str, list[list[str]]]:
    """Return the rows of the first table below each heading of a page, header rows left out."""
    found: dict[str, list[list[str]]] = {}
    heading, rows = "", []
    for line in [*page.read_text(encoding="utf-8").splitlines(), "# end"]:
        if line.startswith("#"):
            found[heading] = rows[2:]
            heading, rows = line.lstrip("# "), []
        elif line.startswith("|"):
            rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return found


def code(cell: str) -> str:
    return cell.strip("`")


@pytest.mark.filterwarnings("ignore:Using `httpx` with")  # starlette's, about its own test client
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_code_block_does_what_the_page_says(page, tmp_path, monkeypatch, request):
    """Python runs, documents load, commands exit as shown, and what is printed is what is shown."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SVCFLOW_LANG", "zh" if page.name.endswith(".zh.md") else "en")
    monkeypatch.delenv("SVCFLOW_DB", raising=False)
    if "DATABASE_URL" in page.read_text(encoding="utf-8"):
        monkeypatch.setenv("DATABASE_URL", request.getfixturevalue("postgres_url"))
    runnable = [b for b in blocks_of(page) if b.language in ("python", "console") or b.document]
    assert run_page(page, tmp_path) == len(runnable)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    """Relative links name files that exist; the documentation points to no other place."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert (page.parent / target.split("#")[0]).exists(), f"{page}: {target}"


def test_every_page_is_reached_from_the_index():
    """A page nobody links to is not found by a reader."""
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for page in sorted((ROOT / "docs").rglob("*.md")):
        name = str(page.relative_to(ROOT / "docs"))
        assert name == "index.md" or f"({name})" in index, name


@pytest.mark.parametrize("heading", DECLARED)
def test_every_key_of_a_declaration_is_documented(heading):
    """The tables name each key the model has, none it has not, and the default it really has."""
    rows = sections(REFERENCE / "declaration.md")[heading]
    documented = {code(row[0]): row for row in rows}
    declared = dict(keys(heading))
    assert list(documented) == [*declared] if heading in DOCUMENTS else set(documented) == set(declared)
    for name, attribute in declared.items():
        assert_default(documented[name], attribute)


def keys(heading: str) -> Iterator[tuple[str, attrs.Attribute]]:
    """Yield the keys as a document writes them; an id that is the key of its mapping is no key."""
    unwritten = UNWRITTEN.get(DECLARED[heading], ())
    for attribute in attrs.fields(DECLARED[heading]):
        name = attribute.name.rstrip("_")
        if (
            name in unwritten and name != "otherwise"
        ):  # a row of its own, which is documented among the others
            continue
        if name == "id" and heading in DOCUMENTS:
            yield heading, attribute
        elif name != "id" or heading not in SAME_AS_KEY:
            yield name, attribute


def assert_default(row: list[str], attribute: attrs.Attribute) -> None:
    shown, default = row[2], attribute.default
    if default is attrs.NOTHING:
        assert shown.startswith("required"), row
    elif isinstance(default, bool):
        assert shown == f"`{str(default).lower()}`", row
    elif isinstance(default, str | int) and default != "":
        assert shown == f"`{default}`", row
    else:
        assert "`" not in shown, row
        assert shown != "required", row


def test_every_key_of_a_calendar_is_documented():
    """The calendar's table names each key its reader knows."""
    rows = sections(REFERENCE / "declaration.md")["calendar"]
    assert [code(row[0]) for row in rows] == list(calendar_file.KEYS)


def test_every_choice_of_a_declaration_is_documented():
    """A closed list of words is written out where its key is explained."""
    found = sections(REFERENCE / "declaration.md")
    types = {
        (heading, code(row[0])): row[1] for heading, rows in found.items() for row in rows if len(row) > 3
    }
    for place, words in {
        ("procedure", "area"): procedure.AREAS,
        ("procedure", "recipients"): procedure.GROUPS,
        ("field", "type"): field.FIELD_TYPES,
        ("step", "waits"): step.HOLD_REASONS,
        ("regular start", "on"): regular_start.WEEKDAYS,
        ("regular start", "closed_day"): regular_start.CLOSED_DAYS,
        ("transition", "kind"): step.TRANSITION_KINDS,
        ("limit", "severity"): limit.SEVERITIES,
        ("duration", "distribution"): scenario.DISTRIBUTIONS,
    }.items():
        assert tuple(re.findall(r"`(\w+)`", types[place])) == words


def test_every_method_of_the_engine_is_documented():
    """The tables name each public method once, each filter, and only what a value really has."""
    tables = sections(REFERENCE / "engine.md")
    methods = [
        code(row[0])
        for heading in ("Commands", "Questions", "Time, handlers, persons, custody")
        for row in tables[heading]
    ]
    assert sorted(methods) == [name for name in dir(svcflow.Engine) if not name.startswith("_")]
    for what, filters in (("instances", InstanceFilters), ("deviations", DeviationFilters)):
        assert {code(row[0]) for row in tables[f"Filters of {what}"]} == set(filters.__annotations__)
    for name, held in tables["What they return"]:
        kind = Available if code(name) == "Available" else getattr(svcflow, code(name))
        known = {*dir(kind), *(one.name for one in getattr(kind, "__attrs_attrs__", ()))}
        assert set(re.findall(r"`(\w+)`", held)) <= known


def test_every_function_and_bound_of_guards_is_documented():
    """The page on guards names each function and the true bounds."""
    page = REFERENCE / "guards.md"
    rows = [row for rows in sections(page).values() for row in rows]
    named = {code(row[0]).split("(")[0] for row in rows if "(" in row[0]}
    assert named == set(guard.FUNCTIONS)
    bounds = f"{guard.MAX_CHARACTERS:,} characters, {guard.MAX_NODES} nodes and {guard.MAX_DEPTH} levels"
    assert bounds in page.read_text(encoding="utf-8")


def test_every_error_is_documented():
    """Code, class and builtin of each error stand in the table."""
    rows = sections(REFERENCE / "errors.md")["Errors: every code"]
    listed = {(code(row[0]), code(row[1]), code(row[2])) for row in rows}
    classes = [getattr(errors, name) for name in errors.__all__ if name != "Problem"]
    assert listed == {
        (cls.code, cls.__name__, builtin(cls))
        for cls in (*classes, calendar.ClosedDay, explanation.UnknownLimit)
    }
    assert len(rows) == len(listed)


def builtin(cls: type) -> str:
    return next(base.__name__ for base in cls.__mro__ if base.__module__ == "builtins")


def test_every_check_is_documented():
    """Code, severity and both wordings of each check stand in the table."""
    rows = sections(REFERENCE / "checks.md")["Checks: every code"]
    assert [(code(row[0]), *row[1:]) for row in rows] == [
        (one.id, one.severity, one.meaning.en, one.meaning.zh) for one in CODES.values()
    ]


@pytest.mark.parametrize("name", ["Fact", *facts.FACTS])
def test_every_field_of_a_fact_is_documented(name):
    """The tables name each field of each fact, those all facts have only once."""
    rows = sections(REFERENCE / "facts.md")[name]
    common = [one.name for one in attrs.fields(facts.Fact)]
    cls = facts.FACTS.get(name, facts.Fact)
    own = [one for one in attrs.fields(cls) if cls is facts.Fact or one.name not in common]
    assert [code(row[0]) for row in rows] == [one.name for one in own]
    for row, one in zip(rows, own, strict=True):
        assert (row[2] == "required") == (one.default is attrs.NOTHING), row


def test_every_kind_of_deviation_is_documented():
    """The table of deviations has each kind in both languages."""
    rows = sections(REFERENCE / "facts.md")["Kinds of deviations"]
    assert [(code(row[0]), row[1], row[2]) for row in rows] == [
        (k, t.en, t.zh) for k, t in DEVIATIONS.items()
    ]


def test_every_rule_that_refuses_is_documented():
    """Each rule the kernel can refuse by stands in the table, and no other."""
    rows = sections(REFERENCE / "facts.md")["Rules that refuse"]
    package = Path(str(svcflow.__file__)).parent
    worded = {path: set(_RULE.findall(path.read_text(encoding="utf-8"))) for path in package.rglob("*.py")}
    kernel, engine = package / "kernel" / "refusals.py", package / "runtime" / "engine_errors.py"
    assert {code(row[0]) for row in rows} == (worded[kernel] | worded[engine]) - {"started"}
    elsewhere = {path for path, rules in worded.items() if rules and package / "kernel" in path.parents}
    assert elsewhere == {kernel}


_RULE = re.compile(r'(?:Refusal|Refused)\(\s*"(\w+)"')


def commands() -> Iterator[tuple[str, click.Command]]:
    """Yield each command with the heading of its section, those inside a group too."""
    for name in COMMANDS:
        command = app.get_command(click.Context(app), name)
        assert command is not None
        yield f"svcflow {name}", command
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", one) for inner, one in command.commands.items())


@pytest.mark.parametrize(
    ("heading", "command"), list(commands()), ids=lambda one: one if isinstance(one, str) else ""
)
def test_every_option_of_a_command_is_documented(heading, command):
    """The page on the command line lists each command with all of its options and arguments."""
    page = (REFERENCE / "cli.md").read_text(encoding="utf-8")
    found = sections(REFERENCE / "cli.md")
    section = re.split(r"^#", page.split(f"# {heading}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]
    also = re.search(r"^Also: (.*?)$", section, re.MULTILINE)
    common = also[1].replace("`", "").split() if also else []
    own = [code(row[0]).replace("\\|", "|") for row in found[heading]]
    assert sorted([*own, *common]) == sorted(written(one) for one in command.params)
    assert set(common) <= {code(row[0]) for row in found["Common options"]}


def written(parameter: click.Parameter) -> str:
    """Return an option's longest name, or an argument's metavar."""
    return (
        max(parameter.opts, key=len) if isinstance(parameter, click.Option) else parameter.human_readable_name
    )


def test_every_command_is_documented_in_the_order_of_help():
    """The page has a section for each command and none for what does not exist."""
    found = [name.split()[1] for name in sections(REFERENCE / "cli.md") if name.startswith("svcflow ")]
    assert found == list(COMMANDS)


def test_the_runner_of_pages_sees_what_differs():
    """The comparison of shown and printed text is not satisfied by just anything."""
    assert matches("a …\nb", "a 1\nb\n")
    assert matches("…\nend", "many\nlines\nend\n")
    assert not matches("a", "a\nb\n")
    assert not matches("a\nb", "a\n")
    assert not matches("a …", "b 1\n")


def test_a_block_knows_its_file_and_its_kind():
    """A first line that is a comment with a file's name names the block; the first key is its kind."""
    block = Block("yaml", "# visit.yaml\nprocedure: visit\n", 1, 0, 0)
    assert (block.file, block.document) == ("visit.yaml", "procedure")
    assert not Block("yaml", "steps:\n  procedure: x\n", 1, 0, 0).document
