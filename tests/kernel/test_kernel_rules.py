"""Each rule of a procedure: what its breach does on `refuse` and on `record`."""

from __future__ import annotations

import math

import pytest
from kernel_cases import CHIEF, CLERK, MINUTE, MONDAY, Case, Step, line, move, procedure, worker

from svcflow.errors import FieldError, UnknownTrigger
from svcflow.kernel import NOBODY, Actor, Fire, Start, evolve
from svcflow.kernel.facts import Deviated, Moved, Refused
from svcflow.kernel.input_checks import accepted
from svcflow.model.field import Field
from svcflow.model.step import ENFORCEMENTS, Enforce, Otherwise
from svcflow.text import Text

RULES = {
    "role": ("wrong_role", {"actor": worker("li", "chief")}),
    "requires": ("missing_data", {"actor": worker("li", "clerk")}),
    "evidence": ("missing_evidence", {"actor": worker("li", "clerk"), "data": {"why": "x"}}),
    "guard": ("guard", {}),
    "rework": ("rework_over_bound", {}),
    "order": ("skipped_step", {}),
}


def one_of_each(**enforce: str) -> Case:
    """A procedure in which each trigger breaks one rule, whatever comes with it."""
    return Case(
        procedure(
            Step(
                "a",
                evidence=(),
                to=(
                    move("role", "b", role="clerk"),
                    move("requires", "b", requires=("why",)),
                    move("guard", "b", when="fee > 10"),
                    move("rework", "a", kind="rework", at_most=0),
                    move("paper", "c"),
                ),
            ),
            Step("b", to=(move("order", "end"),)),
            Step("c", evidence=("photo",), to=(move("evidence", "end", requires=("why",)),)),
            Step("end", end="completed"),
            fields=(Field("fee", type="number", default=1), Field("why")),
            enforce=Enforce(**enforce),
        )
    )


def broken(rule: str, way: str) -> Case:
    case = one_of_each(**{rule: way})
    if rule == "evidence":
        case.fire("paper")
    case.fire(rule, **RULES[rule][1])
    return case


@pytest.mark.parametrize("rule", RULES)
def test_a_breach_on_refuse_moves_nothing_and_keeps_the_attempt(rule):
    """`refuse`: the instance stays as it was, and one `Refused` fact names the rule and who tried."""
    case = broken(rule, "refuse")
    assert case.rule == rule
    refused = case.facts[-1]
    assert isinstance(refused, Refused)
    assert (refused.rule, refused.command, refused.trigger) == (rule, "Fire", rule)
    assert refused.reason.zh
    assert refused.reason.en
    assert case.instance.revision < refused.sequence
    assert case.deviations == []


@pytest.mark.parametrize("rule", RULES)
def test_a_breach_on_record_goes_through_and_is_one_deviation(rule):
    """`record`: the move is made, and exactly one deviation of the rule's kind is recorded after it."""
    case = broken(rule, "record")
    assert case.rule == ""
    assert [kind for kind, _ in case.deviations] == [RULES[rule][0]]
    assert case.kinds[-2:] == ["Moved", "Deviated"]


@pytest.mark.parametrize("rule", RULES)
def test_a_transition_may_say_otherwise_than_its_procedure(rule):
    """A transition's own `enforce` wins over the procedure's, both ways."""
    for mine, theirs in ((ENFORCEMENTS), ENFORCEMENTS[::-1]):
        what = {
            "role": move("go", "end", role="clerk", enforce={rule: mine}),
            "requires": move("go", "end", requires=("why",), enforce={rule: mine}),
            "evidence": move("go", "end", enforce={rule: mine}),
            "guard": move("go", "end", when="fee > 10", enforce={rule: mine}),
            "rework": move("go", "end", at_most=0, enforce={rule: mine}),
        }.get(rule)
        owed = ("photo",) if rule == "evidence" else ()
        if rule == "order":
            steps = (
                Step("a", to=(move("x", "b"),)),
                Step("b", to=(move("go", "end", enforce={rule: mine}),)),
            )
        else:
            steps = (Step("a", evidence=owed, to=(what,)),)
        case = Case(
            procedure(
                *steps,
                Step("end", end="completed"),
                fields=(Field("fee", type="number", default=1), Field("why")),
                enforce=Enforce(**{rule: theirs}),
            )
        )
        case.fire("go", actor=worker("li", "chief"))
        assert (case.rule == rule) is (mine == "refuse")


