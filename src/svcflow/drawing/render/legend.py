"""Legend and notes under a map: what lines and symbols mean, and the limits that no box can show."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

import attrs

from svcflow.drawing.layout.box_text import TextRow
from svcflow.drawing.layout.coordinates import MARGIN, Layout
from svcflow.drawing.layout.geometry import Point
from svcflow.drawing.layout.text_metrics import broken, width
from svcflow.drawing.render import style, svg_shapes
from svcflow.drawing.render.svg_shapes import number
from svcflow.drawing.scene import phrases
from svcflow.drawing.scene.map_scene import Badge, Note
from svcflow.model.step import SUCCESSES
from svcflow.text import Lang, Text
from svcflow.wording import TRANSITIONS

_SIZE, _LINE, _GAP = 9.5, 16.0, 22.0
_LEAST_WIDTH = 420.0
_ROW, _INDENT = 15.0, 10.0
_FILL = 0.9
"""How much of a column a row of notes may take by our measure: some fonts are wider than it."""
_COLUMN, _MOST_COLUMNS = 460.0, 3
"""Least width and greatest number of the columns of notes."""
_SWATCH = 30.0
_LEVEL = {"risk": Text(zh="临近超时", en="at risk"), "over": Text(zh="超时", en="over")}


@attrs.frozen
class _Item:
    """One entry of the legend; `draw` gives its sign at x, y."""

    draw: Callable[[float, float], str]
    words: str

    @property
    def width(self) -> float:
        return _SWATCH + width(self.words, _SIZE) + _GAP


def legend(layout: Layout, badges: Mapping[str, Badge]) -> tuple[list[str], float, float]:
    """Return the SVG under the map, where it ends below, and where it ends to the right."""
    room = max(layout.area.right - MARGIN, _LEAST_WIDTH)
    parts: list[str] = []
    x, y = MARGIN, layout.area.bottom + 24
    for item in _items(layout, badges):
        if x > MARGIN and x + item.width - _GAP > MARGIN + room:
            x, y = MARGIN, y + _LINE
        parts += [item.draw(x, y), svg_shapes.text(TextRow(item.words, _SIZE), x + _SWATCH, y + 3.4, "note")]
        x += item.width
    notes, bottom = _notes((*layout.scene.notes, *_unplaced(layout)), layout.lang, room, y + 6)
    return [*parts, *notes], bottom + 4, MARGIN + room


def _notes(notes: tuple[Note, ...], lang: Lang, room: float, top: float) -> tuple[list[str], float]:
    """Return the SVG of the notes, in columns of even height below a title, and where the longest one ends."""
    if not notes:
        return [], top
    title = Text(zh="其他时限与说明", en="Further limits and notes")
    parts = [svg_shapes.text(TextRow(title.in_(lang), _SIZE + 0.5, bold=True), MARGIN, top + _ROW, "")]
    many = max(1, min(_MOST_COLUMNS, int(room // _COLUMN)))
    wide = (room + _GAP) / many
    blocks = [_rows(note, lang, wide - _GAP) for note in notes]
    left, y, bottom = MARGIN, top + _ROW, top + _ROW
    even = sum(map(len, blocks)) * _ROW / many
    for block in blocks:
        if y - top - _ROW >= even:
            left, y = left + wide, top + _ROW
        for place, row in enumerate(block):
            y += _ROW
            parts.append(svg_shapes.text(row, left + (_INDENT if place else 0.0), y, "note"))
        bottom = max(bottom, y)
    return parts, bottom


def _rows(note: Note, lang: Lang, room: float) -> list[TextRow]:
    rows = []
    for tongue in ("zh", "en") if lang == "zh+en" else (lang,):
        colon = ": " if tongue == "en" else "："
        words = f"{note.head.in_(tongue)}{colon}{note.body.in_(tongue)}"
        rows += [TextRow(line, _SIZE) for line in broken(words, _FILL * (room - _INDENT) / _SIZE)]
    return rows


def _unplaced(layout: Layout) -> Iterator[Note]:
    """Yield the labels that found no place on the map, so that no wording is lost."""
    for edge in layout.scene.edges:
        if edge.key in layout.texts and edge.key not in layout.labels:
            source, target = (layout.scene.by_key[key] for key in (edge.source, edge.target))
            head = f"{source.number or source.name.in_(layout.lang)} → {target.number or target.name.in_(layout.lang)}"
            body = layout.texts[edge.key].full
            yield Note(head=Text(zh=head, en=head), body=Text(zh=body, en=body))


def _items(layout: Layout, badges: Mapping[str, Badge]) -> Iterator[_Item]:
    scene, lang = layout.scene, layout.lang
    yield _Item(
        lambda x, y: f'<circle class="fork" cx="{number(x + 12)}" cy="{number(y)}" r="6"/>',
        phrases.STARTS.in_(lang),
    )
    endings = {node.ending for node in scene.nodes if node.ending}
    kinds = {"main" if edge.main else edge.kind for edge in scene.edges}
    for kind in style.LINE:
        if kind in kinds:
            yield _Item(_swatch(kind), TRANSITIONS[kind].in_(lang))
    yield from _shapes({node.shape for node in scene.nodes}, lang)
    if endings & SUCCESSES:
        yield _Item(lambda x, y: svg_shapes.target(x + 14, y), phrases.COMPLETED.in_(lang))
    if endings - SUCCESSES:
        yield _Item(lambda x, y: svg_shapes.stop(x + 14, y), phrases.OTHER_END.in_(lang))
    if any(edge.overdue for edge in scene.edges):
        yield _Item(lambda x, y: svg_shapes.clock(x + 18, y, style.INK), phrases.OVERDUE.in_(lang))
    if any(edge.timed for edge in scene.edges):
        yield _Item(lambda x, y: svg_shapes.timed(x + 12, y, style.INK), phrases.TIMED.in_(lang))
    for level in sorted({badge.level for badge in badges.values()} & set(_LEVEL)):
        _, ink, shape = style.LEVEL[level]
        yield _Item(_sign(shape, ink), _LEVEL[level].in_(lang))


def _shapes(shapes: Collection[str], lang: Lang) -> Iterator[_Item]:
    if "waiting" in shapes:
        yield _Item(lambda x, y: svg_shapes.pause(x + 14, y), phrases.WAITS.in_(lang))
    if "subprocedure" in shapes:
        yield _Item(lambda x, y: svg_shapes.plus(x + 14, y), phrases.SUBPROCEDURE.in_(lang))
    if "fork" in shapes:
        yield _Item(lambda x, y: svg_shapes.split(x + 14, y), phrases.PARALLEL.in_(lang))


def _sign(shape: str, ink: str) -> Callable[[float, float], str]:
    return lambda x, y: svg_shapes.symbol(shape, x + 10, y, ink)


def _swatch(kind: str) -> Callable[[float, float], str]:
    colour, wide, dash = style.LINE[kind]
    dashes = f' stroke-dasharray="{dash}"' if dash else ""

    def draw(x: float, y: float) -> str:
        start: Point = (x, y)
        tip: Point = (x + 25, y)
        line = f'<path d="M{number(x)} {number(y)}h19" stroke="{colour}" stroke-width="{wide}"{dashes}/>'
        return line + svg_shapes.arrow(start, tip, colour)

    return draw
