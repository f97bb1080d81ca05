"""Holding a foreign log against a procedure: what is replayed, what deviates, what is counted."""

from __future__ import annotations

import json
from collections import Counter
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svcflow.analysis.conform import conform
from svcflow.analysis.conformance import readable
from svcflow.analysis.event_log import Case, Event
from svcflow.errors import DeclarationError, LogError
from svcflow.model.catalog import load, load_mapping, shipped_folder
from svcflow.model.log_mapping import LogMapping
from svcflow.model.procedure import Procedure
from svcflow.model.yaml.parse import structure_procedure
from svcflow.text_table import cells
from svcflow.worktime import WorkCalendar, shipped_calendar

FORM = {
    "procedure": "lamp",
    "name": {"zh": "修灯", "en": "Lamp"},
    "fields": {"place": {"type": "text", "required": True}},
    "roles": {
        "desk": {"zh": "受理台", "en": "Desk"},
        "worker": {"zh": "维修工", "en": "Worker"},
    },
    "steps": {
        "reported": {
            "name": {"zh": "已报修", "en": "Reported"},
            "role": "desk",
            "within": {"h": 2, "warn": ["50%"]},
            "to": {
                "assign": "assigned",
                "ask": {"step": "asked", "kind": "exception"},
                "cancel": {"step": "cancelled", "kind": "exception"},
            },
        },
        "asked": {
            "name": {"zh": "待补充", "en": "Asked"},
            "waits": "recipient",
            "at_most": "24h",
            "on_overdue": "lapse",
            "to": {"answer": "reported", "lapse": {"step": "lapsed", "kind": "exception"}},
        },
        "assigned": {
            "name": {"zh": "已派单", "en": "Assigned"},
            "role": "worker",
            "within": "4h",
            "to": {"finish": "finished"},
        },
        "finished": {
            "name": {"zh": "已完工", "en": "Finished"},
            "role": "desk",
            "not_by": "assigned",
            "to": {
                "close": "closed",
                "redo": {"step": "assigned", "kind": "rework", "at_most": 1, "clock": "restart"},
            },
        },
        "closed": {"name": {"zh": "已办结", "en": "Closed"}, "end": "completed"},
        "cancelled": {"name": {"zh": "已撤销", "en": "Cancelled"}, "end": "cancelled"},
        "lapsed": {"name": {"zh": "已失效", "en": "Lapsed"}, "end": "cancelled"},
    },
    "limits": [
        {
            "id": "whole",
            "name": {"zh": "全程", "en": "Whole"},
            "from": "reported",
            "to": "closed",
            "within": "1wd",
            "calendar": "nl_office",
            "warn": ["80%"],
        }
    ],
}
LAMP = structure_procedure(FORM)
MAPPING = LogMapping(
    id="lamp_log",
    procedure="lamp",
    starts=("Report",),
    activities={
        "Ask": "ask",
        "Answer": "answer",
        "Assign": "assign",
        "Cancel": "cancel",
        "Finish": "finish",
        "Redo": "redo",
        "Close": "close",
    },
    roles={"DESK": "desk", "CREW": "worker"},
    ignore=("Look",),
)
MONDAY = datetime(2017, 1, 9, 8, tzinfo=UTC)  # 09:00 in Amsterdam
DAY = 24 * 60
SMOOTH = (("Report", 0), ("Assign", 60), ("Finish", 180), ("Close", 200))


def us(minutes):
    return int((MONDAY + timedelta(minutes=minutes)).timestamp()) * 1_000_000


def event(activity, minutes, actor="", role="", lifecycle="complete"):
    return Event(activity, us(minutes), actor, role, lifecycle=lifecycle)


def case(name, *entries):
    return Case(name, tuple(event(*entry) for entry in entries))


def only(found):
    (result,) = found.results
    return result


def kinds(result):
    return [(one.kind, one.limit or one.step) for one in result.deviations]


def test_a_case_that_keeps_the_procedure_conforms():
    """No deviation, nothing missed, the outcome of its end, every limit met."""
    found = conform([case("a", *SMOOTH)], LAMP, MAPPING)
    result = only(found)
    assert (result.status, result.outcome, result.deviations, result.missed) == ("ended", "completed", (), ())
    assert result.conforms
    assert (found.cases, found.conforming, found.events, found.outcomes) == (1, 1, 4, {"completed": 1})
    assert {one.limit: (one.met, one.breached) for one in found.limits} == {
        "reported": (1, 0),
        "asked.wait": (0, 0),
        "assigned": (1, 0),
        "whole": (1, 0),
    }
    assert found.unjudged == ("place",)


