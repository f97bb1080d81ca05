"""Changes between two versions of a procedure: every attribute added, removed or changed.

The attributes compared are read off the classes of the model, so that nothing that can be declared can change
unseen. What a change means for running instances stands in `compatibility`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import attrs

from svcflow.errors import Path
from svcflow.model.amount import Amount, NamedAmount
from svcflow.model.automatic_move import AutomaticMove, MoveInstant
from svcflow.model.field import Field
from svcflow.model.guard import Guard
from svcflow.model.limit import Extension, Row, Rung, TimeLimit
from svcflow.model.parameter import Override, Parameter
from svcflow.model.procedure import Certificate, Excellence, Exclusion, HoldRule, Indicator, Procedure, Role
from svcflow.model.regular_start import RegularStart
from svcflow.model.source import Source
from svcflow.model.start_rule import StartRule
from svcflow.model.step import Branch, Enforce, Otherwise, Step, Transition
from svcflow.model.subprocedure import SubProcedure
from svcflow.model.target import Anchor, ClockTime, NamedClockTime
from svcflow.model.yaml.dump import written
from svcflow.model.yaml.unknown_keys import RENAMED
from svcflow.text import Text

ChangeKind = Literal["added", "removed", "changed"]
Section = Literal[
    "procedure", "step", "branch", "transition", "otherwise", "automatic_move", "limit", "row", "rung", "extension",
    "role", "field", "hold", "regular_start", "certificate", "enforcement", "indicator", "exclusion", "excellence",
    "source", "subprocedure",
    "parameter", "start",
]  # fmt: skip

_SECTIONS: Mapping[type[Any], Section] = {
    Procedure: "procedure",
    Step: "step",
    Branch: "branch",
    Transition: "transition",
    Otherwise: "otherwise",
    TimeLimit: "limit",
    Row: "row",
    AutomaticMove: "automatic_move",
    MoveInstant: "row",
    Rung: "rung",
    Extension: "extension",
    Role: "role",
    Certificate: "certificate",
    Field: "field",
    HoldRule: "hold",
    RegularStart: "regular_start",
    Enforce: "enforcement",
    Indicator: "indicator",
    Exclusion: "exclusion",
    Excellence: "excellence",
    Source: "source",
    SubProcedure: "subprocedure",
    Parameter: "parameter",
    StartRule: "start",
}
_WHOLE = (Override, Amount, Anchor, ClockTime, Guard, Text)
"""Values that are written in one piece and compared as one."""


@attrs.frozen
class PathElement:
    """One element of the path to a change: its kind, and its id or position."""

    section: Section
    name: str


@attrs.frozen
class AttributeChange:
    """One change: where, of which attribute, and the values as a document writes them.

    A whole thing that came or went has no `attribute`; `path` leads to it as in a document.
    """

    kind: ChangeKind
    places: tuple[PathElement, ...]
    attribute: str
    path: Path
    before: object = None
    after: object = None

    @property
    def section(self) -> Section:
        """Kind of thing that was changed."""
        return self.places[-1].section

    @property
    def name(self) -> str:
        """Its id or position."""
        return self.places[-1].name


def changes_between(old: Procedure, new: Procedure) -> tuple[AttributeChange, ...]:
    """Return every change, in the order in which a procedure is declared; none when the two are equal."""
    return tuple(_item(old, new, (PathElement("procedure", new.id),), ()))


def changes_of_step(old: Step, new: Step) -> tuple[AttributeChange, ...]:
    """Return what else changed in a step that has another id now; the id itself is left out."""
    changes = _item(old, new, (PathElement("procedure", ""), PathElement("step", new.id)), ("steps", new.id))
    return tuple(change for change in changes if change.path[2:] != ("id",))


def _item(old: Any, new: Any, places: tuple[PathElement, ...], path: Path) -> Iterator[AttributeChange]:
    """Compare two things of one class, attribute by attribute."""
    for attribute in attrs.fields(type(old)):
        if attribute.eq:
            name = RENAMED.get(attribute.name, attribute.name)
            before, after = getattr(old, attribute.name), getattr(new, attribute.name)
            yield from _value(before, after, places, (*path, name))


def _value(old: Any, new: Any, places: tuple[PathElement, ...], path: Path) -> Iterator[AttributeChange]:
    if _is_thing(old) or _is_thing(new):
        yield from _thing(old, new, places, path)
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _named(old, new, places, path)
    elif _holds_things(old) or _holds_things(new):
        yield from _listed(old, new, places, path)
    elif not _same(old, new):
        kind: ChangeKind = "added" if _is_empty(old) else "removed" if _is_empty(new) else "changed"
        attribute = ".".join(map(str, path[-2:])) if path[-2:-1] == ("choices",) else str(path[-1])
        yield AttributeChange(kind, places, attribute, path, written(old), written(new))


def _thing(old: Any, new: Any, places: tuple[PathElement, ...], path: Path) -> Iterator[AttributeChange]:
    """Compare a part that may be missing, such as a step's limit."""
    thing = old if new is None else new
    name = getattr(thing, "id", "") or (places[-1].name if isinstance(thing, TimeLimit) else "")
    inner = (*places, PathElement(_SECTIONS[type(thing)], name))
    if old is None or new is None:
        yield _whole("added" if old is None else "removed", thing, inner, path)
    else:
        yield from _item(old, new, inner, path)


