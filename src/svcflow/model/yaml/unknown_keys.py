"""Unknown keys of a document: the mistake, with the key or the text that was probably meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from svcflow.errors import Path, Problem
from svcflow.model.fullwidth import fullwidth_remedy, halved
from svcflow.model.limit import Rung
from svcflow.model.parameter import Override, Parameter
from svcflow.model.procedure import Procedure
from svcflow.model.step import Transition
from svcflow.model.yaml.value_remedies import split_key
from svcflow.nearest import did_you_mean, nearest_name
from svcflow.text import NO_TEXT, Text

RENAMED = {"from_": "from", "for_": "for"}
"""Keys of a document by the attributes of the model that cannot be called so."""
UNWRITTEN: Mapping[type[Any], tuple[str, ...]] = {
    Override: ("institution", "rests_on"),
    Parameter: ("override",),
    Rung: ("offset",),
    Transition: ("otherwise",),
}
"""Attributes that no key gives: what is done otherwise is a row of its own; an override stands in another document."""
BESIDES: Mapping[type[Any], tuple[str, ...]] = {Procedure: ("exits",)}
"""Keys that are no attributes: what they say is written out when the document is read."""
_FEW = 100
"""A mapping of more keys than that is no list of texts with commas that somebody wrote."""


def written_at(node: Any, path: Path) -> Mapping[str, Any]:
    """Return the mapping that is written at a path; an empty one where a short form stands there instead."""
    for part in path:
        try:
            node = node[part]
        except (LookupError, TypeError):
            return {}
    return node if isinstance(node, Mapping) else {}


def unknown_key(cls: type[Any], key: str, path: Path, written: Mapping[str, Any]) -> Problem:
    """Return the mistake, with the key or the text that was probably meant."""
    message = Text(zh=f"没有“{key}”这个键", en=f"there is no key {key!r} here")
    known = ["zh", "en"] if cls is Text else _keys(cls)
    alone = key in written and written[key] is None
    return Problem(
        (*path, key), message, (_lone_key(key, written) if alone else NO_TEXT) or _known_key(key, known)
    )


def _keys(cls: type[Any]) -> list[str]:
    """Return the keys that a document may write for an object of this class."""
    unwritten = ("id", *UNWRITTEN.get(cls, ()))
    names = [RENAMED.get(name, name) for name in attrs.fields_dict(cls) if name not in unwritten]
    return [*names, *BESIDES.get(cls, ())]


def _lone_key(key: str, written: Mapping[str, Any]) -> Text:
    """Return what a key without a value was: a pair whose colon YAML does not see, or the rest of a text."""
    pair = split_key(key)
    if pair is not None:
        wide = fullwidth_remedy(key, pair)
        return wide or Text(zh=f"冒号后加空格：{pair}", en=f"put a space after the colon: {pair}")
    keys = list(written) if len(written) <= _FEW else []
    place = keys.index(key) if keys else 0
    before = keys[place - 1] if place else ""
    text = written.get(before)
    if not isinstance(text, str):
        return NO_TEXT
    return Text(
        zh=f'花括号内逗号另起一个键；含逗号的文字加引号：{before}: "{text}, {key}"',
        en=f'inside {{}} a comma begins another key; put a text with a comma in quotes: {before}: "{text}, {key}"',
    )


def _known_key(key: str, known: list[str]) -> Text:
    near = nearest_name(halved(key).strip(), known)
    if near is not None and halved(key) != key:
        return fullwidth_remedy(key, near)
    listed = ", ".join(known)
    return Text(zh=f"可用：{listed}", en=f"there are: {listed}") if near is None else did_you_mean(near)
