"""Transaction of one decision: its facts, each applied to the draft as soon as it is recorded."""

from __future__ import annotations

from typing import Any

from svcflow.errors import AutomaticLoop
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.evolve import apply
from svcflow.kernel.facts import Fact, Migrated
from svcflow.kernel.instance import Draft
from svcflow.kernel.lifecycle.migrated import apply_migration
from svcflow.kernel.lifecycle.migration_target import MigrationTarget
from svcflow.text import Text


class Transaction:
    """Facts and draft of one decision; sequence, instance and recorded instant of a fact are filled in here."""

    __slots__ = (
        "actor", "at_us", "automatic", "automatic_us", "behalf", "compiled", "deemed", "draft", "exhausted", "facts",
        "recorded_us", "target",
    )  # fmt: skip

    def __init__(
        self,
        compiled: Compiled,
        draft: Draft,
        at_us: int,
        actor: str = "",
        behalf: str = "",
        *,
        target: MigrationTarget | None = None,
    ) -> None:
        self.compiled = compiled
        self.target = target
        self.draft = draft
        self.recorded_us = at_us
        self.actor = actor
        self.behalf = behalf
        # A journal never runs backwards, also when the clocks of two hosts differ.
        self.at_us = max(draft.updated_us, at_us)
        self.facts: list[Fact] = []
        self.automatic = 0
        self.automatic_us = -1
        self.exhausted: list[tuple[str, int]] = []
        """Limits that go on although their time is used up, with the instant: their deemed moves are made at once."""
        self.deemed: set[tuple[str, int]] = set()
        """Limits that made a move, with its instant: two exhausted ones send an instance to and fro only once."""

    def act_for(self, actor: str, behalf: str) -> None:
        """Record what follows as caused by an actor; facts that time brought before were caused by nobody."""
        self.actor, self.behalf = actor, behalf
        self.deemed.clear()  # a limit that moved the instance before may do so again because of the command

    def record(self, kind: type[Fact], occurred_us: int, actor: str, *rest: Any, **named: Any) -> Fact:
        """Record one fact and apply it; a fact of the transaction's actor is on behalf of whom they act for."""
        draft = self.draft
        if actor and self.behalf and actor == self.actor:
            named.setdefault("behalf", self.behalf)
        fact = kind(draft.id, draft.sequence + 1, occurred_us, self.recorded_us, actor, *rest, **named)
        self.facts.append(fact)
        apply(self.compiled, draft, (fact,))
        return fact

    def record_migration(self, target: MigrationTarget, actor: str, *rest: Any, **named: Any) -> None:
        """Record a migration, apply it, and go on under its target version."""
        draft = self.draft
        if self.behalf and actor == self.actor:
            named["behalf"] = self.behalf
        fact = Migrated(draft.id, draft.sequence + 1, self.at_us, self.recorded_us, actor, *rest, **named)
        self.facts.append(fact)
        apply_migration(self.compiled, target, draft, fact)
        self.compiled = target.compiled

    def count_automatic(self, at_us: int, most: int) -> None:
        """Count a move that follows from another at one instant. Raises: AutomaticLoop after more than `most`."""
        self.automatic = self.automatic + 1 if at_us == self.automatic_us else 1
        self.automatic_us = at_us
        if self.automatic > most:
            name = str(self.compiled.procedure)
            raise AutomaticLoop(
                Text(
                    zh=f"{name} 在同一时刻自动流转超过 {most} 次",
                    en=f"{name} moved by itself more than {most} times at one instant",
                ),
                Text(
                    zh="检查 on_overdue 与 within: 0 的循环", en="look for a loop of on_overdue and within: 0"
                ),
            )
