"""What of a procedure is drawn, before anything has a place."""

from __future__ import annotations

from drawing_samples import T, meeting, repair, role, step, to

import svcflow
from svcflow.drawing.scene.edges import main_path
from svcflow.drawing.scene.from_procedure import numbers, scene_of
from svcflow.drawing.scene.map_scene import START
from svcflow.model.automatic_move import AutomaticMove, MoveInstant
from svcflow.model.field import Field
from svcflow.model.limit import Row, TimeLimit
from svcflow.model.parameter import Parameter
from svcflow.model.procedure import Certificate, Excellence, Exclusion, Indicator, Procedure, StartRule
from svcflow.model.source import Source
from svcflow.model.step import Otherwise, Step, Transition
from svcflow.model.subprocedure import SubProcedure
from svcflow.text import Text


def test_the_main_line_leads_by_first_normal_moves_to_completion() -> None:
    """Exceptions and rework never belong to the main line when a normal way leads to the completed end."""
    assert main_path(repair().steps) == (
        "reported", "accepted", "assigned", "arrived", "diagnosing", "repairing", "checking", "calling", "confirmed",
    )  # fmt: skip


def test_the_main_line_falls_back_to_other_moves() -> None:
    """When only an exception leads to the end, it is the main line; a first step without a way stands alone."""
    steps = (step("a", "", "", to("x", "b", kind="exception")), Step("b", end="completed"))
    assert main_path(steps) == ("a", "b")
    assert main_path((step("a", "", "", to("x", "a")),)) == ("a",)


def test_steps_are_numbered_in_declared_order() -> None:
    """Steps count P1, P2 …; those of branches count within; ends have no number."""
    given = numbers(meeting())
    assert given["booked"] == "P1"
    assert given["preparing"] == "P2"
    assert [given[key] for key in ("room_set_up", "room_air", "equipment_test")] == ["P2.1", "P2.2", "P2.3"]
    assert given["ready"] == "P3"
    assert "done" not in given


def test_branches_run_from_a_fork_to_a_join() -> None:
    """A branch's end has no box of its own: its lines lead to the join, from which `done` leaves."""
    scene = scene_of(meeting())
    into = {edge.source for edge in scene.edges if edge.target == "join:preparing"}
    assert into == {"room_air", "equipment_test", "catering_tea"}
    assert [edge.target for edge in scene.edges if edge.source == "join:preparing"] == ["ready"]
    assert "room_ready" not in scene.by_key


def test_an_exception_of_a_parallel_step_leaves_its_box() -> None:
    """Only `done` waits for all branches; a cancellation leaves at once."""
    assert "preparing>cancelled/exception" in {edge.key for edge in scene_of(meeting()).edges}


def test_triggers_to_one_step_share_a_line() -> None:
    """Two triggers of one kind between the same steps are one line that names both."""
    procedure = Procedure(
        id="p",
        roles=[role("r", "岗", "Role")],
        steps=[
            step("a", "", "", to("one", "b", "甲", "one"), to("two", "b", "乙", "two"), role="r"),
            step("b", "", "", end="completed"),
        ],
    )
    (edge,) = [edge for edge in scene_of(procedure).edges if edge.source == "a"]
    assert edge.name == T(zh="甲 / 乙", en="one / two")
    assert edge.triggers == ("one", "two")


def test_rows_of_one_trigger_show_their_conditions() -> None:
    """Rows with guards to different steps are different lines, each with its guard; the last has none."""
    procedure = Procedure(
        id="p",
        fields=[Field("fee", type="number")],
        roles=[role("r", "岗", "Role")],
        steps=[
            step("a", "", "", to("go", "b", when="fee > 200"), to("go", "c"), role="r"),
            step("b", "", "", to("go", "c"), role="r"),
            step("c", "", "", end="completed"),
        ],
    )
    conditions = {edge.target: edge.condition for edge in scene_of(procedure).edges if edge.source == "a"}
    assert conditions == {"b": Text("fee > 200", "fee > 200"), "c": Text()}


