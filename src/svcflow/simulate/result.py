"""The result of a simulation: figures with what they rest on, and the journals they were read from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

import attrs

from svcflow.kernel.facts import Fact
from svcflow.model.procedure import Procedure
from svcflow.model.scenario import Scenario
from svcflow.simulate.measures import Breaches, Durations, PoolUse, Spread
from svcflow.text import Lang, Text

__all__ = ["Simulation"]


@attrs.frozen(kw_only=True, eq=False)
class Simulation:
    """Hold what a simulated situation came to.

    `breaches` is by limit, `deviations` by kind, `steps` by step, `pools` by role; `whole` is the time of
    instances that ended, None when none did. `finished_at` is the instant of the last event.
    """

    procedure: Procedure
    scenario: Scenario
    seed: int
    instances: int
    ended: int
    started_at: datetime
    finished_at: datetime
    events: int
    breaches: Mapping[str, Breaches]
    deviations: Mapping[str, int]
    whole: Durations | None
    steps: Mapping[str, Durations]
    pools: Mapping[str, PoolUse]
    assumptions: tuple[Text, ...]
    _journals: Mapping[str, tuple[Fact, ...]] = attrs.field(repr=False)

    @property
    def still_open(self) -> int:
        """How many instances had not ended when nothing more could happen."""
        return self.instances - self.ended

    def journals(self) -> Mapping[str, tuple[Fact, ...]]:
        """Return the facts of every instance by its id, as production would have recorded them."""
        return self._journals

    def table(self, lang: Lang = "en") -> str:
        """Return the result as plain text for a terminal."""
        from svcflow.simulate.table import table  # noqa: PLC0415  # it reads this class

        return table(self, lang)

    def to_json(self) -> str:
        """Return the figures as JSON: times in seconds, instants in ISO 8601; the journals are not in it."""
        return json.dumps(self._figures(), ensure_ascii=False)

    def _figures(self) -> dict[str, object]:
        return {
            "procedure": self.procedure.id,
            "version": self.procedure.version,
            "scenario": self.scenario.id,
            "seed": self.seed,
            "instances": self.instances,
            "ended": self.ended,
            "still_open": self.still_open,
            "started_at": self.started_at.isoformat(),
            "finished_at": self.finished_at.isoformat(),
            "breaches": {name: _breaches(one) for name, one in self.breaches.items()},
            "deviations": dict(self.deviations),
            "whole": _durations(self.whole),
            "steps": {name: _durations(one) for name, one in self.steps.items()},
            "pools": {role: _pool(one) for role, one in self.pools.items()},
            "assumptions": [{"zh": text.zh, "en": text.en} for text in self.assumptions],
        }


def _breaches(one: Breaches) -> dict[str, object]:
    return {"judged": one.judged, "breached": one.breached, "rate": one.rate, "interval": one.interval}


def _durations(one: Durations | None) -> dict[str, object] | None:
    return None if one is None else {"elapsed": _spread(one.elapsed), "working": _spread(one.working)}


def _spread(one: Spread) -> dict[str, object]:
    return {
        "count": one.count,
        "mean": _seconds(one.mean),
        "p50": _seconds(one.p50),
        "p90": _seconds(one.p90),
        "p95": _seconds(one.p95),
    }


def _pool(one: PoolUse) -> dict[str, object]:
    return {
        "capacity": one.capacity,
        "calendar": one.calendar,
        "served": one.served,
        "utilisation": one.utilisation,
        "mean_waiting": _seconds(one.mean_waiting),
        "p95_waiting": _seconds(one.p95_waiting),
    }


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()
