"""From SVG to PNG by resvg, only with a font that has every script of the drawing: no empty boxes.

Fonts are looked for in `font_files`, then in the files and folders of SVCFLOW_FONTS, then in the usual folders.
"""

from __future__ import annotations

import os
import re
import struct
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import attrs

from svcflow.drawing.render import font_file
from svcflow.errors import DrawingError, MissingExtra
from svcflow.text import Text

VARIABLE = "SVCFLOW_FONTS"
_CJK = re.compile(r"[⺀-鿿豈-﫿＀-￯]")
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
_LATIN = (*_KNOWN, "dejavusans", "liberationsans", "arial", "notosans")
_SHARPNESS = 2.0


@attrs.frozen
class FontFiles:
    """Hold the font files to draw with, and the family they give."""

    files: tuple[str, ...]
    family: str


def png(svg: str, *, font_files: Sequence[str | Path] = (), zoom: float = _SHARPNESS) -> bytes:
    """Rasterise an SVG. Raises: MissingExtra without resvg, DrawingError without a fitting font."""
    try:
        import resvg_py  # noqa: PLC0415  # optional, and 6 MB
    except ImportError as error:
        raise MissingExtra(
            "png", Text(zh="输出 PNG 需要 resvg", en="writing PNG needs the rasteriser resvg")
        ) from error
    fonts = find_fonts(cjk=_CJK.search(svg) is not None, font_files=font_files)
    drawn = resvg_py.svg_to_bytes(
        svg_string=svg,
        dpi=96.0,
        zoom=zoom,
        background="#ffffff",
        font_files=list(fonts.files),
        skip_system_fonts=True,
        font_family=fonts.family,
        sans_serif_family=fonts.family,
    )
    return bytes(drawn)


def find_fonts(*, cjk: bool, font_files: Sequence[str | Path] = ()) -> FontFiles:
    """Return the fonts to draw with. Raises: DrawingError when none has the characters."""
    for candidates in (_given(font_files), _from_variable(), _usual(cjk=cjk)):
        fitting = [path for path in candidates if _fits(path, cjk=cjk)]
        if fitting:
            chosen = _with_bold(fitting)
            return FontFiles(tuple(map(str, chosen)), _family(chosen[0]))
    raise _no_font(cjk=cjk)


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
    out: list[Path] = []
    for entry in filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)):
        path = Path(entry)
        out += sorted(_fonts_in(path)) if path.is_dir() else [path] if path.is_file() else []
    return out


def _usual(*, cjk: bool) -> list[Path]:
    return list(_scanned(_KNOWN if cjk else _LATIN))


@lru_cache(maxsize=2)
def _scanned(known: tuple[str, ...]) -> tuple[Path, ...]:
    found = [path for folder in _folders() if folder.is_dir() for path in _fonts_in(folder)]
    ranked = [(_rank(path, known), str(path), path) for path in found]
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
    """Say whether the file has the script; a file that cannot be read as a font does not."""
    try:
        return font_file.has(path, "限" if cjk else "A")
    except (OSError, ValueError, struct.error):
        return False


def _with_bold(paths: Sequence[Path]) -> list[Path]:
    """Return the regular face first, then the bold one of the same family if there is one."""
    family = _family(paths[0])
    same = [path for path in paths if _family(path) == family]
    regular = [path for path in same if "regular" in path.stem.lower()] or same[:1]
    bold = [path for path in same if "bold" in path.stem.lower() and path not in regular]
    plain = [path for path in bold if not any(w in path.stem.lower() for w in ("semi", "demi", "extra"))]
    return [*regular[:1], *(plain or bold)[:1]]


@lru_cache(maxsize=256)
def _family(path: Path) -> str:
    names = _preferred(font_file.families(path))
    return names or path.stem


def _preferred(names: Iterable[str]) -> str:
    said = list(names)
    return next((name for name in said if name.endswith(" SC")), said[0] if said else "")


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