def test_conditions_and_notes_call_fields_and_choices_by_their_names() -> None:
    """Who reads a map reads no expression; the notes say what data and indicators there are."""
    urgent = Field(
        "priority",
        type="choice",
        name=Text("紧急程度", "Priority"),
        choices={"emergency": Text("紧急", "emergency"), "normal": Text("一般", "normal")},
        default="normal",
    )
    procedure = Procedure(
        id="p",
        fields=[
            urgent,
            Field("rating", type="rating", required=True, reason="why"),
            Field("why", personal=True),
        ],
        steps=[
            step("a", "", "", to("go", "b", when='priority == "emergency"'), to("go", "c")),
            step("b", "", "", to("go", "c")),
            step("c", "", "", end="completed"),
        ],
        indicators=[
            Indicator(
                "quick",
                of="overdue",
                numerator="occurrences",
                target="<= 1%",
                weight=2,
                source="proposal",
                exclude=[Exclusion(when='priority == "normal"', reason=Text("不急", "not urgent"))],
            )
        ],
        excellence=Excellence(),
    )
    scene = scene_of(procedure)
    assert {edge.condition for edge in scene.edges} == {
        Text(),
        Text("紧急程度为“紧急”", "Priority is emergency"),
    }
    notes = {note.head.en: note.body for note in scene.notes}
    assert notes["Data"] == Text(
        zh="紧急程度（选项，紧急、一般，默认一般）；rating（五级评价，必填，理由：why）；why（个人信息）",
        en="Priority (choice, emergency / normal, else normal); rating (rating in five grades, required, reason: why); why (personal)",
    )
    assert notes["Indicators"] == Text(
        zh="quick <= 1%（超时 次数，不计紧急程度为“一般”：不急，权重 2，proposal）",
        en="quick <= 1% (overdue occurrences, without Priority is normal: not urgent, weight 2, proposal)",
    )
    assert notes["Service beyond the standard"].en == "never further items or cost"


def test_sources_are_listed_under_the_map_with_their_strength() -> None:
    """Who reads a map sees what its limits rest on, and how strongly it binds."""
    sources = [
        Source("D1", title="Handbook"),
        Source("D2", title="条例", strength="law", year=2012),
        Source("D3", title="手册"),
    ]
    procedure = Procedure(id="p", sources=sources, steps=[Step("a", end="completed")])
    (note,) = (note for note in scene_of(procedure).notes if note.head.en == "Sources")
    assert note.body == Text(
        zh="D1 Handbook；D2 条例（法律法规，2012）；D3 手册",
        en="D1 Handbook; D2 (law or regulation, 2012); D3",
    )


def test_a_map_has_the_values_of_parameters_in_force() -> None:
    """Limits and conditions show the number that holds; the notes say who set it and what is declared."""
    limit = TimeLimit(match=[Row("reply", when="fee >= bound"), Row("8h")])
    procedure = Procedure(
        id="p",
        parameters=[Parameter("reply", value="4h"), Parameter("bound", value=100, unit="元")],
        fields=[Field("fee", type="number", name=Text("费用", "Fee"))],
        steps=[Step("a", within=limit, to=[Transition("go", "b")]), Step("b", end="completed")],
    )
    scene = scene_of(procedure.with_parameters({"reply": "2h"}))
    assert "2 h" in scene.by_key["a"].limit.en
    notes = {note.head.en: note.body.en for note in scene.notes}
    assert notes["P1 a"] == "[Fee ≥ 100] ≤ 2 hours; otherwise ≤ 8 hours"
    assert notes["Parameters"] == (
        "reply 2 hours (set by the institution, the procedure says 4 hours); bound 100 元"
    )


def test_only_used_roles_have_lanes_in_declared_order() -> None:
    """A role nobody acts in has no lane."""
    procedure = Procedure(
        id="p",
        roles=[role("idle", "闲", "Idle"), role("two", "二", "Two"), role("one", "一", "One")],
        steps=[
            step("a", "", "", to("go", "b"), role="one"),
            step("b", "", "", to("go", "c"), role="two"),
            step("c", "", "", end="completed"),
        ],
    )
    assert [lane.id for lane in scene_of(procedure).lanes] == ["two", "one"]


