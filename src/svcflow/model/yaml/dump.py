"""Dump of a procedure as the YAML that a person would write, in the short forms.

What `dump` writes, `svcflow.load` reads to an equal procedure. Defaults are left out, but for the version
and the types of fields, which readers look for.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from hashlib import sha256
from typing import Any

import attrs
import orjson

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
from svcflow.model.step import Branch, Enforce, Otherwise, Step, StepNames, Transition
from svcflow.model.subprocedure import SubProcedure
from svcflow.model.target import TARGET_KINDS, Anchor, ClockTime, NamedClockTime
from svcflow.model.yaml.document import plain_scalar
from svcflow.model.yaml.unknown_keys import RENAMED, UNWRITTEN
from svcflow.text import Text

_WIDTH = 110
_SECTIONS = (
    "sources",
    "parameters",
    "fields",
    "roles",
    "certificates",
    "enforce",
    "start",
    "holds",
    "starts",
    "steps",
    "limits",
    "indicators",
)
_WIDE = "\u2010-\u2027\u3001-\u303f\uff01-\uff5e"  # Chinese punctuation
_BARE = re.compile(rf'[\w+<](?:[\w "$%()*+./;<=>?@^~{_WIDE}-]*[\w")%{_WIDE}])?')
_LINE = re.compile(rf"(?! )[ -~\w{_WIDE}]*(?<! )")
_BLOCK = ("match", "limits")
_INSIDE = frozenset(("to", "steps", "parallel"))
_DEEP = {"within": 3}
_STEP_ORDER = (
    "name",
    "role",
    "evidence",
    "waits",
    "at_most",
    "not_by",
    "qualified",
    "within",
    "on_overdue",
    "then",
    "parallel",
    "runs",
    "to",
    "end",
)
_LIMIT_ORDER = (
    "id",
    "name",
    "step",
    "from_",
    "to",
    "to_trigger",
    "calendar",
    *TARGET_KINDS,
    "cutoff",
    "day",
    "done_by",
    "match",
    "visits",
    "source",
)

Node = Any
"""Plain data as a document holds it: mappings, lists and scalars."""


def dump(procedure: Procedure) -> str:
    """Return the procedure's YAML, in the short forms, with Chinese and English side by side.

    >>> from svcflow.model.step import Step, Transition
    >>> print(dump(Procedure(id="ask", steps=[
    ...     Step("asked", name=Text("提问", "Asked"), within="2wh", to=[Transition("answer", "answered")]),
    ...     Step("answered", end="completed"),
    ... ])), end="")
    procedure: ask
    version: 1
    <BLANKLINE>
    steps:
      asked:
        name: {zh: 提问, en: Asked}
        within: 2wh
        to: {answer: answered}
      answered: {end: completed}
    """
    data = form(procedure)
    head = {key: value for key, value in data.items() if key not in _SECTIONS}
    parts = [head, *({key: data[key]} for key in _SECTIONS if key in data)]
    return "\n".join(_yaml(part) for part in parts)


def written(value: object) -> Node:
    """Return one value of the model as a document writes it, in plain data that JSON has too."""
    if isinstance(value, Transition):
        return _changed(value, leave=("trigger",))
    if isinstance(value, TimeLimit) and value.id:
        return _changed(value, order=_LIMIT_ORDER)
    form = _written(value)
    return form.isoformat() if isinstance(form, date) else form


def form(procedure: Procedure) -> dict[str, Node]:
    """Return the procedure as plain data, in the short forms, defaults left out."""
    data = {"procedure": procedure.id, "version": procedure.version}
    data |= _changed(procedure, leave=("id", "version"))
    return {key: value for key, value in data.items() if value != {}}


def digest(procedure: Procedure) -> str:
    """Return the SHA-256, in hexadecimal, of what the procedure declares; calendars are not part of it."""
    return sha256(orjson.dumps(form(procedure))).hexdigest()


def _changed(item: Any, *, leave: Iterable[str] = (), order: Iterable[str] = ()) -> dict[str, Node]:
    """Return what differs from the defaults, each value in its written form."""
    declared = attrs.fields_dict(type(item))
    names = [*order, *(name for name in declared if name not in order)]
    left = (*leave, *UNWRITTEN.get(type(item), ()))
    values = {name: getattr(item, name) for name in names if name not in left}
    return {
        RENAMED.get(name, name): _written(value)
        for name, value in values.items()
        if value != _default(declared[name])
    }


def _default(attribute: Any) -> Any:
    default = attribute.default
    return default.factory() if isinstance(default, attrs.Factory) else default  # type: ignore[arg-type]  # attrs types it as a function


def _written(value: Any) -> Node:
    form = _FORMS.get(type(value))
    if form is not None:
        return form(value)
    if isinstance(value, Mapping):
        return {key: _written(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return _several(value)
    return value


def _several(items: tuple[Any, ...]) -> Node:
    if items and isinstance(items[0], Transition):
        return _transitions(items)
    if items and isinstance(items[0], Step | Branch | HoldRule):
        return {_key(item): _written(item) for item in items}
    if items and isinstance(items[0], TimeLimit):
        return [_changed(item, order=_LIMIT_ORDER) for item in items]
    return [_written(item) for item in items]


def _key(item: Any) -> str:
    return str(item.reason if isinstance(item, HoldRule) else item.id)


def _transitions(moves: tuple[Transition, ...]) -> dict[str, Node]:
    rows: dict[str, list[Node]] = {}
    for move in moves:
        form = _changed(move, leave=("trigger",))
        together = rows.setdefault(move.trigger, [])
        together.append(form["step"] if len(form) == 1 else form)
        if move.otherwise is not None:
            together.append(_written(move.otherwise))
    return {trigger: row[0] if len(row) == 1 else row for trigger, row in rows.items()}


def _limit(limit: TimeLimit) -> Node:
    """Return a step's limit as written: `15m`, `{wd: 1, source: D1}`, or a mapping with its matrix."""
    form = _changed(limit, order=("within", "match", "source"))
    if limit.within is None or (len(form) > 1 and isinstance(limit.within, NamedAmount)):
        return form
    if len(form) == 1:
        return form["within"]
    if str(limit.within.value).isdecimal():
        del form["within"]
        return {limit.within.unit: int(limit.within.value), **form}
    return form


