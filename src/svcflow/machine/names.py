"""Identifiers of a procedure for the names of a machine, which may be any text."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

from svcflow.model.fullwidth import halved
from svcflow.model.validation.references import IDENTIFIER
from svcflow.text import Text

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LONGEST = 70
_CHINESE = re.compile("[\u3400-\u9fff]")
_GUARD_WORDS = frozenset(("true", "false", "null", "none", "nil", "recipient"))


class Names:
    """One identifier for each name, always the same one, and no two names with the same.

    `known` are all the names to come: one that is an identifier keeps it, whatever others come to.
    """

    def __init__(self, known: Iterable[str] = (), *, fallback: str = "name") -> None:
        self._by_name = {name: name for name in known if IDENTIFIER.fullmatch(name)}
        self._taken = set(self._by_name)
        self._fallback = fallback

    def identifier(self, name: str, key: object = None) -> str:
        """Return the identifier of a name; `key` tells apart what has the same name and is not the same."""
        known = self._by_name.get(name if key is None else key)  # type: ignore[call-overload]  # any key will do
        if known is not None:
            return str(known)
        made = identifier(name) or self._fallback
        number, free = 1, made
        while free in self._taken:
            number += 1
            free = f"{made}_{number}"
        self._taken.add(free)
        self._by_name[name if key is None else key] = free  # type: ignore[index]
        return free


def identifier(name: str) -> str:
    """Return the identifier that a name comes to; empty when it has nothing of one.

    >>> identifier("InProgress"), identifier("Ready to go!"), identifier("办理")
    ('in_progress', 'ready_to_go', '')
    """
    if IDENTIFIER.fullmatch(name):
        return name
    parts = re.split(r"[^a-z0-9]+", _WORD_START.sub("_", halved(name)).lower())
    return "_".join(part for part in parts if part)[:_LONGEST]


def guard_name(name: str) -> str:
    """Return the identifier that a name comes to and that a guard can use, which is a Python expression.

    >>> guard_name("pkg.checks.is_paid"), guard_name("not"), guard_name("2nd")
    ('is_paid', 'is_not', 'is_2nd')
    """
    made = identifier(name if " " in name else name.rpartition(".")[2])
    if not made or keyword.iskeyword(made) or made in _GUARD_WORDS or made[0].isdigit():
        return f"is_{made or 'allowed'}"
    return made


def wording(name: str) -> Text:
    """Return a name as the text of its language: Chinese when it has Chinese characters.

    >>> wording("办理"), wording("In progress")
    (Text(zh='办理', en=''), Text(zh='', en='In progress'))
    """
    return Text(zh=name) if _CHINESE.search(name) else Text(en=name)
