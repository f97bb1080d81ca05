"""Guarded rows: which can never be taken, which data none takes, which overlap.

The first row whose guard is true is taken. Rows are transitions of one trigger, or rows of a limit's matrix. Guards
are evaluated over sample data; where samples cannot decide, only what the text alone proves is reported.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

import attrs

from svcflow.checks.findings import Finding, finding
from svcflow.checks.guard_samples import GROUP, Sample, constants_of, holds, samples, worded
from svcflow.checks.locations import Rows, row_groups, scopes
from svcflow.errors import Path
from svcflow.model.guard import Guard
from svcflow.model.limit_locations import limit_places, step_places
from svcflow.model.procedure import Procedure
from svcflow.model.step import DONE
from svcflow.model.target import Target
from svcflow.text import Text

__all__ = ["guarded_rows", "unsettled"]


_TELL_APART = Text(
    zh="收窄其中一条，或把两者同时成立的情形单列一行放在前面",
    en="narrow one of them, or give the case of both a row of its own before them",
)


@attrs.frozen
class _SampledRows:
    """Rows with the samples that they match: `taken[i]` has a bit for each sample for which row i's guard is true."""

    guards: tuple[Guard | None, ...]
    tried: tuple[Sample, ...] | None
    taken: tuple[int, ...]

    def before(self, row: int) -> int:
        """Return the bits of the samples that an earlier row takes."""
        bits = 0
        for earlier in self.taken[:row]:
            bits |= earlier
        return bits

    def example(self, bits: int) -> Text:
        """Return the first sample of `bits`, in words."""
        first = (bits & -bits).bit_length() - 1
        return worded((self.tried or ({},))[first])


def guarded_rows(procedure: Procedure) -> Iterator[Finding]:
    """Yield rows that cannot be taken, gaps, overlaps and choices no field has."""
    for scope in scopes(procedure):
        for rows in row_groups(scope):
            yield from _transitions(procedure, rows)
    for path, limit in limit_places(procedure):
        yield from _matrix(procedure, [(row.when, row.target) for row in limit.match], path)
    for path, step in step_places(procedure.steps, ("steps",)):
        instants = step.then.match if step.then is not None else ()
        yield from _matrix(procedure, [(each.when, each.row.target) for each in instants], (*path, "then"))


def unsettled(procedure: Procedure) -> Iterator[Finding]:
    """Yield each field that a guard reads while the instance goes on, and none at its end, with the first trigger.

    A field that is `settled_by` a move does not change once that is made.
    """
    first: dict[str, Rows] = {}
    at_the_end: set[str] = set()
    for scope in scopes(procedure):
        ends = {step.id for step in scope.steps if step.end is not None and scope.parent is None}
        for rows in row_groups(scope):
            named = {name for move in rows.moves if move.when is not None for name in move.when.names}
            if all(move.step in ends for move in rows.moves):  # nothing is updated after the end
                at_the_end |= named
            else:
                first = dict.fromkeys(named & procedure.fields.keys(), rows) | first
    settled = {field.id for field in procedure.fields.values() if field.settled_by is not None}
    for name in sorted(first.keys() - at_the_end - settled):
        yield _unsettled(first[name], name)


def _transitions(procedure: Procedure, rows: Rows) -> Iterator[Finding]:
    guards = tuple(move.when for move in rows.moves)
    owed = frozenset.intersection(*(frozenset(move.requires) for move in rows.moves))
    sampled = _sample_rows(procedure, guards, owed)
    paths = [rows.path_of(place) for place in range(len(guards))]
    yield from _unreachable(procedure, sampled, paths)
    # a single guarded row means to refuse; but nobody is there to be refused a `done`
    joins = rows.trigger == DONE and bool(rows.step.parallel)
    if rows.moves[-1].otherwise is not None:
        yield from _never_otherwise(rows, sampled)
    elif (len(guards) > 1 or joins) and None not in guards:
        yield from _gap(rows, sampled)
    for one, other, example in _overlaps(sampled):
        first, second = rows.moves[one], rows.moves[other]
        if first.step != second.step:
            yield finding(
                "rows-ambiguous",
                paths[other],
                Text(
                    zh=f"当 {example.zh} 时，“{first.when}”（→ {first.step}）与“{second.when}”（→ {second.step}）都成立",
                    en=f"with {example.en} both '{first.when}' (to {first.step}) and '{second.when}' (to {second.step}) hold",
                ),
                _TELL_APART,
            )


def _matrix(
    procedure: Procedure, rows: Sequence[tuple[Guard | None, Target | None]], path: Path
) -> Iterator[Finding]:
    """Yield the findings of a matrix: of a time limit, or of an automatic move."""
    guards = tuple(guard for guard, _ in rows)
    sampled = _sample_rows(procedure, guards, frozenset())
    paths: list[Path] = [(*path, "match", place) for place in range(len(guards))]
    yield from _unreachable(procedure, sampled, paths)
    for one, other, example in _overlaps(sampled):
        (first, sooner), (second, later) = rows[one], rows[other]
        if sooner != later:
            yield finding(
                "limit-rows-overlap",
                paths[other],
                Text(
                    zh=f"当 {example.zh} 时，“{first}”与“{second}”都成立，按次序取前一行",
                    en=f"with {example.en} both '{first}' and '{second}' hold; the earlier row decides",
                ),
                _TELL_APART,
            )


