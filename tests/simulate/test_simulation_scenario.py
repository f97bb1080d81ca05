"""Scenarios: checked before the run, and the stated default where there is none."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import attrs
import pytest
from simulate_cases import SHIPPED, calendars, one_step, procedure, situation

from svcflow.errors import CalendarCoverageError, DeclarationError, FieldError
from svcflow.model.limit import Row, TimeLimit
from svcflow.model.scenario import Duration, Fixed, NumberDistribution, Pool, Shares
from svcflow.model.step import Branch, Step, Transition
from svcflow.simulate import default_scenario, simulate
from svcflow.simulate.default_scenario import STATED, default_duration

REPAIR = SHIPPED["repair"]
FEE = NumberDistribution(distribution="lognormal", median=120, p95=900)
DAY = Duration(distribution="constant", value="1d")


def test_every_mistake_of_a_scenario_is_listed_with_what_to_write_instead():
    """Before anything runs: procedure, steps, exits, roles and calendars, each at its place."""
    inner = Branch("left", [Step("a", role="clerk", to=[Transition("end_a", "z")]), Step("z", end="done")])
    proc = procedure(
        Step("serve", role="clerk", to=[Transition("finish", "both")]),
        Step("both", parallel=[inner], to=[Transition("done", "done")]),
    )
    wrong = situation(
        serv="1h",
        both="1h",
        exits={"serve": {"finsh": 1, "finish": 1}, "done": {"x": 1}, "nowhere": {"y": 1}},
        pools={"clark": Pool(), "boss": Pool(calendar="cn_ofice")},
        arrivals="offic",
    )
    object.__setattr__(wrong, "procedure", "dsk")
    with pytest.raises(DeclarationError) as caught:
        simulate(proc, 1, scenario=wrong, calendars=calendars)
    found = {problem.text("en").partition(":")[0]: problem for problem in caught.value.problems}
    assert set(found) == {
        "procedure",
        "durations.serv",
        "durations.both",
        "exits.serve.finsh",
        "exits.done",
        "exits.nowhere",
        "pools.clark",
        "arrivals.calendar",
        "pools.boss.calendar",
    }
    assert found["durations.serv"].remedy.en == "did you mean serve?"
    assert found["exits.serve.finsh"].remedy.en == "did you mean finish?"
    assert found["pools.clark"].remedy.zh == "是否指 clerk？"
    assert "cn_office" in found["pools.boss.calendar"].remedy.en
    assert found["exits.nowhere"].remedy.en == "there are: serve, a"
    assert all(problem.message.zh and problem.message.en and problem.remedy for problem in found.values())


@pytest.mark.parametrize(
    ("field", "mix", "place", "remedy"),
    [
        ("priorty", Fixed(value="normal"), "fields.priorty", "did you mean priority?"),
        (
            "priority",
            Shares(of={"normal": 1, "emergancy": 1}),
            "fields.priority.emergancy",
            "did you mean emergency?",
        ),
        ("priority", FEE, "fields.priority", "write priority: {emergency: 1, normal: 1}"),
        (
            "fee",
            Shares(of={"many": 1}),
            "fields.fee.many",
            "write fee: {distribution: lognormal, median: 120, p95: 900}",
        ),
        ("fee", Fixed(value=-1), "fields.fee", "write fee: {distribution: lognormal, median: 120, p95: 900}"),
        ("fee", DAY, "fields.fee", "write fee: {distribution: lognormal, median: 120, p95: 900}"),
        (
            "visit_at",
            FEE,
            "fields.visit_at",
            "write visit_at: {distribution: lognormal, median: 8h, p95: 3d}",
        ),
        (
            "visit_at",
            Fixed(value="noon"),
            "fields.visit_at",
            "write visit_at: {distribution: lognormal, median: 8h, p95: 3d}",
        ),
    ],
)
def test_a_mix_that_its_field_cannot_have_is_refused_at_its_place(field, mix, place, remedy):
    """An unknown field or value, a distribution of another kind; each with what to write."""
    wrong = attrs.evolve(SHIPPED.scenarios["repair_usual"], fields={field: mix})
    with pytest.raises(DeclarationError) as caught:
        simulate(REPAIR, 1, scenario=wrong)
    (problem,) = caught.value.problems
    assert problem.text("en").startswith(f"{place}: ")
    assert problem.remedy.en == remedy
    assert problem.text("zh") != problem.text("en")


def test_fields_follow_the_mix_and_others_keep_their_default():
    """What the scenario says nothing of is not drawn evenly where it has a default; the result says which is which."""
    usual = SHIPPED.scenarios["repair_usual"]
    fields = {"priority": Shares(of={"emergency": 1, "normal": 3}), "rating": Fixed(value="fair")}
    result = simulate(REPAIR, 400, 2, scenario=attrs.evolve(usual, fields=fields))
    started = [journal[0].data for journal in result.journals().values()]
    emergencies = sum(data["priority"] == "emergency" for data in started)
    assert 70 <= emergencies <= 130
    assert {data["fault"] for data in started} == {"other"}
    assert not any("rating" in data for data in started), "it comes with the move that asks for it"
    rated = [
        f.data["rating"]
        for journal in result.journals().values()
        for f in journal
        if getattr(f, "trigger", "") == "rate"
    ]
    assert rated
    assert set(rated) == {"fair"}
    said = {assumption.en for assumption in result.assumptions}
    assert "fields left at their default: fault, scale" in said
    assert any(
        line.startswith("fields drawn by the mix of the scenario") and line.endswith(": priority, rating")
        for line in said
    )
    assert any(line.startswith("fields without a mix") and line.endswith(": place, fee") for line in said)


@pytest.mark.parametrize("scenario", SHIPPED.scenarios.values(), ids=lambda one: one.id)
def test_a_shipped_scenario_fits_its_procedure_alone(scenario):
    """Given to another one it is refused."""
    assert simulate(SHIPPED[scenario.procedure], 1, scenario=scenario).instances == 1
    other = next(one for one in SHIPPED if one.id != scenario.procedure)
    with pytest.raises(DeclarationError, match="the scenario is for procedure"):
        simulate(other, 1, scenario=scenario)


def test_a_scenario_may_be_given_as_a_file():
    """By its path; it gives the same result as the scenario it holds."""
    path = SHIPPED.files["repair", 1].with_name("repair.scenario.yaml")
    read = simulate(REPAIR, 20, scenario=str(path))
    assert read.journals() == simulate(REPAIR, 20, scenario=SHIPPED.scenarios["repair_usual"]).journals()


@pytest.mark.parametrize(
    ("within", "low", "mode", "high"),
    [
        ("100m", "20m", "50m", "130m"),
        ("10wh", "120wm", "300wm", "780wm"),
        ("1wd", "96wm", "240wm", "624wm"),
        ("10cd", "2880m", "7200m", "18720m"),
        ("1mo", "8640m", "21600m", "56160m"),
    ],
)
def test_the_default_time_is_triangular_around_half_of_the_limit(within, low, mode, high):
    """Low 0.2, mode 0.5, high 1.3 of it, on the limit's own clock; a working day counts as 8 working hours."""
    duration = default_duration(Step("serve", within=within))
    assert duration.distribution == "triangular"
    assert [str(one) for one in (duration.low, duration.mode, duration.high)] == [low, mode, high]


