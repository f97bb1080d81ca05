"""Acting for somebody: what a delegation covers, and that it gets round no rule."""

from __future__ import annotations

from datetime import timedelta

import attrs
import orjson
import pytest
from kernel_cases import MINUTE, MONDAY, Case, Step, move, procedure, worker
from version_cases import VersionedCase

from svcflow.errors import FieldError, Refused
from svcflow.journal.canonical import to_record
from svcflow.kernel import Actor, Hold, Resume, Start, Update
from svcflow.kernel.commands import Assign, Claim, Explain, Extend, Recall, Release
from svcflow.kernel.instance import from_state, to_state
from svcflow.kernel.lifecycle.assignees import assignee_of
from svcflow.kernel.lifecycle.delegation import MOST_DAYS, Delegation, acting, delegate
from svcflow.model.limit import Extension, TimeLimit
from svcflow.model.procedure import Procedure
from svcflow.worktime.instants import to_us

DAY_US = 86_400_000_000
BEGIN_US = to_us(MONDAY)
LI, WANG, CHEF = worker("li", "clerk"), worker("wang", "clerk"), worker("chef", "chief")


def given(**more: object) -> Delegation:
    fields = {
        "id": "d1", "giver": "chef", "taker": "li", "roles": ["chief"], "procedures": [],
        "since_us": BEGIN_US, "until_us": BEGIN_US + 7 * DAY_US,
    }  # fmt: skip
    return Delegation(**{**fields, **more})


def for_(giver: str, who: Actor, *roles: str) -> Actor:
    return Actor(who.id, roles, giver)


def four_eyes() -> Case:
    return Case(
        procedure(
            Step("work", role="clerk", to=(move("hand_in", "check"),)),
            Step("check", role="chief", not_by="work", to=(move("confirm", "end"),)),
            Step("end", end="completed"),
        )
    )


@pytest.mark.parametrize(
    ("after_us", "covered"),
    [(-1, False), (0, True), (7 * DAY_US - 1, True), (7 * DAY_US, False)],
    ids=["before", "at its beginning", "at its last instant", "at its end"],
)
def test_a_delegation_holds_from_its_beginning_up_to_its_end(after_us, covered):
    """The first instant is inside, the last is not."""
    assert given().covers(BEGIN_US + after_us, "repair") is covered


def test_a_revoked_delegation_is_over_at_that_instant():
    """What was done before stays covered."""
    one = given(revoked_us=BEGIN_US + DAY_US)
    assert one.covers(BEGIN_US + DAY_US - 1, "repair")
    assert not one.covers(BEGIN_US + DAY_US, "repair")
    assert not given(revoked_us=BEGIN_US + 30 * DAY_US).covers(BEGIN_US + 7 * DAY_US, "repair")


def test_a_delegation_holds_for_the_procedures_it_names_or_for_all():
    """No procedures means every procedure."""
    assert given(procedures=["repair"]).covers(BEGIN_US, "repair")
    assert not given(procedures=["repair"]).covers(BEGIN_US, "complaint")
    assert given().covers(BEGIN_US, "complaint")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"giver": "li"}, "to themselves"),
        ({"giver": ""}, "have to be named"),
        ({"taker": ""}, "have to be named"),
        ({"roles": []}, "at least one role"),
        ({"until_us": BEGIN_US}, "end after it begins"),
        ({"until_us": BEGIN_US + MOST_DAYS * DAY_US + 1}, "366 days"),
        ({"giver": "li", "roles": []}, "themselves; at least one role"),
    ],
    ids=["to oneself", "from nobody", "to nobody", "of nothing", "no time", "too long", "two mistakes"],
)
def test_a_delegation_is_checked_when_it_is_made(wrong, says):
    """Every mistake is named at once; none names a person."""
    with pytest.raises(FieldError, match=says) as error:
        given(**wrong)
    assert "chef" not in error.value.text("zh+en")
    assert error.value.message.zh


def test_a_delegation_may_last_a_leap_year():
    """366 days are the most; instants are shown as datetimes."""
    one = given(until_us=BEGIN_US + MOST_DAYS * DAY_US)
    assert (one.since_at, one.until_at, one.revoked_at) == (MONDAY, MONDAY + timedelta(days=366), None)
    assert given(revoked_us=BEGIN_US).revoked_at == MONDAY


