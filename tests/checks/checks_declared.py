"""Procedures for the tests of the checks: one that nothing is wrong with, and short ways to vary it."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from svcflow.checks import Finding, check
from svcflow.model.field import Field
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import Procedure, Role
from svcflow.model.step import Branch, Step, Transition
from svcflow.text import Text

NAME = Text(zh="名", en="name")
CLERK = Role("clerk", name=NAME)


def move(trigger: str, step: str, **more: object) -> Transition:
    return Transition(trigger, step, **{"name": NAME, **more})


def hour(within: object = "1h", **more: object) -> TimeLimit:
    return TimeLimit(within=within, source="proposal", **more)


def step(id_: str, *to: Transition | str, **more: object) -> Step:
    """A step with name, role and limit; a plain word in `to` is a move named after where it leads."""
    given = {"name": NAME, "role": "clerk", "within": hour(), **more}
    moves = [move(f"to_{way}", way) if isinstance(way, str) else way for way in to]
    return Step(id_, to=moves, **given)


def end(id_: str = "closed", as_: str = "completed") -> Step:
    return Step(id_, name=NAME, end=as_)


def fork(id_: str, *to: Transition | str, branches: dict[str, list[Step]], **more: object) -> Step:
    parallel = [Branch(name, steps) for name, steps in branches.items()]
    return step(id_, *to, parallel=parallel, **{"role": None, "within": None, **more})


def declared(*steps: Step, fields: Iterable[Field] = (), **more: object) -> Procedure:
    given = {"id": "sample", "name": NAME, "roles": [CLERK], "calendar": "office", **more}
    return Procedure(steps=steps, fields=[attrs.evolve(f, name=NAME) for f in fields], **given)


def found(procedure: Procedure, code: str, **more: object) -> list[Finding]:
    return [finding for finding in check(procedure, **more) if finding.code == code]


def codes(procedure: Procedure) -> set[str]:
    return {finding.code for finding in check(procedure)}


def paths(procedure: Procedure, code: str) -> set[tuple[str | int, ...]]:
    return {finding.path for finding in found(procedure, code)}
