"""The facts one decision records, each applied to the draft the moment it is written."""

from __future__ import annotations

from typing import Any

from svcflow.kernel.compiled import Compiled
from svcflow.kernel.evolve import apply
from svcflow.kernel.facts import Fact
from svcflow.kernel.instance import Draft


class Ledger:
    """Collect the facts of one decision; sequence, instance and recorded instant are filled in here."""

    __slots__ = ("at_us", "compiled", "draft", "facts", "recorded_us")

    def __init__(self, compiled: Compiled, draft: Draft, at_us: int) -> None:
        self.compiled = compiled
        self.draft = draft
        self.recorded_us = at_us
        self.at_us = max(draft.updated_us, at_us)
        self.facts: list[Fact] = []

    def record(self, kind: type[Fact], occurred_us: int, actor: str, *rest: Any, **named: Any) -> Fact:
        """Write one fact down and apply it."""
        draft = self.draft
        fact = kind(draft.id, draft.revision + 1, occurred_us, self.recorded_us, actor, *rest, **named)
        self.facts.append(fact)
        apply(self.compiled, draft, fact)
        return fact