def test_everything_on_record_lets_every_breach_through():
    """`enforce="record"` serves foreign logs: nothing a transition declares refuses."""
    strict = dict.fromkeys(("role", "requires", "guard", "rework", "evidence", "order"), "refuse")
    everything = {"requires": ("why",), "when": "fee > 10", "at_most": 0, "role": "clerk", "enforce": strict}
    case = Case(
        procedure(
            Step("a", to=(move("x", "b"),)),
            Step("b", evidence=("photo",), to=(move("go", "end", **everything),)),
            Step("end", end="completed"),
            fields=(Field("fee", type="number", default=1), Field("why")),
        ),
        enforce="record",
    )
    case.fire("go", actor=worker("li", "chief"))
    assert case.instance.status == "ended"
    assert {kind for kind, _ in case.deviations} == {
        "skipped_step", "guard", "wrong_role", "missing_data", "rework_over_bound",
    }  # the evidence of `b` is owed by who leaves `b`; here `a` was left  # fmt: skip


def test_whoever_has_the_role_may_and_the_move_says_in_which_role():
    """The role of a transition is its own, or else its step's; it is noted with the move."""
    case = Case(
        procedure(
            Step("a", role="clerk", to=(move("go", "b"), move("chief_go", "b", role="chief"))),
            Step("b", end="completed"),
        )
    )
    case.fire("chief_go", actor=worker("li", "clerk"))
    assert case.rule == "role"
    case.fire("go", actor=worker("li", "clerk", "driver"))
    assert case.facts[-1].role == "clerk"


def test_an_actor_whose_roles_are_unknown_breaks_no_role_of_a_replayed_log():
    """Foreign logs seldom tell roles: `roles=None` is no breach there. An engine asks, and refuses."""
    declared = procedure(Step("a", role="clerk", to=(move("go", "b"),)), Step("b", end="completed"))
    case = Case(declared, enforce="record")
    case.fire("go", actor=Actor("li", roles=None))
    assert (case.instance.status, case.deviations) == ("ended", [])
    case = Case(declared)
    case.fire("go", actor=Actor("li", roles=None))
    assert case.rule == "role"


def test_nobody_has_no_role():
    """A command without an actor breaks the role rule where one is declared."""
    case = Case(procedure(Step("a", role="clerk", to=(move("go", "b"),)), Step("b", end="completed")))
    case.fire("go", actor=NOBODY)
    assert case.rule == "role"


def four_eyes(way: str = "refuse") -> Case:
    return Case(
        procedure(
            Step("work", to=(move("hand_in", "check"),)),
            Step("check", not_by="work", to=(move("confirm", "end"), move("back", "work", kind="rework"))),
            Step("end", end="completed"),
            enforce=Enforce(role=way),
        )
    )


def test_who_did_the_work_may_not_check_it():
    """`not_by` refuses the person who left the other step, and nobody else."""
    case = four_eyes()
    case.fire("hand_in", actor=worker("li"))
    case.fire("confirm", actor=worker("li"))
    assert case.rule == "role"
    case.fire("confirm", actor=worker("wang"))
    assert case.instance.status == "ended"


def test_the_last_who_did_the_work_counts():
    """After rework by another person, the first worker may check."""
    case = four_eyes()
    case.fire("hand_in", actor=worker("li"))
    case.fire("back", actor=worker("wang"))
    case.fire("hand_in", actor=worker("wang"))
    case.fire("confirm", actor=worker("li"))
    assert case.instance.status == "ended"


