"""Reading XES: what is kept, what is reported, what is refused."""

from __future__ import annotations

import gzip
import tempfile
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svcflow.analysis import xes
from svcflow.analysis.event_log import Case, Event
from svcflow.analysis.xes import XesLog, read_xes
from svcflow.errors import LogError

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1.0" xmlns="http://www.xes-standard.org">
<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
<global scope="event"><string key="concept:name" value="name"/></global>
<classifier name="Activity" keys="concept:name"/>
<string key="creator" value="test"/>
"""
STAMP = '<date key="time:timestamp" value="2017-01-09T09:49:50.000+01:00"/>'
AT_US = 1_483_951_790_000_000
NAME = '<string key="concept:name" value="报修"/>'
COUNT = '<int key="n" value="1"/>'
EVENT = f"<event>{NAME}{STAMP}</event>"
FULL = f"""{HEAD}<trace>
<string key="concept:name" value="c1"/><int key="floor" value="3"/>
<event>{NAME}{STAMP}
<string key="org:resource" value="r7"/><string key="org:role" value="dispatcher"/>
<string key="lifecycle:transition" value="COMPLETE"/>
<string key="note" value="a &lt; b"/><int key="n" value="-2"/><float key="cost" value="26.85"/>
<boolean key="urgent" value="true"/><id key="uid" value="u-1"/><date key="due" value="2017-02-01T00:00:00Z"/>
</event>
<event>{NAME}<date key="time:timestamp" value="2017-01-09T08:49:51Z"/>
<string key="lifecycle:transition" value="start"/></event>
</trace>
<trace><string key="concept:name" value="c2"/>{EVENT}</trace>
</log>
"""


@pytest.fixture
def write(tmp_path):
    def write(content, name="a.xes"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def traced(events, head=HEAD):
    return f'{head}<trace><string key="concept:name" value="c1"/>{events}</trace></log>'


def refused(path, **options):
    with pytest.raises(LogError) as caught:
        list(XesLog(path, **options))
    fault = caught.value
    assert fault.message.zh
    assert fault.remedy.zh
    assert fault.remedy.en
    assert fault.__cause__ is None
    return fault.message.en.removeprefix(str(path))


def test_cases_are_read_with_everything_they_say(write):
    """Standard attributes become fields, all others stay as typed data, zones are kept."""
    log = XesLog(write(FULL))
    data = {
        "note": "a < b", "n": -2, "cost": 26.85, "urgent": True, "uid": "u-1", "due": "2017-02-01T00:00:00Z",
    }  # fmt: skip
    submitted = Event("报修", AT_US, "r7", "dispatcher", data, 60)
    started = Event("报修", AT_US + 1_000_000, lifecycle="start")
    assert list(log) == [
        Case("c1", (submitted, started), {"floor": 3}),
        Case("c2", (Event("报修", AT_US, offset_minutes=60),)),
    ]
    assert (log.report.cases, log.report.events, log.report.kept, log.report.flaws) == (2, 3, 3, ())
    assert submitted.at.isoformat() == "2017-01-09T09:49:50+01:00"


@pytest.mark.parametrize("name", ["a.xes.gz", "a.xes", "a"])
def test_gzip_is_known_by_its_first_bytes(write, name):
    """The file's name does not matter; several gzip members are one log."""
    packed = gzip.compress(FULL[:500].encode(), mtime=0) + gzip.compress(FULL[500:].encode(), mtime=0)
    assert len(FULL.encode()) == len(gzip.decompress(packed))
    assert list(read_xes(write(packed, name))) == list(read_xes(write(FULL, "plain.xes")))


def test_a_plain_file_named_gz_is_read(write):
    """A browser may have unpacked a download without renaming it."""
    assert len(list(read_xes(write(FULL, "a.xes.gz")))) == 2


