"""Work: who has what to do, who takes it, and who acts for whom; alike on every store."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from svcflow import Actor, Catalog, Engine, Procedure, Recipient, Refused, VirtualClock
from svcflow.errors import FieldError, NaiveDatetime
from svcflow.model.automatic_move import AutomaticMove
from svcflow.model.field import Field
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import Role
from svcflow.model.step import Branch, Step, Transition
from svcflow.runtime.store import Store

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LI = Actor("li", roles={"clerk"})
WANG = Actor("wang", roles={"clerk", "chief"})
CHEN = Actor("chen", roles={"chief"})
APPROVAL = Procedure(
    id="approval",
    roles=(Role("clerk"), Role("chief")),
    steps=(
        Step("asked", role="clerk", within="4h", to=(Transition("pass_on", "approving"),)),
        Step("approving", role="chief", within="2h", not_by="asked", to=(Transition("approve", "end"),)),
        Step("end", end="completed"),
    ),
)


BRANCHES = Procedure(
    id="both",
    roles=(Role("clerk"),),
    steps=(
        Step(
            "making",
            parallel=(
                Branch("one", (Step("quick", role="clerk", within="1h", to=(Transition("q", "q_end"),)), Step("q_end", end="done"))),
                Branch("two", (Step("slow", role="clerk", within="9h", to=(Transition("s", "s_end"),)), Step("s_end", end="done"))),
            ),
            to=(Transition("done", "end"),),
        ),
        Step("end", end="completed"),
    ),
)  # fmt: skip
SAMPLE = Procedure(
    id="sample",
    roles=(Role("cook"),),
    steps=(
        Step("kept", role="cook", to=(Transition("throw", "end"),)),
        Step("end", end="completed"),
    ),
    limits=(TimeLimit(id="keep", step="kept", at_least="48h"),),
)
VISIT = Procedure(
    id="visit",
    roles=(Role("host"),),
    fields=(Field("room"), Field("guest", personal=True)),
    steps=(
        Step("asked", role="host", within="1h", to=(Transition("go", "end"),)),
        Step("end", end="completed"),
    ),
)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def engine(store: Store, clock: VirtualClock) -> Engine:
    return Engine(store, APPROVAL, clock=clock)


def work(engine: Engine, *args: object, **named: object) -> list[tuple[str, str, str]]:
    return [(one.instance, one.step, one.assignee) for one in engine.worklist(*args, **named)]


def test_what_is_overdue_now_is_asked_for(engine, clock):
    """Met at the very deadline, overdue a microsecond after it; what is held or done is not; `within` looks ahead."""
    for name in "abc":
        engine.start("approval", instance_id=name)
        clock.advance(HOUR)
    assert list(engine.overdue()) == []
    engine.hold("c", reason="recipient")
    clock.advance(HOUR)  # the very deadline of `a`
    assert list(engine.overdue()) == []
    assert [one.instance for one in engine.overdue(within=HOUR)] == ["a"]
    clock.advance(timedelta(microseconds=1))
    assert [one.instance for one in engine.overdue()] == ["a"]
    assert [one.instance for one in engine.overdue(within=HOUR)] == ["a", "b"]
    assert [one.id for one in engine.instances(due_before=clock.now)] == ["a"]
    assert engine.count_instances(due_before=clock.now + HOUR) == 2
    assert engine.instance_counts("role", due_before=clock.now + HOUR) == {"clerk": 2}
    engine.tick()
    clock.advance(DAY)  # recorded or not, it stays overdue until it is done
    assert [one.instance for one in engine.overdue(LI)] == ["a", "b"]
    assert list(engine.overdue(CHEN)) == []
    page = engine.overdue(limit=1)
    assert [one.instance for one in (*page, *engine.overdue(after=page.after))] == ["a", "b"]
    engine.fire("a", "pass_on", actor=LI)
    assert work(engine, due_before=clock.now) == [("b", "asked", "")]
    with pytest.raises(NaiveDatetime):
        engine.worklist(due_before=clock.now.replace(tzinfo=None))


def test_of_parallel_work_what_is_due_is_counted(store, clock):
    """An instance is found by the branch that is due, and counted under that one alone."""
    engine = Engine(store, BRANCHES, clock=clock)
    engine.start("both", instance_id="a")
    clock.advance(2 * HOUR)
    assert engine.instance_counts("step", due_before=clock.now) == {"quick": 1}
    assert engine.instance_counts("step") == {"quick": 1, "slow": 1}
    assert [one.step for one in engine.overdue()] == ["quick"]
    assert [one.id for one in engine.instances(due_before=clock.now, step="slow")] == ["a"]


def test_a_minimum_is_no_deadline(store, clock):
    """A sample that may be thrown away after two days is not overdue then."""
    engine = Engine(store, SAMPLE, clock=clock)
    kept = engine.start("sample", instance_id="a")
    assert engine.due_at(kept) is None
    with pytest.raises(FieldError, match="takes an Instance, not a str"):
        engine.due_at(kept.id)
    (item,) = engine.worklist()
    assert item.due_at is None
    clock.advance(3 * DAY)
    assert list(engine.overdue()) == []
    assert engine.deadlines("a")[0].state == "reached"


def test_a_page_of_work_carries_what_is_shown_of_each_instance(store, clock):
    """Who is served, what it is about and when it is due come with the list; personal data do not."""
    engine = Engine(store, VISIT, clock=clock)
    data = {"room": "3-204", "guest": "Sun"}
    visit = engine.start("visit", instance_id="a", data=data, recipient=Recipient("wu", group="retirees"))
    (item,) = engine.worklist()
    assert (item.recipient, item.group, item.data) == ("wu", "retirees", {"room": "3-204"})
    assert item.due_at == engine.due_at(visit) == clock.now + HOUR
    assert engine.instance("a").data["guest"] == "Sun"
    engine.forget("wu", open=True)
    assert engine.worklist()[0].recipient.startswith("erased-")


def test_work_is_listed_by_role_the_soonest_due_first(engine, clock):
    """Each step that waits stands in its role's list with its deadline; what has ended does not."""
    engine.start("approval", instance_id="a")
    clock.advance(HOUR)
    engine.start("approval", instance_id="b")
    engine.fire("a", "pass_on", actor=LI)
    assert work(engine) == [("a", "approving", ""), ("b", "asked", "")]
    assert work(engine, role="clerk") == [("b", "asked", "")]
    assert work(engine, role="nobody") == []
    assert work(engine, procedure="other") == []
    (item,) = engine.worklist(role="chief")
    assert (item.entered_at, item.due_at) == (clock.now, clock.now + 2 * HOUR)
    engine.fire("a", "approve", actor=CHEN)
    assert work(engine, role="chief") == []


