"""Promises: which version's target a limit has, where a migration kept the deadline that an earlier one gave."""

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
    """The target that an earlier version gave a limit, as long as it stands."""

    version: int
    target: Target | None
    lasts: bool
    """Whether it also holds when the limit, once ended, goes on: its deadline was kept."""


PinnedTargets = Mapping[str, PinnedTarget]
"""The promises of earlier versions, by the limit's name in the present one."""


def pinned_targets(version_of: VersionOf, facts: Iterable[Fact]) -> PinnedTargets:
    """Return the promises that stand at the end of a whole journal. Raises: what `version_of` raises."""
    draft, standing = Draft.blank(""), dict[str, PinnedTarget]()
    for compiled, target, fact in versions_along(version_of, facts):
        draft.id, before = fact.instance, draft.stopwatches
        apply_under(compiled, target, draft, fact)
        if isinstance(fact, Migrated):
            standing = _after_migration(compiled, fact, standing, before, draft.stopwatches)
        elif standing and before is not draft.stopwatches:
            standing = {
                limit: one
                for limit, one in standing.items()
                if still_pinned(one, before[limit], draft.stopwatches[limit])
            }
    return standing


def pinned_after_migration(
    left: Compiled, fact: Migrated, promise: PinnedTarget | None, before: Stopwatch | None, after: Stopwatch
) -> PinnedTarget | None:
    """Return what is promised of a limit after a migration, given what was before; None when it is the new version's.

    A limit that had ended keeps what it was judged by, one that runs does where its deadline stayed.
    """
    if before is None:
        return None
    limit, lasts = left.limits.get(before.limit), fact.due == "keep"
    if limit is None:
        return promise
    waits = before.open_us == STOPPED and before.due_us == NEVER
    kept = before.due_us == after.due_us and (lasts if waits else before.due_us != NEVER)
    if not (before.verdict or after.verdict or kept):
        return None
    if promise is not None:
        return attrs.evolve(promise, lasts=promise.lasts and lasts)
    return PinnedTarget(left.procedure.version, limit.rows[before.row].target, lasts)


def still_pinned(promise: PinnedTarget, before: Stopwatch, after: Stopwatch) -> bool:
    """Say whether a promise outlasts a change of its clock: not another row, anchor or visit, nor going on anew."""
    same = (before.visit, before.row, before.anchor_us) == (after.visit, after.row, after.anchor_us)
    return same and (promise.lasts or bool(after.verdict) or not before.verdict)


def _after_migration(
    source: Compiled,
    fact: Migrated,
    standing: PinnedTargets,
    before: Mapping[str, Stopwatch],
    after: Mapping[str, Stopwatch],
) -> dict[str, PinnedTarget]:
    came = {_name(source, fact, name): name for name in before}
    found: dict[str, PinnedTarget] = {}
    for limit, watch in after.items():
        old = came.get(limit, limit)
        promise = pinned_after_migration(source, fact, standing.get(old), before.get(old), watch)
        if promise is not None:
            found[limit] = promise
    return found


def _name(source: Compiled, fact: Migrated, name: str) -> str:
    return mapped_limit(fact.steps, name) if name in source.limits else name
