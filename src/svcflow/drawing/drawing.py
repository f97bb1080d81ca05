"""Drawing of a procedure as a swimlane map, shown in notebooks and saved by the suffix of a path."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

import attrs

from svcflow.drawing.layout.coordinates import Layout, lay_out
from svcflow.drawing.render.dot import dot_source
from svcflow.drawing.render.json import plain_map
from svcflow.drawing.render.svg import paint
from svcflow.drawing.scene.from_procedure import scene_of
from svcflow.drawing.scene.map_scene import Badge, Direction, MapScene
from svcflow.errors import DrawingError
from svcflow.model.procedure import Procedure
from svcflow.text import Lang, Text

Router = Literal["auto", "own", "wasm", "dot"]
ROUTERS: tuple[Router, ...] = get_args(Router)
SUFFIXES = (".svg", ".png", ".dot", ".json")


@attrs.frozen(slots=False)
class Drawing:
    """A procedure as a swimlane map, with the badges of its steps by id."""

    scene: MapScene
    lang: Lang
    direction: Direction
    badges: Mapping[str, Badge] = attrs.field(factory=dict)

    @property
    def router(self) -> str:
        """Who routed the lines: always "own", kept for programs that record it."""
        return "own"

    @cached_property
    def layout(self) -> Layout:
        """Where everything stands; DOT does without, which takes minutes where hundreds of lines end in one step."""
        return lay_out(self.scene, lang=self.lang, direction=self.direction)

    @cached_property
    def svg(self) -> str:
        """The drawing as one SVG document."""
        return paint(self.layout, self.badges)

    @cached_property
    def dot(self) -> str:
        """The graph as DOT source, to be laid out by Graphviz."""
        return dot_source(self.scene, lang=self.lang, direction=self.direction)

    @cached_property
    def json(self) -> str:
        """Boxes, lines, labels and lanes with their coordinates."""
        written = json.dumps(plain_map(self.layout, self.router), ensure_ascii=False, indent=1)
        # half of a surrogate pair, which UTF-8 has no bytes for, becomes the escape that JSON has for it
        return written.encode(errors="backslashreplace").decode()

    def png(self, *, font_files: Sequence[str | Path] = (), zoom: float = 2.0) -> bytes:
        """Return the map rasterised, `zoom` pixels for each of the SVG. Raises: MissingExtra without resvg, DrawingError without a font for the text."""
        from svcflow.drawing.render.png import png  # noqa: PLC0415  # optional extra

        return png(self.svg, font_files=font_files, zoom=zoom)

    def save(self, path: str | Path, *, font_files: Sequence[str | Path] = ()) -> Path:
        """Write the drawing in the format its suffix names: .svg .png .dot .json.

        Raises: DrawingError for another suffix.
        """
        target = Path(path)
        match target.suffix.lower():
            case ".svg":
                data = self.svg.encode()
            case ".png":
                data = self.png(font_files=font_files)
            case ".dot":
                data = self.dot.encode()
            case ".json":
                data = self.json.encode()
            case _:
                raise _unsupported(target)
        target.write_bytes(data)
        return target

    def _repr_svg_(self) -> str:
        return self.svg


def draw(
    procedure: Procedure,
    *,
    lang: Lang = "zh+en",
    direction: Direction = "horizontal",
    router: Router = "auto",
    badges: Mapping[str, Badge] | None = None,
) -> Drawing:
    """Draw a procedure as a swimlane map.

    `badges` are put in the feet of steps, by step id; nothing moves for them. The same input gives the
    same bytes. `router` changes nothing any more: svcflow routes every map itself, and "wasm" and "dot",
    which named Graphviz, give a DeprecationWarning.

    Raises: DrawingError for an unknown choice or a badge of no step.
    """
    _choice("lang", lang, get_args(Lang))
    _choice("direction", direction, get_args(Direction))
    _choice("router", router, ROUTERS)
    if router in ("wasm", "dot"):
        warnings.warn(
            f"router={router!r} has no effect: svcflow routes every map itself",
            DeprecationWarning,
            stacklevel=2,
        )
    for step in badges or {}:
        _choice("badges", step, tuple(procedure.all_steps))
    return Drawing(scene_of(procedure), lang, direction, dict(badges or {}))


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


def _choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        known = ", ".join(allowed)
        raise DrawingError(
            Text(zh=f"{name} 不能是 {value!r}", en=f"{name} cannot be {value!r}"),
            Text(zh=f"可用：{known}", en=f"take one of {known}"),
        )
