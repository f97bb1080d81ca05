"""Text of boxes, labels and lane heads, broken to size; and the size of boxes that follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from svcflow.drawing.layout.text_metrics import fit, width
from svcflow.drawing.scene import phrases
from svcflow.drawing.scene.map_scene import Edge, MapScene, Node
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
_SIGNED = ("waiting", "parallel", "subprocedure", "end", "request")
LABEL_ROOM = 118.0
CLOCK_SIGN, TIMED_SIGN = 12.0, 19.0


@attrs.frozen
class TextRow:
    """One line of text, its font size in pixels, and whether it is bold."""

    text: str
    size: float
    bold: bool = False

    @property
    def width(self) -> float:
        """How wide it is at most."""
        return width(self.text, self.size, bold=self.bold)


@attrs.frozen
class BoxText:
    """Rows of one box and its foot; `full` is the name uncut."""

    rows: tuple[TextRow, ...]
    foot: str
    full: str


@attrs.frozen(kw_only=True)
class BoxTexts:
    """Texts of all boxes by node, and the one size of all steps; ends are only as high as `end_height`."""

    width: float
    height: float
    end_height: float
    by_key: Mapping[str, BoxText]


@attrs.frozen
class LabelText:
    """Rows of a label and their width and height; `full` is the wording uncut, `sign` the room of the sign before it.

    A move made on overdue has the sign of a clock, one that a step makes by itself that of a clock with an arrow.
    """

    rows: tuple[TextRow, ...]
    w: float
    h: float
    full: str
    clock: bool = False
    timed: bool = False

    @property
    def sign(self) -> float:
        """Room that the sign before the first row takes."""
        return TIMED_SIGN if self.timed else CLOCK_SIGN if self.clock else 0.0


def box_texts(scene: MapScene, lang: Lang) -> BoxTexts:
    """Choose the least box that holds every name, and break the names to it."""
    boxes = [node for node in scene.nodes if node.name and node.shape not in ("start", "fork", "join")]
    wide = max([NARROWEST, *(_wanted_width(node, lang) for node in boxes)])
    wide = min(WIDEST, wide)
    texts = {node.key: _box_text(node, lang, wide) for node in boxes}
    steps = [texts[node.key] for node in boxes if node.shape != "end"]
    ends = [texts[node.key] for node in boxes if node.shape == "end"]
    footed = any(text.foot for text in steps)
    return BoxTexts(
        width=wide,
        height=max([34.0, *(_height(text) for text in steps)]) + (FOOT if footed else 0.0),
        end_height=max([30.0, *(_height(text) for text in ends)]),
        by_key=texts,
    )


def label_text(edge: Edge, lang: Lang) -> LabelText | None:
    """Break an edge's wording into the rows of its label."""
    rows = [
        TextRow(line, block.size)
        for words in _languages(edge.name, lang)
        for block in (fit(words, LABEL_ROOM, LABEL_SIZE, most=2 if len(edge.triggers) < 2 else 4),)
        for line in block.lines
    ]
    for words in _languages(edge.timed, lang):
        block = fit(words, LABEL_ROOM, LABEL_SIZE - 1, most=2)
        rows += [TextRow(line, block.size) for line in block.lines]
    for words in _languages(edge.condition, lang):
        block = fit(phrases.condition_text(words), LABEL_ROOM + 40, LABEL_SIZE - 1)
        rows += [TextRow(line, block.size) for line in block.lines]
    if not rows:
        return None
    full = " ".join(
        filter(
            None,
            (
                edge.name.in_(lang),
                edge.timed.in_(lang),
                f"[{edge.condition.in_(lang)}]" if edge.condition else "",
            ),
        )
    )
    height = LEADING * sum(row.size for row in rows) + 1
    text = LabelText(tuple(rows), 0.0, height, full, edge.overdue, bool(edge.timed))
    return attrs.evolve(text, w=max(row.width for row in rows) + text.sign + 3)


def in_one_row(text: LabelText) -> LabelText:
    """Return a label in one row, for lines that run closely side by side."""
    row = TextRow(" ".join(row.text for row in text.rows), min(row.size for row in text.rows))
    return attrs.evolve(text, rows=(row,), w=row.width + text.sign + 3, h=LEADING * row.size + 1)


def lane_head(name: Text, lang: Lang, room: float) -> tuple[TextRow, ...]:
    """Break a lane's name for its header."""
    rows: list[TextRow] = []
    for place, words in enumerate(_languages(name, lang)):
        block = fit(words, room, ZH_SIZE if place == 0 else EN_SIZE, bold=place == 0)
        rows += [TextRow(line, block.size, place == 0) for line in block.lines]
    return tuple(rows)


def stack_height(rows: Iterable[TextRow]) -> float:
    """Return how high rows are on top of each other."""
    return sum(row.size for row in rows) * LEADING


def _languages(text: Text, lang: Lang) -> tuple[str, ...]:
    if lang == "zh+en":
        return tuple(dict.fromkeys(filter(None, (text.zh, text.en))))
    words = text.in_(lang)
    return (words,) if words else ()


def _names(node: Node, lang: Lang) -> list[tuple[str, bool]]:
    """Return the name in each language, the first with the number, and whether it is the first."""
    number = f"{node.number} " if node.number else ""
    names = enumerate(_languages(node.name, lang))
    return [(number + name if place == 0 else name, place == 0) for place, name in names]


def _wanted_width(node: Node, lang: Lang) -> float:
    """Return the width at which the name fits: the first language in one line if it can, the other in two."""
    beside = node_room(node)
    wish = 0.0
    for text, first in _names(node, lang):
        size = ZH_SIZE if first else EN_SIZE
        room = width(text, size, bold=first)
        wish = max(wish, room if first and room < 130 else room * 0.56 + size)
    if node.runs:
        wish = max(wish, min(130.0, width(node.runs, FOOT_SIZE)))
    return max(wish + beside, _wanted_foot_width(node, lang))


def _wanted_foot_width(node: Node, lang: Lang) -> float:
    """Return the width at which the foot fits; a long one asks only for its short form."""
    for foot in (phrases.foot(node.limit, node.short_limit, lang), phrases.short_foot(node.short_limit)):
        wish = width(foot, FOOT_SIZE) + BADGE + MARGIN
        if wish <= LONGEST_FOOT:
            return wish if node.short_limit else 0.0
    return LONGEST_FOOT


def node_room(node: Node) -> float:
    """Return the width of a box that its name cannot have."""
    return 2 * MARGIN + (2 * ICON if node.shape in _SIGNED else 0.0)


def _box_text(node: Node, lang: Lang, wide: float) -> BoxText:
    rows: list[TextRow] = []
    for text, first in _names(node, lang):
        block = fit(text, wide - node_room(node), ZH_SIZE if first else EN_SIZE, bold=first)
        rows += [TextRow(line, block.size, first) for line in block.lines]
    if node.runs:
        block = fit(node.runs, wide - node_room(node), FOOT_SIZE, most=1)
        rows += [TextRow(line, block.size) for line in block.lines]
    foot = phrases.foot(node.limit, node.short_limit, lang)
    if width(foot, FOOT_SIZE) > wide - BADGE - MARGIN:
        block = fit(phrases.short_foot(node.short_limit), wide - BADGE - MARGIN, FOOT_SIZE, most=1)
        foot = block.lines[0]
    return BoxText(tuple(rows), foot, node.name.in_(lang))


def _height(text: BoxText) -> float:
    return stack_height(text.rows) + 9.0
