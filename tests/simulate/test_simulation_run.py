"""What happens in a run: hours, queues, branches, waits, deemed moves, people who must differ."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest
from simulate_cases import DONE, OFFICE, calendars, one_step, procedure, situation

from svcflow.errors import CalendarCoverageError, NaiveDatetime, Refused
from svcflow.kernel import Fire
from svcflow.kernel.facts import Moved, Overdue, Started
from svcflow.model.automatic_move import AutomaticMove
from svcflow.model.field import Field
from svcflow.model.procedure import Procedure
from svcflow.model.scenario import Pool
from svcflow.model.step import Branch, Step, Transition
from svcflow.simulate import simulate
from svcflow.simulate.plan import make_plan
from svcflow.simulate.resources import RolePool, Task
from svcflow.simulate.run import MAX_VISITS, SimulationRun
from svcflow.simulate.sampling import Streams
from svcflow.worktime import shipped_calendar

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
MICRO = timedelta(microseconds=1)
ALWAYS = shipped_calendar("always")


def at(hours, minutes=0, *, day=0):
    return MONDAY + timedelta(days=day, hours=hours, minutes=minutes)


def run(proc, instances, scenario, start=None):
    result = simulate(proc, instances, 1, scenario=scenario, calendars=calendars, start=start or at(0))
    return result, list(result.journals().values())


def moves(facts):
    return [(fact.trigger, fact.occurred_at) for fact in facts if isinstance(fact, Moved)]


def goes(trigger, step, **rest):
    return Transition(trigger, step, **rest)


def test_work_goes_on_at_the_next_opening():
    """Three hours begun at 16:30 end at 10:30 next day: 12:00 to 13:30 and the night do not count."""
    pools = {"clerk": Pool(capacity=1, calendar="office")}
    _, (facts,) = run(one_step(), 1, situation(every="60m", serve="3h", pools=pools), at(15, 30))
    assert moves(facts) == [("finish", at(10, 30, day=1))]
    _, (facts,) = run(one_step(), 1, situation(every="60m", serve="3h", pools=pools), at(10, 30))
    assert moves(facts) == [("finish", at(16, 0))]


def test_work_asked_for_at_night_begins_in_the_morning():
    """A pool works only when it is open; the night is no waiting time of its own clock."""
    pools = {"clerk": Pool(capacity=1, calendar="office")}
    result, (facts,) = run(one_step(), 1, situation(every="60m", serve="20m", pools=pools), at(21))
    assert moves(facts) == [("finish", at(8, 50, day=1))]
    assert result.pools["clerk"].mean_waiting == timedelta(0)


def test_working_time_runs_in_the_procedures_calendar_for_a_pool_that_never_closes():
    """The recipient who answers within an hour of work does so in office hours."""
    proc = one_step(calendar="office")
    _, (facts,) = run(proc, 1, situation(every="60m", serve="60wm"), at(16))
    assert moves(facts) == [("finish", at(9, 0, day=1))]


def test_instances_arrive_in_the_open_hours_of_the_arrivals_calendar():
    """The time between arrivals is counted in working time: the thirteenth comes next morning."""
    scenario = situation(every="40m", serve="1m", arrivals="office")
    _, journals = run(one_step(), 30, scenario, at(8, 30))
    arrivals = [facts[0].occurred_at for facts in journals]
    assert all(isinstance(facts[0], Started) for facts in journals)
    assert arrivals[:2] == [at(9, 10), at(9, 50)]
    assert arrivals[12] == at(9, 40, day=1)
    passed = [OFFICE.between(at(8, 30), when) for when in arrivals]
    assert passed == [timedelta(minutes=40 * place) for place in range(1, 31)]


def test_the_queue_is_served_in_order_and_by_so_many_at_once():
    """Two clerks, an hour each, an arrival every ten minutes."""
    pools = {"clerk": Pool(capacity=2, calendar="always")}
    result, journals = run(one_step(), 4, situation(every="10m", serve="1h", pools=pools))
    assert [moves(facts)[0][1] for facts in journals] == [at(1, 10), at(1, 20), at(2, 10), at(2, 20)]
    assert [facts[-1].actor for facts in journals] == ["clerk-1", "clerk-2", "clerk-1", "clerk-2"]
    assert result.pools["clerk"].mean_waiting == timedelta(minutes=20)
    assert result.pools["clerk"].p95_waiting == timedelta(minutes=40)


def test_branches_are_worked_on_at_the_same_time():
    """Two hours and three hours side by side take three."""
    both = Step(
        "both",
        parallel=[
            Branch(
                "left", [Step("a", role="clerk", to=[goes("end_a", "a_done")]), Step("a_done", end="done")]
            ),
            Branch(
                "right", [Step("b", role="clerk", to=[goes("end_b", "b_done")]), Step("b_done", end="done")]
            ),
        ],
        to=[goes("done", "done")],
    )
    pools = {"clerk": Pool(capacity=2, calendar="always")}
    result, (facts,) = run(procedure(both), 1, situation(every="60m", a="2h", b="3h", pools=pools))
    assert moves(facts) == [("end_a", at(3)), ("end_b", at(4)), ("done", at(4))]
    assert result.steps["both"].elapsed.p50 == timedelta(hours=3)
    assert result.steps["a"].elapsed.p50 == timedelta(hours=2)


def test_a_step_that_waits_keeps_nobody_busy():
    """Ten instances wait an hour each at the same time for a role of one."""
    wait = Step("wait", role="clerk", waits="recipient", to=[goes("answer", "done")])
    result, journals = run(procedure(wait), 10, situation(every="1m", wait="1h"))
    assert [moves(facts)[0][1] - facts[0].occurred_at for facts in journals] == [timedelta(hours=1)] * 10
    assert result.pools == {}


def test_a_step_left_by_a_deemed_move_is_not_worked_on_any_more():
    """Whoever worked on it is free at once, and nothing is fired where the instance no longer is."""
    slow = Step(
        "slow",
        role="clerk",
        within="1h",
        on_overdue="lapse",
        to=[goes("finish", "done"), goes("lapse", "lapsed")],
    )
    proc = procedure(slow, Step("lapsed", end="cancelled"))
    result, (first, second) = run(proc, 2, situation(every="30m", slow="10h", exits={"slow": {"finish": 1}}))
    assert moves(first) == [("lapse", at(1, 30))]
    assert [type(fact).__name__ for fact in first] == ["Started", "Overdue", "Moved", "Settled"]
    assert moves(second) == [("lapse", at(2))]
    assert result.pools["clerk"].served == 2
    assert result.pools["clerk"].p95_waiting == timedelta(minutes=30) + MICRO
    assert result.finished_at == at(11, 30) + MICRO  # the work planned for the second is dropped there


def test_a_queue_left_by_a_deemed_move_is_forgotten():
    """Nobody begins what was deemed done while it waited."""
    slow = Step(
        "slow",
        role="clerk",
        within="1h",
        on_overdue="lapse",
        to=[goes("finish", "done"), goes("lapse", "done")],
    )
    scenario = situation(every="10m", slow="55m", exits={"slow": {"finish": 1}})
    result, journals = run(procedure(slow), 3, scenario)
    assert [moves(facts) for facts in journals] == [
        [("finish", at(1, 5))],
        [("lapse", at(1, 20))],
        [("lapse", at(1, 30))],
    ]
    assert result.pools["clerk"].served == 3
    late = [len([fact for fact in facts if isinstance(fact, Overdue)]) for facts in journals]
    assert late == [0, 1, 1]


def test_work_whose_turn_never_came_is_not_begun():
    """Signing lapses after an hour, while the clerk writes for those who came later; two are signed in time."""
    proc = procedure(
        Step("write", role="clerk", to=[goes("submit", "sign")]),
        Step(
            "sign",
            role="clerk",
            within="1h",
            on_overdue="lapse",
            to=[goes("approve", "done"), goes("lapse", "done")],
        ),
    )
    exits = {"sign": {"approve": 1}}
    result, journals = run(proc, 6, situation(every="10m", write="55m", sign="2m", exits=exits))
    assert [moves(facts)[-1][0] for facts in journals] == ["lapse"] * 4 + ["approve"] * 2
    assert result.pools["clerk"].served == 8
    assert result.still_open == 0


def test_work_that_ends_when_its_deadline_has_just_passed_comes_too_late():
    """The deemed move was made a microsecond before, even where both are worked off at one instant."""
    slow = Step(
        "slow",
        role="clerk",
        within="1h",
        on_overdue="lapse",
        to=[goes("finish", "done"), goes("lapse", "done")],
    )
    plan = make_plan(procedure(slow), situation(every="10m", exits={"slow": {"finish": 1}}), calendars)
    for over_us, trigger in ((0, "finish"), (1, "lapse"), (2, "lapse")):
        late = attrs.evolve(plan.steps["slow"], sample=lambda _, over_us=over_us: 3_600_000_000 + over_us)
        one = SimulationRun(attrs.evolve(plan, steps={"slow": late}), [0], Streams(1))
        one.go()
        assert [fact[0] for fact in moves(one.cases[0].facts)] == [trigger]


def test_branches_left_together_are_not_worked_on_any_more():
    """When the whole of them lapses, whoever worked in one is free for others."""
    both = Step(
        "both",
        within="1h",
        on_overdue="lapse",
        parallel=[
            Branch(
                "left", [Step("a", role="clerk", to=[goes("end_a", "a_done")]), Step("a_done", end="done")]
            ),
            Branch(
                "right", [Step("b", role="boss", to=[goes("end_b", "b_done")]), Step("b_done", end="done")]
            ),
        ],
        to=[goes("done", "next"), goes("lapse", "next", kind="exception")],
    )
    proc = procedure(both, Step("next", role="clerk", to=[goes("finish", "done")]))
    pools = {role: Pool(calendar="always") for role in ("clerk", "boss")}
    scenario = situation(every="60m", a="5h", b="10m", next="10m", pools=pools)
    result, (facts,) = run(proc, 1, scenario)
    assert moves(facts) == [("end_b", at(1, 10)), ("lapse", at(2)), ("finish", at(2, 10) + MICRO)]
    assert result.pools["clerk"].served == 2


def test_the_queue_keeps_its_order_past_work_for_another():
    """Two pieces clerk-1 may not do stay at the head, before one that came later."""
    pool = RolePool("clerk", 2, ALWAYS, 10**9)
    first, second, a, b, c, d = (
        task(pool, *barred) for barred in ((), (), ("clerk-1",), ("clerk-1",), (), ())
    )
    for one in (first, second, a, b, c, d):
        pool.ask(one)
    assert list(pool.begin(0)) == [first, second]
    pool.release(first, 10)
    assert list(pool.begin(10)) == [c]
    pool.release(second, 20)
    assert list(pool.begin(20)) == [a]
    pool.release(c, 30)
    assert list(pool.begin(30)) == [d]
    pool.release(a, 40)
    assert list(pool.begin(40)) == [b]
    assert pool.waits_us == [0, 0, 10, 20, 30, 40]
    assert pool.busy_us == 10 + 20 + 20 + 20


def task(pool, *barred):
    return Task(None, None, 1, 0, 0.5, None, pool, barred, 0)


def test_a_waiting_step_is_answered_by_somebody_else_where_it_must():
    """Of two, the other; where there is one, a stand-in. Nothing deviates."""
    proc = procedure(
        Step("ask", role="clerk", to=[goes("submit", "answer")]),
        Step("answer", role="clerk", waits="recipient", not_by="ask", to=[goes("agree", "done")]),
    )
    for pools in ({"clerk": Pool(capacity=2)}, {"clerk": Pool(capacity=1)}, {}):
        result, journals = run(proc, 20, situation(every="2h", ask="1h", answer="1h", pools=pools))
        assert {tuple(fact.actor for fact in facts if isinstance(fact, Moved)) for facts in journals} == {
            ("clerk-1", "clerk-2")
        }
        assert result.deviations == {}


def test_somebody_else_acts_where_another_has_to_and_no_role_is_named():
    """Where no role is asked somebody acts; where another person is, it is another. Nothing deviates."""
    proc = procedure(
        Step("write", to=[goes("submit", "review")]),
        Step("review", not_by="write", to=[goes("approve", "done")]),
    )
    result, (facts,) = run(proc, 1, situation(every="2h", write="1h", review="1h", pools={}))
    assert [fact.actor for fact in facts if isinstance(fact, Moved)] == ["somebody", "somebody-2"]
    assert result.deviations == {}


def test_who_must_differ_is_found_in_a_pool_without_bound():
    """Another one is called in."""
    proc = procedure(
        Step("write", role="clerk", to=[goes("submit", "review")]),
        Step("review", role="clerk", not_by="write", to=[goes("approve", "done")]),
    )
    _, (facts,) = run(proc, 1, situation(every="2h", write="1h", review="1h", pools={}))
    assert [fact.actor for fact in facts if isinstance(fact, Moved)] == ["clerk-1", "clerk-2"]


def test_a_way_that_data_closed_meanwhile_is_not_taken():
    """The other branch brings a fee while this one is worked on; then the second way is open."""
    free = goes("free", "a_done", when="fee == None")
    paid = goes("paid", "a_done", when="fee >= 0")
    bring = goes("bring", "b_done", requires=["fee"])
    both = Step(
        "both",
        parallel=[
            Branch("left", [Step("a", role="clerk", to=[free, paid]), Step("a_done", end="done")]),
            Branch("right", [Step("b", role="boss", to=[bring]), Step("b_done", end="done")]),
        ],
        to=[goes("done", "done")],
    )
    proc = procedure(both, fields=[Field("fee", type="number")])
    plan = make_plan(proc, situation(every="60m", a="2h", b="1h", pools={}), calendars)
    one = SimulationRun(attrs.evolve(plan, sampled=()), [0], Streams(1))
    one.go()
    assert [fact[0] for fact in moves(one.cases[0].facts)] == ["bring", "paid", "done"]


def test_a_way_that_data_closed_for_good_is_left_open():
    """Nothing is forced: the work is over, the instance stays where it is, the clerk is free."""
    both = Step(
        "both",
        parallel=[
            Branch(
                "left",
                [
                    Step("a", role="clerk", to=[goes("free", "a_done", when="fee == None")]),
                    Step("a_done", end="done"),
                ],
            ),
            Branch(
                "right",
                [
                    Step("b", role="boss", to=[goes("bring", "b_done", requires=["fee"])]),
                    Step("b_done", end="done"),
                ],
            ),
        ],
        to=[goes("done", "done")],
    )
    proc = procedure(both, fields=[Field("fee", type="number")])
    pools = {"clerk": Pool(calendar="always")}
    plan = make_plan(proc, situation(every="60m", a="2h", b="1h", pools=pools), calendars)
    one = SimulationRun(attrs.evolve(plan, sampled=()), [0, 10], Streams(1))
    one.go()
    assert [[fact[0] for fact in moves(case.facts)] for case in one.cases] == [["bring"], ["bring"]]
    assert one.pools["clerk"].served == 2
    assert one.ended == 0


def test_a_refused_command_would_stop_the_run():
    """The run never hides that the kernel did not accept what it asked for."""
    one = SimulationRun(make_plan(one_step(), situation(every="60m", serve="1h"), calendars), [0], Streams(1))
    one.go()
    with pytest.raises(Refused, match="has ended"):
        one.advance(one.cases[0], Fire("finish"))


@pytest.mark.parametrize(("capacity", "actors"), [(2, ["clerk-1", "clerk-2"]), (1, ["clerk-1", "clerk-2"])])
def test_who_did_one_step_does_not_do_the_other(capacity, actors):
    """Another member of the pool acts; a pool of one lends a stand-in. Nothing deviates."""
    proc = procedure(
        Step("write", role="clerk", to=[goes("submit", "review")]),
        Step("review", role="clerk", not_by="write", to=[goes("approve", "done")]),
    )
    pools = {"clerk": Pool(capacity=capacity, calendar="always")}
    result, (facts,) = run(proc, 1, situation(every="60m", write="1h", review="1h", pools=pools))
    assert [fact.actor for fact in facts if isinstance(fact, Moved)] == actors
    assert result.deviations == {}


@pytest.mark.parametrize("capacity", [2, 3, None])
@pytest.mark.parametrize("waits", [None, "recipient"], ids=["works", "waits"])
def test_who_did_a_part_of_a_parallel_step_does_not_sign_it(capacity, waits):
    """Each who did a branch is barred; where that is the whole pool a stand-in signs. Nothing deviates."""
    branches = [
        Branch(
            one,
            [Step(one, role="clerk", to=[goes(f"end_{one}", f"{one}_done")]), Step(f"{one}_done", end="x")],
        )
        for one in ("a", "b")
    ]
    proc = procedure(
        Step("both", parallel=branches, to=[goes("done", "sign")]),
        Step("sign", role="clerk", waits=waits, not_by="both", to=[goes("finish", "done")]),
    )
    pools = {"clerk": Pool(capacity=capacity, calendar="always")} if capacity else {}
    result, (facts,) = run(proc, 1, situation(every="60m", a="1h", b="1h", sign="1h", pools=pools))
    acted = [fact.actor for fact in facts if isinstance(fact, Moved) and fact.actor]
    assert acted[:2] == ["clerk-1", "clerk-2"]
    assert acted[2] not in acted[:2]
    assert waits or acted[2] == "clerk-3"
    assert result.deviations == {}


def test_work_for_another_member_holds_nobody_up():
    """While the reviewer of one is busy, the next in the queue is served by who is free."""
    proc = procedure(
        Step("write", role="clerk", to=[goes("submit", "review")]),
        Step("review", role="clerk", not_by="write", to=[goes("approve", "done")]),
    )
    pools = {"clerk": Pool(capacity=2, calendar="always")}
    result, journals = run(proc, 3, situation(every="10m", write="1h", review="5m", pools=pools))
    for facts in journals:
        writer, reviewer = [fact.actor for fact in facts if isinstance(fact, Moved)]
        assert writer != reviewer
    assert result.deviations == {}
    # clerk-1 is free at 1:10 but wrote the first: it writes the third, and clerk-2 reviews the first at 1:20
    assert [moves(facts)[-1][1] for facts in journals] == [at(1, 25), at(2, 15), at(2, 15)]


def test_required_data_and_evidence_come_with_the_move():
    """A declared field gets a value it accepts, anything else is evidence; what the step owes comes too."""
    sign = goes("sign", "done", requires=["grade", "signature"])
    proc = procedure(
        Step("serve", role="clerk", evidence=["photo"], to=[sign]),
        fields=[Field("grade", type="number", minimum=3, maximum=4), Field("place", required=True)],
    )
    _, (facts,) = run(proc, 1, situation(every="60m", serve="1m"))
    assert facts[0].data == {"place": "simulated"}
    assert facts[1].data["grade"] in (3, 4)
    assert set(facts[1].evidence) == {"photo", "signature"}


def test_what_a_move_requires_comes_with_it_each_time():
    """The value there is is sent again, with fresh evidence; nothing that came before meets it."""
    again = goes("again", "serve", kind="rework", at_most=2, requires=["grade", "form"])
    fields = [Field("grade", type="number", minimum=1, maximum=900, default=7)]
    proc = procedure(Step("serve", role="clerk", to=[again, goes("finish", "done")]), fields=fields)
    always = situation(every="60m", serve="1m", exits={"serve": {"again": 1.0}})
    compiled = make_plan(proc, always, calendars)
    one = SimulationRun(compiled, [0], Streams(1))
    one.go()
    sent = [fact for fact in one.cases[0].facts if isinstance(fact, Moved) and fact.trigger == "again"]
    assert len(sent) > 1
    assert all((fact.data, fact.evidence) == ({"grade": 7}, {"form": "simulated"}) for fact in sent)


def joined_by(*done: Transition) -> Procedure:
    """Two branches of one and two hours, joined by what `fee`, from 0 to 9, allows."""
    left = [Step("a", role="clerk", to=[goes("end_a", "a_done")]), Step("a_done", end="done")]
    right = [Step("b", role="clerk", to=[goes("end_b", "b_done")]), Step("b_done", end="done")]
    both = Step("both", parallel=[Branch("left", left), Branch("right", right)], to=done)
    return procedure(both, fields=[Field("fee", type="number", minimum=0, maximum=9)])


def test_branches_that_may_not_be_joined_stay_where_they_are():
    """The work that would end the last branch is over, and nobody forces the instance on."""
    times = situation(every="60m", a="1h", b="2h", pools={})
    result, journals = run(joined_by(goes("done", "done", when="fee > 10")), 3, times)
    assert (result.ended, result.still_open) == (0, 3)
    assert [[fact[0] for fact in moves(facts)] for facts in journals] == [["end_a"]] * 3
    result, _ = run(joined_by(goes("done", "done", when="fee > 10"), goes("done", "done")), 3, times)
    assert result.ended == 3


def test_an_instance_whose_guards_are_all_closed_stays_open():
    """It is counted as still open; nobody forces it on."""
    proc = procedure(
        Step("serve", role="clerk", to=[goes("finish", "done", when="fee > 10")]),
        fields=[Field("fee", type="number", minimum=0, maximum=9)],
    )
    result, journals = run(proc, 3, situation(every="60m", serve="1m"))
    assert (result.ended, result.still_open, result.whole) == (0, 3, None)
    assert [len(facts) for facts in journals] == [1, 1, 1]


def test_every_run_ends():
    """A circle without a way out is gone round a stated number of times."""
    proc = procedure(
        Step("serve", role="clerk", to=[goes("round", "again"), goes("finish", "done")]),
        Step("again", role="boss", to=[goes("back", "serve")]),
    )
    exits = {"serve": {"round": 1, "finish": 0}}
    result, (facts,) = run(proc, 1, situation(every="60m", serve="1m", again="1m", exits=exits))
    assert result.still_open == 1
    assert len(moves(facts)) == 2 * MAX_VISITS


def test_two_scenarios_share_their_random_numbers():
    """Another capacity changes who waits, not how long the work of an instance takes nor where it goes."""
    proc = procedure(
        Step("serve", role="clerk", to=[goes("finish", "done"), goes("more", "check")]),
        Step("check", role="clerk", to=[goes("back", "serve", kind="rework"), goes("pass", "done")]),
    )
    exits = {"serve": {"finish": 0.5, "more": 0.5}, "check": {"back": 0.3, "pass": 0.7}}
    few, many = (
        run(
            proc,
            200,
            situation(between="30m", exits=exits, pools={"clerk": Pool(capacity=c, calendar="always")}),
        )[1]
        for c in (1, 50)
    )
    assert [[m[0] for m in moves(facts)] for facts in few] == [[m[0] for m in moves(facts)] for facts in many]
    assert [facts[0].occurred_us for facts in few] == [facts[0].occurred_us for facts in many]
    assert [facts[-1].occurred_us for facts in few] != [facts[-1].occurred_us for facts in many]


def test_a_calendar_that_ends_within_the_week_still_sets_hours_of_work():
    """Whether a pool ever closes cannot be seen a week ahead then; its hours hold."""
    pools = {"clerk": Pool(calendar="cn_office")}
    start = datetime(2026, 12, 30, 1, tzinfo=UTC)
    _, (facts,) = run(one_step(), 1, situation(every="60m", serve="60wm", pools=pools), start)
    assert moves(facts) == [("finish", start + timedelta(hours=2))]


def test_a_start_without_a_zone_is_refused():
    """An instant is meant."""
    with pytest.raises(NaiveDatetime):
        simulate(one_step(), 1, start=MONDAY.replace(tzinfo=None))


def test_a_run_beyond_the_calendar_says_what_to_do():
    """The calendar's own message, and what helps in a simulation."""
    proc = one_step(calendar="cn_office")
    with pytest.raises(CalendarCoverageError, match="simulate fewer instances, begin earlier with start="):
        simulate(
            proc, 100, scenario=situation(every="20h", serve="40wh"), start=datetime(2026, 11, 1, tzinfo=UTC)
        )