def test_checking_ones_own_work_is_recorded_where_roles_are_on_record():
    """`not_by` follows the enforcement of the role rule."""
    case = four_eyes("record")
    case.fire("hand_in", actor=worker("li"))
    case.fire("confirm", actor=worker("li"))
    assert case.deviations == [("wrong_role", "check")]


def rows() -> Case:
    return Case(
        procedure(
            Step(
                "a",
                to=(
                    move("go", "dear", when="fee > 100"),
                    move("go", "cheap", when="fee > 0"),
                    move("odd", "dear", when="fee > place"),
                ),
            ),
            Step("dear", end="completed"),
            Step("cheap", end="completed"),
            fields=(Field("fee", type="number", default=0), Field("place", default="x")),
        )
    )


@pytest.mark.parametrize(("fee", "where"), [(101, "dear"), (100, "cheap")])
def test_the_first_row_whose_guard_holds_is_taken(fee, where):
    """Rows of one trigger are asked in order; the first true one decides where it leads."""
    case = rows()
    case.update(data={"fee": fee})
    case.fire("go")
    assert case.instance.outcome == "completed"
    assert case.facts[-1].to == where
    assert case.facts[-1].row == (0 if where == "dear" else 1)


def test_a_refusal_names_every_guard_that_failed():
    """When no row's guard holds, the refusal says which guards were asked."""
    case = rows()
    case.fire("go")
    assert case.rule == "guard"
    assert "fee > 100" in case.facts[-1].en
    assert "fee > 0" in case.facts[-1].zh


def test_a_guard_that_cannot_be_decided_denies():
    """A guard that fails on its data denies, and the refusal is kept as a fact."""
    case = rows()
    case.fire("odd")
    assert case.rule == "guard"


def test_data_that_come_with_the_trigger_are_what_its_guards_judge():
    """A form that sends a fee with the move is judged by that fee, not by what stood there before."""
    case = rows()
    case.fire("go", data={"fee": 500})
    assert case.facts[-1].to == "dear"
    assert case.instance.data["fee"] == 500


def test_a_refusal_names_the_value_that_came_with_the_move():
    """Who sent a value is told that it was judged; one that only stood there is not said to have come."""
    case = rows()
    case.fire("go", data={"fee": -3})
    assert case.rule == "guard"
    assert "the condition 'fee > 0' is not met (this move gives fee = -3)" in case.facts[-1].en
    assert "随此次流转给出 fee = -3" in case.facts[-1].zh
    case.fire("go")
    assert "this move gives" not in case.facts[-1].en


def refusing(**enforce: str) -> Case:
    """A trigger `serve` that means to refuse when there are more than three hosts."""
    rule = Otherwise("refuse", name=Text("陪餐人数限制", "The bound on hosts"))
    return Case(
        procedure(
            Step("a", to=(move("serve", "end", when="hosts <= 3", otherwise=rule),)),
            Step("end", end="completed"),
            fields=(Field("hosts", type="number", default=0),),
            enforce=Enforce(**enforce),
        )
    )


@pytest.mark.parametrize("guard", ENFORCEMENTS)
def test_rows_that_mean_to_refuse_say_by_which_rule(guard):
    """The refusal names the rule in both languages, also where guards are recorded elsewhere."""
    case = refusing(guard=guard)
    case.fire("serve", data={"hosts": 4})
    assert case.rule == "guard"
    assert case.facts[-1].en.startswith("The bound on hosts: the condition 'hosts ≤ 3' is not met")
    assert case.facts[-1].zh.startswith("陪餐人数限制：")
    case.fire("serve", data={"hosts": 3})
    assert case.instance.status == "ended"


def test_a_reason_goes_round_a_rule_that_refuses_and_is_on_record():
    """`override` is asked and recorded as for any guard."""
    case = refusing()
    case.fire("serve", data={"hosts": 4}, override="foreign guests")
    assert case.deviations == [("guard", "a")]


