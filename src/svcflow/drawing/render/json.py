"""A map that is laid out as plain data, for programs that draw or test it themselves."""

from __future__ import annotations

from svcflow.drawing.layout.coordinates import Layout
from svcflow.drawing.layout.geometry import Rect

Plain = str | float | bool | None | list["Plain"] | dict[str, "Plain"]


def plain_map(layout: Layout, router: str) -> dict[str, Plain]:
    """Return boxes, lines, labels and lanes with coordinates in pixels, y down."""
    scene = layout.scene
    return {
        "title": {"zh": scene.title.zh, "en": scene.title.en},
        "direction": layout.direction,
        "router": router,
        "lanes": [
            {
                "id": lane.id,
                "name": {"zh": lane.name.zh, "en": lane.name.en},
                "box": _box(layout.lanes[lane.id]),
            }
            for lane in scene.lanes
        ],
        "nodes": [
            {
                "key": node.key,
                "shape": node.shape,
                "lane": node.lane,
                "number": node.number,
                "name": {"zh": node.name.zh, "en": node.name.en},
                "limit": node.short_limit,
                "end": node.ending or None,
                "runs": node.runs or None,
                "box": _box(layout.boxes[node.key]),
            }
            for node in scene.nodes
        ],
        "edges": [
            {
                "key": edge.key,
                "source": edge.source,
                "target": edge.target,
                "kind": edge.kind,
                "main": edge.main,
                "triggers": list(edge.triggers),
                "condition": {"zh": edge.condition.zh, "en": edge.condition.en} if edge.condition else None,
                "points": [[round(x, 2), round(y, 2)] for x, y in layout.routes[edge.key]],
                "label": _box(layout.labels[edge.key].box) if edge.key in layout.labels else None,
            }
            for edge in scene.edges
        ],
    }


def _box(box: Rect) -> Plain:
    return [round(box.x, 2), round(box.y, 2), round(box.w, 2), round(box.h, 2)]
