"""From a procedure to a scene: what is drawn, in which lane, joined by which lines.

It reads declarations only; where things stand on the paper is not its business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs

from svcflow.drawing import wording
from svcflow.drawing.scene import FORK, JOIN, START, Edge, Lane, LineKind, Node, Note, Scene, Shape
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step, Transition, walk
from svcflow.text import Text

NO_LANE = ""


def numbers(procedure: Procedure) -> dict[str, str]:
    """Number the steps as maps and tables show them: P1, P2, inside branches P2.1; ends have none."""
    return dict(_numbered(procedure.steps, "P"))


def scene_of(procedure: Procedure) -> Scene:
    """Unfold a procedure into lanes, nodes and edges."""
    edges = tuple(_Lines(procedure).edges())
    nodes = tuple(_Nodes(procedure, _lanes_of(procedure)).nodes())
    return Scene(
        title=wording.heading(procedure),
        subtitle=wording.subheading(procedure),
        description=_description(procedure),
        lanes=_lanes(procedure, nodes),
        nodes=nodes,
        edges=edges,
        notes=tuple(_notes(procedure)),
    )


def main_path(steps: Sequence[Step]) -> tuple[str, ...]:
    """Return the main line: first normal transitions to the completed end, any transitions if need be."""
    wanted = [step.id for step in steps if step.end == "completed"] or [s.id for s in steps if s.end]
    for kinds in (("normal",), ("normal", "exception"), ("normal", "exception", "rework")):
        for goals in (set(wanted[:1]), set(wanted)):
            path = _first_path(steps, goals, kinds)
            if path:
                return path
    return (steps[0].id,)


def _first_path(steps: Sequence[Step], goals: set[str], kinds: Sequence[str]) -> tuple[str, ...]:
    after = {step.id: [move.step for move in step.to if move.kind in kinds] for step in steps}
    path, seen = [steps[0].id], {steps[0].id}
    rest = [iter(after[steps[0].id])]
    while path and path[-1] not in goals:
        step = next((s for s in rest[-1] if s not in seen and s in after), None)
        if step is None:
            path.pop()
            rest.pop()
        else:
            seen.add(step)
            path.append(step)
            rest.append(iter(after[step]))
    return tuple(path)


def _numbered(steps: Iterable[Step], prefix: str) -> Iterator[tuple[str, str]]:
    count = 0
    for step in steps:
        if step.end is None:
            count += 1
            yield step.id, f"{prefix}{count}"
            inner = [sub for branch in step.parallel for sub in branch.steps]
            yield from _numbered(inner, f"{prefix}{count}.")


def _lanes_of(procedure: Procedure) -> dict[str, str]:
    """Give each step its role's lane; one without a role goes to the lane it is reached from."""
    reached: dict[str, str] = {}
    for step in walk(procedure.steps):
        for move in step.to:
            reached.setdefault(move.step, step.id)
        for branch in step.parallel:
            reached.setdefault(branch.steps[0].id, step.id)
    steps = procedure.all_steps
    return {key: _lane(key, steps, reached) for key in steps}


def _lane(key: str, steps: Mapping[str, Step], reached: Mapping[str, str]) -> str:
    seen: set[str] = set()
    at: str | None = key
    while at is not None and at not in seen:
        role = steps[at].role
        if role is not None:
            return role
        seen.add(at)
        at = reached.get(at)
    return NO_LANE


def _lanes(procedure: Procedure, nodes: Iterable[Node]) -> tuple[Lane, ...]:
    used = {node.lane for node in nodes}
    declared = [Lane(role.id, wording.name_of(role.name, role.id)) for role in procedure.roles.values()]
    known = {lane.id for lane in declared}
    extra = sorted(used - known - {NO_LANE})
    lanes = [lane for lane in declared if lane.id in used]
    lanes += [Lane(role, wording.name_of(Text(), role)) for role in extra]
    if NO_LANE in used:
        lanes.insert(0, Lane(NO_LANE, wording.NO_ROLE))
    return tuple(lanes)


@attrs.define
class _Nodes:
    procedure: Procedure
    lanes: Mapping[str, str]
    number: dict[str, str] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.number = numbers(self.procedure)

    def nodes(self) -> Iterator[Node]:
        first = self.procedure.steps[0]
        yield Node(key=START, shape="start", lane=self.lanes[first.id], name=wording.STARTS)
        yield from self._of(self.procedure.steps, ())

    def _of(self, steps: Iterable[Step], strand: tuple[str, ...]) -> Iterator[Node]:
        for step in steps:
            if strand and step.end is not None:
                continue
            yield self._node(step, strand)
            if step.parallel:
                lane = self.lanes[step.id]
                yield Node(key=FORK + step.id, shape="fork", lane=lane, strand=strand)
                for branch in step.parallel:
                    yield from self._of(branch.steps, (*strand, f"{step.id}/{branch.id}"))
                yield Node(key=JOIN + step.id, shape="join", lane=lane, strand=strand)

    def _node(self, step: Step, strand: tuple[str, ...]) -> Node:
        limit = next(iter(step.time_limits), None)
        return Node(
            key=step.id,
            shape=_shape(step),
            lane=self.lanes[step.id],
            number=self.number.get(step.id, ""),
            name=wording.name_of(step.name, step.id),
            limit=wording.limit_text(limit) if limit else Text(),
            short_limit=wording.short_limit(limit) if limit else "",
            step=step.id,
            ending=step.end or "",
            strand=strand,
        )


def _shape(step: Step) -> Shape:
    if step.end is not None:
        return "end"
    if step.parallel:
        return "parallel"
    return "waiting" if step.waits else "step"


