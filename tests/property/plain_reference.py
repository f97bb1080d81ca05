"""What the documents say an engine does with one small procedure, written down plainly. No code of the kernel's.

A request is asked, passed on, approved or sent back, by somebody else. A clerk has some two hours and is warned
after half of them, a chief one, and the whole takes six; holds stop these clocks, one of them for 91 minutes at most.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

MINUTE = 60_000_000
REACH = {
    "asked": 121 * MINUTE,
    "whole": 361 * MINUTE,
    "approving": 61 * MINUTE,
    "hold.third_party": 91 * MINUTE,
}
STEP_ROLES = {"asked": "clerk", "approving": "chief"}
MOVES = {  # trigger: from, to, role
    "pass_on": ("asked", "approving", "clerk"),
    "withdraw": ("asked", "withdrawn", "guest"),
    "approve": ("approving", "done", "chief"),
    "send_back": ("approving", "asked", "chief"),
}
ROLES = {"li": {"clerk"}, "wang": {"clerk", "chief"}, "chen": {"chief"}, "sun": {"guest"}, "": set()}
ENDS = {"done": "completed", "withdrawn": "withdrawn"}
REVISING = ("Started", "Moved", "Updated", "Held", "Resumed")
ASKED_BY = ("fire", "update", "claim", "explain", "judge")
"""Commands of which it matters who asks."""
SENT_BACK_AT_MOST = 1
ERASED = "erased"


class Stopwatch:
    """Count the time of one limit."""

    def __init__(self, reach: int, now: int, visit: int = 1) -> None:
        self.reach, self.visit = reach, visit
        self.runs: list[list[int]] = []
        self.since: int | None = now
        self.warned = self.ended = False
        self.missed: int | None = None
        """The deadline that passed."""

    def after(self, counted: int) -> int | None:
        """When so much time will have been counted, or was; None while it stands still before."""
        for start, end in self.runs:
            if end - start >= counted:
                return start + counted
            counted -= end - start
        return None if self.since is None else self.since + counted

    def due(self) -> int | None:
        return self.after(self.reach) if self.missed is None else self.missed

    def stop(self, now: int) -> None:
        if self.since is not None:
            self.runs.append([self.since, now])
            self.since = None

    def overrun(self) -> int:
        return sum(max(0, end - max(start, self.missed)) for start, end in self.runs)


class Case:
    """One instance: what was recorded of it, and where that leaves it."""

    def __init__(self, name: str, now: int, actor: str, note: str | None, contact: str | None) -> None:
        self.name, self.step, self.status, self.outcome, self.hold = name, "asked", "running", "", ""
        self.facts: list[tuple[str, int]] = []
        self.data = {key: value for key, value in (("note", note), ("contact", contact)) if value is not None}
        self.recipient = self.contact_of = "zhang"
        self.papers: dict[str, int] = {}
        self.revision = 0
        self.entered = now
        self.watches = {"asked": Stopwatch(REACH["asked"], now), "whole": Stopwatch(REACH["whole"], now)}
        self.deviations: dict[int, dict[str, object]] = {}
        self.explainers: dict[int, set[str]] = {}
        self.assignee = self.asked_by = ""
        self.sent_back = 0
        self.persons = {actor, "zhang"}
        self.record("Started", now)

    def record(self, kind: str, at: int) -> int:
        self.facts.append((kind, at))
        if kind in REVISING:
            self.revision = len(self.facts)
        return len(self.facts)

    def deviate(self, fact: str, at: int, kind: str, **more: object) -> None:
        what = {"kind": kind, "status": "open", "explanation": "", "overrun": None, "limit": "", "visit": 0}
        self.deviations[self.record(fact, at)] = {**what, **more}

    # time

    def coming(self) -> list[tuple[int, int, str, str]]:
        """What is going to happen by itself and when: a deadline is missed as soon as it is over."""
        found = []
        for limit, watch in self.watches.items():
            due = watch.due()
            if watch.ended or watch.missed is not None or due is None:
                continue
            if limit == "asked" and not watch.warned:
                found.append((watch.after(-(-watch.reach // 2)), 1, limit, "warn"))
            else:
                found.append((due + 1, 0, limit, "miss"))
        return sorted(found, key=lambda one: one[:2])

    def pass_time(self, now: int) -> None:
        while self.status != "ended" and (coming := self.coming()) and coming[0][0] <= now:
            at, _, limit, what = coming[0]
            watch = self.watches[limit]
            goes_on = -1 if watch.since is None else watch.since  # what was used up before shows when it does
            if what == "warn":
                watch.warned = True
                self.record("Warned", max(at, goes_on))
            else:
                watch.missed = watch.due()
                kind = "long_wait" if limit.startswith("hold.") else "overdue"
                self.deviate("Overdue", max(watch.missed, goes_on), kind, limit=limit, visit=watch.visit)

    def end(self, now: int, *limits: str) -> None:
        for limit, watch in self.watches.items():
            if limit in limits and not watch.ended:
                watch.stop(now)
                watch.ended = True
                if watch.missed is not None:
                    self.record("Settled", now)
                    for one in self.deviations.values():
                        if (one["limit"], one["visit"]) == (limit, watch.visit):
                            one["overrun"] = watch.overrun()

    # commands: each returns the rule that refuses it

    def fire(self, now: int, actor: str, trigger: str, papers: tuple[str, ...]) -> str | None:
        source, to, role = MOVES[trigger]
        if self.status == "held":
            return "held"
        if source != self.step:
            return "order"
        if role not in ROLES[actor] or (source == "approving" and actor == self.asked_by):
            return "role"
        if role == STEP_ROLES[source] and self.assignee not in ("", ERASED, actor):
            return "assigned"
        too_often = trigger == "send_back" and self.sent_back >= SENT_BACK_AT_MOST
        owed = source == "approving" and "form" not in papers and self.papers.get("form", -1) < self.entered
        self.record("Moved", now)
        self.papers.update(dict.fromkeys(papers, now))
        self.sent_back += trigger == "send_back"
        self.asked_by = actor if source == "asked" else self.asked_by
        self.step, self.assignee, self.entered = to, "", now
        self.end(now, *([source, "whole"] if to in ENDS else [source]))
        if to in ENDS:
            self.status, self.outcome = "ended", ENDS[to]
        elif to in self.watches:  # bouncing work gains no time
            self.watches[to].since, self.watches[to].ended = now, False
        else:
            self.watches[to] = Stopwatch(REACH[to], now)
        if too_often:
            self.deviate("Deviated", now, "rework_over_bound")
        if owed:
            self.deviate("Deviated", now, "missing_evidence")
        return None

    def stop(self, now: int, reason: str) -> str | None:
        if self.status == "held":
            return "held"
        if reason not in ("recipient", "third_party"):
            return "hold_reason"
        self.record("Held", now)
        self.status, self.hold = "held", reason
        for watch in self.watches.values():
            watch.stop(now)
        if reason == "third_party":
            old = self.watches.get("hold.third_party")
            visit = 1 if old is None else old.visit + 1
            self.watches["hold.third_party"] = Stopwatch(REACH["hold.third_party"], now, visit)
        return None

    def resume(self, now: int) -> str | None:
        if self.status != "held":
            return "not_held"
        self.record("Resumed", now)
        self.end(now, f"hold.{self.hold}")
        self.status, self.hold = "running", ""
        for watch in self.watches.values():
            watch.since = watch.since if watch.ended else now
        return None

    def update(
        self, now: int, actor: str, note: str | None, contact: str | None, papers: tuple[str, ...]
    ) -> None:
        self.record("Updated", now)
        if (
            contact is not None
        ):  # it is about who is served, or whoever writes it when nobody knows them any more
            self.contact_of = actor if self.recipient == ERASED else self.recipient
        self.data |= {
            key: value for key, value in (("note", note), ("contact", contact)) if value is not None
        }
        self.papers.update(dict.fromkeys(papers, now))

    def claim(self, now: int, actor: str) -> str | None:
        if STEP_ROLES[self.step] not in ROLES[actor] or self.barred(actor):
            return "role"
        if self.assignee not in ("", ERASED, actor):
            return "assigned"
        self.record("Assigned", now)
        self.assignee = actor
        return None

    def assign(self, now: int, to: str) -> str | None:
        if self.barred(to):
            return "role"
        self.record("Assigned", now)
        self.assignee = to
        self.persons.add(to)
        return None

    def barred(self, person: str) -> bool:
        return self.step == "approving" and person == self.asked_by

    def release(self, now: int) -> str | None:
        if self.assignee in ("", ERASED):
            return "not_assigned"
        self.record("Released", now)
        self.assignee = ""
        return None

    def explain(self, now: int, actor: str, deviation: int, reason: str) -> str | None:
        if deviation not in self.deviations:
            return "deviation"
        self.record("Explained", now)
        self.deviations[deviation] |= {"status": "explained", "explanation": reason}
        self.explainers.setdefault(deviation, set()).add(actor)
        return None

    def judge(self, now: int, actor: str, deviation: int, verdict: str) -> str | None:
        if deviation not in self.deviations:
            return "deviation"
        if self.deviations[deviation]["status"] == "open":
            return "unexplained"
        if not actor or actor in self.explainers[deviation]:
            return "same_person"
        self.record(verdict, now)
        self.deviations[deviation]["status"] = verdict.lower()
        return None

    def forget(self, now: int, person: str) -> None:
        self.record("Erased", now)
        self.persons.discard(person)
        self.assignee = ERASED if self.assignee == person else self.assignee
        self.asked_by = ERASED if self.asked_by == person else self.asked_by
        self.explainers = {
            number: {ERASED if one == person else one for one in who}
            for number, who in self.explainers.items()
        }
        if person == self.contact_of:
            self.data |= {"contact": ERASED} if "contact" in self.data else {}
        if person == self.recipient:
            self.recipient = ERASED

    # questions

    def seen(self) -> tuple[object, ...]:
        return (self.status, self.outcome, self.step, self.revision, len(self.facts), self.data, self.hold)

    def deadlines(self) -> set[tuple[str, int, int | None]]:
        open_ = [(limit, watch) for limit, watch in self.watches.items() if not watch.ended]
        return {(limit, watch.visit, watch.due()) for limit, watch in open_}

    def work(self) -> tuple[str, str, str, str, int | None]:
        dues = [due for limit, _, due in self.deadlines() if limit not in STEP_ROLES or limit == self.step]
        due = min((due for due in dues if due is not None), default=None)
        return (self.name, self.step, STEP_ROLES[self.step], self.assignee, due)


class Office:
    """All instances, and the answers that were given."""

    def __init__(self) -> None:
        self.cases: dict[str, Case] = {}
        self.answers: dict[tuple[str, str], tuple[object, ...]] = {}

    def start(self, name: str, now: int, command_id: str | None, **given: str | None) -> object:
        if (name, command_id) in self.answers:
            return self.answers[name, command_id]
        if name in self.cases:
            return "StoreError"
        self.cases[name] = Case(name, now, **given)
        return self.kept(name, command_id, self.cases[name].seen())

    def ask(
        self,
        name: str,
        command: str,
        now: int,
        actor: str,
        command_id: str | None,
        *given: object,
        stale: bool,
    ) -> object:
        """Return what is answered: a refusing rule, a mistake's name, or how the instance stands."""
        case = self.cases.get(name)
        if case is None:
            return "UnknownInstance"
        if (name, command_id) in self.answers:
            return self.answers[name, command_id]
        if stale:
            return "StaleRevision"
        answering = command in ("explain", "judge")
        if not answering and case.status == "ended":
            rule = "closed"
        elif command == "fire" and given[0] not in MOVES:
            return "UnknownTrigger"
        else:
            case.pass_time(now)
            rule = getattr(case, command)(now, *([actor] if command in ASKED_BY else []), *given)
        case.persons.add(actor)
        if rule is not None:
            case.record("Refused", now)
        if not answering:
            case.pass_time(now)  # a limit that had used up its time is missed as soon as it goes on
        return rule or self.kept(
            name, command_id, case.seen()
        )  # a refusal is no answer: it may be asked again

    def kept(self, name: str, command_id: str | None, answer: tuple[object, ...]) -> object:
        if command_id is not None:
            self.answers[name, command_id] = answer[:5]  # what is personal may be gone by then
        return answer

    def tick(self, now: int) -> int:
        """Return how many facts were recorded."""
        before = sum(len(case.facts) for case in self.cases.values())
        for case in self.cases.values():
            case.pass_time(now)
        return sum(len(case.facts) for case in self.cases.values()) - before

    def forget(self, person: str, now: int, *, open_: bool) -> list[str] | str:
        theirs = [case for case in self.cases.values() if person in case.persons]
        running = [case for case in theirs if case.status != "ended"]
        if (running and not open_) or any(case.asked_by == person for case in running):
            return "PersonInUse"
        for case in theirs:
            case.forget(now, person)
        return sorted(case.name for case in theirs)

    def due(self) -> list[int]:
        """The instants at which something is going to happen, and those just before."""
        coming = [at for case in self.cases.values() if case.status != "ended" for at, *_ in case.coming()]
        return sorted({at - early for at in coming for early in (0, 1)})

    def counts(self, of: Callable[[Case], str]) -> Counter[str]:
        return Counter(of(case) for case in self.cases.values())
