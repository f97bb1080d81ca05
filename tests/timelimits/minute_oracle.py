"""A plain oracle for time limits: it steps through the minutes and shares no code with the library.

It reads weekly hours, days off and make-up days by the wall clock of each minute (`zoneinfo` alone), and asks
of each instant what the design says: did the clock run, was it open, did it run up to a closing or midnight.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

Hours = tuple[tuple[int, int], ...]
STYLES: dict[str, Hours] = {
    "08:30-12:00 13:30-17:30": ((510, 720), (810, 1050)),
    "09:00-18:00": ((540, 1080),),
    "00:00-24:00": ((0, 1440),),
    "22:00-06:00": ((1320, 1800),),
    "07:00-11:00 19:00-23:15": ((420, 660), (1140, 1395)),
}
ZONES = ("Asia/Shanghai", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata")
CHANGES = (
    (2026, 3, 6),
    (2026, 3, 27),
    (2026, 4, 3),
    (2026, 10, 2),
    (2026, 10, 23),
    (2026, 10, 30),
    (2026, 5, 4),
)
MOST_MINUTES = 60 * 24 * 60


@dataclass
class Situation:
    """A calendar, a limit, and what happened when; minutes count from 1970 in UTC."""

    seed: int
    zone: str
    style: str
    weekdays: tuple[int, ...]
    off: set[date]
    makeup: set[date]
    kind: str
    unit: str
    amount: int
    events: list[tuple[int, str]] = field(default_factory=list)
    visits: str = "sum"
    extent: str = "step"
    """How the same time is declared: over the step, until its trigger is fired, or until the next step is entered."""
    if_reached: bool = False


@dataclass
class Verdict:
    """What the oracle says: breaches as (visit, due minute), early ends, and the deadline after the last event."""

    overdue: list[tuple[int, int]]
    early: list[int]
    due: int | None


def situation(seed: int) -> Situation:
    """Make up a situation; the same seed makes the same one."""
    rng = random.Random(seed)
    zone = rng.choice(ZONES)
    first = datetime(*rng.choice(CHANGES), tzinfo=ZoneInfo(zone)) + timedelta(days=rng.randint(-2, 2))
    days = [first.date() + timedelta(days=n) for n in range(-3, 25)]
    weekdays = tuple(sorted(rng.sample(range(7), rng.choice((3, 5, 5, 5, 6, 7)))))
    off = {day for day in days if rng.random() < 0.12}
    makeup = {day for day in days if day not in off and day.weekday() not in weekdays and rng.random() < 0.25}
    kind = rng.choice(("within", "within", "within", "at_least"))
    unit = rng.choice(("m", "wm", "wd", "cd"))
    amount = {
        "m": rng.choice((30, 60, 90, 240, 1440, rng.randint(1, 5000))),
        "wm": rng.choice((30, 60, 210, 240, 480, rng.randint(1, 2000))),
        "wd": rng.randint(1, 5),
        "cd": rng.randint(1, 8),
    }[unit]
    made = Situation(seed, zone, rng.choice(list(STYLES)), weekdays, off, makeup, kind, unit, amount)
    _happenings(made, rng, int(first.timestamp()) // 60 + rng.randrange(1440))
    made.visits = rng.choice(("sum", "sum", "each", "first"))
    made.extent = rng.choice(("step", "step", "to_trigger", "to"))
    made.if_reached = made.kind == "within" and made.extent != "step" and rng.random() < 0.5
    return made


def _happenings(made: Situation, rng: random.Random, start: int) -> None:
    grid = rng.choice((1, 10, 30, 30))
    minute, state = start // grid * grid, "working"
    made.events.append((minute, "start"))
    for _ in range(rng.randint(0, 7)):
        step = rng.choice((rng.randint(0, 90), rng.randint(0, 600), rng.randint(0, 2400)))
        minute += step // grid * grid
        if state == "working":
            does = rng.choice(("hold", "hold", "leave"))
            state = "held" if does == "hold" else "away"
        else:
            does = "resume" if state == "held" else rng.choice(("continue", "restart"))
            state = "working"
        made.events.append((minute, does))
    if state != "working":
        made.events.append(
            (minute + rng.randrange(900) // grid * grid, "resume" if state == "held" else "continue")
        )


class Days:
    """Read the calendar minute by minute, as the wall clock shows it."""

    def __init__(self, made: Situation) -> None:
        self.made = made
        self.zone = ZoneInfo(made.zone)

    def wall(self, minute: int) -> tuple[date, int]:
        local = datetime.fromtimestamp(minute * 60, self.zone)
        return local.date(), local.hour * 60 + local.minute

    def works(self, day: date) -> bool:
        if day in self.made.makeup:
            return True
        return day.weekday() in self.made.weekdays and day not in self.made.off

    def owner(self, minute: int) -> date | None:
        """The day to whose shift an open minute belongs; None for a closed one."""
        day, clock = self.wall(minute)
        for back, shown in ((0, clock), (1, clock + 1440)):
            whose = day - timedelta(days=back)
            if any(low <= shown < high for low, high in STYLES[self.made.style]) and self.works(whose):
                return whose
        return None

    def is_closing(self, minute: int) -> date | None:
        """The day whose last open minute is the one before this instant."""
        before = self.owner(minute - 1)
        if before is None or self.owner(minute) == before:
            return None
        day, clock = self.wall(minute - 1)
        last = max(high for _, high in STYLES[self.made.style])
        shown = clock + 1 + (1440 if day != before else 0)
        return before if shown == last else None


@dataclass
class Visit:
    """When a limit's clock ran, [start, end) each, and when its step was active; the last of both may be open."""

    runs: list[list[float]] = field(default_factory=list)
    active: list[list[float]] = field(default_factory=list)


