"""What a result says: rates with intervals, times, load, text and JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from simulate_cases import SHIPPED, calendars, one_step, procedure, situation

import svcflow
from svcflow.kernel import deviations_of
from svcflow.model.field import Field
from svcflow.model.limit import Row, TimeLimit
from svcflow.model.scenario import Pool
from svcflow.model.step import Step, Transition
from svcflow.simulate import Breaches, Simulation, Spread, simulate
from svcflow.simulate.statistics import wilson
from svcflow.text import Text

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
USUAL = SHIPPED.scenarios["repair_usual"]


@pytest.fixture(scope="module")
def repairs():
    return simulate(SHIPPED["repair"], 60, 8, scenario=USUAL)


@pytest.mark.parametrize(
    ("breached", "judged", "low", "high"),
    [(10, 100, 0.05523, 0.17437), (0, 10, 0.0, 0.27753), (10, 10, 0.72247, 1.0), (1, 1, 0.20654, 1.0)],
)
def test_the_interval_of_a_rate_is_wilsons(breached, judged, low, high):
    """Figures of the 95 % score interval; it never leaves 0 to 1 and never shrinks to a point."""
    assert wilson(breached, judged) == pytest.approx((low, high), abs=1e-5)


def test_a_limit_nobody_was_judged_by_has_no_rate():
    """None is not 0 %."""
    nothing = Breaches("x", Text(), 0, 0)
    assert (nothing.rate, nothing.interval) == (None, None)


def test_breaches_are_counted_by_instance():
    """Two hours of work meet a limit of two hours exactly; a minute more breaches it in each of five instances."""
    proc = one_step(within="2h")
    pools = {"clerk": Pool(capacity=1, calendar="always")}
    in_time = simulate(proc, 5, scenario=situation(every="3h", serve="2h", pools=pools), start=MONDAY)
    assert in_time.breaches["serve"] == Breaches("serve", Text(), 5, 0)
    late = simulate(proc, 5, scenario=situation(every="2h", serve="121m", pools=pools), start=MONDAY)
    assert late.breaches["serve"] == Breaches("serve", Text(), 5, 5)
    assert late.deviations == {"overdue": 5}


def test_a_limit_visited_twice_is_judged_once():
    """Rework enters the step again; an instance that was late once is one breach of one."""
    proc = procedure(
        Step("serve", role="clerk", within="1h", to=[Transition("submit", "check")]),
        Step(
            "check",
            role="boss",
            to=[
                Transition(
                    "back", "serve", kind="rework", clock="restart", at_most=1, enforce={"rework": "refuse"}
                ),
                Transition("pass", "done"),
            ],
        ),
    )
    exits = {"check": {"back": 1, "pass": 0}}
    for serve, breached in (("30m", 0), ("2h", 4)):
        result = simulate(
            proc, 4, scenario=situation(every="9h", serve=serve, check="1m", exits=exits), start=MONDAY
        )
        assert result.steps["serve"].elapsed.count == 8
        assert result.breaches["serve"] == Breaches("serve", Text(), 4, breached)
        assert result.deviations.get("overdue", 0) == 2 * breached


def test_a_limit_met_on_an_earlier_visit_was_judged():
    """A span reached once, then begun anew and never reached again, is one met; one never reached is none."""
    proc = procedure(
        Step("serve", role="clerk", to=[Transition("submit", "check"), Transition("leave", "done")]),
        Step("check", role="boss", to=[Transition("back", "serve", kind="rework", clock="restart")]),
        limits=[TimeLimit(id="span", from_="serve", to="check", within="9h")],
    )
    exits = {"serve": {"submit": 0.5, "leave": 0.5}}
    result = simulate(
        proc, 200, scenario=situation(every="9h", serve="1h", check="1m", exits=exits), start=MONDAY
    )
    reached = sum(len(facts) > 2 for facts in result.journals().values())
    assert result.breaches["span"] == Breaches("span", Text(), reached, 0)
    assert 60 < reached < 140


def test_a_step_that_leads_back_to_itself_was_met_before():
    """Its clock is replaced in the very move that ends it."""
    again = Transition(
        "again", "serve", kind="rework", clock="restart", at_most=1, enforce={"rework": "refuse"}
    )
    serve = Step("serve", role="clerk", within="2h", to=[again, Transition("finish", "done")])
    proc = procedure(serve, limits=[TimeLimit(id="span", from_="serve", to="done", within="9d")])
    scenario = situation(every="9h", serve="1h", exits={"serve": {"again": 1}})
    result = simulate(proc, 3, scenario=scenario, start=MONDAY)
    assert result.steps["serve"].elapsed.count == 6
    assert result.breaches["serve"] == Breaches("serve", Text(), 3, 0)
    assert result.breaches["span"] == Breaches("span", Text(), 3, 0)


def test_a_span_that_its_trigger_ends_and_begins_at_once_was_met():
    """Reached and begun anew in one move: a met visit, whatever becomes of the next."""
    again = Transition("again", "serve", kind="rework", at_most=1, enforce={"rework": "refuse"})
    serve = Step("serve", role="clerk", within="2h", to=[again, Transition("finish", "done")])
    span = TimeLimit(id="span", from_="serve", to_trigger="again", within="9d", visits="each")
    scenario = situation(every="9h", serve="1h", exits={"serve": {"again": 1}})
    result = simulate(procedure(serve, limits=[span]), 3, scenario=scenario, start=MONDAY)
    assert result.steps["serve"].elapsed.count == 6
    assert result.breaches["span"] == Breaches("span", Text(), 3, 0)


def test_an_instance_without_a_target_is_not_judged():
    """A row that sets no target sets nothing to breach, and what never reached its goal was not judged."""
    matrix = TimeLimit(id="whole", match=[Row("1h", when="urgent"), Row(no_target=True)])
    reach = TimeLimit(id="reach", from_="serve", to="other", within="9h")
    serve = Step("serve", role="clerk", to=[Transition("finish", "done"), Transition("more", "other")])
    proc = procedure(
        serve,
        Step("other", role="clerk", to=[Transition("end", "done")]),
        fields=[Field("urgent", type="boolean", required=True)],
        limits=[matrix, reach],
    )
    result = simulate(
        proc, 200, scenario=situation(every="5h", serve="2h", other="1m", exits={"serve": {"finish": 1}})
    )
    assert 60 < result.breaches["whole"].judged < 140
    assert result.breaches["whole"].rate == 1
    assert result.breaches["reach"].judged == 0


def test_times_are_told_elapsed_and_working():
    """Three hours of office work over a night: 18 elapsed, 3 working."""
    proc = one_step(calendar="office")
    scenario = situation(every="60wm", serve="3wh", pools={"clerk": Pool(capacity=1)})
    result = simulate(
        proc, 1, scenario=scenario, calendars=calendars, start=MONDAY + timedelta(hours=15, minutes=30)
    )
    assert result.whole.working.p50 == timedelta(hours=3)
    assert result.whole.elapsed.p50 == timedelta(hours=18)
    assert result.steps["serve"] == result.whole


def test_percentiles_are_observed_values():
    """Nearest rank: of 1 to 20 the 50th is 10, the 90th 18, the 95th 19."""
    spread = Spread.of(range(1, 21))
    us = timedelta(microseconds=1)
    assert (spread.p50, spread.p90, spread.p95) == (10 * us, 18 * us, 19 * us)
    assert Spread.of([7]) == Spread(1, 7 * us, 7 * us, 7 * us, 7 * us)
    assert Spread.of([]) is None


def test_figures_agree_with_the_journals(repairs):
    """Whoever counts the facts again comes to the same figures."""
    journals = repairs.journals()
    assert len(journals) == repairs.instances == 60
    assert next(iter(journals)) == "repair-01"
    overdue = dict.fromkeys(repairs.breaches, 0)
    for facts in journals.values():
        for limit in {one.limit for one in deviations_of(facts) if one.limit}:
            overdue[limit] += 1
    assert {name: one.breached for name, one in repairs.breaches.items()} == overdue
    assert repairs.whole.elapsed.count == repairs.ended == 60
    longest = max(facts[-1].occurred_at - facts[0].occurred_at for facts in journals.values())
    assert repairs.whole.elapsed.p95 <= longest
    assert not any(name.startswith("hold.") for name in repairs.breaches)


@pytest.mark.parametrize("lang", ["zh", "en", "zh+en"])
def test_the_table_is_aligned_in_every_language(repairs, lang):
    """A Chinese character takes two cells; every table has its columns one below another."""
    from svcflow.text_table import cells

    text = repairs.table(lang)
    tables = [part.splitlines() for part in text.split("\n\n")[1:-1]]
    assert len(tables) == 4
    for lines in tables:
        assert len({cells(line) for line in lines}) == 1
    for word in {"zh": ("违反率", "维修技工", "假设"), "en": ("rate", "Technician", "Assumptions")}.get(
        lang, ()
    ):
        assert word in text


def test_json_holds_the_figures(repairs):
    """Times in seconds; the same numbers as the result."""
    figures = json.loads(repairs.to_json())
    assert figures["instances"] == 60
    assert figures["seed"] == 8
    arrive = figures["breaches"]["arrive"]
    assert arrive["rate"] == repairs.breaches["arrive"].rate
    assert arrive["interval"] == list(repairs.breaches["arrive"].interval)
    assert figures["whole"]["elapsed"]["p50"] == repairs.whole.elapsed.p50.total_seconds()
    assert figures["pools"]["technician"]["capacity"] == 8
    assert figures["deviations"] == dict(repairs.deviations)
    assert len(figures["assumptions"]) == len(repairs.assumptions)


def test_nothing_ended_is_told_too():
    """A table and JSON of instances that all stay open."""
    proc = procedure(Step("serve", role="clerk", to=[Transition("finish", "done", when="1 > 2")]))
    result = simulate(proc, 2, scenario=situation(every="60m", serve="1m"), start=MONDAY)
    assert json.loads(result.to_json())["whole"] is None
    assert "2 still open" in result.table()


def test_the_function_has_the_name_of_its_package():
    """`svcflow.simulate(…)` works whether or not somebody imported the package first."""
    code = "import svcflow.simulate.run, svcflow; print(svcflow.simulate(svcflow.load(__import__('sys').argv[1]), 2).ended)"
    path = str(SHIPPED.files["repair", 1])
    told = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "2"
    assert isinstance(svcflow.simulate(one_step(), 1), Simulation)


def test_importing_the_simulation_loads_nothing_heavy():
    """Neither a graph library nor numpy, a database or a YAML reader."""
    code = "import svcflow.simulate, sys; print(*{'networkx', 'numpy', 'sqlalchemy', 'ruamel.yaml', 'graphviz'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == ""


KINDS = [
    ("at_least", {"at_least": "10m"}, "9m", Breaches("serve", Text(), 5, 5)),
    ("at_least", {"at_least": "10m"}, "10m", Breaches("serve", Text(), 5, 0)),
    ("within", {"within": "10m"}, "11m", Breaches("serve", Text(), 5, 5)),
    ("by", {"by": "00:10"}, "9m", Breaches("serve", Text(), 5, 0)),
    ("by", {"by": "00:10"}, "11m", Breaches("serve", Text(), 5, 5)),
    ("every", {"every": "10m", "done_by": "finish"}, "25m", Breaches("serve", Text(), 5, 5)),
    ("every", {"every": "10m", "done_by": "finish"}, "9m", Breaches("serve", Text(), 5, 0)),
    ("before", {"before": "meet - 1h"}, "9m", Breaches("serve", Text(), 0, 0)),
]


@pytest.mark.parametrize(("kind", "limit", "work", "breaches"), KINDS)
def test_every_kind_of_limit_is_counted(kind, limit, work, breaches):
    """A minimum that is ended early and a missed occurrence are breaches; without an instant nothing is judged."""
    declared = one_step(within=TimeLimit(**limit), fields=[Field("meet", type="instant")])
    result = simulate(declared, 5, scenario=situation(every="24h", serve=work), start=MONDAY)
    assert result.breaches["serve"] == breaches, kind
    assert json.loads(result.to_json())["breaches"]["serve"]["rate"] == breaches.rate
    row = next(line for line in result.table("en").splitlines() if line.startswith("serve"))
    assert row.split()[1:3] == [str(breaches.judged), str(breaches.breached)]
    assert row.split()[3] == ("—" if breaches.rate is None else f"{breaches.rate:.1%}")


def test_an_interval_of_a_whole_procedure_that_was_kept_is_judged():
    """What is done in time counts, also where the recurrence is over no single step."""
    patrol = TimeLimit(id="patrol", every="10m", done_by="round")
    serve = Step(
        "serve",
        role="clerk",
        to=(Transition("round", "serve", kind="rework"), Transition("finish", "done")),
    )
    proc = procedure(serve, limits=(patrol,))
    exits = {"serve": {"round": 1, "finish": 1}}
    result = simulate(proc, 40, 3, scenario=situation(every="3h", serve="9m", exits=exits), start=MONDAY)
    assert result.breaches["patrol"] == Breaches("patrol", Text(), 40, 0)


def test_a_limit_whose_instant_nobody_sets_is_named():
    """It is not judged, and the result says so among what it took for granted."""
    declared = one_step(within=TimeLimit(before="meet - 1h"), fields=[Field("meet", type="instant")])
    result = simulate(declared, 5, scenario=situation(every="24h", serve="9m"), start=MONDAY)
    assert (
        "whose instant nobody sets are neither judged nor made; fields of the scenario may give it: serve"
        in (result.table("en"))
    )


def test_a_wait_beside_a_limit_has_a_line_of_its_own():
    """Both limits of a step are counted, and told apart by name."""
    both = one_step(name=Text("办理", "Serve"), within="10m", waits="recipient", at_most="5m")
    result = simulate(both, 5, scenario=situation(every="24h", serve="7m"), start=MONDAY)
    assert [(one.name.en, one.judged, one.breached) for one in result.breaches.values()] == [
        ("Serve", 5, 0),
        ("Serve (waiting)", 5, 5),
    ]
    assert "办理（等待）" in result.table("zh")
