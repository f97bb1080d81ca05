"""The demonstration's diagrams: every procedure as SVG, and as PNG where this machine can."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from svcflow.cli.demo.outcome import Diagrams
from svcflow.drawing import draw
from svcflow.errors import DrawingError, MissingExtra
from svcflow.model.procedure import Procedure
from svcflow.text import NO_TEXT, Lang, Text

__all__ = ["drawn"]


def drawn(procedures: Iterable[Procedure], folder: Path, lang: Lang, advance: Callable[[], None]) -> Diagrams:
    """Draw into the folder; why no PNG can be made is noted once and SVG goes on. Raises: DrawingError."""
    svg, png, router, why = [], [], "", NO_TEXT
    for procedure in procedures:
        drawing = draw(procedure, lang=lang)
        router = drawing.router
        svg.append(drawing.save(folder / f"{procedure.id}.svg").name)
        if not why:
            try:
                png.append(drawing.save(folder / f"{procedure.id}.png").name)
            except (DrawingError, MissingExtra) as error:
                why = Text(zh=error.text("zh"), en=error.text("en"))
        advance()
    return Diagrams(tuple(svg), tuple(png), router, why)
