"""Hypothesis strategies for whole procedures that are valid by construction."""

from __future__ import annotations

import keyword
from datetime import date

import attrs
from hypothesis import strategies as st

from svcflow.bounds import LONGEST
from svcflow.model.amount import Amount
from svcflow.model.automatic_move import AutomaticMove, MoveInstant
from svcflow.model.field import FIELD_TYPES, GRADES, Field
from svcflow.model.guard import Guard
from svcflow.model.limit import END, SEVERITIES, VISITS, Row, Rung, TimeLimit
from svcflow.model.parameter import Parameter
from svcflow.model.procedure import (
    AREAS,
    GROUPS,
    Certificate,
    Excellence,
    Exclusion,
    HoldRule,
    Indicator,
    Procedure,
    Role,
    StartRule,
)
from svcflow.model.procedure_parts import COUNTS
from svcflow.model.regular_start import CLOSED_DAYS, WEEKDAYS, RegularStart
from svcflow.model.source import Source
from svcflow.model.step import (
    ENFORCEMENTS,
    HOLD_REASONS,
    TRANSITION_KINDS,
    Branch,
    Enforce,
    Otherwise,
    Step,
    Transition,
)
from svcflow.model.subprocedure import CALL_OFF_RULES, SubProcedure
from svcflow.text import Text, is_blank
from svcflow.wording import READINGS, STRENGTHS

TRICKY = ("null", "true", "false", "1", "007", "0e1", "1e5", "no", "on", "_", "12345678901234567890")
identifiers = st.one_of(
    st.sampled_from(TRICKY),
    st.from_regex(r"[a-z0-9_]{1,10}", fullmatch=True).filter(lambda i: i != "recipient"),
)
wordings = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["", "报修", "a: b", "- x", "# no", "~", "null", "1", "1e5", "2026-01-01", "{}", "'", '"', "%", "@"]
    ),
)
texts = st.builds(Text, wordings, wordings)
shares = st.integers(1, 300).map(lambda n: f"{n}%")
enforcements = st.sampled_from(ENFORCEMENTS)
AGREED = "agreed_instant"
"""A field that every procedure has, for automatic moves to hang on; no drawn name is as long."""
FAMILIES = (("m", "h", "d"), ("wm", "wh"), ("wd",))


def amounts(units: tuple[str, ...]) -> st.SearchStrategy[Amount]:
    def of(unit: str) -> st.SearchStrategy[Amount]:
        whole, part = st.integers(0, LONGEST[unit]), st.decimals(0, LONGEST[unit], places=6)
        return st.builds(Amount, whole if unit == "wd" else st.one_of(whole, part), st.just(unit))

    return st.sampled_from(units).flatmap(of)


