"""Skeleton of a procedure from any state machine of the package `transitions`."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from transitions import Machine

from svcflow.bounds import shown
from svcflow.errors import DeclarationError, FieldError, GuardError, Problem
from svcflow.machine.conditions import JoinBranches
from svcflow.machine.guards import GuardWriter
from svcflow.machine.names import Names, identifier, wording
from svcflow.machine.states import Path, StateMove, StateNode, initial_paths, state_moves, state_nodes
from svcflow.machine.tags import tagged
from svcflow.model.procedure import Procedure, Role
from svcflow.model.step import DONE, HOLD_REASONS, TRANSITION_KINDS, Branch, Step, Transition
from svcflow.text import NO_TEXT, Text

_MACHINE_CALLBACKS = (
    "prepare_event",
    "before_state_change",
    "after_state_change",
    "finalize_event",
    "on_exception",
    "on_final",
)
_STATE_CALLBACKS = ("on_enter", "on_exit", "on_final", "on_timeout")
_COUNT = re.compile("[0-9]{1,9}")
_MOVE_CALLBACKS = ("prepare", "before", "after")


def from_machine(machine: Machine, procedure_id: str | None = None) -> Procedure:
    """Return the skeleton of a procedure: the steps, triggers, moves and ends of a machine of `transitions`.

    States become steps, with the labels and tags that `to_machine` gives them; those that nothing leads out of become
    ends. A state that is always in one of its children gives way to these, each with its transitions; a parallel
    state becomes a parallel step. A guard that `to_machine` wrote comes back as it was. What any other condition
    decides cannot be known: it becomes a field that is true or false, is named after the condition, and is asked for
    by `when`. `procedure_id` is the machine's name unless given.

    Warns: UserWarning that lists the callbacks, of which a procedure has none, and what else is not as it was.
    Raises: DeclarationError when a procedure cannot express the machine: every place, and what to do there;
        FieldError for what is no machine.
    """
    if not isinstance(machine, Machine):
        raise FieldError(
            Text(
                zh=f"from_machine 须给出 transitions 的状态机，而不是 {shown(machine)}",
                en=f"from_machine takes a machine of the package transitions, not {shown(machine)}",
            ),
            Text(
                zh="给出 Machine 本身；模型所属的状态机通常存放在模型的属性中",
                en="give the Machine itself; a model usually keeps it in one of its attributes",
            ),
        )
    name = machine.name.removesuffix(": ")
    reader = _MachineReader(machine)
    steps = reader.steps()
    if reader.problems:
        raise DeclarationError(reader.problems)
    fields: Any = reader.guards.fields
    roles: Any = reader.roles
    procedure = Procedure(
        id=procedure_id or identifier(name) or "machine",
        name=wording(name) if identifier(name) != name else NO_TEXT,
        fields=fields,
        roles=roles,
        steps=steps,
    )
    if reader.notes:
        warnings.warn(_warning(procedure, reader.notes), stacklevel=2)
    return procedure


def _warning(procedure: Procedure, notes: Sequence[Text]) -> str:
    listed = Text(zh="；".join(note.zh for note in notes), en="; ".join(note.en for note in notes))
    return f"{procedure.id}: {listed.en}\n{procedure.id}：{listed.zh}"


class _MachineReader:
    """Reader of a machine: its steps, with what a procedure cannot express and what it leaves out."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._roots = state_nodes(machine)
        self._nodes = {node.path: node for root in self._roots for node in root.inside()}
        self._moves = state_moves(machine)
        moves = [move for several in self._moves.values() for move in several]
        self.guards = GuardWriter(move.transition for move in moves)
        self.roles: dict[str, Role] = {}
        self._role_names = Names(_roles(self._nodes.values(), moves), fallback="role")
        self.problems: list[Problem] = []
        self._notes: list[Text] = []
        self._callbacks: dict[str, None] = {}
        # no other trigger may come to be called as the one that joins branches
        self._triggers = Names((DONE, *(move.trigger for move in moves)), fallback="trigger")
        self._ids = _step_ids(node for node in self._nodes.values() if node.is_step)

    @property
    def notes(self) -> list[Text]:
        """What is left out or changed: the callbacks, then the rest."""
        if not self._callbacks:
            return self._notes
        zh, en = "、".join(self._callbacks), ", ".join(self._callbacks)
        callbacks = Text(
            zh=f"回调不带过来，改为订阅留痕：{zh}",
            en=f"callbacks are left out, subscribe to facts instead: {en}",
        )
        return [callbacks, *self._notes]

    def steps(self) -> tuple[Step, ...]:
        """Return the steps of the procedure; notes and problems are complete then."""
        self._note_callbacks("", self._machine, _MACHINE_CALLBACKS)
        first = self._first()
        return () if first is None else self._region(self._roots, first)

    def _first(self) -> StateNode | None:
        paths = initial_paths(self._machine)
        outermost = [node for root in self._roots for node in root.steps()]
        around = [node for node in outermost if any(path[: len(node.path)] == node.path for path in paths)]
        if len(around) == 1 and paths <= {around[0].path, *around[0].entered_paths()}:
            return around[0]
        entered = {self._nodes[path].entered() for path in paths if path in self._nodes}
        if len(entered) == 1 and entered <= set(outermost):
            return entered.pop()
        self._problem(
            ("initial",),
            Text(zh="流程从一个环节开始", en="a procedure begins in one step"),
            Text(
                zh="给状态机一个 initial；几个状态同时开始时，放进一个并行状态",
                en="give the machine one initial state; put several that begin at once into a parallel one",
            ),
        )
        return None

    def _region(self, nodes: Iterable[StateNode], first: StateNode) -> tuple[Step, ...]:
        """Return the steps of which one is active at a time, the one that is entered first before the others."""
        nodes = tuple(nodes)
        step_nodes = [step for node in nodes for step in node.steps()]
        region = {node.path for node in step_nodes}
        boundary = len(nodes[0].path)
        ordered = [first, *(node for node in step_nodes if node is not first)]
        moves = {node.path: self._moves_of(node, region, boundary) for node in ordered}
        ends = [node for node in ordered if not node.parallel and not moves[node.path]]
        outcomes = {node.path: _outcome(node, self._ids[node.path], alone=len(ends) == 1) for node in ends}
        return tuple(self._step(node, moves[node.path], outcomes.get(node.path)) for node in ordered)

    def _step(self, node: StateNode, moves: tuple[Transition, ...], end: str | None) -> Step:
        place = ".".join(node.path)
        self._note_state(node, place, ends=end is not None)
        role, waits = self._role(node.state), self._choice(node.state, "waits", HOLD_REASONS, f"{place}.")
        branches: Any = tuple(self._branches(node)) if node.parallel else ()
        return Step(
            self._ids[node.path],
            name=_name(node.state, node.path[-1], self._ids[node.path]),
            role=role,
            waits=waits if end is None else None,
            parallel=branches,
            to=moves,
            end=end,
        )

    def _branches(self, node: StateNode) -> Iterator[Branch]:
        if len(node.initial) < len(node.children):
            message = Text(
                zh="并行状态只进入一部分子状态", en="only some of its states are entered side by side"
            )
            remedy = Text(zh="把其余的移进那些状态", en="move the others into those that are")
            self._problem(("states", *node.path), message, remedy)
            return
        names = Names((child.path[-1] for child in node.children), fallback="branch")
        for child in node.children:
            steps: Any = self._region((child,), child.entered())
            if steps[0].end is not None or all(step.end is None for step in steps):
                message = Text(
                    zh="并行状态的分支没有办完之时：要有一个起点和一个没有去路的状态",
                    en="this branch of a parallel state never ends: it needs a state to begin in and one without a way on",
                )
                remedy = Text(zh="给它子状态，最后一个 final", en="give it children, the last one final")
                self._problem(("states", *child.path), message, remedy)
                continue
            name = names.identifier(child.path[-1])
            yield Branch(name, steps, name=_name(child.state, child.path[-1], name))

    def _moves_of(self, node: StateNode, region: set[Path], boundary: int) -> tuple[Transition, ...]:
        """Return the moves out of a step, those of the states around it included, in the order they are tried."""
        around = [node.path[:depth] for depth in range(len(node.path), boundary - 1, -1)]
        moves = [move for path in around for move in self._moves.get(path, ())]
        moves.sort(key=lambda move: -move.depth)  # the package tries inner scopes first
        joining = self._joining(node, moves) if node.parallel else None
        made = (self._move(move, node, region, joining) for move in moves)
        return tuple(move for move in made if move is not None)

    def _joining(self, node: StateNode, moves: list[StateMove]) -> str | None:
        """Return the trigger by which a parallel state is left when its branches have ended; None when there is none."""
        triggers = {move.trigger for move in moves}
        if DONE in triggers:
            return DONE
        called = [name for name in node.state.on_final if isinstance(name, str) and name in triggers]
        if called:
            return called[0]
        message = Text(
            zh="没有说明各分支办完后去哪里",
            en="it does not say where it goes when all of its branches have ended",
        )
        remedy = Text(
            zh='加一条触发器为 "done" 的转移，或用 on_final 指明触发器',
            en='add a transition with the trigger "done", or name its trigger in on_final',
        )
        self._problem(("states", *node.path), message, remedy)
        return None

    def _move(
        self, move: StateMove, node: StateNode, region: set[Path], joining: str | None
    ) -> Transition | None:
        place = ".".join(move.source)
        dest = self._destination(move, node, region)
        if dest is None:
            return None
        self._note_callbacks(f"{place}.{move.trigger}.", move.transition, _MOVE_CALLBACKS)
        trigger = DONE if move.trigger == joining else self._triggers.identifier(move.trigger)
        at = f"{place}.{move.trigger}."
        role, kind = self._role(move.transition), self._choice(move.transition, "kind", TRANSITION_KINDS, at)
        at_most = self._choice(move.transition, "at_most", None, at)
        requires: Any = tagged(move.transition, "requires")
        try:
            guard = self.guards.guard(move.transition)
        except GuardError as error:
            self._problem(("states", *move.source, move.trigger), error.message, error.remedy)
            return None
        return Transition(
            trigger,
            dest,
            name=_name(move.transition, move.trigger, trigger),
            when=guard,
            kind=kind or "normal",
            requires=requires,
            role=role,
            at_most=None if at_most is None else int(at_most),
        )

    def _destination(self, move: StateMove, node: StateNode, region: set[Path]) -> str | None:
        place = ("states", *move.source, move.trigger)
        if move.dest is None and not node.parallel:
            return self._ids[node.path]  # it stays: a move to where it is
        target = None if move.dest is None else self._nodes.get(move.dest)
        if move.dest is not None and target is None:
            name = ".".join(move.dest)
            message = Text(zh=f"没有状态 {name}", en=f"there is no state {name!r}")
            self._problem(place, message, Text(zh="加上它，或更正", en="add it, or correct the transition"))
            return None
        if target is not None and target.entered().path in region:
            return self._ids[target.entered().path]
        self._problem(
            place,
            Text(
                zh="流转不能进出并行状态的分支，也不能让并行状态留在原处",
                en="a move goes neither into nor out of a branch of a parallel state, nor keeps one as it is",
            ),
            Text(
                zh="转移从并行状态本身出发、到并行状态本身；各分支办完后由 done 汇合",
                en="let the transition leave and enter the parallel state itself; 'done' follows when its branches end",
            ),
        )
        return None

    def _role(self, owner: Any) -> str | None:
        """Return the role that a tag names, as an identifier; it is declared with its name."""
        role = _first_tag(owner, "role")
        if role is None:
            return None
        name = self._role_names.identifier(role)
        self.roles.setdefault(name, Role(name, name=wording(role) if name != role else NO_TEXT))
        return name

    def _choice(self, owner: Any, key: str, allowed: Iterable[str] | None, place: str) -> Any:
        """Return what a tag says for a key, if it is allowed, or without a list a small whole number; else note it."""
        value = _first_tag(owner, key)
        if value is None or (_COUNT.fullmatch(value) if allowed is None else value in allowed):
            return value
        known = "0, 1, 2 …" if allowed is None else ", ".join(allowed)
        self._note(
            Text(
                zh=f"标签不带过来：{place}{key}:{value}（可取：{known}）",
                en=f"a tag is left out: {place}{key}:{value} (it takes one of {known})",
            )
        )
        return None

    def _problem(self, path: tuple[str, ...], message: Text, remedy: Text) -> None:
        problem = Problem(path, message, remedy)
        if problem not in self.problems:
            self.problems.append(problem)

    def _note_state(self, node: StateNode, place: str, *, ends: bool) -> None:
        for path in (node.path[:depth] for depth in range(1, len(node.path) + 1)):
            self._note_callbacks(f"{'.'.join(path)}.", self._nodes[path].state, _STATE_CALLBACKS, of=path)
        if getattr(node.state, "final", False) and not ends:
            self._note(
                Text(
                    zh=f"{place} 标为 final，但有去路，因此不是结束环节",
                    en=f"{place} is final and has a way on: it is no end",
                )
            )
        if getattr(node.state, "timeout", 0):
            self._note(
                Text(
                    zh=f"{place} 的 timeout（{node.state.timeout} 秒）不带过来：写成 within",
                    en=f"the timeout of {place} ({node.state.timeout} s) is left out: write it as `within`",
                )
            )

    def _note_callbacks(self, place: str, owner: Any, kinds: Iterable[str], *, of: Path = ()) -> None:
        for kind in kinds:
            callbacks = getattr(owner, kind, None) or ()
            called = [_callback_name(call) for call in callbacks if not isinstance(call, JoinBranches)]
            if kind == "on_final" and of in self._nodes and self._nodes[of].parallel:
                triggers = {move.trigger for move in self._moves.get(of, ())}
                called = [name for name in called if name not in triggers]  # one of them became `done`
            if called:
                self._callbacks[f"{place}{kind} ({', '.join(called)})"] = None

    def _note(self, note: Text) -> None:
        if note not in self._notes:
            self._notes.append(note)