def test_a_limit_met_to_the_microsecond_is_met_and_one_later_is_breached():
    """The deadline itself is in time; the first microsecond after it is not, and the overrun says so."""
    due = event("Assign", 120)
    late = attrs.evolve(due, at_us=due.at_us + 1)
    rest = (event("Finish", 180), event("Close", 190))
    log = [Case(n, (event("Report", 0), one, *rest)) for n, one in (("in time", due), ("late", late))]
    found = conform([*log, *log], LAMP, MAPPING)
    assert [result.conforms for result in found.results] == [True, False, True, False]
    (deviation,) = found.results[3].deviations
    assert (deviation.kind, deviation.limit, deviation.overrun_us) == ("overdue", "reported", 1)
    assert (deviation.role, deviation.due_us, deviation.severity) == ("desk", us(120), "minor")
    limit = next(one for one in found.limits if one.limit == "reported")
    assert (limit.judged, limit.breached, limit.share, limit.overruns_us) == (4, 2, 0.5, (1, 1))


def test_a_working_day_limit_is_breached_from_the_first_microsecond_after_closing():
    """Due Tuesday 17:00: closing then is in time, a microsecond later is not, seen first or judged by its times."""
    rest = (event("Report", 0), event("Assign", 60), event("Finish", 180))
    closing = event("Close", DAY + 8 * 60)
    late = attrs.evolve(closing, at_us=closing.at_us + 1)
    found = conform([Case("c", (*rest, last)) for last in (closing, closing, late)], LAMP, MAPPING)
    assert [kinds(result) for result in found.results] == [[], [], [("overdue", "whole")]]


def test_a_wait_over_a_closing_moves_the_deadline_on():
    """A limit that stood still at its first closing is due at the next, seen first or judged by its times."""
    asked, answered = DAY + 450, 2 * DAY + 60  # Tuesday 16:30 to Wednesday 10:00
    entries = (("Report", 0), ("Ask", asked), ("Answer", answered), ("Assign", answered + 5))
    rest = (("Finish", answered + 10), ("Close", answered + 360))
    found = conform([case("a", *entries, *rest)] * 3, LAMP, MAPPING)
    assert [kinds(result) for result in found.results] == [[("overdue", "reported")]] * 3


def test_an_overrun_counts_in_the_limits_own_clock():
    """A working-day limit that runs over a night counts the open hours only; an elapsed one every hour."""
    entries = (("Report", 0), ("Assign", 60), ("Finish", 2 * DAY), ("Close", 2 * DAY + 60))
    found = conform([case("a", *entries)], LAMP, MAPPING)
    assert kinds(only(found)) == [("overdue", "assigned"), ("overdue", "whole")]
    shown = {one.limit: one.overrun(0.5) for one in found.limits if one.breached}
    # assigned: due at 300 minutes; whole: due Tuesday 17:00, closed Wednesday 10:00, open from 08:30
    assert {name: amount.text("en") for name, amount in shown.items()} == {
        "assigned": "43 hours",
        "whole": "1.5 working hours",
    }
    assert shown["whole"].text("zh") == "1.5个工作小时"


def test_a_first_event_that_is_no_start_starts_the_instance_and_fires():
    """The instance begins at that instant, and the event does what it means."""
    found = conform([case("a", ("Assign", 5), ("Finish", 10), ("Close", 20))], LAMP, MAPPING)
    assert only(found).conforms
    assert only(found).outcome == "completed"


def test_a_start_that_comes_again_fires_its_trigger():
    """An activity that starts a case stands for its trigger afterwards; without one it cannot be replayed."""
    mapping = attrs.evolve(MAPPING, activities={**MAPPING.activities, "Report": "answer"})
    entries = (("Report", 0), ("Ask", 10), ("Report", 20), *SMOOTH[1:])
    assert only(conform([case("a", *entries)], LAMP, mapping)).conforms
    found = conform([case("a", *entries)], LAMP, MAPPING)
    assert found.not_replayed == {("started", "Report"): 1}
    assert not only(found).conforms


def test_a_skipped_step_is_recorded_and_the_case_goes_on():
    """A move from further on is taken, and each step it jumped over is a deviation of its role."""
    found = conform([case("a", ("Report", 0), ("Finish", 60), ("Close", 70))], LAMP, MAPPING)
    assert kinds(only(found)) == [("skipped_step", "assigned")]
    assert only(found).outcome == "completed"
    assert (found.by_step, found.by_role) == ({"assigned": 1}, {"worker": 1})


def test_going_back_against_the_order_is_out_of_order():
    """A move whose step cannot be reached from here goes through as out of order."""
    entries = (("Report", 0), ("Assign", 10), ("Ask", 20), ("Answer", 30), *SMOOTH[1:])
    assert kinds(only(conform([case("a", *entries)], LAMP, MAPPING))) == [("out_of_order", "assigned")]