@pytest.mark.parametrize("size", [1, 2, 5])
def test_a_worklist_comes_in_pages(engine, clock, size):
    """The pages together are the whole list, once each, what has no deadline last; what comes between changes nothing."""
    for name in ("b", "a", "c"):
        engine.start("approval", instance_id=name)
    clock.advance(HOUR)
    engine.start("approval", instance_id="d")
    engine.hold("a", reason="third_party", actor=LI)
    whole = work(engine)
    assert [one[0] for one in whole] == ["b", "c", "d", "a"]
    page = engine.worklist(limit=size)
    seen = list(page)
    while page.after is not None and len(seen) <= len(whole):
        assert len(page) == size
        page = engine.worklist(limit=size, after=page.after)
        seen += page
    assert [(one.instance, one.step, one.assignee) for one in seen] == whole
    first = engine.worklist(role="clerk", limit=2)
    engine.fire("b", "pass_on", actor=LI)
    assert work(engine, role="clerk", after=first.after) == whole[2:]
    assert work(engine, CHEN, limit=1) == [("b", "approving", "")]
    with pytest.raises(FieldError, match="is no cursor"):
        engine.worklist(after=engine.instances(limit=1).after)


def test_a_claim_takes_work_out_of_the_others_lists(engine):
    """An actor's list is what is theirs and what is free in their roles; a release makes it free again."""
    engine.start("approval", instance_id="a")
    assert work(engine, LI) == work(engine, WANG) == [("a", "asked", "")]
    assert work(engine, CHEN) == []
    engine.claim("a", actor=LI)
    assert work(engine, LI) == [("a", "asked", "li")]
    assert work(engine, WANG) == []
    assert work(engine, role="clerk") == [("a", "asked", "li")]
    with pytest.raises(Refused) as refused:
        engine.fire("a", "pass_on", actor=WANG)
    assert refused.value.rule == "assigned"
    engine.release("a", actor=LI)
    assert work(engine, WANG) == [("a", "asked", "")]