def _sample_rows(
    procedure: Procedure, guards: tuple[Guard | None, ...], given: frozenset[str]
) -> _SampledRows:
    tried = samples(procedure, [guard for guard in guards if guard is not None], given)
    taken = [
        sum(1 << bit for bit, sample in enumerate(tried or ()) if holds(guard, sample)) for guard in guards
    ]
    return _SampledRows(guards, tried, tuple(taken))


def _unreachable(procedure: Procedure, sampled: _SampledRows, paths: Sequence[Path]) -> Iterator[Finding]:
    for place, guard in enumerate(sampled.guards):
        choices = [] if guard is None else list(_unknown_choices(procedure, guard))
        why = _shadowed(sampled, place)
        for name, value, known in choices:
            yield finding(
                "unknown-choice",
                (*paths[place], "when"),
                Text(zh=f"{name} 没有“{value}”这个选项", en=f"{name} has no choice '{value}'"),
                Text(zh=f"可用：{known}", en=f"there are: {known}"),
            )
        if why is not None and not choices:
            remedy = Text(
                zh="删去此行，或移到前面、改写条件", en="drop the row, move it up, or change its guard"
            )
            yield finding("row-unreachable", paths[place], why, remedy)


def _shadowed(sampled: _SampledRows, place: int) -> Text | None:
    """Return why the row can never be taken; None when it can be, or when that cannot be decided."""
    guard, earlier = sampled.guards[place], sampled.guards[:place]
    if None in earlier:
        return Text(zh="前面已有一行无条件成立", en="an earlier row has no guard and always matches")
    if guard is not None and any(other is not None and _same(guard, other) for other in earlier):
        return Text(zh=f"条件“{guard}”前面已经写过", en=f"guard '{guard}' stands in an earlier row already")
    if sampled.tried is None or sampled.taken[place] & ~sampled.before(place):
        return None
    if not sampled.taken[place]:
        return Text(zh=f"条件“{guard}”永远不成立", en=f"guard '{guard}' is never true")
    return Text(
        zh="凡此行成立时，前面的行已先成立", en="whenever this row matches, an earlier row matches first"
    )


def _never_otherwise(rows: Rows, sampled: _SampledRows) -> Iterator[Finding]:
    """Yield that nothing is ever refused, because the guards leave nothing out."""
    if sampled.tried is None or (1 << len(sampled.tried)) - 1 & ~sampled.before(len(sampled.guards)):
        return
    yield finding(
        "row-unreachable",
        rows.path_of(len(rows.moves)),
        Text(
            zh="前面各行已涵盖一切情形，从不会拒绝",
            en="the rows before it leave nothing out, so nothing is ever refused",
        ),
        Text(zh="删去 otherwise，或收窄前面的条件", en="drop 'otherwise', or narrow the guards before it"),
    )


def _gap(rows: Rows, sampled: _SampledRows) -> Iterator[Finding]:
    if sampled.tried is None:
        message = Text(
            zh=f"{rows.trigger} 的各行都有条件，可能无一成立（条件超出可核算范围）",
            en=f"every row of {rows.trigger} has a guard; perhaps none matches (the guards are beyond sampling)",
        )
    else:
        left = (1 << len(sampled.tried)) - 1 & ~sampled.before(len(sampled.guards))
        if not left:
            return
        example = sampled.example(left)
        message = Text(
            zh=f"当 {example.zh} 时，{rows.trigger} 没有一行成立",
            en=f"with {example.en} no row of {rows.trigger} matches",
        )
    remedy = Text(
        zh="最后加一行不带 when 的；本意是拒绝的，加 {otherwise: refuse, name: 规定的名称}",
        en="end with a row that has no 'when'; where it means to refuse, with {otherwise: refuse, name: …}",
    )
    yield finding("rows-with-gap", rows.path, message, remedy)


def _overlaps(sampled: _SampledRows) -> Iterator[tuple[int, int, Text]]:
    """Yield pairs that overlap in part: neither contains the other, and no earlier row settles it.

    A narrow row before a wider one is the usual way to write an exception and is not ambiguous.
    """
    guarded = [place for place, guard in enumerate(sampled.guards) if guard is not None]
    for one in guarded:
        for other in guarded:
            mine, theirs = sampled.taken[one], sampled.taken[other]
            both = mine & theirs & ~sampled.before(one)
            if one < other and both and mine & ~theirs and theirs & ~mine:
                yield one, other, sampled.example(both)


def _unknown_choices(procedure: Procedure, guard: Guard) -> Iterator[tuple[str, str, str]]:
    for name, constants in constants_of(procedure, guard).items():
        field = None if name == GROUP else procedure.fields[name]
        if field is not None and not field.values:
            continue
        known = tuple(procedure.recipients) if field is None else tuple(field.values)
        for value in sorted(c for c in constants if isinstance(c, str) and c not in known):
            yield name, value, ", ".join(known)


def _same(one: Guard, other: Guard) -> bool:
    return ast.dump(one.tree) == ast.dump(other.tree)


def _unsettled(rows: Rows, name: str) -> Finding:
    trigger, step = rows.trigger, rows.step.id
    return finding(
        "guard-not-settled",
        ("fields", name),
        Text(
            zh=f"{step} 的 {trigger} 以 {name} 为条件，通过之后仍可改动 {name}，条件不再复核",
            en=f"the guards of {trigger} at {step} rest on {name}, which may change afterwards without being asked again",
        ),
        Text(
            zh=f"不容改动的，在字段上写 settled_by: {trigger}；或在通向结束的流转上再设一次条件",
            en=f"where it must not change, write settled_by: {trigger} at the field, or ask for it again with a guard "
            "of the move to the end",
        ),
    )
