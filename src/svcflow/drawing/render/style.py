"""Colours, strokes and style sheet of a map; dash and symbol always say the same as colour."""

from __future__ import annotations

from svcflow.drawing.layout.text_metrics import FONTS

INK = "#17232b"
PAPER = "#ffffff"
FONT_STACK = ", ".join(f"'{font}'" if " " in font else font for font in FONTS) + ", sans-serif"

LINE: dict[str, tuple[str, float, str]] = {
    "main": ("#17232b", 2.0, ""),
    "normal": ("#4a5b66", 1.25, ""),
    "exception": ("#b3261e", 1.35, "6 3.5"),
    "rework": ("#a85d00", 1.35, "9 3 2 3"),
}
"""Colour, width and dash of each kind of line."""

LEVEL: dict[str, tuple[str, str, str]] = {
    "ok": ("#e3f1e5", "#2c6e35", ""),
    "risk": ("#fff0cc", "#8a5a00", "triangle"),
    "over": ("#fbdcda", "#a8201a", "square"),
}
"""Fill, ink and symbol of each level of a badge."""


def sheet() -> str:
    """Return the style sheet of a map."""
    return (
        f".sf text{{font-family:{FONT_STACK};fill:{INK}}}"
        ".sf .b{font-weight:700}.sf .m{text-anchor:middle}.sf .e{text-anchor:end}"
        ".sf .lane{fill:#f4f7f9;stroke:#9fb0ba;stroke-width:1}.sf .odd{fill:#fbfcfd}"
        ".sf .head{fill:#d5dfe4;stroke:#9fb0ba;stroke-width:1}"
        ".sf .box{fill:#fff;stroke:#2f4a5a;stroke-width:1.3}"
        ".sf .wait{fill:#eef0fa;stroke:#4b5592;stroke-width:1.3;stroke-dasharray:4 2.5}"
        ".sf .fork{fill:#17232b}"
        ".sf .rule{stroke:#2f4a5a;stroke-width:.8}"
        ".sf .done{fill:#e6f0e8;stroke:#1f5a2c;stroke-width:2.6}"
        ".sf .gone{fill:#f3f3f3;stroke:#5b5b5b;stroke-width:1.3}"
        ".sf .way{fill:none;stroke-linejoin:round}"
        ".sf .halo{fill:none;stroke:#fff;stroke-opacity:.9}"
        ".sf .under{fill:#fff;fill-opacity:.92}"
        ".sf .note{fill:#35454f}"
    )
