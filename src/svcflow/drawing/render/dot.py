"""DOT source of a procedure that Graphviz draws well without more ado: boxes sized by our own measure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, cast

from svcflow.drawing.layout.columns import forward_edges
from svcflow.drawing.layout.text_metrics import FONTS, broken, ems
from svcflow.drawing.render.style import INK, LINE
from svcflow.drawing.scene import phrases
from svcflow.drawing.scene.map_scene import Direction, Edge, MapScene, Node
from svcflow.model.step import SUCCESSES
from svcflow.text import Lang, Text

if TYPE_CHECKING:
    from graphviz import Digraph  # type: ignore[import-untyped]

_FONTS = ", ".join(("Arial", *(font for font in FONTS if font != "Arial"), "sans-serif"))
_SIZE, _LEADING, _INCH = 10.0, 1.2, 72.0
_NODE_ROOM, _EDGE_ROOM, _LANE_ROOM, _TITLE_ROOM = 13.0, 12.0, 24.0, 60.0
"""How wide the text of a box, of an edge, of a lane's head and of the title may be, in em."""
_SPACE, _MISSING = 0.278, 0.167
"""Width of a space in Arial, and how much wider a Chinese character is than Graphviz takes it for; in em."""
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
"""What ends a line or is no character of XML. Joiners stay, since emoji are put together by them."""
_STYLE = {"exception": "dashed", "rework": "dotted"}


def dot_source(scene: MapScene, *, lang: Lang, direction: Direction) -> str:
    """Return the scene as one digraph: roles are clusters, steps go by their ids, the main line is kept straight.

    There are no HTML labels, since the WebAssembly build of Graphviz does not draw them.
    """
    from graphviz import Digraph  # noqa: PLC0415  # 20 ms

    graph = Digraph("procedure")
    graph.attr(
        rankdir="LR" if direction == "horizontal" else "TB",
        label=_label(_rows((*_texts(scene.title, lang), *_texts(scene.subtitle, lang)), _TITLE_ROOM)),
        labelloc="t",
        newrank="true",
        nodesep="0.3",
        ranksep="0.45",
        fontname=_FONTS,
        fontsize="12",
    )
    graph.attr("node", shape="box", fontname=_FONTS, fontsize=f"{_SIZE:g}", color=INK, fixedsize="true")
    graph.attr("edge", fontname=_FONTS, fontsize=f"{_SIZE - 1:g}", arrowsize="0.7")
    # dot breaks cycles in the order of the source: forward edges come first, so that the main line stays whole
    forward = forward_edges(scene)
    for key in dict.fromkeys(key for edge in forward for key in (edge.source, edge.target)):
        _add_node(graph, scene.by_key[key], lang, direction)
    for number, lane in enumerate(scene.lanes):
        with graph.subgraph(name=f"cluster_{number}") as cluster:
            label = _label(_rows(_texts(lane.name, lang), _LANE_ROOM))
            cluster.attr(label=label, style="filled", fillcolor="#f4f7f9", color="#9fb0ba")
            for node in scene.nodes:
                if node.lane == lane.id:
                    cluster.node(_name(node.key))
    for edge in dict.fromkeys((*forward, *scene.edges)):
        _add_edge(graph, edge, lang)
    return str(graph.source)


def _add_node(graph: Digraph, node: Node, lang: Lang, direction: Direction) -> None:
    if node.shape == "start":
        _add_symbol(graph, node, 0.22, 0.22, shape="circle", tooltip=_label(_texts(node.name, lang)))
    elif node.bar:
        w, h = (0.08, 0.8) if direction == "horizontal" else (0.8, 0.08)
        _add_symbol(graph, node, w, h, shape="box")
    else:
        rows = list(_node_rows(node, lang))
        w = (max(map(ems, rows), default=1.0) * _SIZE + 16) / _INCH
        h = (len(rows) * _SIZE * _LEADING + 12) / _INCH
        graph.node(_name(node.key), _label(rows), width=f"{w:.2f}", height=f"{h:.2f}", **_look(node))


