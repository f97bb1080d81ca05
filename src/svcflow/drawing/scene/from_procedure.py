"""Scene of a procedure: its lanes, nodes, edges and notes, read from the declaration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import attrs

from svcflow.drawing.scene import phrases
from svcflow.drawing.scene.data_notes import data_notes
from svcflow.drawing.scene.edges import edges_of
from svcflow.drawing.scene.limit_notes import limit_notes
from svcflow.drawing.scene.map_scene import FORK, JOIN, START, Lane, MapScene, Node, Shape
from svcflow.drawing.scene.rule_notes import rule_notes
from svcflow.model.limit_locations import limits_over
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step, walk
from svcflow.text import Text

NO_LANE = ""


def numbers(procedure: Procedure) -> dict[str, str]:
    """Return the numbers of steps that maps and tables show, by id: P1, P2, inside branches P2.1; ends have none."""
    return dict(_numbered(procedure.steps, "P"))


def scene_of(procedure: Procedure) -> MapScene:
    """Return what the map of a procedure shows."""
    nodes, number = tuple(_Nodes(procedure, _lanes_of(procedure)).nodes()), numbers(procedure)
    return MapScene(
        title=phrases.heading(procedure),
        subtitle=phrases.subheading(procedure),
        description=_description(procedure),
        lanes=_lanes(procedure, nodes),
        nodes=nodes,
        edges=edges_of(procedure),
        notes=(
            *limit_notes(procedure, number),
            *rule_notes(procedure, number),
            *data_notes(procedure),
        ),
    )


def _numbered(steps: Iterable[Step], prefix: str) -> Iterator[tuple[str, str]]:
    count = 0
    for step in steps:
        if step.end is None:
            count += 1
            yield step.id, f"{prefix}{count}"
            inner = [sub for branch in step.parallel for sub in branch.steps]
            yield from _numbered(inner, f"{prefix}{count}.")


def _lanes_of(procedure: Procedure) -> dict[str, str]:
    """Return the lane of each step: that of its role, or without one that of the step it is reached from."""
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
    declared = [Lane(role.id, phrases.name_of(role.name, role.id)) for role in procedure.roles.values()]
    known = {lane.id for lane in declared}
    extra = sorted(used - known - {NO_LANE})
    lanes = [lane for lane in declared if lane.id in used]
    lanes += [Lane(role, phrases.name_of(Text(), role)) for role in extra]
    if NO_LANE in used:
        lanes.insert(0, Lane(NO_LANE, phrases.NO_ROLE))
    return tuple(lanes)


@attrs.define
class _Nodes:
    """Nodes of a procedure in declared order; the ends of branches have none."""

    procedure: Procedure
    lanes: Mapping[str, str]
    number: dict[str, str] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.number = numbers(self.procedure)

    def nodes(self) -> Iterator[Node]:
        yield self._start()
        yield from self._of(self.procedure.steps, ())

    def _start(self) -> Node:
        """Return the start, in the lane of who asks; a mere circle where nothing is declared of it."""
        rule, lane = self.procedure.start, self.lanes[self.procedure.steps[0].id]
        if rule is None or not (phrases.seen(rule.name) or rule.before):
            own = lane if rule is None else rule.role or lane
            return Node(key=START, shape="start", lane=own, name=phrases.STARTS)
        return Node(
            key=START,
            shape="request",
            lane=rule.role or lane,
            name=phrases.seen(rule.name) or phrases.STARTS,
            limit=phrases.notice_ahead(rule),
            short_limit=phrases.short_notice(rule),
        )

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
        limits, fields = limits_over(self.procedure, step), self.procedure.fields
        return Node(
            key=step.id,
            shape=_shape(step),
            lane=self.lanes[step.id],
            number=self.number.get(step.id, ""),
            name=phrases.name_of(step.name, step.id),
            limit=phrases.limits_text(limits, fields),
            short_limit=phrases.short_limits(limits),
            step=step.id,
            ending=step.end or "",
            runs="" if step.runs is None else step.runs.procedure,
            strand=strand,
        )


def _shape(step: Step) -> Shape:
    if step.end is not None:
        return "end"
    if step.parallel:
        return "parallel"
    if step.runs is not None:
        return "subprocedure"
    return "waiting" if step.waits else "step"


def _description(procedure: Procedure) -> Text:
    steps, roles = len(procedure.all_steps), len(procedure.roles)
    return Text(
        zh=f"泳道图：{steps} 个环节，{roles} 个岗位。{procedure.purpose.zh}",
        en=f"Swimlane map: {steps} steps, {roles} roles. {procedure.purpose.en}",
    )
