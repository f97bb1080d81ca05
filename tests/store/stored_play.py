"""What the kept databases of earlier schema versions hold: one procedure, played the same way every time.

`python tests/store/stored_play.py FILE.sql` writes the database of the present version as text, to be kept
before the schema changes: `tests/store/schemas/N.sql`.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from svcflow import Actor, Catalog, Engine, Procedure, Recipient, Refused, VirtualClock
from svcflow.model.field import Field
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import HoldRule, Role
from svcflow.model.step import Enforce, Step, Transition

MORNING = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
CLERK = Actor("li.wei", roles={"clerk"})
CHIEF = Actor("chen", roles={"chief"})
ASKED = {"place": "3-1204", "contact": "139 0000 0000"}
CATALOG = Catalog.of(
    Procedure(
        id="repair",
        calendar="cn_office",
        roles=(Role("clerk"), Role("chief")),
        fields=(Field("place"), Field("contact", personal=True)),
        holds=(HoldRule("third_party", at_most="2wd"),),
        enforce=Enforce(order="refuse", role="refuse"),
        steps=(
            Step("reported", role="clerk", within="1h", to=(Transition("accept", "working"),)),
            Step(
                "working",
                role="chief",
                within=TimeLimit(within="4wh", severity="major", warn=["75%"]),
                to=(
                    Transition("again", "working", role="clerk"),
                    Transition("close", "closed", role="clerk"),
                ),
            ),
            Step("closed", end="completed"),
        ),
    )
)


def play(engine: Engine, clock: VirtualClock) -> None:
    """Leave one instance ended late, one on hold, one overdue, and one with a refused attempt."""
    recipient = Recipient("zhang", group="staff")
    for name in ("ended", "held", "late", "refused"):
        engine.start(
            "repair",
            data=ASKED,
            recipient=recipient,
            actor=CLERK,
            instance_id=name,
            command_id=f"start-{name}",
        )
    clock.advance(timedelta(minutes=30))
    for name in ("ended", "held", "late"):
        engine.fire(name, "accept", actor=CLERK, command_id=f"accept-{name}")
    with suppress(Refused):
        engine.fire("refused", "accept", actor=CHIEF, command_id="not-mine")
    clock.advance(timedelta(hours=2))
    engine.hold("held", reason="third_party", actor=CHIEF)
    clock.advance(timedelta(hours=7))
    engine.tick()
    engine.fire("ended", "close", actor=CLERK, data={"contact": "138 0000 0000"})


def written(folder: Path) -> str:
    """Play on a new SQLite file and return it as SQL text."""
    path = folder / "service.db"
    clock = VirtualClock(MORNING)
    with Engine(f"sqlite:///{path}", CATALOG, clock=clock) as engine:
        play(engine, clock)
    with sqlite3.connect(path) as connection:
        text = "\n".join(connection.iterdump()) + "\n"
    connection.close()
    return text


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        Path(sys.argv[1]).write_text(written(Path(folder)), encoding="utf-8")
