"""Amounts of time: what is read, what is refused, and how they are worded."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcflow.bounds import LONGEST
from svcflow.errors import DeclarationError
from svcflow.model.amount import DAY_US, HOUR_US, MINUTE_US, UNITS, Amount

amounts = st.sampled_from(UNITS).flatmap(
    lambda unit: st.tuples(
        st.integers(0, LONGEST[unit]) | st.decimals(0, LONGEST[unit], places=6), st.just(unit)
    )
)


@given(amounts)
def test_an_amount_is_read_back_as_it_was_written(given):
    """Text and value are the same amount, whatever the unit."""
    value, unit = given
    if unit in ("wd", "cd", "mo", "y"):
        value = int(value)
    amount = Amount(value, unit)
    assert Amount.parse(str(amount)) == amount
    assert Amount.parse(f" {amount} ") == amount


@given(st.text(max_size=20) | st.integers() | st.floats() | st.none() | st.lists(st.integers()))
def test_anything_else_is_a_declaration_error_or_an_amount(written):
    """No input gives another error than the one that explains itself."""
    try:
        Amount.parse(written)
    except DeclarationError as error:
        said = error.problems[0]
    else:
        return
    assert said.remedy.zh
    assert said.remedy.en


@pytest.mark.parametrize(
    ("written", "zh", "en"),
    [
        (
            "1 day",
            "1wd（工作日）、1cd（自然日）、24h 或 8wh",
            "1wd (working day), 1cd (calendar day), 24h or 8wh",
        ),
        ("1.5天", "36h 或 12wh", "36h or 12wh"),
        ("2 hours", "2h（连续）或 2wh（工作时间）", "2h (elapsed) or 2wh (working)"),
        ("2小时", "2h（连续）或 2wh（工作时间）", "2h (elapsed) or 2wh (working)"),
        ("5 mins", "5m（连续）或 5wm（工作时间）", "5m (elapsed) or 5wm (working)"),
        ("5分钟", "5m（连续）或 5wm（工作时间）", "5m (elapsed) or 5wm (working)"),
        ("3 months", "写 3mo", "write 3mo"),
        ("3个月", "写 3mo", "write 3mo"),
        ("5年", "写 5y", "write 5y"),
        ("5 years", "写 5y", "write 5y"),
        ("半年", "写 6mo", "write 6mo"),
        ("5 Y", "写 5y", "write 5y"),
        ("1.5y", "写 18mo", "write 18mo"),
        ("0.3y", "例如写 1y", "write for example 1y"),
        ("2 weeks", "14cd 或 10wd", "14cd or 10wd"),
        ("7", "加上单位：7m 7h 7wh 7wd", "add a unit: 7m 7h 7wh 7wd"),
        ("soon", "写作数字加单位", "write a number and a unit"),
    ],
)
def test_an_ambiguous_amount_is_refused_with_the_choices_spelled_out(written, zh, en):
    """`1 day` is not guessed at: the message lists what may have been meant, in both languages."""
    with pytest.raises(DeclarationError) as caught:
        Amount.parse(written)
    assert zh in caught.value.text("zh")
    assert en in caught.value.text("en")
    assert written in caught.value.text("zh")


@pytest.mark.parametrize(
    "value", ["-1", "1e9", "0.0000001", "NaN", "Infinity", "x", None, Decimal("1e999999"), 0.1]
)
def test_a_number_no_document_could_write_is_refused(value):
    """What is built in Python can be written down; neither sign, size nor decimals go beyond that."""
    with pytest.raises(DeclarationError) as caught:
        Amount(value, "h")
    assert caught.value.text("zh") != caught.value.text("en")


@pytest.mark.parametrize("unit", ["wd", "cd", "mo", "y"])
def test_days_and_months_are_whole(unit):
    """Half a working day has no closing time; hours are asked for instead."""
    with pytest.raises(DeclarationError, match="whole number"):
        Amount.parse(f"0.5{unit}")


def test_an_unknown_unit_is_refused():
    """Only the declared units exist."""
    with pytest.raises(ValueError, match="unit"):
        Amount(1, "weeks")


@pytest.mark.parametrize(
    ("written", "zh", "en"),
    [
        ("30m", "30分钟", "30 minutes"),
        ("1h", "1小时", "1 hour"),
        ("2d", "2天", "2 days of 24 h"),
        ("1d", "1天", "1 day of 24 h"),
        ("4wh", "4个工作小时", "4 working hours"),
        ("3wd", "3个工作日", "3 working days"),
        ("15cd", "15个自然日", "15 calendar days"),
        ("1mo", "1个月", "1 month"),
        ("1y", "1年", "1 year"),
        ("5y", "5年", "5 years"),
    ],
)
def test_an_amount_is_worded_in_both_languages(written, zh, en):
    """People read words, and both readers the short form."""
    amount = Amount.parse(written)
    assert (amount.text("zh"), amount.text("en"), amount.text("zh+en")) == (zh, en, written)


def test_absolute_and_working_amounts_have_a_length_in_microseconds():
    """`d` is 24 hours; fractions are exact."""
    assert Amount.parse("1.5m").us == 90_000_000 == MINUTE_US + MINUTE_US // 2
    assert Amount.parse("2wh").us == 2 * HOUR_US
    assert Amount.parse("1d").us == DAY_US


def test_an_amount_knows_its_clock_and_its_count():
    """Days and months are counted, not measured."""
    assert [Amount(1, unit).family for unit in UNITS] == [
        *["elapsed"] * 3, *["working"] * 2, "working_days", "calendar_days", *["months"] * 2
    ]  # fmt: skip
    assert Amount.parse("15cd").count == 15
    assert Amount.parse("5y").count == 60
    assert Amount.parse(Amount.parse("3wd")) == Amount(3, "wd")


@pytest.mark.parametrize("unit", UNITS)
def test_no_declaration_is_given_more_than_a_hundred_years(unit):
    """The longest amount is taken, one more is told with what to write."""
    longest = LONGEST[unit]
    assert Amount.parse(f"{longest}{unit}").too_long is None
    problem = Amount.parse(f"{longest + 1}{unit}").too_long
    assert (
        problem.text("en") == f"{longest + 1}{unit} is longer than 100 years; write {longest}{unit} at most"
    )
