"""The fifty numbered edge cases of the time-limit design, each through the engine on a virtual clock.

The calendar is the shipped `cn_office` (08:30-12:00 and 13:30-17:30, the State Council's arrangement of
2026) but for 39-42. ◇ marks what is a decision of ours rather than a rule found elsewhere.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from timelimit_cases import (
    CHIEF,
    HOUR,
    MICRO,
    MINUTE,
    NEW_YORK,
    WANG,
    Desk,
    at,
    booked,
    due,
    procedure,
    work,
)

from svcflow import Catalog, Engine, VirtualClock
from svcflow.errors import DeclarationError, NaiveDatetime, Refused
from svcflow.model.amount import Amount
from svcflow.model.field import Field
from svcflow.model.limit import Row, TimeLimit
from svcflow.model.step import Step, Transition
from svcflow.worktime import shipped_calendar


def test_case_01_a_limit_inside_the_morning() -> None:
    """1. Mon 2026-03-02 09:00 +2wh → 11:00."""
    assert due("2wh", "03-02 09:00") == "03-02 11:00"


def test_case_02_a_start_before_opening() -> None:
    """2. 07:00 +2wh → 10:30."""
    assert due("2wh", "03-02 07:00") == "03-02 10:30"


def test_case_03_a_start_during_the_noon_break() -> None:
    """3. 12:30 +1wh → 14:30."""
    assert due("1wh", "03-02 12:30") == "03-02 14:30"


def test_case_04_a_start_after_closing_on_friday() -> None:
    """4. Fri 03-06 18:00 +1wh → Mon 09:30."""
    assert due("1wh", "03-06 18:00") == "03-09 09:30"


def test_case_05_a_start_at_the_very_closing() -> None:
    """5. exactly 17:30 Fri +1wh → Mon 09:30."""
    assert due("1wh", "03-06 17:30") == "03-09 09:30"


def test_case_06_a_start_at_the_very_opening() -> None:
    """6. exactly 08:30 +1wh → 09:30."""
    assert due("1wh", "03-02 08:30") == "03-02 09:30"


def test_case_07_a_limit_that_ends_at_closing() -> None:
    """7. 13:30 +4wh → 17:30 the same day."""
    assert due("4wh", "03-02 13:30") == "03-02 17:30"


def test_case_08_a_limit_that_ends_at_noon() -> None:
    """8. 08:30 +3.5wh → 12:00, not 13:30."""
    assert due("3.5wh", "03-02 08:30") == "03-02 12:00"


def test_case_09_a_limit_over_the_noon_break() -> None:
    """9. 11:30 +1wh → 14:00."""
    assert due("1wh", "03-02 11:30") == "03-02 14:00"


@pytest.mark.parametrize("limit", ["2wh", "2h", "3wd", "3cd", "1mo", "2m"])
def test_case_10_the_deadline_itself_is_in_time(limit: str) -> None:
    """10 ◇. ended at the very deadline → met; one microsecond later → overdue."""
    deadline = Desk(work(limit), "03-02 09:00").deadline().due_at
    assert deadline is not None
    met = Desk(work(limit), "03-02 09:00").fire("finish", deadline)
    assert (met.state(), met.deviations()) == ("met", [])
    late = Desk(work(limit), "03-02 09:00").fire("finish", deadline + MICRO)
    assert late.state() == "late"
    assert late.deviations() == [("overdue", late.written(deadline))]


def test_case_11_a_limit_of_nothing() -> None:
    """11. zero limit inside hours → the start; Fri 20:00 → Mon 08:30; negative → declaration error."""
    assert due("0wh", "03-02 09:00") == "03-02 09:00"
    assert due("0wh", "03-06 20:00") == "03-09 08:30"
    with pytest.raises(DeclarationError, match="cannot be negative"):
        TimeLimit(within=Amount(-1, "wh"))
    with pytest.raises(DeclarationError):
        TimeLimit(within="-1wh")


def test_case_12_a_make_up_saturday_is_worked() -> None:
    """12. make-up Sat 02-28 09:00 +10wh → Mon 03-02 11:30."""
    assert due("10wh", "02-28 09:00") == "03-02 11:30"


def test_case_13_the_spring_festival_is_not() -> None:
    """13. make-up Sat 02-14 16:30 +4wh → Tue 02-24 11:30."""
    assert due("4wh", "02-14 16:30") == "02-24 11:30"


def test_case_14_a_start_on_a_holiday() -> None:
    """14. holiday 10-01 10:00 +1wh → 10-08 09:30."""
    assert due("1wh", "10-01 10:00") == "10-08 09:30"


def test_case_15_friday_goes_on_on_a_make_up_saturday() -> None:
    """15. Fri 10-09 17:00 +1wh → make-up Sat 10-10 09:00."""
    assert due("1wh", "10-09 17:00") == "10-10 09:00"


def test_case_16_the_start_day_is_not_counted_whatever_the_hour() -> None:
    """16. 3wd from Fri 03-06, at 09:00 or 23:00 → Wed 03-11 17:30."""
    assert due("3wd", "03-06 09:00") == due("3wd", "03-06 23:00") == "03-11 17:30"


def test_case_17_a_working_day_from_a_saturday() -> None:
    """17. 1wd from Sat 03-07 → Mon 17:30."""
    assert due("1wd", "03-07 10:00") == "03-09 17:30"


def test_case_18_a_working_day_to_a_make_up_saturday() -> None:
    """18. 1wd from Fri 02-27 → make-up Sat 02-28 17:30."""
    assert due("1wd", "02-27 10:00") == "02-28 17:30"


def test_case_19_five_working_days_over_the_long_holidays() -> None:
    """19. 5wd from 02-13 → 02-27 17:30; from 09-30 → 10-13 17:30."""
    assert due("5wd", "02-13 10:00") == "02-27 17:30"
    assert due("5wd", "09-30 10:00") == "10-13 17:30"


def test_case_20_calendar_days_roll_off_a_holiday() -> None:
    """20. 15cd from 09-18 → 10-03 → rolls to 10-08."""
    assert due("15cd", "09-18 10:00") == "10-08 17:30"


def test_case_21_calendar_days_end_on_a_make_up_day() -> None:
    """21. 30cd from 01-15 → Sat 02-14, a make-up day: no roll."""
    assert due("30cd", "01-15 10:00") == "02-14 17:30"


def test_case_22_months_end_on_the_same_date_or_at_the_end() -> None:
    """22. 1mo from 01-31 → 02-28 (2024: 02-29); 12mo from 2024-02-29 → 2025-02-28."""
    assert due("1mo", "01-31 10:00") == "02-28 17:30"
    assert due("1mo", "2024-01-31 10:00") == "2024-02-29 17:30"
    assert due("12mo", "2024-02-29 10:00") == "2025-02-28 17:30"
    assert due("1y", "2024-02-29 10:00") == "2025-02-28 17:30"


def test_case_23_a_pause_over_noon() -> None:
    """23. pause 10:00-15:00 in 4wh from 09:00 → next day 09:00."""
    assert Desk(work("4wh"), "03-02 09:00").hold("03-02 10:00").resume("03-02 15:00").due() == "03-03 09:00"


def test_case_24_a_pause_over_a_holiday() -> None:
    """24. 04-03 16:00, 3wh, paused 17:00 to 04-07 09:30 → 04-07 11:30."""
    assert Desk(work("3wh"), "04-03 16:00").hold("04-03 17:00").resume("04-07 09:30").due() == "04-07 11:30"


@pytest.mark.parametrize(
    ("limit", "start"),
    [("6wh", "03-02 09:00"), ("3wh", "03-02 09:00"), ("7wh", "03-02 09:00"), ("2wd", "03-02 09:00"), ("1wd", "03-01 09:00")],
)  # fmt: skip
@pytest.mark.parametrize(
    ("hold", "resume"),
    [("03-02 12:00", "03-02 13:30"), ("03-02 12:10", "03-02 13:00"), ("03-02 17:30", "03-03 08:30"), ("03-02 19:00", "03-02 19:01")],
)  # fmt: skip
def test_case_25_a_pause_outside_hours(limit: str, start: str, hold: str, resume: str) -> None:
    """25. a pause entirely outside hours changes nothing, not even one that begins at the very deadline."""
    assert Desk(work(limit), start).hold(hold).resume(resume).due() == due(limit, start)


def test_case_26_two_pauses() -> None:
    """26. pauses 10-11 and 14-16 in 4wh from 09:00 → 17:30."""
    desk = Desk(work("4wh"), "03-02 09:00").hold("03-02 10:00").resume("03-02 11:00")
    assert desk.hold("03-02 14:00").resume("03-02 16:00").due() == "03-02 17:30"


def test_case_27_resumed_in_the_evening() -> None:
    """27. resume at 20:00 with 2wh left → next day 10:30."""
    assert Desk(work("4wh"), "03-02 09:00").hold("03-02 11:00").resume("03-02 20:00").due() == "03-03 10:30"


def test_case_28_holding_twice_and_resuming_what_runs() -> None:
    """28 ◇. hold while held, resume while running → refused, journalled."""
    desk = Desk(work("4wh"), "03-02 09:00")
    with pytest.raises(Refused) as running:
        desk.resume("03-02 09:10")
    desk.hold("03-02 09:20")
    with pytest.raises(Refused) as held:
        desk.hold("03-02 09:30")
    assert (running.value.rule, held.value.rule) == ("not_held", "held")
    assert desk.told("Refused") == [("Refused", "03-02 09:10"), ("Refused", "03-02 09:30")]
    assert desk.remaining() == timedelta(hours=3, minutes=40)


def test_case_29_held_after_the_deadline_and_before() -> None:
    """29 ◇. hold after the deadline → allowed, breach unchanged; while held a query gives `remaining` and no deadline."""
    desk = Desk(work("2wh"), "03-02 09:00").hold("03-02 11:30")
    assert (desk.state(), desk.due(), desk.remaining()) == ("overdue", "03-02 11:00", -30 * MINUTE)
    desk.resume("03-02 14:30").fire("finish", "03-02 15:00")
    assert desk.deviations() == [("overdue", "03-02 11:00")]
    assert desk.engine.deviations()[0].overrun == HOUR
    before = Desk(work("2wh"), "03-02 09:00").hold("03-02 10:30").go("03-02 16:00")
    assert (before.state(), before.due(), before.remaining()) == ("paused", None, 30 * MINUTE)


def test_case_30_a_day_counts_if_the_clock_runs_at_its_closing() -> None:
    """30. 5wd from Mon 03-02, held Tue 16:00 to Thu 09:00 → Wed 03-11; held within one day → unchanged Mon 03-09."""
    over = Desk(work("5wd"), "03-02 10:00").hold("03-03 16:00").resume("03-05 09:00")
    within = Desk(work("5wd"), "03-02 10:00").hold("03-03 09:00").resume("03-03 16:00")
    assert (over.due(), within.due()) == ("03-11 17:30", "03-09 17:30")


def before(anchor: str, meeting: str, start: str = "01-05 09:00") -> str | None:
    desk = Desk(booked(TimeLimit(before=anchor)), start, data={"meeting": at(meeting).isoformat()})
    return desk.due()


def test_case_31_before_a_meeting() -> None:
    """31. meeting 14:00, 30m before → 13:30; Mon 08:30 − 30m → 08:00, − 30wm → Fri 17:00."""
    assert before("meeting - 30m", "03-02 14:00") == "03-02 13:30"
    assert before("meeting - 30m", "03-09 08:30") == "03-09 08:00"
    assert before("meeting - 30wm", "03-09 08:30") == "03-06 17:00"


def test_case_32_working_hours_before_a_meeting() -> None:
    """32. Mon 09:30 −2wh → Fri 16:30; 02-24 10:00 −4wh → make-up Sat 02-14 15:00."""
    assert before("meeting - 2wh", "03-09 09:30") == "03-06 16:30"
    assert before("meeting - 4wh", "02-24 10:00") == "02-14 15:00"


def test_case_33_working_days_before_a_meeting() -> None:
    """33. 1wd before Tue 02-24 → 02-14; 3wd before 10-10 → 09-30."""
    assert before("meeting - 1wd", "02-24 10:00") == "02-14 17:30"
    assert before("meeting - 3wd", "10-10 10:00") == "09-30 17:30"


def test_case_34_a_meeting_moved_too_near() -> None:
    """34 ◇. anchor moved earlier so that the deadline is past → `infeasible_on_reschedule`, attributed to who rescheduled."""
    desk = Desk(
        booked(TimeLimit(before="meeting - 2h")),
        "03-02 09:00",
        data={"meeting": at("03-02 16:00").isoformat()},
    ).reschedule("03-02 13:00", "03-02 14:00")
    assert desk.deviations() == [("infeasible_on_reschedule", "03-02 13:00")]
    one = desk.engine.deviations()[0]
    assert (one.actor, one.due_at) == (CHIEF.id, at("03-02 12:00"))


def test_case_35_a_meeting_moved_after_the_work_was_done() -> None:
    """35 ◇. anchor moved later after completion → the verdict is kept."""
    prepare = TimeLimit(id="prepare", from_="work", to="ready", before="meeting - 30m")
    declared = procedure(
        Step("work", to=(Transition("finish", "ready"),)),
        Step("ready", to=(Transition("close", "end"),)),
        Step("end", end="completed"),
        fields=(Field("meeting", type="instant"),),
        limits=(prepare,),
    )
    late = Desk(declared, "03-02 09:00", data={"meeting": at("03-02 10:00").isoformat()})
    late.fire("finish", "03-02 09:45").reschedule("03-02 09:50", "03-02 16:00")
    met = Desk(declared, "03-02 09:00", data={"meeting": at("03-02 10:00").isoformat()})
    met.fire("finish", "03-02 09:30").reschedule("03-02 09:50", "03-02 09:55")
    assert (late.state("prepare"), met.state("prepare")) == ("late", "met")
    assert (late.due("prepare"), met.due("prepare")) == ("03-02 09:30", "03-02 09:30")


def test_case_36_no_meeting_yet_or_any_more() -> None:
    """36 ◇. anchor missing → `pending`; cancelled → cancelled, not met."""
    desk = Desk(booked(TimeLimit(before="meeting - 30m")), "03-02 09:00")
    assert (desk.state(), desk.due(), desk.remaining()) == ("pending", None, None)
    desk.reschedule("03-02 09:10", "03-02 16:00")
    assert (desk.state(), desk.due()) == ("running", "03-02 15:30")
    desk.reschedule("03-02 09:20", None)
    assert (desk.state(), desk.due()) == ("pending", None)
    desk.fire("finish", "03-02 17:00")
    assert (desk.state(), desk.deviations()) == ("cancelled", [])


def test_case_37_booked_too_late() -> None:
    """37 ◇. booked later than the minimum notice → `short_notice`, attributed to the requester; the service is still tracked."""
    declared = booked(
        TimeLimit(before="meeting - 2h"),
        limits=(TimeLimit(id="reply", from_="work", to="end", within="2wh"),),
    )
    desk = Desk(declared, "03-02 09:00", data={"meeting": at("03-02 10:00").isoformat()})
    assert desk.deviations() == [("short_notice", "03-02 09:00")]
    assert desk.engine.deviations()[0].actor == WANG.id
    assert desk.due("reply") == "03-02 11:00"
    later = Desk(declared, "03-02 09:00").reschedule("03-02 09:30", "03-02 11:00")
    assert later.deviations() == [("short_notice", "03-02 09:30")]
    assert later.engine.deviations()[0].actor == CHIEF.id


def test_case_38_by_a_time_of_day_with_a_cutoff() -> None:
    """38. by 17:00, cutoff 15:00: 15:00 → the same day; 15:01 or Sat → next working day."""
    limit = TimeLimit(by="17:00", cutoff="15:00")
    assert due(limit, "03-06 15:00") == "03-06 17:00"
    assert due(limit, "03-06 15:01") == "03-09 17:00"
    assert due(limit, "03-07 10:00") == "03-09 17:00"


NIGHT = {"calendar": "night", "timezone": "America/New_York", "weekly": {"mon-fri": ["22:00-06:00"]}}
NIGHTLY = {"calendar": "nightly", "timezone": "America/New_York", "weekly": {"mon-sun": ["22:00-06:00"]}}
ROUND = {"calendar": "round", "timezone": "America/New_York", "weekly": {"mon-sun": ["00:00-24:00"]}}


def abroad(limit: TimeLimit | str, start: str, calendar: dict[str, object], *, fold: int = 0) -> datetime:
    """The deadline in New York, as its own clock shows it."""
    name = str(calendar["calendar"])
    desk = Desk(
        work(limit, calendar=name),
        at(start, NEW_YORK, fold=fold),
        zone=NEW_YORK,
        calendars={name: calendar},
    )
    deadline = desk.deadline().due_at
    assert deadline is not None
    return deadline.astimezone(NEW_YORK)


def test_case_39_a_night_shift_belongs_to_its_start_day() -> None:
    """39. a shift 22:00-06:00 belongs to its start day: Fri 23:00 +8wh → Mon 23:00; Sat 02:00 +1wh → 03:00."""
    assert abroad("8wh", "05-01 23:00", NIGHT) == at("05-04 23:00", NEW_YORK)
    assert abroad("1wh", "05-02 02:00", NIGHT) == at("05-02 03:00", NEW_YORK)
    assert abroad("1wd", "05-02 02:00", NIGHT) == at("05-05 06:00", NEW_YORK)  # Monday's shift


def test_case_40_a_shift_when_the_clocks_change() -> None:
    """40. New York 2026-03-07 shift = 7 h: 22:00 +6wh → 05:00; 10-31 shift = 9 h: → 03:00."""
    assert abroad("6wh", "03-07 22:00", NIGHTLY) == at("03-08 05:00", NEW_YORK)
    assert abroad("6wh", "10-31 22:00", NIGHTLY) == at("11-01 03:00", NEW_YORK)


def test_case_41_an_hour_skipped_and_an_hour_repeated() -> None:
    """41. gap 02:30 → 03:30; fold 01:30: first +1h → 01:30 (second), second → 02:30."""
    assert abroad(TimeLimit(by="02:30"), "03-08 00:30", ROUND) == at("03-08 03:30", NEW_YORK)
    second = at("11-01 01:30", NEW_YORK, fold=1)
    for limit in ("1h", "1wh"):
        assert abroad(limit, "11-01 01:30", ROUND).astimezone(UTC) == second.astimezone(UTC)
        assert abroad(limit, "11-01 01:30", ROUND, fold=1) == at("11-01 02:30", NEW_YORK)


def test_case_42_a_day_of_24_hours_over_the_gap() -> None:
    """42. 24 h elapsed over the gap: 12:00 → 13:00; `aware + timedelta` gives 12:00 (bug trap)."""
    assert abroad("24h", "03-07 12:00", ROUND) == at("03-08 13:00", NEW_YORK)
    assert abroad("1d", "03-07 12:00", ROUND) == at("03-08 13:00", NEW_YORK)
    assert at("03-07 12:00", NEW_YORK) + timedelta(hours=24) == at("03-08 12:00", NEW_YORK)


def rework(clock: str) -> Desk:
    declared = procedure(
        Step("work", within="4wh", to=(Transition("finish", "check"),)),
        Step("check", to=(Transition("back", "work", clock=clock, kind="rework"), Transition("pass", "end"))),
        Step("end", end="completed"),
    )
    return Desk(declared, "03-02 09:00").fire("finish", "03-02 11:00").fire("back", "03-02 14:00")


def test_case_43_work_that_comes_back() -> None:
    """43. rework after 2 of 4wh, re-entered 14:00: continue → 16:00; restart → next day 09:00."""
    assert rework("continue").due() == "03-02 16:00"
    assert rework("restart").due() == "03-03 09:00"


def matrix(change: str | None) -> Desk:
    rows = (Row("2wh", when='priority == "high"'), Row("4wh", when='priority == "mid"'), Row("8wh"))
    limit = TimeLimit(match=rows, on_change=change)
    return Desk(work(limit, fields=(Field("priority", default="low"),)), "03-02 09:00")


def test_case_44_the_priority_changes_in_mid_flight() -> None:
    """44. priority 8wh→2wh at 11:00 (start 09:00): from_start 11:00, from_now 14:30; 8wh→4wh with 10-11 held → 15:30."""
    assert matrix("from_start").update("03-02 11:00", priority="high").due() == "03-02 11:00"
    assert matrix("from_now").update("03-02 11:00", priority="high").due() == "03-02 14:30"
    held = matrix("from_start").hold("03-02 10:00").resume("03-02 11:00")
    assert held.update("03-02 11:00", priority="mid").due() == "03-02 15:30"


def test_case_45_a_warning_at_a_share_of_the_limit() -> None:
    """45. 80 % of 4wh from 16:30 → 10:42 next day."""
    desk = Desk(work(TimeLimit(within="4wh", warn=["80%"])), "03-02 16:30").tick("03-03 11:00")
    assert desk.told("Warned", "Overdue") == [("Warned", "03-03 10:42")]


@pytest.mark.parametrize(("limit", "overrun"), [("2wh", HOUR), ("2h", 64 * HOUR)])
def test_case_46_the_overrun_is_in_the_limits_own_clock(limit: str, overrun: timedelta) -> None:
    """46. deadline Fri 17:00, ended Mon 09:00 → overrun 60 working minutes (64 h elapsed)."""
    desk = Desk(work(limit), "03-06 15:00")
    assert desk.due() == "03-06 17:00"
    desk.fire("finish", "03-09 09:00")
    assert desk.engine.deviations()[0].overrun == overrun


HALVES = 'weekly: {mon-fri: ["08:30-12:00", "13:30-17:30"]}'
DAY_OFF = "holidays: [{date: 2026-03-03, name: x}]"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("weekly: {}", "open"),
        ('weekly: {mon: ["08:30-12:00", "11:00-17:30"]}', "overlap"),
        (f"{HALVES}\n{DAY_OFF}\nmakeup: [{{date: 2026-03-03, name: y}}]", "2026-03-03"),
    ],
)
def test_case_47_a_calendar_that_cannot_be_meant(tmp_path: Path, written: str, message: str) -> None:
    """47. a calendar with no open interval, overlapping intervals, a day both holiday and make-up → declaration error."""
    (tmp_path / "odd.yaml").write_text(
        f"calendar: odd\ntimezone: Asia/Shanghai\n{written}\n", encoding="utf-8"
    )
    declared = work("2wh", calendar="odd")
    catalog = Catalog({(declared.id, 1): declared}, Catalog.from_folder(tmp_path).calendars)
    with pytest.raises(DeclarationError, match=message):
        Engine("memory://", catalog).start("sample")


def test_case_48_past_the_coverage_and_naive_datetimes() -> None:
    """48. past coverage → error or provisional; naive datetimes → error."""
    desk = Desk(work("3wd"), "12-30 10:00")
    assert (desk.due(), desk.deadline().provisional) == ("2027-01-04 17:30", True)
    assert not Desk(work("1wd"), "12-30 10:00").deadline().provisional
    naive = datetime(2026, 12, 31, 9, 0)  # noqa: DTZ001  # the very mistake
    with pytest.raises(NaiveDatetime):
        desk.fire("finish", occurred_at=naive)
    with pytest.raises(NaiveDatetime):
        desk.engine.reschedule(desk.id, "meeting", naive)
    with pytest.raises(NaiveDatetime):
        VirtualClock(naive)


def test_case_49_before_the_effective_date_and_recorded_late() -> None:
    """49 ◇. a start before the procedure's effective date → refused; completion recorded late → met by `occurred_at`, plus `late_record`."""
    declared = work("2wh", effective=at("03-02 00:00").date())
    with pytest.raises(Refused) as early:
        Desk(declared, "03-01 23:59")
    assert early.value.rule == "effective"
    desk = Desk(declared, "03-02 09:00").fire("finish", "03-02 15:00", occurred_at=at("03-02 10:59"))
    assert desk.state() == "met"
    assert [kind for kind, _ in desk.deviations()] == ["overdue", "late_record"]
    assert [one.annulled for one in desk.engine.deviations()] == [True, False]


def test_case_50_a_half_day_of_one_group_is_in_a_personal_calendar() -> None:
    """50 ◇. half-day group holidays (妇女节) → personal calendars, never the unit's."""
    unit = shipped_calendar("cn_office")
    personal = {
        **unit.to_mapping(),
        "calendar": "hers",
        "covers": {"from": at("2024-01-01").date(), "to": at("2024-12-31").date()},
    }
    personal["makeup"] = [{"date": at("2024-03-08").date(), "hours": ["08:30-12:00"], "name": "妇女节"}]
    personal.pop("holidays")
    limits = (
        TimeLimit(id="unit", from_="work", to="end", within="4wh"),
        TimeLimit(id="hers", from_="work", to="end", within="4wh", calendar="hers"),
    )
    desk = Desk(work("1mo", limits=limits), "2024-03-08 09:00", calendars={"hers": personal})
    assert desk.due("unit") == "2024-03-08 14:30"
    assert desk.due("hers") == "2024-03-11 09:30"
