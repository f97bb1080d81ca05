"""What a type checker has to see of `AsyncEngine`; mypy reads this file, nobody runs it."""

from __future__ import annotations

from typing import assert_type

import svcflow


async def ask(engine: svcflow.AsyncEngine, actor: svcflow.Actor) -> None:
    assert_type(await engine.start("repair", data={"place": "x"}), svcflow.Instance)
    assert_type(await engine.fire("x", "accept", actor=actor), svcflow.Instance)
    assert_type(await engine.deadlines("x"), tuple[svcflow.Deadline, ...])
    assert_type(await engine.tick(), tuple[svcflow.Fact, ...])
    await engine.fire("x", 3)  # type: ignore[arg-type]
    await engine.hold("x")  # type: ignore[call-arg]
