"""The core of an engine: what every command and every question needs. It decides nothing."""

from __future__ import annotations

from collections.abc import Sequence

from svcflow.errors import DeclarationError, Problem
from svcflow.kernel.commands import Command
from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import Fact
from svcflow.kernel.instance import Instance
from svcflow.kernel.replay import replay
from svcflow.kernel.storable import refuse_no_text
from svcflow.model.catalog import Catalog
from svcflow.model.procedure import Procedure
from svcflow.runtime.clock import Clock, SystemClock
from svcflow.runtime.command_checks import PAYLOAD_LIMIT, refuse_revision, refuse_unfit
from svcflow.runtime.engine_errors import refusal, unknown_instance
from svcflow.runtime.handlers import Beginning, Carrying
from svcflow.runtime.observability import note_command, telemetry
from svcflow.runtime.procedure_registry import Standards
from svcflow.runtime.store import Answer, Kept, Store
from svcflow.text import Text


def catalog_of(given: object) -> Catalog:
    """Return the catalog that an engine is given. Raises: DeclarationError when it is neither."""
    if isinstance(given, Catalog):
        return given
    if isinstance(given, Procedure):
        return Catalog.of(given)
    kind = type(given).__name__
    said = Text(
        zh=f"引擎须有 Catalog 或 Procedure，不能是 {kind}",
        en=f"an engine takes a Catalog or a Procedure, not a {kind}",
    )
    remedy = Text(
        zh='写 svcflow.load("文件")、Catalog.of(流程, …) 或 Catalog.from_folder("文件夹")',
        en='write svcflow.load("FILE"), Catalog.of(PROCEDURE, …) or Catalog.from_folder("FOLDER")',
    )
    raise DeclarationError([Problem((), said, remedy)])


class Core:
    """Hold a catalog, a clock and a store, and carry commands from one to the other."""

    _in_parts = True
    """Whether what became due long ago may be recorded in several transactions."""

    def __init__(
        self,
        store: Store,
        catalog: Catalog | Procedure,
        clock: Clock | None,
        *,
        standards: Standards | None = None,
        payload_limit: int = PAYLOAD_LIMIT,
    ) -> None:
        self.catalog = catalog_of(catalog)
        if standards is None:  # not again for each transaction of a host
            self.catalog.check_calendars()
        self.clock: Clock = clock or SystemClock()
        self._standards = standards or Standards(self.catalog, store)
        self._store = store
        self._payload_limit = payload_limit
        self._telemetry = telemetry()

    def _notice(self, due_us: int) -> None:
        """Be told when an instance has become due; the engine that ticks in the background listens."""

    def _recorded(self, facts: Sequence[Fact]) -> None:
        """Be told what was recorded; the outbox listens."""

    def _carry(
        self, instance: str, command: Command, command_id: str | None, expected: int | None
    ) -> Instance:
        if expected is not None:
            refuse_revision(expected)
        carrying = Carrying(
            self._compiled,
            instance,
            command,
            self.clock,
            command_id=command_id,
            expected=expected,
            in_parts=self._in_parts,
        )
        return self._ask(instance, command, command_id, carrying)

    def _ask(
        self, instance: str, command: Command, command_id: str | None, carried: Beginning | Carrying
    ) -> Instance:
        """Carry a command to the store, and note that where somebody wants to know."""
        refuse_unfit(instance, command, command_id, self._payload_limit)
        if self._telemetry is None or not self._telemetry.heard():
            return self._asked(instance, command, command_id, carried)
        with self._telemetry.command(command, instance, carried):
            return self._asked(instance, command, command_id, carried)

    def _asked(
        self, instance: str, command: Command, command_id: str | None, carried: Beginning | Carrying
    ) -> Instance:
        self._store.change(instance, command_id, carried)
        while carried.goes_on():  # what was due long before is recorded in transactions of its own
            self._store.change(instance, command_id, carried)
        note_command(command, instance, carried)
        return self._answered(instance, carried)

    def _answered(self, instance: str, carried: Beginning | Carrying) -> Instance:
        """Return what was asked for. Raises: Refused when a rule stood against it."""
        if carried.answer is not None:
            return self._again(instance, carried.answer)
        outcome = carried.outcome
        assert outcome is not None  # noqa: S101  # a store asks before it returns
        self._notice(outcome.instance.next_us)
        self._recorded(outcome.facts)
        if outcome.refused is not None:
            raise refusal(outcome.refused, outcome.remedy)
        return outcome.instance

    def _again(self, instance: str, answer: Answer) -> Instance:
        """Give the answer of the first run of a command again."""
        return replay(self._standards.version, self._store.facts(instance, answer.sequence))

    def _compiled(self, instance: Instance) -> Compiled:
        return self._standards.version(instance.procedure, instance.version)

    def _kept(self, instance: str) -> Kept:
        refuse_no_text("instance", instance)
        kept = self._store.load(instance)
        if kept is None:
            raise unknown_instance(instance)
        return kept
