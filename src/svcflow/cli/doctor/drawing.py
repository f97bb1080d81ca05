"""Probes of drawing: whether a map is drawn, which Graphviz there is for DOT, and which font has Chinese."""

from __future__ import annotations

from collections.abc import Iterator

from svcflow.cli.doctor.probe import Probe, plain
from svcflow.drawing import draw
from svcflow.drawing.render import graphviz
from svcflow.drawing.render.fonts import find_fonts
from svcflow.errors import SvcflowError
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step, Transition
from svcflow.text import Text

__all__ = ["drawing"]

_NAME = Text(zh="绘图布线", en="Drawing, Graphviz")


def drawing() -> Iterator[Probe]:
    """Yield the findings about drawing."""
    yield _graphviz()
    yield _font()


def _graphviz() -> Probe:
    """Draw a map of two steps, and let Graphviz lay out its DOT export."""
    data: dict[str, object] = {"used": "own", "graphviz": None}
    try:
        map_ = draw(_sample(), lang="en")
        data["graphviz"] = graphviz.program()
        graphviz.layout(map_.dot)
    except SvcflowError as error:
        return Probe("graphviz", _NAME, "warning", error.message, error.remedy, data)
    message = Text(
        zh=f"泳道图由内置布线；.dot 由 {data['graphviz']} 布局",
        en=f"maps by our own router; .dot laid out by {data['graphviz']}",
    )
    return Probe("graphviz", _NAME, "ok", message, data=data)


def _sample() -> Procedure:
    first = Step("first", to=(Transition("go", "last"),))
    steps = (first, Step("last", end="completed"))
    return Procedure(id="sample", steps=steps)


def _font() -> Probe:
    name = Text(zh="中文字体", en="Chinese font")
    try:
        font = find_fonts(cjk=True)
    except SvcflowError as error:
        return Probe("font", name, "note", error.message, error.remedy, {"files": []})
    return Probe(
        "font", name, "ok", plain(font.family), data={"family": font.family, "files": list(font.files)}
    )
