"""Text in Chinese and English, for names and messages; and any text cut short, or on one line."""

from __future__ import annotations

import errno
import re
import unicodedata
from typing import Literal

import attrs

Lang = Literal["zh", "en", "zh+en"]

LONGEST = 2_000
"""How many characters one message has, at most: what somebody sends is not to fill a journal or a log."""
LONGEST_NAME = 80
"""How many characters of a name that somebody gave a message quotes; longer ones are no name of ours."""

STEERING = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional marks, embeddings, overrides, isolates
    "\u2028\u2029\ufff9-\ufffb\U000e0000-\U000e007f"  # separators, annotations, invisible tags
    "\ud800-\udfff]"  # bytes that were no text
)
"""What moves a cursor, clears a screen, or shows a line in another order than it has (Unicode TR 36)."""

_SYSTEM_ZH = {
    errno.ENOENT: "没有这个文件或文件夹",
    errno.EACCES: "没有权限",
    errno.EPERM: "没有权限",
    errno.EISDIR: "是文件夹，不是文件",
    errno.ENOTDIR: "路径中有一段不是文件夹",
    errno.ENAMETOOLONG: "名称过长",
    errno.EROFS: "存储介质只读",
    errno.ENOSPC: "磁盘已满",
}

_UNSEEN = frozenset(("Cc", "Cf", "Mc", "Me", "Mn", "Zl", "Zp", "Zs"))
"""Unicode's controls, formats, marks and spaces; what is unassigned or private may have a shape, and a lone half of a
surrogate pair is no blank but a mistake, which is reported."""
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0\U0001d159")
"""Letters and symbols that are drawn as nothing."""


@attrs.frozen
class Text:
    """One wording in two languages; either may be empty, never both in a message.

    >>> Text(zh="报修", en="Reported").in_("zh+en")
    '报修 Reported'
    """

    zh: str = ""
    en: str = ""

    def in_(self, lang: Lang) -> str:
        """Return the wording for `lang`, falling back to the other language when it is missing."""
        if lang == "zh+en":
            return f"{self.zh} {self.en}".strip() if self.zh != self.en else self.en
        return (self.zh or self.en) if lang == "zh" else (self.en or self.zh)

    def __bool__(self) -> bool:
        return bool(self.zh or self.en)

    def __str__(self) -> str:
        return self.in_("en")

    def bounded(self) -> Text:
        """Return the wording, cut short where it is longer than anybody reads."""
        if max(len(self.zh), len(self.en)) <= LONGEST:
            return self
        return Text(zh=cut(self.zh, LONGEST), en=cut(self.en, LONGEST))


NO_TEXT = Text()


def system_words(error: OSError) -> Text:
    """Return an operating system's message about a file in both languages; rare ones keep the system's words.

    >>> system_words(FileNotFoundError(2, "No such file or directory"))
    Text(zh='没有这个文件或文件夹', en='No such file or directory')
    """
    words = error.strerror or str(error)
    return Text(zh=_SYSTEM_ZH.get(error.errno or 0, words), en=words)


def cut(text: str, longest: int = LONGEST_NAME) -> str:
    """Return a text, cut short with an ellipsis where it is longer.

    >>> cut("repair"), cut("x" * 90, 5)
    ('repair', 'xxxxx…')
    """
    return text if len(text) <= longest else f"{text[:longest]}…"


def visible(text: str) -> str:
    r"""Return a text on one line, with the characters that would steer a terminal escaped.

    >>> print(visible("all\x1b[2J in\norder"))
    all\x1b[2J in\norder
    """
    return STEERING.sub(_escaped, text)


def is_blank(text: str) -> bool:
    r"""Return whether a text shows nothing: it is empty, or all white space and characters without a shape.

    >>> is_blank("\u3000\u200b"), is_blank(" - ")
    (True, False)
    """
    if "!" <= text[:1] <= "~":  # as mostly; it is asked several times of every command
        return False
    for character in text:  # twice as fast as all(), for names in Chinese
        if unicodedata.category(character) not in _UNSEEN and character not in _FILLERS:
            return False
    return True


def _escaped(character: re.Match[str]) -> str:
    return character[0].encode("unicode_escape").decode()
