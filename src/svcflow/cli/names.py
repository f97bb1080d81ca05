"""Names that procedures give to steps, roles, limits, triggers and fields, in one language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta, tzinfo
from functools import cache

import attrs

from svcflow.cli.language import Tongue
from svcflow.kernel.compiled import calendars_of
from svcflow.kernel.instance import Instance
from svcflow.kernel.lifecycle.deviations import Deviation
from svcflow.model.amount import Family
from svcflow.model.field import Field, Value
from svcflow.model.guard_wording import value_text
from svcflow.model.limit import TimeLimit, reason_of, step_of_timer
from svcflow.model.procedure import Certificate, Procedure, Role
from svcflow.model.step import Step
from svcflow.model.target import Target
from svcflow.model.wording import target_text
from svcflow.runtime.engine import Engine
from svcflow.runtime.filters import WorkItem
from svcflow.wording import GROUPS, HOLDS, OUTCOMES, STATUSES, duration, shared_zone, timestamp, word

__all__ = ["NamesOf", "ProcedureNames", "names_along", "names_in", "names_of", "versions_of"]


@attrs.frozen
class ProcedureNames:
    """The names of one procedure; instants are shown on the clock of `zone` (see `shared_zone`) by `written`."""

    procedure: Procedure
    lang: Tongue
    zone: tzinfo | None
    written: Callable[[datetime, tzinfo | None], str] = timestamp

    def title(self) -> str:
        """Return the procedure's name."""
        return self.procedure.name.in_(self.lang) or self.procedure.id

    def step(self, step: str) -> str:
        """Return a step's name."""
        return self._name(self.procedure.all_steps, step)

    def start(self) -> str:
        """Return what starting the procedure is called; nothing where it has no name."""
        rule = self.procedure.start
        return "" if rule is None else rule.name.in_(self.lang)

    def steps(self, steps: Iterable[str]) -> str:
        """Return the names of several steps."""
        return self.joined(map(self.step, steps))

    def joined(self, names: Iterable[str]) -> str:
        """Return a list of names."""
        return ("、" if self.lang == "zh" else ", ").join(names)

    def role(self, role: str) -> str:
        """Return a role's name."""
        return self._name(self.procedure.roles, role)

    def certificate(self, certificate: str) -> str:
        """Return a certificate's name."""
        return self._name(self.procedure.certificates, certificate)

    def limit(self, limit: str) -> str:
        """Return a limit's name; that over a hold is named by its reason."""
        if reason_of(limit):
            reason = self.reason(reason_of(limit))
            return f"暂停（{reason}）" if self.lang == "zh" else f"hold ({reason})"
        if step_of_timer(limit):
            step = self.step(step_of_timer(limit))
            return f"{step}（自动流转）" if self.lang == "zh" else f"{step} (automatic move)"
        return self._name(self.procedure.time_limits, limit)

    def reason(self, reason: str) -> str:
        """Return the wording of a hold's reason."""
        return word(HOLDS, reason).in_(self.lang)

    def group(self, group: str) -> str:
        """Return the wording of a group of recipients."""
        return word(GROUPS, group).in_(self.lang)

    def target(self, target: Target) -> str:
        """Return the wording of what a limit demands."""
        return target_text(target, self.procedure.fields, self.lang)

    def trigger(self, trigger: str, step: str, row: int = 0) -> str:
        """Return the name of a trigger at a step; `row` numbers the row of the trigger that was taken."""
        declared = self.procedure.all_steps.get(step)
        moves = [move for move in declared.to if move.trigger == trigger] if declared else []
        return (moves[row].name.in_(self.lang) if row < len(moves) else "") or trigger

    def field(self, field: str) -> str:
        """Return a field's name."""
        return self._name(self.procedure.fields, field)

    def parameters(self, instance: Instance) -> Iterator[str]:
        """Yield the parameters of the procedure, each with the value that is pinned to an instance."""
        procedure = self.procedure
        # Who set a value is known of those in force now, which may be others.
        if procedure.overridden != instance.parameters:
            procedure = procedure.with_parameters(instance.parameters)
        for parameter in procedure.parameters.values():
            yield parameter.text(procedure.sources).in_(self.lang)

    def value(self, field: str, value: Value) -> str:
        """Return the name of a value of a field; the value itself where it has none."""
        return value_text(self.procedure.fields.get(field), value).in_(self.lang)

    def when(self, at: datetime | None) -> str:
        """Return an instant on the clock of the answer; nothing for None."""
        return "" if at is None else self.written(at, self.zone)

    def length(self, length: timedelta, limit: str = "") -> str:
        """Return the wording of a length of time on the clock of a limit."""
        families = set(self._families(limit))
        is_working = bool(families) and families <= {"working", "working_days"}
        return duration(length, working=is_working).in_(self.lang)

    def is_over_at_once(self, limit: str) -> bool:
        """Return whether a limit that ended late by nothing ended as it was due.

        So it is where the instance moves by itself then, or the clock never stands still.
        """
        declared = self.procedure.time_limits.get(limit)
        return declared is not None and (
            declared.on_overdue is not None or set(self._families(limit)) <= {"elapsed"}
        )

    def status(self, instance: Instance) -> str:
        """Return the wording of an instance's status; of an ended one its outcome."""
        if instance.status == "ended":
            return word(OUTCOMES, instance.outcome).in_(self.lang)
        return word(STATUSES, instance.status).in_(self.lang)

    def _name(self, declared: Mapping[str, Step | Role | Certificate | TimeLimit | Field], key: str) -> str:
        """Return the name of what is declared under a key; the key where it has none."""
        return (declared[key].name.in_(self.lang) if key in declared else "") or key

    def _families(self, limit: str) -> Iterator[Family]:
        """Yield the clocks that the rows of a limit run on; where they differ, a length is one of elapsed time."""
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


