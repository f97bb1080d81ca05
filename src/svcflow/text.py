"""Text in Chinese and English: names in procedures, messages to people."""

from __future__ import annotations

from typing import Literal

import attrs

Lang = Literal["zh", "en", "zh+en"]


@attrs.frozen
class Text:
    """Hold one wording in two languages; either may be empty, never both in a message.

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


NO_TEXT = Text()
