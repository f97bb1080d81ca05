"""Rule of a start: who asks for the service, what comes with it, how early, and whether it may be foreseen."""

from __future__ import annotations

import attrs

from svcflow.model.limit import optional_anchor
from svcflow.model.target import Anchor
from svcflow.text import NO_TEXT, Text


@attrs.frozen(kw_only=True)
class StartRule:
    """Who may start an instance, and how early it has to be asked for.

    `requires` names fields or evidence that must come with the start. `before` is the latest instant at which one may
    ask, counted back from a scheduled instant; `calendar` counts working time of it. With `foreseen`, whoever provides
    the service may start it too, before the recipient has voiced the need.
    """

    role: str | None = None
    name: Text = NO_TEXT
    requires: tuple[str, ...] = attrs.field(default=(), converter=tuple)
    before: Anchor | None = attrs.field(default=None, converter=optional_anchor)
    calendar: str | None = None
    source: str | None = None
    foreseen: bool = False
