"""JSON Schema of the documents, generated from the model's classes, for editors and other tools.

The schema covers shapes and keys. What must hold between values (a name that refers, a matrix with a default
row) is left to the loader. Whatever the loader takes, the schema takes.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs

from svcflow.model.amount import UNITS, Amount
from svcflow.model.field import Field
from svcflow.model.guard import MAX_CHARACTERS, Guard
from svcflow.model.limit import Rung, TimeLimit
from svcflow.model.log_mapping import LogMapping
from svcflow.model.parameter import Override, Overrides, Parameter
from svcflow.model.procedure import Certificate, HoldRule, Indicator, Procedure, Role
from svcflow.model.scenario import Branching, Duration, FieldMix, NumberDistribution, Scenario
from svcflow.model.source import Source
from svcflow.model.step import HOLD_REASONS, Branch, Otherwise, Step, StepNames, Transition
from svcflow.model.target import Anchor, ClockTime
from svcflow.model.yaml.unknown_keys import UNWRITTEN
from svcflow.text import Text

Kind = Literal["procedure", "scenario", "mapping", "parameters", "calendar"]
Schema = dict[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_PARAMETER = "[a-z_][a-z0-9_]{0,79}"
_AMOUNT = r"\d{1,9}(\.\d{1,6})?(wm|wh|wd|cd|mo|m|h|d|y)"
_IDENTIFIER: Schema = {"type": "string", "pattern": "^[a-z0-9_]{1,80}$"}
_DOCUMENTS: Mapping[str, type[Any]] = {
    "procedure": Procedure,
    "scenario": Scenario,
    "mapping": LogMapping,
    "parameters": Overrides,
}
_KEY = {HoldRule: "reason", Transition: "trigger"}
_SIMPLE: Mapping[Any, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
}

_DAY: Schema = {"type": "string", "format": "date", "pattern": r"^\d{4}-?\d{2}-?\d{2}$"}
_HOURS: Schema = {
    "description": 'Open intervals such as "08:30-12:00"; a night shift is "22:00-06:00".',
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
}
_YEAR_DAY: Schema = {"type": "string", "pattern": r"^\d{2}-\d{2}$"}
_SEASON: Schema = {
    "type": "object",
    "properties": {"from": _YEAR_DAY, "to": _YEAR_DAY},
    "patternProperties": {r"^\s*[A-Za-z]{3}(\s*[-,]\s*[A-Za-z]{3})*\s*$": _HOURS},
    "required": ["from", "to"],
    "additionalProperties": False,
}
_NAME: Schema = {
    "anyOf": [
        {"type": ["string", "null"]},
        {
            "type": "object",
            "properties": {"zh": {"type": "string"}, "en": {"type": "string"}},
            "additionalProperties": False,
        },
    ]
}


def json_schema(kind: Kind = "procedure") -> Schema:
    """Return the JSON Schema (draft 2020-12) of one kind of document.

    >>> json_schema("mapping")["required"]
    ['mapping', 'procedure']
    """
    if kind == "calendar":
        head = {"title": "Calendar", "description": "Open hours, holidays and make-up working days."}
        return {
            "$schema": DRAFT,
            **head,
            **_object(calendar_properties(), ("calendar", "timezone", "weekly")),
        }
    walk = _SchemaWalk()
    made = walk.document(_DOCUMENTS[kind], kind)
    return {"$schema": DRAFT, **made, "$defs": dict(sorted(walk.defs.items()))}


def calendar_properties() -> dict[str, Schema]:
    """Return the schema of each key a calendar may have."""
    return {
        "calendar": {"type": "string", "pattern": "^[a-z0-9_]+$"},
        "name": _NAME,
        "timezone": {"type": "string", "description": "An IANA name such as Asia/Shanghai."},
        "weekly": {
            "description": "Open hours by weekday: mon, mon-fri or mon,wed; or a list of seasons, which fill the year.",
            "anyOf": [
                {"type": "object", "additionalProperties": _HOURS},
                {"type": "array", "minItems": 1, "items": _SEASON},
            ],
        },
        "covers": {
            "description": "The first and the last day the calendar speaks for.",
            "anyOf": [_entry({"from": _DAY, "to": _DAY}, ("from", "to")), {"type": "null"}],
        },
        "holidays": _days("Days on which it is closed."),
        "makeup": _days(
            "Days off that are worked, with Monday's hours unless they say others.", hours=_HOURS
        ),
        "days": {
            "description": "Single working days with hours of their own, such as half days.",
            "anyOf": [
                {
                    "type": "array",
                    "items": _entry({"date": _DAY, "name": _NAME, "hours": _HOURS}, ("date", "hours")),
                },
                {"type": "null"},
            ],
        },
        "source": {
            "description": "The documents it follows.",
            "anyOf": [{"type": ["string", "null"]}, {"type": "array", "items": {"type": "string"}}],
        },
    }


class _SchemaWalk:
    """Walk over the attrs classes of one document, with a definition for each."""

    def __init__(self) -> None:
        self.defs: dict[str, Schema] = {}

    def document(self, cls: type[Any], kind: str) -> Schema:
        made = self._class(cls, leave="id")
        properties = {kind: _IDENTIFIER if cls is Procedure else {"type": "string"}, **made["properties"]}
        if cls is Procedure:
            properties["exits"] = self.exits()
        return {**made, "properties": properties, "required": [kind, *made.get("required", ())]}

    def _class(self, cls: type[Any], *, leave: str = "") -> Schema:
        hints = get_type_hints(cls)
        unwritten = (leave, *UNWRITTEN.get(cls, ()))
        declared = [a for a in attrs.fields(cls) if a.init and a.name not in unwritten]
        properties = {_key(a.name): self.of(hints[a.name]) for a in declared}
        required = [_key(a.name) for a in declared if a.default is attrs.NOTHING]
        return {"title": cls.__name__, "description": _description(cls), **_object(properties, required)}

    def of(self, kind: Any) -> Schema:
        """Return the schema of what a document may write for a value of this type."""
        special = _SPECIAL.get(kind)
        if special is not None:
            return special(self)
        if kind in _SIMPLE:
            return {"type": _SIMPLE[kind]}
        return self._generic(kind) if get_origin(kind) is not None else self._reference(kind)

    def _generic(self, kind: Any) -> Schema:
        origin, parts = get_origin(kind), get_args(kind)
        if origin in (Union, types.UnionType):
            return _any(self.of(part) for part in parts)
        if origin is Literal:
            return {"enum": list(parts)}
        if origin is tuple:
            return {"type": "array", "items": self.of(parts[0])}
        return {"type": "object", "additionalProperties": self.of(parts[1])}

    def _reference(self, cls: type[Any], leave: str = "") -> Schema:
        if cls.__name__ not in self.defs:
            self.defs[cls.__name__] = {}  # steps hold branches that hold steps
            self.defs[cls.__name__] = self._class(cls, leave=leave)
        return {"$ref": f"#/$defs/{cls.__name__}"}

    def keyed(self, cls: type[Any], names: Schema = _IDENTIFIER) -> Schema:
        """Return a mapping from names to what they stand for; the key is written once, as the name."""
        item = _any((self._reference(cls, _KEY.get(cls, "id")), {"type": "null"}))
        return {"type": "object", "propertyNames": names, "additionalProperties": item}

    def valued(self, cls: type[Any]) -> Schema:
        """Return a mapping from names to a value, or to what is said of one."""
        item = _any((self._reference(cls, "id"), {"type": ["string", "number"]}))
        return {"type": "object", "propertyNames": _IDENTIFIER, "additionalProperties": item}

    def define(self, name: str, make: Callable[[], Schema]) -> Schema:
        if name not in self.defs:
            self.defs[name] = {}
            self.defs[name] = make()
        return {"$ref": f"#/$defs/{name}"}

    def amount(self) -> Schema:
        made = {"title": "Amount", "description": _description(Amount), "type": "string"}
        return self.define("Amount", lambda: {**made, "pattern": rf"^\s*({_AMOUNT}|{_PARAMETER})\s*$"})

    def clock_time(self) -> Schema:
        made = {"title": "ClockTime", "description": _description(ClockTime), "type": "string"}
        return self.define(
            "ClockTime", lambda: {**made, "pattern": rf"^(([01]\d|2[0-3]):[0-5]\d|{_PARAMETER})$"}
        )

    def anchor(self) -> Schema:
        made = {"title": "Anchor", "description": _description(Anchor), "type": "string"}
        return self.define(
            "Anchor", lambda: {**made, "pattern": rf"^\s*[a-z0-9_]+(\s*[+-]\s*({_AMOUNT}|{_PARAMETER}))?\s*$"}
        )

    def guard(self) -> Schema:
        made = {"title": "Guard", "description": _description(Guard), "type": ["string", "boolean", "number"]}
        return self.define("Guard", lambda: {**made, "maxLength": MAX_CHARACTERS})

    def text(self) -> Schema:
        both = _object({"zh": {"type": "string"}, "en": {"type": "string"}})
        made = {"title": "Text", "description": _description(Text)}
        return self.define("Text", lambda: {**made, "anyOf": [{"type": "string"}, both]})

    def rung(self) -> Schema:
        at = {
            "type": "string",
            "pattern": rf"^(\d{{1,4}}(\.\d{{1,3}})?\s*%|[+-]\s*({_AMOUNT}|{_PARAMETER})\s*)$",
        }

        def long() -> Schema:
            made = self._class(Rung)
            return {**made, "properties": {**made["properties"], "at": at}}

        return _any((at, self.define("Rung", long)))

    def limit(self) -> Schema:
        """Return the schema of `15m`, `{wd: 1, source: D1}` or the mapping written out."""

        def long() -> Schema:
            made = self._class(TimeLimit)
            units = {unit: {"type": ["number", "string"]} for unit in UNITS}
            return {**made, "properties": {**made["properties"], **units}}

        return self.define("TimeLimit", long)

    def names(self) -> Schema:
        """Return the schema of ids with what people call them: roles, certificates."""
        return {"type": "object", "propertyNames": _IDENTIFIER, "additionalProperties": self.text()}

    def exits(self) -> Schema:
        """Return the schema of the exits that several steps share: a name for each set of transitions."""
        return {"type": "object", "propertyNames": _IDENTIFIER, "additionalProperties": self.transitions()}

    def transitions(self) -> Schema:
        """Return the schema of `{accept: accepted}`, `{reject: {step: …}}`, or rows of one trigger as a list."""
        single = _any((_IDENTIFIER, self._reference(Transition, "trigger")))
        closing = self._reference(Otherwise)
        rows = {"type": "array", "items": _any((*single["anyOf"], closing)), "minItems": 1}
        return {
            "type": "object",
            "propertyNames": _IDENTIFIER,
            "additionalProperties": _any((*single["anyOf"], rows)),
        }


_SHARES: Schema = {
    "type": "object",
    "additionalProperties": {"type": "number", "minimum": 0},
    "minProperties": 1,
}

_SPECIAL: Mapping[Any, Callable[[_SchemaWalk], Schema]] = {
    Amount: _SchemaWalk.amount,
    Anchor: _SchemaWalk.anchor,
    ClockTime: _SchemaWalk.clock_time,
    Branching: lambda _: _SHARES,
    Duration: lambda walk: _any((walk.amount(), walk._reference(Duration))),  # noqa: SLF001  # this module's own
    FieldMix: lambda walk: _any(
        (
            {"type": ["string", "number", "boolean", "null"]},
            _SHARES,
            walk._reference(NumberDistribution),  # noqa: SLF001  # this module's own
            walk._reference(Duration),  # noqa: SLF001  # this module's own
        )
    ),
    Guard: _SchemaWalk.guard,
    Mapping[str, Text]: lambda walk: _any(
        (
            {"type": "array", "items": {"type": "string"}},
            {"type": "object", "additionalProperties": _any((walk.text(), {"type": "null"}))},
        )
    ),
    Mapping[str, Field]: lambda walk: walk.keyed(Field),
    Mapping[str, Indicator]: lambda walk: walk.keyed(Indicator),
    Mapping[str, Certificate]: lambda walk: walk.names(),
    Mapping[str, Role]: lambda walk: walk.names(),
    Mapping[str, Parameter]: lambda walk: walk.valued(Parameter),
    Mapping[str, Override]: lambda walk: walk.valued(Override),
    Mapping[str, Source]: lambda walk: {
        "type": "object",
        "additionalProperties": _any((walk._reference(Source, "id"), {"type": "string"})),  # noqa: SLF001  # this module's own
    },
    Rung: _SchemaWalk.rung,
    StepNames: lambda _: {
        "anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}, {"type": "null"}]
    },
    Text: _SchemaWalk.text,
    TimeLimit: lambda walk: _any((walk.amount(), walk.limit())),
    date: lambda _: {"type": "string", "format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
    tuple[Branch, ...]: lambda walk: walk.keyed(Branch),
    tuple[HoldRule, ...]: lambda walk: walk.keyed(HoldRule, {"enum": list(HOLD_REASONS)}),
    tuple[Step, ...]: lambda walk: walk.keyed(Step),
    tuple[TimeLimit, ...]: lambda walk: {"type": "array", "items": {**walk.limit(), "required": ["id"]}},
    tuple[Transition, ...]: _SchemaWalk.transitions,
}


def _object(properties: Mapping[str, Schema], required: Iterable[str] = ()) -> Schema:
    made: Schema = {
        "type": "object",
        "properties": dict(properties),
        "additionalProperties": False,
    }
    return {**made, "required": list(required)} if required else made


def _any(choices: Iterable[Schema]) -> Schema:
    """Return the union, nested unions laid open and plain types put together."""
    flat: list[Schema] = []
    plain: list[str] = []
    for choice in choices:
        for part in choice["anyOf"] if choice.keys() == {"anyOf"} else [choice]:
            if part.keys() == {"type"} and isinstance(part["type"], str):
                plain.append(part["type"])
            else:
                flat.append(part)
    if "number" in plain and "integer" in plain:
        plain.remove("integer")
    if not flat:
        return {"type": plain}
    return {"anyOf": [*flat, *({"type": name} for name in plain)]}


def _key(name: str) -> str:
    return name.removesuffix("_")


def _description(cls: type[Any]) -> str:
    """Return the class's docstring before its examples and errors, as one paragraph."""
    paragraph = inspect.cleandoc(cls.__doc__ or "").split(">>>")[0].split("Raises:")[0]
    return " ".join(paragraph.split())


def _days(description: str, **more: Schema) -> Schema:
    day = _entry({"date": _DAY, "to": _DAY, "name": _NAME, **more}, ("date",))
    return {"description": description, "anyOf": [{"type": "array", "items": day}, {"type": "null"}]}


def _entry(properties: dict[str, Schema], required: tuple[str, ...]) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }
