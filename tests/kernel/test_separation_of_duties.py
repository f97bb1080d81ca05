"""`not_by` holds whichever way a step was done: under an older version, from elsewhere, in branches, by the erased."""

from __future__ import annotations

import attrs
import pytest
from kernel_cases import MINUTE, Case, fork, move, procedure, worker
from version_cases import VersionedCase

from svcflow.kernel import Actor, MigrationTarget, Revert, replay, transact
from svcflow.kernel.commands import Assign, Claim
from svcflow.kernel.facts import Moved
from svcflow.model.procedure import Procedure
from svcflow.model.step import Enforce, Step
from svcflow.worktime.instants import to_us

CHIEF = worker("boss", "chief")
LI, WANG, CHEN = worker("li"), worker("wang"), worker("chen")


def version(work: str = "work", *, asks: bool = True) -> Procedure:
    return procedure(
        Step(work, to=(move("hand_in", "check"),)),
        Step("check", not_by=work if asks else None, to=(move("confirm", "end"), move("back", work))),
        Step("end", end="completed"),
    )


def test_who_did_a_step_under_a_version_that_did_not_ask_is_barred_after_a_migration():
    """The journal knows who did it, though the instance did not note it."""
    case = VersionedCase(version(asks=False), version())
    case.fire("hand_in", actor=Actor("li", (), "wang"))
    assert case.instance.left_by == {}
    case.migrate()
    assert case.instance.left_by == {"work": ("li", "wang")}
    for who in (LI, WANG):
        case.fire("confirm", actor=who)
        assert case.rule == "role"
    case.fire("confirm", actor=CHEN)
    assert case.instance.status == "ended"


def test_two_migrations_and_another_name_do_not_make_the_rule_forget():
    """A version in between that asks for nobody, and a step that is called otherwise, change nothing."""
    case = VersionedCase(version(), version(asks=False), version("draw"))
    case.fire("hand_in", actor=LI)
    case.migrate()
    assert case.instance.left_by == {}
    case.migrate(3, steps={"work": "draw"})
    case.fire("confirm", actor=LI)
    assert case.rule == "role"


def test_steps_that_became_one_and_are_taken_apart_again_were_done_by_whom_they_were():
    """Both did the one step; after the migration was taken back each is barred as before."""
    apart = procedure(
        Step("first", to=(move("on", "second"),)),
        Step("second", to=(move("hand_in", "check"),)),
        Step("check", not_by="first", to=(move("confirm", "end"),)),
        Step("end", end="completed"),
    )
    case = VersionedCase(apart, version())
    case.fire("on", actor=LI)
    case.fire("hand_in", actor=WANG)
    case.migrate(steps={"first": "work", "second": "work"})
    assert case.instance.left_by == {"work": ("li", "wang")}
    case.revert()
    assert case.instance.left_by == {"first": ("li",)}
    case.fire("confirm", actor=LI)
    assert case.rule == "role"


def test_the_last_who_did_it_counts_across_versions():
    """What was done again before the migration was done by who did it again."""
    case = VersionedCase(version(asks=False), version())
    case.fire("hand_in", actor=LI)
    case.fire("back", actor=WANG)
    case.fire("hand_in", actor=WANG)
    case.migrate()
    case.fire("confirm", actor=LI)
    assert case.instance.status == "ended"


def test_a_driver_that_does_not_look_at_the_journal_keeps_what_the_instance_remembers():
    """A target without performers of its own loses nobody whom the instance remembers."""
    case = VersionedCase(version(), version("draw"))
    case.fire("hand_in", actor=LI)
    into = MigrationTarget(case.versions[2])
    over = transact(
        case.compiled, case.instance, _go({"work": "draw"}), to_us(case.now), target=into
    ).instance
    assert over.left_by["draw"] == ("li",)
    back = MigrationTarget(case.compiled)
    assert transact(into.compiled, over, Revert(), to_us(case.now), target=back).refused is not None


def _go(steps: dict[str, str]):
    from svcflow.kernel import Migrate

    return Migrate(2, steps, "edition 2")


def three() -> Procedure:
    return procedure(
        Step("asked", to=(move("begin", "work"),)),
        Step("work", to=(move("hand_in", "check"),)),
        Step("check", not_by="work", to=(move("confirm", "filed"),)),
        Step("filed", to=(move("close", "end"),)),
        Step("end", end="completed"),
    )


