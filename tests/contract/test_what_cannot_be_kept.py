"""What no journal or no database can keep is refused at the door: by one error, in the same words on every store."""

from __future__ import annotations

import math
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import orjson
import pytest
from contract_cases import NOON

from svcflow import Actor, Engine, Recipient, VirtualClock
from svcflow.errors import FieldError
from svcflow.journal.canonical import to_bytes
from svcflow.kernel.facts import Updated
from svcflow.kernel.storable import storage_error
from svcflow.model.field import Field
from svcflow.model.procedure import Procedure, Role
from svcflow.model.step import Step, Transition

PROCEDURE = Procedure(
    id="repair",
    roles=(Role("clerk"),),
    fields=(Field("note"), Field("size", type="number"), Field("phone", personal=True)),
    steps=(
        Step(
            "reported",
            role="clerk",
            to=(Transition("again", "reported"), Transition("pay", "paid", requires=("bill",))),
        ),
        Step("paid", end="completed"),
    ),
)
LI = Actor("li", {"clerk"})
DAY = {"since": NOON, "until": NOON + timedelta(days=1)}
Ask = Callable[[Engine, object], object]

KEPT: dict[str, tuple[str, Ask]] = {
    "start data": ("data.note", lambda e, it: e.start("repair", data={"note": it}, actor=LI)),
    "data": ("data.note", lambda e, it: e.fire("r1", "again", data={"note": it}, actor=LI)),
    "required": ("data.bill", lambda e, it: e.fire("r1", "pay", data={"bill": it}, actor=LI)),
    "personal": ("data.phone", lambda e, it: e.update("r1", data={"phone": it}, actor=LI)),
    "evidence": ("evidence.photo", lambda e, it: e.fire("r1", "again", evidence={"photo": it}, actor=LI)),
    "asked": ("data.note", lambda e, it: e.instances(data={"note": it})),
    "counted": ("data.note", lambda e, it: e.count_instances(data={"note": it})),
    "counted by": ("data.note", lambda e, it: e.instance_counts("status", data={"note": it})),
}
"""The entrances of values, and the place that their error names."""

TEXTS: dict[str, tuple[str, Ask]] = {
    "override": ("override", lambda e, it: e.fire("r1", "again", override=it, actor=LI)),
    "hold": ("reason", lambda e, it: e.hold("r1", reason=it, actor=LI)),
    "reason": ("reason", lambda e, it: e.assign("r1", "wang", reason=it, actor=LI)),
    "explanation": ("reason", lambda e, it: e.explain_deviation("r1", 2, reason=it, actor=LI)),
    "recompute": ("reason", lambda e, it: e.recompute(reason=it)),
    "migrate": ("reason", lambda e, it: e.migrate("r1", 1, reason=it)),
    "mapped": ("steps.reported", lambda e, it: e.migrate("r1", 1, reason="x", steps={"reported": it})),
    "claimed": ("step", lambda e, it: e.claim("r1", step=it, actor=LI)),
    "extend": ("limit", lambda e, it: e.extend("r1", it, reason="x", actor=LI)),
    "reschedule": ("field", lambda e, it: e.reschedule("r1", it, NOON, actor=LI)),
    "instance": ("instance", lambda e, it: e.fire(it, "again", actor=LI)),
    "looked up": ("instance", lambda e, it: e.instance(it)),
    "journal": ("instance", lambda e, it: e.journal(it)),
    "verify": ("instance", lambda e, it: e.verify(it)),
    "forget": ("person", lambda e, it: e.forget(it)),
    "redeliver": ("instance", lambda e, it: e.redeliver("watch", it)),
    "roles": ("roles", lambda e, it: e.delegate(Actor("q", {it}), "wang", roles={it}, **DAY)),
    "procedures": (
        "procedures",
        lambda e, it: e.delegate(LI, "wang", roles={"clerk"}, procedures={it}, **DAY),
    ),
    "of instance": ("instance", lambda e, it: e.deviations(instance=it)),
    "of kind": ("kind", lambda e, it: e.count_deviations(kind=it)),
    "of group": ("group", lambda e, it: e.deviation_counts("step", group=it)),
    "work of role": ("role", lambda e, it: e.worklist(role=it)),
    "work of procedure": ("procedure", lambda e, it: e.worklist(procedure=it)),
    "work of person": ("actor", lambda e, it: e.worklist(Actor(it, {"clerk"}))),
    "work of roles": ("actor.roles", lambda e, it: e.worklist(Actor("li", {it}))),
} | {
    f"of {name}": (name, lambda e, it, name=name: e.instances(**{name: it}))
    for name in ("procedure", "status", "step", "role", "recipient", "group")
}  # fmt: skip
"""The entrances of texts."""

