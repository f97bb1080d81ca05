"""Turn plain data into the model's classes and back: the short forms of a document, and its mistakes.

Every mistake is collected with its path before anything is refused.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, TypeVar, get_args, get_origin

import attrs
import cattrs
from cattrs.errors import (
    AttributeValidationNote,
    BaseValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)
from cattrs.gen import make_dict_structure_fn, override

from svcflow.errors import DeclarationError, Path, Problem, SvcflowError
from svcflow.model.amount import UNITS, Amount
from svcflow.model.field import Field
from svcflow.model.guard import Guard
from svcflow.model.limit import Row, Rung, TimeLimit
from svcflow.model.procedure import HoldRule, Indicator, Procedure, Role
from svcflow.model.scenario import Branching, Duration
from svcflow.model.step import Branch, Step, Transition
from svcflow.text import Text

T = TypeVar("T")
Data = Mapping[str, Any]

RENAMED = {"from_": "from"}
LATER_KINDS = ("by", "cutoff", "day", "before", "after", "at_least", "every", "extension")


def structure(data: Data, cls: type[T]) -> T:
    """Build `cls` from plain data. Raises: DeclarationError listing every mistake with its path."""
    try:
        return _converter().structure(data, cls)
    except (BaseValidationError, SvcflowError, ForbiddenExtraKeysError) as error:
        raise DeclarationError(_problems(error, ())) from None


def structure_procedure(data: Data) -> Procedure:
    """Build a procedure from the data of its document. Raises: DeclarationError."""
    _required(data, ("procedure", "steps"))
    form = {"id" if key == "procedure" else key: value for key, value in data.items()}
    try:
        return structure(form, Procedure)
    except DeclarationError as error:
        raise DeclarationError((*error.problems, *_beyond(form, error.problems))) from None


def _beyond(form: Data, problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Return the mistakes that show only once those already found are left out of the document.

    A value of the wrong shape would otherwise hide a name that refers to nothing elsewhere.
    """
    if not any(problem.path for problem in problems):
        return ()
    pruned = [problem.path for problem in problems]
    try:
        structure(_pruned(form, pruned, ()), Procedure)
    except DeclarationError as error:
        parents = {path[:-1] for path in pruned} | set(pruned)
        return tuple(p for p in error.problems if p.path not in parents and p.path[:-1] not in parents)
    return ()


def _pruned(node: Any, paths: list[Path], here: Path) -> Any:
    if isinstance(node, Mapping):
        return {k: _pruned(v, paths, (*here, k)) for k, v in node.items() if not _gone(paths, (*here, k), v)}
    if isinstance(node, list):
        return [_pruned(v, paths, (*here, i)) for i, v in enumerate(node) if not _gone(paths, (*here, i), v)]
    return node


def _gone(paths: list[Path], here: Path, node: Any) -> bool:
    """Say whether a mistake stands here, or just below a value that has no parts."""
    return any(p == here or (p[: len(here)] == here and not isinstance(node, Mapping | list)) for p in paths)


def _required(data: Data, keys: tuple[str, ...]) -> None:
    missing = [key for key in keys if key not in data]
    if missing:
        raise DeclarationError(
            [Problem((), Text(zh=f"缺少 {key}", en=f"the key {key!r} is missing")) for key in missing]
        )


@lru_cache(maxsize=1)
def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=True)
    for kind, zh, en in (
        (str, "文字", "text"),
        (int, "整数", "a whole number"),
        (bool, "true 或 false", "true or false"),
    ):
        converter.register_structure_hook(kind, _strict(kind, zh, en))
    converter.register_structure_hook(float, _share)
    converter.register_structure_hook(Text, _text)
    converter.register_structure_hook(
        Branching, lambda value, _: Branching(shares={k: _share(v, None) for k, v in _mapping(value).items()})
    )
    converter.register_structure_hook(Duration, _class_hook(converter, Duration, _duration_form))
    converter.register_structure_hook(Amount, lambda written, _: Amount.parse(written))
    converter.register_structure_hook(Guard, lambda written, _: Guard(str(written)))
    converter.register_structure_hook(date, _date)
    converter.register_structure_hook_func(_is_scalar_union, lambda value, _: _plain_value(value))
    converter.register_structure_hook_func(
        lambda t: get_origin(t) is not None and str(t).startswith("typing.Literal"), _literal
    )
    for cls in (Field, Indicator):
        _keyed_mapping(converter, cls)
    _keyed_mapping(converter, Role, short=lambda value: {"name": value})
    _keyed_tuple(converter, HoldRule, key="reason")
    _keyed_tuple(converter, Step)
    _keyed_tuple(converter, Branch)
    _for_type(converter, tuple[Transition, ...], lambda value, _: _transitions(converter, value))
    converter.register_structure_hook(TimeLimit, _class_hook(converter, TimeLimit, _limit_form))
    converter.register_structure_hook(
        Rung, _class_hook(converter, Rung, lambda v: v if isinstance(v, Mapping) else {"at": str(v)})
    )
    converter.register_structure_hook(Row, _class_hook(converter, Row, lambda v: v))
    return converter


