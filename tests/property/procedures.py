"""Random procedures, valid by construction, and random runs of them through the kernel."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import attrs
from hypothesis import strategies as st

from svcflow.errors import Refused
from svcflow.kernel import (
    Actor,
    Command,
    Compiled,
    Fact,
    Fire,
    Hold,
    Instance,
    Outcome,
    Recipient,
    Resume,
    Start,
    Update,
    compile_procedure,
    transact,
)
from svcflow.kernel.commands import Accept, Assign, Claim, Explain, Reject, Release
from svcflow.kernel.facts import to_datetime
from svcflow.kernel.instance import NEVER
from svcflow.model.automatic_move import AutomaticMove, MoveInstant
from svcflow.model.field import Field
from svcflow.model.limit import Row, Rung, TimeLimit
from svcflow.model.procedure import (
    Certificate,
    HoldRule,
    Procedure,
    Role,
    StartRule,
)
from svcflow.model.step import (
    ENFORCEMENTS,
    HOLD_REASONS,
    Branch,
    Enforce,
    Otherwise,
    Step,
    Transition,
    walk,
)
from svcflow.text import Text
from svcflow.worktime.calendar import WorkCalendar
from svcflow.worktime.instants import to_us

OFFICE = WorkCalendar.from_mapping(
    {
        "calendar": "office",
        "timezone": "Asia/Shanghai",
        "weekly": {"mon-fri": ["08:30-12:00", "13:30-17:30"]},
        "covers": {"from": "2026-01-01", "to": "2029-12-31"},
        "holidays": [{"date": "2026-03-04", "name": "closed"}],
        "makeup": [{"date": "2026-03-07", "name": "open"}],
    }
)
NIGHT = WorkCalendar.from_mapping(
    {"calendar": "night", "timezone": "Asia/Shanghai", "weekly": {"mon-sat": ["22:00-06:00"]}}
)
CALENDARS = {"office": OFFICE, "night": NIGHT}
BEGIN_US = to_us(datetime(2026, 3, 2, 1, 0, tzinfo=UTC))  # Monday 09:00 in Shanghai
MINUTE_US = 60_000_000
FAMILIES = {"m": ("m", "h", "d"), "wm": ("wm", "wh"), "wd": ("wd",)}
LARGEST = {"m": 900, "h": 40, "d": 4, "wm": 700, "wh": 12, "wd": 3}
ROLES = ("clerk", "chief")

visits = st.sampled_from(("sum", "sum", "each", "first"))
rungs_before = st.lists(st.sampled_from(["25%", "50%", "75%", "90%"]), max_size=2)


@st.composite
def amounts(draw: st.DrawFn, family: str, least: int = 0) -> str:
    unit = draw(st.sampled_from(FAMILIES[family]))
    return f"{draw(st.integers(least, LARGEST[unit]))}{unit}"


@st.composite
def limits(draw: st.DrawFn, *, least: int = 0, **fixed: object) -> TimeLimit:
    """A limit in any unit, with a ladder; now and then a matrix over the field `kind`."""
    family = draw(st.sampled_from(tuple(FAMILIES)))
    after = draw(st.lists(amounts(family).map(lambda amount: f"+{amount}"), max_size=2))
    working = st.sampled_from(["+1wd", "+2wd", "+90wm", "+1wh"])
    before = st.sampled_from(["-1wd", "-30wm", "-2wh"])
    warn = [*draw(rungs_before), *draw(st.lists(before, max_size=1))]
    after += draw(st.lists(working, max_size=1))
    shares = draw(st.lists(st.sampled_from(["100%", "150%"]), max_size=2))
    escalate = [] if fixed.get("if_reached") else [*shares, *after]
    rows: dict[str, object] = {"within": draw(amounts(family, least))}
    if draw(st.booleans()):
        first = Row(
            draw(amounts(family, least)),
            when='kind == "a"',
            calendar=draw(st.sampled_from([None, None, "office", "night"])),
        )
        second = Row(when="size > 1", no_target=True)
        rows = {"match": (first, second, Row(rows["within"]))}
    return TimeLimit(
        warn=[Rung(at) for at in warn],
        escalate=[Rung(at) for at in escalate],
        in_opening_hours=bool(warn or escalate) and draw(st.sampled_from([False, False, True])),
        calendar=draw(st.sampled_from([None, "office", "night"])),
        on_change=draw(st.sampled_from([None, "from_start", "from_now"])),
        stoppable=draw(st.sampled_from([True, True, False])),
        **rows,
        **fixed,
    )


@st.composite
def moves(draw: st.DrawFn, trigger: str, to: str, kind: str = "normal") -> Transition:
    when = draw(st.sampled_from([None, None, "size > 1", 'kind == "a"']))
    rule = Otherwise("refuse", name=Text(zh="规定", en="The rule"))
    return Transition(
        trigger,
        to,
        kind=kind,
        when=when,
        otherwise=draw(st.sampled_from([None, rule])) if when else None,
        requires=draw(st.sampled_from([(), (), ("note",)])),
        role=draw(st.sampled_from([None, None, *ROLES])),
        clock=draw(st.sampled_from(["continue", "restart"])),
        at_most=draw(st.sampled_from([None, None, 0, 1, 2])),
    )


@st.composite
def automatic_moves(draw: st.DrawFn, trigger: str) -> AutomaticMove:
    """A move that a step makes by itself, after any length or at an instant, now and then by a matrix."""
    after = draw(amounts(draw(st.sampled_from(tuple(FAMILIES))), 1))
    at = draw(st.sampled_from(["until", "until - 2h", "until + 1wd"]))
    calendar = draw(st.sampled_from([None, "office", "night"]))
    match draw(st.sampled_from(["after", "at", "match"])):
        case "after":
            return AutomaticMove(trigger, after=after, calendar=calendar)
        case "at":
            return AutomaticMove(trigger, at=at, calendar=calendar)
    rows = (MoveInstant(when='kind == "a"', at=at), MoveInstant(after))
    return AutomaticMove(trigger, match=rows, calendar=calendar)


@st.composite
def joins(draw: st.DrawFn, after: str, other: str) -> list[Transition]:
    """How a parallel step is left when its branches have ended: mostly always, now and then by guards."""
    guarded = Transition("done", after, when=draw(st.sampled_from(["size > 1", 'kind == "a"'])))
    return draw(
        st.sampled_from(
            [
                [Transition("done", after)],
                [Transition("done", after)],
                [guarded, Transition("done", other)],
                [guarded],
            ]
        )
    )


@st.composite
def chains(draw: st.DrawFn, prefix: str, last: Step, *, depth: int) -> tuple[Step, ...]:
    """Steps one after the other to `last`, with ways back; the first one is no end."""
    names = [f"{prefix}{n}" for n in range(draw(st.integers(1, 3)))]
    steps = []
    for place, name in enumerate(names):
        after = names[place + 1] if place + 1 < len(names) else last.id
        parallel = ()
        if depth and draw(st.integers(0, 2)) == 0:
            parallel = tuple(
                Branch(
                    f"{name}{b}",
                    draw(chains(f"{name}{b}", Step(f"{name}{b}_end", end="done"), depth=depth - 1)),
                )
                for b in ("x", "y")
            )
        to = draw(joins(after, last.id)) if parallel else [draw(moves("go", after))]
        to.append(draw(moves(f"skip_{name}", last.id, "exception")))
        then = None
        if (
            after != last.id or last.end == "completed"
        ):  # a branch may be kept from ending by a guard of `done`
            then = draw(st.none() | st.none() | automatic_moves(f"later_{name}"))
        if then is not None:
            to.append(Transition(then.fire, after, kind="exception"))
        to.append(draw(moves(f"back_{name}", draw(st.sampled_from(names[: place + 1])), "rework")))
        steps.append(draw(dressed(Step(name, parallel=parallel, to=to, then=then))))
    return (*steps, last)


@st.composite
def dressed(draw: st.DrawFn, step: Step) -> Step:
    """The step with role, evidence, limit, wait and deemed move, each now and then.

    Only ways ahead are deemed, so that nothing moves by itself for ever.
    """
    deemed = draw(st.sampled_from([None, None, f"skip_{step.id}"]))
    within = draw(st.none() | limits(least=1 if deemed else 0, visits=draw(visits)))
    waits = draw(st.sampled_from([None, None, None, *HOLD_REASONS])) if not step.parallel else None
    at_most = draw(amounts("wd", 1)) if waits and draw(st.booleans()) else None
    return attrs.evolve(
        step,
        role=draw(st.sampled_from([None, *ROLES])),
        qualified=None if step.parallel else draw(st.sampled_from([None, None, None, "licence"])),
        evidence=draw(st.sampled_from([(), (), ("photo",)])),
        within=within,
        waits=waits,
        at_most=at_most,
        on_overdue=deemed if within or at_most else None,
    )


recorded_starts = st.builds(
    StartRule,
    role=st.sampled_from([None, *ROLES]),
    before=st.sampled_from(["day", "day - 30m", "day - 31m", "day - 3wh", "day - 1wd"]),
    calendar=st.sampled_from([None, "night"]),
    foreseen=st.booleans(),
)


@st.composite
def procedures(draw: st.DrawFn) -> Procedure:
    steps = draw(chains("s", Step("end", end="completed"), depth=2))
    names = [step.id for step in steps]
    fired = [{"to_trigger": f"skip_{names[0]}"}, {"to_trigger": f"back_{names[0]}"}]
    fired += [{**one, "if_reached": True} for one in fired]
    spans = [
        draw(
            limits(
                id=f"span{n}",
                from_=draw(st.sampled_from(names)),
                **draw(st.sampled_from([{"to": name} for name in names] + fired)),
                visits=draw(visits),
            )
        )
        for n in range(draw(st.integers(0, 2)))
    ]
    whole = [draw(limits(id="whole", least=1, on_overdue=draw(st.sampled_from([None, f"skip_{names[0]}"]))))]
    holds = [
        HoldRule(reason, at_most=draw(st.none() | amounts(draw(st.sampled_from(tuple(FAMILIES))), 1)))
        for reason in draw(st.lists(st.sampled_from(HOLD_REASONS), unique=True, max_size=2))
    ]
    triggers = sorted({move.trigger for step in walk(steps) for move in step.to})
    settling = st.sampled_from([None, None, *triggers])
    return Procedure(
        id="random",
        calendar="office",
        roles=[Role(name) for name in ROLES],
        certificates=[Certificate("licence")],
        fields=[
            Field("kind", type="choice", choices=("a", "b"), default="b"),
            Field("size", type="number", default=0, settled_by=draw(settling)),
            Field("note"),
            Field("until", type="instant"),
            Field("day", type="instant", default="2026-03-02T09:30:00+08:00", required=True),
        ],
        start=draw(st.none() | recorded_starts),
        enforce=Enforce(*(draw(st.sampled_from(ENFORCEMENTS)) for _ in range(8))),
        holds=holds,
        steps=steps,
        limits=(*spans, *draw(st.sampled_from([[], whole]))),
    )


@st.composite
def compiled(draw: st.DrawFn) -> Compiled:
    enforce = draw(st.sampled_from(["declared", "declared", "record"]))
    return compile_procedure(draw(procedures()), CALENDARS.__getitem__, enforce=enforce)


roles = st.sampled_from([None, (), ("clerk",), ("clerk", "chief")])
actors = st.builds(Actor, st.sampled_from(["li", "wang", ""]), roles)
named = st.one_of(
    st.builds(Actor, st.sampled_from(["li", "wang"]), roles), st.just(Actor("wang", ("clerk",), "li"))
)
values = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["a", "b", None]),
        "size": st.integers(0, 3) | st.floats(0, 3),
        "note": st.sampled_from(["x", "甲", None]),
        "until": st.integers(-600, 5 * 24 * 60).map(
            lambda n: to_datetime(BEGIN_US + n * MINUTE_US).isoformat()
        ),
    },
)
certificates = st.sampled_from([None, {}, {"licence": BEGIN_US}, {"licence": NEVER}])
papers = st.sampled_from([{}, {"photo": "p"}, {"signature": "s"}])
starts = st.builds(
    Start,
    st.just("i1"),
    values,
    st.sampled_from([None, Recipient("zhang", "staff")]),
    actors,
    papers,
)


SKILLED = Actor("li", ("clerk", "chief"))


def commands(known: Compiled, instance: Instance) -> st.SearchStrategy[Command]:
    """Mostly what is open now by somebody who may; now and then anything."""
    people = about_people(known, instance)
    anything = st.builds(
        Fire,
        st.sampled_from(sorted(known.triggers)),
        actors,
        values,
        papers,
        st.sampled_from([None, None, *known.steps]),
        st.sampled_from([None, "because"]),
    )
    rest = st.one_of(
        st.builds(Update, actors, values, papers), st.builds(Hold, st.sampled_from(["tired"])), people
    )
    if instance.status == "held":
        return st.one_of(st.builds(Resume, actors), st.builds(Resume, actors), anything, rest)
    hold = st.builds(Hold, st.sampled_from(HOLD_REASONS), actors)
    here = [(step, trigger) for step in instance.active for trigger in known.steps[step].triggers]
    if not here:
        return st.one_of(anything, rest, hold, people, people)
    given = {"note": "x", "size": 2, "kind": "a"}
    licence = {"licence": NEVER}
    proper = st.sampled_from(here).map(
        lambda at: Fire(at[1], SKILLED, given, {"photo": "p"}, at[0], certificates=licence)
    )
    bare = st.sampled_from(here).flatmap(
        lambda at: st.builds(
            Fire, st.just(at[1]), actors, values, papers, st.just(at[0]), certificates=certificates
        )
    )
    return st.one_of(
        proper, proper, proper, bare, anything, hold, rest, st.builds(Resume, actors), people, people
    )


@st.composite
def about_people(draw: st.DrawFn, known: Compiled, instance: Instance) -> Command:
    """Who has which step, mostly of those that are active, and answers to deviations."""
    if draw(st.booleans()) and instance.deviations:
        number, reason = draw(st.sampled_from([1, *instance.deviations, *instance.deviations])), "because"
        judge = st.sampled_from([Accept, Reject])
        kind = draw(judge if instance.explainers and draw(st.booleans()) else st.just(Explain))
        return kind(number, reason, draw(st.one_of(actors, named, st.just(Actor("sun")))))
    step = draw(st.sampled_from([None, *instance.active, *instance.active, known.first]))
    claim, release = st.builds(Claim, st.just(step), named), st.builds(Release, st.just(step), actors)
    assign = st.builds(Assign, st.just(step), st.sampled_from(["li", "wang"]), actors)
    return draw(st.one_of(claim, assign, release if instance.assignees else assign))


gaps = st.one_of(
    st.sampled_from(["due", "just before", "just after"]),
    st.integers(0, 600).map(lambda n: n * MINUTE_US),
    st.integers(0, 5 * 24 * 60).map(lambda n: n * MINUTE_US),
    st.integers(0, 3 * 86_400_000_000),
)


@attrs.frozen
class Run:
    """Hold one run: what was asked at which instant, and what came of it."""

    compiled: Compiled
    asked: tuple[tuple[int, Command | None], ...]
    outcomes: tuple[Outcome, ...]

    @property
    def facts(self) -> tuple[Fact, ...]:
        return tuple(fact for outcome in self.outcomes for fact in outcome.facts)

    @property
    def instance(self) -> Instance:
        return self.outcomes[-1].instance


@st.composite
def runs(draw: st.DrawFn, most: int = 14) -> Run:
    """A procedure, and commands at instants of which many are deadlines or next to one."""
    known = draw(compiled())
    start = draw(starts)
    try:
        outcomes = [transact(known, None, start, BEGIN_US)]
    except Refused:  # by the rule of the start: somebody else asks
        start = attrs.evolve(start, actor=SKILLED)
        outcomes = [transact(known, None, start, BEGIN_US)]
    asked: list[tuple[int, Command | None]] = [(BEGIN_US, start)]
    for _ in range(draw(st.integers(0, most))):
        if outcomes[-1].instance.status == "ended" and draw(st.integers(0, 3)):
            break
        at_us = _next(asked[-1][0], outcomes[-1].instance.next_us, draw(gaps))
        asked.append((at_us, draw(commands(known, outcomes[-1].instance))))
        outcomes.append(transact(known, outcomes[-1].instance, asked[-1][1], at_us))
    asked.append((asked[-1][0] + 30 * 86_400_000_000, None))
    outcomes.append(transact(known, outcomes[-1].instance, *asked[-1][::-1]))
    return Run(known, tuple(asked), tuple(outcomes))


def _next(now_us: int, due_us: int, gap: str | int) -> int:
    if isinstance(gap, int):
        return now_us + gap
    if due_us == NEVER:
        return now_us
    return max(now_us, due_us + {"due": 0, "just before": -1, "just after": 1}[gap])


def replayed(run: Run, ticks: Iterator[tuple[int, ...]]) -> tuple[Fact, ...]:
    """The facts of the same commands at the same instants, with ticks before each of them."""
    facts: list[Fact] = []
    instance = None
    for at_us, command in run.asked:
        if instance is not None:
            for tick_us in next(ticks):
                outcome = transact(run.compiled, instance, None, tick_us)
                instance = outcome.instance
                facts += outcome.facts
        outcome = transact(run.compiled, instance, command, at_us)
        instance = outcome.instance
        facts += outcome.facts
    return tuple(facts)


@st.composite
def successors(draw: st.DrawFn, declared: Procedure) -> tuple[Procedure, dict[str, str]]:
    """A next version: steps renamed, limits declared otherwise, dropped or new; and which step became which."""
    renamed = draw(st.lists(st.sampled_from(sorted(declared.all_steps)), unique=True))
    steps = {name: f"n_{name}" for name in renamed}

    def called(name: str | None) -> str | None:
        return steps.get(name, name) if name is not None else None

    def moved(move: Transition) -> Transition:
        return attrs.evolve(move, step=called(move.step))

    def within(step: Step) -> TimeLimit | None:
        anew = limits(least=1)
        return draw(st.one_of(st.just(step.within), anew, anew, st.none()))

    def changed(step: Step) -> Step:
        if step.end is not None:
            return attrs.evolve(step, id=called(step.id))
        limit = within(step)
        return attrs.evolve(
            step,
            id=called(step.id),
            within=limit,
            on_overdue=step.on_overdue if limit or step.at_most else None,
            then=draw(st.sampled_from([step.then, step.then, None])),
            parallel=[attrs.evolve(one, steps=[changed(s) for s in one.steps]) for one in step.parallel],
            to=[moved(move) for move in step.to],
        )

    kept = [attrs.evolve(one, from_=called(one.from_), to=called(one.to)) for one in declared.limits]
    redrawn = [
        draw(
            limits(
                id=one.id,
                from_=one.from_,
                to=one.to,
                to_trigger=one.to_trigger,
                if_reached=one.if_reached,
                least=1,
                on_overdue=one.on_overdue,
            )
        )
        for one in kept
    ]
    fresh = [draw(limits(id="fresh", least=1))] if draw(st.booleans()) else []
    made = attrs.evolve(
        declared,
        version=declared.version + 1,
        steps=[changed(step) for step in declared.steps],
        limits=(*draw(st.sampled_from([kept, redrawn, []])), *fresh),
        holds=draw(st.sampled_from([declared.holds, ()])),
    )
    return made, steps