def test_cases_come_while_the_file_is_still_being_read(write):
    """The first case of a long log is there before its broken end is reached."""
    cases = read_xes(write(HEAD + f"<trace>{EVENT}</trace>" * 5000 + "<oops"))
    assert next(cases).id == "#1"
    with pytest.raises(LogError):
        list(cases)


def test_a_log_can_be_read_twice(write):
    """Each iteration starts with a fresh report."""
    log = XesLog(write(FULL))
    assert list(log) == list(log)
    assert log.report.cases == 2


def test_attributes_in_another_order_and_with_extras_are_read(write):
    """XML gives attribute order no meaning."""
    event = (
        f'<event><string value="a" key="concept:name"/><string key="x" value="1" unit="m"/>{STAMP}</event>'
    )
    (case,) = read_xes(write(traced(event)))
    assert case.events == (Event("a", AT_US, data={"x": "1"}, offset_minutes=60),)


def test_standard_attributes_of_another_type_are_text(write):
    """An activity numbered by an int is the activity of that name; a stamp written as a string is a stamp."""
    event = '<event><int key="concept:name" value="007"/>' + STAMP.replace("date", "string") + "</event>"
    (case,) = read_xes(write(traced(event)))
    assert case.events == (Event("007", AT_US, offset_minutes=60),)


def test_utf_16_is_read(write):
    """The encodings every XML reader must know are known."""
    text = FULL.replace("UTF-8", "UTF-16")
    assert list(read_xes(write(text.encode("utf-16")))) == list(read_xes(write(FULL, "b.xes")))


def test_nested_attributes_are_counted_and_not_mistaken_for_the_events_own(write):
    """A meta-attribute of the same key does not overwrite the attribute of the event."""
    nested = (
        '<string key="x" value="own"><string key="x" value="meta"/></string>'
        '<list key="l"><values><int key="i" value="1"/></values></list>'
        '<container key="c"><event/><trace/></container>'
    )
    log = XesLog(write(traced(f"<event>{NAME}{nested}{STAMP}</event>{EVENT}")))
    ((first, second),) = (case.events for case in log)
    assert first.data == {"x": "own"}
    assert second.data == {}
    assert log.report.count("attribute-ignored") == 7


def test_a_timestamp_without_a_zone_is_read_in_the_default_zone_and_reported(write):
    """It is dirty, not lost: the caller sees how many there were and where the first is."""
    path = write(traced(f"\n<event>{NAME}{STAMP.replace('+01:00', '')}</event>"))
    for zone, hour in ((ZoneInfo("UTC"), 0), (ZoneInfo("Asia/Shanghai"), 8)):
        log = XesLog(path, default_zone=zone)
        ((event,),) = (case.events for case in log)
        assert (event.at_us, event.offset_minutes) == (AT_US + (1 - hour) * 3_600_000_000, hour * 60)
        (flaw,) = log.report.flaws
        assert (flaw.kind, flaw.count) == ("timestamp-without-zone", 1)
        assert (flaw.line, flaw.column) == (8, len(f"<event>{NAME}") + 1)
        assert flaw.example == "2017-01-09T09:49:50.000"


@pytest.mark.parametrize(
    ("event", "kind", "kept"),
    [
        (f"<event>{NAME}</event>", "timestamp-missing", 0),
        (f"<event>{NAME}{STAMP.replace('2017', 'MMXVII')}</event>", "timestamp-unreadable", 0),
        (f"<event>{STAMP}</event>", "activity-missing", 0),
        (f"<event>{NAME.replace('报修', '')}{STAMP}</event>", "activity-missing", 0),
        (f"<event>{NAME}{STAMP}{STAMP}</event>", "attribute-repeated", 1),
        (f"<event>{NAME}{NAME}{STAMP}</event>", "attribute-repeated", 1),
        (f"<event>{NAME}{STAMP}{COUNT}{COUNT}</event>", "attribute-repeated", 1),
        (f'<event>{NAME}{STAMP}<int key="n" value="1,5"/></event>', "value-unreadable", 1),
        (f'<event>{NAME}{STAMP}<string key="n"/></event>', "attribute-ignored", 1),
        (EVENT.replace("2017", "2016"), "time-backwards", 1),
    ],
)
def test_a_dirty_event_is_reported(write, event, kind, kept):
    """Each kind is counted with its place; an event that cannot be used is kept out, the others stay."""
    log = XesLog(write(traced(f"{EVENT}\n{event}{event}")))
    (case,) = log
    assert len(case.events) == 1 + 2 * kept
    assert (log.report.events, log.report.kept) == (3, 1 + 2 * kept)
    flaw = log.report.flaws[0]
    assert (flaw.kind, flaw.line) == (kind, 8)
    assert flaw.count == (1 if kind == "time-backwards" else 2)