def test_progress_is_told_for_each_instance_that_ends():
    """How many have ended, of how many."""
    told = []
    simulate(
        one_step(), 3, scenario=situation(every="60m", serve="1m"), progress=lambda *both: told.append(both)
    )
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_who_acts_without_a_role_is_somebody():
    """A step nobody is named for takes its time and keeps no pool busy."""
    proc = procedure(Step("serve", to=[goes("finish", "done")]))
    result, (facts,) = run(proc, 1, situation(every="60m", serve="1h"))
    assert moves(facts) == [("finish", at(2))]
    assert facts[-1].actor == "somebody"
    assert result.pools == {}


def test_a_role_without_a_pool_is_never_short_of_people():
    """Ten at once are served at once, each by somebody of their own; a load would mean nothing."""
    result, journals = run(one_step(), 10, situation(every="1m", serve="1h", pools={}))
    assert [moves(facts)[0][1] - facts[0].occurred_at for facts in journals] == [timedelta(hours=1)] * 10
    assert len({facts[-1].actor for facts in journals}) == 10
    assert result.pools["clerk"].capacity is None
    assert result.pools["clerk"].utilisation is None


def test_the_end_step_is_where_it_ends():
    """The last fact enters it."""
    _, (facts,) = run(one_step(), 1, situation(every="60m", serve="1h"))
    assert facts[-1].to == DONE.id


