"""Syntax mistakes of YAML, at the place and in the words of the writer, not of the parser."""

from __future__ import annotations

import re
from collections.abc import Callable

import attrs

from svcflow.model.fullwidth import halved, named
from svcflow.text import NO_TEXT, Text

__all__ = ["SyntaxMistake", "syntax_mistake"]

_Place = tuple[int, int]
_WIDEST = 2_000
"""Nobody reads further, and the patterns take time."""
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'")
_COMMENT = re.compile(r"(?:^|\s)#.*")
_KEY = r"[A-Za-z_][\w-]*"
_WIDE = tuple(
    re.compile(pattern)
    for pattern in (
        rf"^\s*(?:- +)?{_KEY}\s*(?P<wide>：)",
        rf"[{{,｛，]\s*{_KEY}\s*(?P<wide>：)",
        rf"(?P<wide>，)\s*{_KEY}\s*[:：]",
        r"[:：,，\[]\s*(?P<wide>[｛［【])",
        r"(?P<wide>[｝］】])[\s,，}\]]*$",
        r"(?P<wide>[｝］】])\s*[,，]",
        r"^[ ]*(?P<wide>[\u3000\u00a0\u200b])",
        r"[:：,]\s*(?P<wide>[\u3000\u00a0])",
        r"^\s*(?P<wide>[－—–])\s*\S",
        r"^\s*(?P<wide>＃)",
        r":\s+(?P<wide>[“”])",
    )
)
"""Where a full-width character stands for one of YAML's own; in the middle of a name it is a name's."""


@attrs.frozen
class SyntaxMistake:
    """Place of a mistake, what is wrong there and what to write."""

    place: _Place
    message: Text
    remedy: Text = NO_TEXT


def syntax_mistake(text: str, place: _Place, problem: str, opened: _Place | None) -> SyntaxMistake:
    """Return what was probably meant where the parser gave up; `opened` is where it began what it could not end."""
    lines = [line[:_WIDEST] for line in re.split(r"\r\n|[\r\n\x85\u2028\u2029]", text)]
    return (
        _fullwidth(lines, place)
        or _known(lines, place, problem, opened)
        or SyntaxMistake(place, Text(zh=problem, en=problem))
    )


def _fullwidth(lines: list[str], place: _Place) -> SyntaxMistake | None:
    """Return the mistake of a full-width character that stands for one of YAML's, from the place upwards."""
    for number in range(min(place[0], len(lines)), max(place[0] - 50, 0), -1):
        line = _bare(lines[number - 1])
        columns = [match.start("wide") for pattern in _WIDE if (match := pattern.search(line))]
        if columns:
            wide = line[min(columns)]
            narrow = halved(wide)
            blank = narrow in (":", ",", "-")
            return SyntaxMistake(
                (number, min(columns) + 1),
                Text(zh=f"此处是{named(wide).zh}", en=f"here stands {named(wide).en}"),
                Text(
                    zh=f"写{_shown(narrow).zh}{' 加空格' if blank else ''}",
                    en=f"write {_shown(narrow).en}{' and a space' if blank else ''}",
                ),
            )
    return None


def _line(lines: list[str], number: int) -> str:
    return lines[number - 1] if 0 < number <= len(lines) else ""


def _shown(narrow: str) -> Text:
    return (
        Text(zh=f"半角的 {narrow}", en=narrow) if narrow.strip() else Text(zh="普通空格", en="a plain space")
    )


def _bare(line: str) -> str:
    """Return the line with quoted text and comments blanked out, columns kept."""
    line = _QUOTED.sub(lambda match: "_" * len(match[0]), line)
    return _COMMENT.sub("", line)


def _known(lines: list[str], place: _Place, problem: str, opened: _Place | None) -> SyntaxMistake | None:
    for start, make in _MISTAKES:
        if problem.startswith(start):
            return make(lines, place, problem, opened)
    return None


_Maker = Callable[[list[str], _Place, str, _Place | None], SyntaxMistake | None]