def test_rework_beyond_its_bound_is_recorded_once_each_time():
    """The second of at most one rework is a deviation, and the limit it restarts is judged per visit."""
    again = (("Redo", 181), ("Finish", 182), ("Redo", 183), ("Finish", 184))
    found = conform([case("a", *SMOOTH[:3], *again, SMOOTH[3])], LAMP, MAPPING)
    assert kinds(only(found)) == [("rework_over_bound", "finished")]
    assert next(one for one in found.limits if one.limit == "assigned").met == 3


def test_a_known_role_is_judged_and_an_unknown_one_is_not():
    """A role that the mapping names must be the right one; any other role says nothing."""
    rows = {"CREW": 1, "DESK": 0, "SYSTEM": 0, "": 0}
    for role, wrong in rows.items():
        entries = (("Report", 0), ("Assign", 60, "x", role), *SMOOTH[2:])
        found = conform([case("a", *entries)], LAMP, MAPPING)
        assert found.by_kind == ({"wrong_role": wrong} if wrong else {})


def test_who_did_a_step_may_not_do_the_next_where_the_procedure_says_so():
    """Cases alike in all but their actors are told apart: not the same person, and the same person."""
    apart = case("apart", *SMOOTH[:2], ("Finish", 180, "li"), ("Close", 200, "wang"))
    same = case("same", *SMOOTH[:2], ("Finish", 180, "li"), ("Close", 200, "li"))
    found = conform([apart, apart, same, same], LAMP, MAPPING)
    assert [kinds(result) for result in found.results] == [[], [], *[[("wrong_role", "finished")]] * 2]
    assert [result.case for result in found.cases_with("wrong_role")] == ["same", "same"]


def test_a_wait_that_runs_out_lapses_and_later_events_are_counted_as_closed():
    """What the procedure deems done is done; the log's later events are not dropped silently."""
    entries = (("Report", 0), ("Ask", 10), ("Answer", 3 * DAY), ("Assign", 3 * DAY + 5))
    found = conform([case("a", *entries)], LAMP, MAPPING)
    result = only(found)
    assert (result.status, result.outcome, kinds(result)) == (
        "ended",
        "cancelled",
        [("long_wait", "asked.wait")],
    )
    assert result.missed == (("closed", "Answer"), ("closed", "Assign"))
    assert found.not_replayed == {("closed", "Answer"): 1, ("closed", "Assign"): 1}


def test_an_event_after_the_end_keeps_a_case_from_conforming():
    """An event the kernel refuses is counted by rule and activity, also when all limits were kept."""
    found = conform([case(str(n), *SMOOTH, ("Close", 210)) for n in range(3)], LAMP, MAPPING)
    assert found.conforming == 0
    assert found.not_replayed == {("closed", "Close"): 3}
    assert found.by_kind == {}


def test_an_open_case_is_judged_up_to_the_logs_last_instant():
    """Censored, not guessed: overdue only if the deadline passed before the log's end."""
    waiting = case("open", ("Report", 0), ("Assign", 60))
    before = conform([waiting, case("end", ("Report", 299))], LAMP, MAPPING)
    after = conform([waiting, case("end", ("Report", 301))], LAMP, MAPPING)
    assert [result.status for result in before.results] == ["open", "open"]
    assert (before.conforming, after.conforming) == (2, 1)
    assert kinds(after.results[0]) == [("overdue", "assigned")]
    (deviation,) = after.results[0].deviations
    assert deviation.overrun_us is None
    limit = {one.limit: one for one in after.limits}["assigned"]
    assert (limit.judged, limit.breached, limit.open, limit.overruns_us) == (1, 1, 0, ())
    assert {one.limit: one for one in before.limits}["assigned"].open == 1
    assert before.ended_at == MONDAY + timedelta(minutes=299)


def test_what_is_unmapped_ignored_or_unfinished_is_counted_apart():
    """Nothing that the replay leaves out goes uncounted; cases of nothing else are empty."""
    extra = [("Wipe", 61), ("Look", 62), ("Wipe", 63), ("Finish", 64, "", "", "start")]
    log = [case("a", *SMOOTH[:2], *extra, *SMOOTH[2:]), case("b", ("Look", 0)), case("c")]
    found = conform([*log, log[0]], LAMP, MAPPING)
    assert (found.unmapped, found.ignored, found.unfinished) == ({"Wipe": 4}, {"Look": 3}, {"start": 2})
    assert [result.status for result in found.results] == ["ended", "empty", "empty", "ended"]
    assert (found.conforming, found.replayed, found.events) == (2, 2, 17)


def test_an_unmapped_or_ignored_first_event_does_not_start_the_case():
    """The clock begins with the first event that means something."""
    entries = (("Look", -3 * DAY), ("Wipe", -2 * DAY), *SMOOTH)
    assert only(conform([case("a", *entries)], LAMP, MAPPING)).conforms


