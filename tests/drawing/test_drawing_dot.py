"""The DOT export: what Graphviz draws from it without more ado."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as ET

import pytest
from drawing_samples import ALL, meeting, parsed, repair, role, step, to

import svcflow
from svcflow.drawing import draw
from svcflow.drawing.layout.text_metrics import ems
from svcflow.drawing.render import graphviz
from svcflow.model.procedure import Procedure
from svcflow.text import Text

SHIPPED = ("repair", "complaint", "meeting", "expense_declaration")
HOSTILE = [
    "<b>bold</b>",
    "<",
    "&lt; &amp;",
    'a "quoted" \\N \\n name',
    "back\\",
    "\0\x07",
    "名\n字",
    "𝄞 é ł",
    "👨\u200d👩\u200d👧 a\u2028b",
]


def texts(svg: str) -> list[str]:
    """Every text an SVG shows, without the spaces that give it air."""
    return ["".join(found.itertext()).strip() for found in parsed(svg).iter() if found.tag.endswith("}text")]


def drawn(procedure: Procedure, lang: str = "zh+en") -> list[str]:
    return texts(graphviz.render(draw(procedure, lang=lang).dot).decode())


@pytest.fixture(scope="module")
def catalog() -> svcflow.Catalog:
    return svcflow.Catalog.from_folder("procedures")


@pytest.mark.parametrize("lang", ["zh", "en", "zh+en"])
@pytest.mark.parametrize("direction", ["horizontal", "vertical"])
@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_procedures_are_drawn(catalog, name: str, direction: str, lang: str) -> None:
    """Every step, role, limit and named move of a shipped procedure stands in Graphviz's drawing of its export."""
    drawing = draw(catalog[name], lang=lang, direction=direction)
    shown = "".join("".join(texts(graphviz.render(drawing.dot).decode())).split())
    scene = drawing.layout.scene
    wanted = [node.name for node in scene.nodes if node.shape in ("step", "waiting", "end")]
    wanted += [lane.name for lane in scene.lanes] + [edge.name for edge in scene.edges] + [scene.title]
    for tongue in ("zh", "en") if lang == "zh+en" else (lang,):
        for text in wanted:
            assert "".join(text.in_(tongue).split()) in shown
    for node in scene.nodes:
        assert node.number in shown
        assert "".join((node.limit.zh if lang == "zh+en" else node.limit.in_(lang)).split()) in shown


@pytest.mark.parametrize("name", ALL)
def test_the_main_line_runs_forward(name: str) -> None:
    """Whatever leads back, the main line goes on to the right: dot breaks cycles elsewhere."""
    drawing = draw(ALL[name](), lang="en")
    found = graphviz.layout(drawing.dot)
    ends = {(line.source, line.target) for line in found.lines}
    assert len(found.boxes) == len(drawing.layout.scene.nodes)
    assert len(ends) == len({(edge.source, edge.target) for edge in drawing.layout.scene.edges})
    for edge in drawing.layout.scene.edges:
        if edge.main and ":" not in edge.source + edge.target:
            assert found.boxes[edge.source].right < found.boxes[edge.target].x


def test_the_direction_turns_the_drawing() -> None:
    """Horizontal lanes give ranks from left to right, vertical ones from top to bottom."""
    wide = graphviz.layout(draw(ALL["line"]()).dot)
    tall = graphviz.layout(draw(ALL["line"](), direction="vertical").dot)
    assert wide.width > wide.height
    assert tall.height > tall.width


def test_kinds_of_lines_differ_without_colour() -> None:
    """Exceptions are dashed, rework is dotted, the main line is solid and thickest."""
    graph = json.loads(graphviz.render(draw(repair()).dot, "json"))
    styles = {(edge["style"], edge["penwidth"], edge["color"]) for edge in graph["edges"]}
    assert {("dashed", "1.35", "#b3261e"), ("dotted", "1.35", "#a85d00"), ("solid", "2", "#17232b")} <= styles


