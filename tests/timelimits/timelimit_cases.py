"""A desk: one instance driven through the engine on a clock of its own; instants are written `03-02 09:00`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from svcflow import Actor, Catalog, Engine, VirtualClock
from svcflow.kernel.facts import Fact
from svcflow.kernel.timing.deadlines import Deadline
from svcflow.model.field import Field
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import Procedure, Role
from svcflow.model.step import Step, Transition
from svcflow.model.yaml.document import Document

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")
MICRO, MINUTE, HOUR = timedelta(microseconds=1), timedelta(minutes=1), timedelta(hours=1)
WANG = Actor("wang", {"clerk"})
CHIEF = Actor("zhao", {"chief"})


def at(written: str, zone: ZoneInfo = SHANGHAI, *, fold: int = 0) -> datetime:
    """Read `03-02 09:00` as of 2026, or a full date."""
    text = written if written.count("-") == 2 else f"2026-{written}"
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)


def procedure(*steps: Step, **more: object) -> Procedure:
    given = {"id": "sample", "calendar": "cn_office", "roles": (Role("clerk"), Role("chief")), **more}
    return Procedure(steps=steps, **given)


def work(limit: TimeLimit | str, **more: object) -> Procedure:
    """One step `work` with one limit, left by `finish`; `tea` stays in it."""
    given = limit if isinstance(limit, TimeLimit) else TimeLimit(within=limit)
    step = Step("work", within=given, to=(Transition("finish", "end"), Transition("tea", "work")))
    return procedure(step, Step("end", end="completed"), **more)


def booked(limit: TimeLimit, *, required: bool = False, **more: object) -> Procedure:
    """The same, with an instant `meeting` that limits may refer to."""
    return work(limit, fields=(Field("meeting", type="instant", required=required),), **more)


class Desk:
    """Drive one instance; `now` is written as the zone's clock shows it."""

    def __init__(
        self,
        declared: Procedure,
        start: str | datetime,
        *,
        zone: ZoneInfo = SHANGHAI,
        calendars: Mapping[str, Mapping[str, object]] | None = None,
        actor: Actor = WANG,
        data: Mapping[str, object] | None = None,
    ) -> None:
        self.zone = zone
        documents = {name: Document(dict(mapping), "", {}) for name, mapping in (calendars or {}).items()}
        catalog = Catalog({(declared.id, declared.version): declared}, documents)
        self.clock = VirtualClock(at(start, zone) if isinstance(start, str) else start)
        self.engine = Engine("memory://", catalog, clock=self.clock)
        self.id = self.engine.start(declared.id, actor=actor, data=data or {}).id

    def go(self, when: str | datetime | None) -> Desk:
        if when is not None:
            self.clock.move_to(at(when, self.zone) if isinstance(when, str) else when)
        return self

    def fire(self, trigger: str, when: str | datetime | None = None, **more: object) -> Desk:
        self.go(when).engine.fire(self.id, trigger, **{"actor": WANG, **more})
        return self

    def hold(self, when: str | datetime, reason: str = "third_party", **more: object) -> Desk:
        self.go(when).engine.hold(self.id, reason=reason, actor=WANG, **more)
        return self

    def resume(self, when: str | datetime) -> Desk:
        self.go(when).engine.resume(self.id, actor=WANG)
        return self

    def update(self, when: str | datetime, **data: object) -> Desk:
        self.go(when).engine.update(self.id, data=data, actor=WANG)
        return self

    def reschedule(self, when: str | datetime, to: str | None, actor: Actor = CHIEF) -> Desk:
        self.go(when).engine.reschedule(self.id, "meeting", None if to is None else at(to), actor=actor)
        return self

    def tick(self, when: str | datetime | None = None) -> Desk:
        self.go(when).engine.tick()
        return self

    def deadline(self, limit: str = "work") -> Deadline:
        return next(d for d in self.engine.deadlines(self.id, ended=True) if d.limit == limit)

    def due(self, limit: str = "work") -> str | None:
        due_at = self.deadline(limit).due_at
        return None if due_at is None else self.written(due_at)

    def state(self, limit: str = "work") -> str:
        return self.deadline(limit).state

    def remaining(self, limit: str = "work") -> timedelta | None:
        return self.deadline(limit).remaining

    def written(self, instant: datetime) -> str:
        local = instant.astimezone(self.zone)
        seconds = f":{local:%S.%f}".rstrip("0").rstrip(".") if local.second or local.microsecond else ""
        year = "" if local.year == 2026 else f"{local.year}-"
        return f"{year}{local:%m-%d %H:%M}{seconds}"

    def facts(self, kind: str | None = None) -> list[Fact]:
        """The journal, after checking that the kept instance is what its facts say."""
        assert self.engine.verify(self.id).ok
        return [fact for fact in self.engine.journal(self.id) if kind in (None, fact.kind)]

    def told(self, *kinds: str) -> list[tuple[str, str]]:
        return [(f.kind, self.written(f.occurred_at)) for f in self.facts() if not kinds or f.kind in kinds]

    def deviations(self) -> list[tuple[str, str]]:
        """Kind, and when it occurred."""
        self.engine.tick()
        found = self.engine.deviations(instance=self.id)
        return [(one.kind, self.written(one.occurred_at)) for one in found]


def due(limit: TimeLimit | str, start: str, **more: object) -> str | None:
    """The deadline of one limit over one step, for an instance started then."""
    return Desk(work(limit, **more), start).due()


def utc(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)
