"""A YAML document as plain data with the place of every value. Knows limits and places, not meanings.

YAML 1.2 is read as a stream of events that is bounded before anything is built: no aliases, anchors,
tags, merge keys or duplicate keys; at most 1 MiB, depth 32, 50,000 events.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path as FilePath
from typing import Any, NoReturn, TypeVar

import attrs

from svcflow.errors import DeclarationError, Path, Problem
from svcflow.text import NO_TEXT, Text

MAX_BYTES, MAX_DEPTH, MAX_EVENTS = 1 << 20, 32, 50_000
_LONG_TAG = re.compile(r"(?<!\S)!\S{1000}|(?<=[\[{,:])!\S{1000}")  # ruamel takes 12 s over 1 MiB of one
KINDS = ("procedure", "calendar", "scenario", "mapping")

NO_TAGS = Text(zh="不允许标签", en="tags are not allowed")

Node = Any
T = TypeVar("T")
_Place = tuple[int, int]


@attrs.frozen
class Document:
    """Hold one document: plain data (mappings, lists, scalars) and where each value stands."""

    data: Mapping[str, Node]
    file: str
    places: Mapping[Path, _Place]

    @property
    def kind(self) -> str:
        """What the document says it is by its first key."""
        return next(iter(self.data))

    def written(self, path: Path) -> Path:
        """Return `path`, or the nearest path above it that the document writes out."""
        while path and path not in self.places:
            path = path[:-1]
        return path

    def place(self, path: Path) -> _Place:
        """Return line and column of `path`, or of the nearest place above it that was written."""
        return self.places.get(self.written(path), (1, 1))

    def placed(self, problems: Iterable[Problem]) -> Iterator[Problem]:
        """Yield the problems with file, line and column filled in."""
        for problem in problems:
            line, column = self.place(problem.path)
            path = self.written(problem.path)
            yield attrs.evolve(problem, path=path, file=self.file, line=line, column=column)

    def build(self, make: Callable[[Mapping[str, Node]], T]) -> T:
        """Call `make` on the data; its mistakes come back with their places. Raises: DeclarationError."""
        try:
            return make(self.data)
        except DeclarationError as error:
            raise DeclarationError(
                sorted(self.placed(error.problems), key=lambda p: (p.line, p.column))
            ) from None


def read_document(source: FilePath | str) -> Document:
    """Read a document from a file. Raises: DeclarationError, also when the file cannot be read."""
    path = FilePath(source)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        message = Text(zh=f"无法读取 {path}：{error.strerror}", en=f"{path} cannot be read: {error.strerror}")
        raise DeclarationError([Problem((), message)]) from None
    return parse_document(content, file=str(path))


def parse_document(content: str | bytes, *, file: str = "<text>") -> Document:
    """Parse YAML text. Raises: DeclarationError naming line and column."""
    raw = content.encode(errors="surrogatepass") if isinstance(content, str) else content
    if len(raw) > MAX_BYTES:
        _fail(file, (1, 1), Text(zh="文件超过 1 MiB", en="the document is larger than 1 MiB"))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        message = Text(zh="文件不是 UTF-8 编码", en="the document is not UTF-8")
        _fail(file, (line, 1), message, Text(zh="另存为 UTF-8", en="save it as UTF-8"))
    return _Reader(file).read(text)


def _fail(file: str, place: _Place, message: Text, remedy: Text = NO_TEXT) -> NoReturn:
    raise DeclarationError([Problem((), message, remedy, file, *place)])


class _Reader:
    """Turn the event stream into data, refusing what the limits forbid."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.places: dict[Path, _Place] = {}
        self.problems: list[Problem] = []

    def read(self, text: str) -> Document:
        from ruamel.yaml import YAML  # noqa: PLC0415  # 30 ms, and only documents need it
        from ruamel.yaml.error import MarkedYAMLError, YAMLError  # noqa: PLC0415

        if tag := _LONG_TAG.search(text):
            _fail(self.file, _position(text, tag.start()), NO_TAGS)
        try:
            self.events = self._bounded(YAML(typ="safe", pure=True).parse(text))
            data = self._document()
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            what = error.problem or error.context or "?"
            _fail(self.file, place, Text(zh=f"不是合法的 YAML：{what}", en=f"not valid YAML: {what}"))
        except YAMLError as error:
            what = str(error).splitlines()[0]
            place = _position(text, getattr(error, "position", 0))
            _fail(self.file, place, Text(zh=f"不是合法的 YAML：{what}", en=f"not valid YAML: {what}"))
        if self.problems:
            raise DeclarationError(self.problems)
        if not isinstance(data, dict) or next(iter(data), None) not in KINDS:
            kinds = ", ".join(KINDS)
            message = Text(zh="第一个键须说明文件类型", en="the first key must say what the document is")
            _fail(self.file, (1, 1), message, Text(zh=f"取其一：{kinds}", en=f"one of: {kinds}"))
        return Document(data, self.file, self.places)

    def _bounded(self, events: Iterable[Any]) -> Iterator[Any]:
        depth = 0
        for count, event in enumerate(events):
            name = type(event).__name__
            depth += name.endswith("StartEvent") - name.endswith("EndEvent")
            if count > MAX_EVENTS:
                self._stop(event, f"超过 {MAX_EVENTS} 个节点", f"more than {MAX_EVENTS} events")
            if depth > MAX_DEPTH + 2:
                self._stop(event, f"嵌套超过 {MAX_DEPTH} 层", f"nested deeper than {MAX_DEPTH}")
            if name == "AliasEvent" or getattr(event, "anchor", None):
                self._stop(event, "不允许锚点和别名", "anchors and aliases are not allowed; write it out")
            if getattr(event, "ctag", None) is not None and str(event.ctag or "") not in ("", "None", "!"):
                _fail(self.file, _mark(event), NO_TAGS)
            yield event

    def _stop(self, event: Any, zh: str, en: str) -> NoReturn:
        _fail(self.file, _mark(event), Text(zh=zh, en=en))

    def _document(self) -> Node:
        next(self.events)
        start = next(self.events)
        if type(start).__name__ != "DocumentStartEvent":
            return None
        data = self._node(next(self.events), ())
        next(self.events)
        following = next(self.events)
        if type(following).__name__ == "DocumentStartEvent":
            self._stop(following, "一个文件只写一份声明", "one document to a file")
        return data

    def _node(self, event: Any, path: Path) -> Node:
        self.places.setdefault(path, _mark(event))
        name = type(event).__name__
        if name == "MappingStartEvent":
            return self._mapping(path)
        if name == "SequenceStartEvent":
            return self._sequence(path)
        return _scalar(event)

    def _sequence(self, path: Path) -> list[Node]:
        items: list[Node] = []
        while type(event := next(self.events)).__name__ != "SequenceEndEvent":
            items.append(self._node(event, (*path, len(items))))
        return items

    def _mapping(self, path: Path) -> dict[str, Node]:
        data: dict[str, Node] = {}
        while type(event := next(self.events)).__name__ != "MappingEndEvent":
            if type(event).__name__ != "ScalarEvent":
                self._stop(event, "键须为文字", "keys must be plain text")
            key = event.value
            if key == "<<":
                self._stop(event, "不允许合并键 <<", "merge keys << are not allowed; write it out")
            where = (*path, key)
            value_event = next(self.events)
            if type(value_event).__name__ != "ScalarEvent" or not value_event.value:
                self.places.setdefault(where, _mark(event))
            value = self._node(value_event, where)
            if key in data:
                message = Text(zh=f"键 {key} 重复", en=f"the key {key!r} stands twice")
                self.problems.append(Problem(where, message, NO_TEXT, self.file, *_mark(event)))
            data[key] = value
        return data


def _position(text: str, position: int) -> _Place:
    before = text[:position]
    return before.count("\n") + 1, position - before.rfind("\n")


def _mark(event: Any) -> _Place:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _scalar(event: Any) -> str | int | float | bool | date | None:
    if not event.implicit[0]:
        return str(event.value)
    return plain_scalar(str(event.value))


_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_CONSTANTS: Mapping[str, bool | None] = {
    "": None,
    "~": None,
    "null": None,
    "true": True,
    "True": True,
    "false": False,
    "False": False,
}


def plain_scalar(text: str) -> str | int | float | bool | None:
    """Resolve an unquoted scalar by the core schema of YAML 1.2, in its decimal part only."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    number = float(text) if _DECIMAL.fullmatch(text) else math.inf
    return number if math.isfinite(number) else text
