"""Skeletons of procedures from machines of the package transitions that somebody else wrote."""

from __future__ import annotations

import enum
import functools
import warnings
from pathlib import Path
from typing import Any

import pytest
from transitions import Machine
from transitions.extensions import GraphMachine, HierarchicalMachine
from transitions.extensions.markup import MarkupMachine
from transitions.extensions.states import Tags, Timeout, add_state_features

import svcflow
from pages import ROOT
from svcflow import Text
from svcflow.errors import DeclarationError, FieldError
from svcflow.machine import from_machine, to_machine
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step

CATALOG = svcflow.Catalog.from_folder(ROOT / "procedures")


def shape(procedure: Procedure) -> dict[str, Any]:
    return {
        name: [(move.trigger, move.step, str(move.when or "")) for move in step.to] or step.end
        for name, step in procedure.all_steps.items()
    }


def problems(machine: Machine) -> list[str]:
    with pytest.raises(DeclarationError) as caught:
        from_machine(machine)
    assert all(one.message.zh and one.remedy.zh for one in caught.value.problems)
    return str(caught.value).splitlines()


def test_a_plain_machine_becomes_steps_triggers_and_ends() -> None:
    """The state in which models begin comes first; what nothing leads out of is an end."""
    machine = Machine(
        states=["solid", "liquid", "gas", "plasma"],
        initial="liquid",
        transitions=[
            ["melt", "solid", "liquid"],
            ["evaporate", "liquid", "gas"],
            ["ionize", "gas", "plasma"],
        ],
        name="matter",
    )
    assert shape(from_machine(machine)) == {
        "liquid": [("evaporate", "gas", "")],
        "solid": [("melt", "liquid", "")],
        "gas": [("ionize", "plasma", "")],
        "plasma": "completed",
    }
    assert str(from_machine(machine)) == "matter v1"
    assert from_machine(machine, "water").id == "water"


def test_several_ends_are_called_as_their_states() -> None:
    machine = Machine(
        states=["asked", "granted", "refused"], initial="asked", auto_transitions=False,
        transitions=[["grant", "asked", "granted"], ["refuse", "asked", "refused"]],
    )  # fmt: skip
    assert [step.end for step in from_machine(machine).steps] == [None, "granted", "refused"]


def test_conditions_become_fields_that_say_what_they_decide() -> None:
    """A callable cannot be read: `when` asks for a field that is named after it, so that nothing is lost."""

    class Model:
        def is_paid(self) -> bool:
            return True

    def in_stock() -> bool:
        return True

    model = Model()
    machine = Machine(
        model, states=["a", "b"], initial="a", auto_transitions=False,
        transitions=[
            {"trigger": "go", "source": "a", "dest": "b", "conditions": [model.is_paid, in_stock], "unless": "is_held"},
            {"trigger": "go", "source": "a", "dest": "a", "conditions": "is_paid"},
            {"trigger": "skip", "source": "a", "dest": "b", "unless": [lambda: False, lambda: True]},
            {"trigger": "wait", "source": "a", "dest": "a", "conditions": functools.partial(in_stock)},
        ],
    )  # fmt: skip
    procedure = from_machine(machine)
    assert shape(procedure)["a"] == [
        ("go", "b", "is_paid and in_stock and not is_held"),
        ("go", "a", "is_paid"),
        ("skip", "b", "not is_lambda and not is_lambda_2"),
        ("wait", "a", "in_stock_2"),
    ]
    assert {field.type for field in procedure.fields.values()} == {"boolean"}
    assert procedure.fields["is_held"].name == Text(zh="条件 is_held", en="Condition is_held")


def test_the_skeleton_runs() -> None:
    machine = Machine(
        states=["a", "b"], initial="a", auto_transitions=False,
        transitions=[{"trigger": "go", "source": "a", "dest": "b", "conditions": "is_paid"}],
    )  # fmt: skip
    with svcflow.Engine("memory://", from_machine(machine, "sale")) as engine:
        sale = engine.start("sale")
        with pytest.raises(svcflow.Refused, match="is_paid"):
            engine.fire(sale.id, "go")
        assert engine.fire(sale.id, "go", data={"is_paid": True}).status == "ended"


