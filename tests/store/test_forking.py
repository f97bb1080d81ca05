"""A store that was open when its process was forked is the parent's: the child is told, and harms nothing."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from stored_play import CATALOG, CLERK, MORNING

from svcflow import Engine, VirtualClock
from svcflow.errors import StoreError
from svcflow.store import sql

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no forks")


def in_a_child(act: Callable[[], str]) -> str:
    """Return what a forked child says."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking beside threads is what is tested
        child = os.fork()
    if not child:
        os.write(writer, act().encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as said:
        answer = said.read()
    os.waitpid(child, 0)
    return answer


def test_what_was_opened_before_a_fork_is_not_even_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connections are the parent's, which goes on with them."""
    with Engine(f"sqlite:///{tmp_path / 's.db'}", CATALOG, clock=VirtualClock(MORNING)) as engine:
        with monkeypatch.context() as child:
            child.setattr(sql, "_forks", [*sql._forks, None])
            child.setattr(engine._store.backend, "close", pytest.fail)
            with pytest.raises(StoreError, match="forked"):
                engine.start("repair", actor=CLERK)
            engine.close()
        engine._store.backend.close()


def test_a_child_is_told_to_open_its_own(tmp_path: Path) -> None:
    """Commands, questions and joining are refused there; the parent goes on, and so does an engine of the child's."""
    url = f"sqlite:///{tmp_path / 's.db'}"
    engine = Engine(url, CATALOG, clock=VirtualClock(MORNING))
    engine.start("repair", actor=CLERK, instance_id="r1")
    host = create_engine(url)

    def ask() -> str:
        said = []
        with host.connect() as connection:
            for one in (
                lambda: engine.fire("r1", "accept", actor=CLERK),
                lambda: engine.instance("r1"),
                lambda: engine.on(connection),
            ):
                try:
                    one()
                except StoreError as error:
                    said.append(error.text("en"))
        engine.close()
        with Engine(url, CATALOG, clock=VirtualClock(MORNING)) as own:
            said.append(own.fire("r1", "accept", actor=CLERK).steps[0])
        return "\n".join(said)

    *refused, done = in_a_child(ask).splitlines()
    assert len(refused) == 3
    assert all("forked" in one and "open it anew in the child" in one for one in refused)
    assert done == "working"
    assert engine.fire("r1", "again", actor=CLERK).revision == 3
    assert engine.verify().ok
    engine.close()
    host.dispose()