def _class_hook(
    converter: cattrs.Converter, cls: type[Any], form: Callable[[Any], Any]
) -> Callable[[Any, Any], Any]:
    """Structure `cls` after `form` has written its short form out."""
    renames = {name: override(rename=key) for name, key in RENAMED.items() if name in attrs.fields_dict(cls)}
    inner = make_dict_structure_fn(
        cls,
        converter,
        _cattrs_forbid_extra_keys=True,
        _cattrs_detailed_validation=True,
        **renames,  # type: ignore[arg-type]  # cattrs takes overrides by attribute name
    )
    return lambda value, _: inner(_mapping(form(value)), cls)


def _mapping(value: object) -> Any:
    if not isinstance(value, Mapping):
        raise _wrong(value, "一组键值", "a mapping of keys to values")
    return value


def _limit_form(value: object) -> object:
    """`15m` and `{wd: 1, source: …}` stand for `{within: …}`."""
    if not isinstance(value, Mapping):
        return {"within": value}
    later = [key for key in LATER_KINDS if key in value]
    if later:
        raise DeclarationError([_unsupported(key) for key in later])
    units = [key for key in value if key in UNITS]
    if len(units) == 1 and "within" not in value:
        rest = {key: item for key, item in value.items() if key not in units}
        return {"within": f"{value[units[0]]}{units[0]}", **rest}
    return value


def _duration_form(value: object) -> object:
    """`30m` stands for a constant time."""
    return value if isinstance(value, Mapping) else {"distribution": "constant", "value": value}


def _unsupported(key: str) -> Problem:
    return Problem(
        (key,),
        Text(zh=f"“{key}”类时限尚不支持", en=f"limits by {key!r} are not supported yet"),
        Text(zh="目前支持 within：m h d wm wh wd", en="for now write within, in m h d wm wh wd"),
    )


def _keyed(
    converter: cattrs.Converter, cls: type[T], key: str, short: Callable[[Any], Any]
) -> Callable[[Any], list[T]]:
    inner = _class_hook(converter, cls, lambda value: value)

    def items(value: object) -> list[T]:
        made, errors = [], []
        for name, item in _mapping(value).items():
            try:
                form = short(item)
                made.append(inner({**_without(key, form, cls), key: name}, cls))
            except (BaseValidationError, SvcflowError, ForbiddenExtraKeysError) as error:
                error.add_note(IterableValidationNote("", name, cls))
                errors.append(error)
        if errors:
            raise IterableValidationError("", errors, cls)
        return made

    return items


def _without(key: str, form: object, cls: type[Any]) -> Data:
    """Return the mapping, refusing a key that the document already gives by position."""
    data: Data = _mapping({} if form is None else form)
    if key in data:
        raise ForbiddenExtraKeysError("", cls, {key})
    return data


def _for_type(converter: cattrs.Converter, kind: Any, hook: Callable[[Any, Any], Any]) -> None:
    """Register for a generic type, which cattrs finds by equality only."""
    converter.register_structure_hook_func(lambda asked: asked == kind, hook)


def _same(value: Any) -> Any:
    return value


def _keyed_mapping(
    converter: cattrs.Converter, cls: type[Any], *, short: Callable[[Any], Any] = _same
) -> None:
    items = _keyed(converter, cls, "id", short)
    _for_type(converter, Mapping[str, cls], lambda value, _: {item.id: item for item in items(value)})  # type: ignore[valid-type]  # a type at run time


def _keyed_tuple(converter: cattrs.Converter, cls: type[Any], *, key: str = "id") -> None:
    made: list[Callable[[Any], list[Any]]] = []

    def hook(value: Any, _: Any) -> tuple[Any, ...]:
        if not made:  # steps hold branches that hold steps: the inner hook is made at first use
            made.append(_keyed(converter, cls, key, _same))
        return tuple(made[0](value))

    _for_type(converter, tuple[cls, ...], hook)  # type: ignore[valid-type]  # a type at run time


