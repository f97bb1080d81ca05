"""Pieces of SVG: numbers, escaped text, arrow heads, nodes, and symbols drawn as shapes.

Symbols are shapes because fonts lack their glyphs.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from svcflow.drawing.layout.box_text import BADGE, FOOT, FOOT_SIZE, ICON, LEADING, TextRow, stack_height
from svcflow.drawing.layout.coordinates import Layout
from svcflow.drawing.layout.geometry import Point, Rect
from svcflow.drawing.layout.text_metrics import fit
from svcflow.drawing.render import style
from svcflow.drawing.scene.map_scene import Badge, Node
from svcflow.model.step import SUCCESSES

_ILLEGAL = {code: None for code in range(32) if code not in (9, 10, 13)} | {0xFFFE: None, 0xFFFF: None}
_SURROGATES = dict.fromkeys(range(0xD800, 0xE000))


def escaped(words: str) -> str:
    """Escape text for SVG and leave out what XML forbids."""
    return escape(words.translate(_ILLEGAL).translate(_SURROGATES), quote=True)


def number(value: float) -> str:
    """Write a coordinate with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def text(row: TextRow, x: float, y: float, kind: str, *, colour: str = "") -> str:
    """Write one line of text at its base line."""
    classes = " ".join(filter(None, (kind, "b" if row.bold and "b" not in kind.split() else "")))
    chosen = f' class="{classes}"' if classes else ""
    fill = f' style="fill:{colour}"' if colour else ""
    size = number(row.size)
    return (
        f'<text{chosen} x="{number(x)}" y="{number(y)}" font-size="{size}"{fill}>{escaped(row.text)}</text>'
    )


def rows_svg(rows: Sequence[TextRow], box: Rect, kind: str = "") -> str:
    """Write rows of text centred in a box; only bold rows take `kind`."""
    y = box.cy - stack_height(rows) / 2
    lines = []
    for row in rows:
        y += row.size * LEADING
        classes = f"m {kind}" if row.bold and kind else "m"
        lines.append(text(row, box.cx, y - row.size * 0.26, classes))
    return "".join(lines)


def arrow(before: Point, tip: Point, colour: str) -> str:
    """Draw an arrow head at the end of a line."""
    dx = (tip[0] > before[0]) - (tip[0] < before[0])
    dy = (tip[1] > before[1]) - (tip[1] < before[1])
    x, y = tip
    left = (x - dx * 8 - dy * 3.6, y - dy * 8 - dx * 3.6)
    right = (x - dx * 8 + dy * 3.6, y - dy * 8 + dx * 3.6)
    points = " ".join(f"{number(a)},{number(b)}" for a, b in (tip, left, right))
    return f'<polygon points="{points}" fill="{colour}"/>'


def clock(x: float, y: float, colour: str) -> str:
    """Draw a small clock: fired by itself when overdue."""
    x, y = round(x, 2), round(y, 2)
    return (
        f'<g fill="none" stroke="{colour}" stroke-width="1"><circle cx="{number(x)}" cy="{number(y)}" r="4"/>'
        f'<path d="M{number(x)} {number(y - 2.4)}V{number(y)}H{number(x + 2)}"/></g>'
    )


def timed(x: float, y: float, colour: str) -> str:
    """Draw a small clock with an arrow out of it: moves on by itself at its time."""
    tip: Point = (round(x + 11, 2), round(y, 2))
    shaft = f'<path d="M{number(x + 4)} {number(y)}h4" fill="none" stroke="{colour}" stroke-width="1"/>'
    points = f"{number(tip[0])},{number(tip[1])} {number(tip[0] - 4)},{number(tip[1] - 2.6)} {number(tip[0] - 4)},{number(tip[1] + 2.6)}"
    return f'{clock(x, y, colour)}{shaft}<polygon points="{points}" fill="{colour}"/>'


def pause(x: float, y: float) -> str:
    """Draw the sign of waiting: two upright bars in a circle, centred at x, y."""
    return (
        f'<g fill="#4b5592"><circle cx="{number(x)}" cy="{number(y)}" r="7"/>'
        f'<path fill="#fff" d="M{number(x - 3)} {number(y - 3.5)}h2v7h-2zM{number(x + 1)} {number(y - 3.5)}h2v7h-2z"/></g>'
    )


def split(x: float, y: float) -> str:
    """Draw the sign of parallel work: two upright bars."""
    return f'<path fill="#2f4a5a" d="M{number(x - 4)} {number(y - 6)}h2.4v12h-2.4zM{number(x + 1.6)} {number(y - 6)}h2.4v12h-2.4z"/>'


def plus(x: float, y: float) -> str:
    """Draw the sign of another procedure inside a step: a plus in a square, centred at x, y."""
    return (
        f'<g fill="none" stroke="#2f4a5a" stroke-width="1.4"><rect fill="#fff" x="{number(x - 6)}" y="{number(y - 6)}" '
        f'width="12" height="12"/><path d="M{number(x - 3.5)} {number(y)}h7M{number(x)} {number(y - 3.5)}v7"/></g>'
    )


