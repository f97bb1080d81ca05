"""Reachability: whether every step can be entered and left, and leads to an end.

Time and guards are left aside.
"""

from __future__ import annotations

from collections.abc import Iterator

from svcflow.checks.findings import Finding, finding
from svcflow.checks.graph import can_end, comes_before, flow, reachable, scope_graph
from svcflow.checks.locations import Scope, concurrent, scopes
from svcflow.model.procedure import Procedure
from svcflow.model.subprocedure import OF_PARENT
from svcflow.text import Text

__all__ = ["reachability"]


def reachability(procedure: Procedure) -> Iterator[Finding]:
    """Yield unreachable steps, dead ends, steps without a way to an end, and separations that never bite.

    Each branch of a parallel step is judged by itself, so that one mistake is reported once.
    """
    all_scopes = scopes(procedure)
    inner: dict[str, bool] = {}
    for scope in reversed(all_scopes):
        ending = can_end(scope, inner)
        if scope.parent is not None:
            ends = scope.steps[0].id in ending
            inner[scope.parent.id] = inner.get(scope.parent.id, True) and ends
        yield from _no_way_to_end(scope, ending)
    for scope in all_scopes:
        yield from _unreachable(scope)
        yield from _dead_ends(scope)
    yield from _separation(procedure, all_scopes)


def _unreachable(scope: Scope) -> Iterator[Finding]:
    entered = reachable(scope_graph(scope), scope.steps[0].id)
    for step in scope.steps:
        if step.id in entered:
            continue
        first = scope.steps[0].id
        code = "unreachable-step" if step.end is None or step.succeeds else "end-never-reached"
        yield finding(
            code,
            scope.path_of(step),
            Text(
                zh=f"从 {first} 出发没有任何流转到达 {step.id}", en=f"no move leads from {first} to {step.id}"
            ),
            Text(
                zh=f"在某环节的 to 中加一条到 {step.id} 的流转，或删去它",
                en=f"add a move to {step.id} to some step's 'to', or drop it",
            ),
        )


def _dead_ends(scope: Scope) -> Iterator[Finding]:
    for step in scope.steps:
        if step.to or step.end is not None:
            continue
        yield finding(
            "dead-end",
            scope.path_of(step),
            Text(
                zh=f"{step.id} 没有去路，也没有标明结束",
                en=f"{step.id} has no way on and is not marked as an end",
            ),
            Text(zh="加 to，或写 end: completed", en="add 'to', or write end: completed"),
        )
        if step.evidence:
            listed = ", ".join(step.evidence)
            yield finding(
                "evidence-without-exit",
                (*scope.path_of(step), "evidence"),
                Text(
                    zh=f"{step.id} 没有出口，凭证 {listed} 无从提交",
                    en=f"{step.id} cannot be left, so its evidence ({listed}) is never asked for",
                ),
                Text(
                    zh="把凭证移到前一环节，或加出口",
                    en="move the evidence to the step before, or add a way on",
                ),
            )


def _no_way_to_end(scope: Scope, ending: set[str]) -> Iterator[Finding]:
    where = (
        Text(zh="流程", en="the procedure") if scope.parent is None else Text(zh="本分支", en="its branch")
    )
    for step in scope.steps:
        if step.id in ending or not step.to:
            continue
        yield finding(
            "no-way-to-end",
            scope.path_of(step),
            Text(
                zh=f"从 {step.id} 走不到{where.zh}的任何结束环节",
                en=f"from {step.id} no end of {where.en} can be reached",
            ),
            Text(
                zh="加一条通向结束环节的流转，或把某环节标为 end",
                en="add a move that leads towards an end, or mark a step with 'end'",
            ),
        )


def _separation(procedure: Procedure, all_scopes: tuple[Scope, ...]) -> Iterator[Finding]:
    guarded = [
        (scope, step, other)
        for scope in all_scopes
        for step in scope.steps
        for other in step.not_by
        if not other.startswith(OF_PARENT)
    ]
    graph = flow(procedure) if guarded else None
    homes = {step.id: scope for scope in all_scopes for step in scope.steps}
    for scope, step, other in guarded:
        if graph is None or comes_before(graph, other, step.id) or concurrent(scope, homes[other]):
            continue
        yield finding(
            "not-by-never-before",
            (*scope.path_of(step), "not_by"),
            Text(
                zh=f"{other} 不会先于 {step.id} 发生，回避要求不起作用",
                en=f"{other} never comes before {step.id}, so the separation never bites",
            ),
            Text(zh="改为在它之前的环节", en="name a step that comes before it"),
        )
