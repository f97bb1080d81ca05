"""Authorization of an actor for a step: by its role, by `not_by`, and by its assignee."""

from __future__ import annotations

from typing import NamedTuple

import attrs

from svcflow.kernel import refusals
from svcflow.kernel.commands import Actor, Certificates
from svcflow.kernel.compiled import Compiled, CompiledMove
from svcflow.kernel.facts import ERASED
from svcflow.kernel.instance import Draft, Instance
from svcflow.kernel.lifecycle.assignees import assignee_of
from svcflow.kernel.moves.qualification import unqualified
from svcflow.kernel.refusals import Refusal
from svcflow.kernel.transaction import Transaction
from svcflow.text import is_blank


class Barred(NamedTuple):
    """Step that another person has to do, because of who did the `other` step, which its `not_by` names."""

    step: str
    other: str


def lacks_role(compiled: Compiled, role: str, actor: Actor) -> bool:
    """Return whether an actor is not known to have a role. A log of another system need not tell."""
    if not role:
        return False
    if compiled.foreign:
        return actor.roles is not None and role not in actor.roles
    return actor.roles is None or role not in actor.roles or is_blank(actor.id)


def step_needing_name(compiled: Compiled, actor: Actor, *steps: str) -> str | None:
    """Return the first step, or step around it, of which it has to be known who does it, if the actor has no name."""
    if compiled.foreign or not is_blank(actor.id):
        return None
    done = (name for step in steps for name in (step, *compiled.around(step)))
    return next(
        (name for name in done if name in compiled.excluded or compiled.steps[name].step.not_by),
        None,
    )


def barred_step(compiled: Compiled, draft: Draft, steps: tuple[str, ...], *persons: str) -> Barred | None:
    """Return the step, one of `steps` or one around it, that another than `persons` has to do; None if they may.

    Where a step in a parallel branch was done first, that step is returned: it excludes who does this one. All
    `steps` are done by one move, so each is judged as if the others had been done.
    """
    if not draft.left_by and len(steps) == 1:  # nobody has done a step yet
        return None
    for step in steps:
        others = () if compiled.foreign else tuple([other for other in steps if other != step])
        for name in (step, *compiled.around(step)):
            for not_by in compiled.steps[name].step.not_by:
                if _performed(draft, not_by, persons) or any(
                    not_by in (other, *compiled.around(other)) for other in others
                ):
                    return Barred(name, not_by)
            for pair in compiled.pairs.get(name, ()):
                if _performed(draft, pair, persons):
                    return Barred(pair, name)
    return None


def _performed(draft: Draft, step: str, persons: tuple[str, ...]) -> bool:
    """Return whether one of `persons` did a step, or may have, because who did it was erased."""
    return any(who in persons or who.startswith(ERASED) for who in draft.left_by.get(step, ()))


def excluded_persons(compiled: Compiled, instance: Instance, step: str) -> tuple[str, ...]:
    """Return the persons who may not do a step, because they did another one."""
    around = (step, *compiled.around(step)) if instance.left_by else ()
    excluding = [other for name in around for other in compiled.steps[name].step.not_by]
    excluding += [pair for name in around for pair in compiled.pairs.get(name, ())]
    return tuple(person for done in excluding for person in instance.left_by.get(done, ()))


def remembers_person(compiled: Compiled, instance: Instance, person: str) -> bool:
    """Return whether an open instance has to remember a person, because another one has to do a step."""
    remembered = instance.left_by.items() if instance.status != "ended" else ()
    return any(person in who for step, who in remembered if step in compiled.remembered)


def assignment_refusal(transaction: Transaction, step: str, actor: Actor) -> Refusal | None:
    """Return the refusal if a step is assigned to somebody else."""
    assignee = assignee_of(transaction.draft, step, transaction.at_us)
    if not assignee or transaction.compiled.foreign or assignee in (actor.id, actor.behalf):
        return None
    return refusals.assigned_to_another(transaction.compiled, step)


def assignee_refusal(
    transaction: Transaction, row: CompiledMove, leaving: str, actor: Actor
) -> Refusal | None:
    """Return the refusal if a move out of a step is for the assignee of that step, and the actor is another."""
    if not transaction.draft.assignees:
        return None
    # A transition with a role of its own, other than the step's, is no part of the work that was assigned: who is
    # served may withdraw a request whoever has claimed it.
    own = row.move.role
    if own and own != transaction.compiled.steps[leaving].step.role:
        return None
    return assignment_refusal(transaction, leaving, actor)


def claim_refusal(
    transaction: Transaction, step: str, actor: Actor, certificates: Certificates | None
) -> Refusal | None:
    """Return the refusal if an actor may not claim a step."""
    compiled, role = transaction.compiled, transaction.compiled.steps[step].step.role or ""
    if lacks_role(compiled, role, actor):
        return refusals.wrong_role_for_step(compiled, step, role, actor)
    barred = barred_step(compiled, transaction.draft, (step,), actor.id, actor.behalf)
    if barred is not None:
        return attrs.evolve(same_person(compiled, transaction.draft, barred), step=step)
    return qualification_refusal(transaction, step, actor.id, certificates) or assignment_refusal(
        transaction, step, actor
    )


def qualification_refusal(
    transaction: Transaction, step: str, person: str, certificates: Certificates | None
) -> Refusal | None:
    """Return the refusal if a person is to have a step and lacks the certificate that it asks for.

    Where that is only recorded, it is recorded when the step is done.
    """
    compiled = transaction.compiled
    certificate = compiled.steps[step].step.qualified
    if certificate is None or compiled.foreign or compiled.procedure.enforce.qualification == "record":
        return None
    lacking = unqualified(compiled, step, certificate, person, held=certificates, at_us=transaction.at_us)
    return None if lacking is None else attrs.evolve(lacking.refusal, step=step)


def same_person(compiled: Compiled, draft: Draft, barred: Barred) -> Refusal:
    """Return the refusal of a step to who did one that it excludes."""
    done = draft.left_by.get(barred.other, ())
    erased = any(name.startswith(ERASED) for name in done)
    return refusals.same_person(compiled, barred.step, barred.other, erased=erased)
