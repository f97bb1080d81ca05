"""Draw a procedure as a swimlane map: the one call that joins scene, layout, routing and painter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from svcflow.drawing.drawing import Drawing
from svcflow.drawing.layout.layout import lay_out
from svcflow.drawing.router.routing import Router, routed
from svcflow.drawing.scene.from_procedure import scene_of
from svcflow.drawing.scene.scene import Badge, Direction
from svcflow.errors import DrawingError
from svcflow.model.procedure import Procedure
from svcflow.text import Lang, Text


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
    same bytes.

    Raises: DrawingError for an unknown choice, a badge of no step, or a router that cannot be used.
    """
    _choice("lang", lang, get_args(Lang))
    _choice("direction", direction, get_args(Direction))
    given = dict(badges or {})
    for step in given:
        _choice("badges", step, tuple(procedure.all_steps))
    layout = lay_out(scene_of(procedure), lang=lang, direction=direction)
    found, used = routed(layout, router)
    return Drawing(found, used, given)


def _choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        known = ", ".join(allowed)
        raise DrawingError(
            Text(zh=f"{name} 不能是 {value!r}", en=f"{name} cannot be {value!r}"),
            Text(zh=f"可用：{known}", en=f"take one of {known}"),
        )