def test_work_is_given_to_a_person(engine):
    """Assigned work is theirs alone; the next step is free again."""
    engine.start("approval", instance_id="a")
    engine.assign("a", "wang", reason="knows the place", actor=CHEN)
    assert work(engine, LI) == []
    assert work(engine, WANG) == [("a", "asked", "wang")]
    engine.fire("a", "pass_on", actor=WANG)
    assert work(engine) == [("a", "approving", "")]
    assert engine.verify().ok


def test_a_delegate_acts_in_the_delegated_roles_while_it_lasts(engine, clock):
    """The delegation is looked up when it is used: before, after and once revoked there is none."""
    engine.start("approval", instance_id="a")
    engine.fire("a", "pass_on", actor=WANG)
    since, until = clock.now + HOUR, clock.now + DAY
    given = engine.delegate(CHEN, "li", roles={"chief"}, since=since, until=until)
    with pytest.raises(Refused, match="delegat"):
        engine.acting(LI, "chen", "approval")
    clock.advance(HOUR)
    acting = engine.acting(LI, "chen", "approval")
    assert (acting.id, acting.behalf, acting.roles) == ("li", "chen", frozenset({"chief"}))
    assert work(engine, acting) == [("a", "approving", "")]
    engine.revoke(given.id)
    with pytest.raises(Refused):
        engine.acting(LI, "chen", "approval")
    assert (
        engine.fire("a", "approve", actor=acting).status == "ended"
    )  # it was in force when it was looked up
    moved = engine.journal("a")[-1]
    assert (moved.actor, moved.behalf) == ("li", "chen")
    assert engine.verify().ok


def test_delegation_does_not_get_round_not_by(engine, clock):
    """Neither who did the other step for somebody, nor for whom it was done, may approve it."""
    engine.delegate(WANG, "li", roles={"clerk"}, since=clock.now, until=clock.now + DAY)
    engine.delegate(CHEN, "li", roles={"chief"}, since=clock.now, until=clock.now + DAY)
    engine.start("approval", instance_id="a")
    engine.fire("a", "pass_on", actor=engine.acting(LI, "wang", "approval"))
    for actor in (WANG, engine.acting(LI, "chen", "approval")):
        with pytest.raises(Refused) as refused:
            engine.fire("a", "approve", actor=actor)
        assert refused.value.rule == "role"
    engine.fire("a", "approve", actor=CHEN)


def test_delegations_stay_on_record(engine, clock):
    """A revoked delegation is listed as revoked; one of a taken id is refused, the same again is the same."""
    same = {"roles": {"chief"}, "since": clock.now, "until": clock.now + DAY, "delegation_id": "d1"}
    given = engine.delegate(CHEN, "li", **same)
    assert engine.delegate(CHEN, "li", **same) == given
    with pytest.raises(FieldError, match="d1"):
        engine.delegate(CHEN, "wang", **same)
    with pytest.raises(FieldError, match="d2"):
        engine.revoke("d2")
    clock.advance(HOUR)
    revoked = engine.revoke("d1")
    assert revoked.revoked_at == clock.now
    assert engine.revoke("d1") == revoked
    assert engine.delegations(giver="chen") == engine.delegations(taker="li") == (revoked,)
    assert engine.delegations(giver="li") == ()


def test_a_forgotten_person_is_in_no_list(engine, clock):
    """Neither as assignee nor in delegations."""
    engine.start("approval", instance_id="a")
    engine.claim("a", actor=LI)
    engine.delegate(CHEN, "li", roles={"chief"}, since=clock.now, until=clock.now + DAY)
    engine.forget("li", open=True)
    ((_, _, assignee),) = work(engine)
    assert assignee.startswith("erased-")
    assert engine.delegations() == ()
    assert engine.verify().ok


def test_the_id_of_a_delegation_stays_taken_when_its_persons_are_forgotten(store, engine, clock):
    """Otherwise two delegations would have borne one id; the persons themselves cannot be given back by it either."""
    same = {"roles": {"chief"}, "since": clock.now, "until": clock.now + DAY, "delegation_id": "d1"}
    given = engine.delegate(CHEN, "li", **same)
    with pytest.raises(FieldError, match="d1 is another delegation"):
        store.keep_delegation(attrs.evolve(given, taker="wang"))
    engine.forget("li")
    for giver, taker in ((CHEN, "li"), (CHEN, "wang"), (WANG, "chen")):
        with pytest.raises(FieldError, match="d1 is another delegation; choose another `delegation_id`"):
            engine.delegate(giver, taker, **same)
    with pytest.raises(FieldError, match="no delegation"):
        engine.revoke("d1")
    engine.delegate(CHEN, "wang", **same | {"delegation_id": "d2"})
    assert [one.id for one in engine.delegations()] == ["d2"]


