"""Wording of guards for people: the names of fields and of their values in the place of the expression."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from itertools import pairwise

from svcflow.model.field import Field, Value
from svcflow.model.guard import Guard
from svcflow.text import NO_TEXT, Text
from svcflow.wording import GROUPS

__all__ = ["guard_text", "value_text"]

_GROUP = "recipient.group"
_RECIPIENT_GROUP = Text(zh="服务对象类别", en="group of the recipient")
_SIGNS: Mapping[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "≤",
    ast.Gt: ">",
    ast.GtE: "≥",
    ast.Eq: "=",
    ast.NotEq: "≠",
}
_ARITHMETIC: Mapping[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "−", ast.Mult: "×", ast.Div: "÷"}
_OR = Text(zh="或", en=" or ")


def guard_text(guard: Guard, fields: Mapping[str, Field]) -> Text:
    """Return a guard in words; a part that has none stands as it is written.

    >>> urgent = Field("priority", type="choice", name=Text("紧急程度", "Priority"), choices={"emergency": Text("紧急", "Emergency")})
    >>> guard_text(Guard('priority == "emergency"'), {"priority": urgent})
    Text(zh='紧急程度为“紧急”', en='Priority is Emergency')
    """
    return _Words(fields).of(guard.tree)


def value_text(field: Field | None, value: Value) -> Text:
    """Return the name of a value of a field; the value itself where it has none."""
    if isinstance(value, bool):
        return Text(zh="是", en="yes") if value else Text(zh="否", en="no")
    name = field.values.get(value, NO_TEXT) if field is not None and isinstance(value, str) else NO_TEXT
    return Text(zh=name.zh or name.en or str(value), en=name.en or name.zh or str(value))


class _Words:
    """Words of one guard, over the fields that it names."""

    def __init__(self, fields: Mapping[str, Field]) -> None:
        self._fields = fields

    def of(self, node: ast.expr) -> Text:
        """Return the words of one condition."""
        match node:
            case ast.BoolOp(op=op, values=parts):
                return self._joined(op, parts)
            case ast.UnaryOp(op=ast.Not(), operand=ast.Name(id=name)):
                return self._yes_or_no(name, yes=False)
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                words = self.of(inner)
                return Text(zh=f"并非（{words.zh}）", en=f"not ({words.en})")
            case ast.Name(id=name) if name in self._fields:
                return self._yes_or_no(name, yes=True)
            case ast.Constant(value=bool(value)):
                return Text(zh="总是" if value else "从不", en="always" if value else "never")
            case ast.Compare(left=left, ops=ops, comparators=rest):
                pairs = list(zip(ops, pairwise((left, *rest)), strict=True))
                texts = [self._comparison(op, one, other) for op, (one, other) in pairs]
                return Text(
                    zh="，且".join(text.zh for text in texts), en=" and ".join(text.en for text in texts)
                )
        return self._operand(node)

    def _joined(self, op: ast.boolop, parts: Sequence[ast.expr]) -> Text:
        words = []
        for part in parts:
            text = self.of(part)
            nested = isinstance(part, ast.BoolOp)
            words.append(Text(zh=f"（{text.zh}）", en=f"({text.en})") if nested else text)
        zh, en = ("，且", " and ") if isinstance(op, ast.And) else ("，或", " or ")
        return Text(zh=zh.join(text.zh for text in words), en=en.join(text.en for text in words))

    def _yes_or_no(self, name: str, *, yes: bool) -> Text:
        called = self._name(name)
        if name in self._fields and self._fields[name].type != "boolean":
            zh, en = ("有值", "is given") if yes else ("无值", "is not given")
            return Text(zh=f"{called.zh}{zh}", en=f"{called.en} {en}")
        return Text(zh=f"{called.zh}为{'是' if yes else '否'}", en=called.en if yes else f"not {called.en}")

    def _comparison(self, op: ast.cmpop, one: ast.expr, other: ast.expr) -> Text:
        if isinstance(one, ast.Constant) and type(op) in _MIRRORED:
            one, other, op = other, one, _MIRRORED[type(op)]()
        field, called = self._field(one), self._operand(one)
        match op, other:
            case ast.Eq() | ast.NotEq(), ast.Constant(value=None):
                given = isinstance(op, ast.NotEq)
                return Text(
                    zh=f"{called.zh}{'已填' if given else '未填'}",
                    en=f"{called.en} is {'given' if given else 'not given'}",
                )
            case ast.Eq() | ast.NotEq(), ast.Constant(value=bool(value)) if isinstance(one, ast.Name):
                return self._yes_or_no(one.id, yes=value == isinstance(op, ast.Eq))
            case ast.Eq() | ast.NotEq(), ast.Constant(value=str(value)):
                return _is(called, [self._value(field, one, value)], yes=isinstance(op, ast.Eq))
            case ast.In() | ast.NotIn(), ast.List(elts=items) | ast.Tuple(elts=items) if items and all(
                isinstance(item, ast.Constant) for item in items
            ):
                values = [self._value(field, one, item.value) for item in items]  # type: ignore[attr-defined]  # all are constants
                return _is(called, values, yes=isinstance(op, ast.In))
        if type(op) not in _SIGNS:
            return _as_written(ast.Compare(one, [op], [other]))
        bound, unit = self._operand(other), self._unit(field, other)
        sign = _SIGNS[type(op)]
        return Text(zh=f"{called.zh} {sign} {bound.zh}{unit}", en=f"{called.en} {sign} {bound.en}{unit}")

    def _field(self, node: ast.expr) -> Field | None:
        return self._fields.get(node.id) if isinstance(node, ast.Name) else None

    def _unit(self, field: Field | None, bound: ast.expr) -> str:
        return (
            f" {field.unit}" if field is not None and field.unit and isinstance(bound, ast.Constant) else ""
        )

    def _value(self, field: Field | None, of: ast.expr, value: Value) -> Text:
        if ast.unparse(of) == _GROUP and isinstance(value, str):
            return GROUPS.get(value, Text(zh=value, en=value))
        return value_text(field, value)

    def _name(self, name: str) -> Text:
        called = self._fields[name].name if name in self._fields else NO_TEXT
        return Text(zh=called.zh or called.en or name, en=called.en or called.zh or name)

    def _operand(self, node: ast.expr) -> Text:
        match node:
            case ast.Name(id=name):
                return self._name(name)
            case ast.BinOp(left=left, op=op, right=right):
                one, other, sign = self._term(left), self._term(right), _ARITHMETIC[type(op)]
                return Text(zh=f"{one.zh} {sign} {other.zh}", en=f"{one.en} {sign} {other.en}")
        if ast.unparse(node) == _GROUP:
            return _RECIPIENT_GROUP
        return _as_written(node)

    def _term(self, node: ast.expr) -> Text:
        words = self._operand(node)
        return Text(zh=f"({words.zh})", en=f"({words.en})") if isinstance(node, ast.BinOp) else words


_MIRRORED: Mapping[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
    ast.Eq: ast.Eq,
    ast.NotEq: ast.NotEq,
}
"""Comparisons with their sides exchanged, so that the field stands before the constant."""


def _is(called: Text, values: Sequence[Text], *, yes: bool) -> Text:
    zh = ("或" if yes else "、").join(f"“{value.zh}”" for value in values)
    en = " or ".join(value.en for value in values)
    return Text(
        zh=f"{called.zh}{'为' if yes else '不为'}{zh}", en=f"{called.en} is {'' if yes else 'not '}{en}"
    )


def _as_written(node: ast.expr) -> Text:
    text = ast.unparse(node)
    return Text(zh=text, en=text)