NamesOf = Callable[[str, int], ProcedureNames]
"""A function that returns the names of a procedure and version."""


def names_of(engine: Engine, procedure: str, version: int, lang: Tongue) -> ProcedureNames:
    """Return the names of a procedure of the engine's catalog. Raises: UnknownProcedure, UnknownCalendar."""
    declared = engine.catalog[procedure, version]
    return ProcedureNames(declared, lang, calendars_of(engine.catalog)(declared.calendar).timezone)


def versions_of(entries: Iterable[Instance | Deviation | WorkItem]) -> set[tuple[str, int]]:
    """Return the procedures and versions of the entries of a list."""
    return {(entry.procedure, entry.version) for entry in entries}


def names_in(engine: Engine, versions: Iterable[tuple[str, int]], lang: Tongue) -> NamesOf:
    """Return the names of these versions, with the instants of all on one clock.

    A version that the catalog has no more gets the names of the newest. Raises: as `names_of`.
    """
    names = {
        (procedure, version): names_of(engine, procedure, _kept(engine, procedure, version), lang)
        for procedure, version in versions
    }
    zone = shared_zone(each.zone for each in names.values())
    on_one_clock = {key: attrs.evolve(each, zone=zone) for key, each in names.items()}
    return lambda procedure, version: on_one_clock[procedure, version]


def names_along(engine: Engine, names: ProcedureNames) -> NamesOf:
    """Return the names of any version, with instants on the clock of `names`."""

    @cache
    def names_at(procedure: str, version: int) -> ProcedureNames:
        recorded = names_of(engine, procedure, _kept(engine, procedure, version), names.lang)
        return attrs.evolve(recorded, zone=names.zone)

    return names_at


def _kept(engine: Engine, procedure: str, version: int) -> int:
    """Return the version, or the newest where the catalog has it no more."""
    return version if (procedure, version) in engine.catalog else engine.catalog[procedure].version
