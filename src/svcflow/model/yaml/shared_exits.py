"""Exits that several steps share: `exits:` of a document and `to: {like: …}`, written out where they are taken.

The model knows transitions only. So two documents of which one shares what the other repeats declare equal
procedures, with one digest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from svcflow.errors import Path, Problem
from svcflow.model.step import LIKE
from svcflow.model.yaml.value_remedies import as_mapping
from svcflow.nearest import nearest
from svcflow.text import Text

__all__ = ["SharedExits"]

_DEEPEST = 16
"""How many sets may take each other's exits in a row: somebody has to read them."""
_MOST = 50_000
"""How many transitions may be written out in all; a procedure has at most 10,000."""
_Data = Mapping[str, Any]
_Origins = dict[str, Path]
"""For each trigger of written-out exits, the place at which a document writes it."""


@attrs.define
class SharedExits:
    """The exits of one document; `form` is the document with all of them written out.

    `problems` are the mistakes of sharing. A mistake in what was written out is moved by `located` to where it is
    written.
    """

    form: _Data
    _problems: dict[Path, Problem] = attrs.field(factory=dict)
    _sets: dict[str, Any] = attrs.field(factory=dict)
    _steps: dict[str, Path] = attrs.field(factory=dict)
    _exits: dict[Path, Any] = attrs.field(factory=dict)
    """What each step or set writes as its exits, by the place."""
    _origins: dict[Path, Path] = attrs.field(factory=dict)
    """For each trigger that a step takes from elsewhere, the place at which it is written."""
    _resolved: dict[Path, tuple[Any, _Origins]] = attrs.field(factory=dict)
    _taken: set[str] = attrs.field(factory=set)
    _rows: int = 0

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The mistakes of sharing exits."""
        return tuple(self._problems.values())

    @classmethod
    def of(cls, data: _Data) -> SharedExits:
        """Return the exits of a document's data, written out."""
        shared = cls(data)
        shared._read_steps(data.get("steps"), ("steps",))
        if "exits" in data or any(_likes(exits) for exits in shared._exits.values()):
            shared._read_sets(data.get("exits", {}))
            shared.form = shared._written_out({key: part for key, part in data.items() if key != "exits"})
            for problem in shared._never_taken():
                shared._note(problem)
        return shared

    def located(self, problems: tuple[Problem, ...]) -> Iterator[Problem]:
        """Yield the mistakes where they are written, those of shared exits once.

        One that only some of the steps make that take the exits, such as of a way that leads out of a branch, is
        told at their `like`.
        """
        if not self._origins:
            yield from problems
            return
        users = Counter(self._origins.values())
        placed = [(problem, *self._placed(problem.path)) for problem in problems]
        seen = Counter((path, problem.message) for problem, path, *_ in placed)
        told: set[tuple[Path, Text]] = set()
        for problem, path, origin, user in placed:
            key = (path, problem.message)
            # a step makes the mistakes of its exits itself, a set of exits makes none
            everybody = users[origin] + (origin[:1] == ("steps",))
            if origin and seen[key] < everybody:
                message = Text(
                    zh=f"流转 {origin[-1]}：{problem.message.zh}", en=f"{origin[-1]}: {problem.message.en}"
                )
                yield attrs.evolve(problem, path=(*user, LIKE), message=message)
            elif key not in told:
                told.add(key)
                yield attrs.evolve(problem, path=path)

    def _placed(self, path: Path) -> tuple[Path, Path, Path]:
        """Return where something is written, the trigger there that others take, and the exits which take it."""
        for length in range(3, len(path) + 1):
            origin = self._origins.get(path[:length])
            if origin is not None:
                return (*origin, *path[length:]), origin, path[: length - 1]
        return path, (), ()

    def _read_steps(self, steps: Any, path: Path) -> None:
        for name, step in steps.items() if isinstance(steps, Mapping) else ():
            here = (*path, name)
            self._steps.setdefault(name, here)
            if isinstance(step, Mapping):
                self._exits[(*here, "to")] = step.get("to")
                branches = step.get("parallel")
                for branch, inner in branches.items() if isinstance(branches, Mapping) else ():
                    if isinstance(inner, Mapping):
                        self._read_steps(inner.get("steps"), (*here, "parallel", branch, "steps"))

    def _read_sets(self, sets: Any) -> None:
        if not isinstance(sets, Mapping):
            message = Text(zh="须为一组具名的出口", en="takes sets of exits by their names")
            self._note(Problem(("exits",), message, as_mapping(sets)))
            return
        for name, exits in sets.items():
            path: Path = ("exits", name)
            if name in self._steps:
                message = Text(zh=f"{name} 已是环节名", en=f"{name!r} is the id of a step too")
                remedy = Text(zh="换一个名字", en="choose another name")
                self._note(Problem(path, message, remedy))
            elif not isinstance(exits, Mapping):
                message = Text(zh="须为各流转及其去向", en="takes moves and where they lead")
                self._note(Problem(path, message, Text(zh="如 {go: end}", en="such as {go: end}")))
            else:
                self._sets[name] = exits
                self._exits[path] = exits

    def _written_out(self, node: Any, path: Path = ()) -> Any:
        """Return the data with the exits of every step written out."""
        if path in self._exits and path[-1] == "to":
            exits, origins = self._resolve(path, ())
            self._origins |= {(*path, trigger): place for trigger, place in origins.items()}
            return exits
        if isinstance(node, Mapping) and path[:1] in ((), ("steps",)):
            return {key: self._written_out(part, (*path, key)) for key, part in node.items()}
        return node

    def _resolve(self, path: Path, trail: tuple[Path, ...]) -> tuple[Any, _Origins]:
        """Return the exits written at a place with those that it takes, and where these are written.

        What the place writes itself stands in the stead of what it takes under the same trigger.
        """
        exits = self._exits[path]
        if not _likes(exits):
            return exits, {}
        if path not in self._resolved:
            own = {trigger: rows for trigger, rows in exits.items() if trigger != LIKE}
            source = self._source(exits[LIKE], path, (*trail, path))
            taken, origins = (None, {}) if source is None else self._resolve(source, (*trail, path))
            if source is None or not isinstance(taken, Mapping) or not self._fits(len(taken), path):
                return own, {}
            written = {trigger: origins.get(trigger, (*source, trigger)) for trigger in taken}
            origins = {trigger: place for trigger, place in written.items() if trigger not in own}
            self._resolved[path] = {**taken, **own}, origins
        return self._resolved[path]

    def _fits(self, more: int, path: Path) -> bool:
        """Return whether more transitions may be written out; note the mistake when they may not."""
        self._rows += more
        if self._rows > _MOST:
            message = Text(
                zh=f"共用的出口写出后超过 {_MOST} 条流转",
                en=f"written out, the shared exits come to more than {_MOST} transitions",
            )
            if self._rows - more <= _MOST:  # the first time
                self._note(Problem((*path, LIKE), message))
        return self._rows <= _MOST

    def _source(self, name: Any, path: Path, trail: tuple[Path, ...]) -> Path | None:
        """Return the place of the exits that are taken; None, with the mistake noted, where there are none."""
        here = (*path, LIKE)
        if isinstance(name, str) and name in self._sets:
            self._taken.add(name)
            source: Path = ("exits", name)
        elif isinstance(name, str) and name in self._steps:
            source = (*self._steps[name], "to")
        else:
            message = Text(
                zh=f"没有名为“{name}”的出口组或环节", en=f"there is no set of exits or step {name!r}"
            )
            self._note(Problem(here, message, nearest(str(name), (*self._sets, *self._steps))))
            return None
        if source in trail:
            circle = [str(_name(place)) for place in (*trail[trail.index(source) :], source)]
            message = Text(
                zh=f"循环引用：{' → '.join(circle)}",
                en=f"these take each other's exits: {' → '.join(circle)}",
            )
            self._note(Problem(here, message, Text(zh="其中一处写出各流转", en="write one of them out")))
            return None
        if len(trail) > _DEEPEST:
            message = Text(
                zh=f"出口经 {_DEEPEST} 处以上辗转引用",
                en=f"these exits are taken by way of more than {_DEEPEST} others",
            )
            self._note(
                Problem(here, message, Text(zh="直接引用写出之处", en="name the place that writes them out"))
            )
            return None
        if not self._exits.get(source):
            message = Text(zh=f"环节 {name} 没有出口", en=f"the step {name!r} has no exits")
            remedy = Text(zh="取另一环节，或写出各流转", en="name another step, or write the exits out")
            self._note(Problem(here, message, remedy))
            return None
        return source

    def _note(self, problem: Problem) -> None:
        """Keep a mistake, one at a place: what takes a wrong set of exits is resolved again for each step."""
        self._problems.setdefault(problem.path, problem)

    def _never_taken(self) -> Iterator[Problem]:
        for name in self._sets:
            if name not in self._taken:
                yield Problem(
                    ("exits", name),
                    Text(zh="没有环节采用这组出口", en="no step takes these exits"),
                    Text(zh=f"写 to: {{like: {name}}}，或删去", en=f"write to: {{like: {name}}}, or drop it"),
                )


def _likes(exits: Any) -> bool:
    return isinstance(exits, Mapping) and LIKE in exits


def _name(place: Path) -> Any:
    """Return the name of a set, or the id of the step whose exits stand at the place."""
    return place[-1] if place[0] == "exits" else place[-2]