def test_events_outside_of_cases_and_odd_cases_are_reported(write):
    """Nothing is dropped without a count."""
    log = XesLog(write(f"{HEAD}{EVENT}<trace>{EVENT}</trace><trace/></log>"))
    assert [(case.id, len(case.events)) for case in log] == [("#1", 1), ("#2", 0)]
    kinds = {flaw.kind: flaw.count for flaw in log.report.flaws}
    assert kinds == {"case-unnamed": 2, "case-empty": 1, "event-without-case": 1}
    assert (log.report.events, log.report.kept) == (2, 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", ":1:1: the file is empty"),
        (b"case,activity\n1,a\n", ":1:1: not XML"),
        (b"PK\x03\x04\x00\x00", ":1:3: not XML"),
        ("<html><body/></html>", ":1:1: the root is <html>, not <log>"),
        (HEAD + "</log>", ":7:7: the log holds no case (<trace>)"),
        (FULL[:-4], ":19:1: the file breaks off here"),
        (HEAD + "<trace><event", ":7:8: the file breaks off here"),
        (HEAD + "<trace></event>", ":7:10: malformed XML: mismatched tag"),
        (HEAD + "&nbsp;", ":7:1: malformed XML: undefined entity"),
        ('<!DOCTYPE log [<!ENTITY a "b">]><log/>', ":1:15: the log declares a document type (DTD), refused"),
        ('<?xml version="1.0" encoding="GB18030"?><log/>', ":1:1: encoding GB18030 is not supported"),
        ("<log>" + "<a>" * 100, ":1:195: nested deeper than 64"),
        (traced("<event>" + "<list>" * 100), ":7:420: nested deeper than 64"),
        (gzip.compress(FULL.encode(), mtime=0)[:-12], ": the gzip file breaks off"),
        (gzip.compress(FULL.encode(), mtime=0)[:40] + b"\xff" * 40, ": the gzip file is damaged"),
        (gzip.compress(FULL.encode(), mtime=0) + b"more", ": the gzip file is damaged"),
        (b"\x1f\x8b", ": the gzip file breaks off"),
    ],
)
def test_a_file_that_is_not_a_log_is_refused_with_its_place(write, content, message):
    """The message says what is wrong and where, in both languages, with a remedy."""
    assert refused(write(content)).startswith(message)


def test_a_missing_file_is_refused(tmp_path):
    """A wrong path is named as such, as is a folder or a path no file can have."""
    assert refused(tmp_path / "none.xes") == ": no such file"
    assert refused(tmp_path / "nul\0.xes") == ": no such file"
    assert refused(tmp_path).startswith(": the file cannot be read: ")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that opens and cannot be read")
def test_a_file_that_opens_and_cannot_be_read_is_refused():
    """A fault of the disk is told as a fault of reading, not as a traceback."""
    assert refused(Path("/proc/self/mem")).startswith(": the file cannot be read: ")


def test_a_log_larger_than_allowed_is_refused(write):
    """A small archive that unpacks without end stops at the limit; a log of just that size is read."""
    size = len(FULL.encode())
    packed = write(gzip.compress(FULL.encode(), mtime=0))
    assert len(list(XesLog(packed, max_bytes=size))) == 2
    assert refused(packed, max_bytes=size - 1) == f":1:1: larger than {size - 1} bytes when unpacked"


