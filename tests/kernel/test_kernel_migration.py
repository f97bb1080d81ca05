"""Migration: an instance goes over to another version of its procedure, and back."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest
from kernel_cases import HOUR, MINUTE, MONDAY, Step, fork, line, move, procedure, worker
from version_cases import VersionedCase, limit

from svcflow.errors import FieldError
from svcflow.journal.canonical import to_record
from svcflow.kernel import Migrate, Revert, evolve_all, replay, transact
from svcflow.kernel.commands import Extend
from svcflow.kernel.facts import Migrated, Started
from svcflow.kernel.lifecycle.deviations import with_versions
from svcflow.model.field import Field
from svcflow.model.limit import Extension, Row, Rung, TimeLimit
from svcflow.model.procedure import HoldRule, Procedure
from svcflow.worktime.instants import to_us

DAY = timedelta(days=1)


def desk(within: object = "8wh", **more: object) -> Procedure:
    return procedure(*line("asked", "done", asked={"within": within}), **more)


def whole(**more: object) -> tuple[TimeLimit, ...]:
    return (TimeLimit(id="whole", **more),)


def test_the_instance_goes_on_under_the_new_version():
    """The fact says from where to where and why; the revision counts it; the new triggers are open."""
    case = VersionedCase(desk(), procedure(*line("asked", "looked_at", "done")))
    revision = case.instance.revision
    fact = case.migrate(reason="second edition", actor=worker("li")).facts[-1]
    assert (fact.from_version, fact.to_version, fact.reason, fact.actor) == (1, 2, "second edition", "li")
    assert (case.instance.version, case.instance.steps) == (2, ("asked",))
    assert case.instance.revision == fact.sequence > revision
    case.fire("to_looked_at")
    case.fire("to_done")
    assert case.instance.status == "ended"


def test_what_was_due_before_is_recorded_under_the_version_that_is_left():
    """Time is brought up to the present first, by the old declaration."""
    case = VersionedCase(desk("1h"), desk("9h"))
    case.migrate(after=2 * HOUR)
    assert case.kinds == ["Started", "Overdue", "Migrated"]
    assert [one.version for one in case.all_deviations] == [1]
    assert [version for _, version in with_versions(case.facts[1:], 2)] == [1, 2]
    assert [version for _, version in with_versions(case.facts[:1], 1)] == [1]


@pytest.mark.parametrize("new", ["2wh", "30wh"])
def test_a_deadline_is_kept_whatever_the_new_limit_is(new):
    """The instant promised stays, also after a hold, which moves it as it would have under the old version."""
    case, other = VersionedCase(desk("8wh"), desk(new)), VersionedCase(desk("8wh"))
    case.migrate()
    other.wait(MINUTE)
    assert case.due("asked") == other.due("asked") == "Tue 09:30"
    for one in (case, other):
        one.hold(59 * MINUTE)
        one.resume(3 * HOUR)
    assert case.due("asked") == other.due("asked") == "Tue 11:30"
    assert case.clock("asked").extra


def test_a_deadline_is_kept_after_a_hold_before_the_migration():
    """Also when the clock stands still as the instance goes over, what was left stays."""
    case, other = VersionedCase(desk("8wh"), desk("2wh")), VersionedCase(desk("8wh"))
    for one in (case, other):
        one.hold(HOUR)
    case.migrate(after=HOUR)
    other.wait(HOUR)
    assert case.deadline("asked").remaining == other.deadline("asked").remaining
    for one in (case, other):
        one.resume(HOUR)
    assert case.due("asked") == other.due("asked")


@pytest.mark.parametrize(
    ("old", "new"),
    [("8wh", "40h"), ("1wd", "3h"), ("30h", "2wd"), ("3cd", "4wh"), ("20h", "9cd"), ("9wd", "1mo")],
)
def test_a_deadline_is_kept_though_the_new_limit_counts_otherwise(old, new):
    """Where the families differ, the deadline stays until it has to be reckoned anew."""
    case = VersionedCase(desk(old), desk(new))
    before = case.due("asked")
    case.migrate()
    assert case.due("asked") == before
    case.wait(20 * DAY)
    assert [(one.kind, one.limit) for one in case.all_deviations] == [("overdue", "asked")]
    assert case.when(case.of("Overdue")[0]) == before


def test_a_kept_deadline_in_open_time_survives_a_hold_though_the_unit_changes():
    """What the new clock will have counted by the deadline is what it may count."""
    case, other = VersionedCase(desk("4h"), desk("1wh")), VersionedCase(desk("4wh"))
    case.migrate()
    other.wait(MINUTE)
    assert case.due("asked") == "Mon 13:00"
    case.hold(HOUR)
    case.resume(30 * MINUTE)
    assert case.due("asked") == "Mon 14:00"  # 3 h of the morning were to be worked, half an hour was not


def test_recomputed_the_deadline_is_that_of_the_new_version_from_its_start():
    """`recompute` counts from the original start; time on hold stays uncounted."""
    case = VersionedCase(desk("8wh"), desk("2wh"))
    case.hold(HOUR)
    case.resume(30 * MINUTE)
    case.migrate(due="recompute")
    assert case.due("asked") == "Mon 11:30"


def test_recomputed_a_deadline_that_has_passed_is_a_breach_at_the_migration():
    """It was no breach before; it is one from the moment the limit was set."""
    case = VersionedCase(desk("8wh"), desk("1wh"))
    case.migrate(after=2 * HOUR, due="recompute")
    assert case.deviations == [("breached_on_attach", "asked")]
    assert case.when(case.of("Overdue")[0]) == "Mon 11:00"


def test_recomputed_while_the_clock_stands_still():
    """What is left is that of the new declaration."""
    case = VersionedCase(desk("8wh"), desk("2wh"))
    case.hold(HOUR)
    case.migrate(due="recompute")
    assert case.deadline("asked").remaining == HOUR


def test_a_breach_stays_a_breach():
    """A longer limit does not undo what was overdue, and the overrun is counted from the old deadline."""
    for due in ("keep", "recompute"):
        case = VersionedCase(desk("1h"), desk("9h"))
        case.migrate(after=2 * HOUR, due=due)
        assert case.deadline("asked").state == "overdue"
        case.fire("to_done", HOUR)
        assert case.all_deviations[0].overrun == 2 * HOUR


def test_warnings_that_were_given_are_not_given_again():
    """The same rung of the new ladder has fired; one that is new and past fires at the migration."""
    old, new = limit("8h", warn=["50%"]), limit("8h", warn=["25%", "50%"], escalate=["+1h"])
    case = VersionedCase(desk(old), desk(new))
    case.wait(5 * HOUR)
    case.migrate()
    assert [(fact.at, case.when(fact)) for fact in case.of("Warned")] == [
        ("50%", "Mon 13:00"),
        ("25%", "Mon 14:01"),
    ]
    case.wait(DAY)
    assert [case.when(fact) for fact in case.of("Escalated")] == ["Mon 18:00"]


def test_an_overdue_limit_is_not_warned_of_any_more():
    """A ladder that comes too late gives its escalations only."""
    old, new = limit("2h"), limit("9h", warn=["10%"], escalate=[Rung("+3h", "chief")])
    case = VersionedCase(desk(old), desk(new))
    case.migrate(after=3 * HOUR)
    case.wait(DAY)
    assert case.kinds == ["Started", "Overdue", "Migrated", "Escalated"]
    assert case.when(case.of("Escalated")[0]) == "Mon 14:00"


def test_a_limit_that_is_no_more_ends_without_a_deviation():
    """Its clock is cancelled; holds, deadlines and recomputing go on without it."""
    case = VersionedCase(desk("8wh"), desk(None))
    case.migrate()
    assert case.clock("asked").verdict == "cancelled"
    assert not case.all_deviations
    case.hold()
    case.resume()
    with pytest.raises(StopIteration):
        case.deadline("asked", ended=True)
    case.wait(9 * DAY)
    case.fire("to_done")
    assert case.kinds == ["Started", "Migrated", "Held", "Resumed", "Moved"]


def test_an_overdue_limit_that_is_no_more_is_settled():
    """By how much it was overrun is on record when it ends by the migration."""
    case = VersionedCase(desk("1h"), desk(None))
    case.migrate(after=3 * HOUR)
    assert case.kinds == ["Started", "Overdue", "Settled", "Migrated"]
    assert case.all_deviations[0].overrun == 2 * HOUR
    renamed = VersionedCase(desk("1h"), procedure(*line("taken", "done")))
    renamed.migrate(after=3 * HOUR, steps={"asked": "taken"})
    assert renamed.all_deviations[0].overrun == 2 * HOUR


def test_a_new_limit_of_the_step_starts_at_the_migration():
    """It could not be known before."""
    case = VersionedCase(desk(None), desk("2wh"))
    case.migrate(after=HOUR)
    assert case.due("asked") == "Mon 12:00"


def test_a_new_limit_over_the_whole_procedure_counts_from_its_start():
    """What it finds past is a breach at the migration, not before."""
    case = VersionedCase(
        desk(None), desk(None, limits=whole(within="3h")), desk(None, limits=whole(within="1h"))
    )
    case.migrate(after=HOUR)
    assert case.due("whole") == "Mon 12:00"
    late = VersionedCase(desk(None), desk(None, limits=whole(within="1h")))
    late.migrate(after=2 * HOUR)
    assert late.when(late.of("Overdue")[0]) == "Mon 11:00"


def test_a_limit_that_is_new_on_hold_stands_still():
    """A paused instance pauses it, and the cap of the present hold starts with it."""
    rules = (HoldRule("third_party", at_most="2wd"),)
    case = VersionedCase(desk(None), desk("2wh", holds=rules))
    case.hold()
    case.migrate()
    assert case.deadline("asked").state == "paused"
    assert case.due("hold.third_party") == "Wed 17:30"
    case.resume(HOUR)
    assert case.clock("hold.third_party").verdict == "met"


def test_a_limit_that_may_stop_now_stops_and_one_that_may_not_runs():
    """The new declaration says whether a hold stops the clock; the deadline is kept from there."""
    stays, stops = limit("8h", stoppable=False), limit("8h")
    case = VersionedCase(desk(stays), desk(stops))
    case.hold()
    case.migrate(after=HOUR)
    assert case.deadline("asked").state == "paused"
    case = VersionedCase(desk(stops), desk(stays))
    case.hold(HOUR)
    case.migrate(after=HOUR)
    assert case.due("asked") == "Mon 18:00"


def test_a_step_that_waits_now_stops_the_clocks():
    """Whether the active steps wait is asked of the new version."""
    old = procedure(*line("asked", "done"), limits=whole(within="8h"))
    new = procedure(*line("asked", "done", asked={"waits": "recipient"}), limits=whole(within="8h"))
    case = VersionedCase(old, new)
    case.migrate(after=HOUR)
    assert (case.instance.paused, case.deadline("whole").state) == (True, "paused")
    case.revert(after=HOUR)
    assert (case.instance.paused, case.due("whole")) == (False, "Mon 18:00")


def test_an_anchored_deadline_is_kept_until_it_is_rescheduled():
    """A deadline that is an instant of its own stays, whatever it hangs on now."""
    meeting = Field("meeting", type="instant")
    given = {"data": {"meeting": "2026-03-03T14:00:00+08:00"}}
    old, new = TimeLimit(before="meeting - 2h"), TimeLimit(before="meeting - 1h")
    case = VersionedCase(desk(old, fields=(meeting,)), desk(new, fields=(meeting,)), **given)
    case.migrate()
    assert case.due("asked") == "Tue 12:00"
    case.update(data={"meeting": "2026-03-03T15:00:00+08:00"})
    assert case.due("asked") == "Tue 14:00"
    pending = VersionedCase(desk(old, fields=(meeting,)), desk("2h", fields=(meeting,)))
    pending.migrate()
    assert pending.due("asked") == "Mon 11:01"


def test_a_row_without_target_takes_the_deadline_away():
    """What is declared to have none, has none."""
    none = TimeLimit(match=(Row(no_target=True),))
    case = VersionedCase(desk("2h"), desk(none), desk("3h"))
    case.migrate()
    case.migrate(3)
    assert case.due("asked") == "Mon 12:02"


def test_a_renamed_step_takes_its_limits_memory_and_counts_along():
    """Deadlines, who did it and how often stay under the new names."""

    def versions(first: str, second: str) -> Procedure:
        return procedure(
            Step(
                first, within="8wh", to=(move("send", second), move("again", first, at_most=1, kind="rework"))
            ),
            Step(
                second,
                not_by=first,
                waits="recipient",
                at_most="3wd",
                to=(move("back", first), move("end", "done")),
            ),
            Step("done", end="completed"),
        )

    names = {"asked": "received", "checked": "approved"}
    case = VersionedCase(versions("asked", "checked"), versions("received", "approved"))
    case.fire("again", actor=worker("li"))
    case.fire("send", actor=worker("li"))
    before = case.due("checked.wait")
    case.migrate(steps=names)
    assert case.instance.steps == ("approved",)
    assert case.due("approved.wait") == before
    case.fire("end", actor=worker("li"))
    assert case.rule == "role"
    case.fire("back", actor=worker("wang"))
    assert case.clock("received").visit == 1
    case.fire("again", actor=worker("wang"))
    assert [one.kind for one in case.all_deviations] == ["rework_over_bound"]
    case.revert()
    assert (case.instance.steps, set(case.instance.stopwatches)) == (("asked",), {"asked", "checked.wait"})


def test_an_overdue_limit_that_was_renamed_is_settled_under_its_old_name():
    """The breach on record learns by how much, though the step is called otherwise by then."""
    case = VersionedCase(desk("1h"), procedure(*line("taken", "done", taken={"within": "1h"})))
    case.migrate(after=2 * HOUR, steps={"asked": "taken"})
    case.fire("to_done", HOUR)
    assert [(one.limit, one.overrun) for one in case.all_deviations] == [("asked", 2 * HOUR)]


def test_branches_go_over_together():
    """A parallel step and the steps of its branches are mapped at their places."""

    def forked(left: str) -> Procedure:
        return procedure(
            fork("both", move("done", "done"), a=line(left, "a_end"), b=line("b1", "b_end")),
            Step("done", end="completed"),
        )

    case = VersionedCase(forked("a1"), forked("a9"))
    case.fire("to_b_end")
    case.migrate(steps={"a1": "a9"})
    assert set(case.instance.active) == {"both", "a9", "b_end"}
    case.fire("to_a_end")
    assert case.instance.status == "ended"


A1, B1 = line("a1", "a_end"), line("b1", "b_end")
FORKED = procedure(fork("both", move("done", "done"), a=A1, b=B1), Step("done", end="completed"))
DONE = Step("done", end="completed")
NOWHERE = [
    (desk(), procedure(*line("taken", "done")), {}, "asked", "no step 'asked'"),
    (desk(), desk(), {"asked": "nothing"}, "nothing", "has no step 'nothing'"),
    (desk(), desk(), {"nothing": "asked"}, "nothing", "has no step 'nothing'"),
    (desk(), desk(), {"asked": "done"}, "asked", "is not an end alike"),
    (desk(), FORKED, {"asked": "a1"}, "asked", "not at the same place of nesting"),
    (desk(), FORKED, {"asked": "both"}, "asked", "is not parallel alike"),
    (
        FORKED,
        procedure(fork("both", move("done", "done"), a=A1, c=line("c1", "c_end")), DONE),
        {"b1": "a1"},
        "b1",
        "cannot both go to the branch",
    ),
    (
        FORKED,
        procedure(fork("both", move("done", "done"), a=A1, b=B1, c=line("c1", "c_end")), DONE),
        {},
        "both",
        "branch 'c'",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "steps", "step", "said"), NOWHERE, ids=[row[-1] for row in NOWHERE])
def test_a_step_without_a_counterpart_is_refused_by_name(old, new, steps, step, said):
    """The refusal names the step and what to do; it is on record, and nothing else changed."""
    case = VersionedCase(old, new)
    before = case.instance
    outcome = case.migrate(steps=steps)
    assert (case.rule, outcome.refused.command, outcome.refused.step) == ("migration", "Migrate", step)
    assert said in outcome.refused.en
    assert outcome.refused.zh
    assert outcome.remedy
    assert case.instance._replace(sequence=1, updated_us=before.updated_us) == before


def test_an_instance_that_has_ended_stays_as_it_is():
    """Neither migration nor taking one back is possible any more."""
    case = VersionedCase(desk(), desk())
    case.migrate()
    case.fire("to_done")
    case.migrate(1)
    assert case.rule == "closed"
    case.revert()
    assert case.rule == "closed"


def test_the_version_it_has_already_and_one_not_in_force_are_refused():
    """There is nothing to do, or it is too early."""
    case = VersionedCase(desk(), desk(effective=(MONDAY + 2 * DAY).date()))
    case.migrate(1)
    assert case.rule == "migration"
    case.migrate(2)
    assert case.rule == "effective"
    case.migrate(2, after=3 * DAY)
    assert case.instance.version == 2


def test_what_the_version_newly_requires_must_be_given():
    """A field with a default has it; one without is refused until it comes with the command."""
    new = desk(fields=(Field("room", required=True), Field("floor", type="number", default=3, required=True)))
    case = VersionedCase(desk(fields=(Field("old"),)), new, data={"old": "x"})
    case.migrate()
    assert (case.rule, "room" in case.outcome.remedy.en) == ("migration", True)
    with pytest.raises(FieldError):
        case.migrate(data={"room": 7})
    case.migrate(data={"room": "3-1204"})
    assert case.instance.data == {"old": "x", "room": "3-1204", "floor": 3}
    assert case.facts[-1].data == {"room": "3-1204", "floor": 3}


def test_blank_text_is_not_what_a_version_newly_requires():
    """What was blank while nobody asked for it has to be given, or takes the default."""
    old = desk(fields=(Field("room"), Field("unit")))
    new = desk(fields=(Field("room", required=True), Field("unit", required=True, default="office")))
    case = VersionedCase(old, new, data={"room": "\u3000", "unit": " "})
    case.migrate()
    assert (case.rule, "room" in case.outcome.remedy.en) == ("migration", True)
    case.migrate(data={"room": "3-1204"})
    assert case.instance.data == {"room": "3-1204", "unit": "office"}


def test_a_value_that_does_not_fit_any_more_is_refused_until_it_is_given_anew():
    """Data are kept, so they must be data of the new version."""

    def kinds(*choices: str) -> Procedure:
        return desk(fields=(Field("kind", type="choice", choices=choices),))

    case = VersionedCase(kinds("a", "b"), kinds("b", "c"), data={"kind": "a"})
    case.migrate()
    assert (case.rule, "kind" in case.outcome.refused.en) == ("migration", True)
    case.migrate(data={"kind": "c"})
    assert case.instance.data == {"kind": "c"}
    case.revert()
    assert case.rule == "migration"


def test_evidence_and_data_stay():
    """What was given before counts in the new version too."""
    steps = line("asked", "done", asked={"evidence": ("photo",)})
    case = VersionedCase(desk(), procedure(*steps))
    case.update(evidence={"photo": "p1"})
    case.migrate()
    case.fire("to_done")
    assert not case.all_deviations


def test_a_limit_with_a_carried_difference_is_not_extended_again():
    """The difference stands where an extension would; the refusal says so."""
    extended = limit("8wh", extension=Extension("2wh"))
    case = VersionedCase(desk("9wh"), desk(extended))
    case.migrate()
    case.do(Extend("asked", "please"), MINUTE)
    assert "earlier version" in case.outcome.refused.en
    case.migrate(1)
    case.migrate(2, due="recompute")
    case.do(Extend("asked", "please"), MINUTE)
    assert case.rule == ""


def test_taken_back_everything_is_as_it_was():
    """Steps, deadlines and version come back; the fact names the migration it takes back."""
    old = desk("8wh", limits=whole(within="2wd"))
    case = VersionedCase(old, procedure(*line("taken", "done", taken={"within": "1wh"})))
    before = (case.due("asked"), case.due("whole"))
    sequence = case.migrate(steps={"asked": "taken"}).facts[-1].sequence
    fact = case.revert(after=HOUR, reason="too early").facts[-1]
    assert (fact.reverts, fact.to_version, fact.reason) == (sequence, 1, "too early")
    assert dict(fact.steps) == {"taken": "asked"}
    assert (case.due("asked"), case.due("whole")) == before
    case.hold()
    case.resume()
    assert case.deadline("whole").state == "running"
    case.revert()
    assert (case.rule, "no migration" in case.outcome.refused.en) == ("migration", True)


def test_migrations_are_taken_back_one_by_one():
    """The last that stands comes first; what was taken back is out of the question."""
    case = VersionedCase(desk("8wh"), desk("4wh"), desk("2wh"))
    case.migrate(2)
    case.migrate(3)
    case.revert()
    assert case.instance.version == 2
    case.migrate(3)
    case.revert()
    case.revert()
    assert case.instance.version == 1
    assert case.due("asked") == "Tue 09:30"


def test_a_limit_that_comes_back_paused_or_passed_goes_on_from_there():
    """A clock that stood still has what was left; a deadline that passed meanwhile is a breach when it is back."""
    case = VersionedCase(desk("8wh"), desk(None))
    case.hold(HOUR)
    case.migrate()
    case.revert()
    case.resume(HOUR)
    assert case.deadline("asked").remaining == 7 * HOUR
    late = VersionedCase(desk("2h"), desk(None))
    late.migrate()
    late.wait(3 * HOUR)
    assert not late.all_deviations
    late.revert()
    assert late.deviations == [("breached_on_attach", "asked")]


def test_a_limit_that_comes_back_after_two_versions_is_due_when_it_was():
    """However many versions did not have it; what had ended by itself stays ended."""
    case = VersionedCase(desk("8wh"), desk(None), desk(None))
    case.migrate(2)
    case.migrate(3)
    case.migrate(1)
    assert case.due("asked") == "Tue 09:30"
    met = VersionedCase(
        *(procedure(*line("asked", "seen", "done", asked={"within": one})) for one in ("8wh", None))
    )
    met.fire("to_seen")
    met.migrate()
    met.revert()
    assert met.clock("asked").verdict == "met"


def test_what_cannot_be_taken_back_is_refused_by_name():
    """A step the earlier version does not have, or that two steps went to, has no way back by itself."""
    case = VersionedCase(desk(), procedure(*line("asked", "looked_at", "done")))
    case.migrate()
    case.fire("to_looked_at")
    case.revert()
    assert (case.rule, case.outcome.refused.step) == ("migration", "looked_at")
    assert "map 'looked_at'" in case.outcome.remedy.en
    merged = VersionedCase(procedure(*line("asked", "taken", "done")), procedure(*line("open", "done")))
    merged.migrate(steps={"asked": "open", "taken": "open"})
    merged.revert()
    assert "asked, taken" in merged.outcome.refused.en
    merged.migrate(1, steps={"open": "taken"})
    assert merged.instance.steps == ("taken",)


def test_a_migration_needs_both_versions():
    """Evolving or deciding it with one is a mistake of the driver and says so."""
    case = VersionedCase(desk(), desk())
    case.migrate()
    with pytest.raises(TypeError, match="both versions"):
        evolve_all(case.compiled, None, case.facts)
    for command in (Migrate(1), Revert()):
        with pytest.raises(TypeError, match="both versions"):
            transact(case.compiled, case.instance, command, to_us(case.now))
    with pytest.raises(ValueError, match="begins with Started"):
        replay(case.version_of, case.facts[1:])


def test_the_fact_leaves_out_what_is_not_needed():
    """Its record has the defaults left out, as that of any fact."""
    fact = Migrated("i1", 2, 5, 5, "li", 1, 2)
    assert to_record(fact) == {
        "kind": "Migrated", "instance": "i1", "sequence": 2, "occurred_us": 5, "recorded_us": 5, "actor": "li",
        "from_version": 1, "to_version": 2,
    }  # fmt: skip
    assert attrs.fields(Started).version


def test_an_unknown_rule_for_dues_is_refused_at_once():
    """Only keep and recompute are known."""
    with pytest.raises(ValueError, match="due"):
        Migrate(2, due="soon")


@pytest.mark.parametrize(
    ("first", "second", "kinds"),
    [(True, False, ["breached_on_attach"]), (False, True, ["overdue"]), (True, True, ["overdue"])],
)
def test_a_span_is_judged_when_reached_by_the_version_in_which_it_ends(first, second, kinds):
    """What was not owed and is now has been late since; what was late stays so; the rest is judged at its end."""

    def version(*, if_reached: bool) -> Procedure:
        span = TimeLimit(id="span", from_="a", to="b", within="1h", if_reached=if_reached)
        return procedure(*line("a", "b", "end"), limits=(span,))

    case = VersionedCase(version(if_reached=first), version(if_reached=second))
    case.migrate(after=2 * HOUR)
    case.fire("to_b", after=HOUR)
    assert [one.kind for one in case.all_deviations] == kinds
    assert [one.overrun for one in case.all_deviations] == [2 * HOUR]