def _add_symbol(graph: Digraph, node: Node, w: float, h: float, **attributes: str) -> None:
    size = {"width": f"{w:.2f}", "height": f"{h:.2f}"}
    graph.node(_name(node.key), "", style="filled", fillcolor=INK, **size, **attributes)


def _look(node: Node) -> dict[str, str]:
    if node.shape == "waiting":
        return {"style": "rounded,filled,dashed", "fillcolor": "#eef0fa", "color": "#4b5592"}
    if node.shape == "request":
        return {"style": "rounded,filled,bold", "fillcolor": "#ffffff"}
    if node.shape != "end":
        return {"style": "filled", "fillcolor": "#ffffff"}
    if node.ending in SUCCESSES:
        return {"style": "rounded,filled", "fillcolor": "#e6f0e8", "color": "#1f5a2c", "peripheries": "2"}
    return {"style": "rounded,filled", "fillcolor": "#f3f3f3", "color": "#5b5b5b"}


def _node_rows(node: Node, lang: Lang) -> Iterator[str]:
    for place, words in enumerate(_texts(node.name, lang)):
        number = f"{node.number} " if node.number and not place else ""
        yield from broken(number + words, _NODE_ROOM)
    if node.short_limit:
        yield from broken(phrases.foot(node.limit, node.short_limit, lang), _NODE_ROOM)
    if node.runs:
        yield from broken(f"{phrases.RUNS} {node.runs}", _NODE_ROOM)
    if node.shape == "waiting":
        yield from _texts(phrases.WAITS, lang)


def _add_edge(graph: Digraph, edge: Edge, lang: Lang) -> None:
    kind = "main" if edge.main else edge.kind
    colour, wide, _ = LINE[kind]
    rows = _rows(_edge_texts(edge, lang), _EDGE_ROOM)
    graph.edge(
        _name(edge.source),
        _name(edge.target),
        _label(map(_padded, rows)) if rows else None,
        color=colour,
        fontcolor=colour,
        penwidth=f"{wide:g}",
        style=_STYLE.get(kind, "solid"),
        weight="8" if edge.main else "1",
    )


def _edge_texts(edge: Edge, lang: Lang) -> Iterator[str]:
    yield from _texts(edge.name, lang)
    for words in _texts(edge.condition, lang):
        yield f"[{words}]"
    if edge.overdue:
        yield f"({phrases.OVERDUE.in_(lang)})"
    if edge.timed:
        yield f"({edge.timed.in_(lang)})"


def _name(key: str) -> str:
    """Return the name of a node; a colon would be read as a port."""
    kind, colon, step = key.partition(":")
    return f"({kind} {step})".replace(" )", ")") if colon else key


def _texts(text: Text, lang: Lang) -> tuple[str, ...]:
    texts = (text.zh, text.en) if lang == "zh+en" else (text.in_(lang),)
    return tuple(dict.fromkeys(filter(None, texts)))


def _rows(texts: Iterable[str], room: float) -> list[str]:
    return [row for words in texts for row in broken(words, room)]


def _padded(row: str) -> str:
    """Return the row with spaces at both ends: some air, and as much room as Chinese text takes."""
    wide = sum(ems(char) == 1.0 for char in row)
    space = "\u00a0" * (1 + round(wide * _MISSING / _SPACE / 2))
    return f"{space}{row}{space}"


def _label(rows: Iterable[str]) -> str:
    """Return rows of text as a label that Graphviz takes literally: no escapes, entities or HTML."""
    from graphviz import escape, nohtml  # noqa: PLC0415

    plain = (_FORBIDDEN.sub(" ", row) for row in rows)
    return cast("str", nohtml("\\n".join(escape(row.replace("&", "&amp;")) for row in plain)))
