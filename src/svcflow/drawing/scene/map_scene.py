"""Scene of a swimlane map: its lanes, nodes and edges, without coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Literal, get_args

import attrs

from svcflow.text import NO_TEXT, Text

Shape = Literal["start", "request", "step", "waiting", "parallel", "subprocedure", "fork", "join", "end"]
LineKind = Literal["normal", "exception", "rework"]
Direction = Literal["horizontal", "vertical"]
START, FORK, JOIN = "start:", "fork:", "join:"
"""Keys of nodes that are no steps; FORK and JOIN are followed by the parallel step's id."""
BARS: tuple[Shape, ...] = ("fork", "join")


@attrs.frozen
class Lane:
    """Lane of one role."""

    id: str
    name: Text


@attrs.frozen(kw_only=True)
class Node:
    """One thing drawn at a place; a `request` is a start that says who asks, and how early.

    `strand` names the parallel branch it is in, () for none; `runs` the procedure it runs.
    """

    key: str
    shape: Shape
    lane: str
    number: str = ""
    name: Text = NO_TEXT
    limit: Text = NO_TEXT
    short_limit: str = ""
    step: str | None = None
    ending: str = ""
    runs: str = ""
    strand: tuple[str, ...] = ()

    @property
    def bar(self) -> bool:
        """Whether it is the bar of a fork or join."""
        return self.shape in BARS


@attrs.frozen(kw_only=True)
class Edge:
    """One line: all triggers that lead from one node to another in one kind."""

    key: str
    source: str
    target: str
    kind: LineKind = "normal"
    main: bool = False
    name: Text = NO_TEXT
    condition: Text = NO_TEXT
    overdue: bool = False
    timed: Text = NO_TEXT
    """When the step moves on along it by itself; empty where it does not."""
    triggers: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Note:
    """One note under the map: what it speaks of, and what it says."""

    head: Text
    body: Text


@attrs.frozen(kw_only=True, slots=False)
class MapScene:
    """Everything that one map shows, without coordinates; nodes and edges in declared order."""

    title: Text
    subtitle: Text
    description: Text
    lanes: tuple[Lane, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    notes: tuple[Note, ...] = ()

    @cached_property
    def by_key(self) -> Mapping[str, Node]:
        """Every node by its key."""
        return {node.key: node for node in self.nodes}

    @cached_property
    def main(self) -> frozenset[str]:
        """The keys of the nodes on the main line, those of branches included."""
        return frozenset(key for edge in self.edges if edge.main for key in (edge.source, edge.target))

    @cached_property
    def lane_order(self) -> Mapping[str, int]:
        """The place of each lane."""
        return {lane.id: place for place, lane in enumerate(self.lanes)}


Level = Literal["ok", "risk", "over"]


@attrs.frozen
class Badge:
    """Short text in the foot of a step and its level: `ok`, `risk` (▲) or `over` (■)."""

    text: str
    level: Level = attrs.field(default="ok", validator=attrs.validators.in_(get_args(Level)))
