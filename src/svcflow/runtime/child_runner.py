"""Runner of children: starts the instances that steps run, calls them off, and tells their parents of their ends.

Each errand is two commands, one on each instance, in transactions of their own. Both may be repeated, and until the
second is recorded the errand stays due in the store: what a crash interrupts, the next tick of any process does.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping

from svcflow.errors import StoreError
from svcflow.kernel.commands import (
    CallOff,
    Recipient,
    RecordChildEnd,
    RecordChildStart,
    RecordParentTold,
    Start,
)
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.decide import Outcome
from svcflow.kernel.facts import Fact
from svcflow.kernel.input_checks import is_given
from svcflow.kernel.instance import NEVER, Child, Instance
from svcflow.kernel.lifecycle.children import owes_answer, to_call_off, to_start
from svcflow.kernel.moves.four_eyes import steps_of_parent
from svcflow.kernel.replay import performers_of
from svcflow.model.field import Value
from svcflow.runtime.clock import Clock
from svcflow.runtime.commands import CommandExecutor, StartHandler
from svcflow.runtime.procedure_registry import ProcedureRegistry
from svcflow.runtime.store import ChangeSet, Decision, LockedInstance, Store
from svcflow.text import Text

_MOST = 1_000
"""How many instances are looked at for one command or tick: procedures that end at once may run each other for ever."""

_log = logging.getLogger("svcflow")


class ChildRunner:
    """Does what instances have to do about their children and parents."""

    def __init__(
        self, store: Store, registry: ProcedureRegistry, clock: Clock, executor: CommandExecutor
    ) -> None:
        self._store = store
        self._registry = registry
        self._clock = clock
        self._executor = executor

    def after_command(self, instance: str) -> bool:
        """Do what an instance has to do, and what follows from that; return whether nothing is left.

        What fails is left to the next tick, which raises it: the command itself is done.
        """
        run = ChildRun(self, (instance,))
        for name, error in run.errors.items():
            _log.warning(
                "what %s has to do about its children failed; the tick repeats it", name, exc_info=error
            )
        return run.done

    def run(self, instances: Iterable[str]) -> ChildRun:
        """Do what instances have to do, and what follows from that; one that fails does not stop the others."""
        return ChildRun(self, instances)

    def errands(self, name: str, facts: list[Fact]) -> Iterator[str]:
        """Do what one instance has to do; yield the instances that this gives something to do."""
        stored = self._store.load(name)
        if stored is None or stored.instance.pending_us == NEVER:
            return
        instance = stored.instance
        for child in to_start(instance):
            facts += self._start(instance, child)
            yield child
        for child in to_call_off(instance):
            facts += self._call_off(instance, child)
            yield child
        if owes_answer(instance):
            facts += self._tell(instance)
            yield instance.parent.id if instance.parent is not None else ""
        if instance.children:
            yield name

    def _start(self, parent: Instance, name: str) -> Iterator[Fact]:
        child = parent.children[name]
        handler = self._started(parent, name, child)
        yield from handler.facts
        assert handler.outcome is not None  # noqa: S101  # a store calls the handler before it returns
        version = handler.outcome.instance.version
        yield from self._executor.done(parent.id, RecordChildStart(name, version))

    def _started(
        self, parent: Instance, name: str, child: Child, *, called_off: bool = False
    ) -> ChildStartHandler:
        """Start a child, unless it is there already."""
        compiled = self._registry.newest_in_force(child.procedure, self._clock.now_us())
        command = Start(
            name,
            {} if called_off else self._data(parent, child),
            Recipient(parent.recipient, parent.group or None) if parent.recipient or parent.group else None,  # type: ignore[arg-type]  # it was one of the groups when it was recorded
            parent=parent.id,
            parent_step=child.step,
            performers=self._performers(parent, compiled),
            called_off=called_off,
        )
        self._registry.pin(compiled)
        handler = ChildStartHandler(compiled, command, None, self._clock)
        self._executor.run(handler)
        return handler

    def _data(self, parent: Instance, child: Child) -> Mapping[str, Value]:
        """Return the data that a parent gives its child: as they are now, for what the request could not say may have come."""
        called = self._registry.of(parent).runs.get(child.step)
        given = {} if called is None else called.data
        return {field: parent.data[own] for field, own in given.items() if is_given(parent.data.get(own))}

    def _performers(self, parent: Instance, compiled: Compiled) -> Mapping[str, tuple[str, ...]]:
        """Return who did the steps of the parent that the child's procedure asks about."""
        asked = steps_of_parent(compiled)
        if not asked:
            return {}
        known = performers_of(self._registry.version, self._store.facts(parent.id))
        return {name: known[step] for name, step in asked.items() if step in known}

    def _call_off(self, parent: Instance, name: str) -> Iterator[Fact]:
        if self._store.load(name) is None:
            # The id is used up, so that a process which still believes in the request cannot start it any more.
            yield from self._started(parent, name, parent.children[name], called_off=True).facts
        yield from self._executor.done(name, CallOff())

    def _tell(self, child: Instance) -> Iterator[Fact]:
        assert child.parent is not None  # noqa: S101  # it owes the answer to somebody
        assert child.ended_us is not None  # noqa: S101  # and it has ended
        ended = RecordChildEnd(child.id, child.outcome, child.ended_us)
        yield from self._executor.done(child.parent.id, ended)
        yield from self._executor.done(child.id, RecordParentTold())


class ChildRun:
    """One run over instances and those that follow from them: the facts, and the errors by instance."""

    def __init__(self, runner: ChildRunner, instances: Iterable[str]) -> None:
        self.facts: list[Fact] = []
        self.errors: dict[str, Exception] = {}
        queue = deque(dict.fromkeys(instances))
        for _ in range(_MOST):
            if not queue:
                break
            name = queue.popleft()
            try:
                queue.extend(runner.errands(name, self.facts))
            except Exception as error:  # noqa: BLE001  # raised when the others have had their turn
                self.errors[name] = error
        self.done = not queue and not self.errors


class ChildStartHandler(StartHandler):
    """Decides the start of a child; one that is there already is left as it is."""

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The facts that were recorded."""
        return () if self.outcome is None else self.outcome.facts

    def __call__(self, locked: LockedInstance) -> ChangeSet | Decision | None:
        """Decide, unless the child is there. Raises: StoreError when its id is another instance's."""
        instance = locked.instance
        if instance is None:
            return super().__call__(locked)
        if instance.parent is None or instance.parent.id != self.command.parent:
            name = instance.id
            raise StoreError(
                Text(
                    zh=f"子流程的编号 {name} 已是另一实例",
                    en=f"{name}, the id of a child, is another instance already",
                ),
                Text(
                    zh="该实例须以别的编号开始", en="that instance should have been started under another id"
                ),
            )
        self.outcome = Outcome((), instance, self._compiled)
        return None
