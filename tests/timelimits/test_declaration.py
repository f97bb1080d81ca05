"""How limits are declared: amounts and their refusals, and every mistake of a limit in two languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from timelimit_cases import booked, work

from svcflow.errors import DeclarationError
from svcflow.model.amount import UNITS, Amount
from svcflow.model.field import Field
from svcflow.model.limit import Extension, Row, Rung, TimeLimit
from svcflow.model.target import Anchor, ClockTime


@given(st.integers(0, 10**9 - 1), st.sampled_from(UNITS))
def test_an_amount_reads_back_as_it_was_written(value: int, unit: str) -> None:
    """Every unit, `cd` and `mo` included, survives being written and read."""
    written = f"{value}{unit}"
    amount = Amount.parse(written)
    assert (str(amount), Amount.parse(str(amount)), amount.text("zh+en")) == (written, amount, written)


@pytest.mark.parametrize(
    ("written", "zh", "en"),
    [
        ("15cd", "15个自然日", "15 calendar days"),
        ("1cd", "1个自然日", "1 calendar day"),
        ("1mo", "1个月", "1 month"),
        ("12mo", "12个月", "12 months"),
        ("3wd", "3个工作日", "3 working days"),
        ("3.5wh", "3.5个工作小时", "3.5 working hours"),
        ("30wm", "30个工作分钟", "30 working minutes"),
        ("2d", "2天", "2 days of 24 h"),
        ("48h", "48小时", "48 hours"),
        ("30m", "30分钟", "30 minutes"),
    ],
)
def test_amounts_are_worded_in_both_languages(written: str, zh: str, en: str) -> None:
    """People read words, files the short form."""
    assert (Amount.parse(written).text("zh"), Amount.parse(written).text("en")) == (zh, en)


@pytest.mark.parametrize(
    ("written", "choices"),
    [
        ("1 day", ("1wd", "1cd", "24h", "8wh")),
        ("2天", ("2wd", "2cd", "48h", "16wh")),
        ("3 hours", ("3h", "3wh")),
        ("15分钟", ("15m", "15wm")),
        ("2个月", ("2mo",)),
        ("1 month", ("1mo",)),
        ("2 weeks", ("14cd", "10wd")),
        ("7", ("7m", "7h", "7wh", "7wd")),
        ("1.5wd", ("1wd", "12wh")),
        ("1.5cd", ("1cd",)),
        ("1mo2cd", ("15cd", "1mo")),
        ("-3wd", ("3wd",)),
    ],
)
def test_an_ambiguous_amount_is_refused_with_the_choices(written: str, choices: tuple[str, ...]) -> None:
    """A bare day is never guessed."""
    with pytest.raises(DeclarationError) as error:
        Amount.parse(written)
    for lang in ("zh", "en"):
        assert all(choice in error.value.text(lang) for choice in choices)


@pytest.mark.parametrize(
    ("target", "zh", "en"),
    [
        (TimeLimit(by="17:00", cutoff="15:00"), "17:00 前（15:00 后受理的算次一工作日）", "by 17:00 (after 15:00: the next working day)"),
        (TimeLimit(before="meeting - 30m"), "meeting 前 30分钟", "30 minutes before meeting"),
        (TimeLimit(after="meeting + 1wd"), "meeting 后 1个工作日", "1 working day after meeting"),
        (TimeLimit(at_least="48h"), "不少于 48小时", "at least 48 hours"),
        (TimeLimit(every="15m"), "每 15分钟一次", "every 15 minutes"),
        (TimeLimit(within="1mo"), "1个月", "1 month"),
    ],
)  # fmt: skip
def test_targets_are_worded_in_both_languages(target: TimeLimit, zh: str, en: str) -> None:
    """What a limit demands, as people say it."""
    row = target.rows[0].target
    assert row is not None
    assert (row.text("zh"), row.text("en")) == (zh, en)


@pytest.mark.parametrize(
    ("parse", "written"),
    [
        (ClockTime, "5pm"),
        (ClockTime, "24:00"),
        (ClockTime, "9:00"),
        (Anchor.parse, "meeting * 2"),
        (Anchor.parse, "30m before meeting"),
        (Anchor.parse, "meeting - 1 day"),
        (Rung, "75"),
        (Rung, "+1 day"),
    ],
)
def test_what_is_no_time_is_refused_in_both_languages(parse: object, written: str) -> None:
    """Each refusal names what was written and what to write."""
    with pytest.raises(DeclarationError) as error:
        parse(written)  # type: ignore[operator]
    (problem,) = error.value.problems
    assert problem.message.zh
    assert problem.message.en
    assert problem.remedy


MEETING = (Field("meeting", type="instant"), Field("place"), Field("p", default="low"))
HIGH = 'p == "high"'
MISTAKES = {
    "no kind": (TimeLimit(), "之一", "give one of"),
    "two kinds": (TimeLimit(within="1wh", every="1h", done_by="tea"), "之一", "give one of"),
    "kind beside match": (TimeLimit(within="1wh", match=(Row("1wh"),)), "之一", "give one of"),
    "row of no kind": (TimeLimit(match=(Row(when=HIGH), Row("1wh"))), "每行", "each row has one kind"),
    "row of two kinds": (TimeLimit(match=(Row("1wh", at_least="1h"),)), "每行", "each row has one kind"),
    "row with and without target": (TimeLimit(match=(Row("1wh", no_target=True),)), "每行", "each row has one kind"),
    "no default row": (TimeLimit(match=(Row("1wh", when=HIGH),)), "缺少默认行", "no default row"),
    "rows after the default": (TimeLimit(match=(Row("1wh"), Row("2wh"))), "不会用到", "unreachable"),
    "the same condition twice": (
        TimeLimit(match=(Row("1wh", when=HIGH), Row("2wh", when=HIGH), Row("3wh"))), "不会用到", "unreachable"),
    "unknown name in a guard": (TimeLimit(match=(Row("1wh", when="q > 1"), Row("2wh"))), "q", "q"),
    "unknown source": (TimeLimit(within="1wh", source="D9"), "没有名为“D9”的来源", "no source 'D9'"),
    "unknown trigger": (TimeLimit(within="1wh", on_overdue="fly"), "没有名为“fly”的流转", "no trigger 'fly'"),
    "unknown anchor": (TimeLimit(before="party - 1h"), "没有名为“party”的字段", "no field 'party'"),
    "anchor of another type": (TimeLimit(before="place - 1h"), "不是时刻", "is no instant"),
    "anchor in calendar days": (TimeLimit(before="meeting - 1cd"), "不能用 1cd", "does not reckon in 1cd"),
    "before that adds": (TimeLimit(before="meeting + 1h"), "before 用减号", "'before' subtracts"),
    "after that subtracts": (TimeLimit(after="meeting - 1h"), "after 用加号", "'after' adds"),
    "a minimum that escalates": (TimeLimit(at_least="1h", escalate=["+5m"]), "不会超时", "is never overdue"),
    "a minimum with a deemed move": (TimeLimit(at_least="1h", on_overdue="finish"), "不会超时", "is never overdue"),
    "a recurrence nobody does": (TimeLimit(every="1h"), "done_by", "every needs done_by"),
    "a recurrence done by nothing": (TimeLimit(every="1h", done_by="fly"), "没有名为“fly”的流转", "no trigger 'fly'"),
    "a recurrence of nothing": (TimeLimit(every="0m", done_by="tea"), "不能为零", "cannot be zero"),
    "a rung after a miss": (TimeLimit(every="1h", done_by="tea", escalate=["+5m"]), "永远到不了", "never reached"),
    "a share after a miss": (TimeLimit(every="1h", done_by="tea", warn=["150%"]), "永远到不了", "never reached"),
    "a rung of an unknown role": (TimeLimit(within="1h", warn=[Rung("50%", role="king")]), "没有名为“king”的岗位", "no role 'king'"),
    "a rung before a counted deadline": (TimeLimit(within="1h", warn=["-10m"]), "只用于", "only"),
    "a rung on another clock": (TimeLimit(within="1wh", escalate=["+30m"]), "不在同一时钟上", "does not run on the clock"),
    "a calendar rung at a clock time": (TimeLimit(by="17:00", escalate=["+1cd"]), "不在同一时钟上", "does not run on the clock"),
    "a cutoff without a time": (TimeLimit(within="1wh", cutoff="15:00"), "只用于 by", "only for a limit with 'by'"),
    "a day without a time": (TimeLimit(within="1wh", day=1), "只用于 by", "only for a limit with 'by'"),
    "a row's cutoff without a time": (TimeLimit(match=(Row("1wh", cutoff="15:00"),)), "只用于 by", "only for a limit with 'by'"),
    "a cutoff after the time": (TimeLimit(by="15:00", cutoff="17:00"), "已过", "has passed"),
    "done_by without a recurrence": (TimeLimit(within="1wh", done_by="tea"), "只用于 every", "only for a limit with 'every'"),
    "an extension of another kind": (TimeLimit(within="3wd", extension=Extension("2cd")), "不能延长 2cd", "cannot by 2cd"),
    "an extension of a clock time": (TimeLimit(by="17:00", extension=Extension("2wh")), "不能延长", "can be extended"),
    "an extension of nothing": (TimeLimit(within="3wd", extension=Extension("0wd")), "不能为零", "cannot be zero"),
    "an extension by an unknown role": (TimeLimit(within="3wd", extension=Extension("2wd", role="king")), "没有名为“king”的岗位", "no role 'king'"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_is_told_in_both_languages(mistake: str) -> None:
    """Where it is, what is wrong; nothing else is reported beside it."""
    limit, zh, en = MISTAKES[mistake]
    with pytest.raises(DeclarationError) as error:
        work(limit, fields=MEETING)
    problems = error.value.problems
    assert len({problem.message for problem in problems}) == 1, error.value.text("en")
    assert zh in problems[0].text("zh")
    assert en in problems[0].text("en")
    assert problems[0].path[:3] == ("steps", "work", "within")


@pytest.mark.parametrize(
    "limit",
    [
        TimeLimit(match=(Row("1wh", when=HIGH), Row(no_target=True))),
        TimeLimit(by="10:00", cutoff="15:00", day="+1"),
        TimeLimit(before="meeting", warn=["-10m", "-1wd"], escalate=["+2wh"]),
        TimeLimit(every="1mo", done_by="tea", warn=["100%"]),
        TimeLimit(within="15cd", extension=Extension("15cd", role="chief"), escalate=["+5cd"]),
        TimeLimit(at_least="48h", warn=["100%"]),
    ],
)
def test_what_is_right_is_accepted(limit: TimeLimit) -> None:
    """Each of these says one thing only."""
    assert work(limit, fields=MEETING).time_limits["work"].rows


def test_a_named_meeting_is_enough() -> None:
    """An anchor without an amount is the instant itself."""
    assert str(booked(TimeLimit(before="meeting")).time_limits["work"].rows[0].target) == "meeting"
