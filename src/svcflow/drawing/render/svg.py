"""SVG of a map that is laid out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from svcflow.drawing.layout.box_text import TextRow, lane_head
from svcflow.drawing.layout.coordinates import MARGIN, Layout
from svcflow.drawing.layout.geometry import Point, Rect
from svcflow.drawing.layout.labels import Label
from svcflow.drawing.render import style
from svcflow.drawing.render.legend import legend
from svcflow.drawing.render.svg_shapes import arrow, clock, escaped, node_svg, number, rows_svg, text, timed
from svcflow.drawing.scene.map_scene import Badge, Edge

_CORNER = 5.0


def paint(layout: Layout, badges: Mapping[str, Badge]) -> str:
    """Return the map as one SVG document."""
    under, bottom, wide = legend(layout, badges)
    right = max(layout.area.right, wide, _title_width(layout)) + MARGIN
    height = bottom + MARGIN
    scene, lang = layout.scene, layout.lang
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="sf" width="{number(right)}" height="{number(height)}" '
            f'viewBox="0 0 {number(right)} {number(height)}" role="img" '
            f'lang="{"en" if lang == "en" else "zh-CN"}">'
        ),
        f"<title>{escaped(scene.title.in_(lang))}</title>",
        f"<desc>{escaped(scene.description.in_(lang))}</desc>",
        f"<style>{style.sheet()}</style>",
        f'<rect width="100%" height="100%" fill="{style.PAPER}"/>',
        *_title(layout),
        *_lanes(layout),
        *_lines(layout),
        *(node_svg(layout, node, badges.get(node.key)) for node in scene.nodes),
        *_labels(layout),
        *under,
        "</svg>",
    ]
    return "\n".join(parts)


def _title_rows(layout: Layout) -> tuple[TextRow, TextRow]:
    scene, lang = layout.scene, layout.lang
    second = scene.subtitle
    words = f"{second.zh}　{second.en}" if lang == "zh+en" else second.in_(lang)
    return TextRow(scene.title.in_(lang), 18.0, bold=True), TextRow(words, 10.5)


def _title_width(layout: Layout) -> float:
    return MARGIN + max(row.width for row in _title_rows(layout))


def _title(layout: Layout) -> Iterator[str]:
    first, second = _title_rows(layout)
    yield text(first, MARGIN, 29, "b")
    yield text(second, MARGIN, 46, "note")


def _lanes(layout: Layout) -> Iterator[str]:
    for place, lane in enumerate(layout.scene.lanes):
        kind = "lane odd" if place % 2 else "lane"
        yield _rect(layout.lanes[lane.id], kind)
        box = layout.heads[lane.id]
        yield _rect(box, "head")
        yield rows_svg(lane_head(lane.name, layout.lang, box.w - 12), box, "b")


def _rect(box: Rect, kind: str) -> str:
    return (
        f'<rect class="{kind}" x="{number(box.x)}" y="{number(box.y)}" '
        f'width="{number(box.w)}" height="{number(box.h)}"/>'
    )


def _lines(layout: Layout) -> Iterator[str]:
    """Draw the lesser lines first, so that the main line lies on top."""
    order = {"rework": 0, "exception": 1, "normal": 2, "main": 3}
    for edge in sorted(layout.scene.edges, key=lambda e: order[_kind(e)]):
        yield _line(layout, edge)


def _kind(edge: Edge) -> str:
    return "main" if edge.main else edge.kind


def _line(layout: Layout, edge: Edge) -> str:
    colour, wide, dash = style.LINE[_kind(edge)]
    route = layout.routes[edge.key]
    target = layout.scene.by_key[edge.target]
    shortened = (*route[:-1], _short(route[-2], route[-1], 0.0 if target.shape == "fork" else 6.0))
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    path = _rounded(shortened)
    words = layout.texts[edge.key].full if edge.key in layout.texts else ""
    title = f"<title>{escaped(words)}</title>" if words else ""
    tip = "" if target.shape == "fork" else arrow(route[-2], route[-1], colour)
    return (
        f'<g data-edge="{escaped(edge.key)}">{title}'
        f'<path class="halo" d="{path}" stroke-width="{number(wide + 3)}"/>'
        f'<path class="way" d="{path}" stroke="{colour}" stroke-width="{wide}"{dashes}/>{tip}</g>'
    )


def _short(before: Point, last: Point, by: float) -> Point:
    dx, dy = last[0] - before[0], last[1] - before[1]
    run = abs(dx) + abs(dy)
    share = min(by, run / 2) / run if run else 0.0
    return (last[0] - dx * share, last[1] - dy * share)


def _rounded(points: tuple[Point, ...]) -> str:
    """Write a polyline with rounded corners."""
    path = [f"M{number(points[0][0])} {number(points[0][1])}"]
    for before, at, after in zip(points, points[1:], points[2:], strict=False):
        room = min(_CORNER, _run(before, at) / 2, _run(at, after) / 2)
        a, b = _short(before, at, room), _short(after, at, room)
        path.append(
            f"L{number(a[0])} {number(a[1])}Q{number(at[0])} {number(at[1])} {number(b[0])} {number(b[1])}"
        )
    path.append(f"L{number(points[-1][0])} {number(points[-1][1])}")
    return "".join(path)


def _run(a: Point, b: Point) -> float:
    return abs(a[0] - b[0]) + abs(a[1] - b[1])


def _labels(layout: Layout) -> Iterator[str]:
    for edge in layout.scene.edges:
        label = layout.labels.get(edge.key)
        if label is not None:
            yield _label(label, style.LINE[_kind(edge)][0])


def _label(label: Label, colour: str) -> str:
    box, rows = label.box, label.text.rows
    under = (
        f'<rect class="under" x="{number(box.x)}" y="{number(box.y)}" width="{number(box.w)}" '
        f'height="{number(box.h)}"/>'
        if label.struck or _over(label)
        else ""
    )
    if label.split is not None:
        marks = [label.split - 3.6, label.split + 2.4 + rows[1].size]
    else:
        marks, y = [], box.y
        for row in rows:
            y += row.size * 1.22
            marks.append(y - row.size * 0.22)
    shift = label.text.sign or 1.5
    icon = ""
    if label.text.timed:
        icon = timed(box.x + 5.5, marks[0] - 3.4, colour)
    elif label.text.clock:
        icon = clock(box.x + 5.5, marks[0] - 3.4, colour)
    words = "".join(
        text(row, box.x + shift, y, "", colour=colour) for row, y in zip(rows, marks, strict=True)
    )
    return under + icon + words


def _over(label: Label) -> bool:
    return label.position == "over"
