"""What somebody sends does not fill the journal: names are bounded where they come in, and cut where they are quoted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from svcflow import Actor, Engine, VirtualClock
from svcflow.errors import DeclarationError, FieldError, Problem, SvcflowError
from svcflow.journal.canonical import to_bytes
from svcflow.model.field import Field
from svcflow.model.procedure import Procedure, Role
from svcflow.model.step import Step, Transition
from svcflow.text import LONGEST, Text

NOON, HOUR = datetime(2026, 3, 2, 12, tzinfo=UTC), timedelta(hours=1)
CLERK = Actor("li.wei", {"clerk"})
Ask = Callable[[Engine, str], object]
SENT: dict[str, Ask] = {
    "the limit of an extension": lambda engine, name: engine.extend("i1", name, reason="r", actor=CLERK),
    "the reason of a hold": lambda engine, name: engine.hold("i1", reason=name, actor=CLERK),
    "a trigger": lambda engine, name: engine.fire("i1", name, actor=CLERK),
    "a trigger after the end": lambda engine, name: engine.fire("i2", name, actor=CLERK),
    "the step of a trigger": lambda engine, name: engine.fire("i1", "go", step=name, actor=CLERK),
    "the step of a claim": lambda engine, name: engine.claim("i1", step=name, actor=CLERK),
    "the step of an assignment": lambda engine, name: engine.assign("i1", "chen", step=name, actor=CLERK),
    "the step of a release": lambda engine, name: engine.release("i1", step=name, actor=CLERK),
    "a role": lambda engine, name: engine.fire("i1", "go", actor=Actor("li.wei", {name})),
    "many roles": lambda engine, name: engine.claim("i1", actor=Actor("li.wei", several(name))),
    "the field of an instant": lambda engine, name: engine.reschedule("i1", name, None, actor=CLERK),
    "a step of a migration": lambda engine, name: engine.migrate("i1", 1, reason="r", steps={name: "a"}),
    "a field": lambda engine, name: engine.update("i1", data={name: "x"}, actor=CLERK),
    "many fields": lambda engine, name: engine.update("i1", data=dict.fromkeys(several(name), "x")),
    "an instance": lambda engine, name: engine.fire(name, "go", actor=CLERK),
    "the roles of a delegation": lambda engine, name: engine.delegate(
        CLERK, "chen", roles=several(name) | {name}, since=NOON, until=NOON + HOUR
    ),
}


def several(name: str) -> set[str]:
    return {f"{number}x" for number in range(len(name) // 16)}


@pytest.fixture
def engine() -> Engine:
    procedure = Procedure(
        id="p",
        roles=(Role("clerk"),),
        fields=(Field("note"),),
        steps=(Step("a", role="clerk", within="1h", to=(Transition("go", "z"),)), Step("z", end="done")),
    )
    engine = Engine("memory://", procedure, clock=VirtualClock(datetime(2026, 3, 2, tzinfo=UTC)))
    for name in ("i1", "i2"):
        engine.start("p", instance_id=name, actor=CLERK)
    engine.fire("i2", "go", actor=CLERK)
    return engine


@pytest.mark.parametrize("ask", SENT.values(), ids=SENT)
def test_a_name_of_megabytes_leaves_nothing_but_a_short_error(engine: Engine, ask: Ask) -> None:
    """Names count as what a command brings: beyond the limit it is no attempt to be kept."""
    before = engine.journal("i1"), engine.journal("i2")
    with pytest.raises(SvcflowError) as refused:
        ask(engine, "x" * 5_000_000)
    assert len(str(refused.value)) < LONGEST + 200
    assert (engine.journal("i1"), engine.journal("i2")) == before


@pytest.mark.parametrize("ask", SENT.values(), ids=SENT)
def test_a_long_name_is_quoted_cut_short(engine: Engine, ask: Ask) -> None:
    """Within the limit the attempt is kept, in a fact of a few lines; the error is as short."""
    with pytest.raises(SvcflowError) as refused:
        ask(engine, "字" * 20_000)
    assert len(refused.value.text("zh")) + len(str(refused.value)) < 6_000
    facts = (*engine.journal("i1"), *engine.journal("i2"))
    assert max(len(to_bytes(fact)) for fact in facts) < 4_000


def test_roles_count_by_themselves(engine: Engine) -> None:
    """Who has many roles may still bring as much data as anybody."""
    many = Actor("li.wei", {"clerk", *(f"{number:06}" for number in range(5_000))})
    assert engine.update("i1", evidence={"photo": "x" * 60_000}, actor=many).sequence == 2
    with pytest.raises(FieldError, match="payload_limit"):
        engine.update("i1", actor=Actor("li.wei", many.roles | {"x" * 40_000}))


def test_a_message_has_an_end_but_for_the_mistakes_of_a_document() -> None:
    """An error is cut where nobody reads on; of a document every mistake is told."""
    long = "x" * (2 * LONGEST)
    assert len(SvcflowError(Text(zh=long, en=long)).text("zh")) == LONGEST + 1
    problems = [Problem(("steps", str(number)), Text(zh="错", en="wrong")) for number in range(LONGEST)]
    with suppress(DeclarationError):
        raise DeclarationError(problems)
    assert str(DeclarationError(problems)).count("wrong") == LONGEST
