"""Small procedures and scenarios that the tests of the simulation share."""

from __future__ import annotations

from svcflow.model.catalog import Catalog
from svcflow.model.procedure import Procedure, Role
from svcflow.model.scenario import Arrivals, Branching, Duration, Pool, Scenario
from svcflow.model.step import Step, Transition
from svcflow.worktime import WorkCalendar, shipped_calendar

SHIPPED = Catalog.shipped()
SITUATIONS = [
    (procedure, scenario)
    for procedure in SHIPPED
    for scenario in (None, *(s for s in SHIPPED.scenarios.values() if s.procedure == procedure.id))
]
OFFICE = WorkCalendar.from_mapping(
    {"calendar": "office", "timezone": "UTC", "weekly": {"mon-fri": ["08:30-12:00", "13:30-17:30"]}}
)
DONE = Step("done", end="completed")


def calendars(name):
    return OFFICE if name == "office" else shipped_calendar(name)


def one_step(*, calendar="always", fields=(), **step):
    """Return a procedure whose only work is the step `serve`, by clerks."""
    serve = Step("serve", role="clerk", to=(Transition("finish", "done"),), **step)
    return Procedure(
        id="desk", calendar=calendar, roles=(Role("clerk"), Role("boss")), steps=(serve, DONE), fields=fields
    )


def procedure(*steps, calendar="always", roles=("clerk", "boss"), **rest):
    return Procedure(
        id="desk", calendar=calendar, roles=[Role(r) for r in roles], steps=(*steps, DONE), **rest
    )


def situation(*, between="10m", pools=None, exits=None, arrivals=None, every=None, **durations):
    """Return a scenario of the procedure `desk`: exponential arrivals or `every` so often; times as given."""
    gap = Duration(distribution="constant", value=every) if every else exponential(between)
    return Scenario(
        id="case",
        procedure="desk",
        arrivals=Arrivals(between=gap, calendar=arrivals),
        durations={name: constant(d) if isinstance(d, str) else d for name, d in durations.items()},
        exits={name: Branching(shares=shares) for name, shares in (exits or {}).items()},
        pools=pools if pools is not None else {"clerk": Pool(capacity=1, calendar="always")},
    )


def constant(value):
    return Duration(distribution="constant", value=value)


def exponential(mean):
    return Duration(distribution="exponential", mean=mean)
