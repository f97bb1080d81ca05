"""Full-width characters where ASCII is meant: an input method for Chinese writes them unasked."""

from __future__ import annotations

import unicodedata

from svcflow.text import NO_TEXT, Text

__all__ = ["fullwidth_remedy", "halved"]

_ASCII = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)} | {
    ord(wide): narrow
    for wide, narrow in (
        *(("“", '"'), ("”", '"'), ("„", '"'), ("‘", "'"), ("’", "'"), ("、", ","), ("。", ".")),
        *(("【", "["), ("】", "]"), ("–", "-"), ("—", "-"), ("−", "-"), ("·", "."), ("\u3000", " ")),
        *(("\u00a0", " "), ("\u200b", ""), ("\ufeff", ""), ("×", "*"), ("÷", "/")),
        *(("≥", ">="), ("≤", "<="), ("≠", "!="), ("≧", ">="), ("≦", "<=")),
    )
}
_INVISIBLE = {
    "\u3000": Text(zh="全角空格", en="a full-width space"),
    "\u00a0": Text(zh="不换行空格", en="a no-break space"),
    "\u200b": Text(zh="零宽空格", en="a zero-width space"),
    "\ufeff": Text(zh="字节顺序标记", en="a byte order mark"),
}


def halved(text: str) -> str:
    """Return the text with the ASCII characters that were meant.

    >>> halved("３０m，“x”")
    '30m,"x"'
    """
    return text if text.isascii() else text.translate(_ASCII)


def fullwidth_remedy(text: str, write: str | None = None) -> Text:
    """Return the full-width characters of a text and what to write instead; NO_TEXT when there are none."""
    wide = [char for char in dict.fromkeys(text) if ord(char) in _ASCII]
    if not wide:
        return NO_TEXT
    fixed = halved(text).strip() if write is None else write
    return Text(
        zh=f"有{'、'.join(named(char).zh for char in wide)}；写 {fixed}",
        en=f"it has {', '.join(named(char).en for char in wide)}; write {fixed}",
    )


def named(char: str) -> Text:
    """Return the character's name; one that cannot be seen has a name of its own.

    >>> named("：").en, named("\u00a0").en
    ('a full-width ：', 'a no-break space')
    """
    if unicodedata.east_asian_width(char) in "FW":
        return _INVISIBLE.get(char) or Text(zh=f"全角的 {char}", en=f"a full-width {char}")
    return _INVISIBLE.get(char) or Text(zh=f"字符 {char}", en=f"the character {char}")
