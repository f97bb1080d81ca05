"""The values a foreign log is read into, and how instants and typed values are read from text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcflow.analysis.event_log import (
    WORDINGS,
    Case,
    Event,
    Flaw,
    Report,
    local_stamp,
    typed_value,
    zoned_stamp,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
OFFSETS = st.integers(-14 * 60, 14 * 60)
READINGS = st.datetimes(datetime(1900, 1, 1), datetime(2199, 12, 31))  # noqa: DTZ001 - the zone is drawn apart


@given(READINGS, OFFSETS)
def test_an_instant_with_an_offset_is_read_as_python_reads_it(reading, minutes):
    """Whatever the date and offset, microseconds of UTC and the writer's clock are both exact."""
    at = reading.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    stamp = zoned_stamp(at.isoformat())
    assert stamp == ((at - EPOCH) // MICROSECOND, minutes)
    event = Event("a", stamp[0], offset_minutes=minutes)
    assert event.at == at
    assert event.at.isoformat() == at.isoformat()


@given(READINGS, st.sampled_from(["Asia/Shanghai", "Europe/Amsterdam", "America/St_Johns"]))
def test_an_instant_without_a_zone_is_local_time_of_the_given_zone(reading, name):
    """The default zone's own offset of that day applies, summer time included."""
    at = reading.replace(tzinfo=ZoneInfo(name))
    assert zoned_stamp(reading.isoformat()) is None
    at_us, minutes = local_stamp(reading.isoformat(), ZoneInfo(name))
    assert at_us == (at.replace(tzinfo=None) - at.utcoffset() - EPOCH.replace(tzinfo=None)) // MICROSECOND
    assert minutes == at.utcoffset() // timedelta(minutes=1)


@pytest.mark.parametrize(
    ("text", "at_us", "minutes"),
    [
        ("1970-01-01T00:00:00Z", 0, 0),
        ("1970-01-01T00:00:00z", 0, 0),
        ("1970-01-01 00:00:01+00:00", 1_000_000, 0),
        ("1970-01-01T08:00:00.1+08:00", 100_000, 480),
        ("1970-01-01T08:00:00.123456789+0800", 123_456, 480),
        ("1970-01-01T08:00:00,25+08", 250_000, 480),
        ("1969-12-31T18:30:00.000-05:30", 0, -330),
        ("1969-12-31T24:00:00Z", 0, 0),
        ("1969-12-31T23:59:59.999999Z", -1, 0),
    ],
)
def test_the_forms_of_iso_8601_that_logs_use_are_read(text, at_us, minutes):
    """Z, offsets with and without a colon, nought to nine digits of fraction, midnight as 24:00."""
    assert zoned_stamp(text) == (at_us, minutes)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2017-01-09",
        "2017-02-29T00:00:00Z",
        "2017-13-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",
        "1899-12-31T23:59:59Z",
        "2017-01-09T24:00:01Z",
        "2017-01-09T25:00:00Z",
        "2017-01-09T09:60:00Z",
        "2017-01-09T09:49:60Z",
        "2017-01-09T09:49Z",
        "2017-01-09x09:49:50Z",
        "2017-01-09T09:49:50.Z",
        "2017-01-09T09:49:50.1234567890Z",
        "2017-01-09T09:49:50+14:01",
        "2017-01-09T09:49:50+01:60",
        "2017-01-09T09:49:50Z ",
        "２０１７-01-09T09:49:50Z",
        "2017-01-09T09:49:5٣Z",
    ],
)
def test_what_is_no_instant_is_read_as_none(text):
    """No guess is made of a date that does not exist or is out of the bounds, of other scripts' digits or of a time left out."""
    assert zoned_stamp(text) is None
    assert local_stamp(text, UTC) is None
    assert local_stamp(text.removesuffix("Z") + "Z", UTC) is None


def test_an_instant_with_a_zone_is_never_taken_as_local():
    """A default zone does not override what the log says."""
    assert local_stamp("2017-01-09T09:49:50+01:00", ZoneInfo("Asia/Shanghai")) is None


def test_an_hour_that_happens_twice_is_its_first_passing():
    """On 29 October 2017 02:30 happened in Amsterdam at +02:00 and again at +01:00."""
    assert local_stamp("2017-10-29T02:30:00", ZoneInfo("Europe/Amsterdam"))[1] == 120


@given(st.text(max_size=40))
def test_any_text_is_an_instant_or_none(text):
    """Reading an instant never raises."""
    assert zoned_stamp(text) is None or local_stamp(text, UTC) is None


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("int", "42", 42),
        ("int", " -7 ", -7),
        ("int", "1_000", None),
        ("int", "4.0", None),
        ("int", "9" * 5000, None),
        ("float", "26.85", 26.85),
        ("float", ".5e1", 5.0),
        ("float", "1,5", None),
        ("float", "NaN", None),
        ("float", "1e999", None),
        ("boolean", "True", True),
        ("boolean", "0", False),
        ("boolean", "yes", None),
        ("id", "a1", "a1"),
        ("date", "2017-01-09", "2017-01-09"),
    ],
)
def test_typed_values_are_read_strictly(kind, text, value):
    """What does not fit its type is None, so that the caller can report it instead of guessing."""
    assert typed_value(kind, text) == value
    assert type(typed_value(kind, text)) is type(value)


@given(st.sampled_from(["int", "float", "boolean"]), st.text("0123456789+-.eE_ xtrufalsn", max_size=30))
def test_any_text_is_a_value_or_none(kind, text):
    """Reading a value never raises, and a float is finite."""
    value = typed_value(kind, text)
    assert value is None or abs(value) < float("inf")


def test_events_and_cases_are_values():
    """Equal content is equal and hashes alike, and nothing can be set afterwards."""
    one, other = (Case("c", (Event("a", 1, data={"x": 1}),)) for _ in range(2))
    assert one == other
    assert hash(one) == hash(other)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        one.id = "d"


def test_a_report_counts_by_kind_and_keeps_the_first_place():
    """The place is asked once per kind; the most frequent kind comes first."""
    report = Report("x.xes")
    places = iter([(3, 1), (9, 2)])
    for kind in ("case-empty", "timestamp-missing", "timestamp-missing"):
        report.note(kind, lambda: next(places), "e")
    assert report.flaws == (
        Flaw("timestamp-missing", 2, 9, 2, "e", "x.xes"),
        Flaw("case-empty", 1, 3, 1, "e", "x.xes"),
    )
    assert (report.count("timestamp-missing"), report.count("case-unnamed")) == (2, 0)


def test_a_long_example_is_shortened():
    """A flaw shows enough of the text to find it, not all of it."""
    report = Report()
    report.note("value-unreadable", lambda: (1, 1), "x" * 1000)
    assert report.flaws[0].example == "x" * 59 + "…"


@pytest.mark.parametrize("kind", WORDINGS)
def test_every_kind_of_flaw_speaks_both_languages(kind):
    """A flaw names its place, its count and what it means, in Chinese and in English."""
    flaw = Flaw(kind, 3, 12, 5, "2017", "a.xes")
    assert WORDINGS[kind].zh
    assert flaw.text() == f"a.xes:12:5: 3 × {WORDINGS[kind].en} ('2017')"
    assert flaw.text("zh").startswith(f"a.xes:12:5: 3 × {WORDINGS[kind].zh}")
