"""Explanations in both languages, held against golden texts a reviewer can read.

Set `SVCFLOW_WRITE_GOLDEN=1` to write them anew, and read what changed before keeping it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import attrs
import pytest
from timelimit_cases import CHIEF, HOUR, MINUTE, Desk, at, procedure

from svcflow.explanation.explain import UnknownLimit, explain
from svcflow.kernel import Actor, Start, compile_procedure, transact
from svcflow.kernel.commands import Accept, Explain, Reject
from svcflow.kernel.compiled import calendars_of
from svcflow.model.catalog import Catalog
from svcflow.model.field import Field
from svcflow.model.limit import Extension, Row, Rung, TimeLimit
from svcflow.model.procedure import Procedure, Role, StartRule
from svcflow.model.source import Source
from svcflow.model.step import Step, Transition
from svcflow.text import Text
from svcflow.worktime.instants import to_us

GOLDEN = Path(__file__).parent / "golden"


def declared(limit: TimeLimit | str, **more: object) -> Procedure:
    given = limit if isinstance(limit, TimeLimit) else TimeLimit(within=limit)
    step = None if given.from_ else "handle"
    named = attrs.evolve(given, id="reply", name=Text("答复时限", "Reply"), step=step)
    handle = Step(
        "handle",
        name=Text("办理", "Handling"),
        to=(Transition("finish", "end"), Transition("ask", "asking"), Transition("tea", "handle")),
    )
    asking = Step(
        "asking",
        name=Text("等待补正", "Awaiting papers"),
        waits="recipient",
        at_most="9wd",
        to=(Transition("answer", "handle"),),
    )
    return procedure(
        handle,
        asking,
        Step("end", end="completed"),
        limits=(named,),
        fields=(
            Field("meeting", type="instant", name=Text("会议开始时间", "The start of the meeting")),
            Field("priority", default="low"),
        ),
        roles=(Role("clerk", name=Text("经办人", "clerk")), Role("chief", name=Text("科长", "chief"))),
        **more,
    )


def meeting(when: str) -> dict[str, object]:
    return {"meeting": at(when).isoformat()}


ROWS = (Row("2wh", when='priority == "high"'), Row("8wh"))
LADDER = TimeLimit(within="4wh", warn=[Rung("75%", role="clerk")], escalate=[Rung("+1wh", role="chief")])
PROLONGED = TimeLimit(within="3wd", extension=Extension("2wd", role="chief"))


def prolonged() -> Desk:
    desk = Desk(declared(PROLONGED), "03-02 10:00", actor=CHIEF)
    desk.go("03-04 10:00").engine.extend(desk.id, "reply", reason="外地核实", actor=CHIEF)
    return desk


CASES: dict[str, Callable[[], Desk]] = {
    "case_13_make_up_day_and_spring_festival": lambda: Desk(declared("4wh"), "02-14 16:30"),
    "case_18_one_working_day_to_a_make_up_saturday": lambda: Desk(declared("1wd"), "02-27 10:00"),
    "case_20_calendar_days_roll_off_national_day": lambda: Desk(declared("15cd"), "09-18 10:00"),
    "case_24_held_over_qingming_and_late": lambda: (
        Desk(declared("3wh"), "04-03 16:00")
        .hold("04-03 17:00")
        .resume("04-07 09:30")
        .fire("finish", "04-07 14:00")
    ),
    "case_30_held_over_two_closings": lambda: (
        Desk(declared("5wd"), "03-02 10:00").hold("03-03 16:00").resume("03-05 09:00")
    ),
    "case_32_working_hours_before_a_meeting": lambda: Desk(
        declared(TimeLimit(before="meeting - 4wh")), "02-10 09:00", data=meeting("02-24 10:00")
    ),
    "case_34_meeting_moved_too_near": lambda: Desk(
        declared(TimeLimit(before="meeting - 2h")), "03-02 09:00", data=meeting("03-02 16:00")
    ).reschedule("03-02 13:00", "03-02 14:00"),
    "case_38_asked_after_the_cutoff": lambda: Desk(
        declared(TimeLimit(by="17:00", cutoff="15:00")), "03-06 15:01"
    ),
    "case_44_from_start": lambda: Desk(
        declared(TimeLimit(match=ROWS, on_change="from_start")), "03-02 09:00"
    ).update("03-02 11:00", priority="high"),
    "case_44_from_now": lambda: Desk(
        declared(TimeLimit(match=ROWS, on_change="from_now")), "03-02 09:00"
    ).update("03-02 11:00", priority="high"),
    "case_48_past_the_coverage": lambda: Desk(declared("3wd"), "12-30 10:00"),
    "a_wait_a_return_and_a_ladder": lambda: (
        Desk(declared(LADDER), "03-02 09:00")
        .fire("ask", "03-02 10:00")
        .fire("answer", "03-03 10:00")
        .tick("03-03 17:00")
    ),
    "a_span_over_a_wait": lambda: (
        Desk(declared(TimeLimit(from_="handle", to="end", within="6wh")), "03-02 09:00")
        .fire("ask", "03-02 10:00")
        .fire("answer", "03-03 10:00")
        .fire("finish", "03-03 16:00")
    ),
    "case_38_on_a_day_off": lambda: Desk(declared(TimeLimit(by="10:00", day="+1")), "03-07 09:00"),
    "an_extension": prolonged,
    "a_long_limit_in_summary": lambda: (
        Desk(declared("60wh"), "02-10 09:00").hold("02-11 09:00").go("02-12 09:00")
    ),
    "recorded_late_and_annulled": lambda: Desk(declared("2wh"), "03-02 09:00").fire(
        "finish", "03-02 15:00", occurred_at=at("03-02 10:59")
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_explanation_reads_as_its_golden_text(name: str) -> None:
    """Each line of how the deadline came to be, first in Chinese, then in English."""
    desk = CASES[name]()
    told = desk.engine.explain(desk.id, "reply")
    text = f"{told.text('zh')}\n\n{told.text('en')}\n"
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("SVCFLOW_WRITE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def test_a_half_day_is_told_by_its_name() -> None:
    """It is no make-up day, and counts for what is open on it; seasons give each day its own hours."""
    office = {
        "calendar": "cn_office",
        "timezone": "Asia/Shanghai",
        "weekly": [
            {"from": "03-04", "to": "09-30", "mon-fri": ["08:00-12:00", "14:30-17:30"]},
            {"from": "10-01", "to": "03-03", "mon-fri": ["08:30-12:00", "13:30-17:30"]},
        ],
        "covers": {"from": "2026-01-01", "to": "2026-12-31"},
        "days": [{"date": "2026-03-03", "name": {"zh": "半天", "en": "Half day"}, "hours": ["08:30-12:00"]}],
    }
    desk = Desk(declared("12wh"), "03-02 10:00", calendars={"cn_office": office})
    told = desk.engine.explain(desk.id, "reply").text("en")
    assert "Tue 03-03 08:30-12:00 (Half day): 3 h 30 min counted, 9 h 30 min in all" in told
    assert "Wed 03-04 08:00-10:30: 2 h 30 min counted, 12 h in all" in told
    assert "（半天）：计 3小时30分钟" in desk.engine.explain(desk.id, "reply").text("zh")


def test_lines_carry_what_they_say() -> None:
    """The amounts of the counted lines add up to the limit, and the last total is it."""
    desk = CASES["case_24_held_over_qingming_and_late"]()
    told = desk.engine.explain(desk.id, "reply")
    kinds = [line.kind for line in told.lines]
    assert kinds == ["started", "counted", "hold", "resumed", "counted", "due", "overdue", "ended"]
    counted = [line for line in told.lines if line.kind == "counted"]
    assert [line.amount for line in counted] == [HOUR, 2 * HOUR]
    assert counted[-1].total == 3 * HOUR
    assert (counted[0].from_at, counted[0].to_at) == (at("04-03 16:00"), at("04-03 17:00"))
    resumed = told.lines[3]
    assert resumed.amount == timedelta(hours=88, minutes=30)
    assert (told.limit, told.visits, str(told.target)) == ("reply", 1, "3wh")


def test_working_days_are_counted_in_days() -> None:
    """The counted lines of a limit in working days carry numbers of days."""
    desk = CASES["case_30_held_over_two_closings"]()
    counted = [line for line in desk.engine.explain(desk.id, "reply").lines if line.kind == "counted"]
    assert sum(line.amount for line in counted) == counted[-1].total == 5


def test_the_due_line_is_the_deadline() -> None:
    """Whatever the kind of limit, the explanation comes to the deadline that the engine gives."""
    for name, make in CASES.items():
        desk = make()
        due = [line.from_at for line in desk.engine.explain(desk.id, "reply").lines if line.kind == "due"]
        deadline = next(d for d in desk.engine.deadlines(desk.id, ended=True) if d.limit == "reply")
        assert due[-1:] == [deadline.due_at] if deadline.due_at else not due, name


def test_nothing_is_told_of_a_limit_that_never_ran() -> None:
    """A limit whose step was not entered has no lines; one that is not declared is an error with the choices."""
    desk = Desk(declared("4wh"), "03-02 09:00")
    assert desk.engine.explain(desk.id, "asking.wait").lines == ()
    with pytest.raises(UnknownLimit, match="reply"):
        desk.engine.explain(desk.id, "replies")


def test_both_languages_may_be_asked_at_once() -> None:
    """`zh+en` gives each line in Chinese and below it in English."""
    desk = Desk(declared("4wh"), "03-02 09:00")
    line = desk.engine.explain(desk.id, "reply").lines[0]
    assert line.text("zh+en").splitlines() == [line.text("zh"), line.text("en")]


def test_a_seat_not_yet_booked_is_pending() -> None:
    """Without its scheduled instant a limit has no deadline, and says so."""
    desk = Desk(declared(TimeLimit(before="meeting - 2h")), "03-02 09:00").go("03-02 10:00")
    assert [line.kind for line in desk.engine.explain(desk.id, "reply").lines] == ["started", "pending"]


def test_each_recurrence_is_a_visit() -> None:
    """A missed occurrence and one that was made each begin the next interval."""
    limit = TimeLimit(every="15m", done_by="tea")
    desk = Desk(declared(limit), "03-02 09:00").fire("tea", "03-02 09:10").go(at("03-02 09:30"))
    told = desk.engine.explain(desk.id, "reply")
    assert told.visits == 3
    assert [line.kind for line in told.lines if line.kind in ("started", "overdue")] == [
        "started",
        "started",
        "overdue",
        "started",
    ]
    assert told.lines[-1].amount == 10 * MINUTE


@pytest.mark.parametrize(
    ("kind", "zh", "en"),
    [
        (
            Accept,
            "认可该说明，偏差仍计（属实）",
            "the explanation was accepted; the deviation still counts (属实)",
        ),
        (Reject, "不认可该说明（属实）", "the explanation was rejected (属实)"),
    ],
    ids=["accepted", "rejected"],
)
def test_what_was_answered_to_a_breach_is_told_with_its_limit(kind, zh, en):
    """Explanation and judgement stand after the breach, with their reasons; those of other limits do not."""
    compiled = compile_procedure(declared("2h"), calendars_of(Catalog()))
    facts, instance = [], None
    for command, when in (
        (Start("i1"), "03-02 09:00"),
        (None, "03-02 12:00"),
        (Explain(2, "等配件", CHIEF), "03-02 13:00"),
        (kind(2, "属实", Actor("sun")), "03-02 14:00"),
    ):
        outcome = transact(compiled, instance, command, to_us(at(when)))
        instance = outcome.instance
        facts += outcome.facts
    told = explain(compiled, facts, "reply", to_us(at("03-02 15:00")))
    kinds = [line.kind for line in told.lines]
    place = kinds.index("explained")
    assert kinds.index("overdue") < place
    explained, judged = told.lines[place : place + 2]
    assert explained.text("zh") == "03-02 周一 13:00 说明偏差原因（等配件）"
    assert explained.text("en") == "Mon 03-02 13:00: the deviation was explained (等配件)"
    assert judged.text("zh") == f"03-02 周一 14:00 {zh}"
    assert judged.text("en") == f"Mon 03-02 14:00: {en}"
    other = [attrs.evolve(fact, deviation=99) if fact.kind == "Explained" else fact for fact in facts[:-1]]
    assert "explained" not in [
        line.kind for line in explain(compiled, other, "reply", to_us(at("03-02 15:00"))).lines
    ]


def test_an_explanation_says_on_which_source_the_limit_rests():
    """The source of the row that applied is named, with its strength; a proposal says that it is one."""
    rows = (Row("2wh", when='priority == "high"', source="D2"), Row("8wh", source="proposal"))
    sources = (Source("D2", title="办事指南", strength="unit_rule", year=2021, read="excerpt"),)
    for priority, told in (
        ("high", "source: D2 办事指南 (rule of the unit, 2021, read in an excerpt)"),
        ("low", "source: proposal"),
    ):
        limit = TimeLimit(match=rows)
        desk = Desk(declared(limit, sources=sources), "03-02 10:00", data={"priority": priority})
        explanation = desk.engine.explain(desk.id, "reply")
        assert explanation.text("en").splitlines()[1] == told
    assert explanation.rests_on("zh") == ("依据：自拟",)


def test_an_explanation_says_that_the_service_was_asked_for_too_late() -> None:
    """Of the limits that hang on the instant it was for; what a provider foresaw is told where the clock starts."""
    rule = StartRule(before="meeting - 2h", requires=["meeting"], foreseen=True)
    late = Desk(
        declared(TimeLimit(before="meeting - 30m"), start=rule), "03-02 09:00", data=meeting("03-02 10:00")
    )
    lines = late.engine.explain(late.id, "reply").lines
    assert (lines[0].kind, lines[0].text("zh")) == (
        "short_notice",
        "2026-03-02 周一 09:00 提出：最迟应在 03-02 周一 08:00，属于预约过迟",
    )
    assert lines[0].text("en").endswith("asked for; the latest was Mon 03-02 08:00, so this is short notice")
    other = Desk(declared(TimeLimit(within="2wh"), start=rule), "03-02 09:00", data=meeting("03-02 10:00"))
    assert other.engine.explain(other.id, "reply").lines[0].kind == "started"
