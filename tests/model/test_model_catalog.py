"""A catalog: procedures, calendars, scenarios and mappings of a folder, by name and version."""

from __future__ import annotations

import pytest

import svcflow
from svcflow.errors import DeclarationError, UnknownCalendar, UnknownProcedure
from svcflow.model import catalog as module
from svcflow.model.catalog import Catalog, shipped_folder

PROCEDURE = "procedure: {id}\nversion: {version}\nsteps:\n  a: {{to: {{go: b}}}}\n  b: {{end: done}}\n"
SCENARIO = "scenario: {id}\nprocedure: repair\narrivals: {{between: 30m}}\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "inner").mkdir()
    write(tmp_path / "repair.yaml", PROCEDURE.format(id="repair", version=1))
    write(tmp_path / "inner" / "repair2.yml", PROCEDURE.format(id="repair", version=2))
    write(tmp_path / "repair10.yaml", PROCEDURE.format(id="repair", version=10))
    write(tmp_path / "meeting.yaml", PROCEDURE.format(id="meeting", version=1))
    write(tmp_path / "usual.yaml", SCENARIO.format(id="usual"))
    write(tmp_path / "log.yaml", "mapping: log\nprocedure: repair\nactivities: {Opened: go}\n")
    write(tmp_path / "hours.yaml", "calendar: hours\ntimezone: UTC\nweekly: {mon: ['09:00-17:00']}\n")
    write(tmp_path / "notes.txt", "nothing to read")
    return tmp_path


def write(path, text):
    path.write_text(text, encoding="utf-8")


def test_a_name_gives_the_newest_version_and_a_pair_gives_that_one(folder):
    """Versions are compared as numbers: 10 is newer than 2."""
    catalog = Catalog.from_folder(folder)
    assert catalog["repair"].version == 10
    assert catalog["repair", 2].version == 2
    assert catalog.versions("repair") == (1, 2, 10)
    assert [str(procedure) for procedure in catalog] == ["meeting v1", "repair v10"]
    assert len(catalog) == 2


def test_a_catalog_holds_every_kind_of_document(folder):
    """Each file says by its first key what it is; other files are left alone."""
    catalog = Catalog.from_folder(str(folder))
    assert list(catalog.scenarios) == ["usual"]
    assert catalog.mappings["log"].activities == {"Opened": "go"}
    assert catalog.calendar_document("hours").data["timezone"] == "UTC"
    assert catalog.files["repair", 2] == folder / "inner" / "repair2.yml"


def test_a_catalog_knows_what_it_contains(folder):
    """Names and pairs of name and version can be asked for."""
    catalog = Catalog.from_folder(folder)
    assert "repair" in catalog
    assert ("repair", 2) in catalog
    assert ("repair", 3) not in catalog
    assert "x" not in catalog


@pytest.mark.parametrize(
    ("key", "said", "zh"),
    [
        ("repiar", "did you mean repair?", "是否指 repair？"),
        ("zzz", "there are: meeting, repair", "可用：meeting, repair"),
        (("zzz", 1), "there are: meeting, repair", "没有服务流程“zzz”"),
        (("repair", 3), "there are: 1, 2, 10", "现有版本：1, 2, 10"),
    ],
)
def test_an_unknown_procedure_is_told_with_a_suggestion(folder, key, said, zh):
    """It is a lookup error that names the nearest, or what there is."""
    with pytest.raises(UnknownProcedure) as caught:
        Catalog.from_folder(folder)[key]
    assert isinstance(caught.value, LookupError)
    assert said in caught.value.text("en")
    assert zh in caught.value.text("zh")


def test_an_unknown_calendar_is_told(folder):
    """It is a lookup error too."""
    with pytest.raises(UnknownCalendar, match="no calendar 'x'"):
        Catalog.from_folder(folder).calendar_document("x")


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("again.yaml", PROCEDURE.format(id="repair", version=2), "repair v2"),
        ("again.yaml", SCENARIO.format(id="usual"), "usual"),
        ("again.yaml", "mapping: log\nprocedure: repair\n", "log"),
        ("zagain.yaml", "calendar: hours\n", "hours"),
    ],
)
def test_two_documents_of_one_name_are_refused(folder, name, text, shown):
    """Which of them held would depend on the order of files."""
    write(folder / name, text)
    with pytest.raises(DeclarationError, match=f"{shown} is declared twice") as caught:
        Catalog.from_folder(folder)
    assert "声明了两次；只留一份文件" in caught.value.text("zh")


def test_the_mistakes_of_several_files_are_one_report(folder):
    """A folder is corrected in one go."""
    write(folder / "repair.yaml", "procedure: repair\nsteps: {a: {to: {go: c}}, b: {end: done}}\n")
    write(folder / "usual.yaml", "scenario: usual\nprocedure: repair\narrivals: {}\npool: {}\n")
    write(folder / "log.yaml", "mapping: log\n\tx")
    with pytest.raises(DeclarationError) as caught:
        Catalog.from_folder(folder)
    assert [(problem.file.rsplit("/", 1)[-1], problem.path) for problem in caught.value.problems] == [
        ("log.yaml", ()),
        ("repair.yaml", ("steps", "a", "to", "go")),
        ("usual.yaml", ("arrivals",)),
        ("usual.yaml", ("pool",)),
    ]


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    """A misspelt path is no empty catalog."""
    with pytest.raises(DeclarationError, match="there is no folder"):
        Catalog.from_folder(tmp_path / "none")