def _named(
    old: Mapping[str, Any], new: Mapping[str, Any], places: tuple[PathElement, ...], path: Path
) -> Iterator[AttributeChange]:
    """Compare what is kept by name: things by what they are, plain values as an attribute of their own."""
    if path[-1] == "choices":
        yield from _choices(old, new, places, path)
        return
    for name in (*old, *(key for key in new if key not in old)):
        here = (*path, name)
        if _is_thing(old.get(name, new.get(name))):
            yield from _thing(old.get(name), new.get(name), places, here)
        else:
            yield from _plain(old, new, name, places, here)


def _choices(
    old: Mapping[str, Text], new: Mapping[str, Text], places: tuple[PathElement, ...], path: Path
) -> Iterator[AttributeChange]:
    """Compare the values of a choice as one list, and then the names of those that stayed."""
    yield from _value(tuple(old), tuple(new), places, path)
    for name in old:
        if name in new:
            yield from _value(old[name], new[name], places, (*path, name))


def _plain(
    old: Mapping[str, Any], new: Mapping[str, Any], name: str, places: tuple[PathElement, ...], path: Path
) -> Iterator[AttributeChange]:
    attribute = ".".join(map(str, path[-2:]))
    if name not in old:
        yield AttributeChange("added", places, attribute, path, None, written(new[name]))
    elif name not in new:
        yield AttributeChange("removed", places, attribute, path, written(old[name]), None)
    elif not _same(old[name], new[name]):
        yield AttributeChange("changed", places, attribute, path, written(old[name]), written(new[name]))


def _listed(
    old: Iterable[Any], new: Iterable[Any], places: tuple[PathElement, ...], path: Path
) -> Iterator[AttributeChange]:
    """Compare things that stand in an order: by their names, and then the order of those that stayed."""
    before, after = _by_name(old), _by_name(new)
    for name in (*before, *(key for key in after if key not in before)):
        thing = before.get(name, after.get(name))
        inner = (*places, PathElement(_SECTIONS[type(thing)], name))
        if name not in before or name not in after:
            yield _whole("added" if name in after else "removed", thing, inner, (*path, name))
        else:
            yield from _item(before[name], after[name], inner, (*path, name))
    stayed = [name for name in before if name in after]
    now = [name for name in after if name in before]
    if stayed != now:
        yield AttributeChange("changed", places, f"{path[-1]} (order)", path, stayed, now)


def _by_name(things: Iterable[Any]) -> dict[str, Any]:
    """Return things that stand in an order by name; those of one name are numbered."""
    named: dict[str, Any] = {}
    for thing in things:
        name, count = _name(thing), 1
        while (key := name if count == 1 else f"{name} #{count}") in named:
            count += 1
        named[key] = thing
    return named


def _name(thing: Any) -> str:
    if isinstance(thing, Transition):
        return thing.trigger
    if isinstance(thing, Row | MoveInstant | Exclusion):
        return "—" if thing.when is None else str(thing.when)
    return str(
        thing.at if isinstance(thing, Rung) else thing.reason if isinstance(thing, HoldRule) else thing.id
    )


def _whole(kind: ChangeKind, thing: Any, places: tuple[PathElement, ...], path: Path) -> AttributeChange:
    form = written(thing)
    return AttributeChange(kind, places, "", path, *((None, form) if kind == "added" else (form, None)))


def _is_thing(value: Any) -> bool:
    return attrs.has(type(value)) and not isinstance(value, _WHOLE)


def _holds_things(value: Any) -> bool:
    return isinstance(value, tuple) and any(_is_thing(item) for item in value)


def _is_empty(value: Any) -> bool:
    return value is None or value == () or value == Text()


def _same(old: Any, new: Any) -> bool:
    """Compare values; true is not 1. Quantities that one parameter sets differ in the parameter, not here."""
    if _parameter(old) is not None and _parameter(old) == _parameter(new):
        return True
    return bool(old == new) and isinstance(old, bool) == isinstance(new, bool)


def _parameter(value: Any) -> object:
    """Return what names the parameter that sets a quantity; None for a quantity that is written."""
    if isinstance(value, Anchor) and isinstance(value.amount, NamedAmount):
        return value.written
    return value.parameter if isinstance(value, NamedAmount | NamedClockTime) else None
