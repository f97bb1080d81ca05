"""Regular starts as a document declares them: read, dumped, worded, compared, and refused by place with a remedy."""

from __future__ import annotations

from datetime import date

import pytest

from svcflow.errors import DeclarationError
from svcflow.model.amount import Amount
from svcflow.model.diff.compare import diff
from svcflow.model.limit_locations import too_long
from svcflow.model.procedure import Procedure
from svcflow.model.regular_start import RegularStart
from svcflow.model.target import ClockTime
from svcflow.model.wording import regular_start_text
from svcflow.model.yaml.document import parse_document
from svcflow.model.yaml.dump import dump
from svcflow.model.yaml.parse import structure_procedure

HEAD = "procedure: p\nversion: 1\n\nfields:\n  scope: {type: text, required: true}\n  who: {type: text, personal: true}\n\nstarts:\n"
TAIL = "\nsteps:\n  a:\n    to: {go: e}\n  e: {end: completed}\n"
DATA = "data: {scope: all}"


def built(*starts: str) -> Procedure:
    text = HEAD + "".join(f"  - {{{start}}}\n" for start in starts) + TAIL
    return parse_document(text, file="p.yaml").build(structure_procedure)


def told(*starts: str) -> list[str]:
    with pytest.raises(DeclarationError) as caught:
        built(*starts)
    assert all(problem.message.zh and problem.line for problem in caught.value.problems)
    assert all(problem.remedy.zh and problem.remedy.en for problem in caught.value.problems)
    return [problem.text("en").removeprefix("p.yaml:") for problem in caught.value.problems]


def test_a_start_is_read_as_it_is_written_and_written_as_it_was_read():
    """Every key is taken, and dumping gives the document back."""
    procedure = built(
        f"id: quarterly, every: 3mo, day: 31, at: '08:30', closed_day: skip, calendar: cn_office, actor: schedule, {DATA}",
        "id: each, every: 14cd, on: fri, at: '08:30', from: 2026-01-02, for: residents",
    )
    first, second = procedure.starts
    assert (first.every, first.at, first.day, first.data) == (
        Amount(3, "mo"),
        ClockTime("08:30"),
        31,
        {"scope": "all"},
    )
    assert (second.on, second.from_, second.for_, second.closed_day) == (
        "fri",
        date(2026, 1, 2),
        "residents",
        "next",
    )
    written = dump(procedure)
    assert parse_document(written).build(structure_procedure) == procedure
    assert "from: 2026-01-02, for: residents}" in written


@pytest.mark.parametrize(
    ("start", "place", "said"),
    [
        ("every: 1d, at: '08:30', " + DATA, "9:13 starts[0].every", "write 1cd (calendar days) or 1wd (working days)"),
        ("every: 2h, at: '08:30', " + DATA, "9:13 starts[0].every", "write 1wd (every working day)"),
        ("every: 0mo, at: '08:30', " + DATA, "9:13 starts[0].every", "write for example 1mo"),
        ("every: 1 month, at: '08:30', " + DATA, "9:13 starts[0].every", "write 1mo"),
        ("every: 7cd, at: '08:30', " + DATA, "9:5 starts[0]", "add on: mon"),
        ("every: 14cd, on: mon, at: '08:30', " + DATA, "9:5 starts[0]", "add from: the first day"),
        ("every: 5wd, at: '08:30', " + DATA, "9:5 starts[0]", "add from: the first day"),
        ("every: 5mo, at: '08:30', " + DATA, "9:5 starts[0]", "add from: the first day"),
        ("every: 2y, at: '08:30', " + DATA, "9:5 starts[0]", "add from: the first day"),
        ("every: 1mo, on: mon, at: '08:30', " + DATA, "9:22 starts[0].on", "drop 'on'"),
        ("every: 7cd, on: monday, at: '08:30', " + DATA, "9:22 starts[0].on", "did you mean mon?"),
        ("every: 1wd, day: 3, at: '08:30', " + DATA, "9:23 starts[0].day", "drop 'day'"),
        ("every: 1mo, day: 32, at: '08:30', " + DATA, "9:23 starts[0].day", "write 1 to 31"),
        ("every: 7cd, on: mon, at: '08:30', from: 2026-01-01, " + DATA, "from", "write from: 2026-01-05"),
        ("every: 1mo, day: 5, at: '08:30', from: 2026-12-31, " + DATA, "from", "write from: 2027-01-05"),
        ("every: 1wd, closed_day: skip, at: '08:30', " + DATA, "closed_day", "drop 'closed_day'"),
        ("every: 1cd, closed_day: before, at: '08:30', " + DATA, "closed_day", "write one of next, previous, skip"),
        ("every: 1cd, at: 8点半, " + DATA, "starts[0].at", 'write "08:30"'),
        ("every: 1cd, at: '08:30', from: 2026/1/5, " + DATA, "starts[0].from", "write 2026-01-05"),
        ("every: 1cd, at: '08:30', time: x, " + DATA, "starts[0].time", "there are: "),
        ("every: 1cd, at: '08:30', fro: x, " + DATA, "starts[0].fro", "did you mean "),
        ("every: 1cd, at: '08:30', data: {scop: all, scope: x}", "starts[0].data.scop", "did you mean scope?"),
        ("every: 1cd, at: '08:30', for: r, data: {scope: 3}", "starts[0].data.scope", "takes text"),
        ("every: 1cd, at: '08:30', data: {who: li, scope: x}", "starts[0].data.who", "write 'for'"),
        ("every: 1cd, at: '08:30'", "starts[0]", "write 'for'"),
        ("every: 1cd, at: '08:30', actor: ' ', " + DATA, "starts[0].actor", "drop it"),
        ("every: 1cd, at: '08:30', for: Residents, " + DATA, "starts[0].for", "such as residents"),
    ],
)  # fmt: skip
def test_what_says_no_rhythm_or_no_instance_is_refused_where_it_stands(start, place, said):
    """In both languages, with what to write instead."""
    if said == "takes text":
        with pytest.raises(DeclarationError, match=said):
            built(start)
        return
    assert any(place in one and said in one for one in told(start)), told(start)


