"""Routers: each paints, each is judged by the same rules, and what cannot be used says why."""

from __future__ import annotations

import shutil

import pytest
from drawing_samples import ALL, parsed, repair
from test_drawing_map import foreign_hits, label_hits

from svcflow.drawing import draw, routers
from svcflow.drawing.layout.quality import faulty, quality
from svcflow.drawing.router import graphviz
from svcflow.drawing.router.routing import by_graphviz
from svcflow.errors import DrawingError


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("router", ["wasm", "dot", "own"])
def test_every_router_paints_within_the_rules(name: str, router: str) -> None:
    """Forced routers draw each sample; what Graphviz does against the rules is replaced by our own lines."""
    if router == "dot" and shutil.which("dot") is None:
        pytest.skip("no dot on this machine")
    drawing = draw(ALL[name](), router=router)
    assert drawing.router == router
    assert parsed(drawing.svg).tag.endswith("svg")
    assert faulty(drawing.layout, drawing.layout.routes) == frozenset()
    assert foreign_hits(drawing.layout) == []
    assert label_hits(drawing.layout) == []


def test_graphviz_really_routes() -> None:
    """The lines of the WebAssembly build are its own, not a copy of ours."""
    own = draw(repair(), router="own").layout
    other = by_graphviz(own, "wasm")
    changed = [key for key in own.routes if own.routes[key] != other.routes[key]]
    assert len(changed) > len(own.routes) / 2


def test_auto_is_never_worse_than_our_own() -> None:
    """By the measure that `auto` chooses by, it never loses to our own router."""
    for make in ALL.values():
        assert quality(draw(make()).layout).cost <= quality(draw(make(), router="own").layout).cost


def test_routers_are_told_in_order() -> None:
    """The list for `svcflow doctor`: each router, usable or why not; our own always is."""
    told = routers()
    assert [one.router for one in told] == ["wasm", "dot", "own"]
    assert told[-1].usable
    assert all(one.said.zh and one.said.en for one in told)


def test_a_router_that_is_not_there_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking for `dot` without one on PATH is an error with a remedy, not a silent choice of another."""
    monkeypatch.setenv("PATH", "")
    assert not routers()[1].usable
    with pytest.raises(DrawingError, match="no dot on PATH"):
        draw(repair(), router="dot")


def test_a_line_through_a_box_is_found_out() -> None:
    """The judge of lines finds a line through a foreign box, one that shares a stretch, and one left out."""
    layout = draw(repair(), router="own").layout
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


def test_a_failed_render_does_not_spoil_the_next() -> None:
    """Each render has a session of its own, so that one failure stays one."""
    with pytest.raises(DrawingError, match="failed to route"):
        graphviz.by_wasm("digraph {")
    assert draw(repair(), router="wasm").router == "wasm"
