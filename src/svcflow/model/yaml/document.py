"""YAML documents as plain data with the place of every value.

YAML 1.2 is read as a stream of events that is bounded before anything is built: no aliases, anchors,
tags, merge keys or duplicate keys; at most 1 MiB, depth 32, 250,000 events.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path as FilePath
from typing import Any, NoReturn, TypeVar

import attrs

from svcflow.errors import DeclarationError, Path, Problem
from svcflow.model.yaml.syntax_mistakes import syntax_mistake
from svcflow.text import NO_TEXT, Text, system_words

MAX_BYTES, MAX_DEPTH = 1 << 20, 32
# What people write has four bytes and more an event, so the bytes bound it: a fully written procedure of 2,000 steps
# has 150,000 events. Only lists of nothing, such as [a,a,a], come to this bound before that of the bytes.
MAX_EVENTS = 250_000
KINDS = ("procedure", "parameters", "calendar", "scenario", "mapping")

NO_TAGS = Text(zh="不允许标签", en="tags are not allowed")
QUOTE_MARK = Text(zh="以 ! 开头的文字加引号", en="put text that begins with ! in quotes")
QUOTE_BRACKET = Text(zh="以 [ 或 { 开头的键加引号", en="put a key that begins with [ or { in quotes")
ONE_DOCUMENT = Text(zh="删去 ---，或分成两个文件", en="leave out the ---, or make two files of it")
WRITE_OUT = Text(
    zh="逐项写出；以 * 或 & 开头的文字加引号", en="write it out; put text that begins with * or & in quotes"
)
_LONG_TAG = re.compile(r"(?<!\S)!\S{1000}|(?<=[\[{,:])!\S{1000}")  # ruamel takes 12 s over 1 MiB of one

_OPENING = frozenset(("MappingStartEvent", "SequenceStartEvent"))
_CLOSING = frozenset(("MappingEndEvent", "SequenceEndEvent"))
_NODES = _OPENING | {"ScalarEvent"}

_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")

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

Node = Any
T = TypeVar("T")
_Place = tuple[int, int]


@attrs.frozen
class Document:
    """One document: plain data (mappings, lists, scalars) and the place of each value."""

    data: Mapping[str, Node]
    file: str
    places: Mapping[Path, _Place]

    @property
    def kind(self) -> str:
        """First key of the document, which names its kind."""
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
        """Return what `make` makes of the data; mistakes get their places. Raises: DeclarationError."""
        try:
            return make(self.data)
        except DeclarationError as error:
            raise DeclarationError(
                sorted(self.placed(error.problems), key=lambda p: (p.line, p.column))
            ) from None


def read_document(source: FilePath | str, kinds: Collection[str] = KINDS) -> Document:
    """Read a document from a file. Raises: DeclarationError, also when the file cannot be read."""
    path = FilePath(source)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        why = system_words(error)
        message = Text(zh=f"无法读取 {path}：{why.zh}", en=f"{path} cannot be read: {why.en}")
        raise DeclarationError([Problem((), message)]) from None
    return parse_document(content, file=str(path), kinds=kinds)


def parse_document(content: str | bytes, *, file: str = "<text>", kinds: Collection[str] = KINDS) -> Document:
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
    return _EventReader(file, kinds).read(text)


def plain_scalar(text: str) -> str | int | float | bool | None:
    """Return the value of an unquoted scalar by the core schema of YAML 1.2, in its decimal part only."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    number = float(text) if _DECIMAL.fullmatch(text) else math.inf
    return number if math.isfinite(number) else text


def _fail(file: str, place: _Place, message: Text, remedy: Text = NO_TEXT) -> NoReturn:
    raise DeclarationError([Problem((), message, remedy, file, *place)])


