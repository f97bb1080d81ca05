"""The engine for asyncio: every method of the engine, none of which keeps the event loop waiting."""

from __future__ import annotations

import asyncio
import inspect
import sqlite3
import subprocess
import sys
import threading
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path

import pytest

import svcflow
from svcflow import Actor, AsyncEngine, Engine, VirtualClock
from svcflow.errors import StoreError, UnknownInstance
from svcflow.model.procedure import Procedure, Role
from svcflow.model.step import Enforce, Step, Transition
from waiting import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LI = Actor("li.wei", {"clerk"})
PROCEDURE = Procedure(
    id="repair",
    roles=(Role("clerk"),),
    enforce=Enforce(role="refuse"),
    steps=(
        Step("reported", role="clerk", within="0m", to=(Transition("accept", "done"),)),
        Step("done", end="completed"),
    ),
)
AS_THEY_ARE = {"on", "running", "on_fact", "recipients", "dispatch_by"}
"""The methods that are no commands and no questions; `running` is an asynchronous context manager."""
METHODS = [name for name in dir(Engine) if not name.startswith("_")]


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "service.db"


def opened(path: Path, **options: object) -> AsyncEngine:
    return AsyncEngine(f"sqlite:///{path}", PROCEDURE, **options)


class Begun(VirtualClock):
    """A clock that says when it was first asked: the command that asks it has begun, in its thread."""

    def __init__(self) -> None:
        super().__init__(NOON)
        self.asked = threading.Event()

    def now_us(self) -> int:
        self.asked.set()
        return super().now_us()

    async def is_asked(self) -> None:
        assert await asyncio.to_thread(self.asked.wait, PATIENCE_S)


def locked(path: Path) -> sqlite3.Connection:
    """Hold the one writer of the file."""
    held = sqlite3.connect(path)
    held.execute("BEGIN IMMEDIATE")
    return held


@pytest.mark.parametrize("name", METHODS)
def test_every_method_of_the_engine_is_there_with_its_parameters(name):
    """A method added to Engine and not to AsyncEngine is told here; so is one whose parameters differ."""
    own, its = getattr(AsyncEngine, name), getattr(Engine, name)
    if name in AS_THEY_ARE:
        return
    assert inspect.iscoroutinefunction(own)
    assert list(inspect.signature(own).parameters) == list(inspect.signature(its).parameters)
    assert inspect.getdoc(own)


def test_it_has_nothing_that_the_engine_has_not():
    """What is public here is public there."""
    own = {name for name in dir(AsyncEngine) if not name.startswith("_")}
    assert own - set(METHODS) == {"catalog", "clock", "engine"}


def test_it_is_made_as_the_engine_is():
    """What the engine is made with, it is made with too; the threads are its own."""
    own, its = (inspect.signature(kind).parameters for kind in (AsyncEngine, Engine))
    assert set(own) - set(its) == {"threads"}
    assert set(its) <= set(own)
    assert AsyncEngine("memory://", PROCEDURE, payload_limit=10).engine._executor.payload_limit == 10


def test_a_procedure_is_run_from_end_to_end(path):
    """start, fire and the questions answer as the engine's do; errors are the same."""

    async def play() -> None:
        async with opened(path, clock=VirtualClock(NOON)) as engine:
            assert [one.id for one in engine.catalog] == ["repair"]
            assert engine.clock.now == NOON
            inst = await engine.start("repair", actor=LI, command_id="c-1")
            assert await engine.start("repair", actor=LI, command_id="c-1") == inst
            with pytest.raises(svcflow.Refused):
                await engine.fire(inst.id, "accept", actor=Actor("zhang"))
            moved = await engine.fire(inst.id, "accept", actor=LI)
            assert (moved.status, await engine.instance(inst.id)) == ("ended", moved)
            assert len(await engine.journal(inst.id)) == moved.sequence
            assert (await engine.verify()).ok
            with pytest.raises(UnknownInstance):
                await engine.journal("nothing")

    asyncio.run(play())


def test_the_event_loop_runs_on_while_a_command_waits(path):
    """A command waits for the file's writer until the loop, which goes round meanwhile, lets it go."""

    async def play() -> int:
        async with opened(path) as engine:
            held = locked(path)
            command = asyncio.create_task(engine.start("repair", actor=LI))
            rounds = 0
            while rounds < 200:
                await asyncio.sleep(0.001)
                rounds += 1
            assert not command.done()
            held.rollback()
            held.close()
            await command
            return len(await engine.instances())

    assert asyncio.run(play()) == 1


