"""Deviations answered: explained, accepted, rejected; never taken back and never uncounted."""

from __future__ import annotations

import pytest
from kernel_cases import HOUR, MINUTE, NOBODY, Case, Step, move, procedure, worker

from svcflow.errors import FieldError
from svcflow.kernel import Actor, Deviation
from svcflow.kernel.commands import Accept, Answering, Explain, Reject
from svcflow.kernel.facts import Accepted, Explained, Rejected
from svcflow.worktime.instants import to_us

LI, WANG, CHEF = worker("li", "clerk"), worker("wang", "clerk"), worker("chef", "chief")


def late() -> Case:
    """An instance whose first step has overrun its hour."""
    case = Case(
        procedure(
            Step("a", role="clerk", within="1h", to=(move("go", "b"),)),
            Step("b", evidence=("photo",), to=(move("close", "end"),)),
            Step("end", end="completed"),
        )
    )
    case.wait(2 * HOUR)
    return case


def breach(case: Case) -> int:
    return case.of("Overdue")[0].sequence


def ask(case: Case, command: Answering) -> str:
    """The rule that refuses an answer; empty when none does."""
    case.do(command, MINUTE)
    return case.rule


def found(case: Case) -> Deviation:
    return case.all_deviations[0]


def test_a_deviation_is_open_until_somebody_answers():
    """The state knows which entries are deviations, and where each stands."""
    case = late()
    assert case.instance.deviations == {breach(case): "open"}
    assert (found(case).status, found(case).explanation) == ("open", "")


def test_a_deviation_that_time_did_not_bring_is_one_too():
    """`Deviated` is answered as `Overdue` is."""
    case = late()
    case.fire("go", actor=LI)
    case.fire("close")
    deviated = case.of("Deviated")[0].sequence
    assert case.instance.deviations == {breach(case): "open", deviated: "open"}
    assert ask(case, Explain(deviated, "the camera was broken", LI)) == ""
    assert [one.status for one in case.all_deviations] == ["open", "explained"]


def test_an_explanation_is_kept_with_its_deviation():
    """The last explanation is shown; every one stays in the journal."""
    case = late()
    assert ask(case, Explain(breach(case), "rain", LI)) == ""
    assert isinstance(case.facts[-1], Explained)
    assert (case.facts[-1].deviation, case.facts[-1].reason) == (breach(case), "rain")
    assert ask(case, Explain(breach(case), "rain, and no van", WANG)) == ""
    assert (found(case).status, found(case).explanation) == ("explained", "rain, and no van")
    assert case.instance.explainers == {breach(case): ("li", "wang")}


@pytest.mark.parametrize(
    ("kind", "fact", "status"), [(Accept, Accepted, "accepted"), (Reject, Rejected, "rejected")]
)
def test_an_explanation_is_accepted_or_rejected_by_another_person(kind, fact, status):
    """The judgement is a fact of its own; the explanation stays what it was."""
    case = late()
    ask(case, Explain(breach(case), "rain", LI))
    assert ask(case, kind(breach(case), "seen", CHEF)) == ""
    assert isinstance(case.facts[-1], fact)
    assert (found(case).status, found(case).explanation) == (status, "rain")
    assert case.instance.deviations == {breach(case): status}


@pytest.mark.parametrize("kind", [Accept, Reject])
def test_what_nobody_explained_is_not_judged(kind):
    """The rule `unexplained` asks for a reason first."""
    case = late()
    assert ask(case, kind(breach(case), "seen", CHEF)) == "unexplained"
    assert found(case).status == "open"


@pytest.mark.parametrize("kind", [Accept, Reject])
@pytest.mark.parametrize(
    "who",
    [LI, WANG, Actor("zhang", ["chief"], "li"), Actor("chef", ["chief"], "wang"), Actor("zhang"), NOBODY],
    ids=["the first", "the second", "the delegate", "for the second", "the giver", "nobody"],
)
def test_no_explainer_judges(kind, who):
    """Neither one of several explainers, nor who explained for or by another, nor somebody without a name."""
    case = late()
    ask(case, Explain(breach(case), "rain", LI))
    ask(case, Explain(breach(case), "no van", WANG))
    ask(case, Explain(breach(case), "no driver", Actor("sun", ["clerk"], "zhang")))
    assert ask(case, kind(breach(case), "fine", who)) == "same_person"
    assert found(case).status == "explained"
    assert ask(case, kind(breach(case), "fine", CHEF)) == ""


