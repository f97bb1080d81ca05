"""Guards: a small expression language, checked when a document is loaded, compiled to closures.

A guard is a Python expression parsed with `ast` and checked against an allow-list: no attributes, no calls but
those of a fixed table, no builtins. A guard that cannot be evaluated denies, with one `GuardError`.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

import attrs

from svcflow.errors import GuardError
from svcflow.model.fullwidth import halved
from svcflow.nearest import did_you_mean, nearest
from svcflow.text import NO_TEXT, Text

__all__ = ["FUNCTIONS", "MAX_CHARACTERS", "MAX_DEPTH", "MAX_NODES", "Guard", "meant", "wording"]


MAX_CHARACTERS, MAX_NODES, MAX_DEPTH = 1_000, 100, 20

Data = Mapping[str, Any]
_Closure = Callable[[Data], Any]

_STRING = re.compile(r"(\"[^\"]*\"|'[^']*')")
"""A text in quotes, as a group, so that splitting by it keeps the texts."""
_RUN_ON = re.compile(r"(?<![\w.])(?>\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?>(?:[eE][+-]?\d+)?)[^\W\d]")

_CONSTANTS = {"true": "True", "false": "False", "null": "None", "none": "None", "nil": "None"}

_MEANT = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"<>", "!="),
        (r"={3,}", "=="),
        (r"(?<![=!<>])=>", ">="),
        (r"(?<![=!<>])=<", "<="),
        (r"(?<![=!<>])=(?![=])", "=="),
        (r"&&?|\b(?:AND|And)\b|[且并]且?", " and "),
        (r"\|\|?|\b(?:OR|Or)\b|或者?", " or "),
        (r"!(?!=)|\b(?:NOT|Not)\b|非", " not "),
        (r"(?<=\d)\s*(?:元|次|个|人|天|小时|分钟|级)", ""),
    )
)
"""What other languages, forms and input methods write instead of our operators."""
_SYNTAX_ERRORS = (
    # the pattern of a message of Python, and what we say instead
    (r"'(.)' was never closed", "{0} 没有闭合", "{0} is never closed"),
    (r"unmatched '(.)'", "多出一个 {0}", "{0} closes nothing"),
    (r"closing parenthesis '(.)'.*", "{0} 与前面的括号不成对", "{0} does not fit the bracket before it"),
    (r"unterminated string literal.*", "引号没有闭合", "a quotation mark is not closed"),
    (r"invalid (?:non-printable )?character '?(.).*", "不能用字符 {0}", "the character {0} has no meaning"),
    (r"unexpected EOF.*", "不完整", "it is not complete"),
)

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "ends_with": lambda text, part: str(text).endswith(part),
    "len": len,
    "lower": lambda text: str(text).lower(),
    "max": max,
    "min": min,
    "starts_with": lambda text, part: str(text).startswith(part),
}


@attrs.frozen
class Guard:
    """Checked guard expression; equal when the text is equal.

    >>> Guard('priority == "emergency" and fee > 200').holds({"priority": "emergency", "fee": 300})
    True

    Raises: GuardError when the text is not allowed.
    """

    text: str
    constants: Data = attrs.field(factory=dict, eq=False, repr=False, kw_only=True)
    """Values of the parameters that it names."""
    _run: _Closure = attrs.field(init=False, eq=False, repr=False)
    names: frozenset[str] = attrs.field(init=False, eq=False, repr=False)
    paths: frozenset[str] = attrs.field(init=False, eq=False, repr=False)
    """The keys it looks up in mappings, as `name.key`."""

    def __attrs_post_init__(self) -> None:
        tree = self.tree
        object.__setattr__(self, "names", _names(tree))
        object.__setattr__(self, "paths", _paths(tree))
        object.__setattr__(self, "_run", _compile(tree))

    @property
    def tree(self) -> ast.expr:
        """The expression, with the values of parameters in the place of their names."""
        tree = _parse(self.text)
        return _Constants(self.constants).visit(tree) if self.constants else tree

    @property
    def plain(self) -> str:
        """The text, with the values of parameters in the place of their names."""
        return ast.unparse(self.tree) if self.constants else self.text

    def holds(self, data: Data) -> bool:
        """Return whether the guard is true of `data`. Raises: GuardError when it cannot be decided."""
        try:
            return bool(self._run(data))
        except GuardError:
            raise
        except Exception as error:
            why = self._why(error, data)
            message = Text(
                zh=f"条件“{self.text}”无法判定：{why.zh}",
                en=f"guard {self.text!r} cannot be decided: {why.en}",
            )
            raise GuardError(message) from error

    def check_names(self, declared: Iterable[str]) -> None:
        """Raise GuardError for names that are not declared, with a suggestion."""
        known = sorted(declared)
        for name in sorted(self.names.difference(known)):
            constant = _CONSTANTS.get(name.casefold())
            raise GuardError(
                Text(
                    zh=f"条件“{self.text}”中的“{name}”不是已声明的字段",
                    en=f"guard {self.text!r} names {name!r}, which is no declared field",
                ),
                Text(zh=f"写 {constant}", en=f"write {constant}") if constant else nearest(name, known),
            )

    def _why(self, error: Exception, data: Data) -> Text:
        """Return why the guard cannot be decided: mostly a field is empty, which Python words as one of its types."""
        empty = ", ".join(name for name in sorted(self.names) if data.get(name) is None)
        if empty and isinstance(error, TypeError):
            return Text(zh=f"{empty} 没有值", en=f"{empty} {'are' if ',' in empty else 'is'} empty")
        if isinstance(error, ZeroDivisionError):
            return Text(zh="除数为零", en="division by zero")
        if isinstance(error, TypeError):
            return Text(zh="所比的值类型不同", en="its values are of kinds that do not go together")
        return Text(zh=str(error), en=str(error))

    def __reduce__(self) -> tuple[Any, ...]:
        return (_guard, (self.text, dict(self.constants))) if self.constants else (Guard, (self.text,))

    def __str__(self) -> str:
        return self.text


def _guard(text: str, constants: Data) -> Guard:
    return Guard(text, constants=constants)


def meant(text: str) -> str:
    """Return the text with the operators and quotes of our guards; texts in quotes stay as they are.

    >>> meant("k = “water” && fee ≥ 3元")
    'k == "water" and fee >= 3'
    """
    if text[:1] in "“”" and text[-1:] in "“”":
        text = text[1:-1]
    parts = _STRING.split(halved(text))
    for place in range(0, len(parts), 2):
        for pattern, instead in _MEANT:
            parts[place] = pattern.sub(instead, parts[place])
    return re.sub(r" {2,}", " ", "".join(parts)).strip()


def wording(error: SyntaxError) -> Text:
    """Return Python's message about an expression in both languages, with its column."""
    zh, en = "写法不对", "it cannot be read"
    for pattern, in_zh, in_en in _SYNTAX_ERRORS:
        if match := re.fullmatch(pattern, error.msg):
            zh, en = in_zh.format(*match.groups()), in_en.format(*match.groups())
    return Text(zh=f"第 {error.offset} 个字符：{zh}", en=f"{en} (column {error.offset})")


