"""Procedures as machines of the package transitions, with the tools around that package."""

from __future__ import annotations

import asyncio
import pickle
from typing import Any

import pytest
from transitions import Machine, MachineError
from transitions.extensions import (
    AsyncMachine,
    GraphMachine,
    HierarchicalAsyncMachine,
    HierarchicalGraphMachine,
    HierarchicalMachine,
    LockedMachine,
)
from transitions.extensions.markup import HierarchicalMarkupMachine, MarkupMachine
from transitions.extensions.states import Tags, add_state_features

import svcflow
from pages import ROOT
from svcflow import Recipient, Text
from svcflow.errors import DeclarationError, FieldError
from svcflow.machine import MachineModel, to_machine
from svcflow.model.field import Field
from svcflow.model.procedure import Procedure, Role
from svcflow.model.step import Branch, Step, Transition

CATALOG = svcflow.Catalog.from_folder(ROOT / "procedures")


def order() -> Procedure:
    """Goods are packed and paid for side by side, then sent; dear ones are looked at first."""
    return Procedure(
        id="order",
        name=Text(zh="订单", en="Order"),
        fields=[
            Field("price", type="number", default=0),
            Field("kind", type="choice", choices=["book", "toy"]),
        ],
        roles=[Role("clerk")],
        steps=[
            Step(
                "placed",
                name=Text(zh="下单", en="Placed"),
                role="clerk",
                to=[
                    Transition("take", "both", name=Text(zh="接单", en="Take"), when="price < 100"),
                    Transition("take", "checked"),
                    Transition("cancel", "cancelled", kind="exception", requires=["reason"]),
                ],
            ),
            Step("checked", waits="third_party", to=[Transition("pass", "both")]),
            Step(
                "both",
                parallel=[
                    Branch("goods", [Step("packing", to=[Transition("go", "packed")]), Step("packed", end="done")]),
                    Branch("money", [Step("paying", to=[Transition("go", "paid")]), Step("paid", end="done")]),
                ],
                to=[
                    Transition("done", "sent"),
                    Transition("cancel", "cancelled", kind="exception"),
                ],
            ),
            Step("sent", end="completed"),
            Step("cancelled", end="cancelled"),
        ],
    )  # fmt: skip


def test_steps_are_states_and_moves_are_transitions() -> None:
    """Nothing else is there: no transitions to each state, and no model but the one that is given."""
    machine = to_machine(order())
    assert type(machine) is Machine
    assert list(machine.states) == [
        "placed",
        "checked",
        "packing__paying",
        "sent",
        "cancelled",
        "paying",
        "packing",
    ]
    assert machine.initial == "placed"
    assert machine.get_triggers("placed") == ["take", "cancel"]
    assert [name for name, state in machine.states.items() if state.final] == ["sent", "cancelled"]
    assert machine.get_transitions("cancel", "packing__paying", "cancelled")


def test_a_guard_is_a_condition_on_the_data_of_the_model_and_of_the_trigger() -> None:
    """What comes with the trigger counts before the model, and the model before the field's default."""
    machine = to_machine(order())
    model: Any = machine.model
    assert isinstance(model, MachineModel)
    assert model.take()
    assert model.state == "packing__paying"
    dear: Any = MachineModel({"price": 300})
    machine.add_model(dear)
    assert [dear.may_take(), dear.take(), dear.state] == [True, True, "checked"]
    for given in ({"price": 3}, {"data": {"price": 3}}):
        cheap: Any = MachineModel({"price": 300})
        machine.add_model(cheap)
        cheap.take(**given)
        assert cheap.state == "packing__paying"


def test_a_model_of_ones_own_is_read_by_its_attributes() -> None:
    class Parcel:
        price = 300

    parcel: Any = Parcel()
    to_machine(order(), parcel)
    parcel.take()
    assert parcel.state == "checked"
    assert parcel.is_checked()


def test_several_models_share_a_machine() -> None:
    models: list[Any] = [MachineModel({"price": 300}), MachineModel()]
    machine = to_machine(order(), models)
    machine.dispatch("take")
    assert [model.state for model in models] == ["checked", "packing__paying"]


def test_the_machine_can_be_its_own_model() -> None:
    machine: Any = to_machine(order(), "self")
    machine.take(price=300)
    assert machine.state == "checked"


