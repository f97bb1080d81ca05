"""No raw error: whatever is given to an engine, only documented errors come out, and they can be written and say where."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from svcflow import Actor, Catalog, Engine, Recipient, VirtualClock
from svcflow.bounds import shown
from svcflow.errors import SvcflowError
from svcflow.model.procedure import Procedure
from svcflow.model.yaml.document import parse_document
from svcflow.model.yaml.parse import structure_procedure

EVER = (datetime.min, datetime.max)  # noqa: DTZ901  # without a zone, as hosts give them
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LI = Actor("li", {"clerk", "boss"})
DAY = timedelta(days=1)


def asking(version: int) -> Procedure:
    return parse_document(f"""
procedure: ask
version: {version}
roles: {{clerk: Clerk, boss: Boss}}
holds: {{third_party: {{at_most: 5d}}}}
fields:
  note: {{type: text}}
  n: {{type: number}}
  at: {{type: instant}}
  yes: {{type: boolean}}
  kind: {{type: choice, choices: [a, b]}}
  who: {{type: text, personal: true}}
starts: [{{every: 1cd, at: "08:30", for: residents}}]
steps:
  asked: {{role: clerk, within: 2wh, to: {{answer: answered, again: {{step: asked, requires: [why]}}}}}}
  answered: {{end: done}}
limits:
  - {{id: before, before: at - 30m}}
  - {{id: whole, within: 5d, extension: {{by: 1d, role: boss}}}}
""").build(structure_procedure)


class Zoneless(tzinfo):
    """A time zone that does not know its offset."""

    def utcoffset(self, _: datetime | None) -> None:
        return None

    def dst(self, _: datetime | None) -> None:
        return None

    def tzname(self, _: datetime | None) -> str:
        return "none"


class Unspeakable:
    """An object that can neither be written nor hashed."""

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        raise RuntimeError("unspeakable")

    def __eq__(self, _: object) -> bool:
        return False


def far(at: datetime, hours: int) -> datetime:
    return at.replace(tzinfo=timezone(timedelta(hours=hours, minutes=59)))


FEW: tuple[object, ...] = (
    None, True, -1, 10**5000, math.nan, "", "\ud800", "x", b"x", [], {1: 2}, {"n": 10**5000}, {"at": "0001-01-01T00:00:00+14:00"},
    {"x": {"y": [1]}}, {None}, ("ask", 10**5000), EVER[1], far(EVER[0], 13), NOON.replace(tzinfo=Zoneless()), timedelta.max,
    Unspeakable(), Actor("li"), object(),
)  # fmt: skip
MORE: tuple[object, ...] = (
    0, 1, 2**31, 2**63, -(2**63) - 1, 0.5, math.inf, -math.inf, 1e308, " ", "\0", "x" * 100_000, "2026-03-02", "9" * 5000, bytearray(b"x"),
    ["clerk"], {}, {"x": 1}, {"note": b"x"}, {"note": "\ud800"}, {"note": ["x"]}, {"n": math.nan}, {"n": Decimal("NaN")},
    {"n": Decimal("1e999999")}, {"n": Fraction(1, 3)}, {"at": NOON.replace(tzinfo=None)}, {"at": "9999-12-31T23:59:59-14:00"},
    {"at": Zoneless()}, {"kind": []}, {"kind": {}}, {"yes": 1}, set(), {"clerk"}, {b"x"}, {"\ud800"}, (), ("ask", 1), ("ask", "1"),
    ("ask", True), (b"ask", 1), date(2026, 3, 2), EVER[0], far(EVER[1], -15), NOON.replace(tzinfo=timezone(timedelta(seconds=1))),
    NOON, timedelta(0), timedelta.min, DAY, Decimal("NaN"), Fraction(1, 3), len, Exception("x"), Actor("", None), Recipient("z"), range(3),
    Path("x"), 1j, type, iter([]),
)  # fmt: skip

COMMAND = {"instance": "a", "actor": LI, "command_id": None, "expected_revision": None}
ANSWER = {"instance": "a", "deviation": 1, "reason": "x", "actor": LI, "command_id": None}
FILTERS = {
    "procedure": None,
    "step": None,
    "role": None,
    "group": None,
    "since": None,
    "until": None,
    "status": None,
}
PAGE = {"limit": 1, "after": None}
CALLS: Mapping[str, Mapping[str, object]] = {
    "start": {
        "procedure": "ask",
        "data": {},
        "recipient": None,
        "actor": LI,
        "evidence": {},
        "instance_id": None,
        "command_id": None,
    },
    "fire": COMMAND
    | {
        "trigger": "again",
        "data": {"why": "x"},
        "evidence": {},
        "step": None,
        "override": None,
        "occurred_at": None,
    },
    "hold": COMMAND | {"reason": "third_party", "evidence": {}},
    "resume": COMMAND,
    "update": COMMAND | {"data": {}, "evidence": {}},
    "reschedule": COMMAND | {"field": "at", "at": NOON},
    "extend": COMMAND | {"limit": "whole", "reason": "x", "evidence": {}},
    "claim": COMMAND | {"step": None},
    "assign": COMMAND | {"to": "wang", "step": None, "reason": ""},
    "release": COMMAND | {"step": None, "reason": ""},
    "explain_deviation": ANSWER,
    "accept_deviation": ANSWER,
    "reject_deviation": ANSWER,
    "instance": {"instance": "a"},
    "instances": FILTERS | PAGE | {"recipient": None, "data": {}, "due_before": None},
    "count_instances": FILTERS | {"data": {}},
    "instance_counts": {"by": "status"},
    "deadlines": {"instance": "a"},
    "coming_moves": {"instance": "a"},
    "explain": {"instance": "a", "limit": "whole"},
    "available": {"instance": "a", "actor": LI},
    "journal": {"instance": "a"},
    "deviations": FILTERS | PAGE | {"instance": None, "kind": None},
    "count_deviations": FILTERS | {"kind": None},
    "deviation_counts": {"by": "kind"},
    "worklist": PAGE | {"actor": LI, "role": "clerk", "procedure": None, "due_before": None},
    "overdue": PAGE | {"actor": LI, "within": timedelta(0), "role": "clerk", "procedure": None},
    "verify": {"instance": "a", "checkpoint": None},
    "delegate": {
        "giver": LI,
        "taker": "wang",
        "roles": {"clerk"},
        "since": NOON,
        "until": NOON + DAY,
        "procedures": (),
        "delegation_id": None,
    },
    "revoke": {"delegation": "x"},
    "delegations": {"giver": None, "taker": None},
    "acting": {"actor": LI, "giver": "x", "procedure": "ask"},
    "migrate": COMMAND | {"version": 2, "steps": {}, "reason": "x", "due": "keep", "data": {}},
    "revert_migration": COMMAND | {"reason": "x"},
    "preview_migration": {
        "instances": "a",
        "version": 2,
        "steps": {},
        "due": "keep",
        "data": {},
        "actor": LI,
    },
    "recompute": {"reason": "x", "actor": LI},
    "forget": {"person": "z", "actor": LI},
    "seal": {"to": None},
    "dead_letters": {"subscription": None},
    "redeliver": {"subscription": "x", "instance": None},
    "unsubscribe": {"subscription": "x"},
    "coming_starts": {"until": NOON + DAY},
    "recipients": {"name": "residents"},
    "on_fact": {"name": "n", "since": "now", "attempts": 8, "pause": DAY, "longest_pause": DAY, "lease": DAY},
}
"""The methods of an engine with what is in order; one part after the other is replaced by something hostile."""
NOT_CALLED = {
    "close",
    "due_at",
    "deliver",
    "dispatch_by",
    "on",
    "running",
    "subscriptions",
    "tick",
}
"""What takes nothing, or objects of the host's own."""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.chdir(tmp_path)  # a file that is named like nothing may come about
    with Engine("memory://", Catalog.of(asking(1), asking(2)), clock=VirtualClock(NOON)) as engine:
        engine.start(
            ("ask", 1), instance_id="a", actor=LI, recipient=Recipient("z", "staff"), data={"who": "w"}
        )
        yield engine