def _parse(text: str) -> ast.expr:
    if len(text) > MAX_CHARACTERS:
        _refuse(f"超过 {MAX_CHARACTERS} 个字符", f"is longer than {MAX_CHARACTERS} characters", text[:40])
    # Python warns about these two on the host's stderr, and differently from version to version
    if "\\" in text:
        _refuse("含反斜杠", "has a backslash", text[:40])
    if run_on := _RUN_ON.search(_STRING.sub('""', text)):
        message = Text(
            zh=f"条件“{text[:40]}”中数字与文字连写：{run_on[0]}",
            en=f"guard {text[:40]!r} has a number run into a word: {run_on[0]}",
        )
        raise GuardError(message, _suggested(text))
    if text.count("(") + text.count("[") + text.count("{") > MAX_NODES:
        _refuse("嵌套过深", "nests too deeply", text[:40])
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where = wording(error) if isinstance(error, SyntaxError) else Text(zh=str(error), en=str(error))
        message = Text(
            zh=f"条件“{text}”不是合法表达式：{where.zh}", en=f"guard {text!r} is no expression: {where.en}"
        )
        raise GuardError(message, _suggested(text)) from None
    if sum(1 for _ in ast.walk(tree)) > MAX_NODES:
        _refuse(f"超过 {MAX_NODES} 个节点", f"has more than {MAX_NODES} nodes", text)
    if _depth(tree) > MAX_DEPTH:
        _refuse(f"嵌套超过 {MAX_DEPTH} 层", f"nests deeper than {MAX_DEPTH}", text)
    return tree


def _suggested(text: str) -> Text:
    """Return a question whether the expression with Python's operators and quotes was meant."""
    fixed = meant(text)
    if fixed == text:
        return NO_TEXT
    try:
        _parse(fixed)
    except GuardError:
        return NO_TEXT
    return did_you_mean(fixed)


def _depth(node: ast.AST) -> int:
    return 1 + max((_depth(child) for child in ast.iter_child_nodes(node)), default=0)


def _names(tree: ast.expr) -> frozenset[str]:
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return frozenset(n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in called)