def test_names_of_any_kind_become_identifiers_and_stay_as_names() -> None:
    class State(enum.Enum):
        IN_PROGRESS = 1
        DONE = 2

    machine = Machine(
        states=State, initial=State.IN_PROGRESS, transitions=[["Wrap up!", State.IN_PROGRESS, State.DONE]]
    )
    procedure = from_machine(machine)
    assert shape(procedure) == {"in_progress": [("wrap_up", "done", "")], "done": "completed"}
    assert procedure.steps[0].name == Text(en="IN_PROGRESS")
    assert procedure.steps[0].to[0].name == Text(en="Wrap up!")
    chinese = Machine(
        states=["受理", "办结", "A", "a"], initial="受理", auto_transitions=False, name="报修",
        transitions=[["办理", "受理", "办结"], ["x", "A", "a"], ["y", "a", "办结"]],
    )  # fmt: skip
    procedure = from_machine(chinese)
    assert [step.id for step in procedure.steps] == ["step", "step_2", "a_2", "a"]
    assert [step.name.zh for step in procedure.steps[:2]] == ["受理", "办结"]
    assert (procedure.id, procedure.name) == ("machine", Text(zh="报修"))


def test_a_trigger_without_a_name_is_not_the_one_that_joins_branches() -> None:
    machine = Machine(states=["a", "b"], initial="a", transitions=[["", "a", "b"]], auto_transitions=False)
    assert shape(from_machine(machine))["a"] == [("trigger", "b", "")]


def tagged(state: list[Any], move: list[Any], end: list[Any]) -> Machine:
    @add_state_features(Tags)
    class Tagged(Machine):
        pass

    machine: Any = Tagged(
        states=[{"name": "a", "tags": state}, {"name": "b", "tags": end}], initial="a", auto_transitions=False,
        transitions=[["go", "a", "b"]],
    )  # fmt: skip
    machine.get_transitions("go")[0].tags = move
    return machine


def test_roles_in_tags_become_identifiers_and_stay_as_names() -> None:
    procedure = from_machine(tagged(["role:经办人"], ["role:Front Desk"], []))
    step = procedure.steps[0]
    assert (step.role, step.to[0].role) == ("role", "front_desk")
    assert procedure.roles["role"].name == Text(zh="经办人")
    assert procedure.roles["front_desk"].name == Text(en="Front Desk")


def test_a_tag_that_says_nothing_is_none() -> None:
    procedure = from_machine(tagged(["role:", "urgent", 3], ["requires:", "at_most:", None], ["end:"]))
    assert (procedure.steps[0].role, procedure.steps[0].to[0].requires) == (None, ())
    assert procedure.steps[1].end == "completed"


@pytest.mark.parametrize(
    ("state", "move", "left"),
    [
        (["waits:user"], [], "a.waits:user"),
        ([], ["kind:bogus"], "a.go.kind:bogus"),
        ([], ["at_most:-1"], "a.go.at_most:-1"),
        ([], ["at_most:99999999999"], "a.go.at_most:9999"),
    ],
)
def test_a_tag_that_cannot_be_kept_is_told(state: list[str], move: list[str], left: str) -> None:
    with pytest.warns(UserWarning, match=f"a tag is left out: {left}.* takes one of ") as caught:
        from_machine(tagged(state, move, []))
    assert "标签不带过来" in str(caught[0].message)


def test_a_move_that_keeps_the_state_is_a_move_to_it() -> None:
    machine = Machine(
        states=["a", "b"], initial="a", auto_transitions=False,
        transitions=[["inside", "a", None], ["again", "a", "="], ["go", "a", "b"]],
    )  # fmt: skip
    assert shape(from_machine(machine))["a"] == [("inside", "a", ""), ("again", "a", ""), ("go", "b", "")]


def test_ordered_transitions_go_round() -> None:
    machine = Machine(states=["a", "b"], initial="a", ordered_transitions=True)
    assert shape(from_machine(machine)) == {"a": [("next_state", "b", "")], "b": [("next_state", "a", "")]}


def test_callbacks_are_named_because_a_procedure_has_none() -> None:
    @add_state_features(Timeout)
    class Timed(Machine):
        pass

    def notify() -> None: ...

    machine = Timed(
        states=[{"name": "a", "on_exit": notify, "timeout": 5, "on_timeout": "go", "final": True}, "b"],
        initial="a", auto_transitions=False, after_state_change="log",
        transitions=[{"trigger": "go", "source": "a", "dest": "b", "before": "stamp"}],
    )  # fmt: skip
    with pytest.warns(UserWarning, match="callbacks are left out") as caught:
        from_machine(machine, "p")
    said = str(caught[0].message)
    for what in (
        "after_state_change (log)", "a.on_exit (notify)", "a.on_timeout (go)", "a.go.before (stamp)",
        "the timeout of a (5 s)", "a is final and has a way on", "回调不带过来",
    ):  # fmt: skip
        assert what in said
    assert said.count("callbacks are left out") == 1
    assert caught[0].filename == __file__


