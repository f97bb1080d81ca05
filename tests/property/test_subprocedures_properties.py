"""Whatever is fired on parents and children, and whatever is interrupted: both sides end up agreeing."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from svcflow import Catalog, Engine, Procedure, Refused, VirtualClock
from svcflow.kernel.instance import NEVER
from svcflow.model.step import Branch, Step, Transition
from svcflow.model.subprocedure import SubProcedure

EXAMPLES = settings(max_examples=settings.default.max_examples // 2, deadline=None)
OUTCOMES = {"completed": "go_on", "cancelled": "stop"}


def running(name: str, procedure: str, after: str, rule: str, *, guarded: bool = False) -> Step:
    """A step that runs a procedure, with a way on, one back to itself, and a limit that moves it by itself."""
    return Step(
        name,
        within="3h",
        on_overdue="stop",
        runs=SubProcedure(procedure, outcomes=OUTCOMES, on_call_off=rule),
        to=(
            Transition("go_on", after),
            Transition("stop", after, when='recipient != "leaders"' if guarded else None),
            Transition(f"again_{name}", name),
        ),
    )


@st.composite
def catalogs(draw: st.DrawFn) -> Catalog:
    """Three procedures: one runs the second, beside others in branches, and that one runs the third."""
    rules = st.sampled_from(["cancel", "cancel", "refuse"])
    branches = [
        Branch(name, (running(name, "middle", f"{name}_end", draw(rules)), Step(f"{name}_end", end="done")))
        for name in ("left", "right")
    ]
    top = Procedure(
        id="top",
        steps=(
            running(
                "one",
                draw(st.sampled_from(["middle", "inner"])),
                "all",
                draw(rules),
                guarded=draw(st.booleans()),
            ),
            Step("all", parallel=branches, to=(Transition("done", "last"), Transition("give_up", "last"))),
            Step("last", to=(Transition("repeat", "one"), Transition("finish", "end"))),
            Step("end", end="completed"),
        ),
    )
    middle = Procedure(
        id="middle",
        steps=(
            Step("first", within="1h", to=(Transition("on", "second"), Transition("no", "off"))),
            running("second", "inner", "finished", draw(rules)),
            Step("finished", end="completed"),
            Step("off", end="cancelled"),
        ),
    )
    # It may end by itself as soon as it starts.
    within = draw(st.sampled_from(["0m", "1h", "5h"]))
    inner = Procedure(
        id="inner",
        steps=(
            Step(
                "doing",
                within=within,
                on_overdue="do",
                to=(Transition("do", "done_"), Transition("no", "off")),
            ),
            Step("done_", end="completed"),
            Step("off", end="cancelled"),
        ),
    )
    return Catalog.of(top, middle, inner)


@EXAMPLES
@given(catalogs(), st.data())
def test_parents_and_children_end_up_agreeing(catalog: Catalog, data: st.DataObject):
    """Each child was started once, its end told once; none runs whose step was left; every journal replays."""
    clock = VirtualClock()
    with Engine("memory://", catalog, clock=clock) as engine:
        follow_up = engine._executor.follow_up
        engine.start("top", instance_id="t")
        for _ in range(data.draw(st.integers(0, 14))):
            engine._executor.follow_up = data.draw(st.sampled_from([follow_up, follow_up, None]))
            act(engine, clock, data)
        engine.tick()
        for instance in engine.instances():
            agree(engine, instance.id)
        assert engine.tick() == ()
        assert engine.verify().ok


def act(engine: Engine, clock: VirtualClock, data: st.DataObject) -> None:
    """Fire an open trigger of any instance, hold or resume one, tick, or let time pass."""
    choice = data.draw(st.sampled_from(["fire", "fire", "fire", "hold", "tick", "wait"]))
    if choice == "tick":
        engine.tick()
    elif choice == "wait":
        clock.advance(timedelta(minutes=data.draw(st.sampled_from([1, 61, 200]))))
    else:
        alive = [one for one in engine.instances() if one.status != "ended"]
        if not alive:
            return
        instance = data.draw(st.sampled_from(alive))
        try:
            if choice == "hold" and instance.status == "held":
                engine.resume(instance.id)
            elif choice == "hold":
                engine.hold(instance.id, reason="third_party")
            else:
                open_ = [one for one in engine.available(instance.id) if one.open]
                if open_:
                    one = data.draw(st.sampled_from(open_))
                    engine.fire(instance.id, one.trigger, step=one.step)
        except Refused as refused:
            assert refused.rule in ("closed", "order")  # noqa: PT017  # time had moved the instance first


def agree(engine: Engine, name: str) -> None:
    """Check an instance against its children, and against its parent."""
    instance = engine.instance(name)
    journal = engine.journal(name)
    kinds = Counter(fact.kind for fact in journal)
    assert instance.pending_us == NEVER
    assert kinds["Started"] == 1
    for child_id, entry in instance.children.items():
        child = engine.instance(child_id)
        heard = [fact.kind for fact in journal if getattr(fact, "child", "") == child_id]
        assert heard[:1] == ["ChildRequested"]
        assert heard.count("ChildRequested") == 1
        assert heard.count("ChildStarted") <= 1
        assert heard.count("ChildEnded") == (child.status == "ended") == (entry.state == "ended")
        assert heard.count("Moved") <= 1
        assert (child.parent.id, child.outcome) == (name, entry.outcome)
        assert child.status == "ended" or (not entry.left and entry.step in instance.active)
    if instance.parent is not None:
        assert kinds["ParentTold"] == (instance.status == "ended")
    if instance.status != "ended":
        busy = {entry.step for entry in instance.children.values() if not entry.left}
        steps = engine.catalog[instance.procedure].all_steps
        assert busy == {step for step in instance.active if steps[step].runs is not None}
