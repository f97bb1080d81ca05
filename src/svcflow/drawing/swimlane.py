"""Draw a procedure as a swimlane map: the one call that joins scene, layout, router and painter."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Literal, get_args

from svcflow.drawing.drawing import Drawing
from svcflow.drawing.layout.layout import lay_out
from svcflow.drawing.scene.from_procedure import scene_of
from svcflow.drawing.scene.scene import Badge, Direction
from svcflow.errors import DrawingError
from svcflow.model.procedure import Procedure
from svcflow.text import Lang, Text

Router = Literal["auto", "own", "wasm", "dot"]
ROUTERS: tuple[Router, ...] = get_args(Router)


def draw(
    procedure: Procedure,
    *,
    lang: Lang = "zh+en",
    direction: Direction = "horizontal",
    router: Router = "auto",
    badges: Mapping[str, Badge] | None = None,
) -> Drawing:
    """Draw a procedure as a swimlane map.

    `badges` are put in the feet of steps, by step id; nothing moves for them. The same input gives the
    same bytes. `router` changes nothing any more: svcflow routes every map itself, and "wasm" and "dot",
    which named Graphviz, give a DeprecationWarning.

    Raises: DrawingError for an unknown choice or a badge of no step.
    """
    _choice("lang", lang, get_args(Lang))
    _choice("direction", direction, get_args(Direction))
    _choice("router", router, ROUTERS)
    if router in ("wasm", "dot"):
        warnings.warn(
            f"router={router!r} has no effect: svcflow routes every map itself",
            DeprecationWarning,
            stacklevel=2,
        )
    given = dict(badges or {})
    for step in given:
        _choice("badges", step, tuple(procedure.all_steps))
    return Drawing(lay_out(scene_of(procedure), lang=lang, direction=direction), given)


def _choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        known = ", ".join(allowed)
        raise DrawingError(
            Text(zh=f"{name} 不能是 {value!r}", en=f"{name} cannot be {value!r}"),
            Text(zh=f"可用：{known}", en=f"take one of {known}"),
        )
