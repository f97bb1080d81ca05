"""Structuring of plain data into the model's classes: the short forms of a document, and its mistakes.

Every mistake is collected with its path before anything is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
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
from svcflow.model.amount import UNITS, Amount, named_amount
from svcflow.model.field import Field
from svcflow.model.guard import Guard
from svcflow.model.limit import Rung, TimeLimit
from svcflow.model.parameter import Override, Parameter, quantity
from svcflow.model.procedure import Certificate, HoldRule, Indicator, Procedure, Role
from svcflow.model.qualification_register import LastDay
from svcflow.model.scenario import (
    Branching,
    Duration,
    FieldMix,
    Fixed,
    NumberDistribution,
    Shares,
)
from svcflow.model.source import Source
from svcflow.model.step import Branch, Otherwise, Step, StepNames, Transition
from svcflow.model.target import Anchor, ClockTime, named_clock_time
from svcflow.model.yaml.parse_values import (
    is_number,
    is_quantity,
    is_value,
    mistaken,
    read_choice,
    read_date,
    read_last_day,
    read_mapping,
    read_number,
    read_plain,
    read_share,
    read_text,
    strict,
)
from svcflow.model.yaml.shared_exits import SharedExits
from svcflow.model.yaml.unknown_keys import RENAMED, UNWRITTEN, unknown_key, written_at
from svcflow.model.yaml.value_remedies import as_kind, as_list
from svcflow.text import NO_TEXT, Text

T = TypeVar("T")
Data = Mapping[str, Any]

_NAMED: Collection[Path] = (("sources",), ("roles",), ("certificates",))
"""Places of a document whose keys are names that other places cite."""
_OTHERWISE = Text(
    zh="各行带 when 的写在前面，最后一行写 - {otherwise: refuse, name: 规定的名称}",
    en="write the rows with 'when' first, and last - {otherwise: refuse, name: name of the rule}",
)
_PLACEHOLDER = "-"
"""What stands for the text of a source or role that is none: it is listed, so whoever cites it makes no mistake."""


def structure(data: Data, cls: type[T]) -> T:
    """Return an object of `cls` made from plain data. Raises: DeclarationError listing every mistake with its path."""
    try:
        return _converter().structure(data, cls)
    except (BaseValidationError, SvcflowError, ForbiddenExtraKeysError) as error:
        raise DeclarationError(_problems(error, (), data)) from None


def structure_procedure(data: Data) -> Procedure:
    """Return the procedure that a document's data declare. Raises: DeclarationError."""
    _required(data, ("procedure", "steps"))
    shared = SharedExits.of(by_kind(data, "procedure"))
    try:
        procedure = structure(shared.form, Procedure)
    except DeclarationError as error:
        found = (*error.problems, *_hidden_mistakes(shared.form, error.problems))
        problems = (*shared.problems, *shared.located(found))
        raise DeclarationError(_of_kind(problem, "procedure") for problem in problems) from None
    if shared.problems:
        raise DeclarationError(shared.problems)
    return procedure


def structure_kind(data: Data, kind: str, cls: type[T]) -> T:
    """Return what a document of this kind declares. Raises: DeclarationError."""
    try:
        return structure(by_kind(data, kind), cls)
    except DeclarationError as error:
        raise DeclarationError(_of_kind(problem, kind) for problem in error.problems) from None


def by_kind(data: Data, kind: str) -> dict[str, Any]:
    """Return the data with the value of its first key as `id`. Raises: DeclarationError."""
    if "id" in data:
        message = Text(zh="没有“id”这个键", en="there is no key 'id' here")
        remedy = Text(zh=f"标识写在 {kind} 之后", en=f"the id is the value of {kind}")
        raise DeclarationError([Problem(("id",), message, remedy)])
    return {"id" if key == kind else key: value for key, value in data.items()}


def _of_kind(problem: Problem, kind: str) -> Problem:
    """Move a mistake of the id to the key that gives it in a document."""
    return attrs.evolve(problem, path=(kind,)) if problem.path == ("id",) else problem