def test_the_default_time_of_a_matrix_is_that_of_its_last_row():
    """The row that applies when no other does; rows without a target say nothing."""
    matrix = TimeLimit(match=[Row("10m", when="fee > 1"), Row("100m", when="fee > 0"), Row(no_target=True)])
    assert str(default_duration(Step("serve", within=matrix)).mode) == "50m"
    assert str(default_duration(Step("serve", waits="recipient", at_most="2wd")).high) == "1248wm"
    assert str(default_duration(Step("serve")).value) == "30wm"


@pytest.mark.parametrize("proc", list(SHIPPED), ids=lambda one: one.id)
def test_the_default_scenario_overloads_nobody(proc):
    """Each pool has the people its mean load asks for, as the result says in both languages."""
    scenario = default_scenario(proc)
    assert set(scenario.pools) == set(proc.roles)
    assert all(pool.capacity >= 2 for pool in scenario.pools.values())
    result = simulate(proc, 400, 3)
    assert result.scenario == scenario
    assert STATED in result.assumptions
    busiest = max(use.utilisation for use in result.pools.values())
    assert busiest < 0.85
    assert not any(text.zh == "" or text.en == "" for text in result.assumptions)


def test_the_default_capacity_is_what_the_load_asks_for():
    """Three steps of 30 minutes and one limited to 8 working hours: 90 + 320 minutes an hour at 70 % are 10."""
    steps = [Step(f"s{k}", role="clerk", to=[Transition(f"t{k}", f"s{k + 1}")]) for k in range(3)]
    proc = procedure(*steps, Step("s3", role="clerk", within="8wh", to=[Transition("t3", "done")]))
    assert default_scenario(proc).pools["clerk"].capacity == 10
    assert Decimal(410) / (60 * 10) <= Decimal("0.7") < Decimal(410) / (60 * 9)
    assert default_scenario(proc).pools["boss"].capacity == 2


