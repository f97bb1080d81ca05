"""What stands in a box and on a line: text broken to size; where the box stands is not its business."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from svcflow.drawing.layout.text_metrics import Lines, fit, width
from svcflow.drawing.scene import phrases
from svcflow.drawing.scene.scene import Edge, Node, Scene
from svcflow.text import Lang, Text

ZH_SIZE, EN_SIZE, FOOT_SIZE, LABEL_SIZE = 12.0, 9.5, 9.0, 9.5
LEADING = 1.22
FOOT = 17.0
BADGE = 58.0
MARGIN = 8.0
ICON = 21.0
NARROWEST, WIDEST = 124.0, 188.0
LONGEST_FOOT = 176.0
BAR, DOT = 7.0, 20.0
LABEL_ROOM = 118.0


@attrs.frozen
class Row:
    """Stand for one line of text: what, how large, how heavy."""

    text: str
    size: float
    bold: bool = False

    @property
    def width(self) -> float:
        """How wide it is at most."""
        return width(self.text, self.size, bold=self.bold)


@attrs.frozen
class Face:
    """Hold the rows of one box and its foot; `full` is the uncut wording."""

    rows: tuple[Row, ...]
    foot: str
    full: str


@attrs.frozen(kw_only=True)
class Faces:
    """Hold all boxes' faces; all boxes of one map are of one size."""

    width: float
    height: float
    end_height: float
    by_key: Mapping[str, Face]


@attrs.frozen
class LabelText:
    """Hold the rows of a label and the room they take."""

    rows: tuple[Row, ...]
    w: float
    h: float
    full: str
    clock: bool = False


def faces(scene: Scene, lang: Lang) -> Faces:
    """Choose the least box that holds every name, and break the names to it."""
    boxes = [node for node in scene.nodes if node.name and node.shape not in ("start", "fork", "join")]
    wide = max([NARROWEST, *(_wish(node, lang) for node in boxes)])
    wide = min(WIDEST, wide)
    made = {node.key: _face(node, lang, wide) for node in boxes}
    steps = [made[node.key] for node in boxes if node.shape != "end"]
    ends = [made[node.key] for node in boxes if node.shape == "end"]
    footed = any(face.foot for face in steps)
    return Faces(
        width=wide,
        height=max([34.0, *(_height(face) for face in steps)]) + (FOOT if footed else 0.0),
        end_height=max([30.0, *(_height(face) for face in ends)]),
        by_key=made,
    )


def label_text(edge: Edge, lang: Lang) -> LabelText | None:
    """Break an edge's wording into the rows of its label."""
    rows = [
        Row(line, block.size)
        for said in _languages(edge.name, lang)
        for block in (fit(said, LABEL_ROOM, LABEL_SIZE, most=2 if len(edge.triggers) < 2 else 4),)
        for line in block.lines
    ]
    if edge.condition:
        block = fit(phrases.condition_text(edge.condition), LABEL_ROOM + 40, LABEL_SIZE - 1)
        rows += [Row(line, block.size) for line in block.lines]
    if not rows:
        return None
    full = " ".join(filter(None, (edge.name.in_(lang), edge.condition and f"[{edge.condition}]")))
    room = max(row.width for row in rows) + (12.0 if edge.overdue else 0.0)
    return LabelText(tuple(rows), room + 3, LEADING * sum(r.size for r in rows) + 1, full, edge.overdue)


def flat(text: LabelText) -> LabelText:
    """Return a label in one row, for lines that run closely side by side."""
    row = Row(" ".join(row.text for row in text.rows), min(row.size for row in text.rows))
    return LabelText(
        (row,), row.width + (15.0 if text.clock else 3.0), LEADING * row.size + 1, text.full, text.clock
    )


def head(name: Text, lang: Lang, room: float) -> tuple[Row, ...]:
    """Break a lane's name for its header."""
    out = []
    for place, said in enumerate(_languages(name, lang)):
        block = fit(said, room, ZH_SIZE if place == 0 else EN_SIZE, bold=place == 0)
        out += [Row(line, block.size, place == 0) for line in block.lines]
    return tuple(out)


def stacked(rows: Iterable[Row]) -> float:
    """Return how high rows are on top of each other."""
    return sum(row.size for row in rows) * LEADING


def _languages(text: Text, lang: Lang) -> tuple[str, ...]:
    if lang == "zh+en":
        return tuple(dict.fromkeys(filter(None, (text.zh, text.en))))
    said = text.in_(lang)
    return (said,) if said else ()


def _names(node: Node, lang: Lang) -> list[tuple[str, bool]]:
    said = _languages(node.name, lang)
    number = f"{node.number} " if node.number else ""
    return [((number + text) if place == 0 else text, place == 0) for place, text in enumerate(said)]


def _wish(node: Node, lang: Lang) -> float:
    """Return the width at which the name fits: the first language in one line if it can, the other in two."""
    beside = node_room(node)
    wish = 0.0
    for text, first in _names(node, lang):
        size = ZH_SIZE if first else EN_SIZE
        room = width(text, size, bold=first)
        wish = max(wish, room if first and room < 130 else room * 0.56 + size)
    return max(wish + beside, _foot_wish(node, lang))


def _foot_wish(node: Node, lang: Lang) -> float:
    """Return the width at which the foot fits; a long one asks only for its short form."""
    for foot in (phrases.foot(node.limit, node.short_limit, lang), f"≤ {node.short_limit}"):
        wish = width(foot, FOOT_SIZE) + BADGE + MARGIN
        if wish <= LONGEST_FOOT:
            return wish if node.short_limit else 0.0
    return LONGEST_FOOT


def node_room(node: Node) -> float:
    """Return the width of a box that its name cannot have."""
    return 2 * MARGIN + (2 * ICON if node.shape in ("waiting", "parallel", "end") else 0.0)


def _face(node: Node, lang: Lang, wide: float) -> Face:
    rows: list[Row] = []
    for text, first in _names(node, lang):
        block: Lines = fit(text, wide - node_room(node), ZH_SIZE if first else EN_SIZE, bold=first)
        rows += [Row(line, block.size, first) for line in block.lines]
    foot = phrases.foot(node.limit, node.short_limit, lang)
    if width(foot, FOOT_SIZE) > wide - BADGE - MARGIN:
        block = fit(f"≤ {node.short_limit}", wide - BADGE - MARGIN, FOOT_SIZE, most=1)
        foot = block.lines[0]
    return Face(tuple(rows), foot, node.name.in_(lang))


def _height(face: Face) -> float:
    return stacked(face.rows) + 9.0
