"""What a guard that is no expression was probably meant to be, and what Python says of it in both languages."""

from __future__ import annotations

import re

from svcflow.model.fullwidth import halved
from svcflow.text import Text

__all__ = ["meant", "wording"]

_STRING = re.compile(r"(\"[^\"]*\"|'[^']*')")
_MEANT = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"<>", "!="),
        (r"={3,}", "=="),
        (r"(?<![=!<>])=>", ">="),
        (r"(?<![=!<>])=<", "<="),
        (r"(?<![=!<>])=(?![=])", "=="),
        (r"&&?|\b(?:AND|And)\b|[且并]且?", " and "),
        (r"\|\|?|\b(?:OR|Or)\b|或者?", " or "),
        (r"!(?!=)|\b(?:NOT|Not)\b|非", " not "),
        (r"(?<=\d)\s*(?:元|次|个|人|天|小时|分钟|级)", ""),
    )
)
"""What other languages, forms and input methods write instead of our operators."""
_PYTHON = (
    (r"'(.)' was never closed", "{0} 没有闭合", "{0} is never closed"),
    (r"unmatched '(.)'", "多出一个 {0}", "{0} closes nothing"),
    (r"closing parenthesis '(.)'.*", "{0} 与前面的括号不成对", "{0} does not fit the bracket before it"),
    (r"unterminated string literal.*", "引号没有闭合", "a quotation mark is not closed"),
    (r"invalid (?:non-printable )?character '?(.).*", "不能用字符 {0}", "the character {0} has no meaning"),
    (r"unexpected EOF.*", "不完整", "it is not complete"),
)


def meant(text: str) -> str:
    """Return the text with the operators and quotes of our guards; texts in quotes stay as they are.

    >>> meant("k = “water” && fee ≥ 3元")
    'k == "water" and fee >= 3'
    """
    if text[:1] in "“”" and text[-1:] in "“”":
        text = text[1:-1]
    parts = _STRING.split(halved(text))
    for place in range(0, len(parts), 2):
        for pattern, instead in _MEANT:
            parts[place] = pattern.sub(instead, parts[place])
    return re.sub(r" {2,}", " ", "".join(parts)).strip()


def wording(error: SyntaxError) -> Text:
    """Say in both languages what Python says of an expression, and in which column."""
    said = error.msg
    zh, en = "写法不对", "it cannot be read"
    for pattern, in_zh, in_en in _PYTHON:
        if match := re.fullmatch(pattern, said):
            zh, en = in_zh.format(*match.groups()), in_en.format(*match.groups())
    return Text(zh=f"第 {error.offset} 个字符：{zh}", en=f"{en} (column {error.offset})")