NAMES: dict[str, tuple[str, int, Ask]] = {
    "instance": ("instance_id", 80, lambda e, it: e.start("repair", instance_id=it, actor=LI)),
    "command": ("command_id", 200, lambda e, it: e.fire("r1", "again", command_id=it, actor=LI)),
    "first command": ("command_id", 200, lambda e, it: e.start("repair", command_id=it, actor=LI)),
    "actor": ("actor.id", 200, lambda e, it: e.fire("r1", "again", actor=Actor(it, {"clerk"}))),
    "behalf": (
        "actor.behalf",
        200,
        lambda e, it: e.resume(
            "r1", actor=Actor("li", {"clerk"}, f"w{it}"[-201:] if isinstance(it, str) else it)
        ),
    ),
    "recipient": ("recipient.id", 200, lambda e, it: e.start("repair", recipient=Recipient(it), actor=LI)),
    "assignee": ("to", 200, lambda e, it: e.assign("r1", it, actor=LI)),
    "who forgets": ("actor.id", 200, lambda e, it: e.forget("wang", actor=Actor(it))),
    "who recomputes": ("actor.id", 200, lambda e, it: e.recompute(reason="x", actor=Actor(it))),
    "delegation": (
        "delegation_id",
        80,
        lambda e, it: e.delegate(LI, "wang", roles={"clerk"}, delegation_id=it, **DAY),
    ),
    "giver": ("giver", 200, lambda e, it: e.delegate(Actor(it, {"clerk"}), "wang", roles={"clerk"}, **DAY)),
    "taker": ("taker", 200, lambda e, it: e.delegate(LI, it, roles={"clerk"}, **DAY)),
}
"""The entrances of names that are new, and how long these may be."""


@pytest.fixture
def engine(store) -> Engine:
    engine = Engine(store, PROCEDURE, clock=VirtualClock(NOON))
    engine.start("repair", instance_id="r1", actor=LI)
    engine.on_fact("moved", name="watch")(lambda _: None)
    return engine


def places(engine: Engine, entrances: dict[str, tuple[str, Ask]], given: object, said: str) -> dict[str, str]:
    """Give the same to each entrance; return the places that the errors name. They all say the same."""
    found = {}
    for name, (_, ask) in entrances.items():
        with pytest.raises(FieldError) as caught:
            ask(engine, given)
        place, _, rest = str(caught.value).partition(": ")
        assert said in rest, f"{name}: {caught.value}"
        assert caught.value.text("zh").partition("：")[0] == place
        assert caught.value.remedy
        found[name] = place
    return found


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param("\ud800", "U+D800, half of a surrogate pair", id="half a surrogate"),
        pytest.param("a\0b", "U+0000, which not every store can keep", id="nul"),
    ],
)
def test_a_text_that_is_not_whole_is_refused_wherever_it_comes_in(engine, given, said):
    """Commands and questions alike name the place and the remedy; nothing is recorded, and the engine goes on."""
    entrances = KEPT | TEXTS | {name: (place, ask) for name, (place, _, ask) in NAMES.items()}
    assert places(engine, entrances, given, said) == {name: place for name, (place, _) in entrances.items()}
    keys = {
        "data": ("", lambda e, it: e.update("r1", data={it: "x"}, actor=LI)),
        "evidence": ("", lambda e, it: e.update("r1", evidence={it: "x"}, actor=LI)),
        "asked": ("", lambda e, it: e.instances(data={it: "x"})),
    }
    named = {"data": f"data[{given!a}]", "evidence": f"evidence[{given!a}]"}
    assert places(engine, keys, given, said) == named | {"asked": named["data"]}
    assert len(engine.journal("r1")) == len(engine.instances()) == 1
    assert engine.delegations() == ()
    assert engine.verify().ok


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param(2**64, "beyond 64 bits", id="65 bits"),
        pytest.param(-(10**5_000), "beyond 64 bits", id="5000 digits"),
        pytest.param({1}, "of type set cannot be kept; only text, numbers", id="a set"),
    ],
)
def test_a_value_of_no_kind_is_refused_wherever_it_comes_in(engine, given, said):
    """The field, what it was, and what is allowed: for data that is kept and for data that is asked for."""
    entrances = KEPT if given != {1} else {name: KEPT[name] for name in ("evidence", "asked", "counted")}
    assert places(engine, entrances, given, said) == {name: place for name, (place, _) in entrances.items()}
    assert len(engine.journal("r1")) == 1


def test_a_field_says_what_it_takes_instead(engine):
    """Text, number, what a move requires, what is asked for: each refuses what it cannot hold, and says its name."""
    odd = (["a"], {"a": 1}, {1}, b"x", object(), math.nan, math.inf, 2**63, -(2**63) - 1, 10**400)
    sized = ("data.size", lambda e, it: e.update("r1", data={"size": it}, actor=LI))
    for place, ask in (*KEPT.values(), sized):
        field = place.partition(".")[2]
        for given in odd:
            with pytest.raises(FieldError, match=rf"\b{field}\b.*(takes|cannot be kept|64 bits|finite)"):
                ask(engine, given)
    assert len(engine.journal("r1")) == 1