def test_a_missing_key_is_named():
    """`every` and `at` have no default."""
    with pytest.raises(DeclarationError, match="the key 'at' is missing"):
        built("every: 1cd, " + DATA)


def test_two_starts_of_one_name_are_told_apart_by_ids():
    """How far each has come is kept under its id."""
    (only,) = told(f"every: 1cd, at: '08:30', {DATA}", f"every: 1cd, at: '09:30', {DATA}")
    assert "starts[1]" in only
    assert "'regular' of a regular start is used twice; give each an id" in only


def test_a_rhythm_beyond_the_bounds_is_too_long():
    """As every other amount."""
    procedure = built(f"every: 101y, from: 2026-01-01, at: '08:30', {DATA}")
    assert [problem.path for problem in too_long(procedure)] == [("starts", 0, "every")]


@pytest.mark.parametrize(
    ("keys", "zh", "en"),
    [
        ({"every": "1wd"}, "每个工作日 08:30", "every working day at 08:30"),
        ({"every": "5wd", "from_": date(2026, 1, 5)}, "每 5 个工作日 08:30，自 2026-01-05 起", "every 5 working days at 08:30, from 2026-01-05"),
        ({"every": "1cd"}, "每天 08:30", "every day at 08:30"),
        ({"every": "3cd", "from_": date(2026, 1, 5)}, "每 3 天 08:30，自 2026-01-05 起", "every 3 days at 08:30, from 2026-01-05"),
        ({"every": "14cd", "from_": date(2026, 1, 5)}, "每 2 周的周一 08:30，自 2026-01-05 起", "every 2 weeks on Mon at 08:30, from 2026-01-05"),
        ({"every": "1mo", "day": 31, "closed_day": "previous"}, "每月最后一天 08:30（非工作日提前）", "every month on the last day at 08:30 (on a closed day: the working day before)"),
        ({"every": "3mo"}, "一月起每 3 个月的 1 日 08:30", "every 3 months from January on day 1 at 08:30"),
        ({"every": "1y", "closed_day": "skip"}, "每年 1 月 1 日 08:30（非工作日不启动）", "every year in month 1 on day 1 at 08:30 (not on closed days)"),
        ({"every": "24mo", "from_": date(2026, 7, 1), "for_": "homes"}, "每 2 年 7 月 1 日 08:30，自 2026-07-01 起，逐一为 homes", "every 2 years in month 7 on day 1 at 08:30, from 2026-07-01, for each of homes"),
    ],
)  # fmt: skip
def test_a_start_is_worded_in_both_languages(keys, zh, en):
    """As drawings and lists show it."""
    worded = regular_start_text(RegularStart(at="08:30", **keys))
    assert (worded.zh, worded.en) == (zh, en)


def test_a_difference_names_what_changed_of_a_start():
    """Starts are compared by their ids; nothing of them breaks a running instance."""
    old = built(f"id: one, every: 1mo, at: '08:30', {DATA}", f"id: two, every: 1wd, at: '08:30', {DATA}")
    new = built(f"id: one, every: 3mo, at: '08:30', {DATA}", f"id: new, every: 1wd, at: '08:30', {DATA}")
    change = diff(old, new)
    assert not change.breaking
    assert "≠ regular start one › every: 1mo → 3mo" in change.text()
    assert "－ 定期启动 two" in change.text("zh")
    assert "＋ 定期启动 new" in change.text("zh")
