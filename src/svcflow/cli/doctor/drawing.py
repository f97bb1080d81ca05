"""Probes of drawing: who routes the lines here, why not the others, and which font has Chinese."""

from __future__ import annotations

from collections.abc import Iterator

from svcflow.cli.doctor.probe import Probe, plain
from svcflow.drawing import draw, routers
from svcflow.drawing.render.png import find_fonts
from svcflow.errors import DrawingError, SvcflowError
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step, Transition
from svcflow.text import Text

__all__ = ["drawing"]

_NAME = Text(zh="布线", en="Graphviz")


def drawing() -> Iterator[Probe]:
    """Yield the findings about drawing."""
    yield _router()
    yield _font()


def _router() -> Probe:
    """Say which Graphviz helps our own router, and let it route two steps, to see that it does."""
    known = routers()
    engine = next((one.router for one in known if one.usable and one.router != "own"), None)
    others = [one for one in known if not one.usable]
    data: dict[str, object] = {
        "used": engine or "own",
        "routers": {
            one.router: {"usable": one.usable, "said": {"zh": one.said.zh, "en": one.said.en}}
            for one in known
        },
    }
    try:
        draw(_sample(), lang="en", router=engine or "own")
    except SvcflowError as error:
        return Probe("graphviz", _NAME, "warning", error.message, error.remedy, data)
    why = Text(
        zh="".join(f"；{one.router} 不可用：{one.said.zh}" for one in others),
        en="".join(f"; not {one.router}: {one.said.en}" for one in others),
    )
    helped = Text(zh=f"，拥挤处用 {engine}", en=f", {engine} where it is crowded") if engine else Text()
    said = Text(zh=f"内置布线{helped.zh}{why.zh}", en=f"our own router{helped.en}{why.en}")
    return Probe("graphviz", _NAME, "ok", said, data=data)


def _sample() -> Procedure:
    first = Step("first", to=(Transition("go", "last"),))
    steps = (first, Step("last", end="completed"))
    return Procedure(id="sample", steps=steps)


def _font() -> Probe:
    name = Text(zh="中文字体", en="Chinese font")
    try:
        found = find_fonts(cjk=True)
    except DrawingError as error:
        return Probe("font", name, "note", error.message, error.remedy, {"files": []})
    return Probe(
        "font", name, "ok", plain(found.family), data={"family": found.family, "files": list(found.files)}
    )
