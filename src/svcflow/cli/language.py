"""Asked: in which language and form an answer is wanted. Read from arguments and environment, nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import attrs

__all__ = ["Asked", "Tongue"]

Tongue = Literal["zh", "en"]
VARIABLES = ("SVCFLOW_LANG", "LC_ALL", "LC_MESSAGES", "LANG")


@attrs.frozen
class Asked:
    """Hold the language to speak and whether JSON is wanted."""

    lang: Tongue = "en"
    as_json: bool = False

    @classmethod
    def glance(cls, args: Sequence[str], environment: Mapping[str, str] = os.environ) -> Asked:
        """Read ahead in the arguments: help and usage errors must know the language before parsing ends."""
        heads = list(args[: args.index("--")] if "--" in args else args)
        spoken = [word for word in _values_of("--lang", heads) if word in ("zh", "en")]
        named = spoken[-1] if spoken else next(filter(None, map(environment.get, VARIABLES)), "")
        return cls("zh" if named.lower().startswith("zh") else "en", "--json" in heads)


def _values_of(option: str, args: Sequence[str]) -> Iterator[str]:
    for place, word in enumerate(args):
        if word == option and place + 1 < len(args):
            yield args[place + 1]
        elif word.startswith(f"{option}="):
            yield word.removeprefix(f"{option}=")