def test_what_cannot_be_decided_is_closed_and_what_does_not_fit_is_an_error() -> None:
    procedure = Procedure(
        id="p",
        fields=[Field("fee", type="number")],
        steps=[Step("a", to=[Transition("go", "b", when="fee + 1 > 2")]), Step("b", end="done")],
    )
    model: Any = to_machine(procedure).model
    assert [model.may_go(), model.go(), model.state] == [False, False, "a"]
    with pytest.raises(FieldError, match="takes a number"):
        model.go(fee="much")


def test_a_field_called_step_comes_with_the_data() -> None:
    """The keyword `step` names the branch that a trigger means."""
    steps = [Step("a", to=[Transition("go", "b", when='step == "x"')]), Step("b", end="done")]
    model: Any = to_machine(Procedure(id="p", fields=[Field("step")], steps=steps)).model
    assert not model.may_go(step="x")
    assert model.go(data={"step": "x"})


def test_what_the_package_gives_a_model_is_no_data() -> None:
    """Fields may be called `state`, like a trigger, or like an attribute of the machine that is its own model."""
    names = ["state", "go", "name", "title"]
    steps = [
        Step("a", to=[Transition("go", "b", when=f"{name} != None") for name in names]),
        Step("b", end="done"),
    ]
    procedure = Procedure(id="p", fields=[Field(name) for name in names], steps=steps)

    class Plain:
        pass

    for model, machine_cls in ((Plain(), Machine), ("self", Machine), ("self", GraphMachine)):
        machine: Any = to_machine(procedure, model, machine_cls=machine_cls)
        assert not machine.models[0].may_trigger("go")
        assert machine.models[0].may_trigger("go", data={"state": "x"})
    named: Any = Plain()
    named.title = "x"
    to_machine(procedure, named)
    assert named.go()


def test_a_guard_sees_who_is_served() -> None:
    procedure = Procedure(
        id="p",
        steps=[
            Step("a", to=[Transition("go", "b", when='recipient.group == "leaders"')]),
            Step("b", end="done"),
        ],
    )
    for recipient in (Recipient("li", group="leaders"), {"id": "li", "group": "leaders"}):
        model: Any = to_machine(procedure, MachineModel(recipient=recipient)).model
        assert model.may_go()
    model = to_machine(procedure).model
    assert not model.may_go()
    assert model.may_go(recipient=Recipient("li", group="leaders"))


def test_without_events_a_guard_sees_what_comes_with_the_trigger() -> None:
    """A machine with `send_event=False` gives conditions no model, and callbacks plain arguments."""
    seen: list[dict[str, object]] = []
    machine = to_machine(
        order(),
        MachineModel({"price": 3}),
        send_event=False,
        after_state_change=lambda **given: seen.append(given),
    )
    model: Any = machine.model
    model.take(price=300)
    assert (model.state, seen) == ("checked", [{"price": 300}])


def test_a_trigger_open_in_two_branches_takes_the_step() -> None:
    model: Any = to_machine(order()).model
    model.take()
    assert not model.may_go()
    assert model.go(step="paying")
    assert model.state == "packing"
    assert model.go()
    assert model.state == "sent"
    with pytest.raises(MachineError):
        model.go()


def test_branches_of_a_hierarchical_machine_are_nested_states() -> None:
    machine = to_machine(order(), machine_cls=HierarchicalMachine)
    model: Any = machine.model
    model.take()
    assert model.state == ["both_goods_packing", "both_money_paying"]
    assert not model.go()
    assert not model.done()
    model.go(step="paying")
    assert model.state == ["both_goods_packing", "both_money_paid"]
    model.go()
    assert model.state == "sent"


def test_names_with_the_separator_of_nested_states_are_kept_apart() -> None:
    """Steps of the shipped procedures have underscores, by which the package separates nested states."""
    machine = to_machine(CATALOG["meeting"], machine_cls=HierarchicalMachine)
    assert "preparing.setting.set_up" in machine.get_nested_state_names()
    assert HierarchicalMachine.state_cls.separator == "_"


