"""Names: the words one procedure has for its steps, roles, limits and triggers, in the asked language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta, tzinfo

import attrs

from svcflow.cli.language import Tongue
from svcflow.kernel.instance import Instance
from svcflow.model.amount import Family
from svcflow.model.limit import reason_of
from svcflow.model.procedure import Procedure
from svcflow.model.target import Target
from svcflow.model.wording import target_text
from svcflow.wording import GROUPS, HOLDS, OUTCOMES, STATUSES, duration, timestamp, word

__all__ = ["Names"]


@attrs.frozen
class Names:
    """Speak of one procedure; `zone` is the clock instants are shown on (see `shared_zone`), `written` how."""

    procedure: Procedure
    lang: Tongue
    zone: tzinfo | None
    written: Callable[[datetime, tzinfo | None], str] = timestamp

    def title(self) -> str:
        """Return the procedure's name."""
        return self.procedure.name.in_(self.lang) or self.procedure.id

    def step(self, step: str) -> str:
        """Return a step's name."""
        found = self.procedure.all_steps.get(step)
        return (found.name.in_(self.lang) if found else "") or step

    def steps(self, steps: Iterable[str]) -> str:
        """Return the names of several steps."""
        return self.joined(map(self.step, steps))

    def joined(self, names: Iterable[str]) -> str:
        """Return a list of names."""
        return ("、" if self.lang == "zh" else ", ").join(names)

    def role(self, role: str) -> str:
        """Return a role's name."""
        found = self.procedure.roles.get(role)
        return (found.name.in_(self.lang) if found else "") or role

    def limit(self, limit: str) -> str:
        """Return a limit's name; that over a hold is named by its reason."""
        if reason_of(limit):
            reason = self.reason(reason_of(limit))
            return f"暂停（{reason}）" if self.lang == "zh" else f"hold ({reason})"
        found = self.procedure.time_limits.get(limit)
        return (found.name.in_(self.lang) if found else "") or limit

    def reason(self, reason: str) -> str:
        """Word the reason of a hold."""
        return word(HOLDS, reason).in_(self.lang)

    def group(self, group: str) -> str:
        """Word a group of recipients."""
        return word(GROUPS, group).in_(self.lang)

    def target(self, target: Target) -> str:
        """Word what a limit demands."""
        return target_text(target, self.procedure.fields, self.lang)

    def trigger(self, trigger: str, step: str, row: int = 0) -> str:
        """Return the name of a trigger at a step; `row` is the place among its rows of the one that was taken."""
        found = self.procedure.all_steps.get(step)
        moves = [move for move in found.to if move.trigger == trigger] if found else []
        return (moves[row].name.in_(self.lang) if row < len(moves) else "") or trigger

    def field(self, field: str) -> str:
        """Return a field's name."""
        found = self.procedure.fields.get(field)
        return (found.name.in_(self.lang) if found else "") or field

    def when(self, at: datetime | None) -> str:
        """Write an instant on the clock of this answer."""
        return "" if at is None else self.written(at, self.zone)

    def length(self, length: timedelta, limit: str = "") -> str:
        """Word a length of time in the clock of a limit."""
        families = set(self._families(limit))
        is_working = bool(families) and families <= {"working", "working_days"}
        return duration(length, working=is_working).in_(self.lang)

    def is_over_at_once(self, limit: str) -> bool:
        """Tell whether a limit that ended late by nothing ended as it was due: it moves by itself, or always runs."""
        found = self.procedure.time_limits.get(limit)
        return found is not None and (
            found.on_overdue is not None or set(self._families(limit)) <= {"elapsed"}
        )

    def status(self, instance: Instance) -> str:
        """Word how an instance stands; an ended one by its outcome."""
        if instance.status == "ended":
            return word(OUTCOMES, instance.outcome).in_(self.lang)
        return word(STATUSES, instance.status).in_(self.lang)

    def _families(self, limit: str) -> Iterator[Family]:
        """Yield the clocks the rows of a limit run on; where they differ, time is told as elapsed."""
        if reason_of(limit):
            rules = [rule for rule in self.procedure.holds if rule.reason == reason_of(limit)]
            yield from (rule.at_most.family for rule in rules if rule.at_most is not None)
        elif limit in self.procedure.time_limits:
            rows = self.procedure.time_limits[limit].rows
            for row in rows:
                if row.target is not None:
                    anchor = row.target.anchor
                    amount = anchor.amount if anchor is not None else row.target.amount
                    yield amount.family if amount is not None else "elapsed"
