"""Font files to draw with, chosen by the characters they have.

They are looked for in `font_files`, then in the files and folders of SVCFLOW_FONTS, then in the usual folders.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import attrs

from svcflow.errors import DrawingError, MissingExtra
from svcflow.text import Text, is_blank

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

Read = TypeVar("Read")

_REGULAR, _SEMIBOLD, _BOLD = 400, 600, 700
_ITALIC_BITS = 1 | 1 << 9
"""Bits of fsSelection in table OS/2: italic, oblique."""

VARIABLE = "SVCFLOW_FONTS"
_SUFFIXES = (".ttc", ".otf", ".ttf")
_KNOWN = (
    "notosanscjk",
    "notosanssc",
    "sourcehansans",
    "wqy-microhei",
    "wqy-zenhei",
    "pingfang",
    "hiragino sans gb",
    "msyh",
    "simhei",
    "simsun",
    "deng",
    "droidsansfallback",
    "stheiti",
)
_LATIN = (
    *_KNOWN,
    "liberationsans",
    "arial",
    "dejavusans",
    "notosans",
)  # as wide as the text is measured, first
_ANY = ("",)
"""The beginning of every name."""
_LISTED = 10
"""How many characters that no font has an error lists."""


@attrs.frozen
class FontFiles:
    """Font files to draw with, and the name of their family."""

    files: tuple[str, ...]
    family: str


@attrs.frozen
class FontStyle:
    """Style of a face as table OS/2 gives it: weight 400 is regular, 700 bold; width 5 is normal, 3 condensed."""

    weight: int = 400
    width: int = 5
    slanted: bool = attrs.field(default=False, kw_only=True)

    def distance(self, weight: int) -> tuple[bool, int, int]:
        """Return how far the style is from an upright face of normal width and this weight, to sort by."""
        return self.slanted, abs(self.width - 5), abs(self.weight - weight)


def find_fonts(*, cjk: bool, text: str = "", font_files: Sequence[str | Path] = ()) -> FontFiles:
    """Return the fonts to draw a text with: a family that has the script, and others for what it lacks of the text.

    Raises: DrawingError when no font has the script, or one of the characters.
    """
    for candidates in (_given(font_files), _from_variable(), _usual(cjk=cjk)):
        first = next((path for path in candidates if _fits(path, cjk=cjk)), None)
        if first is not None:
            family = _family(first)
            same = [path for path in candidates if _family(path) == family]
            chosen = tuple(_with_bold(same, cjk=cjk))
            others = _others(chosen[0], text, (*candidates, *_from_variable()))
            return FontFiles(tuple(map(str, (*chosen, *others))), family)
    raise _no_font(cjk=cjk)


def _others(regular: Path, text: str, candidates: Sequence[Path]) -> Iterator[Path]:
    """Yield files for the characters of a text that the regular face lacks, those given before those of the machine."""
    lacking = {char for char in text if not is_blank(char)} - characters(regular)
    if not lacking:
        return
    for path in (*candidates, *_plainest(_scanned(_LATIN)), *_plainest(_scanned(_ANY))):
        if lacking & characters(path):
            yield path
            lacking -= characters(path)
        if not lacking:
            return
    raise _no_glyph(sorted(lacking))


def _given(files: Sequence[str | Path]) -> list[Path]:
    paths = [Path(file) for file in files]
    for path in paths:
        if not path.is_file():
            raise DrawingError(
                Text(zh=f"没有字体文件 {path}", en=f"there is no font file {path}"),
                Text(zh="检查 font_files", en="check font_files"),
            )
    return paths


def _from_variable() -> list[Path]:
    paths: list[Path] = []
    for entry in filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)):
        path = Path(entry)
        paths += sorted(_fonts_in(path)) if path.is_dir() else [path] if path.is_file() else []
    return paths


def _usual(*, cjk: bool) -> list[Path]:
    return list(_scanned(_KNOWN if cjk else _LATIN))


@lru_cache(maxsize=3)
def _scanned(known: tuple[str, ...]) -> tuple[Path, ...]:
    paths = [path for folder in _folders() if folder.is_dir() for path in _fonts_in(folder)]
    ranked = [(_rank(path, known), str(path), path) for path in paths]
    return tuple(path for rank, _, path in sorted(ranked) if rank < len(known))


def _rank(path: Path, known: Sequence[str]) -> int:
    name = path.name.lower()
    return next((place for place, part in enumerate(known) if name.startswith(part)), len(known))


def _fonts_in(folder: Path) -> Iterator[Path]:
    for root, _, files in os.walk(folder):
        yield from (Path(root, file) for file in files if file.lower().endswith(_SUFFIXES))


def _folders() -> list[Path]:
    home = Path.home()
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA", str(home))
        return [
            Path(os.environ.get("WINDIR", r"C:\Windows"), "Fonts"),
            Path(local, "Microsoft", "Windows", "Fonts"),
        ]
    if sys.platform == "darwin":
        return [Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library" / "Fonts"]
    return [
        Path("/usr/share/fonts"),
        Path("/usr/local/share/fonts"),
        home / ".local" / "share" / "fonts",
        home / ".fonts",
    ]


@lru_cache(maxsize=256)
def _fits(path: Path, *, cjk: bool) -> bool:
    """Return whether the file has the script; a file that cannot be read as a font does not."""
    return ("限" if cjk else "A") in characters(path)


def _plainest(files: Iterable[Path]) -> list[Path]:
    """Return font files in the order of how near they are to a regular face."""
    return sorted(files, key=lambda path: _style(path).distance(_REGULAR))


def _with_bold(family: Sequence[Path], *, cjk: bool) -> Iterator[Path]:
    """Yield the file of a family that is nearest to a regular face, then the bold one if there is one."""
    regular = next(path for path in _plainest(family) if _fits(path, cjk=cjk))
    yield regular
    heavy = [path for path in family if _style(path).weight >= _SEMIBOLD and path != regular]
    boldest = sorted(heavy, key=lambda path: _style(path).distance(_BOLD))
    yield from [path for path in boldest if _fits(path, cjk=cjk)][:1]


@lru_cache(maxsize=256)
def _family(path: Path) -> str:
    """Return the family to draw with: the one for simplified Chinese where a collection has several."""
    names = families(path)
    return next((name for name in names if name.endswith(" SC")), names[0] if names else path.stem)


def families(path: Path) -> tuple[str, ...]:
    """Return the family name of each face in the file, as rasterisers know it; () when it is no font."""
    return _read(path, _family_names, ())


@lru_cache(maxsize=64)
def characters(path: Path) -> frozenset[str]:
    """Return the characters that the first face of the file has a glyph for; none when it is no font."""
    return _read(path, _mapped, frozenset())


def _family_names(faces: Sequence[TTFont]) -> tuple[str, ...]:
    # name 16 is the family over all weights and widths, name 1 the one of four styles that older fonts have
    names = (face["name"].getDebugName(16) or face["name"].getDebugName(1) for face in faces)
    return tuple(dict.fromkeys(filter(None, names)))


@lru_cache(maxsize=256)
def _style(path: Path) -> FontStyle:
    """Return the style of the first face of the file; that of a regular face when it is not said."""
    return _read(path, _style_of_first, FontStyle())


def _style_of_first(faces: Sequence[TTFont]) -> FontStyle:
    table = faces[0]["OS/2"]
    return FontStyle(table.usWeightClass, table.usWidthClass, slanted=bool(table.fsSelection & _ITALIC_BITS))


def _mapped(faces: Sequence[TTFont]) -> frozenset[str]:
    face = faces[0]
    # without an order given fontTools would read the names of all glyphs: a Chinese font has 65,000
    face.setGlyphOrder([str(glyph) for glyph in range(face["maxp"].numGlyphs)])
    # glyph 0 is the box that stands for a character the font does not have
    return frozenset(chr(code) for code, glyph in (face.getBestCmap() or {}).items() if glyph != "0")


def _read(path: Path, read: Callable[[Sequence[TTFont]], Read], otherwise: Read) -> Read:
    """Return what `read` finds in the faces of a font file or collection; `otherwise` when the file is broken or no font.

    Raises: MissingExtra without fontTools.
    """
    try:
        from fontTools.ttLib import TTCollection, TTFont, TTLibError  # noqa: PLC0415  # optional, 15 ms
    except ImportError as error:
        raise MissingExtra(
            "png", Text(zh="查看字体文件需要 fonttools", en="reading font files needs fonttools")
        ) from error
    try:
        with path.open("rb") as file:
            if path.suffix.lower() == ".ttc":
                return read(TTCollection(file, lazy=True).fonts)
            return read((TTFont(file, lazy=True),))
    except (OSError, TTLibError, struct.error, AssertionError, LookupError, ValueError):
        return otherwise


def _no_glyph(chars: Sequence[str]) -> DrawingError:
    listed = " ".join(f"{char} (U+{ord(char):04X})" for char in chars[:_LISTED])
    more = " …" if len(chars) > _LISTED else ""
    return DrawingError(
        Text(
            zh=f"没有一种字体含有 {listed}{more}，不能输出 PNG",
            en=f"no font has {listed}{more}, so PNG cannot be drawn",
        ),
        Text(
            zh=f"安装含有这些字符的字体，或用 font_files= 或环境变量 {VARIABLE} 指明；SVG 不受影响",
            en=f"install a font that has them, or name one by font_files= or the variable {VARIABLE}; SVG works without",
        ),
    )


def _no_font(*, cjk: bool) -> DrawingError:
    what = Text(zh="中文", en="Chinese characters") if cjk else Text(zh="拉丁字母", en="Latin letters")
    return DrawingError(
        Text(
            zh=f"没有找到含{what.zh}的字体，不能输出 PNG",
            en=f"no font with {what.en} was found, so PNG cannot be drawn",
        ),
        Text(
            zh=f"安装 Noto Sans CJK，或用 font_files= 或环境变量 {VARIABLE} 指明字体；SVG 不受影响",
            en=f"install Noto Sans CJK, or name a font by font_files= or the variable {VARIABLE}; SVG works without",
        ),
    )