def _field(field: Field) -> Node:
    """Return a field as written; choices without names are a list."""
    form = {"type": field.type, **_changed(field, leave=("id", "type"))}
    if field.choices and not any(field.choices.values()):
        form["choices"] = list(field.choices)
    return form


def _rung(rung: Rung) -> Node:
    form = _changed(rung)
    return rung.at if len(form) == 1 else form


def _valued(item: Override | Parameter) -> Node:
    """Return the value, where nothing else is said of a parameter."""
    form = _changed(item, leave=("id",))
    return form["value"] if len(form) == 1 else form


def _source(source: Source) -> Node:
    """Return the title, where nothing else is known."""
    form = _changed(source, leave=("id",))
    return source.title if len(form) == 1 else form


def _text(text: Text) -> Node:
    return {lang: wording for lang, wording in (("zh", text.zh), ("en", text.en)) if wording}


_FORMS: dict[type[Any], Callable[[Any], Node]] = {
    Amount: str,
    AutomaticMove: lambda move: _changed(move, order=("match", "after", "at", "fire")),
    Anchor: lambda anchor: anchor.written,
    Branch: lambda branch: _changed(branch, leave=("id",), order=("name", "steps")),
    ClockTime: str,
    Enforce: _changed,
    Excellence: lambda _: {"cost_effect": "none"},
    Exclusion: lambda rule: {"when": str(rule.when), "reason": _text(rule.reason)},
    Extension: _changed,
    Field: _field,
    Guard: str,
    MoveInstant: lambda row: _changed(row, order=("when", "after", "at")),
    HoldRule: lambda rule: _changed(rule, leave=("reason",)),
    Indicator: lambda indicator: _changed(indicator, leave=("id",)),
    NamedAmount: lambda named: named.parameter,
    NamedClockTime: lambda named: named.parameter,
    Otherwise: _changed,
    RegularStart: _changed,
    Certificate: lambda certificate: _text(certificate.name),
    Override: _valued,
    Parameter: _valued,
    Role: lambda role: _text(role.name),
    Row: lambda row: _changed(row, order=("when", *TARGET_KINDS)),
    Rung: _rung,
    Source: _source,
    StartRule: _changed,
    Step: lambda step: _changed(step, leave=("id",), order=_STEP_ORDER),
    StepNames: lambda names: list(names) if len(names) > 1 else next(iter(names), None),
    SubProcedure: _changed,
    Text: _text,
    TimeLimit: _limit,
}


def _yaml(part: Mapping[str, Node]) -> str:
    from ruamel.yaml import YAML  # noqa: PLC0415  # 30 ms, and only documents need it

    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 1 << 20  # a line is broken by choosing block style, never by the emitter
    out = io.StringIO()
    yaml.dump({key: _styled(key, value, 1) for key, value in part.items()}, out)
    return out.getvalue()


def _styled(key: str, node: Node, depth: int) -> Node:
    """Return the node in flow style for what fits on its line and is not deep, block style for the rest."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq  # noqa: PLC0415  # see above

    made: CommentedMap | CommentedSeq
    if isinstance(node, Mapping):
        made = CommentedMap((_quoted(name), _styled(name, item, depth + 1)) for name, item in node.items())
    elif isinstance(node, list):
        made = CommentedSeq(_styled(key, item, depth + 1) for item in node)
    else:
        return _quoted(node)
    if _flows(key, node, depth):
        made.fa.set_flow_style()
    else:
        made.fa.set_block_style()
    return made


def _flows(key: str, node: Node, depth: int) -> bool:
    if (key in _BLOCK and isinstance(node, list)) or (
        isinstance(node, Mapping) and not _INSIDE.isdisjoint(node)
    ):
        return False
    if depth == 1:
        return key not in _SECTIONS or key == "enforce"
    return _height(node) <= _DEEP.get(key, 2) and 2 * depth + len(key) + _length(node) <= _WIDTH


def _height(node: Node) -> int:
    if isinstance(node, Mapping):
        return 1 + max(map(_height, node.values()), default=0)
    if isinstance(node, list):
        return 1 + max(map(_height, node), default=0)
    return 0


def _length(node: Node) -> int:
    """Return about how many columns the flow style takes; a Chinese character takes two."""
    if isinstance(node, Mapping):
        return sum(len(key) + 4 + _length(item) for key, item in node.items())
    if isinstance(node, list):
        return 2 + sum(2 + _length(item) for item in node)
    return sum(2 if ord(letter) > 0x2E80 else 1 for letter in str(node))


def _quoted(value: Node) -> Node:
    """Return the text in quotes unless it is surely read back as itself without.

    Single quotes are kept for plain lines; double quotes escape the rest, control characters above all.
    """
    from ruamel.yaml.scalarstring import (  # noqa: PLC0415  # see above
        DoubleQuotedScalarString,
        SingleQuotedScalarString,
    )

    if not isinstance(value, str) or (_BARE.fullmatch(value) and isinstance(plain_scalar(value), str)):
        return value
    return SingleQuotedScalarString(value) if _LINE.fullmatch(value) else DoubleQuotedScalarString(value)