def test_a_number_of_64_bits_is_kept_and_found(engine):
    """The greatest and the least number that are taken are found by every store."""
    for number in (2**63 - 1, -(2**63), Decimal(2**63 - 1), 0.5):
        engine.update("r1", data={"size": number}, actor=LI)
        assert engine.instance("r1").data["size"] == number
        assert [one.id for one in engine.instances(data={"size": int(number) or number})] == ["r1"]
    assert engine.verify().ok


def test_names_have_a_longest(engine):
    """One limit for each kind of name; what is as long goes through, one character more does not."""
    for name, (place, longest, ask) in NAMES.items():
        with pytest.raises(FieldError) as caught:
            ask(engine, "x" * (longest + 1))
        said = f"{place}: it has {longest + 1} characters; {longest} at most; choose a shorter one"
        assert str(caught.value) == said, name
        if name != "behalf":
            ask(engine, "名" * longest)
    assert engine.verify().ok


def test_an_id_is_not_empty(engine):
    """Two commands with an empty id would be one, and an empty id of a new instance none: leaving it out says so."""
    entrances = {name: (place, ask) for name, (place, _, ask) in NAMES.items() if place.endswith("_id")}
    entrances["migration"] = ("command_id", lambda e, it: e.migrate("r1", 1, reason="x", command_id=it))
    for blank, said in (
        ("", "it is empty"),
        ("\u3000", "nothing in it can be seen"),
        ("\u200b ", "nothing in it"),
    ):
        found = places(engine, entrances, blank, said)
        assert found == {name: place for name, (place, _) in entrances.items()}
    assert len(engine.journal("r1")) == len(engine.instances()) == 1
    assert engine.delegations() == ()


def test_a_name_holds_no_control_character(engine):
    """A new name with a line break or an escape would spoil lists and terminals; a text may have line breaks."""
    entrances = {name: (place, ask) for name, (place, _, ask) in NAMES.items()}
    for given in ("a\nb", "\x1b[2J", "\x7f", "\x85"):
        found = places(engine, entrances, given, "the control character U+00")
        assert found == {name: place for name, (place, _) in entrances.items()}
        engine.update("r1", data={"note": given}, actor=LI)
        assert engine.instances(data={"note": given})[0].data["note"] == given


def test_a_name_may_hold_any_other_character(engine):
    """Rare characters are names too, also those that this Python cannot tell from unassigned ones."""
    for name in ("李伟", "O'Neil 2", "𰻝", "\ue000", "a\u3000b", "zoë\u200d"):
        inst = engine.start("repair", instance_id=name, recipient=Recipient(name), actor=LI, command_id=name)
        assert engine.instance(name) == inst
        assert [one.id for one in engine.instances(recipient=name)] == [name]


def test_a_name_that_is_no_text_is_refused(engine):
    """A number as an id is told from the text of its digits."""
    for place, ask in (
        ("actor.id", lambda: engine.fire("r1", "again", actor=Actor(5, {"clerk"}))),
        ("command_id", lambda: engine.fire("r1", "again", actor=LI, command_id=5)),
        ("instance_id", lambda: engine.start("repair", instance_id=5, actor=LI)),
    ):
        with pytest.raises(FieldError, match=rf"^{place}: a value of type int cannot be kept"):
            ask()


def test_what_is_no_mapping_or_no_text_is_refused(engine):
    """Data and evidence are names with values, a reason is a text."""
    for said, given in (
        ("data: it takes names with their values, not a list", {"data": ["a"]}),
        ("evidence: it takes names with their values, not a str", {"evidence": "photo"}),
        ("override: it takes text, not a int", {"override": 5}),
        (r"data\[1\]: a name is text; write it as text", {"data": {1: 2}}),
    ):
        with pytest.raises(FieldError, match=said):
            engine.fire("r1", "again", actor=LI, **given)


def test_a_text_may_speak_of_what_is_not_allowed(engine):
    r"""The six characters `\u0000` are a text as any other."""
    engine.update("r1", data={"note": r"\u0000 \ud800"}, evidence={"photo": r"\u0000"}, actor=LI)
    assert [one.id for one in engine.instances(data={"note": r"\u0000 \ud800"})] == ["r1"]


def test_a_cursor_holds_no_nul(engine):
    """A cursor that somebody made up is told as one, also where it could be read."""
    made_up = urlsafe_b64encode(orjson.dumps([0, "a\0"])).decode()
    with pytest.raises(FieldError, match="is no cursor"):
        engine.instances(after=made_up)


def test_what_reaches_a_journal_past_the_door_names_its_place():
    """Whoever decides without an engine is told which part of the fact has no JSON form."""
    with pytest.raises(FieldError, match=r"^Updated\.data\.note: a value of type object"):
        to_bytes(Updated("r1", 1, 0, 0, "", {"note": object()}))
    assert storage_error("data", {"a": 1, "b": None, "c": "x", "d": 0.5, "e": True}) is None
