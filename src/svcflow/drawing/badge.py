"""A badge in the foot of a box: what an overlay has to say of a step, with its level."""

from __future__ import annotations

from typing import Literal, get_args

import attrs

Level = Literal["ok", "risk", "over"]


@attrs.frozen
class Badge:
    """Hold a short wording and its level: `ok`, `risk` (▲) or `over` (■)."""

    text: str
    level: Level = attrs.field(default="ok", validator=attrs.validators.in_(get_args(Level)))
