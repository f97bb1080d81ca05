"""What is done to the samples: commands, each so long after the one before it, driven through the kernel alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import attrs

from svcflow.kernel import Actor, Command, Fire, Hold, Recipient, Resume, Start, Update
from svcflow.kernel.commands import Extend, RecordChildEnd, RecordChildStart, Reschedule
from svcflow.worktime.instants import to_us

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CLERK = Actor("li", roles={"clerk"})
OTHER = Actor("wang", roles={"clerk"})
CHIEF = Actor("zhao", roles={"chief"})
ASKER = Actor("sun", roles={"asker"})
MONDAY = datetime.fromisoformat("2026-03-02T09:00:00+08:00")
DUE = "2026-03-03T10:00:00+08:00"


@attrs.frozen
class Play:
    """One way through a sample: how it starts, and what comes so long after what."""

    start: Mapping[str, object]
    steps: Sequence[tuple[timedelta, Command | None]]
    at: datetime = MONDAY

    def commands(self) -> list[tuple[datetime, Command | None]]:
        """Return every command with its instant; the first one starts the instance, None lets time pass."""
        now, made = self.at, []
        made.append(
            (now, Start("i1", **{"actor": ASKER, "recipient": Recipient("r", "staff"), **self.start}))
        )
        for after, command in self.steps:
            now += after
            made.append((now, command))
        return made


def fire(trigger: str, by: Actor = CLERK, **more: object) -> Fire:
    return Fire(trigger, actor=by, **more)


HERE = {"data": {"place": "A"}}
FORM = {"evidence": {"form": "scan"}}
LARGE = {"data": {"place": "A", "kind": "large"}}
TAKEN = (HOUR, fire("take", **FORM))
WAITING = (TAKEN, (HOUR, fire("wait", OTHER, data={"reason": "x"})))
DESK = (
    Play(
        HERE,
        [
            TAKEN,
            (MINUTE, fire("agree", OTHER, data={"price": 5})),
            (HOUR, Update(data={"beyond": "x"}, actor=CLERK)),
        ],
    ),
    Play(HERE, [(HOUR, fire("pay", CHIEF, **FORM))]),
    Play(HERE, [(2 * HOUR, fire("take", occurred_us=to_us(MONDAY + HOUR), **FORM))]),
    Play(HERE, [TAKEN, (MINUTE, fire("agree", OTHER, data={"price": 5}))]),
    Play(HERE, [TAKEN, (MINUTE, fire("agree", OTHER, data={"price": 500})), (HOUR, fire("pay", CHIEF))]),
    Play(HERE, [TAKEN, (MINUTE, fire("agree", OTHER))]),
    Play(
        HERE,
        [
            (HOUR, fire("take")),
            (HOUR, fire("take", CHIEF, **FORM)),
            (MINUTE, fire("agree", CHIEF, data={"price": 950})),
        ],
    ),
    Play(LARGE, [(9 * HOUR, fire("refuse", CLERK, **FORM))]),
    Play(LARGE, [TAKEN, (MINUTE, fire("express", OTHER))]),
    Play(LARGE, [TAKEN, (MINUTE, fire("special", OTHER))]),
    Play(HERE, [TAKEN, (MINUTE, fire("agree", CLERK, data={"price": 5}))]),
    Play(
        HERE,
        [TAKEN, (HOUR, fire("wait", OTHER)), WAITING[1], (HOUR, fire("go_on", OTHER)), (20 * HOUR, None)],
    ),
    Play(HERE, [*WAITING, (5 * DAY, None)]),
    Play(
        HERE,
        [
            TAKEN,
            (HOUR, fire("back", OTHER)),
            (90 * MINUTE, fire("take", **FORM)),
            (HOUR, fire("back", OTHER)),
        ],
    ),
    Play(
        HERE,
        [
            (HOUR, Hold("recipient", actor=CLERK)),
            (HOUR, Hold("recipient", actor=CLERK, evidence={"letter": "scan"})),
            (3 * DAY, Resume(actor=CLERK)),
        ],
    ),
    Play(
        HERE, [(HOUR, Hold("statutory", actor=CLERK)), (HOUR, fire("pay", CHIEF, override="urgent", **FORM))]
    ),
    Play(
        HERE,
        [
            (5 * HOUR, fire("take", occurred_us=to_us(MONDAY + HOUR), **FORM)),
            (HOUR, Update(data={"price": -1}, actor=CLERK)),
        ],
    ),
    Play(
        HERE,
        [
            (HOUR, Update(data={"kind": "odd"}, actor=CLERK)),
            (HOUR, Update(data={"rating": "fair", "again": "poor"}, actor=CLERK)),
        ],
    ),
    Play(
        HERE,
        [(HOUR, Update(data={"place": None}, actor=CLERK)), (HOUR, Update(data={"why": "y"}, actor=CLERK))],
    ),
    Play({}, []),
)
BOTH_UNTIL = {"data": {"until": DUE}}
BOTH = {"data": {"due_day": DUE}}
HURRY = {"data": {"due_day": DUE, "kind": "hurry"}}
LIMITS = (
    Play({}, [(HOUR, fire("tea")), (4 * DAY, None)]),
    Play(BOTH, [(MINUTE, fire("pass_on")), (MINUTE, fire("pass_on")), (MINUTE, fire("finish"))]),
    Play(BOTH, [(MINUTE, fire("pass_on")), (MINUTE, fire("pass_on")), (DAY, fire("finish"))]),
    Play(
        {},
        [
            (MINUTE, fire("pass_on")),
            (2 * HOUR, fire("pass_on")),
            (HOUR, fire("again")),
            (MINUTE, fire("pass_on")),
        ],
    ),
    Play(BOTH, [(HOUR, fire("pass_on")), (HOUR, fire("tea")), (HOUR, fire("tea")), (10 * DAY, None)]),
    Play(BOTH, [(7 * HOUR, fire("pass_on")), (3 * DAY, fire("pass_on")), (HOUR, fire("finish"))]),
    Play(HURRY, [(MINUTE, fire("pass_on")), (HOUR, fire("pass_on")), (DAY, None)]),
    Play(HURRY, [(HOUR, fire("pass_on")), (5 * DAY, fire("pass_on"))]),
    Play(BOTH, [(HOUR, Update(data={"kind": "hurry"}, actor=CLERK)), (4 * DAY, None)]),
    Play({}, [(HOUR, Reschedule("due_day", DUE, actor=CHIEF)), (4 * DAY, None)]),
    Play(BOTH, [(HOUR, Hold("third_party", actor=CLERK)), (9 * HOUR, Resume(actor=CLERK)), (4 * DAY, None)]),
    Play(
        BOTH,
        [
            (HOUR, Extend("whole", reason="x", actor=CLERK)),
            (HOUR, Extend("whole", reason="x", actor=CHIEF)),
            (HOUR, Extend("whole", reason="x", actor=CHIEF, evidence={"notice": "scan"})),
            (4 * DAY, None),
        ],
    ),
)
HURRIED = {"data": {"kind": "hurry"}}
ANSWERS = (
    Play(
        BOTH_UNTIL,
        [(HOUR, fire("ask")), (10 * MINUTE, Update(data={"amount": 7}, actor=CLERK)), (3 * DAY, None)],
    ),
    Play(BOTH_UNTIL, [(2 * DAY, None)]),
    Play({}, [(HOUR, fire("ask", data={"amount": 5})), (HOUR, fire("answer")), (3 * DAY, None)]),
    Play(
        {}, [(9 * HOUR, fire("ask")), (HOUR, Update(data={"amount": 7}, actor=CLERK)), (HOUR, fire("answer"))]
    ),
    Play(HURRIED, [(HOUR, fire("ask")), (HOUR, fire("answer")), (3 * DAY, None)]),
    Play(BOTH_UNTIL, [(HOUR, fire("ask")), (HOUR, fire("answer")), (3 * DAY, None)]),
)
CHILD = "i1.driving.1"
CHILDREN = (
    Play(
        {"data": {"place": "A"}},
        [(HOUR, fire("order")), (MINUTE, RecordChildStart(CHILD, 1)), (HOUR, fire("stop"))],
    ),
    Play(
        {},
        [
            (HOUR, fire("order")),
            (MINUTE, RecordChildStart(CHILD, 1)),
            (HOUR, RecordChildEnd(CHILD, "completed", to_us(MONDAY + 2 * HOUR))),
        ],
    ),
)
BRANCHES = (
    Play({}, [(HOUR, fire("left_done")), (HOUR, fire("right_done", CHIEF)), (HOUR, fire("right_done"))]),
    Play({}, [(3 * DAY, None)]),
)
SOON, LATER, AFTER_LUNCH = (
    {"pickup_at": f"2026-03-02T{time}:00+08:00", "why": "x"} for time in ("10:00", "11:30", "14:00")
)
REQUESTS = (
    Play({"data": LATER}, []),
    Play({"data": SOON}, []),
    Play({"data": AFTER_LUNCH}, [], MONDAY + 150 * MINUTE),
    Play({"data": {**LATER, "why": None}}, []),
    Play({"data": LATER, "actor": CLERK}, []),
    Play({"data": SOON, "actor": CLERK, "foreseen": True}, []),
)
PLAYS: Mapping[str, Sequence[Play]] = {
    "desk": DESK,
    "limits": LIMITS,
    "branches": BRANCHES,
    "answers": ANSWERS,
    "children": CHILDREN,
    "requests": REQUESTS,
}
