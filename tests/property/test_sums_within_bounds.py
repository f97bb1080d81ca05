"""Every sum of values within the bounds fits: nothing overflows, whatever a procedure declares and whenever it runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svcflow import Actor, Catalog, Engine, VirtualClock
from svcflow.bounds import FIRST_US, LAST_US, LONGEST, SMALLEST
from svcflow.errors import SvcflowError
from svcflow.kernel.facts import to_datetime
from svcflow.kernel.instance import NEVER
from svcflow.model.yaml.document import parse_document
from svcflow.model.yaml.parse import structure_procedure

LI = Actor("li", {"clerk"})
FIRST, LAST = to_datetime(FIRST_US), to_datetime(LAST_US)
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
TIMES = st.sampled_from([FIRST, FIRST + timedelta(hours=1), NOON, LAST - timedelta(hours=1), LAST])
CALENDARS = {
    "rare": "{calendar: rare, timezone: Pacific/Kiritimati, weekly: {mon: ['09:00-09:01']}}",
    "west": "{calendar: west, timezone: America/Adak, weekly: {mon-sun: ['00:00-24:00']}}",
    "covered": "{calendar: covered, timezone: Asia/Shanghai, weekly: {mon-fri: ['08:30-17:30']},"
    " covers: {from: 1900-01-01, to: 2199-12-31}}",
}
FAMILIES = {
    "m": "m h d",
    "h": "m h d",
    "d": "m h d",
    "wm": "wm wh",
    "wh": "wm wh",
    "wd": "wd",
    "cd": "cd",
    "mo": "mo y",
    "y": "mo y",
}


@st.composite
def amounts(draw: st.DrawFn, units: str, *, short: bool = True) -> str:
    unit = draw(st.sampled_from(units.split()))
    longest = LONGEST[unit]
    return f"{draw(st.sampled_from([1, longest // 2, longest] if short else [longest // 2, longest]))}{unit}"


@st.composite
def limits(draw: st.DrawFn, name: str) -> str:
    """A limit at the bounds, with a ladder and an extension at the bounds."""
    kind = draw(st.sampled_from(["within", "at_least", "every", "before", "after", "by"]))
    unit = draw(st.sampled_from(["m", "d", "wh", "wd"] if kind in ("before", "after") else list(FAMILIES)))
    amount = draw(amounts(unit, short=kind != "every"))  # every minute of three centuries is too many to miss
    if kind == "by":
        return f"{{id: {name}, by: '23:59', day: {draw(st.sampled_from([0, LONGEST['wd']]))}}}"
    if kind in ("before", "after"):
        rung = draw(amounts("d wh wd"))
        return (
            f"{{id: {name}, {kind}: meet {'-' if kind == 'before' else '+'} {amount}, escalate: ['+{rung}']}}"
        )
    if kind == "every":
        return f"{{id: {name}, every: {amount}, done_by: again, warn: ['50%']}}"
    if kind == "at_least":
        return f"{{id: {name}, at_least: {amount}, warn: ['50%']}}"
    more = draw(amounts(FAMILIES[unit]))
    share = draw(st.sampled_from(["50%", "100%", "9999.999%"]))
    return f"{{id: {name}, within: {amount}, warn: ['{share}'], escalate: ['+{more}'], extension: {{by: {more}}}}}"


@st.composite
def procedures(draw: st.DrawFn) -> str:
    calendar = draw(st.sampled_from(["always", *CALENDARS]))
    held = draw(amounts("d wd mo"))
    return f"""
procedure: far
calendar: {calendar}
roles: {{clerk: Clerk}}
fields: {{meet: {{type: instant}}}}
holds: {{third_party: {{at_most: {held}}}}}
steps:
  a: {{role: clerk, to: {{again: a, end: z}}}}
  z: {{end: done}}
limits: [{draw(limits("one"))}, {draw(limits("two"))}]
"""


def asked(engine: Engine) -> Iterator[object]:
    """Everything that can be asked of everybody; none of it may fail."""
    yield [(one.due_at, one.entered_at) for one in engine.worklist()]
    yield [(one.due_at, one.overrun, one.occurred_at) for one in engine.deviations()]
    yield engine.overdue(within=timedelta(days=36_525))
    for one in engine.instances():
        yield engine.available(one.id, LI)
        yield [fact.occurred_at.isoformat() for fact in engine.journal(one.id)]
        yield [(line.due_at, line.remaining) for line in engine.deadlines(one.id, ended=True)]


def refused(call: object) -> bool:
    """Whether a documented error came of it; whatever else comes fails the test."""
    try:
        call()  # type: ignore[operator]
    except SvcflowError:
        return True
    return False


def run(url: str, text: str, start: datetime, meet: datetime, later: datetime) -> None:
    documents = {name: parse_document(one) for name, one in CALENDARS.items()}
    procedure = parse_document(text).build(structure_procedure)
    catalog = Catalog({("far", 1): procedure}, calendars=documents)
    clock = VirtualClock(start)
    with Engine(url, catalog, clock=clock) as engine:
        refused(lambda: engine.start("far", instance_id="i", actor=LI))
        for command in (
            lambda: engine.reschedule("i", "meet", meet, actor=LI),
            lambda: engine.extend("i", "one", reason="x", actor=LI),
            lambda: engine.hold("i", reason="third_party", actor=LI),
            lambda: clock.move_to(max(start, later)),
            lambda: engine.resume("i", actor=LI),
            lambda: engine.fire("i", "again", actor=LI, occurred_at=start),
            lambda: engine.extend("i", "two", reason="x", actor=LI),
        ):
            refused(command)
            for one in engine.instances():
                for state in one.stopwatches.values():
                    assert SMALLEST < state.due_us <= NEVER
                    assert SMALLEST < state.next_us <= NEVER
                assert SMALLEST < one.next_us <= NEVER
        for limit in ("one", "two"):
            refused(lambda limit=limit: engine.explain("i", limit).text("zh+en"))
        assert all(one is not None for one in asked(engine))
        refused(lambda: engine.fire("i", "end", actor=LI))
        assert all(one is not None for one in asked(engine))
        assert engine.verify().problems == ()


@given(procedures(), TIMES, TIMES, TIMES)
@settings(max_examples=6)
def test_no_sum_of_values_within_the_bounds_overflows(text, start, meet, later):
    """A command goes through or is refused with a documented error; everybody is answered about; all of it verifies."""
    run("memory://", text, start, meet, later)


@pytest.mark.long
@given(procedures(), TIMES, TIMES, TIMES)
@settings(max_examples=25)
def test_no_sum_overflows_what_a_store_can_hold(text, start, meet, later):
    """The same on a database, which holds 64 bits."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        run(f"sqlite:///{folder}/far.db", text, start, meet, later)