def test_who_acts_for_another_has_the_delegated_roles_only():
    """The own roles stay behind; several delegations of one giver add up."""
    several = [
        given(),
        given(id="d2", roles=["manager"], procedures=["sample"]),
        given(id="d3", roles=["cashier"], procedures=["repair"]),
        given(id="d4", roles=["driver"], giver="wang"),
        given(id="d5", roles=["cook"], taker="wang"),
        given(id="d6", roles=["guard"], revoked_us=BEGIN_US),
    ]
    assert acting(LI, "chef", several, "sample", BEGIN_US) == Actor("li", ["chief", "manager"], "chef")


@pytest.mark.parametrize(
    ("giver", "procedure_", "after_us"),
    [("wang", "sample", 0), ("chef", "repair", 0), ("chef", "sample", 7 * DAY_US)],
    ids=["another giver", "another procedure", "another time"],
)
def test_without_a_delegation_in_force_nobody_acts_for_another(giver, procedure_, after_us):
    """The rule `delegation` refuses, with a remedy, and names no person."""
    known = [given(procedures=["sample"])]
    with pytest.raises(Refused, match="no delegation") as error:
        acting(LI, giver, known, procedure_, BEGIN_US + after_us)
    assert error.value.rule == "delegation"
    assert error.value.remedy.zh
    assert giver not in error.value.text("zh+en")


def test_what_was_delegated_is_not_delegated_on():
    """Neither does who acts for one act for a third, nor do they give what they were given."""
    onward = [given(), given(id="d2", giver="li", taker="wang")]
    with pytest.raises(Refused, match="delegated on"):
        acting(for_("li", WANG, "chief"), "chef", [*onward, given(id="d3", taker="wang")], "sample", BEGIN_US)
    bounds = {"delegation_id": "d2", "since_us": BEGIN_US, "until_us": BEGIN_US + DAY_US}
    with pytest.raises(Refused, match="delegated on"):
        delegate(acting(LI, "chef", onward, "sample", BEGIN_US), "wang", roles=["chief"], **bounds)
    with pytest.raises(Refused, match="no roles of the giver: chief") as error:
        delegate(LI, "wang", roles=["clerk", "chief"], **bounds)
    assert error.value.rule == "delegation"
    with pytest.raises(Refused, match="no roles of the giver"):
        delegate(Actor("li", roles=None), "wang", roles=["clerk"], **bounds)


def test_own_roles_are_delegated():
    """What comes of it is a checked delegation."""
    one = delegate(
        LI, "wang", delegation_id="d1", roles=iter(["clerk"]), procedures=["sample"],
        since_us=BEGIN_US, until_us=BEGIN_US + DAY_US,
    )  # fmt: skip
    assert one == given(
        giver="li", taker="wang", roles=["clerk"], procedures=["sample"], until_us=BEGIN_US + DAY_US
    )
    with pytest.raises(FieldError, match="themselves"):
        delegate(LI, "li", delegation_id="d", roles=["clerk"], since_us=0, until_us=1)


@pytest.mark.parametrize("name", ["", "chef"])
def test_nobody_acts_for_themselves_and_nobody_acts_for_somebody(name):
    """`behalf` is another person than the actor, who has a name."""
    with pytest.raises(FieldError, match="another person"):
        Actor(name, ["chief"], "chef")


def test_every_fact_of_who_acts_for_another_says_so():
    """`behalf` stands in each fact the actor caused, and in no fact the system made by itself."""
    limit = TimeLimit(within="1h", extension=Extension("1h"))
    limited = Step("work", within=limit, role="clerk", to=(move("hand_in", "end"),))
    who = for_("chef", LI, "clerk")
    declared = procedure(limited, Step("check", to=(move("confirm", "end"),)), Step("end", end="completed"))
    case = Case(declared, actor=who)
    for command in (
        Hold("recipient", who), Resume(who), Update(who), Claim(actor=who), Release(actor=who),
        Assign(None, "li", who), Extend("work", "because", who), Extend("work", "because", who),
    ):  # fmt: skip
        case.do(command, MINUTE)
    case.wait(timedelta(hours=3))
    case.do(Explain(case.of("Overdue")[0].sequence, "rain", who), MINUTE)
    case.fire("confirm", actor=who, override="x")
    said = {(fact.kind, bool(fact.behalf)) for fact in case.facts}
    by_system = {"Overdue", "Settled"}
    assert said == {(kind, kind not in by_system) for kind in case.kinds}
    assert {"Started", "Refused", "Assigned", "Released", "Explained", "Moved", "Deviated"} <= set(case.kinds)
    assert {fact.behalf for fact in case.facts} == {"", "chef"}


