"""Effect of the fact `Migrated` on the steps, stopwatches and performers of an instance."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from svcflow.kernel.compiled import Compiled
from svcflow.kernel.evolve import (
    anchor_us_of,
    book,
    compute_due,
    guard_data,
    match_row,
    run_or_stop,
    settle_steps,
)
from svcflow.kernel.facts import Migrated
from svcflow.kernel.instance import NEVER, NOT_COMPUTED, STOPPED, Draft, FrozenDict, Stopwatch
from svcflow.kernel.lifecycle.kept_deadlines import extra_by_count, extra_to_keep, fired_rungs, kept_part
from svcflow.kernel.lifecycle.migration_target import MigrationTarget, mapped_limit, mapped_step
from svcflow.kernel.moves.four_eyes import Performers, mapped_performers
from svcflow.kernel.timing import stopwatch
from svcflow.kernel.timing.compiled_limit import CompiledLimit, CompiledRow
from svcflow.kernel.timing.due import due_of, full_reach
from svcflow.model.limit import reason_of


def apply_migration(source: Compiled, target: MigrationTarget, draft: Draft, fact: Migrated) -> None:
    """Change the draft by a migration from one version to another."""
    draft.sequence = draft.revision = fact.sequence
    draft.revised_us = fact.occurred_us
    draft.updated_us = max(draft.updated_us, fact.occurred_us)
    into = target.compiled
    left, steps, at_us = draft.stopwatches, fact.steps, fact.occurred_us
    draft.version, draft.parameters = fact.to_version, FrozenDict(fact.parameters)
    if fact.gives_way:
        _go_on_booking(into, draft, fact)
    draft.data = FrozenDict({**draft.data, **fact.data})
    draft.active = {mapped_step(steps, name): since_us for name, since_us in draft.active.items()}
    draft.left_by = _performers(source, target, steps, draft.left_by)
    draft.assignees = FrozenDict({mapped_step(steps, name): who for name, who in draft.assignees.items()})
    draft.deputies = FrozenDict({mapped_step(steps, name): how for name, how in draft.deputies.items()})
    if draft.children:
        draft.children = FrozenDict(
            {name: c._replace(step=mapped_step(steps, c.step)) for name, c in draft.children.items()}
        )
    draft.counts = FrozenDict({_row_name(steps, key): times for key, times in draft.counts.items()})
    draft.stopwatches = {}
    # Whether the new steps pause decides how the stopwatches go on, so the steps come first.
    settle_steps(into, draft, at_us)
    migration = _StopwatchMigration(source, into, draft, fact)
    kept = [migration.carry(watch) for watch in left.values()]
    # Two limits may come to one name. Ended stopwatches come first, so that one that runs takes their place.
    draft.stopwatches = {watch.limit: watch for watch in sorted(kept, key=lambda watch: not watch.verdict)}
    draft.stopwatches = {**draft.stopwatches, **migration.started()}
    draft.next_us = NOT_COMPUTED
    settle_steps(into, draft, at_us)
    compute_due(into, draft)


def _go_on_booking(into: Compiled, draft: Draft, fact: Migrated) -> None:
    """Begin to record who sets the scheduled instants that are new in the target version."""
    # Only of those that are not set yet: who set the others is not known.
    new = {
        field: unbooked
        for field, unbooked in into.unbooked.items()
        if field not in draft.bookings and draft.data.get(field) is None
    }
    if new:
        draft.bookings = FrozenDict({**draft.bookings, **new})
    book(draft, fact, fact.data)


def _performers(
    source: Compiled, target: MigrationTarget, steps: Mapping[str, str], remembered: Performers
) -> Performers:
    """Return who did the steps that the target version asks about.

    The journal tells it, where it was read: the instance itself remembers only whom the source version asked about.
    """
    into = target.compiled
    carried = mapped_performers(source, into, steps, remembered)
    if target.performers is None:
        return carried
    known = mapped_performers(source, into, steps, target.performers)
    # Of a step that excludes one side by side only what the instance remembers: older journals lead where they led.
    kept = into.excluded | (into.remembered & carried.keys())
    return FrozenDict({step: who for step, who in known.items() if step in kept})


def _row_name(steps: Mapping[str, str], key: str) -> str:
    """Return the key `step.trigger.step` of a transition with the step names of the target version."""
    source, _, rest = key.partition(".")
    trigger, _, target = rest.rpartition(".")
    return f"{mapped_step(steps, source)}.{trigger}.{mapped_step(steps, target)}"


@attrs.frozen
class _StopwatchMigration:
    """Stopwatches taken over to another version; the draft is in its new steps already, and has no stopwatches yet."""

    source: Compiled
    into: Compiled
    draft: Draft
    fact: Migrated

    def carry(self, watch: Stopwatch) -> Stopwatch:
        """Return what becomes of one stopwatch; it ends with a limit that is gone, and is kept in case that comes back."""
        old = self.source.limits.get(watch.limit)
        name = watch.limit if old is None else mapped_limit(self.fact.steps, watch.limit)
        new = self.into.limits.get(name)
        if new is None:
            if old is None or watch.verdict:
                return watch
            return stopwatch.end(old, watch, self.fact.occurred_us, reached=False)
        if old is None:
            return self._returned(new, watch)
        return self._ended(old, new, watch) if watch.verdict else self._running(old, new, watch)

    def started(self) -> dict[str, Stopwatch]:
        """Return the stopwatches of new limits: of the steps the instance is in, its hold, the whole procedure."""
        limits = [limit for step in self.draft.active for limit in self.into.steps[step].starts]
        limits += [limit for limit in self.into.limits.values() if self._applies(limit)]
        return {limit.id: self._start(limit) for limit in limits if limit.id not in self.draft.stopwatches}

    def _applies(self, limit: CompiledLimit) -> bool:
        """Return whether a limit applies in any step: that of the whole procedure, or the cap of the present hold."""
        reason = reason_of(limit.id)
        if reason:
            return self.draft.status == "held" and reason == self.draft.hold
        return limit.limit.scope == "procedure"

    def _start(self, limit: CompiledLimit, visit: int = 1) -> Stopwatch:
        """Return a stopwatch started now; that of a whole procedure counts from the start of the instance."""
        at_us, row, anchor_us = self.fact.occurred_us, *self._target(limit)
        whole = limit.limit.scope == "procedure" and not reason_of(limit.id)
        since_us = self.draft.started_us if whole else at_us
        watch = stopwatch.start(limit, row, since_us, visit=visit, running=True, anchor_us=anchor_us)
        # Attached now: what would have been due before is breached now, not in the past.
        return self._in_step(limit, watch._replace(attached_us=at_us))

    def _running(self, old: CompiledLimit, new: CompiledLimit, watch: Stopwatch) -> Stopwatch:
        place, anchor_us = self._target(new)
        row, fired = (
            new.rows[place],
            fired_rungs(old.rows[watch.row], new.rows[place], watch.fired, overdue=watch.overdue),
        )
        keep = self.fact.due == "keep"
        extra, kept = self._extra(old, row, watch) if keep or watch.overdue else (0, 0)
        carried = watch._replace(
            limit=new.id, row=place, anchor_us=anchor_us, extra=extra, fired=fired, kept=kept
        )
        due_us = watch.due_us
        if not watch.overdue:
            if keep and due_us == NEVER and watch.open_us != STOPPED and row.target and not row.fixed:
                return self._start(new, watch.visit)  # there was no deadline to keep
            # Without a target, or while it runs without a deadline, there is nothing to keep either.
            anew = not keep or row.target is None or (due_us == NEVER and watch.open_us != STOPPED)
            due_us = due_of(row, carried, watch.open_us) if anew else due_us
        return self._in_step(new, stopwatch.with_new_due(carried, self.fact.occurred_us, due_us))

    def _ended(self, old: CompiledLimit, new: CompiledLimit, watch: Stopwatch) -> Stopwatch:
        """Return a stopwatch that has ended; entered again, its limit goes on as it would have without the migration."""
        place, anchor_us = self._target(new)
        row = new.rows[place]
        extra, kept = self._extra(old, row, watch) if self.fact.due == "keep" else (0, 0)
        fired = fired_rungs(old.rows[watch.row], row, watch.fired, overdue=watch.overdue)
        return watch._replace(
            limit=new.id, row=place, anchor_us=anchor_us, extra=extra, fired=fired, kept=kept
        )

    def _extra(self, old: CompiledLimit, row: CompiledRow, watch: Stopwatch) -> tuple[int, int]:
        """Return what a stopwatch counts beyond its row to keep its deadline, and how much of it another row gives up."""
        extra = extra_to_keep(old, row, watch)
        return extra, kept_part(old, row, watch, extra) if self.fact.gives_way else 0

    def _returned(self, limit: CompiledLimit, watch: Stopwatch) -> Stopwatch:
        """Return the stopwatch of a limit that the source version did not have, and an earlier one had.

        One that a migration ended goes on as if it had never ended, so that it is due when it was.
        """
        place, anchor_us = self._target(limit)
        # Of the ladder it had then only the indices of the rungs that fired are known.
        known = (1 << len(limit.rows[place].rungs)) - 1
        back = watch._replace(row=place, anchor_us=anchor_us, fired=watch.fired & known)
        step = limit.limit.step
        gone_on = self._applies(limit) or limit.limit.scope == "span" or step in self.draft.active
        if watch.verdict != "cancelled" or not gone_on:
            return back
        back = back._replace(verdict="")
        if watch.due_us != NEVER:
            open_us = watch.runs[-1][0] if watch.runs else watch.started_us
            back = back._replace(runs=watch.runs[:-1], open_us=open_us)
        if self.fact.gives_way and not self._still_due(limit, back):
            extra = extra_by_count(limit.rows[place], back)
            back = back._replace(extra=extra, kept=extra)
        return self._in_step(limit, stopwatch.with_new_due(back, self.fact.occurred_us, watch.due_us))

    def _still_due(self, limit: CompiledLimit, watch: Stopwatch) -> bool:
        """Return whether a stopwatch that comes back has the same deadline by the present declaration of its limit."""
        row = limit.rows[watch.row]
        if row.fixed or row.target is None:
            return True
        return full_reach(row, watch) >= 0 and due_of(row, watch, watch.open_us) == watch.due_us

    def _target(self, limit: CompiledLimit) -> tuple[int, int]:
        row = match_row(limit, guard_data(self.into, self.draft))
        return row, anchor_us_of(limit, row, self.draft.data)

    def _in_step(self, limit: CompiledLimit, watch: Stopwatch) -> Stopwatch:
        """Return the stopwatch running or at rest, as the steps of the target version say."""
        return run_or_stop(self.draft, limit, watch, self.fact.occurred_us)
