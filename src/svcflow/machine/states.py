"""States and transitions of any machine of the package `transitions`, by path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
from transitions import Machine

Path = tuple[str, ...]


@attrs.frozen(eq=False)
class StateNode:
    """One state with those inside it; `initial` names the child entered with it, or all that are entered at once."""

    path: Path
    state: Any
    children: tuple[StateNode, ...]
    initial: tuple[str, ...]

    @property
    def parallel(self) -> bool:
        """Whether several of its children are active side by side."""
        return len(self.initial) > 1

    @property
    def is_step(self) -> bool:
        """Whether a procedure has a step for it; a state that is always in one of its children has none."""
        return self.parallel or not self.initial

    def inside(self) -> Iterator[StateNode]:
        """Yield the state and all states inside it, the outer before the inner ones."""
        yield self
        for child in self.children:
            yield from child.inside()

    def steps(self) -> Iterator[StateNode]:
        """Yield the states that become steps beside each other: not those inside a parallel state."""
        if self.is_step:
            yield self
        if not self.parallel:
            for child in self.children:
                yield from child.steps()

    def entered(self) -> StateNode:
        """Return the step that is entered with the state."""
        node = self
        while not node.is_step:
            node = next(child for child in node.children if child.path[-1] == node.initial[0])
        return node

    def entered_paths(self) -> frozenset[Path]:
        """Return the innermost states that are entered with the state."""
        node = self.entered()
        if not node.parallel:
            return frozenset((node.path,))
        entered = (child for child in node.children if child.path[-1] in node.initial)
        return frozenset(path for child in entered for path in child.entered_paths())


@attrs.frozen(eq=False)
class StateMove:
    """One transition of a state; `dest` is None when it is not left. `depth` is that of the scope it stands in."""

    trigger: str
    source: Path
    dest: Path | None
    transition: Any
    depth: int


def state_nodes(machine: Machine) -> tuple[StateNode, ...]:
    """Return the outermost states of a machine, in the order in which they were added."""
    return tuple(_node(str(name), state, ()) for name, state in machine.states.items())


def state_moves(machine: Machine) -> Mapping[Path, tuple[StateMove, ...]]:
    """Return the transitions of each state, without those to it that the machine adds by itself (`to_<state>`)."""
    moves_of: dict[Path, list[StateMove]] = {}
    for scope, events in _scopes(machine):
        for trigger, event in events.items():
            if not scope and _is_automatic(machine, trigger, event):
                continue
            for row in (row for rows in event.transitions.values() for row in rows):
                source = (*scope, *state_path(machine, row.source))
                dest = None if row.dest is None else (*scope, *state_path(machine, row.dest))
                moves_of.setdefault(source, []).append(StateMove(trigger, source, dest, row, len(scope)))
    return {source: tuple(moves) for source, moves in moves_of.items()}


def state_path(machine: Machine, name: str) -> Path:
    """Return the path that the full name of a state means."""
    separator: str | None = getattr(machine.state_cls, "separator", None)
    return (name,) if separator is None else tuple(name.split(separator))


def initial_paths(machine: Machine) -> frozenset[Path]:
    """Return the states in which a machine says that its models begin; none when it leaves that to them."""
    return frozenset(state_path(machine, name) for name in _names(machine.initial))


def _node(name: str, state: Any, above: Path) -> StateNode:
    path = (*above, name)
    inner: Mapping[str, Any] = getattr(state, "states", {})
    children = tuple(_node(str(child), inside, path) for child, inside in inner.items())
    return StateNode(path, state, children, tuple(_names(state.initial)) if children else ())


def _names(initial: Any) -> Iterator[str]:
    """Yield the names in what a state or a machine has as `initial`: a name, a member of an enumeration, a list."""
    if isinstance(initial, list | tuple):
        for name in initial:
            yield from _names(name)
    elif initial is not None:
        yield initial if isinstance(initial, str) else str(initial.name)


def _scopes(machine: Machine) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield the machine's events, then those that stand inside each nested state."""
    yield (), machine.events
    for root in state_nodes(machine):
        for node in root.inside():
            yield node.path, getattr(node.state, "events", {})


def _is_automatic(machine: Machine, trigger: str, event: Any) -> bool:
    prefix = "to_" if machine.model_attribute == "state" else f"to_{machine.model_attribute}_"
    target = trigger.removeprefix(prefix)
    rows = [row for rows in event.transitions.values() for row in rows]
    return bool(
        machine.auto_transitions
        and target != trigger
        and all(row.dest == target and not row.conditions for row in rows)
    )