def test_events_out_of_time_are_put_in_order_and_counted():
    """Order is by instant, and events of one instant keep the order in which they were written."""
    shuffled = case("a", SMOOTH[0], SMOOTH[2], SMOOTH[1], SMOOTH[3])
    found = conform([shuffled], LAMP, MAPPING)
    assert (found.reordered, found.conforming) == (1, 1)
    at_once = case("b", *((activity, 0) for activity, _ in SMOOTH))
    assert conform([at_once, at_once, at_once], LAMP, MAPPING).conforming == 3


def test_a_case_beyond_the_calendar_breaks_off_and_says_where():
    """One stray year does not end the run: the case's remaining events are counted under their rule."""
    stray = case("stray", *((name, at - 400 * DAY) for name, at in SMOOTH))
    log = [case("a", *SMOOTH), stray, case("b", *SMOOTH), case("c", *SMOOTH), stray]
    found = conform(log, LAMP, MAPPING, calendars=only_2017)
    assert [result.status for result in found.results] == [
        "ended",
        "broken_off",
        "ended",
        "ended",
        "broken_off",
    ]
    assert found.not_replayed[("calendar-coverage", "Report")] == 2
    assert found.conforming == 3


def only_2017(name):
    calendar = shipped_calendar(name)
    form = calendar.to_mapping() | {"covers": {"from": "2017-01-01", "to": "2017-12-31"}}
    return WorkCalendar.from_mapping(form) if name == "nl_office" else calendar


def test_an_open_case_beyond_the_calendar_breaks_off_at_the_logs_end():
    """Also a case that waits for the log's end is told apart when its year is not covered."""
    waiting = [case(str(n), ("Report", at), ("Assign", at + 5)) for n, at in enumerate((0, 10, -400 * DAY))]
    found = conform(waiting, LAMP, MAPPING, calendars=only_2017)
    assert [result.status for result in found.results] == ["open", "open", "broken_off"]


def test_time_that_leads_an_open_case_beyond_the_calendar_is_reckoned_with_its_ordinary_week():
    """A wait that ends by itself after the last covered day ends provisionally, as if the week went on."""
    asked = FORM["steps"]["asked"] | {"on_overdue": "answer"}
    procedure = structure_procedure(FORM | {"steps": FORM["steps"] | {"asked": asked}})
    friday = 354 * DAY  # 29 December 2017, the last working day that is covered
    log = [
        case("a", ("Report", friday - DAY), ("Ask", friday + 180)),
        case("end", ("Look", friday + 60 * DAY)),
    ]
    result = conform(log, procedure, MAPPING, calendars=only_2017).results[0]
    assert (result.status, result.missed) == ("open", ())


def test_branches_of_a_parallel_step_are_replayed_and_ambiguous_events_counted():
    """Branches run side by side and join; a trigger open in two of them is not guessed at."""
    branch = {"steps": {"x": {"within": "2h", "to": {"do": "x_done"}}, "x_done": {"end": "done"}}}
    other = {"steps": {"y": {"to": {"make": "y_done", "do": "y_done"}}, "y_done": {"end": "done"}}}
    both = {"parallel": {"left": branch, "right": other}, "to": {"done": "over"}}
    steps = {"both": both, "over": {"end": "completed"}}
    procedure = structure_procedure({"procedure": "pair", "steps": steps})
    mapping = LogMapping(id="m", procedure="pair", activities={"Do": "do", "Make": "make"}, ignore=("Look",))
    joined = case("joined", ("Make", 0), ("Do", 121))
    unclear = case("unclear", ("Do", 0), ("Make", 1))
    found = conform([joined, unclear] * 3, procedure, mapping)
    assert [kinds(result) for result in found.results] == [[("overdue", "x")]] * 6
    assert [result.status for result in found.results] == ["ended", "open"] * 3
    assert found.not_replayed == {("ambiguous", "Do"): 3}


def test_an_empty_log_is_told_as_one():
    """No case, no instant, no share; the tables still stand."""
    found = conform([], LAMP, MAPPING)
    assert (found.cases, found.ended_at, found.conforming) == (0, None, 0)
    assert "cases" in found.table("en")