def test_deviations_are_explained_and_judged(engine, clock):
    """The answers are facts, also after the end; the store's deviations say how they stand."""
    engine.start("approval", instance_id="a")
    clock.advance(5 * HOUR)
    engine.fire("a", "pass_on", actor=LI)
    engine.fire("a", "approve", actor=CHEN)
    (late,) = engine.deviations()
    assert (late.status, late.explanation) == ("open", "")
    with pytest.raises(Refused, match="expl"):
        engine.accept_deviation("a", late.sequence, reason="fine", actor=CHEN)
    engine.explain_deviation("a", late.sequence, reason="the lift was out of order", actor=LI)
    with pytest.raises(Refused):
        engine.accept_deviation("a", late.sequence, reason="fine", actor=LI)
    engine.accept_deviation("a", late.sequence, reason="seen by everybody", actor=CHEN, command_id="c1")
    engine.accept_deviation("a", late.sequence, reason="seen by everybody", actor=CHEN, command_id="c1")
    (late,) = engine.deviations()
    assert (late.status, late.explanation) == ("accepted", "the lift was out of order")
    assert engine.deviations(status="accepted") == (late,)
    assert engine.count_deviations(status="open") == 0
    engine.reject_deviation("a", late.sequence, reason="it was not", actor=CHEN)
    assert engine.deviations()[0].status == "rejected"
    assert engine.deviation_counts("status") == {"rejected": 1}
    answers = ("Refused", "Explained", "Refused", "Accepted", "Rejected")
    assert tuple(fact.kind for fact in engine.journal("a"))[-5:] == answers
    assert engine.verify().ok


def test_names_of_roles_are_kept_as_they_are(store, clock):
    """A role with a space in its name is one role on every store, and an empty name delegates nothing."""
    engine = Engine(store, APPROVAL, clock=clock)
    giver = Actor("chen", roles={"desk clerk admin"})
    given = engine.delegate(giver, "li", roles=giver.roles, since=clock.now, until=clock.now + DAY)
    assert engine.delegations() == (given,)
    assert engine.acting(LI, "chen", "approval").roles == frozenset({"desk clerk admin"})
    with pytest.raises(FieldError, match="named"):
        engine.delegate(
            giver, "li", roles=giver.roles, procedures=[""], since=clock.now, until=clock.now + DAY
        )


def test_the_id_of_a_forgotten_delegation_is_not_given_again(tmp_path, clock):
    """In a database the row stays, without its persons; another delegation needs an id of its own."""
    same = {"roles": {"chief"}, "since": clock.now, "until": clock.now + DAY, "delegation_id": "d1"}
    with Engine(f"sqlite:///{tmp_path / 'service.db'}", APPROVAL, clock=clock) as engine:
        engine.delegate(CHEN, "li", **same)
        engine.forget("chen")
        with pytest.raises(FieldError, match="d1"):
            engine.delegate(WANG, "li", **same)
        assert engine.delegations() == ()


def deputised(engine: Engine, clock: VirtualClock, days: int = 2) -> Actor:
    """Let li act for chen, in a request that waits for approval; return li as chen's deputy."""
    engine.start("approval", instance_id="a")
    engine.fire("a", "pass_on", actor=WANG)
    engine.delegate(
        CHEN, "li", roles={"chief"}, since=clock.now, until=clock.now + days * DAY, delegation_id="d"
    )
    return engine.acting(LI, "chen", "approval")


def taken_by_claim(engine: Engine, deputy: Actor) -> None:
    engine.claim("a", actor=deputy)


def taken_by_assignment(engine: Engine, deputy: Actor) -> None:
    engine.assign("a", "li", actor=deputy)


def given_by_the_giver(engine: Engine, deputy: Actor) -> None:  # one of three ways
    engine.assign("a", "li", actor=CHEN)


@pytest.fixture(params=[taken_by_claim, taken_by_assignment, given_by_the_giver])
def taken(engine, clock, request) -> Actor:
    """The step is li's, by chen's delegation."""
    deputy = deputised(engine, clock)
    request.param(engine, deputy)
    return deputy


ZHOU = Actor("zhou", roles={"chief"})


def refused(engine: Engine, actor: Actor, asked: str = "fire") -> str:
    with pytest.raises(Refused) as error:
        engine.fire("a", "approve", actor=actor) if asked == "fire" else engine.claim("a", actor=actor)
    return error.value.rule


