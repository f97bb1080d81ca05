"""Nothing that can be declared is invisible: every key shows in every face that it concerns.

Each key of each class of a declaration is taken away, wherever a procedure gives it, and what then changes is looked
at: what `dump` writes, the difference of the two versions, the map with its notes, the facts of the kernel, and the
explanations of deadlines. A key that is added later and forgotten in one of them fails here, until it shows, or until
it is said below why it need not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import attrs
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from model_strategies import procedures
from plays import PLAYS, Play

import svcflow
from svcflow.drawing.scene.from_procedure import scene_of
from svcflow.errors import SvcflowError
from svcflow.explanation.explain import explain
from svcflow.journal.canonical import to_record
from svcflow.kernel import Compiled, Fact, compile_procedure, transact
from svcflow.model.amount import Amount
from svcflow.model.diff.changes import changes_between
from svcflow.model.guard import Guard
from svcflow.model.procedure import Procedure
from svcflow.model.regular_start import RegularStart
from svcflow.model.target import Anchor, ClockTime
from svcflow.model.yaml.dump import dump
from svcflow.text import Text
from svcflow.text import is_blank as no_words
from svcflow.worktime.calendar import WorkCalendar
from svcflow.worktime.instants import to_us

Key = tuple[str, str]
"""The name of a class of the model, and one of its attributes."""
Path_ = tuple[str | int, ...]

WHOLE = (Amount, Anchor, ClockTime, Guard, Text)
SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.yaml"))
CALENDARS = {
    "office": WorkCalendar.from_mapping(
        {
            "calendar": "office",
            "timezone": "Asia/Shanghai",
            "weekly": {"mon-fri": ["08:30-12:00", "13:30-17:30"]},
        }
    ),
    "always": WorkCalendar.from_mapping(
        {"calendar": "always", "timezone": "UTC", "weekly": {"mon-sun": ["00:00-24:00"]}}
    ),
}


def classes(kind: Any = Procedure) -> Iterator[type[Any]]:
    """Yield every class of which a procedure is made, but for those that are written in one piece."""
    seen: list[type[Any]] = []

    def walk(part: Any) -> None:
        if attrs.has(part) and part not in seen and part not in WHOLE:
            seen.append(part)
            hints = get_type_hints(part)
            for attribute in attrs.fields(part):
                if is_declared(attribute):
                    walk(hints[attribute.name])
        elif get_origin(part) is not None:
            for inner in get_args(part):
                walk(inner)

    walk(kind)
    return iter(seen)


def is_declared(attribute: Any) -> bool:
    """Return whether an attribute is one of the declaration; what an institution overrides is a document of its own."""
    return attribute.init and attribute.eq and attribute.name != "override"


def keys() -> set[Key]:
    """Every key that may be left out; what has to be given has nothing to be compared with."""
    return {
        (cls.__name__, attribute.name)
        for cls in classes()
        for attribute in attrs.fields(cls)
        if is_declared(attribute) and attribute.default is not attrs.NOTHING
    }


def given_keys(node: Any, path: Path_ = ()) -> Iterator[tuple[Key, Path_]]:
    """Yield each key that is given another value than its default, with the way to it."""
    if attrs.has(type(node)) and not isinstance(node, WHOLE):
        for attribute in attrs.fields(type(node)):
            if not is_declared(attribute):
                continue
            value = getattr(node, attribute.name)
            here = (*path, attribute.name)
            if attribute.default is not attrs.NOTHING and value != default_of(node, attribute):
                yield (type(node).__name__, attribute.name), here
            yield from given_keys(value, here)
    elif isinstance(node, Mapping):
        for name, item in node.items():
            yield from given_keys(item, (*path, name))
    elif isinstance(node, tuple):
        for place, item in enumerate(node):
            yield from given_keys(item, (*path, place))


def default_of(node: Any, attribute: Any) -> Any:
    """Return what the attribute is when it is left out."""
    default = attribute.default
    value = default.factory() if isinstance(default, attrs.Factory) else default
    return attribute.converter(value) if attribute.converter and value is not None else value


def changed(node: Any, path: Path_, change: Callable[[Any, Any, Any], Any]) -> Any:
    """Return a copy in which the key at the end of the way is another. Raises: SvcflowError where that may not be."""
    here, rest = path[0], path[1:]
    if isinstance(node, Mapping):
        return {name: changed(item, rest, change) if name == here else item for name, item in node.items()}
    if isinstance(node, tuple):
        return type(node)(
            changed(item, rest, change) if place == here else item for place, item in enumerate(node)
        )
    attribute, value = attrs.fields_dict(type(node))[here], getattr(node, str(here))
    return attrs.evolve(
        node, **{str(here): changed(value, rest, change) if rest else change(node, attribute, value)}
    )


def left_out(node: Any, attribute: Any, _value: Any) -> Any:
    return default_of(node, attribute)


def altered(node: Any, attribute: Any, value: Any) -> Any:
    """Return another value of the kind, where a key cannot be left out without another one."""
    if (type(node).__name__, attribute.name) in OTHERWISE:
        return OTHERWISE[type(node).__name__, attribute.name]
    match value:
        case Amount():
            return Amount(value.value * 2, value.unit)
        case Anchor():
            return attrs.evolve(value, amount=Amount.parse("3h"))
        case ClockTime():
            return ClockTime("11:11")
        case Guard():
            return Guard(f"not ({value})")
        case bool():
            return not value
        case int():
            return value + 1
        case tuple():
            return value[1:]
        case Mapping():
            return dict(list(value.items())[:-1])
    return value


OTHERWISE: Mapping[Key, object] = {
    ("TimeLimit", "id"): "another",
    ("TimeLimit", "from_"): "second",
    ("TimeLimit", "to"): "second",
    ("TimeLimit", "done_by"): "pass_on",
    ("TimeLimit", "to_trigger"): "tea",
    ("RegularStart", "on"): "tue",
    ("Field", "settled_by"): "answer",
    ("Indicator", "of"): "judged",
    ("Step", "waits"): "third_party",
}
"""Other values of keys whose values are names."""


def thinner(procedure: Procedure) -> Iterator[tuple[Key, Path_, Procedure]]:
    """Yield the procedure without each of its keys; with another value where it is none without the key."""
    for key, path in given_keys(procedure):
        for change in (left_out, altered):
            try:
                other = changed(procedure, path, change)
            except SvcflowError:
                continue
            if other != procedure:
                yield key, path, other
                break


NOT_DRAWN: Mapping[Key, str] = {
    ("TimeLimit", "id"): "programs call it so; people read its name",
    ("RegularStart", "id"): "programs call it so; people read when it begins",
}
"""Keys that no drawing shows, and why."""


def hidden(procedure: Procedure) -> set[tuple[str, Key]]:
    """Return each face in which a key does not show, with the key."""
    written, drawn = dump(procedure), scene_of(procedure)
    found: set[tuple[str, Key]] = set()
    for key, path, other in thinner(procedure):
        if is_blank(value_at(procedure, path)) or says_nothing_new(procedure, other, key, path):
            continue
        if dump(other) == written:
            found.add(("dump", key))
        if not changes_between(other, procedure):
            found.add(("difference", key))
        if key not in NOT_DRAWN and scene_of(other) == drawn:
            found.add(("drawing", key))
    return found


def says_nothing_new(procedure: Procedure, other: Procedure, key: Key, path: Path_) -> bool:
    """Return whether a key repeats what another one says, or speaks of who acts where nobody does."""
    if key[1] == "on_overdue":
        return procedure.time_limits == other.time_limits
    if key == ("Step", "role"):
        step = value_at(procedure, path[:-1])
        return bool(step.parallel) or not step.to
    return False


def value_at(node: Any, path: Path_) -> Any:
    for part in path:
        node = node[part] if isinstance(node, Mapping | tuple) else getattr(node, str(part))
    return node


def is_blank(value: Any) -> bool:
    """Return whether a value shows nothing by itself, whoever looks at it."""
    if isinstance(value, Mapping):
        return all(is_blank(item) for item in value.values())
    if isinstance(value, tuple):
        return all(is_blank(item) for item in value)
    return (
        no_words(value.zh) and no_words(value.en)
        if isinstance(value, Text)
        else value is None or no_words(str(value))
    )


@pytest.mark.long
@given(procedures())
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_key_of_any_procedure_is_written_compared_and_drawn(procedure):
    """Whatever is declared together with whatever else."""
    assert hidden(procedure) == set()


@cache
def samples() -> Mapping[str, Procedure]:
    return {path.stem: svcflow.load(path) for path in SAMPLES}


@pytest.mark.parametrize("name", [path.stem for path in SAMPLES])
def test_every_key_of_a_sample_is_written_compared_and_drawn(name):
    """The samples together have every key there is."""
    assert hidden(samples()[name]) == set()


def played(procedure: Procedure, play: Play) -> tuple[list[bytes], list[str]]:
    """Return the facts of one play without the digest of the procedure, and what is explained of each limit after it."""
    compiled = compile_procedure(procedure, CALENDARS.__getitem__)
    instance, facts, errors = None, [], []
    for at, command in play.commands():
        try:
            outcome = transact(compiled, instance, command, to_us(at))
        except SvcflowError as error:  # without the key there may be no such trigger or field
            errors.append(error.code.encode())
            if instance is None:
                break
            continue
        instance = outcome.instance
        facts += outcome.facts
        if instance is None:
            break
    told = [
        explain(compiled, facts, limit, to_us(at)).text("zh+en")
        for limit in (explained(compiled) if instance is not None else ())
    ]
    return [*errors, *map(bare, facts)], told


def explained(compiled: Compiled) -> list[str]:
    """Return the ids of what can be explained: limits, and the moves that a step makes by itself."""
    steps = (place.step for place in compiled.steps.values())
    return [*compiled.limits, *(f"{step.id}.then" for step in steps if step.then is not None)]


def bare(fact: Fact) -> bytes:
    """Return a fact as it is written, without what names the very version of the procedure."""
    record = {name: value for name, value in to_record(fact).items() if name not in ("digest", "calendars")}
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)


@cache
def effects() -> tuple[Mapping[Key, bool], Mapping[Key, bool]]:
    """Return of each key whether any fact hangs on it, and whether any explanation does."""
    in_facts: dict[Key, bool] = {}
    in_words: dict[Key, bool] = {}
    for name, procedure in samples().items():
        before = [played(procedure, play) for play in PLAYS[name]]
        for key, _, other in thinner(procedure):
            after = [played(other, play) for play in PLAYS[name]]
            in_facts[key] = in_facts.get(key, False) or [one for one, _ in before] != [
                one for one, _ in after
            ]
            in_words[key] = in_words.get(key, False) or [one for _, one in before] != [
                one for _, one in after
            ]
    return in_facts, in_words


def test_the_samples_have_every_key():
    """A key that is added to the language gets its place in a sample, or is shown elsewhere."""
    tried = {key for procedure in samples().values() for key, _, _ in thinner(procedure)}
    assert keys() - tried == set(SHOWN_ELSEWHERE)


@pytest.mark.long
def test_every_key_changes_the_facts_or_only_counts():
    """What is declared is done, unless it is for people, or is counted later."""
    assert {key for key, acts in effects()[0].items() if not acts} == set(ONLY_SHOWN)


@pytest.mark.long
def test_every_key_that_concerns_a_deadline_changes_its_explanation():
    """Who asks why a deadline is when it is hears of all that moved it."""
    silent = {key for key, told in effects()[1].items() if not told and key[0] in OF_LIMITS}
    assert silent == set(NOT_EXPLAINED)


BEGINS = "the engine begins instances: tests/contract/test_regular_starts.py"
WORDS, COUNTED, SOURCES = "words for people", "counted, decides nothing", "says what a figure rests on"
SHOWN_ELSEWHERE: Mapping[Key, str] = {
    ("Excellence", "cost_effect"): "it has one value: tests/model/test_model_mistakes.py",
    ("Procedure", "version"): "names the procedure: tests/contract/test_versions.py",
    ("Procedure", "roles"): "each role by itself; those that are named cannot be left out",
    ("Procedure", "parameters"): "each parameter by itself; those that are named cannot be left out",
    ("Procedure", "certificates"): "each certificate by itself; those that are asked for cannot be left out",
    ("Procedure", "sources"): "each source by itself; those that are cited cannot be left out",
    ("Otherwise", "name"): "a rule that refuses must have one: tests/model/test_model_validation.py",
    ("Row", "no_target"): "a row has one, or a target: tests/model/test_model_limit.py",
}
"""Keys that cannot be another one in a sample, and where they are shown."""
ONLY_SHOWN: Mapping[Key, str] = {
    **dict.fromkeys(
        (
            ("Branch", "name"), ("StartRule", "name"), ("Parameter", "name"), ("Parameter", "unit"), ("Certificate", "name"), ("Indicator", "name"), ("Procedure", "name"), ("Procedure", "owner"),
            ("Procedure", "purpose"), ("Procedure", "area"),  ("TimeLimit", "name"),
            ("Transition", "name"), ("Field", "unit"),
        ),
        WORDS,
    ),
    **dict.fromkeys(
        (
            ("Field", "beyond_standard"), ("Field", "follow_up"), ("Field", "reason"), ("Field", "stands_for"),
            ("Indicator", "denominator"), ("Indicator", "exclude"), ("Indicator", "numerator"), ("Indicator", "of"),
            ("Indicator", "target"), ("Indicator", "weight"), ("Procedure", "indicators"), ("Procedure", "excellence"),
            ("TimeLimit", "early_is_better"),
        ),
        COUNTED,
    ),
    **dict.fromkeys((("Row", "source"), ("TimeLimit", "source"), ("Indicator", "source"), ("AutomaticMove", "source"), ("StartRule", "source"), ("MoveInstant", "source")), SOURCES),
    **dict.fromkeys(
        (("Source", "strength"), ("Source", "year"), ("Source", "read"), ("Source", "url")), SOURCES
    ),
    ("Procedure", "starts"): BEGINS,
    **{("RegularStart", attribute.name): BEGINS for attribute in attrs.fields(RegularStart) if attribute.default is not attrs.NOTHING},
    ("SubProcedure", "data"): "the engine starts the child with them: tests/contract/test_subprocedures.py",
    **dict.fromkeys((("Parameter", "minimum"), ("Parameter", "maximum")), "bounds of what an institution may set"),
    ("Parameter", "source"): SOURCES,
    ("Field", "personal"): "the journal keeps it apart, not the kernel: tests/contract/test_personal_data.py",
    ("Procedure", "effective"): "the engine starts no version before it: tests/timelimits/test_edge_cases.py",
    ("Procedure", "recipients"): "says whom it serves; samples of checks and simulations are drawn from them",
    ("Transition", "kind"): "checks, drawings and simulation tell them apart: tests/checks/test_check_every_code.py",
}  # fmt: skip
"""Keys on which no fact of the kernel hangs, and why."""
OF_LIMITS = ("TimeLimit", "Row", "Rung", "Extension", "AutomaticMove", "MoveInstant")
NOT_EXPLAINED: Mapping[Key, str] = {
    ("Extension", "role"): "it says who may extend; that somebody did is explained",
    ("Rung", "action"): "it says what the host does then; that the rung came is explained",
    ("TimeLimit", "severity"): "it says how grave a breach is, not when",
}
"""Keys of limits of which no explanation of an instant speaks, and why."""