def test_labels_and_tags_say_what_a_machine_has_no_place_for() -> None:
    machine: Any = to_machine(order(), lang="zh")
    placed, checked = machine.get_state("placed"), machine.get_state("checked")
    assert (placed.label, placed.tags, checked.tags) == ("下单", ["role:clerk"], ["waits:third_party"])
    assert machine.get_state("sent").tags == ["end:completed"]
    (cancel,) = machine.get_transitions("cancel", "placed")
    assert cancel.tags == ["kind:exception", "requires:reason"]
    assert machine.get_transitions("take", "placed")[0].label == "接单"


def test_a_class_with_tags_asks_them() -> None:
    @add_state_features(Tags)
    class Tagged(Machine):
        pass

    machine: Any = to_machine(order(), machine_cls=Tagged)
    assert getattr(machine.get_state("sent"), "is_end:completed")


@pytest.mark.parametrize("declared", CATALOG, ids=str)
@pytest.mark.parametrize("engine", ["mermaid", "graphviz"])
@pytest.mark.parametrize("machine_cls", [GraphMachine, HierarchicalGraphMachine])
def test_diagrams_are_drawn_without_any_program(
    declared: Procedure, engine: str, machine_cls: type[Any]
) -> None:
    """The source of the diagram names every step and move, in the language that was asked for."""
    machine: Any = to_machine(declared, machine_cls=machine_cls, lang="zh", graph_engine=engine)
    source = str(machine.get_graph().source)
    assert declared.name.zh in source
    for step in declared.all_steps.values():
        if machine_cls is HierarchicalGraphMachine or (step in declared.steps and not step.parallel):
            assert step.name.zh in source
            assert all(move.name.zh in source for move in step.to)


@pytest.mark.parametrize("machine_cls", [GraphMachine, HierarchicalGraphMachine])
def test_a_machine_with_diagrams_can_be_its_own_model(machine_cls: type[Any]) -> None:
    """Made without a model, it has a `get_graph` already, which the package refuses in a model."""
    for model in ("self", ["self", MachineModel()]):
        machine: Any = to_machine(order(), model, machine_cls=machine_cls, graph_engine="mermaid")
        machine.take(price=300)
        assert (machine.state, len(machine.models)) == ("checked", 1 if model == "self" else 2)
        assert "checked" in machine.get_graph().source


def test_a_diagram_shows_guards() -> None:
    machine: Any = to_machine(order(), machine_cls=GraphMachine, graph_engine="mermaid", show_conditions=True)
    assert "placed --> packing__paying: Take [price < 100]" in machine.get_graph().source


def test_markup_describes_the_machine() -> None:
    machine: Any = to_machine(CATALOG["repair"], machine_cls=MarkupMachine, lang="zh")
    markup = machine.markup
    assert [state["name"] for state in markup["states"]] == list(CATALOG["repair"].all_steps)
    assert markup["states"][0]["label"] == "报修"
    assert {"trigger": "accept", "source": "reported", "dest": "accepted", "label": "受理"} in markup[
        "transitions"
    ]
    nested: Any = to_machine(CATALOG["meeting"], machine_cls=HierarchicalMarkupMachine)
    assert any("children" in state for state in nested.markup["states"])


def test_markup_without_labels_makes_the_machine_again() -> None:
    machine: Any = to_machine(CATALOG["repair"], "self", machine_cls=MarkupMachine, lang=None)
    again: Any = MarkupMachine(markup=machine.markup)
    again.accept()
    assert again.state == "accepted"
    assert again.get_triggers("accepted") == machine.get_triggers("accepted")


def test_a_queued_and_a_locked_machine_go_the_same_way() -> None:
    for machine_cls, options in ((Machine, {"queued": True}), (LockedMachine, {})):
        model: Any = to_machine(order(), machine_cls=machine_cls, **options).model
        model.take()
        model.go(step="paying")
        model.go()
        assert model.state == "sent"


@pytest.mark.parametrize("machine_cls", [AsyncMachine, HierarchicalAsyncMachine])
def test_an_asynchronous_machine_awaits(machine_cls: type[Any]) -> None:
    async def run() -> list[object]:
        model: Any = to_machine(order(), machine_cls=machine_cls).model
        first = [await model.may_go(), await model.take(price=3)]
        return [*first, await model.go(), await model.go(step="paying"), await model.go(), model.state]

    assert asyncio.run(run()) == [False, True, False, True, True, "sent"]


