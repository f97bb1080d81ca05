"""Sub-procedure of a step: the other procedure that runs while the step is active."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import attrs

CallOffRule = Literal["cancel", "refuse"]
CALL_OFF_RULES: tuple[CallOffRule, ...] = ("cancel", "refuse")
OF_PARENT = "parent."
"""What `not_by` writes before the id of a step of the parent."""
CALLED_OFF = "cancelled"
"""The outcome of an instance that was called off, whatever ends its procedure declares."""


@attrs.frozen
class SubProcedure:
    """Another procedure that a step runs, as an instance of its own: a child.

    `data` gives fields of the child, by their names there, from fields of this procedure. `outcomes` are the
    outcomes of the child's ends with the trigger that each fires here. `on_call_off` is what leaving the step does
    while the child runs: `cancel` the child, or `refuse` to leave.
    """

    procedure: str
    data: Mapping[str, str] = attrs.field(factory=dict, kw_only=True)
    outcomes: Mapping[str, str] = attrs.field(factory=dict, kw_only=True)
    on_call_off: CallOffRule = attrs.field(
        default="cancel", validator=attrs.validators.in_(CALL_OFF_RULES), kw_only=True
    )