class _EventReader:
    """Reader of an event stream into data within the bounds."""

    def __init__(self, file: str, kinds: Collection[str]) -> None:
        self.file = file
        self.kinds = kinds
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
            opened, place = error.context_mark, error.problem_mark or error.context_mark
            mistake = syntax_mistake(
                text,
                (place.line + 1, place.column + 1) if place else (1, 1),
                error.problem or error.context or "?",
                (opened.line + 1, opened.column + 1) if opened else None,
            )
            message = Text(
                zh=f"不是合法的 YAML：{mistake.message.zh}", en=f"not valid YAML: {mistake.message.en}"
            )
            _fail(self.file, mistake.place, message, mistake.remedy)
        except YAMLError as error:
            what = str(error).splitlines()[0]
            place = _position(text, getattr(error, "position", 0))
            _fail(self.file, place, Text(zh=f"不是合法的 YAML：{what}", en=f"not valid YAML: {what}"))
        if self.problems:
            raise DeclarationError(self.problems)
        if not isinstance(data, dict) or next(iter(data), None) not in self.kinds:
            kinds = ", ".join(self.kinds)
            message = Text(zh="第一个键须说明文件类型", en="the first key must say what the document is")
            _fail(self.file, (1, 1), message, Text(zh=f"取其一：{kinds}", en=f"one of: {kinds}"))
        return Document(data, self.file, self.places)

    def _bounded(self, events: Iterable[Any]) -> Iterator[tuple[str, Any]]:
        """Yield each event with its name. Measured: a comparison here is paid 100,000 times a document."""
        depth = 0
        for count, event in enumerate(events):
            name = type(event).__name__
            if count > MAX_EVENTS:
                self._stop(event, f"超过 {MAX_EVENTS} 个节点", f"more than {MAX_EVENTS} events")
            if name in _OPENING:
                depth += 1
                if depth > MAX_DEPTH:
                    self._stop(event, f"嵌套超过 {MAX_DEPTH} 层", f"nested deeper than {MAX_DEPTH}")
            elif name in _CLOSING:
                depth -= 1
            if name == "AliasEvent" or (name in _NODES and event.anchor):
                self._stop(event, "不允许锚点和别名", "anchors and aliases are not allowed", WRITE_OUT)
            if name in _NODES and event.ctag is not None and str(event.ctag or "") not in ("", "None", "!"):
                self._stop(event, NO_TAGS.zh, NO_TAGS.en, QUOTE_MARK)
            yield name, event

    def _stop(self, event: Any, zh: str, en: str, remedy: Text = NO_TEXT) -> NoReturn:
        _fail(self.file, _mark(event), Text(zh=zh, en=en), remedy)

    def _document(self) -> Node:
        next(self.events)
        name, _ = next(self.events)
        if name != "DocumentStartEvent":
            return None
        name, event = next(self.events)
        self.places[()] = _mark(event)
        data = self._node(name, event, ())
        next(self.events)
        name, following = next(self.events)
        if name == "DocumentStartEvent":
            self._stop(following, "一个文件只写一份声明", "one document to a file", ONE_DOCUMENT)
        return data

    def _node(self, name: str, event: Any, path: Path) -> Node:
        if name == "MappingStartEvent":
            return self._mapping(path)
        if name == "SequenceStartEvent":
            return self._sequence(path)
        return _scalar(event)

    def _sequence(self, path: Path) -> list[Node]:
        items: list[Node] = []
        for name, event in self.events:
            if name == "SequenceEndEvent":
                break
            where = (*path, len(items))
            self.places[where] = _mark(event)
            items.append(self._node(name, event, where))
        return items

    def _mapping(self, path: Path) -> dict[str, Node]:
        data: dict[str, Node] = {}
        for name, event in self.events:
            if name == "MappingEndEvent":
                break
            if name != "ScalarEvent":
                self._stop(event, "键须为文字", "keys must be plain text", QUOTE_BRACKET)
            key = event.value
            if key == "<<":
                self._stop(event, "不允许合并键 <<", "merge keys << are not allowed", WRITE_OUT)
            where = (*path, key)
            if key in data:
                self.problems.append(self._twice(where, event))
            kind, value = next(self.events)
            # An empty value, a mapping and a list stand at their key; a scalar stands where it is.
            self.places.setdefault(where, _mark(value if kind == "ScalarEvent" and value.value else event))
            data[key] = self._node(kind, value, where)
        return data

    def _twice(self, where: Path, event: Any) -> Problem:
        line, _ = self.places[where]
        key = where[-1]
        return Problem(
            where,
            Text(
                zh=f"键 {key} 重复，前面第 {line} 行已有",
                en=f"the key {key!r} stands twice, first on line {line}",
            ),
            Text(zh="删去一处，或换一个名字", en="leave one of them out, or give it another name"),
            self.file,
            *_mark(event),
        )


def _position(text: str, position: int) -> _Place:
    before = text[:position]
    return before.count("\n") + 1, position - before.rfind("\n")


def _mark(event: Any) -> _Place:
    mark = event.start_mark
    return mark.line + 1, mark.column + 1


def _scalar(event: Any) -> str | int | float | bool | date | None:
    if not event.implicit[0]:
        return _PAIR.sub(_paired, str(event.value))
    return plain_scalar(str(event.value))


def _paired(pair: re.Match[str]) -> str:
    """Return the character that JSON writes as two escapes, which YAML reads one by one."""
    return pair[0].encode("utf-16", "surrogatepass").decode("utf-16")