def target(x: float, y: float) -> str:
    """Draw the sign of completion: a disc in a ring."""
    return (
        f'<circle cx="{number(x)}" cy="{number(y)}" r="7" fill="#fff" stroke="#1f5a2c" stroke-width="1.6"/>'
        f'<circle cx="{number(x)}" cy="{number(y)}" r="4" fill="#1f5a2c"/>'
    )


def stop(x: float, y: float) -> str:
    """Draw the sign of another end: a cross in a ring."""
    return (
        f'<g fill="none" stroke="#5b5b5b" stroke-width="1.4"><circle cx="{number(x)}" cy="{number(y)}" r="7" fill="#fff"/>'
        f'<path d="M{number(x - 3)} {number(y - 3)}l6 6m0 -6l-6 6"/></g>'
    )


def symbol(shape: str, x: float, y: float, colour: str) -> str:
    """Draw the sign of a badge's level, 7 pixels wide, from x."""
    if shape == "triangle":
        return f'<path fill="{colour}" d="M{number(x)} {number(y + 3)}h7l-3.5 -6.4z"/>'
    return f'<rect fill="{colour}" x="{number(x)}" y="{number(y - 3.2)}" width="6.4" height="6.4"/>'


def node_svg(layout: Layout, node: Node, badge: Badge | None) -> str:
    """Return the shape of one node."""
    box = layout.boxes[node.key]
    if node.bar:
        return _shape("fork", box, 1.5)
    if node.shape == "start":
        return f'<circle class="fork" cx="{number(box.cx)}" cy="{number(box.cy)}" r="{number(box.w / 2)}"/>'
    drawn = _end(layout, node, box) if node.shape == "end" else _step(layout, node, box, badge)
    title = escaped(f"{node.number} {layout.box_texts.by_key[node.key].full}".strip())
    if node.runs:  # its map, where it is drawn beside this one
        title = f"{title} ⊞ {escaped(node.runs)}"
        drawn = f'<a href="{escaped(node.runs)}.svg">{drawn}</a>'
    step = "" if node.step is None else f' data-step="{escaped(node.step)}"'
    return f"<g{step}><title>{title}</title>{drawn}</g>"


def _shape(kind: str, box: Rect, radius: float, more: str = "") -> str:
    return (
        f'<rect class="{kind}" x="{number(box.x)}" y="{number(box.y)}" width="{number(box.w)}" '
        f'height="{number(box.h)}" rx="{number(radius)}"{more}/>'
    )


def _end(layout: Layout, node: Node, box: Rect) -> str:
    done = node.ending in SUCCESSES
    rows = layout.box_texts.by_key[node.key].rows
    sign = (target if done else stop)(box.x + 17, box.cy)
    return _shape("done" if done else "gone", box, box.h / 2) + sign + rows_svg(rows, box)


def _step(layout: Layout, node: Node, box: Rect, badge: Badge | None) -> str:
    face = layout.box_texts.by_key[node.key]
    fill = (
        f' style="fill:{style.LEVEL[badge.level][0]};stroke:{style.LEVEL[badge.level][1]}"' if badge else ""
    )
    footed = bool(face.foot or badge)
    inner = Rect(box.x, box.y, box.w, box.h - (FOOT if footed else 0.0))
    round_ = 14 if node.shape == "request" else 5
    parts = [_shape("wait" if node.shape == "waiting" else "box", box, round_, fill)]
    parts.append(rows_svg(face.rows, inner))
    if node.shape == "waiting":
        parts.append(pause(box.x + ICON / 2 + 4, inner.cy))
    if node.shape == "request":
        parts.append(_dot(box.x + 13, inner.cy))
    if node.shape == "parallel":
        parts.append(split(box.x + ICON / 2 + 3, inner.cy))
    if node.shape == "subprocedure":
        parts.append(plus(box.x + ICON / 2 + 4, inner.cy))
    if footed:
        parts.append(_foot(box, face.foot, badge))
    return "".join(parts)


def _dot(x: float, y: float) -> str:
    """Draw the sign of a start."""
    return f'<circle class="fork" cx="{number(x)}" cy="{number(y)}" r="5"/>'


def _foot(box: Rect, words: str, badge: Badge | None) -> str:
    top = box.bottom - FOOT
    base = box.bottom - 5.2
    rule = f'<path class="rule" d="M{number(box.x)} {number(top)}H{number(box.right)}"/>'
    limit = text(TextRow(words, FOOT_SIZE), box.x + 6, base, "") if words else ""
    return rule + limit + (_badge(box, badge, base) if badge else "")


def _badge(box: Rect, badge: Badge, base: float) -> str:
    _, ink, shape = style.LEVEL[badge.level]
    room = BADGE - 6 - (10 if shape else 0)
    block = fit(badge.text, room, FOOT_SIZE, bold=True, most=1)
    row = TextRow(block.lines[0] if block.lines else "", block.size, bold=True)
    x = box.right - 5 - (10 if shape else 0)
    sign = symbol(shape, box.right - 12.5, base - 3.2, ink) if shape else ""
    return text(row, x, base, "e", colour=ink) + sign