def test_every_method_of_an_engine_is_tried():
    """A method that comes later is to stand in the table too."""
    public = {
        name for name, one in inspect.getmembers(Engine, inspect.isfunction) if not name.startswith("_")
    }
    assert public == {*CALLS} | NOT_CALLED


def raw(call: Callable[[], object]) -> str:
    """What came out that is no documented error, or one that cannot be written; nothing when all is well."""
    try:
        call()
    except SvcflowError as error:
        try:
            return "" if (error.text("zh") + error.text("en")).encode() else "an empty message"
        except ValueError as flaw:
            return f"a message that cannot be written: {flaw!r}"
    except Exception as error:  # noqa: BLE001  # this is what must not be
        return repr(error)
    return ""


def tried(engine: Engine, method: str, values: tuple[object, ...]) -> list[str]:
    found = []
    for place in CALLS[method]:
        for value in values:
            given = {**CALLS[method], place: value}
            said = raw(lambda given=given: _called(engine, method, given))
            if said:
                found.append(f"{method}({place}={shown(value)}): {said}")
    return found


def _called(engine: Engine, method: str, given: Mapping[str, object]) -> None:
    made = getattr(engine, method)(**given)
    if method == "recipients":
        made(lambda _: ())
    if method == "on_fact":
        made(lambda _: None)
        engine.unsubscribe(str(given["name"]))


@pytest.mark.parametrize("method", CALLS)
def test_a_call_with_something_hostile_is_answered_or_refused(engine, method):
    """Of the wrong kind, huge, endless, half a character, of no time zone: FieldError and the like, never a raw error."""
    assert tried(engine, method, FEW) == []
    assert engine.verify().ok
    assert len(engine.tick()) == 0


@pytest.mark.long
@pytest.mark.parametrize("url", ["memory://", "sqlite:///service.db"])
def test_whatever_a_call_is_given_it_is_answered_or_refused(url, tmp_path, monkeypatch):
    """All of it in one store, which answers all the same afterwards."""
    monkeypatch.chdir(tmp_path)
    with Engine(url, Catalog.of(asking(1), asking(2)), clock=VirtualClock(NOON)) as engine:
        engine.start(("ask", 1), instance_id="a", actor=LI, recipient=Recipient("z"), data={"who": "w"})
        assert [said for method in CALLS for said in tried(engine, method, (*FEW, *MORE))] == []
        assert engine.verify().ok
        engine.clock.advance(10 * DAY)
        engine.tick()
        assert len(engine.worklist()) == engine.count_instances(status="running")
        assert [engine.deadlines(one.id) for one in engine.instances()]