def _hidden_mistakes(form: Data, problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Return the mistakes that show only once those already found are left out of the document.

    A value of the wrong shape would otherwise hide a name that refers to nothing elsewhere.
    """
    gone = {problem.path for problem in problems}
    try:
        structure(
            _pruned(form, gone, {path[:length] for path in gone for length in range(len(path))}), Procedure
        )
    except DeclarationError as error:
        parents = {path[:-1] for path in gone if len(path) > 1} | gone
        further = (p for p in error.problems if p.path not in parents and p.path[:-1] not in parents)
        return tuple(p for p in further if p.path)  # at the top it only misses what was left out of it
    return ()


def _pruned(node: Any, gone: Collection[Path], above: Collection[Path], here: Path = ()) -> Any:
    """Return the node without the places that are gone, and without scalars that had one `above` itself."""
    places: Iterable[tuple[Any, Any]]
    if isinstance(node, Mapping):
        places = node.items()
    elif isinstance(node, list):
        places = enumerate(node)
    else:
        return node
    kept = {
        key: _PLACEHOLDER if (*here, key) in gone else _pruned(part, gone, above, (*here, key))
        for key, part in places
        if ((*here, key) not in gone or here in _NAMED)
        and ((*here, key) not in above or isinstance(part, Mapping | list))
    }
    return kept if isinstance(node, Mapping) else list(kept.values())


def _required(data: Data, keys: tuple[str, ...]) -> None:
    missing = [key for key in keys if key not in data]
    if missing:
        raise DeclarationError(
            [Problem((), Text(zh=f"缺少 {key}", en=f"the key {key!r} is missing")) for key in missing]
        )


@lru_cache(maxsize=1)
def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=True)
    converter.register_structure_hook_factory(attrs.has, lambda cls: _class_hook(converter, cls, _unchanged))
    converter.register_structure_hook_func(
        _generic(tuple), lambda value, t: _list(converter, value, get_args(t)[0])
    )
    converter.register_structure_hook_func(
        _generic(Mapping), lambda value, t: _dict(converter, value, get_args(t)[1])
    )
    for kind, zh, en in (
        (str, "文字", "text"),
        (int, "整数", "a whole number"),
        (bool, " true 或 false", "true or false"),
    ):
        converter.register_structure_hook(kind, strict(kind, zh, en))
    converter.register_structure_hook(float, read_share)
    converter.register_structure_hook(Text, read_text)
    converter.register_structure_hook(
        Branching,
        lambda value, _: Branching(shares={k: read_share(v, None) for k, v in read_mapping(value).items()}),
    )
    converter.register_structure_hook(Amount, lambda written, _: named_amount(written))
    converter.register_structure_hook(Anchor, lambda written, _: Anchor.parse(written))
    converter.register_structure_hook(ClockTime, lambda written, _: named_clock_time(written))
    converter.register_structure_hook(Guard, lambda written, _: Guard(str(read_plain(written))))
    converter.register_structure_hook(date, read_date)
    converter.register_structure_hook(LastDay, lambda value, _: LastDay(read_last_day(value)))
    converter.register_structure_hook(StepNames, lambda value, _: _step_names(converter, value))
    converter.register_structure_hook_func(
        is_quantity, lambda value, _: None if value is None else quantity(read_plain(value))
    )
    converter.register_structure_hook_func(is_number, lambda value, _: read_number(value))
    converter.register_structure_hook_func(is_value, lambda value, _: read_plain(value))
    converter.register_structure_hook_func(
        lambda t: get_origin(t) is not None and str(t).startswith("typing.Literal"), read_choice
    )
    _for_type(converter, Mapping[str, Text], lambda value, _: _choices(converter, value))
    for cls in (Field, Indicator):
        _keyed_mapping(converter, cls)
    _keyed_mapping(converter, Source, short=_source_form)
    for named in (Role, Certificate):
        _keyed_mapping(converter, named, short=lambda value: {"name": value})
    for valued in (Parameter, Override):
        _keyed_mapping(
            converter, valued, short=lambda value: value if isinstance(value, Mapping) else {"value": value}
        )
    _keyed_tuple(converter, HoldRule, key="reason")
    _keyed_tuple(converter, Step)
    _keyed_tuple(converter, Branch)
    _for_type(converter, tuple[Transition, ...], _transitions(converter))
    converter.register_structure_hook(Duration, _class_hook(converter, Duration, _duration_form))
    _for_type(converter, FieldMix, lambda value, _: _field_mix(converter, value))
    converter.register_structure_hook(TimeLimit, _class_hook(converter, TimeLimit, _limit_form))
    converter.register_structure_hook(
        Rung, _class_hook(converter, Rung, lambda v: v if isinstance(v, Mapping) else {"at": str(v)})
    )
    return converter


def _generic(origin: Any) -> Callable[[Any], bool]:
    return lambda kind: get_origin(kind) == origin


def _class_hook(
    converter: cattrs.Converter, cls: type[Any], form: Callable[[Any], Any]
) -> Callable[[Any, Any], Any]:
    """Structure `cls` after `form` has written its short form out."""
    names = attrs.fields_dict(cls)
    renames = {name: override(rename=key) for name, key in RENAMED.items() if name in names}
    renames |= {name: override(omit=True) for name in UNWRITTEN.get(cls, ())}
    inner = make_dict_structure_fn(
        cls,
        converter,
        _cattrs_forbid_extra_keys=True,
        _cattrs_detailed_validation=True,
        **renames,  # type: ignore[arg-type]  # cattrs takes overrides by attribute name
    )
    return lambda value, _: inner(read_mapping(form(value)), cls)


def _limit_form(value: object) -> object:
    """Return `{within: …}`, for which `15m` and `{wd: 1, source: …}` stand."""
    if not isinstance(value, Mapping):
        return {"within": value}
    units = [key for key in value if key in UNITS]
    if len(units) == 1 and "within" not in value:
        rest = {key: item for key, item in value.items() if key not in units}
        return {"within": f"{value[units[0]]}{units[0]}", **rest}
    return value


def _duration_form(value: object) -> object:
    """Return a constant time, for which `30m` stands."""
    return value if isinstance(value, Mapping) else {"distribution": "constant", "value": value}


def _source_form(value: object) -> object:
    """Return `{title: …}`, for which a title stands; a title is one wording, as it is quoted."""
    if isinstance(value, Mapping) and not value.keys() & {"zh", "en"}:
        return value
    return {"title": strict(str, "文字", "text")(value, str)}


def _choices(converter: cattrs.Converter, value: object) -> Mapping[str, Text]:
    """Return the names of choices, which may be listed without any."""
    if isinstance(value, list):
        return dict.fromkeys(_list(converter, value, str), NO_TEXT)
    items = read_mapping(value)
    names = _each(items.items(), lambda _, name: NO_TEXT if name is None else read_text(name, Text), Text)
    return dict(zip(items, names, strict=True))


def _field_mix(converter: cattrs.Converter, value: object) -> FieldMix:
    """Return the shares, the distribution or the one value that a scenario writes for a field.

    A distribution whose parameters have units is one of times, which an instant has.
    """
    if not isinstance(value, Mapping):
        return Fixed(value=read_plain(value))
    if "distribution" not in value:
        return Shares(of={key: read_share(share, None) for key, share in value.items()})
    parameters = [item for key, item in value.items() if key != "distribution"]
    timed = any(isinstance(item, str) for item in parameters)
    if timed:
        return converter.structure(value, Duration)
    return converter.structure(value, NumberDistribution)


def _keyed(
    converter: cattrs.Converter, cls: type[T], key: str, short: Callable[[Any], Any]
) -> Callable[[Any], list[T]]:
    inner = _class_hook(converter, cls, lambda value: value)

    def item(name: str | int, written: Any) -> T:
        made: T = inner({**_without(key, short(written), cls), key: name}, cls)
        return made

    return lambda value: _each(read_mapping(value).items(), item, cls)


def _each(items: Iterable[tuple[Any, Any]], make: Callable[[Any, Any], T], cls: type[Any]) -> list[T]:
    """Return every item made, keeping the mistakes of all of them, each with its place."""
    made, errors = [], []
    for place, item in items:
        try:
            made.append(make(place, item))
        except (BaseValidationError, SvcflowError, ForbiddenExtraKeysError) as error:
            error.add_note(IterableValidationNote("", place, cls))
            errors.append(error)
    if errors:
        raise IterableValidationError("", errors, cls)
    return made


def _list(converter: cattrs.Converter, value: object, kind: Any) -> tuple[Any, ...]:
    """Return a list; a lone text is no list of its letters."""
    if not isinstance(value, list | tuple):
        raise mistaken(value, "列表，如 [甲, 乙]", "a list such as [a, b]", as_list(value))
    return tuple(_each(enumerate(value), lambda _, item: converter.structure(item, kind), tuple))


def _step_names(converter: cattrs.Converter, value: object) -> StepNames:
    """Return the ids of steps, for which a single one may stand without brackets."""
    if value is None or isinstance(value, str):
        return StepNames(() if value is None else (value,))
    if not isinstance(value, list | tuple):
        raise mistaken(
            value, "环节，或列表，如 [甲, 乙]", "a step, or a list such as [a, b]", as_kind(value, str)
        )
    return StepNames(_list(converter, value, str))


def _dict(converter: cattrs.Converter, value: object, kind: Any) -> dict[str, Any]:
    items = read_mapping(value)
    made = _each(items.items(), lambda _, item: converter.structure(item, kind), dict)
    return dict(zip(items, made, strict=True))


def _without(key: str, form: object, cls: type[Any]) -> Data:
    """Return the mapping, refusing a key that the document already gives by position."""
    data: Data = read_mapping({} if form is None else form)
    if key in data:
        raise ForbiddenExtraKeysError("", cls, {key})
    return data


def _for_type(converter: cattrs.Converter, kind: Any, hook: Callable[[Any, Any], Any]) -> None:
    """Register for a generic type, which cattrs finds by equality only."""
    converter.register_structure_hook_func(lambda requested: requested == kind, hook)


def _unchanged(value: Any) -> Any:
    return value


def _keyed_mapping(
    converter: cattrs.Converter, cls: type[Any], *, short: Callable[[Any], Any] = _unchanged
) -> None:
    items = _keyed(converter, cls, "id", short)
    _for_type(converter, Mapping[str, cls], lambda value, _: {item.id: item for item in items(value)})  # type: ignore[valid-type]  # a type at run time


def _keyed_tuple(converter: cattrs.Converter, cls: type[Any], *, key: str = "id") -> None:
    made: list[Callable[[Any], list[Any]]] = []

    def hook(value: Any, _: Any) -> tuple[Any, ...]:
        if not made:  # steps hold branches that hold steps: the inner hook is made at first use
            made.append(_keyed(converter, cls, key, _unchanged))
        return tuple(made[0](value))

    _for_type(converter, tuple[cls, ...], hook)  # type: ignore[valid-type]  # a type at run time


def _transitions(converter: cattrs.Converter) -> Callable[[Any, Any], tuple[Transition, ...]]:
    """Return the moves of `{accept: accepted}`, `{reject: {step: …}}`, and rows of one trigger as a list."""
    inner = _class_hook(converter, Transition, _unchanged)
    refusing = _class_hook(converter, Otherwise, _unchanged)

    def row(trigger: str, written: Any) -> Transition | Otherwise:
        if isinstance(written, Mapping) and "otherwise" in written:
            closing: Otherwise = refusing(_alone(written), Otherwise)
            return closing
        form = {"step": written} if isinstance(written, str) else written
        made: Transition = inner({**_without("trigger", form, Transition), "trigger": trigger}, Transition)
        return made

    def rows(trigger: str, written: Any) -> list[Transition]:
        if not isinstance(written, list):
            return _closed([row(trigger, written)])
        if not written:
            raise mistaken(written, "下一环节", "the next step")
        return _closed(_each(enumerate(written), lambda _, item: row(trigger, item), Transition))

    def moves(value: Any, _: Any) -> tuple[Transition, ...]:
        if isinstance(value, str) or (isinstance(value, list) and value and isinstance(value[0], str)):
            step = value if isinstance(value, str) else value[0]
            raise mistaken(
                value,
                "各流转及其去向",
                "moves and where they lead",
                Text(
                    zh=f"写 {{流转名: {step}}}，如 {{go: {step}}}",
                    en=f"write {{trigger: {step}}}, such as {{go: {step}}}",
                ),
            )
        return tuple(
            move for of_trigger in _each(read_mapping(value).items(), rows, Transition) for move in of_trigger
        )

    return moves


def _alone(written: Data) -> Data:
    """Return the row that refuses otherwise, which leads nowhere and has no condition of its own."""
    if "step" in written:
        message = Text(zh="otherwise 自成一行", en="'otherwise' is a row of its own")
        raise DeclarationError([Problem(("otherwise",), message, _OTHERWISE)])
    return written


def _closed(rows: list[Transition | Otherwise]) -> list[Transition]:
    """Return the rows of one trigger, the last with what is done where no guard is true."""
    moves = [row for row in rows if isinstance(row, Transition)]
    closing = [(place, row) for place, row in enumerate(rows) if isinstance(row, Otherwise)]
    if not closing:
        return moves
    place, otherwise = closing[0]
    if not moves:
        message = Text(zh="没有带条件的行，便没有“否则”", en="'otherwise' needs rows with guards before it")
        raise DeclarationError([Problem((), message, _OTHERWISE)])
    if place != len(rows) - 1:
        message = Text(zh="otherwise 只能是最后一行", en="'otherwise' is the last row")
        raise DeclarationError([Problem((place,), message, _OTHERWISE)])
    return [*moves[:-1], attrs.evolve(moves[-1], otherwise=otherwise)]


def _problems(error: BaseException, path: Path, data: Any) -> Iterator[Problem]:
    path = (*path, *reversed([part for note in getattr(error, "__notes__", ()) for part in _note_path(note)]))
    if isinstance(error, BaseValidationError):
        for inner in error.exceptions:
            yield from _problems(inner, path, data)
    elif isinstance(error, DeclarationError):
        for problem in error.problems:
            yield attrs.evolve(problem, path=(*path, *problem.path))
    elif isinstance(error, ForbiddenExtraKeysError):
        for key in sorted(error.extra_fields):
            yield unknown_key(error.cl, key, path, written_at(data, path))
    elif isinstance(error, SvcflowError):
        yield Problem(path, error.message, error.remedy)
    elif isinstance(error, KeyError):
        key = RENAMED.get(error.args[0], error.args[0])
        yield Problem(path[:-1], Text(zh=f"缺少 {key}", en=f"the key {key!r} is missing"))
    else:
        yield Problem(path, Text(zh=f"不合法：{error}", en=f"not valid: {error}"))


def _note_path(note: object) -> Path:
    if isinstance(note, IterableValidationNote):
        return (note.index,)
    return (RENAMED.get(note.name, note.name),) if isinstance(note, AttributeValidationNote) else ()