def _step_ids(nodes: Iterable[StateNode]) -> dict[Path, str]:
    """Return an identifier for each step: its state's name where no other state has it, else its path."""
    nodes = tuple(nodes)
    named = Counter(node.path[-1] for node in nodes)
    full = {node.path: node.path[-1] if named[node.path[-1]] == 1 else "_".join(node.path) for node in nodes}
    names = Names(full.values(), fallback="step")
    return {path: names.identifier(name) for path, name in full.items()}


def _outcome(node: StateNode, step: str, *, alone: bool) -> str:
    """Return how an end is called: as its tag says, `completed` when it is the only one, else as the step."""
    tag = _first_tag(node.state, "end")
    return tag if tag is not None else "completed" if alone else step


def _roles(nodes: Iterable[StateNode], moves: Iterable[StateMove]) -> Iterator[str]:
    for owner in (*(node.state for node in nodes), *(move.transition for move in moves)):
        yield from tagged(owner, "role")


def _first_tag(owner: Any, key: str) -> Any:
    return next(iter(tagged(owner, key)), None)


def _name(owner: Any, original: str, made: str) -> Text:
    label = vars(owner).get("label")
    if isinstance(label, str) and label:
        return wording(label)
    return wording(original) if original != made else NO_TEXT


def _callback_name(callback: Any) -> str:
    return callback if isinstance(callback, str) else str(getattr(callback, "__name__", callback))
