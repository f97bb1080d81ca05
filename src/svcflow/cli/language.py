"""Language and form of an answer, read from the arguments and the environment."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import attrs

__all__ = ["AnswerForm", "Tongue"]

Tongue = Literal["zh", "en"]
VARIABLES = ("SVCFLOW_LANG", "LC_ALL", "LC_MESSAGES", "LANG")


@attrs.frozen
class AnswerForm:
    """Language of an answer, and whether it is JSON."""

    lang: Tongue = "en"
    as_json: bool = False

    @classmethod
    def of(cls, args: Sequence[str], environment: Mapping[str, str] = os.environ) -> AnswerForm:
        """Return the form that arguments ask for.

        They are read before click parses them: help and usage errors need the language before parsing ends.
        """
        options = list(args[: args.index("--")] if "--" in args else args)
        named = [word for word in _values_of("--lang", options) if word in ("zh", "en")]
        lang = named[-1] if named else next(filter(None, map(environment.get, VARIABLES)), "")
        return cls("zh" if lang.lower().startswith("zh") else "en", "--json" in options)


def _values_of(option: str, args: Sequence[str]) -> Iterator[str]:
    for place, word in enumerate(args):
        if word == option and place + 1 < len(args):
            yield args[place + 1]
        elif word.startswith(f"{option}="):
            yield word.removeprefix(f"{option}=")
