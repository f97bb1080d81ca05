"""Loops without an end: rework without a bound, unmarked ways back, automatic cycles."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from svcflow.checks.findings import Finding, finding
from svcflow.checks.graph import back_edges, cycles, reachable, scope_graph
from svcflow.checks.locations import Rows, Scope, row_groups, scopes
from svcflow.model.limit_locations import limits_over
from svcflow.model.procedure import Procedure
from svcflow.model.step import DONE, Step, Transition
from svcflow.text import Text

__all__ = ["loops"]


def loops(procedure: Procedure) -> Iterator[Finding]:
    """Yield rework loops without a bound, ways back that are not marked, cycles of moves made on overdue."""
    all_scopes = scopes(procedure)
    occurrences = {limit.done_by for limit in procedure.time_limits.values()}
    for scope in all_scopes:
        yield from _unbounded(scope)
        yield from _unmarked(scope, occurrences)
    by_itself: dict[str, bool] = {}
    for scope in reversed(all_scopes):
        yield from _automatic(procedure, scope, by_itself)


def _unbounded(scope: Scope) -> Iterator[Finding]:
    """Yield rework moves still on a cycle when the moves bounded by `at_most` are taken away."""
    loose = cycles(scope_graph(scope, lambda move: move.at_most is None))
    for rows in row_groups(scope):
        for place, move in enumerate(rows.moves):
            if move.kind == "rework" and move.at_most is None and _together(rows.step.id, move.step, loose):
                yield _rework(rows, place, move)


def _rework(rows: Rows, place: int, move: Transition) -> Finding:
    return finding(
        "rework-unbounded",
        rows.path_of(place),
        Text(
            zh=f"返工 {move.trigger}（{rows.step.id} → {move.step}）次数没有上限",
            en=f"rework {move.trigger} ({rows.step.id} to {move.step}) may happen any number of times",
        ),
        Text(zh="加 at_most，例如 at_most: 1", en="add at_most, for example at_most: 1"),
    )


def _unmarked(scope: Scope, occurrences: Collection[str | None]) -> Iterator[Finding]:
    # A circle of plain moves only, with no wait on it, is a way back that nobody marked.
    graph = scope_graph(scope, lambda move: move.kind == "normal" and move.at_most is None)
    graph.remove_nodes_from([step.id for step in scope.steps if step.waits is not None])
    sources = [step.id for step in scope.steps if step.id in graph]
    back = set(back_edges(graph, sources))
    for rows in row_groups(scope):
        for place, move in enumerate(rows.moves):
            if move.trigger in occurrences and move.step == rows.step.id:
                continue  # what an `every` asks for again and again is no rework
            if (rows.step.id, move.step) in back and move.kind == "normal" and move.at_most is None:
                yield finding(
                    "loop-not-marked",
                    rows.path_of(place),
                    Text(
                        zh=f"{move.trigger} 由 {rows.step.id} 回到 {move.step}，但未标明类别",
                        en=f"{move.trigger} leads from {rows.step.id} back to {move.step} but is marked as normal",
                    ),
                    Text(zh="加 kind: rework 与 at_most", en="add kind: rework and at_most"),
                )


def _automatic(procedure: Procedure, scope: Scope, by_itself: dict[str, bool]) -> Iterator[Finding]:
    """Yield cycles of moves that need nobody: made on overdue, at an instant, or `done` of branches that end by themselves.

    A step that moves on by itself after a length of time is none of these: until then people may leave the circle.
    """
    timed = {step.id: _timed(procedure, step) for step in scope.steps}
    graph = scope_graph(scope, lambda _: False)
    for rows in row_groups(scope):
        done = rows.trigger == DONE and by_itself.get(rows.step.id, False)
        if done or rows.trigger in timed[rows.step.id]:
            graph.add_edges_from((rows.step.id, m.step) for m in rows.moves if not _stops(procedure, m))
    if scope.parent is not None:
        after = reachable(graph, scope.steps[0].id)
        ends = any(step.end is not None and step.id in after for step in scope.steps)
        by_itself[scope.parent.id] = by_itself.get(scope.parent.id, True) and ends
    for circle in cycles(graph):
        steps = [step for step in scope.steps if step.id in circle]
        names = ", ".join(step.id for step in steps)
        yield finding(
            "automatic-loop",
            (*scope.path_of(steps[0]), "on_overdue" if steps[0].then is None else "then"),
            Text(
                zh=f"{names} 之间可全靠超时自动流转循环，永不结束",
                en=f"an instance can circle through {names} for ever by moves made on overdue",
            ),
            Text(
                zh="去掉其中一处 on_overdue，或给该流转加 at_most 和 enforce: {rework: refuse}",
                en="drop one on_overdue, or give its move at_most with enforce: {rework: refuse}",
            ),
        )


def _timed(procedure: Procedure, step: Step) -> frozenset[str]:
    limits = limits_over(procedure, step)
    fired = {limit.on_overdue for limit in limits if limit.on_overdue is not None}
    if step.then is not None and any(row.at is not None for row in step.then.rows):
        fired.add(step.then.fire)
    return frozenset(fired)


def _stops(procedure: Procedure, move: Transition) -> bool:
    # A bound stops a circle only where going past it is refused; merely recorded, it goes on.
    return move.at_most is not None and move.enforce.get("rework", procedure.enforce.rework) == "refuse"


def _together(one: str, other: str, loose: list[set[str]]) -> bool:
    return any(one in circle and other in circle for circle in loose)
