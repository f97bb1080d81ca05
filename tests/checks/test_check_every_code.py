"""Every code has a procedure that triggers it and a near miss that does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import attrs
import pytest
from checks_declared import NAME, codes, declared, end, fork, found, hour, move, step

from svcflow.checks import CODES, check
from svcflow.model.automatic_move import AutomaticMove, MoveInstant
from svcflow.model.field import Field
from svcflow.model.limit import Extension, Row, TimeLimit
from svcflow.model.parameter import Parameter
from svcflow.model.procedure import Certificate, HoldRule, Indicator, Procedure, Role, StartRule
from svcflow.model.regular_start import RegularStart
from svcflow.model.step import Enforce, Step, Transition
from svcflow.text import NO_TEXT, Text
from svcflow.worktime import shipped_calendar

Make = Callable[[], Procedure]
PRIORITY = Field("priority", type="choice", choices=["high", "low"], default="low")
FEE = Field("fee", type="number", minimum=0, required=True)
RECALL = {"kind": "rework", "enforce": {"rework": "refuse"}}


def two(*rows: object, fields: tuple[Field, ...] = (FEE, PRIORITY)) -> Procedure:
    """Three steps; the first has the rows under test, to `second` or `closed`."""
    return declared(step("first", *rows), step("second", "closed"), end(), fields=fields)


def timed(limit: TimeLimit, *steps: Step) -> Procedure:
    return declared(*steps, limits=[limit], fields=[FEE])


def line(*within: str) -> list[Step]:
    """Steps s0, s1, … one after another, each with its limit, then the end."""
    names = [f"s{n}" for n in range(len(within))]
    after = [*names[1:], "closed"]
    return [step(name, to, within=hour(w)) for name, to, w in zip(names, after, within, strict=True)] + [
        end()
    ]


def whole(within: str, **more: object) -> TimeLimit:
    return TimeLimit(id="whole", within=within, source="proposal", **more)


def recall(**more: object) -> Procedure:
    back = move("back", "first", **more)
    return declared(step("first", "second"), step("second", "closed", back), end())


def returning(*limits: TimeLimit, back: bool = True, **more: object) -> Procedure:
    """Two steps after a first one; the second of them leads back."""
    rework = (move("back", "second", kind="rework", at_most=1),) if back else ()
    return declared(
        step("first", "second"),
        step("second", "third", **more),
        step("third", "closed", *rework),
        end(),
        limits=limits,
    )


def overdue(**more: object) -> Procedure:
    """Two steps that hand the instance to each other when overdue."""
    return declared(
        step("first", "second", on_overdue="to_second"),
        step("second", "closed", move("back", "first", kind="rework", at_most=3, **more), on_overdue="back"),
        end(),
    )


def circling(**when: str) -> Procedure:
    """Two steps that send each other on by themselves; after a length of time people may leave the circle."""
    moves = [AutomaticMove("on", source="proposal", **when), AutomaticMove("back", source="proposal", **when)]
    return declared(
        step("first", "closed", move("on", "second"), then=moves[0]),
        step("second", move("back", "first", kind="rework", at_most=3), then=moves[1]),
        end(),
        fields=(Field("until", type="instant", required=True),),
    )


def asleep(**more: object) -> Procedure:
    """A step that nobody works in: it moves on by itself."""
    move_on = AutomaticMove("wake", **{"after": "3wd", "source": "proposal", **more})
    return declared(
        step("first", move("wake", "closed"), role=None, within=None, then=move_on),
        step("second", "closed"),
        end(),
    )


def by_rows(*guards: str) -> Procedure:
    """A step that moves on by itself, by the fee."""
    rows = [MoveInstant(f"{place + 1}wd", when=guard) for place, guard in enumerate(guards)]
    then = AutomaticMove("to_closed", match=[*rows, MoveInstant("9wd")], source="proposal")
    return declared(step("first", "closed", then=then), end(), fields=(FEE,))


def matrix(*rows: Row) -> Procedure:
    limit = TimeLimit(match=rows)
    return declared(step("first", "closed", within=limit), end(), fields=[PRIORITY, FEE])


def asking(notice: str, **limit: object) -> Procedure:
    """A meeting that is asked for so early, and a limit before it."""
    return declared(
        step("first", "closed"),
        end(),
        fields=[FEE, *(Field(name, type="instant", required=True) for name in ("meeting", "other"))],
        start=StartRule(name=NAME, before=notice, source="proposal"),
        limits=[TimeLimit(id="whole", source="proposal", **limit)],
    )


def row(within: str, when: str | None = None) -> Row:
    return Row(within=within, when=when, source="proposal")


def joined(*done: Transition) -> Procedure:
    branches = {"a": [step("a1", "a2"), end("a2", "done")]}
    return declared(fork("first", *done, branches=branches), end(), fields=[PRIORITY, FEE])


def deemed(**more: object) -> Procedure:
    return declared(step("first", move("confirm", "closed", **more), on_overdue="confirm"), end())


def booked(**more: object) -> Procedure:
    """A step that is due before an instant which only a field holds."""
    limit = TimeLimit(id="ready", step="first", before="meeting - 2h", source="proposal", **more)
    return declared(
        step("first", "closed", within=None), end(), fields=[Field("meeting", type="instant")], limits=[limit]
    )


def in_hours(**more: object) -> Procedure:
    """A step whose ladder waits for opening hours."""
    limit = hour("24h", in_opening_hours=True, **more)
    return declared(step("first", "closed", within=limit), end())


def timed_by(roles: tuple[Role, ...] | list[Role] = (), **more: object) -> Procedure:
    """One step, whose limit may be extended; a field that nothing else uses."""
    given = {"roles": roles} if roles else {}
    return declared(step("first", "closed", within=hour(**more)), end(), fields=[Field("memo")], **given)


def spanning(first: str, last: str, **more: object) -> TimeLimit:
    return TimeLimit(
        id="span", from_=first, to=last, within="9h", on_overdue="to_second", source="proposal", **more
    )


def waiting() -> Step:
    return step("second", "third", waits="third_party", at_most="1wd", within=None)


def fees(*rows: Row) -> TimeLimit:
    return TimeLimit(id="whole", match=rows)


def by_fee() -> list[Step]:
    """A fee over nine takes the way through `second`, of four hours; any other goes straight on."""
    return [
        step("first", move("go", "second", when="fee > 9"), move("go", "closed")),
        step("second", "closed", within=hour("4h")),
        end(),
    ]


CASES: dict[str, list[tuple[Make, Make]]] = {
    "automatic-loop": [
        (overdue, lambda: overdue(enforce={"rework": "refuse"})),
        (lambda: circling(at="until"), lambda: circling(after="1d")),
        (
            overdue,
            lambda: declared(
                step("first", "second", on_overdue="to_second"),
                step("second", "closed", move("back", "first", kind="rework", at_most=3)),
                end(),
            ),
        ),
        (
            lambda: declared(
                fork(
                    "first",
                    move("done", "second"),
                    branches={"a": [step("a1", "a2", on_overdue="to_a2"), end("a2", "done")]},
                ),
                step("second", "first", "closed", on_overdue="to_first"),
                end(),
            ),
            lambda: declared(
                fork("first", move("done", "second"), branches={"a": [step("a1", "a2"), end("a2", "done")]}),
                step("second", "first", "closed", on_overdue="to_first"),
                end(),
            ),
        ),
    ],
    "dead-end": [
        (
            lambda: declared(step("first", "second", "closed"), step("second"), end()),
            lambda: declared(step("first", "second", "closed"), step("second", "closed"), end()),
        )
    ],
    "limit-below-shortest-way": [
        (  # the only way is that of a fee that the short limit is not for
            lambda: timed(fees(row("3h", "fee > 9"), row("9h")), *by_fee()),
            lambda: timed(fees(row("3h", "fee <= 9"), row("9h")), *by_fee()),
        ),
        (lambda: timed(whole("24h"), *line("15h", "15h")), lambda: timed(whole("24h"), *line("12h", "12h"))),
        (lambda: timed(whole("3wd"), *line("2wd", "2wd")), lambda: timed(whole("3wd"), *line("1wd", "2wd"))),
        (lambda: timed(whole("8wh"), *line("4wh", "5wh")), lambda: timed(whole("8wh"), *line("4wh", "4wh"))),
    ],
    "limit-below-longest-way": [
        (
            lambda: timed(
                whole("2h"), step("first", "second", "closed"), step("second", "closed", within=hour("2h")), end()
            ),
            lambda: timed(
                whole("3h"), step("first", "second", "closed"), step("second", "closed", within=hour("2h")), end()
            ),
        ),
    ],
    "no-way-to-end": [
        (
            lambda: declared(
                step("first", "second", "closed"), step("second", "third"), step("third", "second"), end()
            ),
            lambda: declared(
                step("first", "second", "closed"), step("second", "third"), step("third", "closed"), end()
            ),
        )
    ],
    "row-unreachable": [
        (lambda: by_rows("fee > 5", "fee > 9"), lambda: by_rows("fee > 9", "fee > 5")),
        (
            lambda: two(move("go", "second"), move("go", "closed", when="fee > 1")),
            lambda: two(move("go", "closed", when="fee > 1"), move("go", "second")),
        ),
        (
            lambda: two(
                move("go", "second", when="fee*2>1"), move("go", "closed", when="fee * 2 > 1"), move("go", "second")
            ),
            lambda: two(
                move("go", "second", when="fee*2>2"), move("go", "closed", when="fee * 2 > 1"), move("go", "second")
            ),
        ),
        (
            lambda: two(move("go", "second", when="fee > 2 and fee < 1")),
            lambda: two(move("go", "second", when="fee > 1 and fee < 2")),
        ),
        (lambda: two(move("go", "second", when="fee < 0")), lambda: two(move("go", "second", when="fee <= 0"))),
        (
            lambda: matrix(row("1h", 'priority != "high"'), row("2h", 'priority == "low"'), row("3h")),
            lambda: matrix(row("1h", 'priority == "low"'), row("3h")),
        ),
        (
            lambda: matrix(row("1h", 'priority == "high"'), row("2h", 'priority == "low"'), row("3h")),
            lambda: matrix(row("1h", 'priority == "high"'), row("3h")),
        ),
    ],
    "span-without-way": [
        (
            lambda: timed(TimeLimit(id="span", from_="s1", to="s0", within="5h"), *line("1h", "1h")),
            lambda: timed(TimeLimit(id="span", from_="s0", to="s1", within="5h"), *line("1h", "1h")),
        ),
        (
            lambda: timed(TimeLimit(id="span", from_="s1", to_trigger="to_s1", within="5h"), *line("1h", "1h")),
            lambda: timed(TimeLimit(id="span", from_="s0", to_trigger="to_s1", within="5h"), *line("1h", "1h")),
        ),
    ],
    "span-of-nothing": [
        (
            lambda: timed(TimeLimit(id="span", from_="s1", to="s1", within="5h"), *line("1h", "1h")),
            lambda: timed(TimeLimit(id="span", step="s1", within="5h"), *line("1h", "1h")),
        )
    ],
    "visits-never-again": [
        (
            lambda: returning(within=hour(visits="each"), back=False),
            lambda: returning(within=hour(visits="each")),
        ),
        (
            lambda: returning(TimeLimit(id="span", from_="first", to="closed", within="9h", visits="first")),
            lambda: returning(TimeLimit(id="span", from_="second", to="first", within="9h", visits="first")),
        ),
    ],
    "unknown-choice": [
        (
            lambda: two(move("go", "second", when='priority == "hihg" or fee > 1')),
            lambda: two(move("go", "second", when='priority == "high" or fee > 1')),
        ),
        (
            lambda: two(move("go", "second", when='recipient.group in ["leader", "staff"]')),
            lambda: two(move("go", "second", when='recipient.group in ["leaders", "staff"]')),
        ),
    ],
    "unreachable-step": [
        (
            lambda: declared(step("first", "closed"), step("second", "closed"), end()),
            lambda: declared(step("first", "closed", "second"), step("second", "closed"), end()),
        )
    ],
    "deemed-move-closed": [
        (
            lambda: timed(whole("9h", on_overdue="to_second"), step("first", "second"), step("second", "closed"), end()),
            lambda: timed(
                whole("9h", on_overdue="stop"),
                step("first", "second", move("stop", "closed")),
                step("second", "closed", move("stop", "closed")),
                end(),
            ),
        ),
        (
            lambda: timed(spanning("second", "third", stoppable=False), step("first", "second"), waiting(), step("third", "closed"), end()),
            lambda: timed(
                spanning("second", "third"), step("first", "second"), waiting(), step("third", "closed"), end()
            ),
        ),
    ],
    "deemed-move-owes": [
        (lambda: joined(move("done", "closed", requires=["x"])), lambda: joined(move("done", "closed"))),
        (lambda: deemed(requires=["signature"]), deemed),
        (
            lambda: timed(
                whole("9h", on_overdue="confirm"), step("first", move("confirm", "closed", requires=["x"])), end()
            ),
            lambda: timed(whole("9h"), step("first", move("confirm", "closed", requires=["x"])), end()),
        ),
    ],
    "end-never-reached": [
        (
            lambda: declared(step("first", "closed"), end(), end("turned_down", "rejected")),
            lambda: declared(step("first", "closed", "turned_down"), end(), end("turned_down", "rejected")),
        )
    ],
    "evidence-without-exit": [
        (
            lambda: declared(step("first", "second", "closed"), step("second", evidence=["photo"]), end()),
            lambda: declared(step("first", "second", "closed"), step("second"), end()),
        )
    ],
    "name-missing": [
        (
            lambda: declared(step("first", "closed", name=Text(zh="一")), end()),
            lambda: declared(step("first", "closed", name=Text(zh="一", en="one")), end()),
        ),
        (
            lambda: declared(step("first", move("go", "closed", name=Text(en="go"))), end()),
            lambda: declared(step("first", move("go", "closed")), end()),
        ),
        (
            lambda: declared(step("first", "closed", name=Text(zh="一", en=" \u200b")), end()),
            lambda: declared(step("first", "closed", name=Text(zh="一", en="one")), end()),
        ),
        (
            lambda: declared(step("first", move("go", "closed", name=NO_TEXT)), end()),
            lambda: declared(
                fork(
                    "first",
                    move("done", "closed", name=NO_TEXT),
                    branches={"a": [step("a1", "a2"), end("a2", "done")]},
                ),
                end(),
            ),
        ),
    ],
    "not-by-never-before": [
        (
            lambda: declared(step("first", "second", not_by="second"), step("second", "closed"), end()),
            lambda: declared(step("first", "second"), step("second", "closed", not_by="first"), end()),
        ),
        (
            lambda: declared(step("first", "closed", not_by="first"), end()),
            lambda: declared(
                step("first", "closed", move("again", "first", kind="rework", at_most=1), not_by="first"), end()
            ),
        ),
        (
            lambda: declared(
                step("first", "second"), step("second", "closed", not_by=["first", "second"]), end()
            ),
            lambda: declared(
                step("first", "second"),
                step("second", "third"),
                step("third", "closed", not_by=["first", "second"]),
                end(),
            ),
        ),
    ],
    "number-unsourced": [
        (lambda: asleep(source=None), asleep),
        (lambda: declared(step("first", "closed", within="1h"), end()), lambda: declared(step("first", "closed"), end())),
        (
            lambda: matrix(row("1h", 'priority == "high"'), Row(within="2h")),
            lambda: matrix(row("1h", 'priority == "high"'), Row(no_target=True)),
        ),
        (
            lambda: declared(*line("1h"), indicators=[Indicator("rate", name=NAME, target=">= 95%")]),
            lambda: declared(*line("1h"), indicators=[Indicator("rate", name=NAME)]),
        ),
    ],
    "rework-unbounded": [
        (lambda: recall(kind="rework"), lambda: recall(kind="rework", at_most=2)),
        (
            lambda: recall(kind="rework"),
            lambda: declared(
                step("first", move("on", "second", at_most=3)),
                step("second", "closed", move("back", "first", kind="rework")),
                end(),
            ),
        ),
    ],
    "rows-ambiguous": [
        (
            lambda: two(
                move("go", "second", when="fee > 1"),
                move("go", "closed", when='priority == "high"'),
                move("go", "second"),
            ),
            lambda: two(
                move("go", "second", when="fee > 5"), move("go", "closed", when="fee > 1"), move("go", "second")
            ),
        ),
        (
            lambda: two(
                move("go", "second", when="fee > 1"),
                move("go", "closed", when='priority == "high"'),
                move("go", "second"),
            ),
            lambda: two(
                move("go", "second", when='fee > 1 and priority == "high"'),
                move("go", "second", when="fee > 1"),
                move("go", "closed", when='priority == "high"'),
                move("go", "second"),
            ),
        ),
    ],
    "rows-with-gap": [
        (
            lambda: joined(move("done", "closed", when="fee > 1")),
            lambda: joined(move("done", "closed", when="fee > 1"), move("done", "closed")),
        ),
        (
            lambda: two(move("go", "second", when="fee > 1"), move("go", "closed", when="fee < 1")),
            lambda: two(move("go", "second", when="fee > 1"), move("go", "closed", when="fee <= 1")),
        ),
        (
            lambda: two(move("go", "second", when="fee * 2 > 1"), move("go", "closed", when="fee * 2 <= 1")),
            lambda: two(move("go", "second", when="fee * 2 > 1"), move("go", "closed")),
        ),
    ],
    "step-without-limit": [
        (lambda: declared(step("first", "closed", within=None), end()), asleep),
        (
            lambda: declared(step("first", "closed", within=None), end()),
            lambda: timed(
                TimeLimit(id="span", from_="first", to="closed", within="1h", source="proposal"),
                step("first", "closed", within=None),
                end(),
            ),
        )
    ],
    "step-without-role": [
        (
            lambda: declared(step("first", "closed", role=None), end()),
            lambda: declared(step("first", move("go", "closed", role="clerk"), role=None), end()),
        ),
        (
            lambda: declared(step("first", "closed", role=None), end()),
            lambda: declared(step("first", "closed", role=None, within=None, waits="recipient", at_most="1wd"), end()),
        ),
    ],
    "wait-without-cap": [
        (lambda: declared(step("first", "closed", waits="recipient"), end()), lambda: declared(step("first", "closed", waits="recipient", then=AutomaticMove("to_closed", after="3wd", source="proposal")), end())),
        (
            lambda: declared(step("first", "closed", within=None, waits="recipient"), end()),
            lambda: declared(step("first", "closed", within=None, waits="recipient", at_most="1wd"), end()),
        ),
        (
            lambda: declared(*line("1h"), holds=[HoldRule("statutory")]),
            lambda: declared(*line("1h"), holds=[HoldRule("statutory", at_most="5wd")]),
        ),
    ],
    "warning-too-late": [
        (
            lambda: declared(step("first", "closed", within=hour(warn=["100%"])), end()),
            lambda: declared(step("first", "closed", within=hour(warn=["99%"])), end()),
        ),
        (
            lambda: declared(step("first", "closed", within=hour(warn=["+5m"])), end()),
            lambda: declared(step("first", "closed", within=hour(escalate=["+5m"])), end()),
        ),
        (
            lambda: declared(step("first", "closed", within=hour(warn=["120%"])), end()),
            lambda: booked(warn=["-10m"]),
        ),
    ],
    "rungs-coincide": [
        (
            lambda: declared(step("first", "closed", within=hour(escalate=["+60m", "+1h"])), end()),
            lambda: declared(step("first", "closed", within=hour(escalate=["+60m", "+2h"])), end()),
        ),
        (
            lambda: declared(step("first", "closed", within=hour(warn=["50%", "50.0%"])), end()),
            lambda: declared(step("first", "closed", within=hour(warn=["50%"], escalate=["150%"])), end()),
        ),
        (lambda: booked(warn=["-60m", "-1h"]), lambda: booked(warn=["-61m", "-1h"])),
        (
            lambda: declared(step("first", "closed", within=hour("5cd", escalate=["+1cd", "+1wd"])), end()),
            lambda: declared(
                step("first", "closed", within=hour("5cd", escalate=["+1wd", "+2wd", "+3wd"])), end()
            ),
        ),
        (
            lambda: declared(
                step("first", "closed", within=hour(escalate=["+1h", "+60wm"])), end(), calendar="cn_always"
            ),
            lambda: declared(step("first", "closed", within=hour(escalate=["+1h", "+60wm"])), end()),
        ),
        (lambda: in_hours(escalate=["+1h", "+4h"]), lambda: in_hours(escalate=["+1h", "+4wh", "+1wd"])),
        (lambda: booked(warn=["-60wm", "-1wh"]), lambda: booked(warn=["-1wd", "-1wh"])),
        (
            lambda: declared(step("first", "closed", within=hour("5cd", escalate=["+1cd", "+3cd"])), end()),
            lambda: declared(step("first", "closed", within=hour("5cd", escalate=["+1cd", "+4cd"])), end()),
        ),
        (
            lambda: declared(step("first", "closed", within=hour("5cd", escalate=["+1cd", "+2cd"])), end()),
            lambda: declared(
                step("first", "closed", within=hour("5cd", calendar="always", escalate=["+1cd", "+2cd"])), end()
            ),
        ),
    ],
    "field-unused": [
        (lambda: declared(step("first", "closed"), end(), fields=(Field("until", type="instant"),)), lambda: declared(step("first", "closed", then=AutomaticMove("to_closed", at="until")), end(), fields=(Field("until", type="instant"),))),
        (
            lambda: declared(*line("1h"), fields=[Field("memo")]),
            lambda: declared(step("first", move("go", "closed", requires=["memo"])), end(), fields=[Field("memo")]),
        ),
        (
            lambda: declared(*line("1h"), fields=[Field("memo")]),
            lambda: declared(*line("1h"), fields=[Field("memo", required=True)]),
        ),
        (lambda: attrs.evolve(booked(), limits=()), booked),
        (
            lambda: timed_by(extension=Extension("1h", "clerk")),
            lambda: timed_by(extension=Extension("1h", "clerk", evidence=["memo"])),
        ),
    ],
    "settled-at-the-end": [
        (
            lambda: declared(
                step("first", "second"), step("second", move("pay", "closed")), end(), fields=[attrs.evolve(FEE, settled_by="pay")]
            ),
            lambda: declared(
                step("first", move("pay", "second")),
                step("second", move("pay", "closed")),
                end(),
                fields=[attrs.evolve(FEE, settled_by="pay")],
            ),
        ),
    ],
    "guard-not-settled": [
        (
            lambda: declared(
                step("first", move("go", "second", when="fee > 1")), step("second", "closed"), end(), fields=[FEE]
            ),
            lambda: declared(
                step("first", move("go", "second", when="fee > 1")),
                step("second", "closed"),
                end(),
                fields=[attrs.evolve(FEE, settled_by="go")],
            ),
        ),
        (
            lambda: two(move("go", "second", when="fee > 1"), move("go", "closed")),
            lambda: two("second", move("go", "closed", when="fee > 1")),
        ),
        (
            lambda: two(move("go", "second", when="fee > 1")),
            lambda: declared(
                step("first", move("go", "second", when="fee > 1")),
                step("second", move("end", "closed", when="fee > 1")),
                end(),
                fields=[FEE],
            ),
        ),
    ],
    "limit-rows-overlap": [
        (
            lambda: matrix(row("1h", "fee > 1"), row("2h", 'priority == "high"'), row("3h")),
            lambda: matrix(row("1h", "fee > 1"), row("1h", 'priority == "high"'), row("3h")),
        )
    ],
    "notice-below-limit": [
        (lambda: asking("meeting - 30m", before="meeting - 30m"), lambda: asking("meeting - 31m", before="meeting - 30m")),
        (lambda: asking("meeting", before="meeting"), lambda: asking("meeting - 1m", before="meeting")),
        (lambda: asking("meeting - 1wd", before="meeting - 2wd"), lambda: asking("meeting - 1wd", before="meeting - 30m")),
        (
            lambda: asking("meeting - 2h", before="meeting - 2h"),
            lambda: asking("meeting - 2h", before="other - 2h"),
        ),
        (
            lambda: asking("meeting - 2wh", match=(row("1h", "fee > 1"), Row(before="meeting - 3wh", source="proposal"))),
            lambda: asking("meeting - 2wh", before="meeting - 3wh", calendar="always"),
        ),
    ],
    "loop-not-marked": [
        (recall, lambda: recall(kind="exception")),
        (
            lambda: declared(step("first", move("pour", "first"), "closed"), end()),
            lambda: timed(
                TimeLimit(id="tea", step="first", every="15m", done_by="pour", source="proposal"),
                step("first", move("pour", "first"), "closed"),
                end(),
            ),
        ),
        (
            recall,
            lambda: declared(
                step("first", "second", "closed"),
                step("second", "first", waits="third_party", at_most="1wd", within=None),
                end(),
            ),
        ),
    ],
    "start-in-utc": [
        (
            lambda: declared(*line("1h"), starts=[RegularStart(every="1cd", at="08:30")], calendar="always"),
            lambda: declared(*line("1h"), starts=[RegularStart(every="1cd", at="08:30")]),
        ),
        (
            lambda: declared(*line("1h"), starts=[RegularStart(every="1cd", at="08:30", calendar="always")]),
            lambda: declared(
                *line("1h"), starts=[RegularStart(every="1cd", at="08:30", calendar="office")], calendar="always"
            ),
        ),
    ],
    "certificate-unused": [
        (
            lambda: declared(step("first", "closed"), end(), certificates=[Certificate("licence")]),
            lambda: declared(
                step("first", "closed", qualified="licence"), end(), certificates=[Certificate("licence")]
            ),
        ),
    ],
    "parameter-unused": [
        (
            lambda: declared(*line("1h"), parameters=[Parameter("reply", value="1h", source="proposal")]),
            lambda: declared(*line("reply"), parameters=[Parameter("reply", value="1h", source="proposal")]),
        ),
    ],
    "role-unused": [
        (
            lambda: declared(*line("1h"), roles=[Role("clerk", name=NAME), Role("chief", name=NAME)]),
            lambda: declared(
                step("first", "closed", within=hour(escalate=[])),
                end(),
                roles=[Role("clerk", name=NAME)],
                enforce=Enforce(),
            ),
        ),
        (
            lambda: timed_by(roles=[Role("clerk", name=NAME), Role("chief", name=NAME)]),
            lambda: timed_by(
                extension=Extension("1h", "chief"), roles=[Role("clerk", name=NAME), Role("chief", name=NAME)]
            ),
        ),
    ],
}  # fmt: skip
EVERY = [(code, *pair) for code, pairs in CASES.items() for pair in pairs]


def test_every_code_of_the_table_is_put_to_the_test() -> None:
    """A code cannot be added to the table without a procedure that triggers it."""
    elsewhere = {
        "given-maybe-empty",
        "makeup-opens-days-off",
        "outcome-unheard",
        "personal-later",
        "start-not-covered",
    }
    assert set(CASES) | elsewhere == set(
        CODES
    )  # of calendars, of two versions, and of two procedures: elsewhere


@pytest.mark.parametrize(("code", "wrong", "near_miss"), EVERY)
def test_a_code_is_found_where_it_is_and_not_beside_it(code: str, wrong: Make, near_miss: Make) -> None:
    """Each code is reported for its mistake and not for the nearest sound declaration."""
    assert code in codes(wrong())
    assert code not in codes(near_miss())


@pytest.mark.parametrize(("code", "wrong", "_near_miss"), EVERY)
def test_a_finding_says_what_and_what_to_do_in_both_languages(
    code: str, wrong: Make, _near_miss: Make
) -> None:
    """Every finding carries message and remedy in Chinese and English, a place, and its table severity."""
    for finding in found(wrong(), code):
        assert all((finding.message.zh, finding.message.en, finding.remedy.zh, finding.remedy.en))
        assert finding.severity == CODES[code].severity
        assert finding.path


def test_a_sound_procedure_has_no_finding() -> None:
    """Nothing is reported of a procedure that nothing is wrong with."""
    sound = declared(
        step("first", "work", move("refuse", "turned_down", requires=["reason"])),
        fork(
            "work",
            move("done", "check"),
            branches={
                "room": [step("room1", "room2"), end("room2", "done")],
                "food": [step("food1", "food2"), end("food2", "done")],
            },
        ),
        step("check", "closed", move("again", "work", kind="rework", at_most=1), not_by="room1"),
        end(),
        end("turned_down", "rejected"),
        limits=[whole("3h")],
    )
    assert check(sound) == ()


def test_a_field_that_is_personal_only_later_is_found_from_python_too():
    """The version before is given beside the one that is checked."""
    step = (Step("a", to=[Transition("go", "b")]), Step("b", end="completed"))
    older = Procedure(id="p", steps=step, fields=[Field("phone")])
    newer = Procedure(id="p", version=2, steps=step, fields=[Field("phone", personal=True)])
    assert [one.path for one in check(newer, earlier=older) if one.code == "personal-later"] == [
        ("fields", "phone", "personal")
    ]
    assert not [one for one in check(newer) if one.code == "personal-later"]


@pytest.mark.parametrize(("first", "count"), [("2026-12-31", 0), ("2027-01-01", 1), ("2007-12-31", 1)])
def test_a_regular_start_outside_the_coverage_of_its_calendar_is_found(first: str, count: int) -> None:
    """When it begins is not known until the calendar covers that year; of another calendar nothing is known here."""
    office = shipped_calendar("cn_office")
    start = RegularStart(every="14cd", from_=date.fromisoformat(first), at="08:30")
    procedure = declared(*line("1h"), starts=[start], calendar="cn_office")
    assert len(found(procedure, "start-not-covered", calendar=office)) == count
    elsewhere = attrs.evolve(procedure, starts=[attrs.evolve(start, calendar="nl_office")])
    assert not found(elsewhere, "start-not-covered", calendar=office)