def _tab_or_sign(lines: list[str], place: _Place, _problem: str, _opened: _Place | None) -> SyntaxMistake:
    line = _line(lines, place[0])
    tab = line.find("\t")
    if tab >= 0 and (place[1] == tab + 1 or not line[:tab].strip()):
        return SyntaxMistake(
            (place[0], tab + 1),
            Text(zh="此处是制表符（Tab）", en="here stands a tab"),
            Text(zh="缩进与间隔只用空格", en="indent and separate with spaces only"),
        )
    return _sign(lines, place, _problem, _opened)


def _sign(lines: list[str], place: _Place, _problem: str, _opened: _Place | None) -> SyntaxMistake:
    line = _line(lines, place[0])
    begin = max(line.rfind(" ", 0, place[1] - 1) + 1, 0)
    while begin and line[begin : begin + 1].strip("=") == "":
        begin = max(line.rfind(" ", 0, begin - 1) + 1, 0)
    sign = line[begin : begin + 1] or "?"
    return SyntaxMistake(
        (place[0], begin + 1),
        Text(zh=f"不加引号的文字不能以 {sign} 开头", en=f"text without quotes cannot begin with {sign}"),
        Text(zh="给整个值加引号", en="put the whole value in quotes"),
    )


def _not_a_pair(lines: list[str], place: _Place, _problem: str, _opened: _Place | None) -> SyntaxMistake:
    # The parser gives up on the next line; the one meant is the last before it that says something.
    number = min(place[0], len(lines) + 1) - 1
    while number > 1 and not _bare(lines[number - 1]).strip():
        number -= 1
    line = _line(lines, number)
    run_on = re.match(rf"\s*(?:- +)?({_KEY}):(\S.*)", line)
    if run_on:
        return SyntaxMistake(
            (number, run_on.start(2)),
            Text(zh="冒号后没有空格", en="there is no space after the colon"),
            Text(zh=f"写 {run_on[1]}: {run_on[2]}", en=f"write {run_on[1]}: {run_on[2]}"),
        )
    return SyntaxMistake(
        (number, len(line) - len(line.lstrip()) + 1),
        Text(
            zh="这一行既不是“键: 值”，也不是列表的一项",
            en="this line is neither 'key: value' nor an item of a list",
        ),
        Text(zh="写成 键: 值，或 - 项", en="write key: value, or - item"),
    )


def _second_colon(lines: list[str], place: _Place, _problem: str, _opened: _Place | None) -> SyntaxMistake:
    before = _bare(_line(lines, place[0]))[: place[1] - 1]
    if re.search(r":\s", before):
        return SyntaxMistake(
            place,
            Text(zh="值里又有冒号加空格", en="a value has a colon and a space in it"),
            Text(zh="给整个值加引号", en="put the whole value in quotes"),
        )
    return _indentation(lines, (place[0], len(before) - len(before.lstrip()) + 1), _problem, _opened)


def _indentation(_lines: list[str], place: _Place, _problem: str, _opened: _Place | None) -> SyntaxMistake:
    return SyntaxMistake(
        place,
        Text(zh="这一行的缩进与上文对不齐", en="the indentation of this line fits no line above it"),
        Text(zh="同一层的键左边对齐", en="align the keys of one level"),
    )


def _block(lines: list[str], place: _Place, problem: str, opened: _Place | None) -> SyntaxMistake | None:
    token = problem.partition("but found ")[2]
    if token in ("'}'", "']'"):
        return SyntaxMistake(
            place,
            Text(zh=f"多出一个 {token[1]}", en=f"a {token[1]} closes nothing"),
            Text(zh="删去，或补上左括号", en="leave it out, or open it"),
        )
    before = _line(lines, place[0])[: place[1] - 1].rstrip()
    if before.endswith(('"', "'", "}", "]")):
        return _after_the_end(place, before[-1])
    if token in ("'<block mapping start>'", "'<scalar>'", "'?'", "'-'", "'<block sequence start>'"):
        return _indentation(lines, place, problem, opened)
    return None


