"""Configurations: combinations of steps in which an instance can be, the states of a flat machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from svcflow.errors import DeclarationError, Problem
from svcflow.model.guard import Guard
from svcflow.model.procedure import Procedure
from svcflow.model.step import DONE, Step, Transition
from svcflow.text import Text

MAX_STATES = 10_000
Configuration = tuple[str, ...]
"""The steps in which an instance is, in declared order: one, or one of each branch that has not ended."""


@attrs.frozen
class FlatMove:
    """One transition between two configurations; `when` have to hold, `unless` must not.

    `step` is the step it leaves when the trigger is open in several steps of its source; otherwise it is empty.
    """

    source: Configuration
    dest: Configuration
    move: Transition
    when: tuple[Guard, ...] = ()
    unless: tuple[Guard, ...] = ()
    step: str = ""


@attrs.frozen
class _Destination:
    """Configuration that a move leads to, with the guards of the `done` transitions that follow it by themselves."""

    configuration: Configuration
    when: tuple[Guard, ...] = ()
    unless: tuple[Guard, ...] = ()


def flatten(procedure: Procedure) -> tuple[tuple[Configuration, ...], tuple[FlatMove, ...]]:
    """Return every configuration that can be reached and every top-level step, with the moves between them.

    Raises: DeclarationError when the branches combine to more than 10,000 configurations.
    """
    tree = StepTree(procedure)
    known = dict.fromkeys(tree.entered(step) for step in procedure.steps)
    waiting, moves = list(reversed(known)), []
    while waiting:
        reached = list(_moves_from(tree, waiting.pop()))
        moves += reached
        for flat in reached:
            if flat.dest not in known:
                known[flat.dest] = None
                waiting.append(flat.dest)
        if len(known) > MAX_STATES:
            raise DeclarationError([_too_many(procedure)])
    return tuple(known), tuple(moves)


class StepTree:
    """The steps of a procedure, with what is around each of them."""

    def __init__(self, procedure: Procedure) -> None:
        self.steps = procedure.all_steps
        self.place = {name: place for place, name in enumerate(self.steps)}
        self.around: dict[str, tuple[str, ...]] = {}
        """For each step, the parallel steps around it, innermost first."""
        self._branches: dict[str, dict[str, str]] = {}
        self._enter(procedure.steps, {})
        self.rows: dict[str, dict[str, list[Transition]]] = {name: {} for name in self.steps}
        """For each step its moves by trigger, in declared order."""
        self.having: dict[str, dict[str, None]] = {}
        """For each trigger the steps that have it."""
        for name, step in self.steps.items():
            for move in step.to:
                self.rows[name].setdefault(move.trigger, []).append(move)
                self.having.setdefault(move.trigger, {})[name] = None
        self._guard_rule = procedure.enforce.guard

    def _enter(self, steps: Iterable[Step], branches: dict[str, str]) -> None:
        """Note for each step the parallel steps around it, outermost first, with the branch of each it is in."""
        for step in steps:
            self._branches[step.id] = branches
            self.around[step.id] = tuple(reversed(branches))
            for branch in step.parallel:
                self._enter(branch.steps, {**branches, step.id: branch.id})

    def beside(self, one: str, other: str) -> bool:
        """Return whether two steps can be active at once: in two branches, or one inside the other."""
        mine, theirs = self._branches[one], self._branches[other]
        if one in theirs or other in mine:
            return True
        return any(mine[parallel] != theirs[parallel] for parallel in mine.keys() & theirs.keys())

    def entered(self, step: Step) -> Configuration:
        """Return the configuration just after a step was entered, without what is beside it."""
        if not step.parallel:
            return (step.id,)
        return tuple(name for branch in step.parallel for name in self.entered(branch.steps[0]))

    def active(self, configuration: Configuration) -> tuple[str, ...]:
        """Return the steps of a configuration and those around them, in declared order."""
        names = {name for step in configuration for name in (step, *self.around[step])}
        return tuple(sorted(names, key=self.place.__getitem__))

    def choices(self, step: str, trigger: str) -> Iterator[tuple[Transition, tuple[Guard, ...]]]:
        """Yield the rows of a trigger, each with its guard, in the order in which they are tried.

        Where closed guards are only recorded, the first row comes again last, without its guard.
        """
        rows = self.rows[step][trigger]
        for move in rows:
            yield move, () if move.when is None else (move.when,)
        recorded = rows[0].enforce.get("guard", self._guard_rule) == "record"
        records = recorded and rows[-1].otherwise is None
        if records and all(move.when is not None for move in rows):
            yield rows[0], ()

    def left(self, configuration: Configuration, step: str) -> Configuration:
        """Return what is left of a configuration when a step, and all inside it, is left."""
        return tuple(name for name in configuration if step not in (name, *self.around[name]))

    def joined(self, *parts: Configuration) -> Configuration:
        """Return several parts as one configuration."""
        return tuple(sorted((name for part in parts for name in part), key=self.place.__getitem__))


def _moves_from(tree: StepTree, source: Configuration) -> Iterator[FlatMove]:
    open_steps: dict[str, list[str]] = {}
    for step in tree.active(source):
        for trigger in tree.rows[step]:
            if trigger != DONE or not tree.steps[step].parallel:
                open_steps.setdefault(trigger, []).append(step)
    for trigger, steps in open_steps.items():
        for step in steps:
            for flat in _rows(tree, source, step, trigger):
                yield attrs.evolve(flat, step=step if len(steps) > 1 else "")


def _rows(tree: StepTree, source: Configuration, step: str, trigger: str) -> Iterator[FlatMove]:
    """Yield the rows of a trigger, so that the first of them that is open is the move the engine makes."""
    beside = tree.left(source, step)
    unless: tuple[Guard, ...] = ()
    for move, when in tree.choices(step, trigger):
        targets, closed = _targets(tree, beside, step, move.step)
        for target in targets:
            yield FlatMove(
                source, target.configuration, move, (*when, *target.when), (*unless, *target.unless)
            )
        if closed:  # the engine tries no later row when this one is chosen and its branches cannot join
            if not when:
                return
            unless += when


def _targets(tree: StepTree, beside: Configuration, step: str, dest: str) -> tuple[list[_Destination], bool]:
    """Return where a move to `dest` leads, and whether guards of `done` may keep it from being made at all."""
    around = tree.around[step]
    if tree.steps[dest].end is None:
        return [_Destination(tree.joined(beside, tree.entered(tree.steps[dest])))], False
    if not around:
        return [_Destination((dest,))], False
    parallel = around[0]
    if any(parallel in tree.around[name] for name in beside):
        return [_Destination(beside)], False  # another branch goes on
    destinations: list[_Destination] = []
    unless: tuple[Guard, ...] = ()
    closed = all(when for _, when in tree.choices(parallel, DONE))
    for move, when in tree.choices(parallel, DONE):
        after, shut = _targets(tree, beside, parallel, move.step)
        destinations += [
            _Destination(target.configuration, (*when, *target.when), (*unless, *target.unless))
            for target in after
        ]
        if shut:
            closed = True
            if not when:
                break
            unless += when
    return destinations, closed


def _too_many(procedure: Procedure) -> Problem:
    parallel = next(step.id for step in procedure.steps if step.parallel)
    return Problem(
        ("steps", parallel),
        Text(
            zh=f"各分支的组合超过 {MAX_STATES} 个状态",
            en=f"the branches combine to more than {MAX_STATES} states",
        ),
        Text(
            zh="用 machine_cls=HierarchicalMachine，各分支各成一组状态",
            en="use machine_cls=HierarchicalMachine, which keeps the branches apart",
        ),
    )
