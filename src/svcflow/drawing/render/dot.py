"""The graph as Graphviz source with our positions, for routing and for export."""

from __future__ import annotations

from svcflow.drawing.layout.geometry import Rect
from svcflow.drawing.layout.layout import Layout

_POINTS = 72.0


def dot_source(layout: Layout) -> str:
    """Write every box at its place and every edge; y goes up in Graphviz."""
    lines = [
        "digraph procedure {",
        (
            '  graph [splines=ortho, notranslate=true, bb="0,0,'
            f'{layout.area.right:.2f},{layout.area.bottom:.2f}"];'
        ),
        '  node [shape=box, fixedsize=true, label=""];',
        "  edge [dir=none];",
    ]
    for node in layout.scene.nodes:
        name = " ".join(filter(None, (node.number, node.name.in_(layout.lang))))
        lines.append(f"  {quoted(node.key)} [{_at(layout.boxes[node.key], layout)}, tooltip={quoted(name)}];")
    for place, edge in enumerate(layout.scene.edges):
        said = layout.texts[edge.key].full if edge.key in layout.texts else ""
        lines.append(
            f"  {quoted(edge.source)} -> {quoted(edge.target)} [id={quoted(str(place))}, tooltip={quoted(said)}];"
        )
    return "\n".join([*lines, "}", ""])


def quoted(words: str) -> str:
    """Quote a string for Graphviz, with nothing left that it would take for an escape or an entity."""
    plain = words.replace("\\", "/").replace('"', "'").replace("&", "+")
    return '"' + "".join(char if char.isprintable() else " " for char in plain) + '"'


def _at(box: Rect, layout: Layout) -> str:
    y = layout.area.bottom - box.cy
    return f'pos="{box.cx:.2f},{y:.2f}!", width={box.w / _POINTS:.5f}, height={box.h / _POINTS:.5f}'
