"""Regular starts: instances that begin by themselves, for each occurrence once, whichever process comes.

A process writes down what it begins before it begins it, and others leave that alone for a while. Should it die,
another one goes on: the ids of the instances follow from the occurrence, so that none begins twice.
"""

from __future__ import annotations

import inspect
import logging
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256

import attrs

from svcflow.errors import FieldError, SvcflowError
from svcflow.kernel.commands import Actor, Recipient, RegularOccurrence, Start
from svcflow.kernel.facts import Fact
from svcflow.kernel.instance import NEVER
from svcflow.kernel.storable import refuse_non_text
from svcflow.kernel.timing.occurrences import Occurrence
from svcflow.model.field import Value
from svcflow.nearest import nearest
from svcflow.runtime.clock import Clock
from svcflow.runtime.coming_starts import ComingStart, Positions, coming_starts
from svcflow.runtime.commands import CommandExecutor, StartHandler, new_id
from svcflow.runtime.observability import Telemetry
from svcflow.runtime.outbox.delivery import cause
from svcflow.runtime.procedure_registry import ProcedureRegistry
from svcflow.runtime.start_positions import NOT_BEFORE_US, StartPosition
from svcflow.runtime.start_schedules import Schedule, Schedules
from svcflow.runtime.store import Store
from svcflow.text import Text, cut
from svcflow.worktime.instants import MINUTE, from_us

RecipientsOf = Callable[[datetime], Iterable[tuple[Recipient, Mapping[str, Value]]]]
"""Function of the host: given when an occurrence is due, it yields for whom instances begin, with their data."""

_LONGEST_PAUSE = 60 * MINUTE
_LONGEST_ERROR = 1_000
_DIGITS = 16
"""Hexadecimal digits by which the instances of one occurrence are told apart: 64 bits."""
_NONE: Mapping[str, Value] = {}
_log = logging.getLogger("svcflow")


@attrs.frozen
class StartContext:
    """What beginning an instance needs."""

    store: Store
    registry: ProcedureRegistry
    clock: Clock
    executor: CommandExecutor
    telemetry: Telemetry | None


class RegularStarter:
    """Begins what is to begin by itself, under the newest version in force of each procedure.

    For `lease_us` after a process has begun an occurrence, others leave it alone.
    """

    lease_us = MINUTE

    def __init__(self, context: StartContext, notify: Callable[[int], None]) -> None:
        self._context = context
        self._notify = notify
        self._schedules = Schedules(context.registry)
        self._functions: dict[str, RecipientsOf] = {}
        self._idle: dict[tuple[str, str], tuple[StartPosition, Schedule, int]] = {}
        self._next_us = NEVER
        procedures = context.registry.catalog.procedures.values()
        self._any = any(procedure.starts for procedure in procedures)

    def register(self, name: str, function: RecipientsOf) -> None:
        """Have a function yield the recipients of the regular starts that name it. Raises: FieldError."""
        refuse_non_text("name", name)
        known = self._schedules.functions if self._any else ()
        if name not in known:
            short = cut(name)
            message = Text(zh=f"没有定期启动写着 for: {short}", en=f"no regular start has 'for: {short}'")
            raise FieldError(message, nearest(name, known))
        if not callable(function) or any(
            map(inspect.iscoroutinefunction, (function, type(function).__call__))
        ):
            raise FieldError(
                Text(zh=f"{name}：须为普通函数", en=f"{name}: it takes a plain function"),
                Text(
                    zh="写 def，逐个 yield 服务对象与数据",
                    en="write a def that yields recipients with their data",
                ),
            )
        self._functions[name] = function

    def next_us(self) -> int | None:
        """Return when something begins next, as the last `tick` found; None when nothing is known to."""
        return None if self._next_us == NEVER else self._next_us

    def tick(self) -> tuple[Fact, ...]:
        """Begin what is due; return the facts. What fails is tried again later, and keeps nothing else from beginning."""
        if not self._any:
            return ()
        now_us, positions = self._context.clock.now_us(), self._positions()
        in_force = self._schedules.in_force(now_us)
        known = {*positions, *(schedule.key for schedule in in_force)}
        self._announce(one for one in self._schedules.to_come(now_us) if one.key not in known)
        facts: list[Fact] = []
        next_us = NEVER
        for schedule in in_force:
            next_us = min(next_us, self._take(schedule, positions.get(schedule.key), now_us, facts))
        if next_us != self._next_us:
            self._next_us = next_us
            self._notify(next_us)
        return tuple(facts)

    def coming(self, until_us: int) -> tuple[ComingStart, ...]:
        """Return what begins up to an instant, and what is due already."""
        if not self._any:
            return ()
        return coming_starts(self._schedules, self._positions(), self._context.clock.now_us(), until_us)

    def _positions(self) -> Positions:
        return {(one.procedure, one.start): one for one in self._context.store.starts()}

    def _announce(self, schedules: Iterable[Schedule]) -> None:
        """Keep since when occurrences count of what a version that is not in force yet is the first to have."""
        for schedule in schedules:
            first = StartPosition(*schedule.key, schedule.version, schedule.from_us)
            self._context.store.keep_start(None, first)

    def _take(
        self, schedule: Schedule, position: StartPosition | None, now_us: int, facts: list[Fact]
    ) -> int:
        """Let one regular start have its turn; return when it is to have the next one."""
        idle = self._idle.get(schedule.key)
        if idle is not None and idle[:2] == (position, schedule) and now_us < idle[2]:
            return idle[2]
        function = None if schedule.start.for_ is None else self._functions.get(schedule.start.for_)
        turn = StartTurn(
            self._context, self._schedules, schedule, position, function=function, lease_us=self.lease_us
        )
        facts += turn.take()
        next_us = turn.next_us()
        if turn.position is not None and not turn.lacks_function:  # it may be registered at any time
            self._idle[schedule.key] = turn.position, schedule, next_us
        return next_us


