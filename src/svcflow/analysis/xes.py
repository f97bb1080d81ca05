"""Reader of XES event logs (IEEE 1849), plain or gzipped, streamed through expat.

Input that could exhaust the machine is refused: document types, deep nesting, huge tags, endless archives.
"""

from __future__ import annotations

import gzip
import os
import time
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, tzinfo
from io import BufferedReader
from pathlib import Path
from sys import intern
from typing import Final
from xml.parsers import expat

import attrs

from svcflow.analysis.event_log import (
    Case,
    Event,
    FlawKind,
    Report,
    Stamp,
    Value,
    local_stamp,
    typed_value,
    zoned_stamp,
)
from svcflow.errors import LogError
from svcflow.text import Text, system_words

__all__ = ["Progress", "XesLog", "read_xes"]

Progress = Callable[[int, int], None]
"""Called with the bytes of the file read so far and its size in bytes (0 when the size is unknown)."""

MAX_BYTES: Final = 2 * 1024**3
MAX_DEPTH: Final = 64
MAX_TAG: Final = 1024**2
"""Bytes one tag or comment may take, give or take one block: expat reads an unfinished tag anew with each block."""
MAX_NAMES: Final = 4096
"""Different names of elements and XML attributes: expat keeps each for as long as it reads."""

_BLOCK: Final = 64 * 1024
_FRAME_S: Final = 0.05
_GZIP_MAGIC: Final = b"\x1f\x8b"
_ENCODINGS: Final = {"utf-8", "utf8", "us-ascii", "utf-16", "iso-8859-1", "iso-8859-15", "windows-1252"}
_TYPES: Final = {"string", "date", "int", "float", "boolean", "id"}

_ID = _ACTIVITY = "concept:name"
_TIME = "time:timestamp"
_ACTOR = "org:resource"
_ROLE = "org:role"
_LIFECYCLE = "lifecycle:transition"
_ALWAYS_TEXT: Final = {_ACTIVITY, _ACTOR, _ROLE, _LIFECYCLE}

# The depth at which attributes are read: those of a trace, those of an event, none elsewhere.
_ELSEWHERE, _IN_TRACE, _IN_EVENT = 0, 3, 4

_CUT_SHORT: Final = {
    expat.errors.codes[name]
    for name in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
}
_NO_FILE: Final = Text(zh="文件不存在", en="no such file")
_GIVE_XES: Final = Text(
    zh="请提供 XES 格式的日志（.xes 或 .xes.gz）", en="give a log in the XES format (.xes or .xes.gz)"
)
_EXPORT_AGAIN: Final = Text(zh="请重新导出或下载该日志", en="export or download the log again")


def read_xes(path: Path) -> Iterator[Case]:
    """Yield the cases of a `.xes` or `.xes.gz` file one by one, stamps without a zone read as UTC.

    Use `XesLog` for another default zone, for progress, and for the report of flaws.

    Raises:
        LogError: the file cannot be read as XES; cases well before the fault have been yielded by then.
    """
    return iter(XesLog(path))


@attrs.define(eq=False)
class XesLog:
    """The cases of a XES file, to iterate over; each iteration reads the file anew and fills a new `report`."""

    path: Path = attrs.field(converter=Path)
    default_zone: tzinfo = attrs.field(default=UTC, kw_only=True)
    max_bytes: int = attrs.field(default=MAX_BYTES, kw_only=True)
    progress: Progress | None = attrs.field(default=None, kw_only=True)
    report: Report = attrs.field(factory=Report, init=False)

    def __iter__(self) -> Iterator[Case]:
        """Yield each case as soon as it has been read.

        Raises:
            LogError: the file cannot be read as XES; cases well before the fault have been yielded by then.
        """
        self.report = report = Report(str(self.path))
        parser = _XesParser(report, self.default_zone, self.max_bytes)
        with closing(_blocks(self.path, self.progress)) as blocks:
            for block in blocks:
                yield from parser.feed(block)
            yield from parser.end()


