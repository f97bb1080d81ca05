"""Rows of a limit's matrix that count on calendars of their own: sites and recipients whose days differ."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from timelimit_cases import Desk, at, procedure, work

from svcflow import Catalog
from svcflow.checks import check
from svcflow.errors import DeclarationError
from svcflow.kernel import compile_procedure
from svcflow.kernel.compiled import calendars_of
from svcflow.kernel.facts import Started
from svcflow.kernel.timing.calendar_fingerprints import fingerprints_of
from svcflow.model.catalog import load
from svcflow.model.diff.compare import diff
from svcflow.model.field import Field
from svcflow.model.limit import Row, TimeLimit
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step, Transition
from svcflow.model.yaml.document import parse_document
from svcflow.model.yaml.dump import dump
from svcflow.model.yaml.parse import structure_procedure

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
SITE = Field("site", default="beijing")


def by_site(within: str, **more: object) -> Procedure:
    rows = (Row(within, when='site == "amsterdam"', calendar="nl_office"), Row(within))
    return work(TimeLimit(match=rows, **more), fields=(SITE,))


def test_each_row_counts_on_its_calendar() -> None:
    """A Saturday of work in China is none in Amsterdam, whose day ends at 17:00 of its own clock."""
    for site, due in (("beijing", at("02-14 17:30")), ("amsterdam", at("02-16 17:00", AMSTERDAM))):
        desk = Desk(by_site("1wd"), "02-13 16:30", data={"site": site})
        assert desk.deadline().due_at == due
        desk.tick(due)
        assert desk.state() == "running"
        desk.tick("02-17 08:00")
        assert desk.state() == "overdue"


def test_working_hours_run_while_the_rows_calendar_is_open() -> None:
    """What is left is counted on it too."""
    desk = Desk(by_site("4wh"), "03-02 16:30", data={"site": "amsterdam"})
    assert desk.deadline().due_at == at("03-02 13:30", AMSTERDAM)
    desk.go("03-02 17:30")
    assert desk.remaining().total_seconds() == 3 * 3600


@pytest.mark.parametrize(
    ("mode", "due"),
    [("from_start", at("03-03 10:00", AMSTERDAM)), ("from_now", at("03-03 14:30", AMSTERDAM))],
)
def test_a_change_of_the_row_changes_the_calendar(mode: str, due: object) -> None:
    """From its start it counts as if it had run on the new calendar all along; from now, on from now."""
    desk = Desk(by_site("10wh", on_change=mode), "03-02 09:00")
    desk.update("03-02 20:00", site="amsterdam")
    assert desk.deadline().due_at == due


def test_the_explanation_counts_on_the_new_calendar_from_the_start() -> None:
    """It names the calendar, takes up what that one has counted, and speaks of its local time."""
    desk = Desk(by_site("10wh", on_change="from_start"), "03-02 09:00")
    desk.update("03-02 20:00", site="amsterdam")
    told = desk.engine.explain(desk.id, "work")
    changed, rest, last, due, _ = told.text("en").splitlines()[-5:]
    assert changed == (
        "Mon 03-02 13:00: the limit changed from 10 working hours to 10 working hours (site is amsterdam), "
        "on the calendar 'Dutch office hours without holidays' (Europe/Amsterdam), still counted from its start"
    )
    assert rest == "Mon 03-02 13:00-17:00: 4 h counted, 8 h 30 min in all"
    assert last == "Tue 03-03 08:30-10:00: 1 h 30 min counted, 10 h in all"
    assert due == "Tue 2026-03-03 10:00: due"
    assert "，按日历“荷兰办公时间（不含节假日）”（Europe/Amsterdam），仍从起点计算" in told.text("zh")
    abroad = Desk(by_site("10wh"), "03-02 09:00", data={"site": "amsterdam"})
    assert "entered, on the calendar 'Dutch" in abroad.engine.explain(abroad.id, "work").text("en")


def test_the_journal_pins_every_calendar_that_a_row_may_count_on() -> None:
    """A correction of it is told from a forgery as for any other."""
    compiled = compile_procedure(by_site("1wd"), calendars_of(Catalog()))
    assert set(fingerprints_of(compiled)) == {"cn_office", "nl_office"}
    (started,) = (fact for fact in Desk(by_site("1wd"), "03-02 09:00").facts() if isinstance(fact, Started))
    assert set(started.calendars) == {"cn_office", "nl_office"}


TEXT = """\
procedure: site_request
calendar: cn_office
fields: {site: {default: beijing}}
steps:
  work:
    within:
      match:
        - {when: site == "amsterdam", within: 1wd, calendar: nl_office}
        - {within: 1wd}
    to: {finish: end}
  end: {end: completed}
"""


def read(text: str) -> Procedure:
    return parse_document(text).build(structure_procedure)


def test_it_is_written_read_and_compared() -> None:
    """The key stays in its row, and a change of it is named."""
    declared = read(TEXT)
    assert declared.steps[0].within.rows[0].calendar == "nl_office"
    assert read(dump(declared)) == declared
    (change,) = diff(declared, read(TEXT.replace("nl_office", "cn_always"))).changes
    assert (change.attribute, change.before, change.after) == ("calendar", "nl_office", "cn_always")


def test_a_calendar_nobody_has_is_told_by_its_row(tmp_path: Path) -> None:
    """With what was meant."""
    (tmp_path / "p.yaml").write_text(TEXT.replace("nl_office", "nl_ofice"), encoding="utf-8")
    with pytest.raises(DeclarationError, match="did you mean nl_office") as error:
        Catalog.from_folder(tmp_path)
    (problem,) = error.value.problems
    assert problem.path == ("steps", "work", "within", "match", 0, "calendar")
    assert problem.line == 8
    with pytest.raises(DeclarationError, match="a row without a target counts on no calendar"):
        read(TEXT.replace("within: 1wd, calendar", "no_target: true, calendar"))
    (tmp_path / "p.yaml").write_text(TEXT, encoding="utf-8")
    assert load(tmp_path / "p.yaml") == read(TEXT)


def test_sums_of_limits_keep_calendars_apart() -> None:
    """Nine working hours of one calendar are not more than eight of another."""

    def codes(calendar: str | None) -> set[str]:
        inner = TimeLimit(match=(Row("9wh", when='site == "amsterdam"', calendar=calendar), Row("1wh")))
        steps = (Step("work", within=inner, to=(Transition("finish", "end"),)), Step("end", end="completed"))
        whole = TimeLimit(id="whole", within="8wh")
        declared = procedure(*steps, limits=(whole,), fields=(SITE,))
        return {finding.code for finding in check(declared)}

    assert "limit-below-shortest-way" in codes(None)
    assert "limit-below-shortest-way" not in codes("nl_office")


def test_the_drawing_names_the_calendar() -> None:
    """In the note on the limit's cases."""
    from svcflow.drawing.scene.from_procedure import scene_of

    notes = scene_of(by_site("1wd")).notes
    assert any("(calendar nl_office)" in note.body.en for note in notes)
    assert any("（日历 nl_office）" in note.body.zh for note in notes)


def test_a_day_is_that_of_the_rows_zone() -> None:
    """The start day of a limit in days is the local day of the row's calendar."""
    desk = Desk(by_site("2cd"), "03-03 03:00", data={"site": "amsterdam"})
    assert desk.deadline().due_at == at("03-04 17:00", AMSTERDAM)
    assert date(2026, 3, 2) == at("03-03 03:00").astimezone(AMSTERDAM).date()
