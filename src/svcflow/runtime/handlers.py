"""Carry a command to its instance: from what the store found to what it is to keep. The kernel decides.

These are what the engine hands to `Store.change` and `Store.sweep`. A store may ask them more than once;
what the last asking came to is what was kept.

What became due long ago is recorded in parts, each in a transaction of its own, before the command is judged.
`in_parts` is false inside a transaction of a host, where there is one only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from svcflow.errors import StoreError
from svcflow.kernel.commands import Command, Start
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.decide import Outcome, transact
from svcflow.kernel.facts import Fact, Moved
from svcflow.kernel.instance import Instance
from svcflow.runtime.clock import Clock
from svcflow.runtime.engine_errors import about, far_behind, stale, unknown_instance
from svcflow.runtime.store import MAX_FACTS, ChangeSet, CompletedCommand, Decision, LockedInstance, fits
from svcflow.text import Text

CompiledOf = Callable[[Instance], Compiled]


class StartHandler:
    """Carry a Start; asked again with the id of the first run, it finds that run's answer."""

    def __init__(self, compiled: Compiled, command: Start, command_id: str | None, clock: Clock) -> None:
        self.outcome: Outcome | None = None
        self.answer: CompletedCommand | None = None
        self._compiled = compiled
        self._command = command
        self._command_id = command_id
        self._clock = clock

    def __call__(self, found: LockedInstance) -> ChangeSet | Decision | None:
        """Decide, unless the instance is there already. Raises: StoreError when another command started it."""
        self.answer = found.answer
        if found.answer is not None:
            return None
        if found.instance is not None:
            name = found.instance.id
            message = Text(zh=f"实例 {name} 已存在", en=f"there is an instance {name} already")
            raise StoreError(message, Text(zh="换一个 `instance_id`", en="choose another `instance_id`"))
        self.outcome = transact(self._compiled, None, self._command, self._clock.now_us(), MAX_FACTS)
        return changed(found, self.outcome, self._command_id)

    def goes_on(self) -> bool:
        """Say that nothing was due before there was an instance."""
        return False


class CommandHandler:
    """Carry one command to an instance that exists; asked again, it finds the first run's answer."""

    def __init__(
        self,
        compiled_of: CompiledOf,
        instance: str,
        command: Command,
        clock: Clock,
        *,
        command_id: str | None = None,
        expected: int | None = None,
        in_parts: bool = True,
    ) -> None:
        self.outcome: Outcome | None = None
        self.answer: CompletedCommand | None = None
        self._compiled_of = compiled_of
        self._instance = instance
        self._command = command
        self._clock = clock
        self._command_id = command_id
        self._expected = expected
        self._in_parts = in_parts
        self._caught_up: list[Fact] = []

    def __call__(self, found: LockedInstance) -> ChangeSet | Decision | None:
        """Decide, or catch up by a part. Raises: UnknownInstance, StaleRevision, FarBehind; what the command may."""
        instance, self.answer = found.instance, found.answer
        if instance is None:
            raise unknown_instance(self._instance)
        if found.answer is not None:
            return None
        if self._expected is not None and self._expected != instance.revision:
            raise stale(instance, self._expected)
        self.outcome = self._decided(found, instance, self._clock.now_us())
        if self.outcome.behind and not self._in_parts:
            raise far_behind(instance.id)
        return changed(found, self.outcome, self._command_id)

    def goes_on(self) -> bool:
        """Take in what was kept; say whether that was a part, so that the command has yet to be judged."""
        outcome = self.outcome
        if self.answer is not None or outcome is None:
            return False
        if outcome.behind:
            self._caught_up += outcome.facts
            if self._expected is not None:  # what time brought does not make the caller's view stale
                self._expected = outcome.instance.revision
        elif self._caught_up:
            self.outcome = outcome._replace(facts=(*self._caught_up, *outcome.facts))
        return outcome.behind

    def _decided(self, found: LockedInstance, instance: Instance, now_us: int) -> Outcome:  # noqa: ARG002  # for who needs the journal
        return transact(self._compiled_of(instance), instance, self._command, now_us, MAX_FACTS)


