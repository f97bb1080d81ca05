"""Who finds the lines' ways: Graphviz where it gives the better map by measure, else our own router.

Our own router always runs, since channels get their widths from its ways. A line of Graphviz that breaks a
rule is replaced by our own; lines of our own break none among themselves, so replacing comes to an end.
"""

from __future__ import annotations

from typing import Literal, get_args

from svcflow.drawing.layout.geometry import Point
from svcflow.drawing.layout.layout import Layout
from svcflow.drawing.layout.quality import faulty, quality
from svcflow.drawing.router import graphviz
from svcflow.drawing.router.graphviz import Engine
from svcflow.errors import DrawingError
from svcflow.text import Text

Router = Literal["auto", "wasm", "dot", "own"]
ROUTERS: tuple[Router, ...] = get_args(Router)


def routed(layout: Layout, router: Router) -> tuple[Layout, str]:
    """Return the map with lines by the router asked for, and which one it was.

    `auto` keeps our own lines when every label stands free, and otherwise takes the better of ours and of
    the first Graphviz at hand, by `Quality.cost`.

    Raises: DrawingError for an unknown router, or one that is asked for and cannot be used.
    """
    if router not in ROUTERS:
        known = ", ".join(ROUTERS)
        raise DrawingError(
            Text(zh=f"没有布线器 {router!r}", en=f"there is no router {router!r}"),
            Text(zh=f"可用：{known}", en=f"take one of {known}"),
        )
    if router == "own":
        return layout, "own"
    if router == "auto":
        return _better(layout)
    return by_graphviz(layout, router), router


def by_graphviz(layout: Layout, engine: Engine) -> Layout:
    """Return the map with Graphviz's lines, those that break a rule replaced by our own."""
    found = graphviz.route(layout, engine)
    routes: dict[str, tuple[Point, ...]] = {**layout.routes, **found}
    replaced = frozenset(layout.routes) - frozenset(found)
    while True:
        bad = faulty(layout, routes, replaced) - replaced
        if not bad:
            break
        replaced |= bad
        routes.update({key: layout.routes[key] for key in bad})
    return layout.rerouted({key: routes[key] for key in layout.routes})


def _better(layout: Layout) -> tuple[Layout, str]:
    """Keep our own lines when every label stands free; else take the better by measure."""
    own = quality(layout)
    if not own.missing_labels and not own.struck_labels:
        return layout, "own"
    engine = next((a.router for a in graphviz.available() if a.usable and a.router != "own"), None)
    if engine is None:
        return layout, "own"
    other = by_graphviz(layout, engine)
    return (other, engine) if quality(other).cost < own.cost else (layout, "own")
