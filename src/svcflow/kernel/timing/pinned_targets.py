"""Targets pinned to an earlier version, where a migration kept the deadline that that version gave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from svcflow.kernel.compiled import Compiled
from svcflow.kernel.facts import Fact, Migrated
from svcflow.kernel.instance import NEVER, STOPPED, Draft, Stopwatch
from svcflow.kernel.lifecycle.migration_target import VersionOf, mapped_limit
from svcflow.kernel.replay import apply_under, versions_along
from svcflow.model.target import Target


@attrs.frozen
class PinnedTarget:
    """Target that an earlier version declares for a limit, and that is still in force."""

    version: int
    target: Target | None
    lasts: bool
    """Whether it also holds when the limit, once ended, goes on: its deadline was kept."""


PinnedTargets = Mapping[str, PinnedTarget]
"""Pinned targets by the limit's name in the present version."""


def pinned_targets(version_of: VersionOf, facts: Iterable[Fact]) -> PinnedTargets:
    """Return the targets that are pinned at the end of a whole journal. Raises: what `version_of` raises."""
    draft, targets = Draft.blank(""), dict[str, PinnedTarget]()
    for compiled, target, fact in versions_along(version_of, facts):
        draft.id, before = fact.instance, draft.stopwatches
        apply_under(compiled, target, draft, fact)
        if isinstance(fact, Migrated):
            targets = _after_migration(compiled, fact, targets, before, draft.stopwatches)
        elif targets and before is not draft.stopwatches:
            targets = {
                limit: pinned
                for limit, pinned in targets.items()
                if still_pinned(pinned, before[limit], draft.stopwatches[limit])
            }
    return targets


def pinned_after_migration(
    source: Compiled, fact: Migrated, pinned: PinnedTarget | None, before: Stopwatch | None, after: Stopwatch
) -> PinnedTarget | None:
    """Return the target pinned for a limit after a migration; None when the target version's own applies.

    `pinned`, `before` and `after` are the pinned target before it and the stopwatches before and after it. A limit
    that had ended keeps the target it was judged by; a running one does where its deadline stayed.
    """
    if before is None:
        return None
    limit, lasts = source.limits.get(before.limit), fact.due == "keep"
    if limit is None:
        return pinned
    # What stands still has no deadline to compare: it kept its time if the migration kept deadlines at all.
    waits = before.open_us == STOPPED and before.due_us == NEVER
    kept = before.due_us == after.due_us and (lasts if waits else before.due_us != NEVER)
    if not (before.verdict or after.verdict or kept):
        return None
    if pinned is not None:
        return attrs.evolve(pinned, lasts=pinned.lasts and lasts)
    return PinnedTarget(source.procedure.version, limit.rows[before.row].target, lasts)


def still_pinned(pinned: PinnedTarget, before: Stopwatch, after: Stopwatch) -> bool:
    """Return whether a pinned target outlasts a change of its stopwatch: not another row, anchor or visit."""
    same = (before.visit, before.row, before.anchor_us) == (after.visit, after.row, after.anchor_us)
    return same and (pinned.lasts or bool(after.verdict) or not before.verdict)


def _after_migration(
    source: Compiled,
    fact: Migrated,
    targets: PinnedTargets,
    before: Mapping[str, Stopwatch],
    after: Mapping[str, Stopwatch],
) -> dict[str, PinnedTarget]:
    old_names = {_name(source, fact, name): name for name in before}
    pinned_now: dict[str, PinnedTarget] = {}
    for limit, watch in after.items():
        old = old_names.get(limit, limit)
        pinned = pinned_after_migration(source, fact, targets.get(old), before.get(old), watch)
        if pinned is not None:
            pinned_now[limit] = pinned
    return pinned_now


def _name(source: Compiled, fact: Migrated, name: str) -> str:
    return mapped_limit(fact.steps, name) if name in source.limits else name