def _paths(tree: ast.expr) -> frozenset[str]:
    looked_up = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    return frozenset(f"{ast.unparse(node.value)}.{node.attr}" for node in looked_up)


class _Constants(ast.NodeTransformer):
    """Replacement of the names of parameters by their values."""

    def __init__(self, values: Data) -> None:
        self._values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:  # as the base class calls it
        return ast.Constant(self._values[node.id]) if node.id in self._values else node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Replace what a function is given, never its own name."""
        return ast.Call(node.func, [self.visit(argument) for argument in node.args], node.keywords)


def _compile(node: ast.expr) -> _Closure:
    compiler = _COMPILERS.get(type(node))
    if compiler is None:
        written = ast.unparse(node)
        _refuse(f"不允许 {type(node).__name__}", f"uses {type(node).__name__}, which is not allowed", written)
    return compiler(node)


def _constant(node: ast.Constant) -> _Closure:
    value = node.value
    if not isinstance(value, str | int | float | bool | None):
        _refuse(
            "只允许文字、数字、真假与空", "may hold text, numbers, True, False and None only", repr(value)
        )
    return lambda _: value


def _name(node: ast.Name) -> _Closure:
    name = node.id
    return lambda data: data.get(name)


def _key(node: ast.Attribute) -> _Closure:
    """Compile the lookup of a key; `.` never reads an attribute of a Python object."""
    inner, key = _compile(node.value), node.attr

    def run(data: Data) -> Any:
        value = inner(data)
        if not isinstance(value, Mapping):
            _undecided(f"“.{key}”之前没有值", f"there is nothing before '.{key}'")
        return value.get(key)

    return run


def _bool(node: ast.BoolOp) -> _Closure:
    parts = tuple(_compile(value) for value in node.values)
    if isinstance(node.op, ast.And):
        return lambda data: all(part(data) for part in parts)
    return lambda data: any(part(data) for part in parts)


def _unary(node: ast.UnaryOp) -> _Closure:
    inner = _compile(node.operand)
    if isinstance(node.op, ast.Not):
        return lambda data: not inner(data)
    if isinstance(node.op, ast.USub):
        return lambda data: -_number(inner(data))
    _refuse("不允许该运算符", "uses an operator that is not allowed", ast.unparse(node))


def _binary(node: ast.BinOp) -> _Closure:
    action = _ARITHMETIC.get(type(node.op))
    if action is None:
        _refuse("只允许 + - * /", "may use + - * / only", ast.unparse(node))
    left, right = _compile(node.left), _compile(node.right)
    return lambda data: action(_number(left(data)), _number(right(data)))


def _compare(node: ast.Compare) -> _Closure:
    for op in node.ops:
        if type(op) not in _COMPARE:
            _refuse("不允许 is", "may not use 'is'; write ==", ast.unparse(node))
    first = _compile(node.left)
    rest = tuple((_COMPARE[type(op)], _compile(c)) for op, c in zip(node.ops, node.comparators, strict=True))
    if len(rest) == 1:
        action, second = rest[0]
        return lambda data: action(first(data), second(data))

    def chain(data: Data) -> bool:
        left = first(data)
        for action, part in rest:
            right = part(data)
            if not action(left, right):
                return False
            left = right
        return True

    return chain


def _sequence(node: ast.List | ast.Tuple) -> _Closure:
    parts = tuple(_compile(item) for item in node.elts)
    return lambda data: tuple(part(data) for part in parts)


def _call(node: ast.Call) -> _Closure:
    name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
    function = FUNCTIONS.get(name)
    if function is None or node.keywords or not node.args:
        table = ", ".join(sorted(FUNCTIONS))
        _refuse(f"函数只有 {table}", f"may call only {table}, with plain arguments", ast.unparse(node))
    arguments = tuple(_compile(argument) for argument in node.args)
    return lambda data: function(*(argument(data) for argument in arguments))


_COMPILERS: dict[type[ast.expr], Callable[[Any], _Closure]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _key,
    ast.BoolOp: _bool,
    ast.UnaryOp: _unary,
    ast.BinOp: _binary,
    ast.Compare: _compare,
    ast.List: _sequence,
    ast.Tuple: _sequence,
    ast.Call: _call,
}


def _number(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        _undecided(f"“{value}”不是数字", f"{value!r} is no number")
    return value


def _refuse(zh: str, en: str, what: str) -> NoReturn:
    raise GuardError(Text(zh=f"条件“{what}”{zh}", en=f"guard {what!r} {en}"))


def _undecided(zh: str, en: str) -> NoReturn:
    raise GuardError(Text(zh=f"条件无法判定：{zh}", en=f"guard cannot be decided: {en}"))