@pytest.mark.parametrize(
    "piece", ['<string key="x" value="{}"/>', "<!--{}-->", "<event {}='1'/>", "<?p {}?>"]
)
def test_a_huge_tag_is_refused_early(write, piece):
    """One endless tag neither fills the memory nor is read again and again."""
    path = write(gzip.compress(traced(piece.format("x" * 40_000_000)).encode(), 1))
    began = time.process_time()
    assert "a tag is longer than 1048576 bytes" in refused(path)
    assert time.process_time() - began < 5


def test_a_long_value_is_read(write):
    """A text attribute may be long as long as it stays below the limit of a tag."""
    text = "x" * 900_000
    (case,) = read_xes(write(traced(f'<string key="x" value="{text}"/>{EVENT}')))
    assert case.data == {"x": text}


def test_endless_different_names_are_refused(write):
    """expat keeps every name it has seen, so their number is bounded."""
    assert "different element names" in refused(write(traced("".join(f"<n{n}/>" for n in range(5000)))))


def test_progress_is_told_in_bytes_of_the_file(write):
    """It starts small, never falls, ends at the size of the packed file, and is not called for each block."""
    path = write(gzip.compress((HEAD + f"<trace>{EVENT}</trace>" * 30_000 + "</log>").encode()))
    calls = []
    began = time.monotonic()
    assert len(list(XesLog(path, progress=lambda done, total: calls.append((done, total))))) == 30_000
    size = path.stat().st_size
    assert calls == sorted(calls)
    assert calls[-1] == (size, size)
    assert 2 <= len(calls) <= 2 + (time.monotonic() - began) * 20


def outcome(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.xes")
        path.write_bytes(content)
        log = XesLog(path)
        try:
            cases = list(log)
        except LogError:
            return None
        assert log.report.cases == len(cases) > 0
        assert log.report.kept == sum(len(case.events) for case in cases) <= log.report.events
        assert all(event.activity and event.at for case in cases for event in case.events)
        return cases


@given(st.binary(max_size=300), st.sampled_from([b"", b"\x1f\x8b", b"\x1f\x8b\x08\x00", b"<log>", b"<?xml "]))
@settings(deadline=None)
def test_random_bytes_give_a_log_error(content, start):
    """Whatever the bytes, the only fault is a LogError."""
    assert outcome(start + content) is None


@given(st.data(), st.booleans())
@settings(max_examples=400, deadline=None)
def test_a_mutated_log_is_read_or_refused(data, packed):
    """Bytes changed, lost, doubled or put in at any place give a log error or well-formed cases."""
    content = gzip.compress(FULL.encode(), mtime=0) if packed else FULL.encode()
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        stop = data.draw(st.integers(start, min(len(content), start + 40)))
        piece = data.draw(
            st.one_of(st.binary(max_size=8), st.sampled_from([b"<event>", b"<!DOCTYPE a>", b'"/>']))
        )
        content = content[:start] + piece + content[stop:]
    outcome(content)


@given(st.integers(0, len(FULL.encode()) - len("\n</log>\n") + 6), st.booleans())
@settings(deadline=None)
def test_a_truncated_log_is_refused(length, packed):
    """A log that breaks off anywhere before its end is never taken for a whole one."""
    content = FULL.encode()[:length]
    assert outcome(gzip.compress(content, mtime=0) if packed else content) is None


@given(st.integers(1, 200))
@settings(deadline=None, max_examples=30)
def test_the_size_of_the_blocks_does_not_matter(size):
    """A tag, a character or a line broken between two blocks is read as if it were whole."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.xes")
        path.write_text(FULL, encoding="utf-8")
        whole = list(read_xes(path))
        patch.setattr(xes, "_BLOCK", size)
        assert list(read_xes(path)) == whole