@pytest.mark.parametrize("ends", ["by time", "by hand"])
def test_what_a_deputy_has_falls_back_to_the_role_when_the_delegation_ends(engine, clock, taken, ends):
    """While it lasts it is the deputy's; after it every chief sees it, claims it and does it, without a tick."""
    assert work(engine, LI) == [("a", "approving", "li")]
    assert work(engine, taken) == []
    for other in (CHEN, ZHOU):
        assert work(engine, other) == []
        assert {one.rule for one in engine.available("a", other)} == {"assigned"}
        assert refused(engine, other) == refused(engine, other, "claim") == "assigned"
    if ends == "by time":
        clock.advance(2 * DAY)
    else:
        engine.revoke("d")
    for other in (CHEN, ZHOU):
        assert work(engine, other) == [("a", "approving", "")]
        assert [one.open for one in engine.available("a", other)] == [True]
    assert work(engine) == work(engine, role="chief") == [("a", "approving", "")]
    assert work(engine, LI) == []
    with pytest.raises(Refused) as error:
        engine.release("a", actor=CHEN)
    assert error.value.rule == "not_assigned"
    engine.claim("a", actor=ZHOU)
    assert work(engine, ZHOU) == [("a", "approving", "zhou")]
    assert refused(engine, CHEN) == "assigned"
    assert engine.fire("a", "approve", actor=ZHOU).outcome == "completed"
    assert [fact.until_us > 0 for fact in engine.journal("a") if fact.kind == "Assigned"] == [True, False]
    assert engine.verify().ok


def test_a_deputy_known_from_before_the_revocation_claims_nothing(engine, clock):
    """A claim looks the delegation up again, so that nothing is taken by one that is over."""
    deputy = deputised(engine, clock)
    engine.revoke("d")
    assert refused(engine, deputy, "claim") == "delegation"
    with pytest.raises(Refused, match="no delegation"):
        engine.assign("a", "li", actor=deputy)
    assert work(engine, CHEN) == [("a", "approving", "")]


def test_revoking_again_makes_up_for_what_was_not_done(engine, clock, store):
    """A process that ended between the two is no reason for a claim to stay."""
    engine.claim("a", actor=deputised(engine, clock))
    (known,) = engine.delegations()
    store.keep_delegation(attrs.evolve(known, revoked_us=clock.now_us()))
    assert refused(engine, CHEN) == "assigned"
    engine.revoke("d")
    assert work(engine, CHEN) == [("a", "approving", "")]
    before = engine.journal("a")
    engine.revoke("d")
    assert engine.journal("a") == before
    assert (before[-1].kind, before[-1].actor) == ("Released", "")


def test_a_revocation_takes_only_what_the_giver_gave(engine, clock):
    """What a deputy has in a role of their own, for another giver or after another's claim stays with them."""
    engine.claim("a", actor=deputised(engine, clock))
    for name in ("b", "c", "e"):
        engine.start("approval", instance_id=name)
    engine.claim("b", actor=LI)
    engine.fire("c", "pass_on", actor=WANG)
    engine.delegate(ZHOU, "li", roles={"chief"}, since=clock.now, until=clock.now + DAY)
    engine.claim("c", actor=engine.acting(LI, "zhou", "approval"))
    engine.fire("e", "pass_on", actor=WANG)
    engine.claim("e", actor=engine.acting(LI, "chen", "approval"))
    engine.fire("e", "approve", actor=engine.acting(LI, "chen", "approval"))
    engine.revoke("d")
    assert work(engine, LI) == [("c", "approving", "li"), ("b", "asked", "li")]
    assert work(engine, role="chief") == [("a", "approving", ""), ("c", "approving", "li")]
    assert engine.journal("e")[-1].kind == "Moved"


def test_several_delegations_hold_until_the_last_of_the_role_ends(engine, clock):
    """The claim of a step lasts as long as its role may be acted in."""
    deputised(engine, clock, days=1)
    engine.delegate(CHEN, "li", roles={"chief"}, since=clock.now, until=clock.now + 3 * DAY)
    engine.delegate(
        CHEN, "li", roles={"clerk", "chief"} & CHEN.roles, since=clock.now, until=clock.now + HOUR
    )
    engine.claim("a", actor=engine.acting(LI, "chen", "approval"))
    clock.advance(3 * DAY - timedelta(microseconds=1))
    assert refused(engine, ZHOU) == "assigned"
    clock.advance(timedelta(microseconds=1))
    assert work(engine, ZHOU) == [("a", "approving", "")]