class StartTurn:
    """Turn of one regular start: it begins its latest occurrence that is due, and those before it are lost."""

    def __init__(
        self,
        context: StartContext,
        schedules: Schedules,
        schedule: Schedule,
        position: StartPosition | None,
        *,
        function: RecipientsOf | None,
        lease_us: int,
    ) -> None:
        self.position = position
        self._context = context
        self._schedules = schedules
        self._schedule = schedule
        self._function = function
        self._lease_us = lease_us
        self._now_us = context.clock.now_us()

    def take(self) -> list[Fact]:
        """Bring the position on as far as it goes, and begin what it leads to; return the facts."""
        facts: list[Fact] = []
        while (after := self._advanced()) is not None:
            before = self.position
            if not self._keep(after):
                continue
            if after.pending:
                facts += self._begin(again=before is not None and before.pending == after.pending)
        return facts

    def next_us(self) -> int:
        """Return when this regular start is to have its next turn."""
        position, now_us = self.position, self._now_us
        if position is None or position.version > self._schedule.version:
            return NEVER
        following = self._schedule.occurrences.next_from(max(now_us + 1, self._schedule.since_us(position)))
        next_us = NEVER if following is None else following.due_us
        retried = position.pending and not self.lacks_function
        return min(next_us, position.retry_us) if retried else next_us

    @property
    def lacks_function(self) -> bool:
        """Whether another process has to take this turn: the one that has the function."""
        return self._schedule.start.for_ is not None and self._function is None

    @property
    def _counting(self) -> Schedule:
        """The regular start by whose rhythm the position counts: that of an earlier version until the newer takes over."""
        assert self.position is not None  # noqa: S101  # it is written before anything is counted
        return self._schedules.of(self.position) or self._schedule

    def _advanced(self) -> StartPosition | None:
        """Return the position that is to be written next; None when there is nothing to do now."""
        position, schedule = self.position, self._schedule
        if position is None:
            return StartPosition(*schedule.key, schedule.version, self._now_us)
        if position.version > schedule.version:  # a newer program runs on this store, and does it
            return None
        due = self._counting.due(position, self._now_us)
        if self.lacks_function:
            if due:
                _log.debug(
                    "regular start %s of %s is due; this process has no %s",
                    schedule.start.id,
                    schedule.procedure,
                    schedule.start.for_,
                )
            return None
        until_us = self._now_us + self._lease_us
        if due and due[-1].name > position.pending:
            salt = position.salt or secrets.token_hex(16)
            return position._replace(
                pending=due[-1].name, tried=position.pending, salt=salt, retry_us=until_us, error=""
            )
        if position.pending:
            return None if position.retry_us > self._now_us else position._replace(retry_us=until_us)
        if position.version < schedule.version:  # all that was due by the earlier version has begun
            return position._replace(version=schedule.version, since_us=self._now_us + 1, done="")
        return None

    def _keep(self, after: StartPosition) -> bool:
        """Write a position; return whether nobody else was faster, and take over what they wrote where they were."""
        kept = self._context.store.keep_start(self.position, after)
        self.position = after if kept else self._stored()
        return kept

    def _stored(self) -> StartPosition | None:
        key = self._schedule.key
        return next((one for one in self._context.store.starts() if (one.procedure, one.start) == key), None)

    def _begin(self, *, again: bool) -> list[Fact]:
        """Begin the pending occurrence for everybody, and write down how that went; return the facts."""
        position = self.position
        assert position is not None  # noqa: S101  # one with a pending occurrence
        occurrences = self._counting.occurrences
        due_us = occurrences.due_us(position.pending)
        pending = Occurrence(
            position.pending, occurrences.declared_us(position.pending) if due_us is None else due_us
        )
        lost = [one for one in self._counting.due(position, self._now_us) if one.name < position.pending]
        facts: list[Fact] = []
        failures: list[Exception] = []
        for recipient, data in self._recipients(pending, failures):
            try:
                facts += self._start(position, lost, recipient, data, again=again)
            except Exception as error:  # noqa: BLE001  # told below; the others begin all the same
                failures.append(error)
        if failures:
            self._put_off(pending, failures)
        else:
            self._complete(position.pending)
        return facts

    def _recipients(
        self, pending: Occurrence, failures: list[Exception]
    ) -> Iterator[tuple[Recipient | None, Mapping[str, Value]]]:
        """Yield for whom instances begin, nobody where no function is named; what cannot be taken is a failure."""
        if self._function is None:
            yield None, _NONE
            return
        try:
            for one in self._function(from_us(pending.due_us, self._schedule.occurrences.calendar.timezone)):
                try:
                    yield _pair(one)
                except FieldError as error:
                    failures.append(error)
        except Exception as error:  # noqa: BLE001  # the host's function may raise anything
            failures.append(error)

    def _start(
        self,
        position: StartPosition,
        lost: Sequence[Occurrence],
        recipient: Recipient | None,
        data: Mapping[str, Value],
        *,
        again: bool,
    ) -> Sequence[Fact]:
        """Begin one instance, unless it has begun before; return its facts."""
        context, start = self._context, self._schedule.start
        instance = self._instance(position, position.pending, recipient)
        if again and context.store.load(instance) is not None:
            return ()
        missed = tuple(one for one in lost if not self._has_begun(position, one, recipient))
        occurrence = RegularOccurrence(start.id, position.pending, missed)
        command = Start(
            instance, {**start.data, **data}, recipient, Actor(start.actor), occurrence=occurrence
        )
        compiled = context.registry.version(*self._version)
        context.registry.pin(compiled)
        handler = StartHandler(compiled, command, f"{start.id}-{position.pending}", context.clock)
        context.executor.run(handler)
        return () if handler.outcome is None or handler.completed is not None else handler.outcome.facts

    @property
    def _version(self) -> tuple[str, int]:
        return self._schedule.procedure.id, self._schedule.version

    def _has_begun(self, position: StartPosition, earlier: Occurrence, recipient: Recipient | None) -> bool:
        """Return whether an occurrence that could not begin for everybody has begun for this recipient."""
        if earlier.name > position.tried:
            return False
        return self._context.store.load(self._instance(position, earlier.name, recipient)) is not None

    def _instance(self, position: StartPosition, occurrence: str, recipient: Recipient | None) -> str:
        """Return the id of an instance, the same one whoever begins it; of the recipient it tells nothing."""
        name = f"{position.start}-{occurrence.replace(':', '')}"
        if recipient is not None:
            secret = f"{position.salt}{occurrence}{recipient.id}".encode(errors="surrogatepass")
            name = f"{name}-{sha256(secret).hexdigest()[:_DIGITS]}"
        return new_id(position.procedure, name)

    def _complete(self, occurrence: str) -> None:
        """Write down that an occurrence is done, whatever others have written of it meanwhile."""
        while self.position is not None and self.position.pending == occurrence:
            self._keep(
                self.position._replace(
                    done=occurrence, pending="", tried="", salt="", retry_us=NOT_BEFORE_US, error=""
                )
            )

    def _put_off(self, pending: Occurrence, failures: Sequence[Exception]) -> None:
        """Write down why an occurrence could not begin for everybody, and when it is tried again."""
        position, schedule, now_us = self.position, self._schedule, self._context.clock.now_us()
        assert position is not None  # noqa: S101  # one with a pending occurrence
        # a quarter of the time for which it has been due already, so that what lasts is tried less and less often
        pause_us = min(max(MINUTE, (now_us - pending.due_us) // 4), _LONGEST_PAUSE)
        error = self._told(failures[0])
        self._keep(position._replace(retry_us=now_us + pause_us, error=error))
        where = (
            schedule.start.id,
            schedule.procedure,
            pending.name,
            len(failures),
            pause_us // 1_000_000,
            error,
        )
        _log.warning("regular start %s of %s (%s) failed %s times; again in %s s: %s", *where)
        if self._context.telemetry is not None:
            self._context.telemetry.start_failed(schedule.procedure.id)

    def _told(self, error: Exception) -> str:
        """Return what is told of a failure: where recipients are concerned, no message that could name them."""
        if self._function is None and isinstance(error, SvcflowError):
            return error.text("en")[:_LONGEST_ERROR].replace("\0", "?")
        return cause(error, self._function)


def _pair(one: object) -> tuple[Recipient, Mapping[str, Value]]:
    """Return what a function has yielded. Raises: FieldError unless it is a recipient with data."""
    if isinstance(one, tuple) and len(one) == 2:
        recipient, data = one
        if isinstance(recipient, Recipient) and isinstance(data, Mapping):
            return recipient, data
    kind = type(one).__name__
    raise FieldError(
        Text(zh=f"须为服务对象与数据，不能是 {kind}", en=f"it takes a recipient with data, not a {kind}"),
        Text(
            zh='写 yield Recipient("li.wei", "staff"), {}', en='write yield Recipient("li.wei", "staff"), {}'
        ),
    )
