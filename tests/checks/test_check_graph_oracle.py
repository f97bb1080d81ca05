"""The graph's answers against plain searches that use no graph library."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from checks_declared import declared, end, fork, move, paths, step
from hypothesis import given
from hypothesis import strategies as st

from svcflow.checks.graph import back_edges, heaviest_way, lightest_way, scope_graph
from svcflow.checks.locations import scopes
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step

Arrows = dict[str, list[str]]


@st.composite
def scope_steps(draw: st.DrawFn, prefix: str, *, depth: int) -> list[Step]:
    """One scope of up to six steps with any moves between them; some ends, some forks; the last is an end, the first none."""
    names = [f"{prefix}{n}" for n in range(draw(st.integers(1, 6)))]
    last = f"{prefix}z"
    steps: list[Step] = []
    for place, name in enumerate(names):
        ways = draw(st.lists(st.sampled_from([*names, last]), max_size=3, unique=True))
        kind = draw(st.sampled_from(["step", "step", "end", "fork"]))
        if kind == "end" and place:
            steps.append(end(name))
        elif kind == "fork" and depth:
            branches = {
                f"b{n}": draw(scope_steps(f"{name}b{n}", depth=depth - 1))
                for n in range(draw(st.integers(1, 2)))
            }
            done = move("done", draw(st.sampled_from([*names, last])))
            steps.append(fork(name, done, *ways, branches=branches))
        else:
            steps.append(step(name, *ways))
    return [*steps, end(last)]


procedures = scope_steps("s", depth=1).map(lambda steps: declared(*steps))


def closure(arrows: Mapping[str, Iterable[str]], start: str) -> set[str]:
    """Everything that can be walked to from `start`."""
    seen, todo = {start}, [start]
    while todo:
        for after in arrows[todo.pop()]:
            if after not in seen:
                seen.add(after)
                todo.append(after)
    return seen


def can_end(steps: tuple[Step, ...]) -> set[str]:
    """The steps from which an end can be reached: the least set closed under the rules."""
    ending: set[str] = set()
    while True:
        more = {
            s.id for s in steps if s.end is not None or any(leads(s, m.trigger, m.step, ending) for m in s.to)
        }
        if more == ending:
            return ending
        ending = more


def leads(at: Step, trigger: str, target: str, ending: set[str]) -> bool:
    joined = all(branch.steps[0].id in can_end(branch.steps) for branch in at.parallel)
    return target in ending and (trigger != "done" or joined)


def each_scope(steps: tuple[Step, ...]) -> Iterable[tuple[Step, ...]]:
    yield steps
    for at in steps:
        for branch in at.parallel:
            yield from each_scope(branch.steps)


@given(procedures)
def test_unreachable_steps_are_those_no_walk_reaches(procedure: Procedure) -> None:
    """A step is reported as unreachable exactly when a plain walk of its scope never meets it."""
    missed = {
        s.id
        for scope in each_scope(procedure.steps)
        for s in scope
        if s.id not in closure({x.id: [m.step for m in x.to] for x in scope}, scope[0].id)
    }
    assert {path[-1] for path in paths(procedure, "unreachable-step")} == missed


@given(procedures)
def test_dead_ends_are_steps_that_lead_nowhere_and_do_not_end(procedure: Procedure) -> None:
    """A dead end is a step without a way on that is not an end, nothing else."""
    stuck = {s.id for s in procedure.all_steps.values() if not s.to and s.end is None}
    assert {path[-1] for path in paths(procedure, "dead-end")} == stuck


@given(procedures)
def test_steps_without_a_way_to_an_end_are_those_the_rules_never_close(procedure: Procedure) -> None:
    """No way to an end is reported exactly where the least fixed point of the rules leaves a step out."""
    lost = {
        s.id for scope in each_scope(procedure.steps) for s in scope if s.to and s.id not in can_end(scope)
    }
    assert {path[-1] for path in paths(procedure, "no-way-to-end")} == lost


@st.composite
def weighted(draw: st.DrawFn, *, acyclic: bool) -> tuple[Procedure, dict[str, int]]:
    """Up to seven steps with weights; forward moves only where an acyclic graph is asked for."""
    count = draw(st.integers(1, 7))
    names = [f"s{n}" for n in range(count)]
    steps = []
    for n, name in enumerate(names):
        ahead = [*names[n + 1 :], "closed"] if acyclic else [*names, "closed"]
        steps.append(step(name, *draw(st.lists(st.sampled_from(ahead), max_size=3, unique=True))))
    return declared(*steps, end()), {name: draw(st.integers(0, 9)) for name in names}


def simple_ways(arrows: Arrows, way: list[str], target: str) -> Iterable[list[str]]:
    if way[-1] == target:
        yield way
        return
    for after in arrows[way[-1]]:
        if after not in way:
            yield from simple_ways(arrows, [*way, after], target)


def totals(procedure: Procedure, weights: dict[str, int]) -> list[int]:
    arrows = {s.id: [m.step for m in s.to] for s in procedure.steps}
    return [sum(weights[s] for s in way[:-1]) for way in simple_ways(arrows, ["s0"], "closed")]


@given(weighted(acyclic=False))
def test_the_lightest_way_is_the_least_of_all_ways(drawn: tuple[Procedure, dict[str, int]]) -> None:
    """The shortest way weighs what the lightest of all enumerated ways weighs, or there is none."""
    procedure, weights = drawn
    way = lightest_way(scope_graph(scopes(procedure)[0]), "s0", ["closed"], weights)
    assert (None if way is None else way[0]) == min(totals(procedure, weights), default=None)


@given(weighted(acyclic=True))
def test_the_heaviest_way_of_an_acyclic_procedure_is_exact(drawn: tuple[Procedure, dict[str, int]]) -> None:
    """Where nothing leads back, the longest way weighs what the heaviest of all enumerated ways weighs."""
    procedure, weights = drawn
    way = heaviest_way(scope_graph(scopes(procedure)[0]), "s0", ["closed"], weights)
    assert (None if way is None else way[0]) == max(totals(procedure, weights), default=None)


@given(weighted(acyclic=False))
def test_the_heaviest_way_enters_no_step_twice(drawn: tuple[Procedure, dict[str, int]]) -> None:
    """With loops too, the longest way is a way of the procedure without a repeated step, weighed rightly."""
    procedure, weights = drawn
    way = heaviest_way(scope_graph(scopes(procedure)[0]), "s0", ["closed"], weights)
    if way is None:
        assert not totals(procedure, weights)
        return
    total, steps = way
    arrows = {s.id: [m.step for m in s.to] for s in procedure.steps}
    assert list(steps) in list(simple_ways(arrows, ["s0"], "closed"))
    assert total == sum(weights[s] for s in steps[:-1])


@given(weighted(acyclic=False))
def test_without_its_back_edges_a_graph_has_no_circle(drawn: tuple[Procedure, dict[str, int]]) -> None:
    """Taking the back edges away leaves no step that can be reached from itself."""
    graph = scope_graph(scopes(drawn[0])[0])
    graph.remove_edges_from(back_edges(graph, list(graph)))
    arrows = {s: list(graph[s]) for s in graph}
    assert not [s for s in arrows for after in arrows[s] if s in closure(arrows, after)]


def test_the_largest_procedure_allowed_is_checked() -> None:
    """A chain as long as the model allows is searched without recursion."""
    names = [f"s{n}" for n in range(1_999)]
    chain = [step(name, after) for name, after in zip(names, [*names[1:], "closed"], strict=True)]
    assert not paths(declared(*chain, end()), "unreachable-step")