def test_who_fires_a_step_s_trigger_from_elsewhere_did_it():
    """Going round the order makes nobody's work theirs to check, nor that of whom they act for."""
    case = Case(three())
    case.fire("hand_in", actor=Actor("li", (), "wang"), override="urgent")
    assert case.rule == ""
    for who in (LI, WANG):
        case.fire("confirm", actor=who)
        assert case.rule == "role"
        case.do(Claim(actor=who), MINUTE)
        assert case.rule == "role"
    case.fire("confirm", actor=CHEN)
    assert case.instance.steps == ("filed",)


def test_who_may_not_check_does_not_get_past_the_check_by_a_later_trigger():
    """To leave the step is to do it, whatever it is left by."""
    case = Case(three())
    case.fire("begin", actor=LI)
    case.fire("hand_in", actor=LI)
    case.fire("close", actor=LI, override="urgent")
    assert case.rule == "role"
    case.fire("close", actor=CHEN, override="urgent")
    assert case.instance.status == "ended"


def pair(**enforce: str) -> Procedure:
    """Work and its check by another, each with a role; a step of nobody's behind them."""
    return procedure(
        Step("work", role="clerk", to=(move("hand_in", "check"),)),
        Step("check", role="chief", not_by="work", to=(move("confirm", "filed"), move("back", "work"))),
        Step("filed", to=(move("close", "end"),)),
        Step("end", end="completed"),
        enforce=Enforce(**enforce),
    )


BOTH = worker("li", "clerk", "chief")


@pytest.mark.parametrize("actor", [BOTH, Actor("li", ["clerk", "chief"], "wang")], ids=["own", "for another"])
def test_one_command_that_does_both_steps_is_judged_as_two(actor):
    """Who leaves the one step by firing the other's trigger has done both, whoever they act for."""
    case = Case(pair())
    case.fire("confirm", actor=actor, override="hurry")
    assert (case.rule, case.instance.steps) == ("role", ("work",))
    assert "'work' may not do 'check'" in case.facts[-1].en
    case.fire("hand_in", actor=actor)
    case.fire("confirm", actor=actor, override="hurry")
    assert (case.rule, case.instance.steps) == ("role", ("check",))
    case.fire("hand_in", actor=BOTH, override="once more")
    assert (case.rule, case.instance.steps) == ("role", ("check",))


def test_doing_both_at_once_is_on_record_where_roles_are():
    """With `enforce: {role: record}` it goes through, as a deviation that names the other step."""
    case = Case(pair(role="record"))
    case.fire("confirm", actor=BOTH, override="hurry")
    assert ("wrong_role", "work") in case.deviations
    assert case.of("Deviated")[-1].detail == {"not_by": "work"}


@pytest.mark.parametrize("order", ["refuse", "record"])
def test_whoever_leaves_another_role_s_step_out_of_order_is_on_record(order):
    """The chief may go round the order; that the step was the clerk's is told beside what was skipped."""
    declared = procedure(
        Step("drawn", role="clerk", to=(move("ask", "work"),)), *pair().steps, enforce=Enforce(order=order)
    )
    case = Case(declared)
    case.fire("confirm", actor=CHIEF, override="urgent" if order == "refuse" else None)
    assert case.instance.steps == ("filed",)
    assert case.deviations == [("skipped_step", "work"), ("skipped_step", "check"), ("wrong_role", "drawn")]
    assert case.of("Deviated")[-1].detail == {"needs": "clerk", "has": ["chief"]}
    case = Case(declared)
    case.fire("close", actor=worker("li", "clerk"), override="urgent")
    assert "wrong_role" not in {kind for kind, _ in case.deviations}


def test_a_replayed_log_is_not_told_who_left_what_it_skipped():
    """What is missing in a log is `skipped_step`, and nobody's act: no role and no other person is asked for it."""
    case = Case(pair(), enforce="record")
    case.fire("confirm", actor=CHIEF)
    assert case.deviations == [("skipped_step", "check")]


def test_a_premature_done_leaves_the_steps_inside():
    """Who may not do a step inside does not end the parallel step over it either; whose the others are is on record."""
    inner = (
        Step("look", role="chief", not_by="work", to=(move("seen", "looked"),)),
        Step("looked", end="done"),
    )
    case = Case(
        procedure(
            Step("work", role="clerk", to=(move("hand_in", "both"),)),
            fork("both", move("done", "end"), one=inner),
            Step("end", end="completed"),
        )
    )
    case.fire("hand_in", actor=BOTH)
    case.fire("done", actor=BOTH, override="urgent")
    assert (case.rule, case.instance.steps) == ("role", ("look",))
    case.fire("done", actor=worker("wang", "clerk"), override="urgent")
    assert case.instance.status == "ended"
    assert case.deviations == [("skipped_step", "look"), ("wrong_role", "both")]


