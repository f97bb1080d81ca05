"""A finished drawing: shows itself in notebooks and saves itself by the suffix of a path."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import attrs

from svcflow.drawing.layout.layout import Layout
from svcflow.drawing.render.dot import dot_source
from svcflow.drawing.render.json import outline
from svcflow.drawing.render.svg import paint
from svcflow.drawing.scene.scene import Badge
from svcflow.errors import DrawingError
from svcflow.text import Text

SUFFIXES = (".svg", ".png", ".dot", ".json")


@attrs.frozen(slots=False)
class Drawing:
    """A laid out map, with the badges of its steps."""

    layout: Layout
    badges: Mapping[str, Badge] = attrs.field(factory=dict)

    @property
    def router(self) -> str:
        """Who routed the lines: always "own"; kept for programs that record it."""
        return "own"

    @cached_property
    def svg(self) -> str:
        """The drawing as one SVG document."""
        return paint(self.layout, self.badges)

    @cached_property
    def dot(self) -> str:
        """The graph as DOT source, to be laid out by Graphviz."""
        return dot_source(self.layout.scene, lang=self.layout.lang, direction=self.layout.direction)

    @cached_property
    def json(self) -> str:
        """Boxes, lines, labels and lanes with their coordinates."""
        return json.dumps(outline(self.layout, self.router), ensure_ascii=False, indent=1)

    def png(self, *, font_files: Sequence[str | Path] = (), zoom: float = 2.0) -> bytes:
        """Rasterise. Raises: MissingExtra without resvg, DrawingError without a font for the text."""
        from svcflow.drawing.render.png import png  # noqa: PLC0415  # optional extra

        return png(self.svg, font_files=font_files, zoom=zoom)

    def save(self, path: str | Path, *, font_files: Sequence[str | Path] = ()) -> Path:
        """Write the drawing in the format its suffix names: .svg .png .dot .json.

        Raises: DrawingError for another suffix.
        """
        out = Path(path)
        write: dict[str, Callable[[], bytes]] = {
            ".svg": self.svg.encode,
            ".png": lambda: self.png(font_files=font_files),
            ".dot": self.dot.encode,
            ".json": self.json.encode,
        }
        make = write.get(out.suffix.lower())
        if make is None:
            raise _unsupported(out)
        out.write_bytes(make())
        return out

    def _repr_svg_(self) -> str:
        return self.svg


def _unsupported(path: Path) -> DrawingError:
    known = " ".join(SUFFIXES)
    remedy = Text(zh=f"可用：{known}", en=f"supported are {known}")
    if path.suffix.lower() == ".pdf":
        remedy = Text(
            zh=f"保存为 .svg，在浏览器中打印为 PDF；可用：{known}",
            en=f"save .svg and print it to PDF in a browser; supported are {known}",
        )
    what = path.suffix or path.name
    return DrawingError(Text(zh=f"不能保存为 {what}", en=f"a drawing cannot be saved as {what!r}"), remedy)