def test_a_catalog_can_be_made_of_procedures_built_in_python(folder):
    """No file is needed."""
    procedure = svcflow.load(folder / "repair.yaml")
    assert Catalog.of(procedure)["repair"] is procedure
    with pytest.raises(UnknownProcedure, match="there are none"):
        Catalog.of()["repair"]


def test_each_loader_takes_its_own_kind_only(folder):
    """A scenario is no mapping, and is told so."""
    assert svcflow.load_scenario(folder / "usual.yaml").id == "usual"
    assert svcflow.load_mapping(folder / "log.yaml").id == "log"
    with pytest.raises(DeclarationError, match="its first key must be scenario"):
        svcflow.load_scenario(folder / "log.yaml")
    with pytest.raises(DeclarationError, match="its first key must be mapping"):
        svcflow.load_mapping(folder / "usual.yaml")
    with pytest.raises(DeclarationError, match="'procedure' is missing"):
        svcflow.load(folder / "hours.yaml")


def test_an_id_beside_the_first_key_is_refused(folder):
    """A document has one name."""
    write(folder / "log.yaml", "mapping: log\nid: other\nprocedure: repair\n")
    with pytest.raises(DeclarationError, match="no key 'id' here; the id is the value of mapping"):
        svcflow.load_mapping(folder / "log.yaml")


def test_the_shipped_folder_is_found_beside_the_package_or_in_it(monkeypatch, tmp_path):
    """A wheel carries the procedures inside the package, a checkout beside it."""
    package = tmp_path / "src" / "svcflow"
    (package / "model").mkdir(parents=True)
    monkeypatch.setattr(module, "__file__", str(package / "model" / "catalog.py"))
    assert shipped_folder() == tmp_path / "procedures"
    (package / "procedures").mkdir()
    assert shipped_folder() == package / "procedures"


ONE_STEP = "steps:\n  a: {to: {go: b}}\n  b: {end: done}\n"
LIMITED = "{within: {wd: 1, calendar: nl_ofice}, to: {go: z}}"
CALENDAR_PLACES = {
    "calendar": f"calendar: nl_ofice\n{ONE_STEP}",
    "steps.a.within.calendar": f"steps:\n  a: {LIMITED}\n  z: {{end: done}}\n",
    "steps.a.parallel.x.steps.c.within.calendar": (
        f"steps:\n  a:\n    parallel: {{x: {{steps: {{c: {LIMITED}, z: {{end: done}}}}}}}}\n"
        "    to: {done: b}\n  b: {end: done}\n"
    ),
    "steps.a.then.calendar": (
        "steps:\n  a: {then: {after: 1wd, fire: go, calendar: nl_ofice}, to: {go: z}}\n  z: {end: done}\n"
    ),
    "limits[0].calendar": f"{ONE_STEP}limits: [{{id: l, within: 1wd, calendar: nl_ofice}}]\n",
}


@pytest.mark.parametrize(("path", "text"), CALENDAR_PLACES.items(), ids=CALENDAR_PLACES)
def test_an_unknown_calendar_is_refused_wherever_a_procedure_names_one(tmp_path, path, text):
    """A catalog names file, line and the nearest calendar; an engine refuses a procedure that was loaded by itself."""
    file = tmp_path / "p.yaml"
    write(file, "procedure: p\n" + text)
    with pytest.raises(DeclarationError) as caught:
        Catalog.from_folder(tmp_path)
    (problem,) = caught.value.problems
    assert problem.text().startswith(
        f"{file}:{problem.line}:{problem.column} {path}: there is no calendar 'nl_ofice'"
    )
    assert problem.line > 1
    assert problem.remedy.zh == "是否指 nl_office？"
    with pytest.raises(DeclarationError, match=r"no calendar 'nl_ofice'; did you mean nl_office\?"):
        svcflow.Engine("memory://", svcflow.load(file))
    write(tmp_path / "own.yaml", "calendar: nl_ofice\ntimezone: UTC\nweekly: {mon: ['09:00-17:00']}\n")
    with svcflow.Engine("memory://", Catalog.from_folder(tmp_path)) as engine:
        assert engine.start("p", actor=svcflow.Actor("li")).steps


def test_an_older_version_may_name_a_calendar_that_is_gone(tmp_path):
    """Only what new instances need is asked for: the past stays readable."""
    text = "procedure: p\nversion: {}\ncalendar: {}\nsteps:\n  a: {{to: {{go: b}}}}\n  b: {{end: done}}\n"
    write(tmp_path / "p1.yaml", text.format(1, "gone"))
    write(tmp_path / "p2.yaml", text.format(2, "cn_office"))
    assert Catalog.from_folder(tmp_path).versions("p") == (1, 2)


def test_calendars_of_a_scenario_and_the_zone_of_a_mapping_are_looked_up_in_a_catalog(folder):
    """Arrivals, pools and logs stand on names of their own; all are told at once."""
    write(
        folder / "usual.yaml",
        "scenario: u\nprocedure: repair\narrivals: {between: 30m, calendar: x}\npools: {r: {calendar: cn_ofice}}\n",
    )
    write(
        folder / "log.yaml", "mapping: log\nprocedure: repair\nzone: Asia/Bejing\nactivities: {Opened: go}\n"
    )
    with pytest.raises(DeclarationError) as caught:
        Catalog.from_folder(folder)
    assert [(problem.path, problem.line) for problem in caught.value.problems] == [
        (("zone",), 3),
        (("arrivals", "calendar"), 3),
        (("pools", "r", "calendar"), 4),
    ]
