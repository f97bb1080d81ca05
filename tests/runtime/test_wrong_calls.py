"""Calls that are nearly right: what a first program gets wrong is refused with a remedy, and never done by halves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from svcflow import Actor, Engine, Recipient, VirtualClock
from svcflow.errors import DeclarationError, FieldError, NaiveDatetime, StoreError, SubscriptionError
from svcflow.kernel.commands import Migrate
from svcflow.model.procedure import Procedure, Role
from svcflow.model.step import Step, Transition

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LI = Actor("li", {"clerk"})
ASK = Procedure(
    id="ask",
    roles=(Role("clerk"),),
    steps=(Step("asked", role="clerk", to=(Transition("answer", "answered"),)), Step("answered", end="done")),
)


@pytest.fixture
def engine():
    with Engine("memory://", ASK, clock=VirtualClock(NOON)) as engine:
        engine.start("ask", instance_id="a-1", actor=LI)
        yield engine


def test_one_text_is_no_set_of_roles():
    """A text is iterable by letters: `Actor("li", "clerk")` would have the roles c, l, e, r and k."""
    with pytest.raises(
        FieldError, match=r"roles: it takes several names, not the one text 'clerk'; write \{'clerk'\}"
    ):
        Actor("li", "clerk")


@pytest.mark.parametrize("place", ["roles", "procedures"])
def test_one_text_is_no_set_of_what_is_delegated(engine, place):
    """A delegation for the procedures a, s and k would be kept, and cover nothing."""
    given = {"roles": {"clerk"}, "procedures": {"ask"}, place: "clerk"}
    with pytest.raises(FieldError, match=f"{place}: it takes several names"):
        engine.delegate(LI, "wang", **given, since=NOON, until=NOON + timedelta(days=1))
    assert engine.delegations() == ()


@pytest.mark.parametrize(
    "ask",
    [
        lambda engine: engine.fire("a-1", "answer", actor="li"),
        lambda engine: engine.start("ask", actor="li"),
        lambda engine: engine.available("a-1", "li"),
        lambda engine: engine.worklist("li"),
        lambda engine: engine.acting("li", "wang", "ask"),
    ],
    ids=["fire", "start", "available", "worklist", "acting"],
)
def test_the_id_of_a_person_is_no_actor(engine, ask):
    """The message says what to write; nothing is recorded."""
    before = engine.journal("a-1")
    with pytest.raises(
        FieldError, match=r'actor: it takes Actor\(…\), not a str; write Actor\("li.wei", \{"desk"\}\)'
    ):
        ask(engine)
    assert engine.journal("a-1") == before
    assert len(engine.instances()) == 1


def test_the_id_of_a_person_gives_no_delegation(engine):
    """The giver of a delegation is an actor too."""
    with pytest.raises(FieldError, match="giver: it takes Actor"):
        engine.delegate("li", "wang", roles={"clerk"}, since=NOON, until=NOON + timedelta(days=1))


def test_the_id_of_a_person_is_no_recipient(engine):
    """Who is served is a Recipient, with a group or without."""
    with pytest.raises(FieldError, match=r"recipient: it takes Recipient\(…\), not a str"):
        engine.start("ask", recipient="zhang")


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda engine: engine.start(("ask", "1")), "a version is a whole number, not '1'"),
        (lambda engine: engine.start(("ask", None)), "a version is a whole number, not None"),
        (lambda engine: engine.migrate("a-1", "1", reason="x"), "a version is a whole number, not '1'"),
        (lambda engine: engine.catalog["ask", "1"], "a version is a whole number, not '1'"),
        (lambda engine: engine.start(ASK), "it takes an id, or an id and a version, not a Procedure"),
        (lambda engine: engine.start((ASK, 1)), "not a Procedure"),
        (lambda engine: engine.start(("ask", 1, 2)), "not a tuple"),
        (lambda engine: engine.catalog[ASK], "not a Procedure"),
    ],
    ids=["text", "none", "migrate", "catalog", "procedure", "with version", "three", "in catalog"],
)
def test_a_procedure_is_asked_for_by_its_id_and_a_number(engine, ask, said):
    """Version "1" is not told to be missing among the versions 1; the message says what to write instead."""
    with pytest.raises(FieldError, match=said) as told:
        ask(engine)
    assert '("visit", 1)' in told.value.remedy.en
    assert '("visit", 1)' in told.value.remedy.zh
    assert len(engine.instances()) == 1


@pytest.mark.parametrize("limit", ["5", 5.0, True], ids=["text", "float", "true"])
def test_the_limit_of_a_question_is_a_whole_number(engine, limit):
    """As a form gives it, `limit` is a text: the error names it, whatever is asked."""
    for ask in (engine.instances, engine.deviations, engine.worklist):
        with pytest.raises(FieldError, match=r"a page cannot hold .* items; let `limit` be a whole number"):
            ask(limit=limit)


def test_a_group_there_is_not_is_a_field_error():
    """It may come from a form: the nearest group is named, and a host answers it as other wrong data."""
    with pytest.raises(FieldError, match="group cannot be 'staf'; did you mean staff") as told:
        Recipient("zhang", "staf")
    assert told.value.text("zh") == "group 不能是 'staf'；是否指 staff？"


def test_a_due_rule_there_is_not_is_a_field_error():
    """A migration keeps deadlines, or reckons them anew."""
    with pytest.raises(FieldError, match="due cannot be 'kept'; did you mean keep"):
        Migrate(2, due="kept")


@pytest.mark.parametrize(
    ("filters", "said"),
    [({"status": "runing"}, "did you mean running"), ({"group": "x"}, "there are: leaders, staff")],
    ids=["status", "group"],
)
def test_a_misspelt_filter_of_instances_is_no_empty_answer(engine, filters, said):
    """Of words that are ours to know, one that there is not would count nothing and look like all is well."""
    for question in (engine.instances, engine.count_instances):
        with pytest.raises(FieldError, match=said):
            question(**filters)
    assert engine.count_instances(status=None, group=None) == 1


@pytest.mark.parametrize(
    ("filters", "said"),
    [({"kind": "overdu"}, "did you mean overdue"), ({"status": "opn"}, "did you mean open")],
    ids=["kind", "status"],
)
def test_a_misspelt_filter_of_deviations_is_no_empty_answer(engine, filters, said):
    """A monitor that asks for `overdu` is told, and does not report that nothing is."""
    for question in (engine.deviations, engine.count_deviations):
        with pytest.raises(FieldError, match=said):
            question(**filters)


def test_a_count_by_what_there_is_not_is_a_field_error(engine):
    """The message says by what can be counted."""
    with pytest.raises(FieldError, match="by cannot be 'stp'; did you mean step"):
        engine.instance_counts("stp")
    with pytest.raises(
        FieldError, match="by cannot be 'x'; there are: procedure, kind, step, role, group, status"
    ):
        engine.deviation_counts("x")


def test_a_text_is_no_instant(engine):
    """A text that holds a date, as a form gives it, has to be made a datetime by the host."""
    for ask in (
        lambda: engine.instances(since="2026-03-02"),
        lambda: engine.fire("a-1", "answer", actor=LI, occurred_at="2026-03-02"),
    ):
        with pytest.raises(NaiveDatetime, match="'2026-03-02' is no datetime; give an aware datetime"):
            ask()


def test_a_decorator_without_its_brackets_subscribes_nobody_silently(engine):
    """`@engine.on_fact` above a function would leave it uncalled for good."""
    with pytest.raises(SubscriptionError, match=r"write @engine.on_fact\(\)"):

        @engine.on_fact
        def tell(fact):
            pass


@pytest.mark.parametrize("given", ["ask.yaml", [ASK]], ids=["a file name", "a list"])
def test_an_engine_takes_a_catalog_or_a_procedure(given, tmp_path):
    """It is told when the engine is made, not at the first command, and no store is left behind."""
    with pytest.raises(DeclarationError, match=r"an engine takes a Catalog or a Procedure.*from_folder"):
        Engine(f"sqlite:///{tmp_path / 'service.db'}", given)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    "url",
    ["postgresql+psycopg://svc:secret@db.example:port/x", "mysql://svc:sec@ret@db.example/x"],
    ids=["a port that is no number", "another database"],
)
def test_a_url_that_cannot_be_read_is_told_without_its_password(url):
    """A password appears in no message."""
    with pytest.raises(StoreError, match=r"://svc:\*\*\*@db\.example.* is not supported") as told:
        Engine(url, ASK)
    assert "sec" not in str(told.value)
