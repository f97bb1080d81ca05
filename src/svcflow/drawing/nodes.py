"""The shapes of steps, waits, ends, bars and the start, at places given."""

from __future__ import annotations

from svcflow.drawing import marks, style
from svcflow.drawing.badge import Badge
from svcflow.drawing.faces import BADGE, FOOT, FOOT_SIZE, ICON, Row
from svcflow.drawing.geometry import Rect
from svcflow.drawing.layout import Layout
from svcflow.drawing.lettering import fit
from svcflow.drawing.marks import escaped, number
from svcflow.drawing.scene import Node
from svcflow.model.step import SUCCESSES


def node_svg(layout: Layout, node: Node, badge: Badge | None) -> str:
    """Return the shape of one node."""
    box = layout.boxes[node.key]
    if node.bar:
        return _shape("fork", box, 1.5)
    if node.shape == "start":
        return f'<circle class="fork" cx="{number(box.cx)}" cy="{number(box.cy)}" r="{number(box.w / 2)}"/>'
    drawn = _end(layout, node, box) if node.shape == "end" else _step(layout, node, box, badge)
    title = escaped(f"{node.number} {layout.faces.by_key[node.key].full}".strip())
    return f'<g data-step="{escaped(node.key)}"><title>{title}</title>{drawn}</g>'


def _shape(kind: str, box: Rect, radius: float, more: str = "") -> str:
    return (
        f'<rect class="{kind}" x="{number(box.x)}" y="{number(box.y)}" width="{number(box.w)}" '
        f'height="{number(box.h)}" rx="{number(radius)}"{more}/>'
    )


def _end(layout: Layout, node: Node, box: Rect) -> str:
    done = node.ending in SUCCESSES
    rows = layout.faces.by_key[node.key].rows
    sign = (marks.target if done else marks.stop)(box.x + 17, box.cy)
    return _shape("done" if done else "gone", box, box.h / 2) + sign + marks.rows_svg(rows, box)


def _step(layout: Layout, node: Node, box: Rect, badge: Badge | None) -> str:
    face = layout.faces.by_key[node.key]
    fill = (
        f' style="fill:{style.LEVEL[badge.level][0]};stroke:{style.LEVEL[badge.level][1]}"' if badge else ""
    )
    footed = bool(face.foot or badge)
    inner = Rect(box.x, box.y, box.w, box.h - (FOOT if footed else 0.0))
    parts = [_shape("wait" if node.shape == "waiting" else "box", box, 5, fill)]
    parts.append(marks.rows_svg(face.rows, inner))
    if node.shape == "waiting":
        parts.append(marks.pause(box.x + ICON / 2 + 4, inner.cy))
    if node.shape == "parallel":
        parts.append(marks.split(box.x + ICON / 2 + 3, inner.cy))
    if footed:
        parts.append(_foot(box, face.foot, badge))
    return "".join(parts)


def _foot(box: Rect, said: str, badge: Badge | None) -> str:
    top = box.bottom - FOOT
    base = box.bottom - 5.2
    out = f'<path class="rule" d="M{number(box.x)} {number(top)}H{number(box.right)}"/>'
    out += marks.text(Row(said, FOOT_SIZE), box.x + 6, base, "") if said else ""
    return out + (_badge(box, badge, base) if badge else "")


def _badge(box: Rect, badge: Badge, base: float) -> str:
    _, ink, shape = style.LEVEL[badge.level]
    room = BADGE - 6 - (10 if shape else 0)
    block = fit(badge.text, room, FOOT_SIZE, bold=True, most=1)
    row = Row(block.lines[0] if block.lines else "", block.size, bold=True)
    x = box.right - 5 - (10 if shape else 0)
    sign = marks.symbol(shape, box.right - 12.5, base - 3.2, ink) if shape else ""
    return marks.text(row, x, base, "e", colour=ink) + sign