def test_a_cancelled_command_that_has_begun_is_done_whole(path):
    """The task ends at once; the thread goes on and keeps everything the command came to."""

    async def play() -> None:
        clock = Begun()
        async with opened(path, clock=clock) as engine:
            held = locked(path)
            command = asyncio.create_task(engine.start("repair", actor=LI, instance_id="a"))
            await clock.is_asked()
            command.cancel()
            with pytest.raises(asyncio.CancelledError):
                await command
            assert await engine.instances() == ()
            held.rollback()
            held.close()
            while not await engine.instances():  # noqa: ASYNC110  # the store tells nobody
                await asyncio.sleep(0.005)
            assert (await engine.instance("a")).steps == ("reported",)
            assert (await engine.verify()).ok

    asyncio.run(asyncio.wait_for(play(), PATIENCE_S))


def test_a_cancelled_command_that_has_not_begun_is_not_done(path):
    """With one thread the second command waits; cancelled meanwhile, nothing of it happens."""

    async def play() -> None:
        clock = Begun()
        async with opened(path, threads=1, clock=clock) as engine:
            held = locked(path)
            first = asyncio.create_task(engine.start("repair", actor=LI, instance_id="a"))
            second = asyncio.create_task(engine.start("repair", actor=LI, instance_id="b"))
            await clock.is_asked()
            second.cancel()
            held.rollback()
            held.close()
            await first
            assert [one.id for one in await engine.instances()] == ["a"]

    asyncio.run(asyncio.wait_for(play(), PATIENCE_S))


def test_the_context_of_the_task_is_that_of_the_command():
    """What a task keeps in context variables, such as a trace, is seen where the command runs."""
    seen: list[str] = []
    asked_by = ContextVar("asked_by", default="nobody")

    class Seeing(VirtualClock):
        def now_us(self) -> int:
            seen.append(asked_by.get())
            return super().now_us()

    async def play() -> None:
        asked_by.set("this task")
        async with AsyncEngine("memory://", PROCEDURE, clock=Seeing(NOON)) as engine:
            await engine.start("repair", actor=LI)

    asyncio.run(play())
    assert set(seen) == {"this task"}


def test_it_ticks_while_it_runs(path):
    """Within `running()` what is due is recorded; after it the thread is gone."""

    async def play() -> None:
        async with opened(path) as engine:
            async with engine.running():
                inst = await engine.start("repair", actor=LI)
                while len(await engine.journal(inst.id)) < 2:  # noqa: ASYNC110  # the store tells nobody
                    await asyncio.sleep(0.01)
            assert engine.engine._ticker._thread is None

    asyncio.run(asyncio.wait_for(play(), PATIENCE_S))


def test_a_closed_engine_says_so(path):
    """After close a command is a StoreError; closing twice is harmless; what had begun is done."""

    async def play() -> None:
        clock = Begun()
        engine = opened(path, clock=clock)
        held = locked(path)
        command = asyncio.create_task(engine.start("repair", actor=LI))
        await clock.is_asked()
        closing = asyncio.create_task(engine.close())
        await asyncio.sleep(0.05)
        assert not closing.done()
        held.rollback()
        held.close()
        await closing
        assert (await command).id
        await engine.close()
        with pytest.raises(StoreError, match="closed"):
            await engine.instances()

    asyncio.run(asyncio.wait_for(play(), PATIENCE_S))


def test_a_host_of_its_own_thread_is_joined(path):
    """`on` gives the engine inside the host's transaction; the host uses it where its connection lives."""
    engine = opened(path)
    with sqlite3.connect(path) as host:
        engine.on(host).start("repair", actor=LI)
    host.close()
    assert len(asyncio.run(engine.instances())) == 1
    asyncio.run(engine.close())


@pytest.mark.long
def test_a_type_checker_sees_what_the_methods_take_and_give():
    """mypy reads typed_async.py without a complaint, and without an ignore that nothing needs."""
    file = Path(__file__).with_name("typed_async.py")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file", "pyproject.toml", str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