def test_entering_a_parallel_step_does_both_the_step_left_and_the_one_passed_over():
    """The way in is judged like a move from elsewhere: nothing is kept of what is refused."""
    inner = (Step("look", to=(move("seen", "looked"),)), Step("looked", end="done"))
    case = Case(
        procedure(
            Step("work", to=(move("hand_in", "check"),)),
            Step("check", not_by="work", to=(move("split", "both"),)),
            fork("both", move("done", "end"), one=inner),
            Step("end", end="completed"),
        )
    )
    case.fire("seen", actor=LI, override="urgent")
    assert (case.rule, case.instance.steps) == ("role", ("work",))
    case.fire("hand_in", actor=LI)
    case.fire("seen", actor=WANG, override="urgent")
    assert case.instance.status == "ended"


def branches(**enforce: str) -> Procedure:
    return procedure(
        Step("work", to=(move("hand_in", "both"),)),
        fork(
            "both",
            move("done", "sign"),
            left=(Step("look", not_by="work", to=(move("seen", "looked"),)), Step("looked", end="done")),
            right=(Step("read", to=(move("heard", "had"),)), Step("had", end="done")),
        ),
        Step("sign", not_by="both", to=(move("confirm", "end"),)),
        Step("end", end="completed"),
        enforce=Enforce(**enforce),
    )


def test_who_enters_a_parallel_step_from_elsewhere_left_the_step_before_it():
    """The step that was passed over is theirs, so that they do not check it in a branch; nothing is kept of the try."""
    case = Case(branches())
    case.fire("seen", actor=LI, override="urgent")
    assert (case.rule, case.instance.steps) == ("role", ("work",))
    case.fire("heard", actor=LI, override="urgent")
    assert case.instance.steps == ("look",)
    case.fire("seen", actor=LI)
    assert case.rule == "role"


def test_whoever_did_a_part_of_a_parallel_step_did_it():
    """Each who did a step inside is barred from what another than its doer has to do."""
    case = Case(branches())
    case.fire("hand_in", actor=CHEN)
    case.fire("seen", actor=LI)
    case.fire("heard", actor=WANG)
    for who in (LI, WANG):
        case.fire("confirm", actor=who)
        assert case.rule == "role"
    case.fire("confirm", actor=CHEN)
    assert case.instance.status == "ended"


def test_whom_a_parallel_step_excludes_does_none_of_its_steps():
    """`not_by` of a parallel step is about the work in its branches."""
    case = Case(
        procedure(
            Step("work", to=(move("hand_in", "both"),)),
            attrs_not_by(),
            Step("end", end="completed"),
        )
    )
    case.fire("hand_in", actor=LI)
    case.fire("seen", actor=LI)
    assert case.rule == "role"
    assert "work" in case.facts[-1].en
    case.do(Assign("look", "li", CHEN), MINUTE)
    assert case.rule == "role"
    case.fire("seen", actor=WANG)
    assert case.instance.status == "ended"


def attrs_not_by() -> Step:
    inside = fork(
        "both", move("done", "end"), one=(Step("look", to=(move("seen", "looked"),)), Step("looked", end="x"))
    )
    return Step("both", not_by="work", parallel=inside.parallel, to=inside.to)


def between(way: str) -> Procedure:
    inner = (Step("look", to=(move("seen", "looked"),)), Step("looked", end="done"))
    return procedure(
        Step("work", to=(move("hand_in", "check"),)),
        Step("check", not_by="work", to=(move("confirm", "both"),)),
        fork("both", move("done", "end"), one=inner),
        Step("end", end="completed"),
        enforce=Enforce(role=way),
    )


@pytest.mark.parametrize("way", ["refuse", "record"])
def test_who_may_not_check_does_not_get_past_the_check_into_a_branch(way):
    """It is refused, or on record, like any other way out of the step."""
    case = Case(between(way))
    case.fire("hand_in", actor=LI)
    case.fire("seen", actor=LI, override="urgent")
    if way == "refuse":
        assert (case.rule, case.instance.steps) == ("role", ("check",))
    else:
        assert ("wrong_role", "check") in case.deviations
        assert case.instance.status == "ended"