def test_children_take_the_place_of_a_state_with_the_transitions_around_them() -> None:
    """A state that is always in one of its children is none of its own; a child's row is tried first."""
    machine = HierarchicalMachine(
        states=["new", {"name": "work", "initial": "draft", "children": ["draft", "review"]}, "shut"],
        initial="new", auto_transitions=False,
        transitions=[
            ["begin", "new", "work"],
            ["submit", "work_draft", "work_review"],
            ["close", "work", "shut"],
            {"trigger": "close", "source": "work_review", "dest": "new", "conditions": "is_bad"},
        ],
    )  # fmt: skip
    assert shape(from_machine(machine)) == {
        "new": [("begin", "draft", "")],
        "draft": [("submit", "review", ""), ("close", "shut", "")],
        "review": [("close", "new", "is_bad"), ("close", "shut", "")],
        "shut": "completed",
    }


def test_a_transition_inside_a_state_is_tried_before_one_from_outside() -> None:
    inside = {
        "name": "work",
        "initial": "draft",
        "children": ["draft", "review"],
        "transitions": [["go", "draft", "review"]],
    }
    machine = HierarchicalMachine(
        states=[inside, "shut"],
        initial="work",
        auto_transitions=False,
        transitions=[["go", "work_draft", "shut"]],
    )
    assert shape(from_machine(machine))["draft"] == [("go", "review", ""), ("go", "shut", "")]
    model: Any = machine
    model.go()
    assert model.state == "work_review"