def test_a_log_of_another_system_is_never_refused():
    """What happened is recorded as a deviation when a log is replayed."""
    case = Case(refusing().compiled.procedure, enforce="record")
    case.fire("serve", data={"hosts": 4})
    assert case.deviations == [("guard", "a")]


def test_an_override_with_a_reason_goes_round_a_guard_and_says_so():
    """`override` lets a guard be passed: the first row is taken, and the deviation holds the reason."""
    case = rows()
    case.fire("go", override="the chief said so")
    moved, deviated = case.facts[-2:]
    assert isinstance(moved, Moved)
    assert (moved.to, moved.override) == ("dear", "the chief said so")
    assert isinstance(deviated, Deviated)
    assert (deviated.deviation, deviated.reason) == ("guard", "the chief said so")
    assert deviated.detail == {"guards": ["fee > 100", "fee > 0"]}


@pytest.mark.parametrize("rule", ["role", "requires", "evidence", "rework"])
def test_an_override_goes_round_order_and_guard_only(rule):
    """Roles, data, evidence and rework bounds are not overridden by a reason."""
    case = one_of_each(**{rule: "refuse"})
    if rule == "evidence":
        case.fire("paper")
    case.fire(rule, **{**RULES[rule][1], "override": "in a hurry"})
    assert case.rule == rule


def test_what_a_move_requires_comes_with_this_very_move():
    """A value that stood there before does not meet `requires`; the same value sent again does."""
    case = one_of_each()
    case.fire("requires")
    assert case.rule == "requires"
    case.update(data={"why": "broken"})
    case.fire("requires")
    assert case.rule == "requires"
    case.fire("requires", data={"why": "broken"})
    assert case.instance.steps == ("b",)


def test_what_a_move_requires_may_come_as_data_without_a_field_or_as_evidence():
    """A required name that is no declared field is kept with the data, or comes as evidence."""
    for given in ({"data": {"signature": "x"}}, {"evidence": {"signature": "scan-1"}}):
        case = Case(
            procedure(
                Step("a", to=(move("go", "end", requires=("signature",)),)), Step("end", end="completed")
            )
        )
        case.fire("go")
        assert case.rule == "requires"
        case.fire("go", **given)
        assert case.instance.status == "ended"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, [1], {"a": 1}, b"x", None])
def test_a_value_that_would_not_read_back_from_the_journal_is_no_value(value):
    """A required name without a field takes text, finite numbers and truth values, nothing else."""
    plain = procedure(Step("a", to=(move("go", "end", requires=("x",)),)), Step("end", end="completed"))
    with pytest.raises(FieldError):
        accepted(plain, {"x": value}, extra=("x",))


def evidence_case() -> Case:
    return Case(
        procedure(
            Step("a", to=(move("go", "b"),)),
            Step("b", evidence=("photo",), to=(move("finish", "c"),)),
            Step("c", to=(move("back", "b", kind="rework"), move("close", "end"))),
            Step("end", end="completed"),
            enforce=Enforce(evidence="refuse"),
        )
    )


def test_evidence_may_be_added_while_in_the_step():
    """Evidence owed by a step may come by an update while the instance is in it."""
    case = evidence_case()
    case.fire("go")
    case.update(evidence={"photo": "p-1"})
    case.fire("finish")
    assert case.instance.steps == ("c",)


def test_evidence_of_an_earlier_visit_does_not_count_again():
    """Coming back to a step owes its evidence anew."""
    case = evidence_case()
    case.fire("go")
    case.fire("finish", evidence={"photo": "p-1"})
    case.fire("back")
    case.fire("finish")
    assert case.rule == "evidence"
    case.fire("finish", evidence={"photo": "p-2"})
    assert case.instance.steps == ("c",)


def test_rework_is_counted_by_transition_and_refused_past_its_bound():
    """`at_most` bounds how often one transition happens in an instance."""
    case = Case(
        procedure(
            Step("a", to=(move("again", "a", kind="rework", at_most=2), move("go", "end"))),
            Step("end", end="completed"),
            enforce=Enforce(rework="refuse"),
        )
    )
    case.fire("again")
    case.fire("again")
    assert case.rule == ""
    case.fire("again")
    assert case.rule == "rework"
    assert "2" in case.facts[-1].en