def test_a_step_without_a_role_stands_where_it_is_reached_from() -> None:
    """Waits and ends go into the lane they are reached from; a lane of its own only when there is none."""
    scene = scene_of(repair())
    assert scene.by_key["confirmed"].lane == "desk"
    bare = Procedure(id="p", steps=[step("a", "", "", to("go", "b")), Step("b", end="completed")])
    assert [lane.name.en for lane in scene_of(bare).lanes] == ["—"]


def test_a_rule_that_refuses_is_noted_under_the_map() -> None:
    """What no line can show, because it leads nowhere, is said with the step's number and the trigger's name."""
    rule = Otherwise("refuse", name=Text("陪餐人数限制", "The bound on hosts"))
    move = Transition("serve", "end", name=Text("开餐", "Serve"), when="hosts <= 3", otherwise=rule)
    procedure = Procedure(
        id="p",
        fields=[Field("hosts", type="number")],
        steps=[Step("ready", to=[move]), Step("end", end="completed")],
    )
    notes = {note.head.en: note.body for note in scene_of(procedure).notes}
    assert notes["P1 ready"] == Text(
        zh="开餐：条件都不符时拒绝：陪餐人数限制",
        en="Serve: refused where no condition is met: The bound on hosts",
    )


def timed(then: AutomaticMove) -> Procedure:
    """Return a question that is closed by itself, with a name for the field that it hangs on."""
    return Procedure(
        id="p",
        steps=(
            step("asked", "已问", "Asked", to("close", "closed", "结案", "Close"), then=then),
            Step("closed", end="completed"),
        ),
        fields=(Field("until", type="instant", name=T("约定时间", "agreed time")),),
    )


def test_a_move_that_a_step_makes_by_itself_says_when() -> None:
    """After how long or at which instant, in both languages; of a matrix every instant, and none is shown as overdue."""
    rows = (MoveInstant("1h", when="until == None"), MoveInstant(at="until - 10m"))
    for then, zh, en in (
        (AutomaticMove("close", after="2wd"), "满 2 工作日", "after 2 working d"),
        (AutomaticMove("close", at="until"), "到约定时间", "at agreed time"),
        (AutomaticMove("close", at="until + 1wd"), "约定时间后 1个工作日", "1 working day after agreed time"),
        (
            AutomaticMove("close", match=rows),
            "满 1 小时 · 约定时间前 10分钟",
            "after 1 h · 10 minutes before agreed time",
        ),
    ):
        edge = scene_of(timed(then)).edges[-1]
        assert (edge.timed.zh, edge.timed.en, edge.overdue) == (zh, en, False)


def test_a_value_that_a_move_settles_is_noted_under_the_map() -> None:
    """By the name of the field and that of the move."""
    procedure = Procedure(
        id="p",
        fields=[Field("fee", type="number", name=Text("费用", "Fee"), settled_by="submit")],
        steps=[
            Step("draft", to=[Transition("submit", "paid", name=Text("提交", "Submit"))]),
            Step("paid", to=[Transition("file", "end")]),
            Step("end", end="completed"),
        ],
    )
    (note,) = [note for note in scene_of(procedure).notes if note.head.en == "Fee"]
    assert note.body.zh == "自“提交”起不得改动，返工退回其前除外"
    assert note.body.en == "may not change after 'Submit', unless rework leads back before it"


