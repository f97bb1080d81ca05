"""Who may act on a step: who has its role, whom `not_by` bars, whom it is assigned to.

Asked here by firing, claiming, assigning and availability alike. No wording names a person: texts are kept.
"""

from __future__ import annotations

from svcflow.kernel.commands import Actor
from svcflow.kernel.compiled import Compiled, CompiledMove
from svcflow.kernel.instance import Draft
from svcflow.kernel.ledger import Ledger
from svcflow.kernel.refusal import Refusal
from svcflow.text import Text

OTHER_PERSON = Text(zh="换一人办理", en="let another person do it")


def lacks(role: str, actor: Actor) -> bool:
    """Tell whether an actor lacks a role that is asked for; of whom no roles are known lacks none."""
    return bool(role) and actor.roles is not None and role not in actor.roles


def is_barred(compiled: Compiled, draft: Draft, step: str, *persons: str) -> bool:
    """Tell whether one of the persons did the step that another than this one's doer has to have done."""
    not_by = compiled.steps[step].step.not_by
    return not_by is not None and any(name in persons for name in draft.left_by.get(not_by, ()))


def assigned_to_another(ledger: Ledger, step: str, actor: Actor) -> Refusal | None:
    """Return why a step is somebody else's; of foreign logs, which know no roles, nothing is."""
    assignee = ledger.draft.assignees.get(step)
    if assignee is None or actor.roles is None or assignee in (actor.id, actor.behalf):
        return None
    name = called(ledger.compiled, step)
    return Refusal(
        "assigned",
        Text(zh=f"“{name.zh}”已分派给他人", en=f"{name.en!r} is assigned to somebody else"),
        Text(zh="先释放，或改派", en="have it released, or assign it anew"),
        step,
    )


def taken(ledger: Ledger, row: CompiledMove, leaving: str, actor: Actor) -> Refusal | None:
    """Return why a move out of an assigned step is somebody else's to make.

    A transition with a role of its own, other than the step's, is no part of the work that was assigned: who
    is served may withdraw a request whoever has claimed it.
    """
    if not ledger.draft.assignees:
        return None
    own = row.move.role
    if own and own != ledger.compiled.steps[leaving].step.role:
        return None
    return assigned_to_another(ledger, leaving, actor)


def may_not_have(ledger: Ledger, step: str, actor: Actor) -> Refusal | None:
    """Return why an actor may not take a step for themselves."""
    compiled, role = ledger.compiled, ledger.compiled.steps[step].step.role or ""
    if lacks(role, actor):
        return Refusal("role", wrong_role(compiled, called(compiled, step), role, actor), in_role(role), step)
    if actor.roles is not None and is_barred(compiled, ledger.draft, step, actor.id, actor.behalf):
        return Refusal("role", same_person(compiled, step), OTHER_PERSON, step)
    return assigned_to_another(ledger, step, actor)


def wrong_role(compiled: Compiled, what: Text, role: str, actor: Actor) -> Text:
    """Word that something is for a role the actor lacks."""
    name = compiled.procedure.roles[role].name
    has = ", ".join(sorted(actor.roles or ())) or "—"
    return Text(
        zh=f"“{what.zh}”须由{name.in_('zh') or role}办理，办理人的岗位是 {has}",
        en=f"{what.en!r} is for the {name.in_('en') or role} ({role}); the actor has: {has}",
    )


def in_role(role: str) -> Text:
    """Say which role to have, by its id: the message names it as people do."""
    return Text(zh=f"由岗位 {role} 的人办理（`actor`）", en=f"let somebody in role {role} do it (`actor`)")


def same_person(compiled: Compiled, step: str) -> Text:
    """Word that who did one step may not do this one."""
    done, asked = called(compiled, compiled.steps[step].step.not_by or ""), called(compiled, step)
    return Text(
        zh=f"办理“{done.zh}”的人不能再办“{asked.zh}”", en=f"who did {done.en!r} may not do {asked.en!r}"
    )


def called(compiled: Compiled, step: str) -> Text:
    """Return a step's name in each language, its id where it has none."""
    name = compiled.steps[step].step.name
    return Text(zh=name.in_("zh") or step, en=name.in_("en") or step)