def test_behalf_leaves_no_trace_where_nobody_was_acted_for():
    """Journals written before keep their bytes."""
    case = four_eyes()
    case.fire("hand_in", actor=LI)
    assert all("behalf" not in to_record(fact) for fact in case.facts)
    with_it = attrs.evolve(case.facts[-1], behalf="wang")
    assert to_record(with_it)["behalf"] == "wang"


@pytest.mark.parametrize(
    ("did", "checks"),
    [
        (for_("wang", LI, "clerk"), worker("li", "chief")),
        (for_("wang", LI, "clerk"), worker("wang", "chief")),
        (for_("wang", LI, "clerk"), for_("chef", LI, "chief")),
        (LI, for_("chef", LI, "chief")),
        (LI, for_("li", CHEF, "chief")),
        (for_("wang", LI, "clerk"), for_("wang", CHEF, "chief")),
    ],
    ids=[
        "the delegate", "the giver", "the delegate for a third",
        "the doer for another", "another for the doer", "another for the giver",
    ],
)  # fmt: skip
def test_delegation_does_not_get_round_not_by(did, checks):
    """Who did the work and for whom both count as having done it; who checks and for whom are both asked."""
    case = four_eyes()
    case.fire("hand_in", actor=did)
    assert case.rule == ""
    case.fire("confirm", actor=checks)
    assert case.rule == "role"
    case.do(Claim(actor=checks), MINUTE)
    assert case.rule == "role"
    case.fire("confirm", actor=CHEF)
    assert case.instance.status == "ended"


def test_neither_the_delegate_nor_the_giver_is_assigned_what_they_may_not_check():
    """Both are remembered with the step that was left."""
    case = four_eyes()
    case.fire("hand_in", actor=for_("wang", LI, "clerk"))
    assert case.instance.left_by == {"work": ("li", "wang")}
    for to in ("li", "wang"):
        case.do(Assign(None, to, CHEF), MINUTE)
        assert case.rule == "role"


def test_a_delegate_fires_what_is_assigned_to_whom_they_act_for():
    """The assignee's delegate is let through, who acts as themselves or for a third is not."""
    case = four_eyes()
    case.do(Claim(actor=WANG), MINUTE)
    for other in (LI, for_("zhang", LI, "clerk")):
        case.fire("hand_in", actor=other)
        assert case.rule == "assigned"
    case.fire("hand_in", actor=for_("wang", LI, "clerk"))
    assert case.rule == ""
    assert (case.facts[-1].actor, case.facts[-1].behalf) == ("li", "wang")


def test_a_delegate_who_claims_has_the_step_themselves():
    """The assignee is who claimed; for whom stands beside it."""
    case = four_eyes()
    case.do(Claim(actor=for_("wang", LI, "clerk")), MINUTE)
    assert case.instance.assignees == {"work": "li"}
    assert (case.facts[-1].to, case.facts[-1].behalf, case.facts[-1].claimed) == ("li", "wang", True)
    case.fire("hand_in", actor=WANG)
    assert case.rule == "assigned"


def test_only_the_delegated_roles_count():
    """Acting for another, a clerk who is no clerk by delegation does no clerk's work."""
    case = four_eyes()
    case.fire("hand_in", actor=acting(LI, "chef", [given()], "sample", BEGIN_US))
    assert case.rule == "role"


def test_an_old_state_names_one_person_who_left_a_step():
    """Before delegation one name was kept; it is read as one."""
    case = four_eyes()
    case.fire("hand_in", actor=LI)
    state = to_state(case.instance)
    state[case.instance._fields.index("left_by")] = {"work": "li"}
    assert from_state(state) == case.instance