def _after_the_end(place: _Place, sign: str) -> SyntaxMistake:
    return SyntaxMistake(
        place,
        Text(zh=f"{sign} 之后还有文字", en=f"text goes on after the {sign}"),
        Text(
            zh="给整个值加引号，里外用不同的引号，如 '\"a\" == k'",
            en="put the whole value in quotes of the other kind, such as '\"a\" == k'",
        ),
    )


def _flow(lines: list[str], place: _Place, problem: str, opened: _Place | None) -> SyntaxMistake | None:
    match = re.match(r"expected ',' or '(.)', but got (.+)", problem)
    if match is None or opened is None:
        return None
    close, token = match[1], match[2]
    start = "{" if close == "}" else "["
    if place[0] == opened[0] and token in ("'['", "'{'"):
        return SyntaxMistake(
            place,
            Text(zh=f"不加引号的值里有 {token[1]}", en=f"a value without quotes has a {token[1]} in it"),
            Text(zh="给整个值加引号", en="put the whole value in quotes"),
        )
    line = _QUOTED.sub(lambda quoted: "_" * len(quoted[0]), _line(lines, opened[0]))
    comment = line.find(" #", opened[1])
    if comment >= 0:
        return SyntaxMistake(
            (opened[0], comment + 2),
            Text(zh="空格加 # 以后的内容成了注释", en="what follows a space and a # is a comment"),
            Text(zh="给整个值加引号", en="put the whole value in quotes"),
        )
    before = _line(lines, place[0])[: place[1] - 1].rstrip()
    if place[0] == opened[0] and before.endswith(('"', "'")):
        return _after_the_end(place, before[-1])
    return SyntaxMistake(
        place,
        Text(
            zh=f"第 {opened[0]} 行第 {opened[1]} 列的 {start} 没有闭合，或此前缺少逗号",
            en=f"the {start} opened at {opened[0]}:{opened[1]} is not closed, or a comma is missing before this",
        ),
        Text(zh=f"补上 {close} 或逗号", en=f"add {close} or the comma"),
    )


def _unclosed(_lines: list[str], place: _Place, _problem: str, opened: _Place | None) -> SyntaxMistake:
    return SyntaxMistake(
        opened or place,
        Text(zh="引号没有闭合", en="the quotation mark is not closed"),
        Text(zh="在文字末尾补上同样的引号", en="close it with the same mark at the end of the text"),
    )


def _escape(_lines: list[str], place: _Place, _problem: str, _opened: _Place | None) -> SyntaxMistake:
    return SyntaxMistake(
        place,
        Text(
            zh="双引号内的反斜杠不是合法的转义", en="a backslash inside double quotes begins no known escape"
        ),
        Text(zh="改用单引号", en="use single quotes"),
    )


def _list_beside_key(
    _lines: list[str], place: _Place, _problem: str, _opened: _Place | None
) -> SyntaxMistake:
    return SyntaxMistake(
        place,
        Text(zh="列表的项不能写在键的同一行", en="an item of a list cannot stand on the line of its key"),
        Text(zh="另起一行写 - 项，或写成 [甲, 乙]", en="begin it on the next line, or write [a, b]"),
    )


_MISTAKES: tuple[tuple[str, _Maker], ...] = (
    ("found character '\\t'", _tab_or_sign),
    ("found character", _tab_or_sign),
    ("expected chomping", _sign),
    ("expected URI", _sign),
    ("expected alphabetic or numeric character", _sign),
    ("could not find expected ':'", _not_a_pair),
    ("mapping values are not allowed", _second_colon),
    ("expected <block end>", _block),
    ("expected ',' or", _flow),
    ("found unexpected end of stream", _unclosed),
    ("found unknown escape", _escape),
    ("sequence entries are not allowed", _list_beside_key),
)
"""By the beginning of the parser's message. What is not here is reported in the parser's own words."""