def _transitions(converter: cattrs.Converter, value: object) -> tuple[Transition, ...]:
    """`{accept: accepted}`, `{reject: {step: …}}`, and rows of one trigger as a list."""
    inner = _class_hook(converter, Transition, _same)
    made, errors = [], []
    for trigger, written in _mapping(value).items():
        rows = written if isinstance(written, list) else [written]
        for place, row in enumerate(rows):
            form = {"step": row} if isinstance(row, str) else row
            try:
                made.append(inner({**_without("trigger", form, Transition), "trigger": trigger}, Transition))
            except (BaseValidationError, SvcflowError, ForbiddenExtraKeysError) as error:
                if isinstance(written, list):
                    error.add_note(IterableValidationNote("", place, Transition))
                error.add_note(IterableValidationNote("", trigger, Transition))
                errors.append(error)
    if errors:
        raise IterableValidationError("", errors, Transition)
    return tuple(made)


def _strict(kind: type[Any], zh: str, en: str) -> Callable[[Any, Any], Any]:
    def hook(value: Any, _: Any) -> Any:
        if type(value) is not kind:
            raise _wrong(value, zh, en)
        return value

    return hook


def _text(value: object, _: object) -> Text:
    if isinstance(value, str):
        return Text(en=value) if value.isascii() else Text(zh=value)
    extra = set(_mapping(value)) - {"zh", "en"}
    if extra:
        raise ForbiddenExtraKeysError("", Text, extra)
    wrong = [key for key, item in value.items() if not isinstance(item, str)]  # type: ignore[attr-defined]  # a mapping
    if wrong:
        raise _wrong(value, "文字", "text under zh and en")
    return Text(**value)  # type: ignore[arg-type]  # checked above


def _date(value: object, _: object) -> date:
    try:
        return value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError:
        raise _wrong(value, "日期，如 2026-01-01", "a date such as 2026-01-01") from None


def _share(value: object, _: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(value, "数字", "a number")
    return float(value)


def _is_scalar_union(kind: Any) -> bool:
    parts = set(get_args(kind))
    return bool(parts) and parts <= {str, int, float, bool, type(None)} and len(parts - {type(None)}) > 1


def _plain_value(value: object) -> Any:
    if value is not None and not isinstance(value, str | int | float | bool):
        raise _wrong(value, "单个值", "a single value")
    return value


def _literal(value: Any, kind: Any) -> Any:
    choices = get_args(kind)
    if value not in choices:
        near = difflib.get_close_matches(str(value), [str(c) for c in choices], 1)
        listed = ", ".join(str(c) for c in choices if c is not None)
        remedy = (
            Text(zh=f"是否指 {near[0]}？", en=f"did you mean {near[0]}?")
            if near
            else Text(zh=f"可取：{listed}", en=f"write one of {listed}")
        )
        raise DeclarationError(
            [Problem((), Text(zh=f"不能是“{value}”", en=f"{value!r} is not allowed"), remedy)]
        )
    return value


def _wrong(value: object, zh: str, en: str) -> DeclarationError:
    shown = repr(value) if len(repr(value)) < 60 else f"{repr(value)[:57]}…"
    return DeclarationError(
        [Problem((), Text(zh=f"须为{zh}，而不是 {shown}", en=f"takes {en}, not {shown}"))]
    )


def _problems(error: BaseException, path: Path) -> Iterator[Problem]:
    path = (*path, *reversed([part for note in getattr(error, "__notes__", ()) for part in _note_path(note)]))
    if isinstance(error, BaseValidationError):
        for inner in error.exceptions:
            yield from _problems(inner, path)
    elif isinstance(error, DeclarationError):
        for problem in error.problems:
            yield attrs.evolve(problem, path=(*path, *problem.path))
    elif isinstance(error, ForbiddenExtraKeysError):
        for key in sorted(error.extra_fields):
            yield _extra_key(error.cl, key, path)
    elif isinstance(error, SvcflowError):
        yield Problem(path, error.message, error.remedy)
    elif isinstance(error, KeyError):
        key = RENAMED.get(error.args[0], error.args[0])
        yield Problem(path[:-1], Text(zh=f"缺少 {key}", en=f"the key {key!r} is missing"))
    else:
        yield Problem(path, Text(zh=f"不合法：{error}", en=f"not valid: {error}"))


def _note_path(note: object) -> Iterator[str | int]:
    if isinstance(note, AttributeValidationNote):
        yield RENAMED.get(note.name, note.name)
    elif isinstance(note, IterableValidationNote):
        yield note.index


def _extra_key(cls: type[Any], key: str, path: Path) -> Problem:
    known = (
        ["zh", "en"]
        if cls is Text
        else [RENAMED.get(name, name) for name in attrs.fields_dict(cls) if name != "id"]
    )
    near = difflib.get_close_matches(key, known, 1)
    listed = ", ".join(known)
    remedy = (
        Text(zh=f"是否指 {near[0]}？", en=f"did you mean {near[0]}?")
        if near
        else Text(zh=f"可用：{listed}", en=f"there are: {listed}")
    )
    return Problem((*path, key), Text(zh=f"没有“{key}”这个键", en=f"there is no key {key!r} here"), remedy)