class SweepHandler:
    """Bring instances up to one instant, with or without a command for each; those that ended are left alone.

    An instance that cannot be brought there keeps none of the others from it: its error is kept in `errors`.
    One that is far behind is brought on by one part in each round, so that the others are not kept waiting.
    """

    def __init__(
        self,
        compiled_of: CompiledOf,
        now_us: int,
        command: Command | None = None,
        *,
        in_parts: bool = True,
    ) -> None:
        self.facts: dict[str, Sequence[Fact]] = {}
        self.procedures: dict[str, str] = {}
        self.errors: dict[str, Exception] = {}
        self._compiled_of = compiled_of
        self._versions: dict[tuple[str, int], Compiled] = {}
        self._now_us = now_us
        self._command = command
        self._in_parts = in_parts
        self._asked: dict[
            str, bool
        ] = {}  # who was asked about since the last turn, and whether they are behind
        self._had_turn: set[str] = set()
        self._behind = False
        self._sure: dict[str, int] = {}

    def __call__(self, found: LockedInstance) -> ChangeSet | Decision | None:
        """Decide what became due up to the instant, as far as there is room, and what the command asks."""
        instance = found.instance
        if instance is None or instance.id in self._had_turn:
            return None
        self._forget(instance.id)
        if instance.status == "ended":
            return None
        try:
            compiled = self._version(instance)
            outcome = self._outcome(compiled, instance, found.room)
            change = changed(found, outcome, None)
        except Exception as error:  # noqa: BLE001  # raised when the others have had their turn
            self.errors[instance.id] = error
            self._asked[instance.id] = False
            return None
        if fits(len(outcome.facts), found.room):
            said = self.facts.get(instance.id)
            self.facts[instance.id] = [*said, *outcome.facts] if said else outcome.facts
            self.procedures[instance.id] = instance.procedure
            self._asked[instance.id] = outcome.behind
        return change

    def keep(self) -> None:
        """Take it that what was said since the last time is kept: who was asked about has had their turn."""
        self._behind = self._behind or any(self._asked.values())
        self._had_turn.update(self._asked)
        self._sure.update({name: len(self.facts.get(name, ())) for name in self._asked})
        self._asked.clear()

    def goes_on(self) -> bool:
        """Say whether somebody was left behind, and give everybody another turn, but for those with an error."""
        goes_on, self._behind = self._behind, False
        self._had_turn = set(self.errors)
        return goes_on

    def _forget(self, name: str) -> None:
        """Forget what was said of an instance and not kept, when it is asked about again."""
        self.errors.pop(name, None)
        self._asked.pop(name, None)
        if name in self.facts:
            self.facts[name] = self.facts[name][: self._sure.get(name, 0)]

    def _outcome(self, compiled: Compiled, instance: Instance, room: int) -> Outcome:
        most = room if self._in_parts else MAX_FACTS
        outcome = transact(compiled, instance, self._command, self._now_us, most)
        if outcome.behind and not self._in_parts:
            raise far_behind(instance.id)
        return outcome

    def _version(self, instance: Instance) -> Compiled:
        """Ask once for each version: of one that is not pinned yet the store would be asked every time."""
        key = instance.procedure, instance.version
        if key not in self._versions:
            self._versions[key] = self._compiled_of(instance)
        return self._versions[key]

    def count(self) -> int:
        """Return how many facts were kept."""
        return sum(map(len, self.facts.values()))

    def recorded(self) -> tuple[Fact, ...]:
        """Return all facts that were kept. Raises: the first error, now that all have had their turn."""
        for instance, error in self.errors.items():
            raise about(instance, error)
        return tuple(fact for facts in self.facts.values() for fact in facts)


def changed(found: LockedInstance, outcome: Outcome, command_id: str | None) -> ChangeSet | Decision | None:
    """Return what is to be kept of an outcome; None when nothing happened. Raises: as `Decision.written`."""
    facts, instance = outcome.facts, outcome.instance
    if not facts:
        return None
    if outcome.refused is not None or outcome.behind:
        command_id = None  # nothing was done yet: corrected, the command may carry the same id
    decision = Decision(instance, facts, command_id, outcome.compiled)
    # what a caller brought may have no JSON form, so it is written before anything is kept; a bare move always has one
    only_moved = len(facts) == 1 and type(facts[0]) is Moved and not facts[0].data and not facts[0].evidence
    return decision if only_moved else decision.written(found)
