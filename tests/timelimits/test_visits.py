"""A step that is entered several times: time that adds up, each visit by itself, or the first one only."""

from __future__ import annotations

import pytest
from timelimit_cases import Desk, procedure

from svcflow.checks import check
from svcflow.drawing.scene.from_procedure import scene_of
from svcflow.model.diff.compare import diff
from svcflow.model.limit import Row, TimeLimit, Visits
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step, Transition
from svcflow.model.yaml.document import parse_document
from svcflow.model.yaml.dump import dump
from svcflow.model.yaml.parse import structure_procedure


def declared(visits: Visits = "sum", clock: str = "continue", **limit: object) -> Procedure:
    """A step `work` that `check` sends back to."""
    given = TimeLimit(**{"within": "4wh", **limit}, visits=visits)
    span = given.from_ is not None
    back = (
        Transition("back", "work", kind="rework", clock=clock, at_most=9),
        Transition("pass", "end"),
    )
    return procedure(
        Step("work", within=None if span else given, to=(Transition("send", "check"),)),
        Step("check", to=back),
        Step("end", end="completed"),
        limits=(given,) if span else (),
    )


def played(visits: Visits, clock: str = "continue", **limit: object) -> Desk:
    """Three hours, an hour elsewhere, and from Tuesday 09:00 two hours more."""
    desk = Desk(declared(visits, clock, **limit), "03-02 08:30")
    return desk.fire("send", "03-02 11:30").fire("back", "03-03 09:00").fire("send", "03-03 11:00")


@pytest.mark.parametrize("clock", ["continue", "restart"])
@pytest.mark.parametrize(
    ("visits", "overdue", "visit"),
    [("sum", {"continue": ["03-03 10:00"], "restart": []}, {"continue": 1, "restart": 2}),
     ("each", {"continue": [], "restart": []}, {"continue": 2, "restart": 2}),
     ("first", {"continue": [], "restart": []}, {"continue": 1, "restart": 1})],
)  # fmt: skip
def test_visits_say_what_time_is_judged(visits, clock, overdue, visit) -> None:
    """Three hours and two of four: too much together, not each; the first visit judged is the last one judged."""
    desk = played(visits, clock)
    assert [when for _, when in desk.deviations()] == overdue[clock]
    assert desk.deadline().visit == visit[clock]


def test_each_visit_has_a_deadline_and_a_breach_of_its_own() -> None:
    """The second visit is overdue by its own four hours, whatever the first one took."""
    desk = Desk(declared("each"), "03-02 08:30").fire("send", "03-02 14:30").fire("back", "03-03 08:30")
    assert desk.due() == "03-03 14:00"
    desk.fire("send", "03-03 15:00")
    found = desk.engine.deviations(instance=desk.id)
    assert [(one.visit, desk.written(one.due_at), str(one.overrun)) for one in found] == [
        (1, "03-02 14:00", "0:30:00"),
        (2, "03-03 14:00", "1:00:00"),
    ]


def test_only_the_first_visit_has_a_deadline() -> None:
    """A step entered again has none, and data, holds and time change nothing of it."""
    desk = Desk(declared("first"), "03-02 08:30").fire("send", "03-02 11:30").fire("back", "03-03 09:00")
    assert [one.limit for one in desk.engine.deadlines(desk.id)] == []
    desk.hold("03-03 10:00").resume("03-03 11:00").tick("03-20 09:00")
    assert desk.deviations() == []
    assert (desk.state(), desk.due()) == ("met", "03-02 14:00")


def test_a_move_that_comes_back_at_once_ends_a_visit_and_begins_the_next() -> None:
    """Leaving and entering in one move: of the first visit only nothing is left to judge after it."""
    tea = (Transition("tea", "work"), Transition("pass", "end"))
    for visits, overdue in (("sum", ["03-02 12:00"]), ("each", []), ("first", [])):
        limit = TimeLimit(within="3.5h", visits=visits)
        desk = Desk(
            procedure(Step("work", within=limit, to=tea), Step("end", end="completed")), "03-02 08:30"
        )
        desk.fire("tea", "03-02 11:00").fire("pass", "03-02 13:00")
        assert [when for _, when in desk.deviations()] == overdue, visits