def test_a_parallel_state_becomes_a_parallel_step() -> None:
    """It is left by the trigger that `on_final` names, which a procedure calls `done`."""
    machine = HierarchicalMachine(
        states=[
            {
                "name": "prepare",
                "on_final": "ready",
                "parallel": [
                    {"name": "room", "initial": "airing", "children": ["airing", {"name": "aired", "final": True}],
                     "transitions": [["open", "airing", "aired"]]},
                    {"name": "tea", "initial": "boiling", "children": ["boiling", {"name": "served", "final": True}]},
                ],
            },
            "begun",
        ],
        initial="prepare", auto_transitions=False,
        transitions=[["ready", "prepare", "begun"], ["serve", "prepare_tea_boiling", "prepare_tea_served"]],
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        procedure = from_machine(machine)
    assert [(branch.id, [step.id for step in branch.steps]) for branch in procedure.steps[0].parallel] == [
        ("room", ["airing", "aired"]),
        ("tea", ["boiling", "served"]),
    ]
    assert shape(procedure)["prepare"] == [("done", "begun", "")]
    assert shape(procedure)["airing"] == [("open", "aired", "")]
    assert procedure.steps[0].to[0].name == Text(en="ready")
    assert shape(procedure)["served"] == "completed"


def test_no_other_trigger_comes_to_be_called_done() -> None:
    branches = [{"name": name, "initial": "x", "children": ["x", "y"]} for name in ("one", "two")]
    moves = [[f"end_{name}", f"p_{name}_x", f"p_{name}_y"] for name in ("one", "two")]
    machine = HierarchicalMachine(
        states=[{"name": "p", "parallel": branches, "on_final": "join"}, "z", "w"], initial="p", auto_transitions=False,
        transitions=[*moves, ["Done", "p", "w"], ["join", "p", "z"]],
    )  # fmt: skip
    assert shape(from_machine(machine))["p"] == [("done_2", "w", ""), ("done", "z", "")]


def test_what_a_procedure_cannot_express_is_told_with_its_place() -> None:
    """All of it at once, in both languages, with what to do."""
    parallel = {
        "name": "p",
        "parallel": [{"name": "one", "initial": "a", "children": ["a", "b"]}, "two"],
    }
    machine = HierarchicalMachine(
        states=[parallel, "out"], initial="p", auto_transitions=False,
        transitions=[["go", "p_one_a", "p_one_b"], ["flee", "p_one_a", "out"], ["stay", "p", None], ["enter", "out", "p_one_b"]],
    )  # fmt: skip
    assert problems(machine) == [
        ("states.p: it does not say where it goes when all of its branches have ended; "
        'add a transition with the trigger "done", or name its trigger in on_final'),
        ("states.p.stay: a move goes neither into nor out of a branch of a parallel state, nor keeps one as it is; "
        "let the transition leave and enter the parallel state itself; 'done' follows when its branches end"),
        ("states.out.enter: a move goes neither into nor out of a branch of a parallel state, nor keeps one as it is; "
        "let the transition leave and enter the parallel state itself; 'done' follows when its branches end"),
        ("states.p.one.a.flee: a move goes neither into nor out of a branch of a parallel state, nor keeps one as it is; "
        "let the transition leave and enter the parallel state itself; 'done' follows when its branches end"),
        ("states.p.two: this branch of a parallel state never ends: it needs a state to begin in and one without a way on; "
        "give it children, the last one final"),
    ]  # fmt: skip


def test_a_machine_that_begins_nowhere_or_in_several_states_is_refused() -> None:
    nowhere = Machine(states=["a", "b"], initial=None, model=None)
    assert problems(nowhere) == [
        (
            "initial: a procedure begins in one step; "
            "give the machine one initial state; put several that begin at once into a parallel one"
        )
    ]
    several = HierarchicalMachine(states=["a", "b", "c"], initial=["a", "b"], model=None)
    assert problems(several)[0].startswith("initial: a procedure begins in one step")


def test_a_transition_to_a_state_that_is_not_there_is_refused() -> None:
    machine = Machine(states=["a"], initial="a", transitions=[["go", "a", "b"]], auto_transitions=False)
    assert problems(machine) == ["states.a.go: there is no state 'b'; add it, or correct the transition"]


def test_a_state_that_only_some_regions_of_are_entered_is_refused() -> None:
    part = {"name": "p", "initial": ["a", "b"], "children": ["a", "b", "c"]}
    machine = HierarchicalMachine(
        states=[part, "z"], initial="p", auto_transitions=False, transitions=[["done", "p", "z"]]
    )
    assert problems(machine)[0].startswith("states.p: only some of its states are entered side by side")


@pytest.mark.parametrize("declared", CATALOG, ids=str)
def test_a_shipped_procedure_comes_back_with_its_steps_and_moves(declared: Procedure, tmp_path: Path) -> None:
    """By way of a hierarchical machine also its branches; and what is dumped loads again."""
    again = from_machine(to_machine(declared, lang="zh", machine_cls=HierarchicalMachine))
    assert {
        name: set(moves) if isinstance(moves, list) else moves for name, moves in shape(again).items()
    } == {name: set(moves) if isinstance(moves, list) else moves for name, moves in shape(declared).items()}
    assert [facts(step) for step in again.all_steps.values()] == [
        facts(step) for step in declared.all_steps.values()
    ]
    for skeleton in (again, from_machine(to_machine(declared))):
        file = tmp_path / "again.yaml"
        file.write_text(svcflow.dump(skeleton), encoding="utf-8")
        assert svcflow.load(file) == skeleton


def facts(step: Step) -> tuple[object, ...]:
    return step.id, step.name.zh, step.role, step.waits, step.end, [branch.id for branch in step.parallel]


def test_markup_and_graph_machines_are_read_as_well() -> None:
    """Conditions that came through markup are words: each is a field."""
    machine: Any = to_machine(CATALOG["meeting"], "self", machine_cls=MarkupMachine, lang=None)
    again = MarkupMachine(markup=machine.markup)
    fields = from_machine(again, "meeting").fields
    assert fields["not_tea"].name.en == "Condition not tea"
    graph: Any = to_machine(CATALOG["repair"], machine_cls=GraphMachine, graph_engine="mermaid")
    assert from_machine(graph).steps[0].name.en == "Reported"


def test_a_guard_that_becomes_too_long_says_so() -> None:
    names = [f"is_{place}_" + "x" * 60 for place in range(20)]
    machine = Machine(
        states=["a", "b"], initial="a", auto_transitions=False,
        transitions=[{"trigger": "go", "source": "a", "dest": "b", "conditions": names}],
    )  # fmt: skip
    with pytest.raises(DeclarationError, match=r"states\.a\.go"):
        from_machine(machine)


@pytest.mark.parametrize("given", ["repair", None, object()], ids=["a name", "nothing", "a model"])
def test_what_is_no_machine_is_refused(given):
    """A model or a name in the place of a machine is an error that says what to give."""
    with pytest.raises(FieldError, match="takes a machine of the package transitions") as refused:
        svcflow.from_machine(given)
    assert refused.value.remedy.zh
    assert refused.value.remedy.en
