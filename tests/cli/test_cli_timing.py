"""Time limits through the command line: reschedule, extend, recompute, late records, explain."""

from __future__ import annotations

import pytest
from cli_answers import DESK, parsed

NOON = "2026-03-02T12:00+08:00"
WEDNESDAY, THURSDAY = "2026-03-04T15:00+08:00", "2026-03-05T10:00+08:00"
CHIEF = ("--actor", "c:chief")


def due(answer, limit):
    """Return the deadline of a limit in an answer."""
    return next(one["due_at"] for one in answer["deadlines"] if one["limit"] == limit)


def late(svc, when="2026-03-04T11:30+08:00", *more):
    """Record on Wednesday 15:00 that the tour was prepared at an instant before."""
    return svc("fire", "t", "prepare", "--actor", "g:guide", "--occurred-at", when, *more, at=WEDNESDAY)


def test_a_rescheduled_instant_takes_its_deadlines_along(svc, tour):
    """Two hours before the new start; `none` leaves the limit without a deadline."""
    moved = parsed(svc("reschedule", tour, "starts", "2026-03-05T14:00+08:00", *CHIEF, "--json", at=NOON))
    assert due(moved, "ready") == "2026-03-05T04:00:00+00:00"
    assert moved["instance"]["data"]["starts"] == "2026-03-05T14:00:00+08:00"
    assert "待定时间" in svc("reschedule", tour, "starts", "none", "--lang", "zh", at=NOON).stdout
    assert "rescheduled: Start of the tour —" in svc("show", tour, "--journal", at=NOON).stdout


@pytest.mark.parametrize(
    ("field", "when", "code"), [("start", "2026-03-05T14:00+08:00", 3), ("starts", "tomorrow", 2)]
)
def test_only_an_instant_can_be_rescheduled_to_an_instant(svc, tour, field, when, code):
    """A field that is not there is bad input, a word that is no instant wrong usage; nothing moves."""
    assert (when if code == 2 else field) in svc("reschedule", tour, field, when, exit_code=code).stderr
    assert due(parsed(svc("show", tour, "--json")), "ready") == "2026-03-04T04:00:00+00:00"


@pytest.mark.parametrize(
    ("lang", "said"), [("zh", "INSTANT|none：“tomorrow”"), ("en", "INSTANT|none: 'tomorrow'")]
)
def test_a_word_that_is_no_instant_is_told_with_its_place(svc, tour, lang, said):
    """The argument is named as the help names it."""
    assert said in svc("reschedule", tour, "starts", "tomorrow", "--lang", lang, exit_code=2).stderr


def test_a_limit_is_extended_once_by_its_role(svc, tour):
    """Two working days more; another role and a second time are refused in the asked language."""
    refused = svc("extend", tour, "reply", "--reason", "far", "--actor", "g:guide", exit_code=3)
    assert "[refused: extension]" in refused.stderr
    moved = parsed(svc("extend", tour, "reply", "--reason", "far", *CHIEF, "--json"))
    assert due(moved, "reply") == "2026-03-09T09:30:00+00:00"
    again = svc("extend", tour, "reply", "--reason", "far", *CHIEF, "--lang", "zh", exit_code=3)
    assert "已延长过一次" in again.stderr
    assert "extended: Reply" in svc("show", tour, "--journal").stdout


@pytest.mark.parametrize(
    ("lang", "said"),
    [("zh", "没有时限“repyl”；是否指 reply？"), ("en", "has no limit 'repyl'; did you mean reply?")],
)
def test_a_limit_that_there_is_not_is_extended_with_the_nearest_named(svc, tour, lang, said):
    """Who misspelt it is told what it is called here."""
    asked = ("extend", tour, "repyl", "--reason", "far", *CHIEF, "--lang", lang)
    assert said in svc(*asked, exit_code=3).stderr


def test_recompute_follows_a_corrected_calendar(svc, tour, folder):
    """A day off added later moves the deadline; both instants stay on record; a second time nothing changes."""
    (folder / "desk.yaml").write_text(
        DESK + "holidays:\n  - {date: 2026-03-04, name: {zh: 停电, en: Outage}}\n", encoding="utf-8"
    )
    assert due(parsed(svc("show", tour, "--json")), "reply") == "2026-03-05T09:30:00+00:00"
    (fact,) = parsed(svc("recompute", "--reason", "outage", *CHIEF, "--json"))["recorded"]
    assert (fact["kind"], fact["instance"], fact["limit"]) == ("Recomputed", tour, "reply")
    assert (fact["was_at"], fact["due_at"]) == ("2026-03-05T09:30:00+00:00", "2026-03-06T09:30:00+00:00")
    assert due(parsed(svc("show", tour, "--json")), "reply") == "2026-03-06T09:30:00+00:00"
    assert "截止时间没有变化" in svc("recompute", "--reason", "outage", "--lang", "zh").stdout
    assert "重算：答复" in svc("show", tour, "--journal", "--lang", "zh").stdout


def test_what_is_recorded_late_is_judged_by_when_it_happened(svc, tour):
    """Prepared at 11:30 and recorded at 15:00 is in time for 12:00; the instant told is that of the work."""
    svc("tick", at=WEDNESDAY)
    late(svc)
    found = parsed(svc("show", tour, "--journal", "--json", at=WEDNESDAY))
    ready = next(one for one in found["deadlines"] if one["limit"] == "ready")
    assert ready["state"] == "met"
    moved = next(one for one in found["journal"] if one["kind"] == "Moved")
    assert moved["occurred_at"] == "2026-03-04T03:30:00+00:00"


def test_what_is_said_to_happen_in_the_future_is_refused(svc, tour):
    """`--occurred-at` after now is bad input."""
    args = ("fire", tour, "prepare", "--actor", "g:guide", "--occurred-at", THURSDAY)
    assert "[refused: occurred_at]" in svc(*args, exit_code=3).stderr