def test_starting_for_another_is_on_record():
    """The first fact names both."""
    started = Case(four_eyes().compiled.procedure, actor=for_("chef", LI, "chief")).facts[0]
    assert (started.actor, started.behalf) == ("li", "chef")
    assert Start("i1").actor.behalf == ""


def handed_over(role: str | None, *, work: str = "work", asks: bool = False) -> Procedure:
    """Work of a clerk, and a check of the role given; it may ask for another person than who did the work."""
    check = Step("check", role=role, not_by=work if asks else None, to=(move("confirm", "end"),))
    return procedure(
        Step(work, role="clerk", to=(move("hand_in", "check"),)), check, Step("end", end="completed")
    )


DEPUTY = Actor("li", ["chief"], "chef", ends={"chief": BEGIN_US + DAY_US})


@pytest.mark.parametrize(
    ("into", "who", "has"),
    [
        (handed_over("chief"), CHEF, "chef"),
        (handed_over(None), CHEF, "chef"),
        (handed_over("clerk"), CHEF, ""),
        (handed_over("chief", asks=True), CHEF, "chef"),
        (handed_over("chief", asks=True), worker("wang", "chief"), ""),
        (handed_over("chief", asks=True), attrs.evolve(DEPUTY, behalf="wang"), ""),
        (handed_over("chief"), DEPUTY, "li"),
    ],
    ids=[
        "the same role", "no role", "another role", "another person", "who may not",
        "for whom it may not be", "a deputy",
    ],
)  # fmt: skip
def test_a_claim_lasts_over_a_migration_if_it_still_can(into, who, has):
    """A step that is another role's now, or that who has it may not do, is released, and nobody is kept from it."""
    case = VersionedCase(handed_over("chief"), into)
    case.fire("hand_in", actor=worker("wang", "clerk"))
    case.do(Claim(actor=who), MINUTE)
    case.migrate()
    who_has = assignee_of(case.instance, "check", to_us(case.now))
    assert who_has == has
    assert (case.kinds[-1] == "Released") is not bool(has)
    if who is DEPUTY:
        assert assignee_of(case.instance, "check", BEGIN_US + DAY_US) == ""
        assert from_state(orjson.loads(orjson.dumps(to_state(case.instance)))) == case.instance


def test_a_claim_of_a_deputy_ends_at_the_instant_the_delegation_does():
    """The last instant before is theirs; a step without a role is claimed in nobody's name and stays."""
    case = Case(handed_over("chief"))
    case.fire("hand_in", actor=worker("wang", "clerk"))
    case.do(Claim(actor=DEPUTY), MINUTE)
    assert case.of("Assigned")[0].until_us == BEGIN_US + DAY_US
    case.now = MONDAY + timedelta(days=1) - MINUTE - timedelta(microseconds=1)
    case.fire("confirm", actor=CHEF)
    assert case.rule == "assigned"
    case.fire("confirm", timedelta(microseconds=1), actor=CHEF)
    assert case.instance.status == "ended"
    free = Case(handed_over(None))
    free.fire("hand_in", actor=worker("wang", "clerk"))
    free.do(Claim(actor=DEPUTY), MINUTE)
    assert (free.of("Assigned")[0].until_us, free.instance.deputies) == (0, {})


def test_a_recall_gives_back_what_the_giver_s_roles_cover():
    """Asked of what has ended, or of what is somebody else's, it does nothing and records nothing."""
    case = four_eyes()
    case.fire("hand_in", actor=WANG)
    for held in (CHEF, DEPUTY):
        case.do(Claim(actor=held), MINUTE)
        before = len(case.facts)
        for giver, taker, roles in (
            ("wang", "li", {"chief"}),
            ("chef", "wang", {"chief"}),
            ("chef", "li", {"clerk"}),
        ):
            case.do(Recall(giver, taker, frozenset(roles)), MINUTE)
        assert len(case.facts) == before
        if held is CHEF:
            case.do(Release(actor=CHEF), MINUTE)
    recall = Recall("chef", "li", frozenset({"chief"}))
    case.do(recall, MINUTE)
    assert (case.facts[-1].kind, case.facts[-1].actor, case.instance.assignees) == ("Released", "", {})
    case.fire("confirm", actor=CHEF)
    before = len(case.facts)
    case.do(recall, MINUTE)
    assert (case.rule, len(case.facts)) == ("", before)