def test_what_a_scenario_leaves_out_is_said():
    """Times, shares and pools that fell back on the default are named."""
    said = " ".join(text.en for text in simulate(one_step(), 1, scenario=situation(pools={})).assumptions)
    assert "without a time in the scenario" in said
    assert "serve" in said
    assert "never short of people: clerk, boss" in said
    full = situation(serve="1h", pools={"clerk": Pool(), "boss": Pool()})
    given = " ".join(text.en for text in simulate(one_step(), 1, scenario=full).assumptions)
    assert "without a time" not in given
    assert "never short" not in given


def test_a_run_begins_on_a_monday_that_leaves_its_calendars_room():
    """2026 when half a year is left after the last arrival, an earlier year for a longer run."""
    short, long = (
        simulate(SHIPPED["complaint"], n, scenario=SHIPPED.scenarios["complaint_usual"]) for n in (5, 400)
    )
    assert short.started_at == datetime(2026, 1, 5, 0, 30, tzinfo=UTC)
    assert long.started_at < short.started_at
    assert long.started_at.weekday() == 0
    assert date(2026, 12, 31) > long.finished_at.date()
    assert any("2026-01-05T08:30+08:00" in text.en for text in short.assumptions)


def test_half_a_year_is_left_for_instances_to_end():
    """Arrivals up to September would fit into 2026, but not what follows them."""
    proc = one_step(calendar="cn_office")
    for instances, year in ((100, 2026), (160, 2025)):
        scenario = situation(every="8wh", serve="1m", arrivals="cn_office", pools={})
        assert simulate(proc, instances, scenario=scenario).started_at.year == year


def test_a_run_that_outlasts_its_calendar_begins_in_an_earlier_year():
    """Arrivals take a week, the queue they leave behind three years."""
    proc = one_step(calendar="cn_office")
    scenario = situation(every="30wm", serve="100wh", pools={"clerk": Pool()})
    result = simulate(proc, 60, scenario=scenario)
    assert result.still_open == 0
    assert result.started_at == datetime(2023, 1, 9, 0, 30, tzinfo=UTC)
    assert result.finished_at.year == 2026


def test_a_run_no_calendar_has_room_for_is_refused_at_once():
    """Thirty years of complaints are more than the State Council has arranged."""
    with pytest.raises(
        CalendarCoverageError, match="more than the calendars cover; simulate fewer instances"
    ):
        simulate(SHIPPED["complaint"], 10_000, scenario=SHIPPED.scenarios["complaint_usual"])


def test_a_given_start_is_no_assumption():
    """Nothing was taken for granted there."""
    result = simulate(one_step(), 1, start=datetime(2020, 2, 29, tzinfo=UTC))
    assert result.started_at == datetime(2020, 2, 29, tzinfo=UTC)
    assert not any("without a start" in text.en for text in result.assumptions)


@pytest.mark.parametrize("instances", [0, -1, 2.5, "10", True, 1_000_001, 10**400])
def test_there_must_be_something_to_simulate(instances):
    """One instance at least, a million at most, and a whole number."""
    with pytest.raises(FieldError, match="instances: it takes a whole number from 1 to 1000000, not"):
        simulate(one_step(), instances)
