"""Scene of a procedure: its lanes, nodes, edges and notes, read from the declaration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import attrs

from svcflow.drawing.scene import phrases
from svcflow.drawing.scene.data_notes import data_notes
from svcflow.drawing.scene.edges import edges_of
from svcflow.drawing.scene.limit_notes import limit_notes
from svcflow.drawing.scene.map_scene import FORK, JOIN, START, Lane, MapScene, Node, Note, Shape
from svcflow.model.limit_locations import limits_over
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step, walk
from svcflow.model.subprocedure import SubProcedure
from svcflow.model.wording import regular_start_text
from svcflow.text import Text
from svcflow.wording import OUTCOMES, word

NO_LANE = ""


def numbers(procedure: Procedure) -> dict[str, str]:
    """Return the numbers of steps that maps and tables show, by id: P1, P2, inside branches P2.1; ends have none."""
    return dict(_numbered(procedure.steps, "P"))


def scene_of(procedure: Procedure) -> MapScene:
    """Return what the map of a procedure shows."""
    nodes = tuple(_Nodes(procedure, _lanes_of(procedure)).nodes())
    return MapScene(
        title=phrases.heading(procedure),
        subtitle=phrases.subheading(procedure),
        description=_description(procedure),
        lanes=_lanes(procedure, nodes),
        nodes=nodes,
        edges=edges_of(procedure),
        notes=(*_notes(procedure, numbers(procedure)), *data_notes(procedure)),
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
        first = self.procedure.steps[0]
        yield Node(key=START, shape="start", lane=self.lanes[first.id], name=phrases.STARTS)
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


def _notes(procedure: Procedure, number: Mapping[str, str]) -> Iterator[Note]:
    """Yield when it begins by itself, limits over several steps or by cases, and rules that refuse; steps go by number."""
    for start in procedure.starts:
        yield Note(head=phrases.REGULAR_START, body=regular_start_text(start))
    yield from limit_notes(procedure, number)
    for step in walk(procedure.steps):
        if step.runs is not None:
            yield _subprocedure(step, step.runs, number)
        yield from _refusals(step, number.get(step.id, ""))
        if step.qualified is not None:
            yield _qualified(procedure, step, step.qualified, number.get(step.id, ""))
    yield from _settled(procedure)


def _settled(procedure: Procedure) -> Iterator[Note]:
    """Yield the values that stay as they are from a move on."""
    moves = {move.trigger: move for step in walk(procedure.steps) for move in reversed(step.to)}
    for field in procedure.fields.values():
        if field.settled_by is not None:
            called = phrases.name_of(field.name, field.id)
            by = phrases.trigger_text(field.settled_by, moves[field.settled_by].name)
            yield Note(
                head=Text(zh=called.zh or called.en, en=called.en or called.zh),
                body=Text(
                    zh=f"自“{by.zh or by.en}”起不得改动，返工退回其前除外",
                    en=f"may not change after {(by.en or by.zh)!r}, unless rework leads back before it",
                ),
            )


def _qualified(procedure: Procedure, step: Step, certificate: str, at: str) -> Note:
    """Return the note of the certificate that the step asks for."""
    called = phrases.name_of(step.name, step.id)
    held = phrases.name_of(procedure.certificates[certificate].name, certificate)
    return Note(
        head=Text(zh=f"{at} {called.zh or called.en}".strip(), en=f"{at} {called.en or called.zh}".strip()),
        body=Text(zh=f"须持证：{held.zh or held.en}", en=f"certificate needed: {held.en or held.zh}"),
    )


def _refusals(step: Step, at: str) -> Iterator[Note]:
    """Yield the rules by which a trigger of the step is refused where none of its conditions is met."""
    for move in step.to:
        if move.otherwise is not None:
            name, rule = phrases.trigger_text(move.trigger, move.name), move.otherwise.name
            yield Note(
                head=Text(zh=f"{at} {name.zh or name.en}", en=f"{at} {name.en or name.zh}"),
                body=Text(
                    zh=f"条件都不符时拒绝：{rule.in_('zh')}",
                    en=f"refused where no condition is met: {rule.in_('en')}",
                ),
            )


def _subprocedure(step: Step, called: SubProcedure, number: Mapping[str, str]) -> Note:
    """Return the note of what a step runs: the procedure, what its ends fire, and whether it may be called off."""
    name, at = phrases.name_of(step.name, step.id), number.get(step.id, "")
    names = {move.trigger: phrases.trigger_text(move.trigger, move.name) for move in step.to}
    given = ", ".join(f"{field} ← {own}" for field, own in called.data.items())
    zh, en = ([called.procedure, given] if given else [called.procedure] for _ in range(2))
    for outcome, trigger in called.outcomes.items():
        how, then = word(OUTCOMES, outcome), names[trigger]
        zh.append(f"{how.zh} → {then.in_('zh')}")
        en.append(f"{how.en} → {then.in_('en')}")
    if step.waits is not None:
        zh.append(phrases.WAITS.zh)
        en.append(phrases.WAITS.en)
    if called.on_call_off == "refuse":
        zh.append("未结束不得离开")
        en.append("it may not be left before")
    return Note(
        head=Text(zh=f"{at} {name.in_('zh')} {phrases.RUNS}", en=f"{at} {name.in_('en')} {phrases.RUNS}"),
        body=Text(zh="；".join(zh), en="; ".join(en)),
    )
