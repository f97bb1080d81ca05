"""What every map keeps to, on procedures of the kinds that matter."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from drawing_samples import ALL, T, parsed, repair, role, step, to

from svcflow.drawing import Badge, Drawing, draw
from svcflow.drawing.layout.coordinates import Layout
from svcflow.drawing.layout.geometry import Rect
from svcflow.errors import DrawingError
from svcflow.model.automatic_move import AutomaticMove
from svcflow.model.procedure import Procedure

SVG = "{http://www.w3.org/2000/svg}"
DIRECTIONS = ("horizontal", "vertical")
LANGS = ("zh", "en", "zh+en")


@pytest.fixture(params=[(name, d, lang) for name in ALL for d in DIRECTIONS for lang in LANGS], ids=str)
def drawing(request: pytest.FixtureRequest) -> Drawing:
    name, direction, lang = request.param
    return draw(ALL[name](), direction=direction, lang=lang)


def foreign_hits(layout: Layout) -> list[tuple[str, str]]:
    """Every edge and box where the edge runs through the box's inside, checked by small steps along it."""
    out = []
    for edge, route in layout.routes.items():
        for (x0, y0), (x1, y1) in pairwise(route):
            steps = int((abs(x1 - x0) + abs(y1 - y0)) // 2) + 1
            spots = [(x0 + (x1 - x0) * i / steps, y0 + (y1 - y0) * i / steps) for i in range(steps + 1)]
            out += [
                (edge, key)
                for key, box in layout.boxes.items()
                if any(box.x + 1 < x < box.right - 1 and box.y + 1 < y < box.bottom - 1 for x, y in spots)
            ]
    return out


def label_hits(layout: Layout) -> list[tuple[str, str]]:
    """Every label that touches a box or another label."""
    boxes = [
        (key, label.box, other, box)
        for key, label in layout.labels.items()
        for other, box in layout.boxes.items()
    ]
    pairs = [(a, la.box, b, lb.box) for (a, la), (b, lb) in combinations(layout.labels.items(), 2)]
    return [(a, b) for a, one, b, other in (*boxes, *pairs) if one.overlaps(other)]


def bent_neighbours(layout: Layout) -> list[str]:
    """Every main-line edge between neighbouring steps of one lane that is not one straight line."""
    nodes, cells = layout.scene.by_key, layout.boxes
    out = []
    for edge in layout.scene.edges:
        one, other = nodes[edge.source], nodes[edge.target]
        if edge.main and one.lane == other.lane and not one.strand and not other.strand:
            a, b = cells[edge.source], cells[edge.target]
            ahead = b.x > a.x if layout.direction == "horizontal" else b.y > a.y
            if ahead and len(layout.routes[edge.key]) != 2:
                out.append(edge.key)
    return out


def drawn_points(svg: str) -> list[tuple[float, float]]:
    """Every corner of every shape and the start of every text in an SVG of ours."""
    points = []
    for item in parsed(svg).iter():
        get = {key: float(value) for key, value in item.attrib.items() if re.fullmatch(r"-?[\d.]+", value)}
        if item.tag == f"{SVG}rect" and "x" in get:
            points += [(get["x"], get["y"]), (get["x"] + get["width"], get["y"] + get["height"])]
        elif item.tag == f"{SVG}circle":
            points += [
                (get["cx"] - get["r"], get["cy"] - get["r"]),
                (get["cx"] + get["r"], get["cy"] + get["r"]),
            ]
        elif item.tag == f"{SVG}text":
            points.append((get["x"], get["y"]))
        elif item.tag == f"{SVG}path" and item.get("class") in ("way", "halo"):
            found = re.findall(r"(-?[\d.]+) (-?[\d.]+)", item.attrib["d"])
            points += [(float(x), float(y)) for x, y in found]
    return points


def test_no_line_passes_through_a_box(drawing: Drawing) -> None:
    """No line runs through any box, not even its own."""
    assert foreign_hits(drawing.layout) == []


def test_no_label_touches_a_box_or_another_label(drawing: Drawing) -> None:
    """Every label has a place of its own."""
    layout = drawing.layout
    assert layout.labels.keys() == layout.texts.keys()
    assert label_hits(layout) == []


def test_no_label_lies_over_the_line_of_another(drawing: Drawing) -> None:
    """On procedures of real size every label stands free of other lines."""
    if drawing.layout.scene.title.en == "Stress":
        assert sum(bool(label.struck) for label in drawing.layout.labels.values()) <= 2
    else:
        assert [key for key, label in drawing.layout.labels.items() if label.struck] == []


def test_the_main_line_is_straight_within_a_lane(drawing: Drawing) -> None:
    """Neighbours on the main line in one lane are joined by one straight line."""
    assert bent_neighbours(drawing.layout) == []


def test_the_main_line_runs_through_the_middle_of_its_boxes(drawing: Drawing) -> None:
    """Whatever else leaves the same side of a box, the straight main line keeps the middle."""
    layout = drawing.layout
    flat = 1 if layout.direction == "horizontal" else 0
    for edge in layout.scene.edges:
        a, b = layout.boxes[edge.source], layout.boxes[edge.target]
        route = layout.routes[edge.key]
        if edge.main and len(route) == 2 and route[0][flat] == route[1][flat]:
            middles = {round((box.cx, box.cy)[flat], 3) for box in (a, b)}
            if len(middles) == 1:
                assert round(route[0][flat], 3) in middles, edge.key


def test_everything_lies_inside_the_view_box(drawing: Drawing) -> None:
    """Nothing is cut off at the edge of the sheet."""
    root = parsed(drawing.svg)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    points = drawn_points(drawing.svg)
    assert len(points) > 20
    assert [p for p in points if not (0 <= p[0] <= width and 0 <= p[1] <= height)] == []


def test_no_line_runs_through_a_lanes_header(drawing: Drawing) -> None:
    """The headers stay free of lines."""
    for route in drawing.layout.routes.values():
        for x, y in route:
            spot = Rect(x, y, 0.01, 0.01)
            assert not any(head.overlaps(spot) for head in drawing.layout.heads.values())


def test_text_stays_inside_its_box(drawing: Drawing) -> None:
    """Every row of a box is narrower than the box, by our own table of widths."""
    faces = drawing.layout.box_texts
    for face in faces.by_key.values():
        assert all(row.width <= faces.width - 12 for row in face.rows)


def test_the_svg_says_what_it_is(drawing: Drawing) -> None:
    """Each map is an image with a title and a description, for those who hear it."""
    root = parsed(drawing.svg)
    assert root.get("role") == "img"
    assert [child.tag for child in root][:2] == [f"{SVG}title", f"{SVG}desc"]
    assert all(child.text for child in list(root)[:2])


def test_every_step_and_line_is_drawn(drawing: Drawing) -> None:
    """Each step and each edge has its group in the SVG, found by its key."""
    root = parsed(drawing.svg)
    scene = drawing.layout.scene
    steps = {item.get("data-step") for item in root.iter() if item.get("data-step")}
    lines = {item.get("data-edge") for item in root.iter() if item.get("data-edge")}
    assert steps == {node.key for node in scene.nodes if node.step}
    assert lines == {edge.key for edge in scene.edges}


def test_the_same_procedure_gives_the_same_bytes() -> None:
    """A drawing depends on nothing but its input: not on the process, not on the seed of hashes."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import drawing_samples as s;"
        "from svcflow.drawing import draw; sys.stdout.buffer.write(draw(s.repair()).svg.encode())"
    )
    here = str(Path(__file__).parent)
    seen = set()
    for seed in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": seed}
        ran = subprocess.run([sys.executable, "-c", code, here], capture_output=True, env=env, check=True)
        seen.add(ran.stdout)
    assert seen == {draw(repair()).svg.encode()}


@pytest.mark.parametrize("lang", LANGS)
def test_hostile_names_are_escaped(lang: str) -> None:
    """Names are text: nothing in them becomes markup, and control characters are left out."""
    evil = "<script>alert('x')</script>\" onload=\"evil() & ]]> \x00\x0b\ud800"
    procedure = Procedure(
        id="evil",
        name=T(zh=evil, en=evil),
        owner=T(zh=evil, en=evil),
        roles=[role("r", evil, evil)],
        steps=[
            step("a", evil, evil, to("go", "b", evil, evil), role="r", within="2h"),
            step("b", evil, evil, end="completed"),
        ],
    )
    svg = draw(procedure, lang=lang).svg
    root = parsed(svg)
    assert {item.tag for item in root.iter()}.isdisjoint({f"{SVG}script", "script"})
    assert not [key for item in root.iter() for key in item.attrib if key.startswith("on")]
    assert "<script" not in svg


def test_kinds_differ_by_dash_not_only_by_colour() -> None:
    """Exceptions and rework are dashed, each in its own way; the main line is solid."""
    root = parsed(draw(repair()).svg)
    dashes = {}
    for group in root.iter(f"{SVG}g"):
        key = group.get("data-edge")
        if key:
            line = next(item for item in group if item.get("class") == "way")
            dashes[key] = line.get("stroke-dasharray")
    assert dashes["reported>accepted/normal"] is None
    assert dashes["reported>rejected/exception"]
    assert dashes["checking>repairing/rework"]
    assert dashes["checking>repairing/rework"] != dashes["reported>rejected/exception"]


def test_a_badge_moves_nothing() -> None:
    """A badge stands in the foot of its box, with a symbol beside the colour, and nothing moves for it."""
    plain = draw(repair())
    marked = draw(repair(), badges={"arrived": Badge("超时 17%", "over"), "assigned": Badge("11%", "risk")})
    assert marked.layout.boxes == plain.layout.boxes
    assert marked.layout.labels == plain.layout.labels
    assert "超时 17%" in marked.svg
    assert "at risk" in marked.svg


def test_a_badge_for_no_step_is_refused() -> None:
    """A badge that would not be drawn is a mistake, and the error says which steps there are."""
    with pytest.raises(DrawingError, match="take one of reported"):
        draw(repair(), badges={"nowhere": Badge("x")})


@pytest.mark.parametrize("choice", [{"lang": "fr"}, {"direction": "round"}, {"router": "magic"}])
def test_an_unknown_choice_names_what_there_is(choice: dict[str, str]) -> None:
    """A wrong argument is refused with the choices."""
    with pytest.raises(DrawingError, match="take one of"):
        draw(repair(), **choice)


def test_a_language_shows_only_itself() -> None:
    """An English map has no Chinese where English is declared, and the other way round."""
    zh, en = draw(repair(), lang="zh").svg, draw(repair(), lang="en").svg
    assert "派工" in zh
    assert "Dispatch order" not in zh
    assert "Dispatch order" in en
    assert re.search(r"[一-鿿]", re.sub(r"<style>.*?</style>", "", en)) is None


def test_limits_stand_in_boxes_and_under_the_map() -> None:
    """Step limits stand in their boxes; limits over several steps and by case are listed below."""
    svg = draw(repair()).svg
    assert "限时 ≤ 15 分 / 15m" in svg
    assert "到场（P2 派工 → P5 现场检测与故障诊断（含拍照））" in svg
    assert "otherwise ≤ 4 hours" in svg


def test_a_move_that_a_step_makes_by_itself_has_its_own_sign() -> None:
    """A clock with an arrow, on the line and in the legend; when it is made stands on the label in either language."""
    declared = Procedure(
        id="p",
        steps=(
            step(
                "a",
                "问",
                "Ask",
                to("go", "end", "结案", "Close"),
                then=AutomaticMove("go", after="2wd"),
            ),
            step("end", "止", "End", end="completed"),
        ),
    )
    for lang, when, legend in (
        ("en", "after 2 working d", "by itself at its time (nothing is overdue)"),
        ("zh", "满 2 工作日", "到时自动（不算超时）"),
    ):
        svg = draw(declared, lang=lang).svg
        assert when in svg
        assert legend in svg
        assert "overdue" not in svg.replace(legend, "")
    assert "by itself" not in draw(repair(), lang="en").svg