@attrs.define
class _Lines:
    procedure: Procedure

    def edges(self) -> Iterator[Edge]:
        first = self.procedure.steps[0].id
        yield Edge(key=f"{START}>{first}", source=START, target=first, main=True)
        yield from self._of(self.procedure.steps, None)

    def _of(self, steps: Sequence[Step], join: str | None) -> Iterator[Edge]:
        path = main_path(steps)
        on_main = set(zip(path, path[1:], strict=False))
        ends = {step.id: step for step in steps if step.end is not None and join is not None}
        for step in steps:
            if step.id in ends:
                continue
            if step.parallel:
                yield from self._branches(step, on_main=step.id in path)
            yield from _moves(step, on_main, ends, join)

    def _branches(self, step: Step, *, on_main: bool) -> Iterator[Edge]:
        fork, join = FORK + step.id, JOIN + step.id
        yield Edge(key=f"{step.id}>{fork}", source=step.id, target=fork, main=on_main)
        for branch in step.parallel:
            first = branch.steps[0]
            target = join if first.end is not None else first.id
            yield Edge(
                key=f"{fork}>{target}/{branch.id}",
                source=fork,
                target=target,
                main=True,
                name=branch.name,
            )
            yield from self._of(branch.steps, join)


def _moves(
    step: Step, on_main: set[tuple[str, str]], ends: Mapping[str, Step], join: str | None
) -> Iterator[Edge]:
    """Yield one edge per source, target and kind; several triggers share it."""
    groups: dict[tuple[str, str, LineKind], list[Transition]] = {}
    for move in step.to:
        target = join if move.step in ends and join is not None else move.step
        source = JOIN + step.id if step.parallel and move.trigger == "done" else step.id
        groups.setdefault((source, target, move.kind), []).append(move)
    led: set[tuple[str, str]] = set()
    for (source, target, kind), moves in groups.items():
        hop = (step.id, moves[0].step)
        main = hop in on_main and hop not in led
        if main:
            led.add(hop)
        yield _edge(step, source, target, kind, moves, ends, main=main)


def _edge(
    step: Step,
    source: str,
    target: str,
    kind: LineKind,
    moves: list[Transition],
    ends: Mapping[str, Step],
    *,
    main: bool,
) -> Edge:
    silent = source.startswith(JOIN)
    names = [_move_name(move, ends) for move in moves]
    guards = list(dict.fromkeys(str(move.when) for move in moves if move.when is not None))
    return Edge(
        key=f"{source}>{target}/{kind}",
        source=source,
        target=target,
        kind=kind,
        main=main,
        name=Text() if silent and not moves[0].name else wording.joined(names),
        condition=" | ".join(guards) if guards and len(guards) == len(moves) else "",
        overdue=step.on_overdue is not None and any(move.trigger == step.on_overdue for move in moves),
        triggers=tuple(dict.fromkeys(move.trigger for move in moves)),
    )


def _move_name(move: Transition, ends: Mapping[str, Step]) -> Text:
    end = ends.get(move.step)
    return wording.trigger_text(move.trigger, move.name or (end.name if end else Text()))


def _description(procedure: Procedure) -> Text:
    steps, roles = len(procedure.all_steps), len(procedure.roles)
    return Text(
        zh=f"泳道图：{steps} 个环节，{roles} 个岗位。{procedure.purpose.zh}",
        en=f"Swimlane map: {steps} steps, {roles} roles. {procedure.purpose.en}",
    )


def _notes(procedure: Procedure) -> Iterator[Note]:
    for limit in procedure.limits:
        yield Note(head=_scope(procedure, limit), body=_cases(limit))
    number = numbers(procedure)
    for step in walk(procedure.steps):
        for limit in step.time_limits:
            if len(limit.rows) > 1:
                name = wording.name_of(limit.name, step.id)
                at = number.get(step.id, "")
                yield Note(
                    head=Text(zh=f"{at} {name.zh or name.en}", en=f"{at} {name.en or name.zh}"),
                    body=_cases(limit),
                )


def _scope(procedure: Procedure, limit: TimeLimit) -> Text:
    name = wording.name_of(limit.name, limit.id)
    number = numbers(procedure)
    ends = []
    for key, edge in ((limit.from_, Text(zh="开始", en="start")), (limit.to, Text(zh="结束", en="end"))):
        step = procedure.all_steps.get(key) if key else None
        if step is None:
            ends.append(edge)
        else:
            called = wording.name_of(step.name, step.id)
            at = number.get(step.id, "")
            ends.append(
                Text(zh=f"{at} {called.zh or called.en}".strip(), en=f"{at} {called.en or called.zh}".strip())
            )
    zh, en = (" → ".join(end.in_(lang) for end in ends) for lang in ("zh", "en"))
    return Text(zh=f"{name.zh or name.en}（{zh}）", en=f"{name.en or name.zh} ({en})")


def _cases(limit: TimeLimit) -> Text:
    zh, en = [], []
    for row in limit.rows:
        if row.within is None:
            said = Text(zh="无时限", en="no limit")
        else:
            said = Text(zh=f"≤ {row.within.text('zh')}", en=f"≤ {row.within.text('en')}")
        if row.when is not None:
            guard = wording.condition_text(str(row.when))
            said = Text(zh=f"{guard} {said.zh}", en=f"{guard} {said.en}")
        elif len(limit.rows) > 1:
            said = Text(zh=f"其余 {said.zh}", en=f"otherwise {said.en}")
        zh.append(said.zh)
        en.append(said.en)
    return Text(zh="；".join(zh), en="; ".join(en))