def test_a_span_is_visited_from_its_start_to_its_end() -> None:
    """Its start entered again before the end was reached goes on; after it, each begins anew and first does not."""
    span = {"from_": "work", "to": "check", "id": "span"}
    for visits, due in (("sum", "03-03 10:00"), ("each", "03-03 14:00"), ("first", "03-02 14:00")):
        desk = Desk(declared(visits, **span), "03-02 08:30").fire("send", "03-02 11:30")
        desk.fire("back", "03-03 09:00" if visits != "each" else "03-03 08:30")
        assert desk.due("span") == due, visits
    to_end = {"from_": "work", "to": "end", "id": "span"}
    for visits, clock, due, visit in (
        ("each", "continue", "03-02 14:00", 1),
        ("each", "restart", "03-03 14:00", 2),
        ("first", "restart", "03-02 14:00", 1),
    ):
        desk = Desk(declared(visits, clock, **to_end), "03-02 08:30").fire("send", "03-02 11:30")
        desk.fire("back", "03-03 08:30")
        assert (desk.due("span"), desk.deadline("span").visit) == (due, visit), (visits, clock)


def test_a_minimum_holds_for_each_visit_or_the_first() -> None:
    """A first visit long enough leaves the others free; told apart, a short second one is too early."""
    for visits, early in (("sum", []), ("each", ["03-03 09:10"]), ("first", [])):
        desk = Desk(declared(visits, within=None, at_least="1wh"), "03-02 08:30").fire("send", "03-02 10:00")
        desk.fire("back", "03-03 09:00").fire("send", "03-03 09:10")
        assert [when for _, when in desk.deviations()] == early, visits


def test_the_explanation_and_the_map_say_which_visits_are_judged() -> None:
    """Both languages; a limit that says nothing is told as before."""
    desk = played("each")
    told = desk.engine.explain(desk.id, "work")
    assert told.text("en").splitlines()[0] == "work: limit 4 working hours, each visit by itself"
    assert told.text("zh").splitlines()[0] == "work：时限 4个工作小时，每次进入另计"
    assert "visit 2" in told.text("en")
    assert told.visits == 2
    notes = [note.body for note in scene_of(declared("first")).notes]
    assert [(note.zh, note.en) for note in notes if note.zh.startswith("≤")] == [
        ("≤ 4个工作小时；只计第一次进入", "≤ 4 working hours; first visit only")
    ]
    assert not [note for note in scene_of(declared("sum")).notes if note.body.zh.startswith("≤")]


def test_telling_visits_apart_shows_in_the_difference_of_versions() -> None:
    """By name and value, and as nothing that breaks a running instance."""
    found = diff(declared("sum"), declared("each"))
    assert [(one.attribute, one.before, one.after) for one in found.changes] == [("visits", "sum", "each")]
    assert not found.breaking


def test_visits_of_a_step_that_nothing_leads_back_to_are_found() -> None:
    """They change nothing there; with the rework move they do."""
    once = procedure(
        Step("work", within=TimeLimit(within="4wh", visits="each"), to=(Transition("send", "end"),)),
        Step("end", end="completed"),
    )
    assert [one.path for one in check(once) if one.code == "visits-never-again"] == [
        ("steps", "work", "within", "visits")
    ]
    assert "visits-never-again" not in {one.code for one in check(declared("each"))}


def test_that_early_is_better_is_shown_and_changes_no_deadline() -> None:
    """On the map, in the explanation and between versions; what is due and what is overdue stay as they were."""
    plain, told = declared(), declared(early_is_better=True)
    desk, other = Desk(told, "03-02 08:30"), Desk(plain, "03-02 08:30")
    assert desk.due() == other.due() == "03-02 14:00"
    assert desk.engine.explain(desk.id, "work").text("en").splitlines()[0] == (
        "work: limit 4 working hours, the earlier the better"
    )
    notes = [note.body for note in scene_of(told).notes]
    assert [(note.zh, note.en) for note in notes if note.zh.startswith("≤")] == [
        ("≤ 4个工作小时；越早越好", "≤ 4 working hours; the earlier the better")
    ]
    found = diff(plain, told)
    assert [(one.attribute, one.after) for one in found.changes] == [("early_is_better", True)]
    assert not found.breaking
    assert [kind for kind, _ in desk.tick("03-03 09:00").deviations()] == ["overdue"]


def test_early_is_better_holds_for_times_of_day_and_matrices() -> None:
    """`by`, and every row of a matrix, read from a document and dumped as written."""
    rows = [
        Row("1wh", when="recipient.group == 'a'"),
        Row(by="17:00", when="recipient.group == 'b'"),
        Row(no_target=True),
    ]
    for limit in ({"by": "17:00"}, {"match": rows}):
        given = declared(within=None, early_is_better=True, **limit)
        assert "early_is_better: true" in dump(given)
        assert parse_document(dump(given)).build(structure_procedure) == given