@pytest.mark.parametrize(
    ("change", "path", "said"),
    [
        ({"activities": {"Assign": "asign"}}, ("activities", "Assign"), "did you mean assign?"),
        ({"activities": {"Assign": "zzz"}}, ("activities", "Assign"), "there are: answer, ask, assign"),
        ({"roles": {"CREW": "workr"}}, ("roles", "CREW"), "did you mean worker?"),
        ({"procedure": "repair"}, ("procedure",), "give procedure repair"),
        ({"version": 7}, ("version",), "version 7"),
        ({"ignore": ("Close",)}, ("ignore", 0), "keep one of the two"),
        ({"zone": "Europe/Atlantis"}, ("zone",), "no time zone 'Europe/Atlantis'"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_before_the_log_is_read(change, path, said):
    """The mistake is named with its place and a suggestion, and no file is opened."""
    with pytest.raises(DeclarationError) as error:
        conform(Path("no such log.xes"), LAMP, attrs.evolve(MAPPING, **change))
    (problem,) = error.value.problems
    assert problem.path == path
    assert said in problem.text("en")
    assert problem.text("zh") != problem.text("en")


def test_a_log_file_is_read_with_the_mappings_zone_and_its_flaws_are_told(tmp_path):
    """Stamps without a zone are local times of the mapping's zone; what was dirty is in the result."""
    stamps = ("2017-01-09T09:00:00", "2017-01-09T09:30:00", "2017-01-09T10:00:00", "2017-01-09T10:30:00")
    events = "".join(
        f'<event><string key="concept:name" value="{name}"/><date key="time:timestamp" value="{at}"/></event>'
        for (name, _), at in zip(SMOOTH, stamps, strict=True)
    )
    path = tmp_path / "lamp.xes"
    path.write_text(f'<log><trace><string key="concept:name" value="c"/>{events}</trace></log>')
    told = []
    mapping = attrs.evolve(MAPPING, zone="Europe/Amsterdam")
    found = conform(path, LAMP, mapping, progress=lambda done, size: told.append((done, size)))
    assert found.ended_at == MONDAY + timedelta(minutes=90)
    assert [(flaw.kind, flaw.count) for flaw in found.flaws] == [("timestamp-without-zone", 4)]
    assert "4 × timestamp without a zone" in found.table("en")
    assert "2017-01-09 10:30:00+01:00" in found.table("en")
    assert told[-1] == (path.stat().st_size, path.stat().st_size)
    with pytest.raises(LogError):
        conform(tmp_path / "none.xes", LAMP, mapping)


def test_progress_over_given_cases_counts_cases():
    """With cases instead of a file, what is told is how many of how many are done."""
    told = []
    conform([case("a", *SMOOTH)] * 501, LAMP, MAPPING, progress=lambda done, size: told.append((done, size)))
    assert told == [(500, 501), (501, 501)]


MIXED = [
    *(case(f"smooth{n}", *SMOOTH) for n in range(3)),
    case("late", ("Report", 0), ("Assign", 150), ("Finish", 180), ("Close", 200)),
    case("skip", ("Report", 0), ("Finish", 60), ("Close", 70), ("Close", 80)),
    case("open", ("Report", 0), ("Wipe", 1)),
    case("draft", ("Look", 0)),
]


def test_json_is_plain_and_keeps_its_keys():
    """What scripts read: stable keys, plain values, the same text again for the same log."""
    data = conform(MIXED, LAMP, MAPPING).to_json()
    assert json.loads(json.dumps(data)) == data
    assert data == conform(iter(MIXED), LAMP, MAPPING).to_json()
    assert list(data) == [
        "procedure",
        "version",
        "mapping",
        "log_ended_at",
        "events",
        "mapped",
        "mapped_share",
        "cases",
        "judged",
        "statuses",
        "outcomes",
        "conforming",
        "deviations",
        "limits",
        "variants",
        "unmapped",
        "ignored",
        "unfinished",
        "not_replayed",
        "reordered",
        "unjudged",
        "unjudged_rules",
        "flaws",
        "deviating",
    ]
    assert data["statuses"] == {"ended": 5, "open": 1, "broken_off": 0, "empty": 1}
    assert data["deviations"] == {
        "kind": {"overdue": 2, "skipped_step": 1},
        "step": {"reported": 2, "assigned": 1},
        "role": {"desk": 2, "worker": 1},
    }
    assert data["not_replayed"] == [{"rule": "closed", "activity": "Close", "events": 1}]
    assert [one["case"] for one in data["deviating"]] == ["late", "skip", "open"]
    assert data["limits"][0] == {
        "limit": "reported",
        "judged": 6,
        "met": 4,
        "breached": 2,
        "share": 1 / 3,
        "open": 0,
        "cancelled": 0,
        "overruns": 1,
        "overrun_median": "30m",
        "overrun_p95": "30m",
    }
    assert data["deviating"][0]["deviations"] == [
        {
            "kind": "overdue",
            "severity": "minor",
            "step": "reported",
            "role": "desk",
            "actor": "",
            "occurred_at": "2017-01-09T10:00:00+00:00",
            "trigger": "",
            "limit": "reported",
            "visit": 1,
            "due_at": "2017-01-09T10:00:00+00:00",
            "overrun_us": 1_800_000_000,
            "detail": {},
        }
    ]


def test_the_worst_variants_come_first():
    """Sequences of activities are ranked by their deviating cases, then by all their cases."""
    worst, *rest = conform(MIXED, LAMP, MAPPING).variants
    assert (worst.activities, worst.cases, worst.deviating) == (tuple(name for name, _ in SMOOTH), 4, 1)
    assert [one.deviating for one in rest] == [1, 1]


def test_the_tables_name_things_in_each_language_and_align():
    """Names of steps, roles and kinds are those of the procedure; columns end in one cell of the terminal."""
    found = conform(MIXED, LAMP, MAPPING)
    zh, en = found.table("zh"), found.table("en")
    for word in ("超时", "跳过环节", "已报修", "维修工", "全程 (whole)", "Wipe", "实例已结束", "30分钟"):
        assert word in zh
    for word in ("overdue", "skipped step", "Reported", "Worker", "Whole (whole)", "instance had ended"):
        assert word in en
    for text, title in ((zh, "偏差（按种类）"), (en, "Deviations by kind")):
        lines = text.split(f"{title}\n")[1].split("\n\n")[0].splitlines()
        assert len({cells(line) for line in lines}) == 1


@pytest.mark.parametrize(
    ("minutes", "working", "shown"),
    [(0, True, "0wm"), (59, False, "59m"), (90, True, "1.5wh"), (2879, False, "48h"), (4320, False, "3d")],
)
def test_a_length_of_time_is_rounded_to_a_readable_amount(minutes, working, shown):
    """Minutes below an hour, hours from one hour, days of 24 h from two days; open hours never make days."""
    assert str(readable(minutes * 60_000_000, working=working)) == shown


TRIGGERS = sorted(MAPPING.activities)
GAPS = st.sampled_from([0, 1, 30, 60, 120, 121, 240, 300, DAY, 3 * DAY])


@st.composite
def walks(draw):
    """Draw a walk through the procedure, with instants so close that no limit runs out."""
    by_trigger = {trigger: activity for activity, trigger in MAPPING.activities.items()}
    step, entries, redone = LAMP.all_steps["reported"], [("Report", 0)], False
    while step.to and len(entries) < 12:
        open_here = [m for m in step.to if m.trigger in by_trigger and not (m.trigger == "redo" and redone)]
        move = draw(st.sampled_from(open_here))
        redone = redone or move.trigger == "redo"
        entries.append((by_trigger[move.trigger], len(entries)))
        step = LAMP.all_steps[move.step]
    return case("walk", *entries)


@given(st.lists(walks(), min_size=1, max_size=6))
@settings(deadline=None)
def test_walks_of_the_procedure_conform(log):
    """Whoever keeps the declared order in time is never said to deviate, seen once or often."""
    found = conform([*log, *log, *log], LAMP, MAPPING)
    assert found.by_kind == {}
    assert found.conforming == found.cases


@st.composite
def cases(draw):
    start = draw(st.integers(-3, 3)) * 701
    names = draw(st.sampled_from([SMOOTH[1:]] * 3 + [None])) or [
        (name, 0) for name in draw(st.lists(st.sampled_from(TRIGGERS), max_size=6))
    ]
    entries, at = [("Report", start)], start
    for name, _ in names:
        at += draw(GAPS)
        entries.append((name, at, draw(st.sampled_from(["", "li"]))))
    return case("x", *entries)


def limits_of(found):
    return {
        (one.limit, name): count
        for one in found.limits
        for name, count in (
            ("met", one.met),
            ("breached", one.breached),
            ("open", one.open),
            ("off", one.cancelled),
        )
    }


def judged_alike(log, later, procedure, mapping):
    """Hold a log whose sequences come often against its cases held alone; a first sight is replayed in full."""
    last_us = max(one.events[-1].at_us for one in log) + later * 60_000_000
    end = Case("end", (Event(mapping.ignore[0], last_us),))
    together = conform([*log, *log, *log, end], procedure, mapping)
    alone = [conform([one, end], procedure, mapping) for one in log]
    assert together.results[2 * len(log) : -1] == tuple(found.results[0] for found in alone)
    counted = Counter()
    for found in alone:
        counted.update(limits_of(found))
    assert limits_of(together) == {key: 3 * counted[key] for key in limits_of(together)}


@given(st.lists(cases(), min_size=1, max_size=5), GAPS)
@settings(deadline=None, max_examples=150)
def test_judging_cases_by_their_times_changes_no_result(log, later):
    """A case says the same whether it was judged by its times or replayed in full, limit by limit."""
    judged_alike(log, later, LAMP, MAPPING)


def with_visits(reported, assigned):
    """The lamp, with limits that say which visits they judge; a crew may ask back more often."""
    form = deepcopy(FORM)
    steps = form["steps"]
    steps["reported"]["within"]["visits"], steps["assigned"]["within"] = (
        reported,
        {"h": 4, "visits": assigned},
    )
    steps["finished"]["to"]["redo"] = {"step": "assigned", "kind": "rework"}
    form["limits"] += [
        {"id": "crew", "from": "reported", "to_trigger": "finish", "within": "5h", "visits": reported},
        {"id": "rest", "from": "assigned", "to": "end", "within": "5h"},
        {"id": "if_at_all", "from": "assigned", "to_trigger": "redo", "within": "4h", "if_reached": True},
        {
            "id": "answered",
            "from": "reported",
            "to": "asked",
            "within": "2h",
            "if_reached": True,
            "visits": reported,
        },
        {
            "id": "often",
            "from": "assigned",
            "to_trigger": "redo",
            "within": "5h",
            "if_reached": True,
            "visits": "each",
        },
        {"id": "again", "from": "assigned", "to_trigger": "redo", "within": "4h", "visits": "each"},
    ]
    del steps["asked"]["on_overdue"], steps["asked"]["to"]["lapse"], steps["lapsed"]
    return structure_procedure(form)


WITH_VISITS = [with_visits(one, other) for one in ("each", "first", "sum") for other in ("each", "first")]


@st.composite
def returns(draw, ways):
    """Draw a walk with returns, at any gaps; some end in the middle."""
    at = draw(st.integers(-3, 3)) * 701
    entries = [("Report", at)]
    for name in draw(st.sampled_from(ways)):
        at += draw(GAPS)
        entries.append((name, at))
    return case("x", *entries[: draw(st.sampled_from([len(entries), len(entries), 3]))])


RETURNS = (
    ("Ask", "Answer", "Assign", "Finish", "Redo", "Finish", "Close"),
    ("Ask", "Answer", "Ask", "Answer", "Cancel"),
    ("Assign", "Finish", "Redo", "Finish", "Redo", "Finish", "Close"),
)


@given(st.sampled_from(WITH_VISITS), st.lists(returns(RETURNS), min_size=1, max_size=5), GAPS)
@settings(deadline=None)
def test_visits_told_apart_are_judged_alike_by_their_times(procedure, log, later):
    """Each visit by itself, or the first one only: a case says the same however it was judged."""
    judged_alike(log, later, procedure, MAPPING)


STAFF = shipped_folder() / "staff"
EXPENSES = load(STAFF / "expense_declaration.yaml")
DECLARATIONS = load_mapping(STAFF / "expense_declaration.mapping.yaml")
SUBMIT = "Declaration SUBMITTED by EMPLOYEE"
PAID = ("FINAL_APPROVED by SUPERVISOR", "Request Payment", "Payment Handled")
AGAIN = ("REJECTED by ADMINISTRATION", "REJECTED by EMPLOYEE", "SUBMITTED by EMPLOYEE", *PAID)
WAYS = (
    PAID,
    ("APPROVED by ADMINISTRATION", "APPROVED by BUDGET OWNER", *PAID),
    ("APPROVED by ADMINISTRATION", "FINAL_APPROVED by SUPERVISOR"),
    ("REJECTED by SUPERVISOR", "REJECTED by EMPLOYEE"),
    AGAIN,
    ("Request Payment", "Payment Handled"),
)


@st.composite
def declarations(draw):
    gaps = st.sampled_from([0, 600, 2 * DAY, 5 * DAY, 7 * DAY, 14 * DAY, 21 * DAY, 90 * DAY])
    at = draw(st.integers(0, 9)) * 701
    entries = [(SUBMIT, at)]
    for name in draw(st.sampled_from(WAYS)):
        at += draw(gaps)
        entries.append((name if "Pay" in name else f"Declaration {name}", at))
    return case("x", *entries)


@given(st.lists(declarations(), min_size=1, max_size=3), st.sampled_from([0, 7 * DAY, 90 * DAY]))
@settings(deadline=None, max_examples=100)
def test_deadlines_that_fall_together_are_judged_alike_too(log, later):
    """Working-day limits of several kinds close at one instant; their deviations keep the kernel's order."""
    judged_alike(log, later, EXPENSES, DECLARATIONS)


def test_the_shipped_mapping_fits_its_procedure():
    """The declaration of expenses and the mapping of its public log name the same things."""
    names = (SUBMIT, "Declaration FINAL_APPROVED by SUPERVISOR", "Request Payment", "Payment Handled")
    found = conform([case("a", *zip(names, (0, 60, 120, 180), strict=True))], EXPENSES, DECLARATIONS)
    assert (found.conforming, found.outcomes) == (1, {"completed": 1})


TOLD = (("Report", 0, "ann", "DESK"), ("Assign", 60, "ann", "DESK"))


@pytest.mark.parametrize("cases", [1, 3], ids=["replayed", "by its times"])
def test_what_a_log_does_not_tell_is_unjudged_and_counted(cases):
    """Where nobody is named and no role is told, neither role nor four eyes are kept or broken; both are said."""
    found = conform([case("a", *SMOOTH)] * cases, LAMP, MAPPING)
    assert (found.conforming, list(found.deviations)) == (cases, [])
    assert found.unjudged_rules == {"role": 3 * cases, "not_by": cases}
    assert found.to_json()["unjudged_rules"] == found.unjudged_rules
    for lang, said in (("en", ("in which role", "by whom")), ("zh", ("以何岗位办理", "由谁办理"))):
        table = found.table(lang)
        assert all(one in table for one in said)
    assert "Moves not judged" in found.table("en")


@pytest.mark.parametrize(
    ("finishes", "closes", "unjudged", "deviations"),
    [
        ("bob", "ann", 0, []),
        ("ann", "ann", 0, [("wrong_role", "finished")]),
        ("", "ann", 1, []),
        ("bob", "", 1, []),
        (" ", "\u200b", 1, []),
    ],
    ids=["two", "one", "first unknown", "second unknown", "blanks"],
)
@pytest.mark.parametrize("cases", [1, 2])
def test_four_eyes_of_a_log_are_judged_where_both_are_named(finishes, closes, unjudged, deviations, cases):
    """A blank is no name, and two blanks are not one person."""
    entries = (*TOLD, ("Finish", 180, finishes, "CREW"), ("Close", 200, closes, "DESK"))
    found = conform([case("a", *entries)] * cases, LAMP, MAPPING)
    assert [kinds(one) for one in found.results] == [deviations] * cases
    assert found.unjudged_rules == {"role": 0, "not_by": unjudged * cases}
    assert ("Moves not judged" in found.table("en")) is bool(unjudged)


def test_what_was_never_done_needs_no_other_person():
    """Four eyes that have nothing to look at are not unjudged; a step done again is judged by the last who did it."""
    found = conform([case("a", TOLD[0], ("Close", 200, "", "DESK"))], LAMP, MAPPING)
    assert found.unjudged_rules == {"role": 0, "not_by": 0}
    again = (("Finish", 180, "", "CREW"), ("Redo", 190, "ann", "DESK"), ("Finish", 195, "bob", "CREW"))
    found = conform([case("a", *TOLD, *again, ("Close", 200, "ann", "DESK"))], LAMP, MAPPING)
    assert found.unjudged_rules == {"role": 0, "not_by": 1}


def lapsing() -> Procedure:
    """The lamp, where a question without an answer lapses by itself, which is no breach."""
    asked = {
        "name": {"zh": "待补充", "en": "Asked"},
        "waits": "recipient",
        "then": {"after": "24h", "fire": "lapse"},
        "to": {"answer": "reported", "lapse": {"step": "lapsed", "kind": "exception"}},
    }
    return structure_procedure({**FORM, "steps": {**FORM["steps"], "asked": asked}})


def test_what_the_log_does_not_tell_of_a_step_that_moves_on_by_itself_is_made_at_its_instant():
    """Without an activity for it the case lapses after a day, and nothing is overdue by that."""
    silent = case("a", ("Report", 0), ("Ask", 60))
    found = conform([silent, silent, case("b", ("Report", 0), ("Cancel", 5000))], lapsing(), MAPPING)
    lapsed = [result for result in found.results if result.case == "a"]
    assert [(one.status, one.outcome, one.deviations) for one in lapsed] == [("ended", "cancelled", ())] * 2
    assert not any(one.limit.startswith("asked") for one in found.limits)


def test_a_log_that_tells_of_the_automatic_move_says_when_it_was_made():
    """An activity for the trigger is believed, before and after the instant: nothing is missed and nothing deviates."""
    told = attrs.evolve(MAPPING, activities={**MAPPING.activities, "Lapse": "lapse"})
    for minutes in (60 + DAY - 30, 60 + DAY + 300):
        found = conform([case("a", ("Report", 0), ("Ask", 60), ("Lapse", minutes))], lapsing(), told)
        result = only(found)
        assert (result.outcome, result.missed, result.deviations) == ("cancelled", (), ())


def test_who_asks_is_judged_where_the_first_event_is_the_start():
    """Who does a later event need not be who asked; how early somebody asked no log tells."""
    form = deepcopy(FORM) | {
        "start": {"role": "worker", "before": "due - 2h", "requires": ["due"]},
        "fields": {"due": {"type": "instant"}},
    }
    lamp = structure_procedure(form)
    for role, wrong in {"DESK": 1, "CREW": 0, "": 0}.items():
        for repeated in (1, 3):  # a sequence seen before is replayed fast
            cases = [case(str(n), ("Report", 0, "x", role), *SMOOTH[1:]) for n in range(repeated)]
            found = conform(cases, lamp, MAPPING)
            assert found.by_kind == ({"wrong_role": wrong * repeated} if wrong else {})
    assert only(conform([case("a", ("Assign", 5, "x", "DESK"), *SMOOTH[2:])], lamp, MAPPING)).conforms
