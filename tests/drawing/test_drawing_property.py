"""What every map keeps to, on random procedures."""

from __future__ import annotations

from drawing_samples import parsed
from drawing_strategies import procedures
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_drawing_map import drawn_points, foreign_hits, label_hits

from svcflow.drawing import draw
from svcflow.drawing.layout.quality import faulty
from svcflow.drawing.render import graphviz
from svcflow.model.procedure import Procedure

MANY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
DIRECTIONS = st.sampled_from(["horizontal", "vertical"])
LANGS = st.sampled_from(["zh", "en", "zh+en"])


@given(procedures(), DIRECTIONS, LANGS)
@MANY
def test_any_procedure_is_drawn_within_the_rules(procedure: Procedure, direction: str, lang: str) -> None:
    """Lines keep off boxes, off each other's stretches and inside the frame; labels touch nothing."""
    drawing = draw(procedure, direction=direction, lang=lang)
    layout = drawing.layout
    assert foreign_hits(layout) == []
    assert faulty(layout, layout.routes) == frozenset()
    assert label_hits(layout) == []
    width, height = map(float, parsed(drawing.svg).attrib["viewBox"].split()[2:])
    assert all(0 <= x <= width and 0 <= y <= height for x, y in drawn_points(drawing.svg))


@given(procedures())
@MANY
def test_no_wording_of_a_transition_is_lost(procedure: Procedure) -> None:
    """Each transition's line is there, and its label is on the map or in the notes under it."""
    drawing = draw(procedure)
    layout = drawing.layout
    drawn = {trigger for edge in layout.scene.edges for trigger in edge.triggers}
    assert drawn == set(procedure.triggers)
    missing = layout.texts.keys() - layout.labels.keys()
    assert all(
        layout.texts[key].full[:5].strip() in "".join(parsed(drawing.svg).itertext()) for key in missing
    )


@given(procedures())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_drawing_twice_gives_the_same(procedure: Procedure) -> None:
    """The same input gives the same bytes."""
    assert draw(procedure).svg == draw(procedure).svg


@given(procedures(), DIRECTIONS, LANGS)
@MANY
def test_any_procedure_is_exported_as_dot(procedure: Procedure, direction: str, lang: str) -> None:
    """Graphviz takes the export whatever the names hold, with every node and every line."""
    drawing = draw(procedure, direction=direction, lang=lang)
    found = graphviz.layout(drawing.dot)
    assert len(found.boxes) == len(drawing.layout.scene.nodes)
    assert len(found.lines) == len(drawing.layout.scene.edges)
    parsed(graphviz.render(drawing.dot).decode())
