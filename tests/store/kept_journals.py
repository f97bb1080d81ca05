"""Journals as a release wrote them, as text: one line for each entry, its canonical bytes as they are.

The first line of a journal says what its chain ends in and what the entries lead to, so that nobody needs an
older release to know what that release said. `python tests/store/kept_journals.py FILE.jsonl` writes those
of the present version, to be kept with each release: `tests/store/journals/N.jsonl`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import stored_play
from stored_play import CHIEF, CLERK, MORNING

from svcflow import Actor, Catalog, Engine, Procedure, Recipient, VirtualClock
from svcflow.kernel.instance import Instance
from svcflow.kernel.lifecycle.deviations import Deviation
from svcflow.model.field import Field
from svcflow.model.limit import Extension, Rung, TimeLimit
from svcflow.model.procedure import Role
from svcflow.model.step import Branch, Step, Transition
from svcflow.runtime.filters import DeviationQuery
from svcflow.runtime.store import Store
from svcflow.store import open_store

VISIT = Procedure(
    id="visit",
    calendar="cn_office",
    roles=(Role("clerk"), Role("chief")),
    fields=(Field("meeting", type="instant"), Field("guest", personal=True)),
    late_after="10m",
    steps=(
        Step(
            "planned",
            role="clerk",
            within=TimeLimit(
                within="7wh", extension=Extension("2wh"), warn=["50%"], escalate=[Rung("+1wh", role="chief")]
            ),
            to=(Transition("prepare", "preparing"), Transition("drop", "dropped", kind="exception")),
        ),
        Step(
            "preparing",
            parallel=(
                Branch(
                    "room",
                    (
                        Step("booking", role="clerk", evidence=("plan",), to=(Transition("book", "booked"),)),
                        Step("booked", end="done"),
                    ),
                ),
                Branch(
                    "food",
                    (
                        Step("ordering", within="30wm", to=(Transition("order", "ordered"),)),
                        Step("ordered", end="done"),
                    ),
                ),
            ),
            to=(Transition("done", "received"),),
        ),
        Step("received", end="completed"),
        Step("dropped", end="dropped"),
    ),
    limits=(TimeLimit(id="ready", from_="planned", to="received", before="meeting - 2wh"),),
)
CATALOG = Catalog.of(*stored_play.CATALOG, VISIT)
KINDS = frozenset(
    [
        "Started",
        "Moved",
        "Updated",
        "Rescheduled",
        "Extended",
        "Held",
        "Resumed",
        "Warned",
        "Escalated",
        "Overdue",
        "Settled",
        "Deviated",
        "Refused",
        "Assigned",
        "Released",
        "Explained",
        "Accepted",
        "Rejected",
        "Erased",
    ]
)
"""The kinds of facts that the play leaves behind: those of everyday work, without `Recomputed` and `Migrated`."""


def play(engine: Engine, clock: VirtualClock) -> None:
    """Leave the instances of the stored play, a visit that went wrong in most ways, and a forgotten guest."""
    stored_play.play(engine, clock)
    who, helper = CLERK, Actor("wang", roles={"clerk"})
    meeting = clock.now + timedelta(days=3)
    data = {"meeting": meeting.isoformat(), "guest": "Hu"}
    engine.start(
        "visit", data=data, recipient=Recipient("hu", group="leaders"), actor=who, instance_id="visit"
    )
    engine.claim("visit", actor=who)
    engine.release("visit", actor=who)
    engine.assign("visit", "wang", reason="knows the guest", actor=CHIEF)
    engine.extend("visit", "planned", reason="the guest asked", actor=CHIEF)
    engine.reschedule("visit", "meeting", meeting + timedelta(hours=1), actor=who)
    engine.hold("visit", reason="recipient", actor=who)
    clock.advance(timedelta(hours=20))
    engine.resume("visit", actor=who)
    clock.advance(timedelta(days=4))
    engine.fire("visit", "prepare", actor=helper)
    clock.advance(timedelta(hours=3))
    engine.fire("visit", "book", actor=helper, occurred_at=clock.now - timedelta(hours=1))
    engine.update("visit", data={"guest": "Hu and two more"}, actor=helper)
    engine.fire("visit", "order", actor=helper)
    late = [one.sequence for one in engine.deviations(instance="visit")]
    for number, judge in zip(late, (engine.accept_deviation, engine.reject_deviation), strict=False):
        engine.explain_deviation("visit", number, reason="the lift was out of order", actor=who)
        judge("visit", number, reason="seen", actor=CHIEF)
    engine.forget("hu", actor=CHIEF)


def seen(instance: Instance, deviations: Iterable[Deviation]) -> dict[str, Any]:
    """What entries lead to, by the words of the documentation."""
    clocks = {
        clock.limit: [clock.visit, clock.due_us, clock.verdict, clock.overdue]
        for clock in instance.stopwatches.values()
    }
    plain = (
        "status",
        "outcome",
        "steps",
        "data",
        "recipient",
        "group",
        "hold",
        "revision",
        "sequence",
        "ended_us",
    )
    kept = (
        "sequence",
        "kind",
        "severity",
        "step",
        "role",
        "actor",
        "limit",
        "visit",
        "due_us",
        "overrun_us",
        "status",
    )
    found = {name: getattr(instance, name) for name in plain}
    return orjson.loads(
        orjson.dumps(
            {
                **found,
                "next_us": instance.next_us,
                "clocks": clocks,
                "deviations": [
                    {name: getattr(one, name) for name in kept}
                    for one in sorted(deviations, key=lambda one: one.sequence)
                ],
            }
        )
    )


def nameless(found: object) -> object:
    """Return what entries lead to without the names that stand for what was erased: they hang on salts."""
    if isinstance(found, dict):
        return {name: nameless(value) for name, value in found.items()}
    if isinstance(found, list):
        return [nameless(value) for value in found]
    return "erased" if isinstance(found, str) and found.startswith("erased-") else found


def lines(store: Store) -> Iterator[bytes]:
    """Yield every journal of a store, each after the line that says what it leads to."""
    for name in store.ids():
        kept = store.load(name)
        secrets = {token: list(one) for token, one in store.secrets(name).items() if one is not None}
        leads_to = seen(kept.instance, store.deviations(DeviationQuery(name)))
        head = {"journal": name, "head": kept.head.hex(), "secrets": secrets, "leads_to": leads_to}
        yield orjson.dumps(head)
        yield from (body for body, _ in store.rows(name))


if __name__ == "__main__":
    made, clock = open_store("memory://"), VirtualClock(MORNING)
    play(Engine(made, CATALOG, clock=clock), clock)
    Path(sys.argv[1]).write_bytes(b"\n".join(lines(made)) + b"\n")
