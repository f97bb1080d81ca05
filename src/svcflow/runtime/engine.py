"""The engine: runs the procedures of a catalog over a store. It decides nothing."""

from __future__ import annotations

from functools import partial
from os import PathLike
from types import TracebackType
from typing import Self

from svcflow.journal.checkpoint import Checkpoint, append
from svcflow.journal.personal_data import count_named
from svcflow.kernel.commands import NOBODY, Actor
from svcflow.kernel.instance import NEVER
from svcflow.kernel.moves.authorization import needs_to_know
from svcflow.kernel.storable import refuse_no_text
from svcflow.model.catalog import Catalog
from svcflow.model.procedure import Procedure
from svcflow.runtime.clock import Clock
from svcflow.runtime.command_checks import PAYLOAD_LIMIT, refuse_unfit_actor
from svcflow.runtime.commands import Commands
from svcflow.runtime.core import catalog_of
from svcflow.runtime.delegations import Delegations
from svcflow.runtime.erasure import Forgetting, Forgotten, refuse_if_asked_about, refuse_in_use
from svcflow.runtime.joined_engine import Host, JoinedEngine
from svcflow.runtime.migration import Migrations
from svcflow.runtime.outbox.outbox import Outbox
from svcflow.runtime.queries import Questions
from svcflow.runtime.rebuild import rebuild
from svcflow.runtime.store import Store
from svcflow.runtime.sweeps import Sweeps
from svcflow.runtime.ticker import Running, Ticker


class Engine(Commands, Questions, Delegations, Migrations, Sweeps, Outbox):
    """Run the procedures of a catalog over a store; safe to use from several threads.

    `url` is `memory://`, `sqlite:///FILE` or `postgresql+psycopg://USER@HOST/DATABASE`. Use it as a context
    manager, or call `close()`. `payload_limit` is how many bytes of data one command may bring.
    Every command may carry a `command_id`: asked again, what was done gives the first answer again and does
    nothing; what was refused is judged anew.
    """

    def __init__(
        self,
        url: str | Store,
        catalog: Catalog | Procedure,
        *,
        clock: Clock | None = None,
        payload_limit: int = PAYLOAD_LIMIT,
    ) -> None:
        known = catalog_of(catalog)  # before there is a store to close
        store = url if not isinstance(url, str) and hasattr(url, "sweep") else _open(url)
        super().__init__(store, known, clock, payload_limit=payload_limit)
        rebuild(self._store, self._standards)
        self._ticker = Ticker(self.tick, self._store.next_due_us, self.clock)
        self._running.add(self._ticker)
        if self._telemetry is not None:
            self._telemetry.watch(self._ticker)

    def on(self, host: Host) -> JoinedEngine:
        """Return the engine inside the transaction that a host has open on the same database.

        `host` is a `Connection` or `Session` of SQLAlchemy, or a connection of `sqlite3` or `psycopg`. The host
        commits or rolls back; while its transaction is open on SQLite, this engine's own commands wait for it.

        Raises: StoreError when it leads to another database, or has no transaction open.
        """
        store = _join(self._store, host)
        expect, announce = partial(self._expect, store), partial(self._announce, store)
        standards = self._standards.on(store)
        return JoinedEngine(
            store, self.clock, standards, self._payload_limit, expect=expect, announce=announce
        )

    def forget(self, person: str, *, actor: Actor = NOBODY, open: bool = False) -> Forgotten:  # noqa: A002  # as the CLI says it
        """Erase what is known of a person, as actor, recipient and in fields marked personal.

        The journals keep commitments that lead nowhere any more, so that their chains still verify; what was
        recorded shows as `erased-…`. Entries of before a field was personal cannot be erased: `in_clear`; nor can
        those of before schema version 2, which name the person: `named`.
        Copies elsewhere (backups, logs of the host) are the host's to erase.

        Raises: PersonInUse when instances that have not ended need the person, unless `open`; also then when
        they have to be told from who may do a step (`not_by`).
        """
        refuse_no_text("person", person)
        refuse_unfit_actor(actor)
        names = self._store.instances_of(person)
        running = [one for one in map(self.instance, names) if one.status != "ended"]
        if not open:
            refuse_in_use([one.id for one in running])
        refuse_if_asked_about([one.id for one in running if needs_to_know(self._compiled(one), one, person)])
        values = in_clear = 0
        for name in names:
            version_of, personal_in = self._standards.version, self.catalog.personal
            forgetting = Forgetting(version_of, personal_in, person, actor, self.clock)
            self._store.change(name, None, forgetting)
            values += forgetting.values
            in_clear += forgetting.in_clear
        self._store.scrub(person)
        bodies = ((name, self._store.rows(name)) for name in self._store.mentioning(person))
        counted = {name: count_named((body for body, _ in kept), person) for name, kept in bodies}
        named = {name: count for name, count in counted.items() if count}
        return Forgotten(tuple(names), values, in_clear, sum(named.values()), tuple(named))

    def seal(self, to: str | PathLike[str] | None = None) -> Checkpoint:
        """Seal every journal as it stands; keep the checkpoint where whoever can write to the store cannot.

        `to` is a file to which it is appended, durably. What is written after it could still be cut or
        rewritten unseen: the exposure is the time between two seals.

        Raises: CorruptJournal when the file's last checkpoint is of more, or other, leaves than there are.
        """
        checkpoint = self._store.seal(self.clock.now_us())
        if to is not None:
            append(to, checkpoint)
        return checkpoint

    def running(self) -> Running:
        """Return a context manager: a thread ticks at each next due instant, and one for each subscription delivers."""
        return self._running

    def close(self) -> None:
        """Stop the background threads and give back files and connections."""
        self._running.stop()
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _rearmed(self) -> None:
        if self._dispatcher is not None:
            due_us = self._store.next_due_us()
            self._tick_at(NEVER if due_us is None else due_us, self._store)

    def _notice(self, due_us: int) -> None:
        self._ticker.notice(due_us)
        self._tick_at(due_us, self._store)

    def _expect(self, store: Store, due_us: int) -> None:
        self._ticker.expect(due_us)
        self._tick_at(due_us, store)


def _open(url: object) -> Store:
    from svcflow.store import open_store  # noqa: PLC0415  # stores stand below; which one, the URL says

    return open_store(url)


def _join(store: Store, host: object) -> Store:
    from svcflow.store import join_store  # noqa: PLC0415  # see _open

    return join_store(store, host)