def test_guards_waits_and_what_happens_when_overdue_are_said() -> None:
    """A move carries its guard in brackets; waiting and automatic moves are said in words."""
    shown = drawn(repair(), "en")
    assert "[fee > 200]" in shown
    assert "waits (clocks stop)" in shown
    assert any("(when overdue)" in text for text in shown)


def test_branches_have_bars() -> None:
    """Fork and join are filled bars across the flow, start is a disc."""
    found = graphviz.layout(draw(meeting()).dot)
    bars = [box for name, box in found.boxes.items() if name.startswith(("(fork", "(join"))]
    assert len(bars) == 2
    assert all(bar.h > 5 * bar.w for bar in bars)
    assert "(start)" in found.boxes


@pytest.mark.parametrize("word", HOSTILE)
def test_a_name_is_drawn_as_it_stands(word: str) -> None:
    """Quotes, backslashes, entities and what looks like HTML are text; what SVG forbids is left out."""
    name = Text(zh=word, en=word)
    procedure = Procedure(
        id="hostile",
        name=name,
        roles=[role("r", word, word)],
        steps=[
            step("a", word, word, to("go", "b", word, word), role="r", within="1wd"),
            step("b", word, word, end="completed"),
        ],
    )
    shown = drawn(procedure, "en")
    plain = " ".join(
        "".join(char if char.isprintable() or char == "\u200d" else " " for char in word).split()
    )
    expected = {plain, f"P1 {plain}".strip()} if plain else set()
    assert expected <= {" ".join(text.split()) for text in shown}


def test_a_name_that_shows_nothing_gives_way_to_the_id() -> None:
    """Else there would be an empty box; a wording that shows nothing gives way to the other language."""
    steps = [
        step("taken_up", " ", "\u3000", to("go", "b", "", "\u200b")),
        step("b", "完", " ", end="completed"),
    ]
    procedure = Procedure(id="p", steps=steps)
    for lang, end in (("zh", "完"), ("en", "完"), ("zh+en", "完")):
        shown = drawn(procedure, lang)
        assert {"P1 taken up", "go", end} <= set(shown)


def test_long_names_are_broken_everywhere() -> None:
    """Title and roles too: the sheet stays as wide as its boxes and lines need, and not a character is lost."""
    long, word = "办理人员的名称很长很长" * 30, "x" * 300
    procedure = Procedure(
        id="p",
        name=Text(zh=long, en=word),
        roles=[role("r", long, word)],
        steps=[step("a", long, word, to("go", "b", long, word), role="r"), step("b", long, word, end="done")],
    )
    for lang, name in (("zh", long), ("en", word)):
        drawing = draw(procedure, lang=lang)
        assert graphviz.layout(drawing.dot).width < 1100
        assert "".join(drawn(procedure, lang)).count(name) == 5


def test_the_export_needs_no_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of lines into one step take minutes to route, which DOT has no use for."""
    monkeypatch.setattr("svcflow.drawing.drawing.lay_out", None)
    assert draw(repair()).dot.startswith("digraph")


def test_boxes_are_as_wide_as_their_text() -> None:
    """The widths are our own, since Graphviz takes Chinese characters for narrower than they are."""
    svg = graphviz.render(draw(repair(), lang="zh").dot).decode()
    boxes = graphviz.layout(draw(repair(), lang="zh").dot).boxes
    for group in parsed(svg).iter("{http://www.w3.org/2000/svg}g"):
        if group.get("class") == "node":
            title = group.find("{http://www.w3.org/2000/svg}title")
            for text in group.iter("{http://www.w3.org/2000/svg}text"):
                assert 10 * ems(text.text) < boxes[title.text].w


def test_the_export_is_the_same_each_time() -> None:
    """The same procedure gives the same source, and no HTML label."""
    source = draw(repair()).dot
    assert source == draw(repair()).dot
    assert re.search(r"label=<", source) is None
    assert ET.fromstring(graphviz.render(source).decode().split("\n", 1)[1]) is not None  # noqa: S314  # our own