def visits(events: list[tuple[int, str]], told: str = "sum") -> list[Visit]:
    """Sort what happened into visits: `restart` begins a new one, `continue` goes on with the last.

    Told apart as `each`, both begin a new one; of `first`, there is none after the step was left.
    """
    found: list[Visit] = []
    for minute, does in events:
        if told == "first" and found and found[-1].active[-1][1] != math.inf:
            found[-1].runs[-1][1] = math.inf  # what ended has the deadline that it had while it ran
            break
        if does in ("start", "restart") or (does == "continue" and told == "each"):
            found.append(Visit())
        if does in ("start", "restart", "continue"):
            found[-1].active.append([minute, math.inf])
        if does in ("hold", "leave"):
            found[-1].runs[-1][1] = minute
        else:
            found[-1].runs.append([minute, math.inf])
        if does == "leave":
            found[-1].active[-1][1] = minute
    return found


def reached(days: Days, made: Situation, runs: list[list[float]]) -> int | None:
    """Return the first instant at which the limit is used up, if it ever is."""
    start = int(runs[0][0])
    first_day = days.owner(start) or days.wall(start)[0]
    last_day, closed, count = first_day + timedelta(days=made.amount), date.min, 0
    for minute in range(start, start + MOST_MINUTES):
        ran = any(low <= minute - 1 < high for low, high in runs)
        runs_on = any(low <= minute < high for low, high in runs)
        if minute > start and made.unit == "cd" and not ran:
            last_day += timedelta(days=days.wall(minute)[0] != days.wall(minute - 1)[0])
        if made.unit in ("wd", "cd"):
            closing = days.is_closing(minute)
            closed = closing or closed
            count += ran and closing is not None and closing > first_day
        used_up = closed >= last_day if made.unit == "cd" else count >= made.amount
        if used_up and (ran or (runs_on and made.unit == "cd")):
            return minute
        if runs_on and made.unit == "m":
            count += 1
        if runs_on and made.unit == "wm":
            count += days.owner(minute) is not None
        if not runs_on and all(low <= minute for low, _ in runs):
            return None
    raise AssertionError(made)


def judge(made: Situation) -> Verdict:
    """Say which visits were breached by the last event, which ended too early, and the deadline in the end."""
    days, now = Days(made), made.events[-1][0]
    said = Verdict([], [], None)
    for number, visit in enumerate(visits(made.events, made.visits), start=1):
        due = said.due = reached(days, made, visit.runs)
        for _, left in visit.active:
            if made.kind == "at_least" and left != math.inf and (due is None or left < due):
                said.early.append(int(left))
        if (
            made.kind == "within"
            and due is not None
            and any(
                due < left < math.inf or (due < now < left and not made.if_reached)
                for _, left in visit.active
            )
        ):
            said.overdue.append((number, due))
    return said
