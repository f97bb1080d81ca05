"""PNG from SVG by resvg, only with a font that has every script of the drawing: no empty boxes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape
from pathlib import Path

from svcflow.drawing.render.fonts import find_fonts
from svcflow.errors import MissingExtra
from svcflow.text import Text

_CJK = re.compile(r"[⺀-鿿豈-﫿＀-￯]")
_TEXT = re.compile(r">([^<>]+)</t(?:ext|span)>")
_SHARPNESS = 2.0


def png(svg: str, *, font_files: Sequence[str | Path] = (), zoom: float = _SHARPNESS) -> bytes:
    """Return an SVG rasterised, `zoom` pixels for each of its own. Raises: MissingExtra without resvg, DrawingError without a fitting font."""
    try:
        import resvg_py  # noqa: PLC0415  # optional, and 6 MB
    except ImportError as error:
        raise MissingExtra(
            "png", Text(zh="输出 PNG 需要 resvg", en="writing PNG needs the rasteriser resvg")
        ) from error
    text = unescape("".join(_TEXT.findall(svg)))
    fonts = find_fonts(cjk=_CJK.search(svg) is not None, text=text, font_files=font_files)
    drawn = resvg_py.svg_to_bytes(
        svg_string=svg,
        dpi=96.0,
        zoom=zoom,
        background="#ffffff",
        font_files=list(fonts.files),
        skip_system_fonts=True,
        font_family=fonts.family,
        sans_serif_family=fonts.family,
    )
    return bytes(drawn)