def test_nobody_is_known_to_be_another_than_who_was_erased():
    """The rule holds against everybody then, says why, and a migration to a version without it is the way out."""
    case = VersionedCase(version(), version(asks=False))
    case.fire("hand_in", actor=worker("erased-Ab12Cd34"))
    for who in (LI, worker("erased-Ab12Cd34")):
        case.fire("confirm", actor=who)
        assert case.rule == "role"
    assert "erased" in case.facts[-1].en
    assert "Ab12" not in case.facts[-1].en
    assert "migrate" in case.outcome.remedy.en
    case.migrate()
    case.fire("confirm", actor=LI)
    assert case.instance.status == "ended"


def side_by_side(**enforce: str) -> Procedure:
    """Work in one branch, its check by another person in the other: either may be done first."""
    return procedure(
        fork(
            "both",
            move("done", "end"),
            move("again", "both", kind="rework"),
            one=(Step("work", to=(move("hand_in", "worked"),)), Step("worked", end="done")),
            two=(Step("check", not_by="work", to=(move("confirm", "checked"),)), Step("checked", end="done")),
        ),
        Step("end", end="completed"),
        enforce=Enforce(**enforce),
    )


@pytest.mark.parametrize(("first", "second"), [("hand_in", "confirm"), ("confirm", "hand_in")])
@pytest.mark.parametrize(
    "other", [LI, Actor("chen", (), "li"), Actor("li", (), "chen")], ids=["self", "for", "as"]
)
def test_side_by_side_either_step_excludes_who_did_the_other(first, second, other):
    """Whichever comes first: the same person, for whomever, does not do both; another does."""
    case = Case(side_by_side())
    case.fire(first, actor=LI)
    case.fire(second, actor=other)
    assert case.rule == "role"
    assert "'work' may not do 'check'" in case.facts[-1].en
    case.fire(second, actor=WANG)
    assert case.instance.status == "ended"


def test_who_did_a_step_side_by_side_is_remembered_over_a_migration():
    """An older journal, which did not remember, leads where it led."""
    case = VersionedCase(side_by_side(), side_by_side())
    case.fire("confirm", actor=LI)
    assert case.instance.left_by == {"check": ("li",)}
    case.migrate()
    case.fire("hand_in", actor=LI)
    assert case.rule == "role"
    older = [attrs.evolve(fact, paired=False) if isinstance(fact, Moved) else fact for fact in case.facts]
    assert replay(case.version_of, older).left_by == {}


def approval(**enforce: str) -> Procedure:
    """Asking, a review, and an approval by who did neither."""
    return procedure(
        Step("asked", to=(move("hand_in", "reviewed"),)),
        Step("reviewed", to=(move("review", "approving"),)),
        Step("approving", not_by=["asked", "reviewed"], to=(move("confirm", "end"),)),
        Step("end", end="completed"),
        enforce=Enforce(**enforce),
    )


@pytest.mark.parametrize(("who", "did"), [(LI, "asked"), (WANG, "reviewed")])
def test_who_did_any_of_several_steps_is_barred_and_told_which(who, did):
    """`not_by` with a list bars who did one of them; a third person may."""
    case = Case(approval())
    case.fire("hand_in", actor=LI)
    case.fire("review", actor=WANG)
    case.fire("confirm", actor=who)
    assert case.rule == "role"
    assert f"who did '{did}' may not do 'approving'" in case.facts[-1].en
    case.do(Claim(actor=who), MINUTE)
    assert case.rule == "role"
    case.fire("confirm", actor=CHEN)
    assert case.instance.status == "ended"


def test_on_record_the_step_that_was_done_is_named():
    """The deviation says which of the several steps the same person did."""
    case = Case(approval(role="record"))
    case.fire("hand_in", actor=LI)
    case.fire("review", actor=WANG)
    case.fire("confirm", actor=WANG)
    assert case.of("Deviated")[-1].detail == {"not_by": "reviewed"}


def test_nobody_without_a_name_does_a_step_that_several_exclude():
    """The refusal names all of them."""
    case = Case(approval(role="refuse"))
    case.fire("hand_in", actor=LI)
    case.fire("review", actor=WANG)
    case.fire("confirm", actor=Actor(""))
    assert "than who did 'asked' or 'reviewed'" in case.facts[-1].en
    assert "办理“asked”、“reviewed”以外的人" in case.facts[-1].zh