def test_a_step_moves_on_by_itself_when_nobody_is_quicker():
    """The work of a day is overtaken after three hours; no limit is judged and nothing deviates."""
    serve = Step(
        "serve",
        role="clerk",
        then=AutomaticMove("lapse", after="3h"),
        to=(goes("finish", "done"), goes("lapse", "lapsed")),
    )
    declared = procedure(serve, Step("lapsed", end="cancelled"))
    result, (facts,) = run(declared, 1, situation(every="60m", serve="24h"), at(9))
    assert moves(facts) == [("lapse", at(13))]
    assert facts[-1].timed
    assert (dict(result.breaches), dict(result.deviations)) == ({}, {})
    _, (facts,) = run(declared, 1, situation(every="60m", serve="2h"), at(9))
    assert moves(facts) == [("finish", at(12))]


def test_a_step_that_only_moves_on_by_itself_is_never_hurried():
    """Nobody takes the automatic move for work that is done sooner."""
    asleep = Step("asleep", then=AutomaticMove("wake", after="3d"), to=(goes("wake", "done"),))
    result, (facts,) = run(procedure(asleep), 1, situation(every="60m", pools={}), at(9))
    assert moves(facts) == [("wake", at(10, day=3))]
    assert any("automatic moves (then)" in text.en for text in result.assumptions)