def test_rework_on_record_notes_how_often_it_was():
    """On `record` each time past the bound is one deviation, with the count."""
    case = Case(
        procedure(
            Step("a", to=(move("again", "a", kind="rework", at_most=1), move("go", "end"))),
            Step("end", end="completed"),
        )
    )
    for _ in range(3):
        case.fire("again")
    assert [one.detail["times"] for one in case.all_deviations] == [2, 3]


def test_a_transition_that_may_never_happen_is_refused_the_first_time():
    """`at_most: 0` forbids a transition that is still declared and drawn."""
    case = one_of_each(rework="refuse")
    case.fire("rework")
    assert case.rule == "rework"


def test_nothing_more_can_be_asked_of_what_has_ended():
    """After the end every command is refused as closed, and the attempt is kept."""
    case = Case(procedure(*line("a", "end")))
    case.fire("to_end")
    for act in (lambda: case.fire("to_end"), case.hold, case.resume, lambda: case.update(data={})):
        act()
        assert case.rule == "closed"
    assert case.kinds == ["Started", "Moved", *["Refused"] * 4]
    assert case.instance.revision == 2


def test_a_trigger_nobody_declared_is_a_mistake_and_no_fact():
    """UnknownTrigger names the nearest trigger; the journal stays as it was."""
    case = Case(procedure(*line("a", "end")))
    with pytest.raises(UnknownTrigger, match="did you mean to_end"):
        case.fire("to_ennd")
    with pytest.raises(UnknownTrigger, match="there are: to_end"):
        case.fire("xyz")
    assert case.kinds == ["Started"]


def test_values_that_do_not_fit_are_a_mistake_and_no_fact():
    """FieldError names everything that does not fit at once; the journal stays as it was."""
    case = rows()
    with pytest.raises(FieldError, match=r"fee.*plce.*place") as error:
        case.fire("go", data={"fee": "much", "plce": "here"})
    assert "；" in error.value.message.zh
    with pytest.raises(FieldError):
        case.update(data={"fee": "much"})
    assert case.kinds == ["Started"]


def test_required_fields_are_asked_for_at_the_start():
    """An instance does not start without its required fields."""
    declared = procedure(
        *line("a", "end"), fields=(Field("place", required=True), Field("fee", required=True, default="1"))
    )
    with pytest.raises(FieldError, match="place"):
        Case(declared)
    assert Case(declared, data={"place": "3-1204"}).instance.data == {"place": "3-1204", "fee": "1"}


def test_defaults_are_kept_as_given_values_are():
    """A default goes the same way as a value that comes in, so that the journal reads back equal."""
    declared = procedure(*line("a", "end"), fields=(Field("at", type="instant", default=MONDAY),))
    assert Case(declared).instance.data == {"at": MONDAY.isoformat()}


def test_starting_what_exists_is_refused():
    """The kernel refuses a second start of one instance; stores keep ids apart before that."""
    case = Case(procedure(*line("a", "end")))
    case.do(Start("i1"), MINUTE)
    assert case.rule == "started"


def test_a_command_on_hold_says_that_it_is_held():
    """No trigger fires while the instance is held."""
    case = Case(procedure(*line("a", "end")))
    case.hold()
    case.fire("to_end")
    assert case.rule == "held"


def test_evolving_fact_by_fact_gives_the_same_instance():
    """`evolve` one at a time is `evolve_all` at once."""
    case = rows()
    case.update(data={"fee": 500})
    case.fire("go")
    instance = None
    for fact in case.facts:
        instance = evolve(case.compiled, instance, fact)
    assert instance == case.instance


def test_roles_of_an_actor_are_a_set_however_given():
    """Any iterable of roles will do."""
    assert Actor("li", roles=[CLERK.id, CHIEF.id]).roles == {"chief", "clerk"}
    assert Fire("x").actor.roles == frozenset()