def test_the_last_judgement_counts():
    """Accepted may be rejected later and the other way round; a new explanation waits for a new answer."""
    case = late()
    number = breach(case)
    seen = []
    for command in (
        Explain(number, "rain", LI),
        Accept(number, "seen", CHEF),
        Reject(number, "it was dry", CHEF),
        Accept(number, "it was not", WANG),
        Explain(number, "snow", LI),
        Reject(number, "in June?", CHEF),
    ):
        assert ask(case, command) == ""
        seen.append(found(case).status)
    assert seen == ["explained", "accepted", "rejected", "accepted", "explained", "rejected"]


def test_acceptance_changes_no_count():
    """The deviation stays listed, with everything it says but where it stands."""
    case = late()
    before = found(case)
    ask(case, Explain(breach(case), "rain", LI))
    ask(case, Accept(breach(case), "seen", CHEF))
    assert case.deviations == [("overdue", "a")]
    after = found(case)
    assert (after.kind, after.severity, after.actor, after.due_us) == (
        before.kind, before.severity, before.actor, before.due_us,
    )  # fmt: skip


def test_an_annulled_breach_stays_listed_with_its_answer():
    """Late recording annuls; what was explained before stays."""
    case = late()
    ask(case, Explain(breach(case), "it was done in time", LI))
    case.fire("go", actor=LI, occurred_us=to_us(case.now - 2 * HOUR))
    assert found(case).annulled
    assert (found(case).status, found(case).explanation) == ("explained", "it was done in time")


@pytest.mark.parametrize("kind", [Explain, Accept, Reject])
@pytest.mark.parametrize("number", [0, 1, 99])
def test_what_is_no_deviation_is_not_answered(kind, number):
    """The number has to be that of an entry which records a deviation."""
    case = late()
    assert ask(case, kind(number, "rain", LI)) == "deviation"
    assert str(number) in case.facts[-1].en


@pytest.mark.parametrize("kind", [Explain, Accept, Reject])
def test_an_answer_gives_a_reason(kind):
    """A blank reason is a mistake of the caller and leaves no fact."""
    case = late()
    ask(case, Explain(breach(case), "rain", LI))
    count = len(case.facts)
    with pytest.raises(FieldError, match="no reason"):
        ask(case, kind(breach(case), " ", CHEF))
    assert len(case.facts) == count


def test_what_has_ended_is_still_answered():
    """Explanations often come after the end; nothing else does."""
    case = late()
    case.fire("go", actor=LI)
    case.fire("close", evidence={"photo": "p"})
    assert case.instance.status == "ended"
    for command in (
        Explain(breach(case), "rain", LI),
        Reject(breach(case), "it was dry", CHEF),
        Accept(breach(case), "it was not", CHEF),
    ):
        assert ask(case, command) == ""
    assert found(case).status == "accepted"
    assert ask(case, Accept(1, "seen", CHEF)) == "deviation"
    case.fire("go", actor=LI)
    assert case.rule == "closed"


def test_a_held_instance_is_answered_too():
    """An answer is about what was, whatever is now."""
    case = late()
    case.hold()
    assert ask(case, Explain(breach(case), "rain", LI)) == ""


def test_an_answer_does_not_make_a_view_stale():
    """`revision` stays: nothing that moves the instance has changed."""
    case = late()
    before = case.instance.revision
    ask(case, Explain(breach(case), "rain", LI))
    ask(case, Accept(breach(case), "seen", CHEF))
    assert case.instance.revision == before


def test_a_nameless_explanation_may_be_judged_by_somebody_with_a_name():
    """Nobody in particular explained; still it is an explanation."""
    case = late()
    assert ask(case, Explain(breach(case), "rain")) == ""
    assert ask(case, Accept(breach(case), "seen")) == "same_person"
    assert ask(case, Accept(breach(case), "seen", CHEF)) == ""
