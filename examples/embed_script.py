"""Run a repair request in a plain script: a SQLite file, a clock that is moved by hand, deviations at the end.

Run it with `python examples/embed_script.py`. It leaves nothing behind.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import svcflow

SHANGHAI = ZoneInfo("Asia/Shanghai")
DISPATCHER = svcflow.Actor("dispatcher-1", {"dispatcher"})
TECHNICIAN = svcflow.Actor("technician-1", {"technician"})


def main() -> None:
    """Start one emergency, let the technician come late, and print what the journal says."""
    clock = svcflow.VirtualClock(datetime(2026, 3, 6, 16, 50, tzinfo=SHANGHAI))
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'service.db'}"
        with svcflow.Engine(url, svcflow.Catalog.shipped(), clock=clock) as engine:
            instance = start(engine)
            clock.advance(timedelta(minutes=10))
            engine.fire(instance, "accept", actor=DISPATCHER)
            engine.fire(instance, "dispatch", actor=DISPATCHER, evidence={"order": "WO-1"})
            clock.advance(timedelta(minutes=50))
            engine.fire(instance, "arrive", actor=TECHNICIAN)
            report(engine, instance)


def start(engine: svcflow.Engine) -> str:
    """Start the request; `command_id` makes it safe to ask twice."""
    data = {"priority": "emergency", "place": "3-1204", "description": "water on the floor"}
    recipient = svcflow.Recipient("resident-1", group="retirees")
    return engine.start("repair", data=data, recipient=recipient, command_id="form-1").id


def report(engine: svcflow.Engine, instance: str) -> None:
    """Print the deadlines that run, the deviations, and whether the journal verifies."""
    for deadline in engine.deadlines(instance):
        due = f"{deadline.due_at.astimezone(SHANGHAI):%a %H:%M}" if deadline.due_at else "-"
        print(f"{deadline.name.in_('zh+en')}: due {due}, {deadline.state}")
    for deviation in engine.deviations(instance=instance):
        minutes = (deviation.overrun_us or 0) // 60_000_000
        print(f"deviation: {deviation.kind} of {deviation.limit}, {minutes} minutes, {deviation.severity}")
    print(f"journal verifies: {engine.verify(instance).ok}")


if __name__ == "__main__":
    main()
