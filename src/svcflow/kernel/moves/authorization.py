"""Who may act on a step: who has its role, whom `not_by` bars, whom it is assigned to.

Asked here by firing, claiming, assigning and availability alike. No wording names a person: texts are kept.
"""

from __future__ import annotations

from difflib import get_close_matches

from svcflow.kernel.commands import Actor, is_named
from svcflow.kernel.compiled import Compiled, CompiledMove
from svcflow.kernel.facts import ERASED
from svcflow.kernel.instance import Draft, Instance
from svcflow.kernel.lifecycle.assignees import assignee_of
from svcflow.kernel.refusals import Refusal
from svcflow.kernel.transaction import Ledger
from svcflow.text import LONGEST_NAME, Text, cut, is_blank


def lacks(compiled: Compiled, role: str, actor: Actor) -> bool:
    """Tell whether an actor is not known to have a role that is asked for. A replayed log need not tell."""
    if not role:
        return False
    if compiled.foreign:
        return actor.roles is not None and role not in actor.roles
    return actor.roles is None or role not in actor.roles or is_blank(actor.id)


def unnamed_for(compiled: Compiled, actor: Actor, *steps: str) -> str | None:
    """Return the step whose doer has to be told from others while the actor has no name. A replayed log need not tell."""
    if compiled.foreign or not is_blank(actor.id):
        return None
    done = (name for step in steps for name in (step, *compiled.inside(step)))
    return next(
        (one for one in done if one in compiled.watched or compiled.steps[one].step.not_by is not None), None
    )


def barred_from(compiled: Compiled, draft: Draft, steps: tuple[str, ...], *persons: str) -> str | None:
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
                _did(draft, not_by, persons)
                or any(not_by in (other, *compiled.inside(other)) for other in others)
            ):
                return name
            for pair in compiled.pairs.get(name, ()):
                if _did(draft, pair, persons):
                    return pair
    return None


def _did(draft: Draft, step: str, persons: tuple[str, ...]) -> bool:
    """Tell whether one of these persons did a step, or somebody who was erased and may be any of them."""
    return any(who in persons or who.startswith(ERASED) for who in draft.left_by.get(step, ()))


def excluded(compiled: Compiled, instance: Instance, step: str) -> tuple[str, ...]:
    """Return who may not do a step, because they did another one."""
    around = (step, *compiled.inside(step)) if instance.left_by else ()
    asked = [compiled.steps[name].step.not_by or "" for name in around]
    asked += [pair for name in around for pair in compiled.pairs.get(name, ())]
    return tuple(name for done in asked for name in instance.left_by.get(done, ()))


def needs_to_know(compiled: Compiled, instance: Instance, person: str) -> bool:
    """Tell whether an open instance has to know a person, because somebody else than they has to do a step."""
    remembered = instance.left_by.items() if instance.status != "ended" else ()
    return any(person in who for step, who in remembered if step in compiled.remembered)


def assigned_to_another(ledger: Ledger, step: str, actor: Actor) -> Refusal | None:
    """Return why a step is somebody else's."""
    assignee = assignee_of(ledger.draft, step, ledger.at_us)
    if not assignee or ledger.compiled.foreign or assignee in (actor.id, actor.behalf):
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
    if lacks(compiled, role, actor):
        return Refusal(
            "role",
            wrong_role(compiled, called(compiled, step), role, actor),
            in_role(compiled, role, actor),
            step,
        )
    barred = barred_from(compiled, ledger.draft, (step,), actor.id, actor.behalf)
    if barred is not None:
        return Refusal("role", *same_person(compiled, ledger.draft, barred), step)
    return assigned_to_another(ledger, step, actor)


def wrong_role(compiled: Compiled, what: Text, role: str, actor: Actor) -> Text:
    """Word that something is for a role the actor lacks."""
    name = compiled.procedure.roles[role].name
    if not is_named(actor.id):
        return Text(
            zh=f"“{what.zh}”须由{name.in_('zh') or role}办理，而没有指明由谁办理",
            en=f"{what.en!r} is for the {name.in_('en') or role} ({role}); it is not said who acts",
        )
    has = cut(", ".join(sorted(actor.roles or ())), 2 * LONGEST_NAME) or "—"
    return Text(
        zh=f"“{what.zh}”须由{name.in_('zh') or role}办理，办理人的岗位是 {has}",
        en=f"{what.en!r} is for the {name.in_('en') or role} ({role}); the actor has: {has}",
    )


_FEW = 20
"""So many roles of an actor are looked at for a misspelt one: that takes time for each."""


def in_role(compiled: Compiled, role: str, actor: Actor) -> Text:
    """Say which role to have, by its id: the message names it as people do. One misspelt is spelt."""
    known = compiled.procedure.roles
    if not is_named(actor.id):
        return Text(zh="指明由谁办理（`actor`）", en="name who acts (`actor`)")
    for one in sorted(actor.roles or ())[:_FEW]:
        near = () if one in known else get_close_matches(one, known, 1)
        if near:
            return Text(
                zh=f"没有岗位“{one}”，是否指 {near[0]}？（`actor`）",
                en=f"there is no role {one!r}; did you mean {near[0]}? (`actor`)",
            )
    return Text(zh=f"由岗位 {role} 的人办理（`actor`）", en=f"let somebody in role {role} do it (`actor`)")


def same_person(compiled: Compiled, draft: Draft, step: str) -> tuple[Text, Text]:
    """Word that who did one step may not do this one, and what to do."""
    not_by = compiled.steps[step].step.not_by or ""
    done, asked = called(compiled, not_by), called(compiled, step)
    if any(name.startswith(ERASED) for name in draft.left_by.get(not_by, ())):
        return Text(
            zh=f"办理“{done.zh}”的人已被抹去，无从证明要办“{asked.zh}”的是另一人",
            en=f"who did {done.en!r} was erased, so nobody who would do {asked.en!r} is known to be another person",
        ), Text(zh="变更到没有此项回避的版本", en="migrate to a version that does not ask for another person")
    return Text(
        zh=f"办理“{done.zh}”的人不能再办“{asked.zh}”", en=f"who did {done.en!r} may not do {asked.en!r}"
    ), Text(zh="换一人办理", en="let another person do it")


def nameless(compiled: Compiled, step: str) -> tuple[Text, Text]:
    """Word that who does a step has to be named, and what to do."""
    name, not_by = called(compiled, step), compiled.steps[step].step.not_by
    if not_by is not None:
        other = called(compiled, not_by)
        zh = f"“{name.zh}”须由办理“{other.zh}”以外的人办理，而没有指明由谁办理"
        en = f"{name.en!r} is for another person than who did {other.en!r}; it is not said who acts"
    else:
        zh = f"“{name.zh}”之后须由他人办理，而没有指明由谁办理"
        en = f"another person than who does {name.en!r} has to go on; it is not said who acts"
    return Text(zh=zh, en=en), Text(zh="指明由谁办理（`actor`）", en="name who acts (`actor`)")


def called(compiled: Compiled, step: str) -> Text:
    """Return a step's name in each language, its id where it has none."""
    name = compiled.steps[step].step.name
    return Text(zh=name.in_("zh") or step, en=name.in_("en") or step)