def maybe(strategy: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | strategy


@st.composite
def fields(draw: st.DrawFn, name: str) -> Field:
    kind = draw(st.sampled_from(FIELD_TYPES))
    choices = draw(st.dictionaries(wordings, texts, min_size=1, max_size=3)) if kind == "choice" else {}
    low = draw(maybe(st.integers(-(10**15), 0) | st.floats(-1e300, 0)))
    defaults = {
        "choice": st.sampled_from(list(choices) or [""]),
        "text": wordings,
        "number": st.integers(0, 10**15) | st.floats(0, 1e308),
        "instant": st.just("2026-03-02T14:00:00+08:00"),
        "boolean": st.booleans(),
        "rating": st.sampled_from(list(GRADES)),
    }
    return Field(
        name,
        type=kind,
        name=draw(texts),
        choices=choices,
        default=draw(maybe(defaults[kind])),
        required=draw(st.booleans()),
        unit=draw(maybe(wordings)),
        minimum=low if kind == "number" else None,
        personal=_may_be_personal(name) and draw(st.booleans()),
    )


@st.composite
def rungs(draw: st.DrawFn, units: tuple[str, ...], roles: list[str]) -> Rung:
    working = st.tuples(st.sampled_from("+-"), amounts(("wm", "wh", "wd"))).map(
        lambda parts: "".join(map(str, parts))
    )
    at = draw(shares | amounts(units).map(lambda amount: f"+{amount}") | working)
    return Rung(at, draw(maybe(st.sampled_from(roles))) if roles else None, draw(maybe(wordings)))


def _may_be_personal(name: str) -> bool:
    """Tell apart the fields of which some are personal and those that guards look at: none may be both."""
    return len(name) % 2 == 0


def guards(names: list[str]) -> st.SearchStrategy[Guard]:
    plain = ["True", "1.0", "1e5 > 2", 'recipient == "leaders"', "not recipient", 'recipient in ("a", "b")']
    return st.sampled_from(
        [
            *plain,
            *(
                f"{name} == None"
                for name in names
                if name.isidentifier() and not keyword.iskeyword(name) and not _may_be_personal(name)
            ),
        ]
    ).map(Guard)


@st.composite
def limits(
    draw: st.DrawFn, names: list[str], roles: list[str], triggers: list[str], **more: object
) -> TimeLimit:
    units = draw(st.sampled_from(FAMILIES))
    within, match = draw(amounts(units)), []
    if draw(st.booleans()):
        within = None
        match = [
            Row(draw(amounts(units)), guard, draw(maybe(st.just("proposal"))), calendar=draw(maybe(wordings)))
            for guard in draw(st.lists(guards(names), max_size=2, unique_by=str))
        ]
        match.append(draw(st.just(Row(no_target=True)) | st.builds(Row, amounts(units))))
    ladders = st.lists(rungs(units, roles), max_size=2)
    judged = bool(more.get("to_trigger")) and draw(st.booleans())
    warn, escalate = draw(ladders), () if judged else draw(ladders)
    return TimeLimit(
        name=draw(texts),
        within=within,
        match=match,
        source=draw(maybe(st.just("proposal"))),
        calendar=draw(maybe(wordings)),
        severity=draw(st.sampled_from(SEVERITIES)),
        warn=warn,
        escalate=escalate,
        in_opening_hours=bool(warn or escalate) and draw(st.booleans()),
        on_overdue=draw(maybe(st.sampled_from(triggers))) if triggers and not judged else None,
        if_reached=judged,
        early_is_better=draw(st.booleans()),
        recipient_facing=draw(st.booleans()),
        stoppable=draw(st.booleans()),
        on_change=draw(st.sampled_from(["from_start", "from_now", None])),
        visits=draw(st.sampled_from(VISITS)) if more.get("from_", "a step") else "sum",
        **more,
    )


@st.composite
def moves(
    draw: st.DrawFn, scope: list[str], names: list[str], roles: list[str], *, done: bool
) -> list[Transition]:
    triggers = draw(st.lists(identifiers, max_size=3))
    made = [
        Transition(
            trigger,
            draw(st.sampled_from(scope)),
            name=draw(texts),
            when=draw(maybe(guards(names))),
            kind=draw(st.sampled_from(TRANSITION_KINDS)),
            requires=draw(st.lists(wordings, max_size=2)),
            role=draw(maybe(st.sampled_from(roles))) if roles else None,
            clock=draw(st.sampled_from(["continue", "restart"])),
            at_most=draw(maybe(st.integers(0, 9))),
            enforce=draw(
                st.dictionaries(st.sampled_from(["role", "order", "guard"]), enforcements, max_size=2)
            ),
        )
        for trigger in [*triggers, *(["done"] if done else [])]
    ]
    return [draw(closed(move)) if may_refuse(move, made) else move for move in made]


CERTIFICATE = "licence"


def may_refuse(move: Transition, moves: list[Transition]) -> bool:
    """Tell whether a move is the last of its trigger's rows, all of which have guards."""
    rows = [other for other in moves if other.trigger == move.trigger]
    guarded = all(row.when is not None and row.enforce.get("guard") != "record" for row in rows)
    return guarded and move is rows[-1]


@st.composite
def closed(draw: st.DrawFn, move: Transition) -> Transition:
    name = draw(texts.filter(lambda text: not (is_blank(text.zh) and is_blank(text.en))))
    return attrs.evolve(move, otherwise=draw(maybe(st.just(Otherwise("refuse", name=name)))))


@st.composite
def automatic_moves(draw: st.DrawFn, names: list[str], trigger: str) -> AutomaticMove:
    """A move that a step makes by itself: after a length, at an instant, or by a matrix of both."""
    after = amounts(draw(st.sampled_from(FAMILIES))).filter(lambda amount: bool(amount.value))
    at = st.sampled_from([AGREED, f"{AGREED} - 30m", f"{AGREED} + 1wd"])
    more = {"calendar": draw(maybe(wordings)), "source": draw(maybe(st.just("proposal")))}
    match draw(st.sampled_from(["after", "at", "match"])):
        case "after":
            return AutomaticMove(trigger, after=draw(after), **more)
        case "at":
            return AutomaticMove(trigger, at=draw(at), **more)
    source = maybe(st.just("proposal"))
    rows = [
        draw(st.builds(MoveInstant, when=st.just(guard), after=after, source=source))
        for guard in draw(st.lists(guards(names), max_size=2, unique_by=str))
    ]
    return AutomaticMove(trigger, match=[*rows, draw(st.builds(MoveInstant, at=at, source=source))], **more)


@st.composite
def calls(draw: st.DrawFn, names: list[str], triggers: list[str], *, leaves: bool) -> SubProcedure:
    """Another procedure that a step runs, whichever that is; one that `leaves` by itself keeps none."""
    own = st.sampled_from(names) if names else st.nothing()
    return SubProcedure(
        "another_one",
        data=draw(st.dictionaries(identifiers, own, max_size=2)) if names else {},
        outcomes=draw(st.dictionaries(wordings, st.sampled_from(triggers), max_size=2)) if triggers else {},
        on_call_off="cancel" if leaves else draw(st.sampled_from(CALL_OFF_RULES)),
    )


@st.composite
def steps(
    draw: st.DrawFn,
    name: str,
    scope: list[str],
    names: list[str],
    roles: list[str],
    *,
    branch: Branch | None = None,
    inside: bool = False,
) -> Step:
    to = draw(moves(scope, names, roles, done=branch is not None))
    triggers = [move.trigger for move in to]
    within = draw(
        maybe(limits(names, roles, triggers) | amounts(("m", "wh")).map(lambda a: TimeLimit(within=a)))
    )
    waits = draw(maybe(st.sampled_from(HOLD_REASONS)))
    at_most = draw(maybe(amounts(("wd", "h")))) if waits else None
    timed = within is not None or at_most is not None
    then = draw(maybe(automatic_moves(names, "later")))
    if then is not None and then.fire not in triggers:
        to = [*to, Transition(then.fire, name, name=draw(texts))]
    else:
        then = None
    return Step(
        name,
        name=draw(texts),
        role=draw(maybe(st.sampled_from(roles))) if roles else None,
        within=within,
        on_overdue=draw(maybe(st.sampled_from(triggers))) if triggers and timed else None,
        then=then,
        evidence=draw(st.lists(wordings, max_size=2)),
        waits=waits,
        at_most=at_most,
        not_by=draw(st.lists(st.sampled_from(scope), max_size=2, unique=True)),
        qualified=None if branch else draw(maybe(st.just(CERTIFICATE))),
        parallel=[branch] if branch else [],
        runs=None if branch else draw(maybe(calls(names, triggers, leaves=inside or then is not None))),
        to=to,
    )


def parameters_of(name: str) -> st.SearchStrategy[Parameter]:
    return st.builds(
        Parameter, st.just(name), value=amounts(("m", "h")), name=texts, source=maybe(st.just("proposal"))
    )


def sources(name: str) -> st.SearchStrategy[Source]:
    return st.builds(
        Source,
        st.just(name),
        title=wordings,
        strength=maybe(st.sampled_from(tuple(STRENGTHS))),
        year=maybe(st.integers(1, 9999)),
        read=maybe(st.sampled_from(tuple(READINGS))),
        url=maybe(wordings),
    )


RHYTHMS = st.one_of(
    st.fixed_dictionaries({"every": st.just("1wd")}),
    st.fixed_dictionaries({"every": st.sampled_from(["2wd", "3cd", "5mo"]), "from_": st.dates(date(1900, 1, 1), date(2199, 12, 31))}),
    st.fixed_dictionaries({"every": st.just("7cd"), "on": st.sampled_from(WEEKDAYS)}, optional={"closed_day": st.sampled_from(CLOSED_DAYS)}),
    st.fixed_dictionaries({"every": st.sampled_from(["1mo", "3mo", "1y"])}, optional={"day": st.integers(1, 31), "closed_day": st.sampled_from(CLOSED_DAYS)}),
)  # fmt: skip


@st.composite
def regular_starts(draw: st.DrawFn, name: str, declared: list[Field]) -> RegularStart:
    """Draw a start whose data fit the fields, and which asks a function where a field is required."""
    texts_of = [field.id for field in declared if field.type == "text" and not field.personal]
    given = draw(st.dictionaries(st.sampled_from(texts_of), wordings, max_size=1)) if texts_of else {}
    return RegularStart(
        id=name,
        **draw(RHYTHMS),
        at=draw(st.times()).strftime("%H:%M"),
        calendar=draw(maybe(wordings)),
        for_="residents" if any(field.required for field in declared) else draw(maybe(identifiers)),
        actor=draw(st.sampled_from(["", "schedule", "定时"])),
        data=given,
    )


@st.composite
def starts(draw: st.DrawFn, known: list[Field], roles: list[str]) -> StartRule | None:
    """Draw a rule of the start, with a notice before one of the instants, which then comes with it."""
    instants = [field.id for field in known if field.type == "instant" and not field.personal]
    before = draw(maybe(st.sampled_from(instants))) if instants else None
    length = draw(maybe(st.one_of(*(amounts(family) for family in FAMILIES)))) if before else None
    rule = StartRule(
        role=draw(maybe(st.sampled_from(roles))) if roles else None,
        name=draw(texts),
        requires=(*draw(st.lists(wordings, max_size=2)), *([before] if before else [])),
        before=before if length is None else f"{before} - {length}",
        calendar=draw(maybe(wordings)) if before else None,
        source=draw(maybe(st.just("proposal"))),
    )
    foreseen = draw(st.booleans()) and bool(set(roles) - {rule.role})
    rule = attrs.evolve(rule, foreseen=foreseen)
    return draw(maybe(st.just(rule))) if rule != StartRule() else None


@st.composite
def procedures(draw: st.DrawFn) -> Procedure:
    """Draw a procedure with fields, roles, steps, perhaps one branch, limits and indicators."""
    names = draw(st.lists(identifiers, max_size=3, unique=True))
    roles = draw(st.lists(identifiers, max_size=3, unique=True))
    ids = draw(st.lists(identifiers, min_size=4, max_size=7, unique=True))
    inner, scope = ids[:2], ids[2:]
    branch = draw(
        maybe(
            st.builds(
                Branch,
                identifiers,
                st.tuples(
                    steps(inner[0], inner, names, roles, inside=True), st.just(Step(inner[1], end="done"))
                ),
                name=texts,
            )
        )
    )
    made = [draw(steps(scope[0], scope, names, roles, branch=branch))]
    made += [draw(steps(name, scope, names, roles)) for name in scope[1:-1]]
    made.append(Step(scope[-1], name=draw(texts), end=draw(wordings)))
    triggers = [move.trigger for step in made for move in step.to]
    stops = [{"to": step} for step in (*scope, END)] + [{"to_trigger": trigger} for trigger in triggers]
    spans = [
        draw(limits(names, roles, triggers, id=f"span_{place}_limit", from_=start, **stop))
        for place, (start, stop) in enumerate(
            draw(
                st.lists(
                    st.tuples(st.sampled_from(scope), st.sampled_from(stops)) | st.just((None, {})),
                    max_size=2,
                )
            )
        )
    ]
    declared = [draw(fields(name)) for name in names]
    parameters = [draw(parameters_of(name)) for name in draw(st.sampled_from([(), ("parameter_a",)]))]
    lengths = amounts(("h", "d")) | st.sampled_from([parameter.id for parameter in parameters] or ["4h"])
    return Procedure(
        id=draw(identifiers),
        version=draw(st.integers(1, 10**6)),
        name=draw(texts),
        area=draw(st.sampled_from(AREAS)),
        owner=draw(texts),
        purpose=draw(texts),
        effective=draw(maybe(st.dates(date(1900, 1, 1), date(2199, 12, 31)))),
        recipients=draw(st.lists(st.sampled_from(GROUPS), max_size=4)),
        calendar=draw(wordings),
        sources=[draw(sources(key)) for key in draw(st.lists(wordings, max_size=2, unique=True))],
        fields=[
            *(
                attrs.evolve(field, settled_by=draw(maybe(st.sampled_from(triggers))) if triggers else None)
                for field in declared
            ),
            Field(AGREED, type="instant"),
        ],
        parameters=parameters,
        late_after=draw(maybe(lengths)),
        start=draw(starts(declared, roles)),
        roles=[Role(name, name=draw(texts)) for name in roles],
        certificates=[Certificate(CERTIFICATE, name=draw(texts))],
        enforce=draw(st.builds(Enforce, *[enforcements] * len(attrs.fields(Enforce)))),
        holds=[
            HoldRule(
                reason,
                at_most=draw(maybe(amounts(("wd",)) | lengths)),
                evidence=draw(st.lists(wordings, max_size=2)),
            )
            for reason in draw(st.lists(st.sampled_from(HOLD_REASONS), max_size=3, unique=True))
        ],
        starts=[
            draw(regular_starts(name, declared))
            for name in draw(st.lists(identifiers, max_size=2, unique=True))
        ],
        steps=made,
        limits=spans,
        indicators=[
            Indicator(
                name,
                name=draw(texts),
                of=spans[0].id if spans else None,
                target=draw(maybe(st.sampled_from([">= 95%", "<= 1 %", "100%", "= 3.5"]))),
                source=draw(maybe(st.just("proposal"))),
                numerator=draw(maybe(st.sampled_from(COUNTS["limit"][0]))) if spans else None,
                denominator=draw(maybe(st.sampled_from(COUNTS["limit"][1]))) if spans else None,
                exclude=draw(
                    st.lists(
                        st.builds(
                            Exclusion, when=st.just("True"), reason=st.just(Text("不可抗力", "Force majeure"))
                        ),
                        max_size=2,
                    )
                ),
                weight=draw(maybe(st.integers(1, 9) | st.floats(0.1, 9))),
            )
            for name in draw(st.lists(identifiers, max_size=2, unique=True))
        ],
        excellence=draw(maybe(st.just(Excellence()))),
    )