class _XesParser:
    """Parser of one file: expat calls its methods, and cases come of it."""

    # fmt: off
    __slots__ = (
        "case", "cases", "data", "depth", "events", "fed", "leaf", "max_bytes", "names", "parser", "report",
        "stamp", "stamped", "zone",
    )
    # fmt: on

    def __init__(self, report: Report, zone: tzinfo, max_bytes: int) -> None:
        self.report, self.zone, self.max_bytes = report, zone, max_bytes
        self.cases: list[Case] = []
        self.events: list[Event] = []
        self.case: dict[str, Value] = {}
        self.data: dict[str, Value] = {}
        self.stamp: Stamp | None = None
        self.stamped = False
        self.depth = self.fed = 0
        self.leaf = _ELSEWHERE
        self.names: dict[str, str] = {}
        self.parser = parser = expat.ParserCreate(intern=self.names)
        parser.ordered_attributes = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.XmlDeclHandler = self._check_encoding

    def feed(self, block: bytes) -> list[Case]:
        self.fed += len(block)
        if self.fed > self.max_bytes:
            raise self._too_large()
        self._parse(block)
        if self.fed - self.parser.CurrentByteIndex > MAX_TAG:
            raise self._error(
                Text(zh=f"一个标签超过 {MAX_TAG} 字节", en=f"a tag is longer than {MAX_TAG} bytes"),
                _EXPORT_AGAIN,
            )
        if len(self.names) > MAX_NAMES:
            raise self._error(
                Text(zh=f"元素名超过 {MAX_NAMES} 种", en=f"more than {MAX_NAMES} different element names"),
                _EXPORT_AGAIN,
            )
        return self._taken()

    def end(self) -> list[Case]:
        self._parse(b"", last=True)
        if not self.report.cases:
            raise self._error(
                Text(zh="日志中没有案例（<trace>）", en="the log holds no case (<trace>)"),
                Text(zh="请检查导出条件", en="check what the export was told to select"),
            )
        return self._taken()

    def _taken(self) -> list[Case]:
        taken, self.cases = self.cases, []
        return taken

    def _parse(self, block: bytes, *, last: bool = False) -> None:
        try:
            self.parser.Parse(block, last)
        except expat.ExpatError as fault:
            raise self._malformed(fault) from None

    # Called by expat: `_start` and `_end` for every attribute of every event, so they do little themselves.

    def _start(self, tag: str, pairs: list[str]) -> None:
        self.depth = depth = self.depth + 1
        if depth != self.leaf:
            self._open(tag, depth)
            return
        if tag == "string" and len(pairs) == 4:
            first, key, second, text = pairs
            if first == "key" and second == "value":
                if key in self.data:
                    self._note("attribute-repeated", key)
                self.data[intern(key)] = text
                return
        if tag == "event" and depth == _IN_TRACE:
            self._begin_event()
        else:
            self._attribute(tag, pairs)

    def _end(self, _tag: str) -> None:
        self.depth = depth = self.depth - 1
        if depth >= _IN_TRACE:
            return
        if depth == 2 and self.leaf == _IN_EVENT:
            self._end_event()
        elif depth == 1 and self.leaf == _IN_TRACE:
            self._end_case()

    def _refuse_doctype(self, *_declaration: object) -> None:
        raise self._error(
            Text(
                zh="日志带有文档类型声明（DTD），拒绝读取",
                en="the log declares a document type (DTD), refused",
            ),
            Text(zh="请删去 <!DOCTYPE …> 声明", en="remove the <!DOCTYPE …> declaration"),
        )

    def _check_encoding(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding and encoding.lower() not in _ENCODINGS:
            raise self._error(
                Text(zh=f"不支持编码 {encoding}", en=f"encoding {encoding} is not supported"),
                Text(
                    zh="请把文件连同其首行声明改为 UTF-8", en="convert the file, and its first line, to UTF-8"
                ),
            )

    # Elements that hold attributes.

    def _open(self, tag: str, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise self._error(
                Text(zh=f"嵌套超过 {MAX_DEPTH} 层", en=f"nested deeper than {MAX_DEPTH}"), _EXPORT_AGAIN
            )
        if depth == 1 and tag != "log":
            raise self._error(
                Text(zh=f"根元素是 <{tag}>，不是 <log>", en=f"the root is <{tag}>, not <log>"),
                _GIVE_XES,
            )
        if depth == 2 and tag == "trace":
            self.leaf, self.case, self.events = _IN_TRACE, {}, []
            self.data = self.case
        elif depth == 2 and tag == "event":
            self.report.events += 1
            self._note("event-without-case")
        elif self.leaf:
            self._note("attribute-ignored", tag)

    def _begin_event(self) -> None:
        self.leaf, self.data = _IN_EVENT, {}
        self.stamp, self.stamped = None, False

    def _end_event(self) -> None:
        self.report.events += 1
        data, self.data, self.leaf = self.data, self.case, _IN_TRACE
        if _TIME in data:
            self._read_stamp(str(data.pop(_TIME)))
        activity = str(data.pop(_ACTIVITY, ""))
        stamp = self.stamp
        if not activity:
            self._note("activity-missing")
        if not self.stamped:
            self._note("timestamp-missing")
        if activity and stamp:
            self._keep(activity, stamp, data)

    def _keep(self, activity: str, stamp: Stamp, data: dict[str, Value]) -> None:
        at_us, offset_minutes = stamp
        actor, role = intern(str(data.pop(_ACTOR, ""))), intern(str(data.pop(_ROLE, "")))
        lifecycle = intern(str(data.pop(_LIFECYCLE, "complete")).lower())
        if self.events and at_us < self.events[-1].at_us:
            self._note("time-backwards", activity)
        self.events.append(Event(intern(activity), at_us, actor, role, data, offset_minutes, lifecycle))

    def _end_case(self) -> None:
        report, self.leaf = self.report, _ELSEWHERE
        report.cases += 1
        report.kept += len(self.events)
        name = str(self.case.pop(_ID, ""))
        if not name:
            self._note("case-unnamed")
        if not self.events:
            self._note("case-empty", name)
        self.cases.append(Case(name or f"#{report.cases}", tuple(self.events), self.case))

    # Attributes other than plain strings.

    def _attribute(self, tag: str, pairs: list[str]) -> None:
        named = dict(zip(pairs[::2], pairs[1::2], strict=True))
        key, text = named.get("key"), named.get("value")
        if tag not in _TYPES or key is None or text is None:
            self._note("attribute-ignored", tag)
        elif key == _TIME and self.leaf == _IN_EVENT:
            self._read_stamp(text)
        else:
            if key in self.data:
                self._note("attribute-repeated", key)
            self.data[intern(key)] = text if key in _ALWAYS_TEXT else self._typed(tag, text)

    def _typed(self, tag: str, text: str) -> Value:
        value = typed_value(tag, text)
        if value is not None:
            return value
        self._note("value-unreadable", text)
        return text

    def _read_stamp(self, text: str) -> None:
        if self.stamped:
            self._note("attribute-repeated", _TIME)
        self.stamped = True
        self.stamp = zoned_stamp(text)
        if self.stamp is None:
            self.stamp = local_stamp(text, self.zone)
            self._note("timestamp-without-zone" if self.stamp else "timestamp-unreadable", text)

    # Places and faults.

    def _note(self, kind: FlawKind, example: str = "") -> None:
        self.report.note(kind, self._place, example)

    def _place(self) -> tuple[int, int]:
        return self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1

    def _error(self, message: Text, remedy: Text) -> LogError:
        line, column = self._place()
        return _fault(f"{self.report.file}:{line}:{column}", message, remedy)

    def _too_large(self) -> LogError:
        return self._error(
            Text(
                zh=f"解压后超过 {self.max_bytes} 字节",
                en=f"larger than {self.max_bytes} bytes when unpacked",
            ),
            Text(zh="请拆分日志，或调高 max_bytes", en="split the log, or raise max_bytes"),
        )

    def _malformed(self, fault: expat.ExpatError) -> LogError:
        place = f"{self.report.file}:{fault.lineno}:{fault.offset + 1}"
        if not self.fed:
            return _fault(place, Text(zh="文件是空的", en="the file is empty"), _EXPORT_AGAIN)
        if fault.code in _CUT_SHORT:
            return _fault(place, Text(zh="文件在此中断", en="the file breaks off here"), _EXPORT_AGAIN)
        if not self.names:  # no element has begun
            return _fault(place, Text(zh="不是 XML 文件", en="not XML"), _GIVE_XES)
        why = expat.ErrorString(fault.code)
        return _fault(place, Text(zh=f"XML 有误（{why}）", en=f"malformed XML: {why}"), _EXPORT_AGAIN)


def _blocks(path: Path, progress: Progress | None) -> Generator[bytes, None, None]:
    """Yield the file's bytes, unpacked when its first bytes say gzip, whatever its name says."""
    with _explained(path):
        file = path.open("rb")
    with file:
        with _explained(path):
            packed = file.peek(2)[:2] == _GZIP_MAGIC
        source = gzip.GzipFile(fileobj=file) if packed else file
        size = os.fstat(file.fileno()).st_size
        shown_s = -_FRAME_S
        while block := _block(source, path):
            if progress and time.monotonic() - shown_s >= _FRAME_S:
                shown_s = time.monotonic()
                progress(file.tell() if size else 0, size)
            yield block
        if progress:
            progress(size, size)


def _block(source: BufferedReader | gzip.GzipFile, path: Path) -> bytes:
    with _explained(path):
        return source.read(_BLOCK)


@contextmanager
def _explained(path: Path) -> Generator[None, None, None]:
    """Raise a LogError for what opening and reading may raise."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL in the path
        raise _fault(str(path), _NO_FILE, Text(zh="请检查路径", en="check the path")) from None
    except EOFError:
        what = Text(zh="压缩文件不完整", en="the gzip file breaks off")
        raise _fault(str(path), what, _EXPORT_AGAIN) from None
    except (gzip.BadGzipFile, zlib.error):
        what = Text(zh="压缩文件已损坏", en="the gzip file is damaged")
        raise _fault(str(path), what, _EXPORT_AGAIN) from None
    except OSError as fault:
        why = system_words(fault)
        what = Text(zh=f"无法读取文件（{why.zh}）", en=f"the file cannot be read: {why.en}")
        allowed = Text(zh="请检查路径和读取权限", en="check the path and the right to read it")
        raise _fault(str(path), what, allowed) from None


def _fault(place: str, message: Text, remedy: Text) -> LogError:
    return LogError(Text(zh=f"{place}: {message.zh}", en=f"{place}: {message.en}"), remedy)