@pytest.mark.parametrize(
    ("lang", "mark", "told"),
    [("zh", "撤销：其实按时", "其实按时完成，系补录"), ("en", "annulled: in time", "had ended in time")],
)
def test_an_annulled_deviation_is_marked(svc, tour, lang, mark, told):
    """The table, the journal and JSON say that it was in time after all; it stays on record."""
    svc("tick", at=WEDNESDAY)
    late(svc)
    assert mark in svc("deviations", "--kind", "overdue", "--lang", lang).stdout
    assert told in svc("show", tour, "--journal", "--lang", lang, at=WEDNESDAY).stdout
    (one,) = parsed(svc("deviations", "--kind", "overdue", "--json"))["deviations"]
    assert (one["annulled"], one["overrun_s"], one["severity"]) == (True, 0, "critical")


def test_an_annulled_deviation_does_not_count_for_the_exit_code(svc, tour):
    """Open, the critical breach leaves with 1; annulled it does not, and the note of the late record is minor."""
    svc("tick", at=WEDNESDAY)
    svc("deviations", "--severity", "critical", exit_code=1)
    late(svc)
    svc("deviations", "--severity", "critical")
    found = parsed(svc("deviations", "--json", exit_code=1))["deviations"]
    assert [(one["kind"], one["annulled"]) for one in found] == [("overdue", True), ("late_record", False)]


def test_a_breach_that_stands_is_not_annulled(svc, tour):
    """Prepared after the deadline, though recorded later still, stays overdue by its real time."""
    svc("tick", at=WEDNESDAY)
    late(svc, "2026-03-04T13:00+08:00")
    (one,) = parsed(svc("deviations", "--severity", "critical", "--kind", "overdue", "--json", exit_code=1))[
        "deviations"
    ]
    assert (one["annulled"], round(one["overrun_s"])) == (False, 3600)


@pytest.mark.parametrize(
    ("lang", "lines"),
    [
        (
            "zh",
            (
                "答复：时限 3个工作日",
                "  2026-03-02 周一 09:00 起算：进入“已申请”",
                "2026-03-05 周四 17:30 截止",
            ),
        ),
        ("en", ("Reply: limit 3 working days", "'Asked' was entered", "  Thu 2026-03-05 17:30: due")),
    ],
)
def test_explain_tells_how_a_deadline_came_to_be(svc, tour, lang, lines):
    """Line by line in the asked language, what is demanded first, no line wider than a table."""
    said = svc("explain", tour, "reply", "--lang", lang).stdout
    assert said.startswith(lines[0])
    assert all(line in said for line in lines)
    svc("extend", tour, "reply", "--reason", "an expert comes from far away " * 4, *CHIEF)
    assert max(map(len, svc("explain", tour, "reply").stdout.splitlines())) <= 100


def test_an_explanation_for_programs_has_keys_that_stay(svc, tour):
    """Days are counted in `…_days`, lengths of time in `…_s`, instants are in UTC, words in both languages."""
    found = parsed(svc("explain", tour, "reply", "--json"))
    assert set(found) == {
        "instance",
        "limit",
        "name",
        "target",
        "promised",
        "visits",
        "parameters",
        "sources",
        "lines",
    }
    assert (found["instance"], found["limit"], found["target"], found["visits"]) == (tour, "reply", "3wd", 1)
    assert found["name"] == {"zh": "答复", "en": "Reply"}
    keys = {"kind", "from_at", "to_at", "amount_s", "amount_days", "total_s", "total_days", "text"}
    assert all(set(line) == keys for line in found["lines"])
    lines = {line["kind"]: line for line in found["lines"]}
    assert (lines["counted"]["total_days"], lines["counted"]["total_s"]) == (3, None)
    assert lines["due"]["from_at"] == "2026-03-05T09:30:00+00:00"
    assert lines["left"]["amount_days"] is None
    assert lines["left"]["amount_s"] == (7 + 3 * 7.5) * 3600
    assert set(lines["due"]["text"]) == {"zh", "en"}


def test_explain_looks_back_at_an_instant(svc, tour):
    """`--at` tells what was known then: a move made later is not in it."""
    svc("reschedule", tour, "starts", "2026-03-05T14:00+08:00", *CHIEF, at=NOON)
    kinds = [line["kind"] for line in parsed(svc("explain", tour, "ready", "--json", at=NOON))["lines"]]
    assert "rescheduled" in kinds
    before = parsed(svc("explain", tour, "ready", "--json", at="2026-03-02T10:00+08:00"))["lines"]
    assert "rescheduled" not in [line["kind"] for line in before]


def test_a_limit_that_has_not_begun_says_so(svc, lamp):
    """Without a visit there is nothing to reckon, in both languages."""
    assert "尚未起算" in svc("explain", lamp, "accepted", "--lang", "zh").stdout
    assert "not started yet" in svc("explain", lamp, "accepted").stdout
    assert parsed(svc("explain", lamp, "accepted", "--json"))["lines"] == []


def test_an_unknown_limit_is_answered_with_the_nearest(svc, tour):
    """Exit 3, the code `unknown-limit`, and the name that was meant, in both languages."""
    assert (
        "没有时限“replies”；是否指 reply？"
        in svc("explain", tour, "replies", "--lang", "zh", exit_code=3).stderr
    )
    error = parsed(svc("explain", tour, "replies", "--json", exit_code=3))["error"]
    assert error["code"] == "unknown-limit"
    assert error["remedy"] == {"zh": "是否指 reply？", "en": "did you mean reply?"}
    unknown = parsed(svc("explain", "x", "reply", "--json", exit_code=3))["error"]
    assert unknown["code"] == "unknown-instance"