def test_a_step_that_runs_another_procedure_says_which() -> None:
    """Its box has the name and a link to that map; the note says what the ends fire, and what it keeps."""
    runs = SubProcedure("vehicle", outcomes={"completed": "go"}, on_call_off="refuse")
    procedure = Procedure(
        id="p",
        roles=[role("r", "岗", "Role")],
        steps=[
            Step(
                "a",
                name=T("用车", "Driving"),
                role="r",
                runs=runs,
                to=[Transition("go", "b", name=T("到了", "Arrived"))],
            ),
            Step("b", end="completed"),
        ],
    )
    scene = scene_of(procedure)
    assert (scene.by_key["a"].shape, scene.by_key["a"].runs) == ("subprocedure", "vehicle")
    (note,) = [note for note in scene.notes if "⊞" in note.head.en]
    assert note.head == T("P1 用车 ⊞", "P1 Driving ⊞")
    assert note.body == T(
        "vehicle；办结 → 到了；未结束不得离开", "vehicle; completed → Arrived; it may not be left before"
    )
    svg = svcflow.draw(procedure, lang="en").svg
    assert 'href="vehicle.svg"' in svg
    assert "runs another procedure" in svg


def test_a_certificate_that_a_step_asks_for_is_noted_under_the_map() -> None:
    """With the step's number, and the name of the certificate."""
    procedure = Procedure(
        id="p",
        certificates=[Certificate("licence", name=Text("电工证", "Electrician's licence"))],
        steps=[
            Step("work", name=Text("接线", "Wiring"), qualified="licence", to=[Transition("go", "end")]),
            Step("end", end="completed"),
        ],
    )
    (note,) = [note for note in scene_of(procedure).notes if note.head.en == "P1 Wiring"]
    assert (note.body.zh, note.body.en) == ("须持证：电工证", "certificate needed: Electrician's licence")


def test_a_step_of_the_parent_that_is_excluded_goes_by_its_id() -> None:
    """It is on another map, which this one does not know."""
    procedure = Procedure(
        id="p",
        steps=[Step("a", not_by=["parent.asked"], to=[Transition("go", "e")]), Step("e", end="completed")],
    )
    told = " ".join(f"{note.body.zh} {note.body.en}" for note in scene_of(procedure).notes)
    assert "不得由办理 上级流程的 asked 者办理" in told
    assert "by somebody else than asked of the parent" in told


def served(**rule: object) -> Procedure:
    """A service that a client asks for and a clerk does, with a rule of its start."""
    return Procedure(
        id="p",
        roles=[role("client", "服务对象", "Client"), role("clerk", "经办人", "Clerk")],
        fields=[
            Field("due", type="instant", required=True, name=T("时间", "Time")),
            Field("why", name=T("事由", "Reason")),
        ],
        start=StartRule(**rule) if rule else None,
        steps=[step("a", "甲", "A", to("go", "e"), role="clerk"), Step("e", end="completed")],
    )


def test_the_start_stands_in_the_lane_of_who_asks() -> None:
    """With its name and how early one has to ask; without either it is a mere circle."""
    assert (scene_of(served()).by_key[START].shape, scene_of(served()).by_key[START].lane) == (
        "start",
        "clerk",
    )
    bare = scene_of(served(role="client")).by_key[START]
    assert (bare.shape, bare.lane) == ("start", "client")
    node = scene_of(served(role="client", name=T("申请", "Request"), before="due - 30m")).by_key[START]
    assert (node.shape, node.lane, node.name, node.limit) == (
        "request", "client", T("申请", "Request"), T("提前 30 分", "30 min ahead"),
    )  # fmt: skip
    assert [lane.id for lane in scene_of(served(role="client")).lanes] == ["client", "clerk"]


def test_all_that_is_said_of_a_start_is_noted() -> None:
    """Who asks, with what, how early, by which source, and that it may be foreseen."""
    rule = {"role": "client", "name": T("申请", "Request"), "requires": ["why"], "foreseen": True}
    notes = scene_of(served(**rule, before="due - 1wd", source="proposal")).notes
    (note,) = [note for note in notes if note.head == T("申请", "Request")]
    assert note.body.zh == "由服务对象提出；须附 事由；最迟在时间前 1个工作日；依据 proposal；可提前想到"
    assert note.body.en == (
        "by Client; with Reason; 1 working day before Time at the latest; source proposal; may be foreseen"
    )
    assert not [
        note for note in scene_of(served(name=T("申请", "Request"))).notes if note.head.en == "Request"
    ]
