"""Our router: within the rules of lines, and the judge of lines finds what is against them."""

from __future__ import annotations

import pytest
from drawing_samples import ALL, line, repair
from test_drawing_map import foreign_hits, label_hits

from svcflow.drawing import draw
from svcflow.drawing.layout.quality import faulty


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("direction", ["horizontal", "vertical"])
def test_every_sample_is_routed_within_the_rules(name: str, direction: str) -> None:
    """No line passes a box, leaves the frame, misses its ends or shares a stretch; labels hit nothing."""
    layout = draw(ALL[name](), direction=direction).layout
    assert faulty(layout, layout.routes) == frozenset()
    assert foreign_hits(layout) == []
    assert label_hits(layout) == []


@pytest.mark.parametrize("router", ["wasm", "dot"])
def test_the_routers_that_were_graphviz_change_nothing(router: str) -> None:
    """They are accepted with a warning, and the map is the same, byte for byte."""
    with pytest.warns(DeprecationWarning, match="routes every map itself"):
        drawing = draw(line(), router=router)
    assert drawing.svg == draw(line(), router="auto").svg == draw(line()).svg
    assert drawing.router == "own"


def test_a_line_through_a_box_is_found_out() -> None:
    """The judge of lines finds a line through a foreign box, one that shares a stretch, and one left out."""
    layout = draw(repair()).layout
    box = layout.boxes["arrived"]
    edge = next(e for e in layout.scene.edges if e.key == "reported>rejected/exception")
    start, end = layout.routes[edge.key][0], layout.routes[edge.key][-1]
    through = (start, (start[0], box.cy), (box.cx, box.cy), (box.cx, end[1]), end)
    assert edge.key in faulty(layout, {**layout.routes, edge.key: through})
    twin = layout.routes["accepted>assigned/normal"]
    assert "assigned>accepted/rework" in faulty(
        layout, {**layout.routes, "assigned>accepted/rework": twin[::-1]}
    )
    short = {key: route for key, route in layout.routes.items() if key != edge.key}
    assert edge.key in faulty(layout, short)