def test_a_machine_is_pickled() -> None:
    machine = pickle.loads(pickle.dumps(to_machine(order())))  # noqa: S301  # our own
    model: Any = machine.model
    model.take(price=300)
    assert model.state == "checked"


def test_a_trigger_called_like_the_models_attribute_names_another() -> None:
    procedure = Procedure(id="p", steps=[Step("a", to=[Transition("state", "b")]), Step("b", end="done")])
    with pytest.raises(DeclarationError) as caught:
        to_machine(procedure)
    assert str(caught.value).startswith(
        "steps.a.to.state: models keep their state in an attribute 'state' too"
    )
    assert "换一个属性" in caught.value.text("zh")
    model: Any = to_machine(procedure, model_attribute="step").model
    model.trigger("state")
    assert model.step == "b"


def test_names_of_combined_steps_are_kept_apart_from_those_of_steps() -> None:
    branches = [
        Branch(
            name, [Step(name, to=[Transition(f"end_{name}", f"{name}_end")]), Step(f"{name}_end", end="done")]
        )
        for name in ("a", "b")
    ]
    steps = [
        Step("a__b", to=[Transition("go", "both")]),
        Step("both", parallel=branches, to=[Transition("done", "over")]),
        Step("over", end="completed"),
    ]
    assert "a___b" in to_machine(Procedure(id="p", steps=steps)).states


def test_steps_outside_of_branches_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of them is ever active beside another; comparing all pairs of 2,000 takes ten seconds."""
    monkeypatch.setattr("svcflow.machine.configurations.StepTree.beside", None)
    assert to_machine(CATALOG["repair"], machine_cls=HierarchicalMachine).states


def test_too_many_combinations_say_what_to_do() -> None:
    names = [f"b{place}" for place in range(14)]
    branches = [
        Branch(
            name, [Step(name, to=[Transition(f"end_{name}", f"{name}_end")]), Step(f"{name}_end", end="done")]
        )
        for name in names
    ]
    procedure = Procedure(
        id="p",
        steps=[
            Step("all", parallel=branches, to=[Transition("done", "over")]),
            Step("over", end="completed"),
        ],
    )
    with pytest.raises(DeclarationError, match=r"steps.all: the branches combine to more than 10000 states"):
        to_machine(procedure)
    assert to_machine(procedure, machine_cls=HierarchicalMachine).states


def test_the_order_of_rows_and_what_joining_closes_are_kept() -> None:
    """Where the branches cannot join, the move is not made, and no later row of its trigger instead."""
    procedure = Procedure(
        id="p",
        fields=[Field("ok", type="boolean"), Field("sure", type="boolean")],
        steps=[
            Step(
                "both",
                parallel=[
                    Branch("one", [
                        Step("a", to=[Transition("go", "a_end", when="sure"), Transition("go", "a")]),
                        Step("a_end", end="done"),
                    ]),
                    Branch("two", [Step("b", to=[Transition("finish", "b_end")]), Step("b_end", end="done")]),
                ],
                to=[Transition("done", "over", when="ok")],
            ),
            Step("over", end="completed"),
        ],
    )  # fmt: skip
    model: Any = to_machine(procedure).model
    model.finish()
    assert not model.may_go(sure=True)
    assert model.may_go(sure=False)
    assert model.go(sure=True, ok=True)
    assert model.state == "over"


def test_a_guard_that_is_only_recorded_closes_nothing() -> None:
    steps = [
        Step("a", to=[Transition("go", "b", when="ok", enforce={"guard": "record"})]),
        Step("b", end="done"),
    ]
    model: Any = to_machine(Procedure(id="p", fields=[Field("ok", type="boolean")], steps=steps)).model
    assert model.go()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("repair",), "takes a procedure, not 'repair'"),
        ((CATALOG["repair"], "fr"), "lang cannot be 'fr'"),
    ],
    ids=["a name", "another language"],
)
def test_what_is_no_procedure_or_no_language_of_ours_is_refused(arguments, message):
    """A name in the place of a procedure and a language that names do not have say what to give instead."""
    procedure, *lang = arguments
    with pytest.raises(FieldError, match=message) as refused:
        svcflow.to_machine(procedure, **({"lang": lang[0]} if lang else {}))
    assert refused.value.remedy.zh
    assert refused.value.remedy.en
