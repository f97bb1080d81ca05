"""Who may act on a step: who has its role, whom `not_by` bars, whom it is assigned to.

Firing, claiming, assigning and availability all ask here.
"""

from __future__ import annotations

import attrs

from svcflow.kernel import refusals
from svcflow.kernel.commands import Actor
from svcflow.kernel.compiled import Compiled, CompiledMove
from svcflow.kernel.facts import ERASED
from svcflow.kernel.instance import Draft, Instance
from svcflow.kernel.lifecycle.assignees import assignee_of
from svcflow.kernel.refusals import Refusal
from svcflow.kernel.transaction import Transaction
from svcflow.text import is_blank


def lacks_role(compiled: Compiled, role: str, actor: Actor) -> bool:
    """Tell whether an actor is not known to have a role that is asked for. A replayed log need not tell."""
    if not role:
        return False
    if compiled.foreign:
        return actor.roles is not None and role not in actor.roles
    return actor.roles is None or role not in actor.roles or is_blank(actor.id)


def step_needing_name(compiled: Compiled, actor: Actor, *steps: str) -> str | None:
    """Return the step whose doer has to be told from others while the actor has no name. A replayed log need not tell."""
    if compiled.foreign or not is_blank(actor.id):
        return None
    done = (name for step in steps for name in (step, *compiled.inside(step)))
    return next(
        (one for one in done if one in compiled.watched or compiled.steps[one].step.not_by is not None), None
    )


def barred_step(compiled: Compiled, draft: Draft, steps: tuple[str, ...], *persons: str) -> str | None:
    """Return the step, one of these or one around it, that another than these persons has to do; None if they may.

    Where a step in a branch side by side was done first, it is that step, which excludes who does this one.

    All the steps are done at once, so that each is judged as if the others had been done. Nobody can be told from
    somebody who was erased, so who did a step and was erased bars everybody.
    """
    if not draft.left_by and len(steps) == 1:  # nobody has done anything yet
        return None
    for step in steps:
        others = () if compiled.foreign else tuple([other for other in steps if other != step])
        for name in (step, *compiled.inside(step)):
            not_by = compiled.steps[name].step.not_by
            if not_by is not None and (
                _performed(draft, not_by, persons)
                or any(not_by in (other, *compiled.inside(other)) for other in others)
            ):
                return name
            for pair in compiled.pairs.get(name, ()):
                if _performed(draft, pair, persons):
                    return pair
    return None


def _performed(draft: Draft, step: str, persons: tuple[str, ...]) -> bool:
    """Tell whether one of these persons did a step, or somebody who was erased and may be any of them."""
    return any(who in persons or who.startswith(ERASED) for who in draft.left_by.get(step, ()))


def excluded_persons(compiled: Compiled, instance: Instance, step: str) -> tuple[str, ...]:
    """Return who may not do a step, because they did another one."""
    around = (step, *compiled.inside(step)) if instance.left_by else ()
    asked = [compiled.steps[name].step.not_by or "" for name in around]
    asked += [pair for name in around for pair in compiled.pairs.get(name, ())]
    return tuple(name for done in asked for name in instance.left_by.get(done, ()))


def remembers_person(compiled: Compiled, instance: Instance, person: str) -> bool:
    """Tell whether an open instance has to know a person, because somebody else than they has to do a step."""
    remembered = instance.left_by.items() if instance.status != "ended" else ()
    return any(person in who for step, who in remembered if step in compiled.remembered)


def assignment_refusal(transaction: Transaction, step: str, actor: Actor) -> Refusal | None:
    """Return why a step is somebody else's."""
    assignee = assignee_of(transaction.draft, step, transaction.at_us)
    if not assignee or transaction.compiled.foreign or assignee in (actor.id, actor.behalf):
        return None
    return refusals.assigned_to_another(transaction.compiled, step)


def assignee_refusal(
    transaction: Transaction, row: CompiledMove, leaving: str, actor: Actor
) -> Refusal | None:
    """Return why a move out of an assigned step is somebody else's to make.

    A transition with a role of its own, other than the step's, is no part of the work that was assigned: who
    is served may withdraw a request whoever has claimed it.
    """
    if not transaction.draft.assignees:
        return None
    own = row.move.role
    if own and own != transaction.compiled.steps[leaving].step.role:
        return None
    return assignment_refusal(transaction, leaving, actor)


def claim_refusal(transaction: Transaction, step: str, actor: Actor) -> Refusal | None:
    """Return why an actor may not take a step for themselves."""
    compiled, role = transaction.compiled, transaction.compiled.steps[step].step.role or ""
    if lacks_role(compiled, role, actor):
        return refusals.wrong_role_for_step(compiled, step, role, actor)
    barred = barred_step(compiled, transaction.draft, (step,), actor.id, actor.behalf)
    if barred is not None:
        return attrs.evolve(same_person(compiled, transaction.draft, barred), step=step)
    return assignment_refusal(transaction, step, actor)


def same_person(compiled: Compiled, draft: Draft, step: str) -> Refusal:
    """Return why who did one step may not do this one."""
    done = draft.left_by.get(compiled.steps[step].step.not_by or "", ())
    return refusals.same_person(compiled, step, erased=any(name.startswith(ERASED) for name in done))