def test_a_revocation_leaves_what_another_delegation_covers(store, clock):
    """One of another procedure, one of the same role that holds as long, one that was given since: each still stands."""
    other = attrs.evolve(APPROVAL, id="other")
    engine = Engine(store, Catalog({(one.id, 1): one for one in (APPROVAL, other)}), clock=clock)
    for name in ("approval", "other"):
        engine.start(name, instance_id=name)
        engine.fire(name, "pass_on", actor=WANG)

    def given(name: str, days: int, *procedures: str) -> None:
        until = clock.now + days * DAY
        engine.delegate(
            CHEN,
            "li",
            roles={"chief"},
            since=clock.now,
            until=until,
            procedures=procedures,
            delegation_id=name,
        )

    def taken() -> list[str]:
        return sorted(one.instance for one in engine.worklist(LI) if one.assignee == "li")

    given("d1", 2, "approval")
    given("d2", 2, "other")
    for name in ("approval", "other"):
        engine.claim(name, actor=engine.acting(LI, "chen", name))
    engine.revoke("d1")
    assert taken() == ["other"]
    given("d3", 1)
    engine.claim("approval", actor=engine.acting(LI, "chen", "approval"))
    engine.revoke("d1")  # again: what li has now is by d3
    assert taken() == ["approval", "other"]
    engine.revoke("d2")  # by d3 li may act for a day only, and has the step for two
    assert taken() == ["approval"]
    engine.revoke("d3")
    assert taken() == []


def test_what_an_erased_person_had_is_their_role_s_again(engine, clock):
    """Nobody can be told to be them, so the step is nobody's."""
    engine.start("approval", instance_id="a")
    engine.claim("a", actor=Actor("li", roles={"clerk"}))
    engine.forget("li", open=True)
    assert [one[:2] for one in work(engine, WANG)] == [("a", "asked")]
    assert engine.available("a", WANG)[0].open
    engine.claim("a", actor=WANG)
    engine.fire("a", "pass_on", actor=WANG)
    assert work(engine, CHEN) == [("a", "approving", "")]
    assert engine.verify().ok


def test_roles_beside_no_name_are_nobody_s(engine):
    """What nobody could claim or do is in nobody's list."""
    engine.start("approval", instance_id="a")
    for name in ("", " ", "\u200b"):
        assert work(engine, Actor(name, roles={"clerk"})) == []
    assert work(engine, role="clerk") == [("a", "asked", "")]


QUESTION = Procedure(
    id="question",
    roles=(Role("clerk"),),
    fields=(Field("until", type="instant"),),
    steps=(
        Step(
            "asked",
            role="clerk",
            then=AutomaticMove("close", after="4h"),
            to=(Transition("close", "end"), Transition("snooze", "asleep", requires=("until",))),
        ),
        Step("asleep", then=AutomaticMove("wake", at="until"), to=(Transition("wake", "asked"),)),
        Step("end", end="completed"),
    ),
)


def test_what_moves_on_by_itself_is_never_overdue(store, clock):
    """It is told as what is to come, moved by whoever ticks, and no list or count of what is due has it."""
    engine = Engine(store, QUESTION, clock=clock)
    begun = clock.now
    for name in "ab":
        engine.start("question", instance_id=name)
    assert engine.due_at(engine.instance("a")) is None
    (coming,) = engine.coming_moves("a")
    assert (coming.step, coming.trigger, coming.at) == ("asked", "close", begun + 4 * HOUR)
    wakes = begun + 9 * HOUR
    engine.fire("b", "snooze", actor=LI, data={"until": wakes.isoformat()})
    assert [one.at for one in engine.coming_moves("b")] == [wakes]
    clock.advance(5 * HOUR)
    assert list(engine.overdue(within=9 * HOUR)) == []
    assert engine.count_instances(due_before=clock.now + DAY) == 0
    engine.tick()
    assert engine.instance("a").status == "ended"
    assert engine.coming_moves("a") == ()
    clock.advance(4 * HOUR)
    engine.tick()
    assert engine.instance("b").steps == ("asked",)
    moved = [fact for name in "ab" for fact in engine.journal(name) if getattr(fact, "timed", False)]
    assert [(fact.instance, fact.trigger, fact.occurred_at) for fact in moved] == [
        ("a", "close", begun + 4 * HOUR),
        ("b", "wake", wakes),
    ]
    assert engine.count_deviations() == 0
    assert engine.verify().ok
