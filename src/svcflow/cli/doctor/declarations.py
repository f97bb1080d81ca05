"""Probes of declarations: procedures, calendars, and for how long these still cover the present."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from svcflow.cli.catalog import catalog_at
from svcflow.cli.doctor.probe import Probe, plain
from svcflow.errors import DeclarationError, SvcflowError
from svcflow.kernel.compiled import calendars_of
from svcflow.text import Text
from svcflow.wording import many
from svcflow.worktime import WorkCalendar, shipped_names

__all__ = ["calendar", "declarations"]

_SOON = timedelta(days=60)


def declarations(folder: str | None, today: date) -> Iterator[Probe]:
    """Yield the findings about procedures and calendars."""
    name = Text(zh="流程", en="Procedures")
    try:
        catalog = catalog_at(folder)
    except DeclarationError as error:
        remedy = Text(zh="见 svcflow check", en="see svcflow check")
        yield Probe("procedures", name, "failure", error.message, remedy)
        return
    listed = ", ".join(f"{procedure.id} v{procedure.version}" for procedure in catalog)
    yield Probe(
        "procedures",
        name,
        "ok",
        plain(listed or "—"),
        data={"procedures": [procedure.id for procedure in catalog]},
    )
    look_up = calendars_of(catalog)
    for known in sorted({*shipped_names(), *catalog.calendars}):
        try:
            yield calendar(look_up(known), today)
        except SvcflowError as error:
            yield Probe(f"calendar-{known}", _name(known), "failure", error.message, error.remedy)


def calendar(probed: WorkCalendar, today: date) -> Probe:
    """Probe how far a calendar reaches: limits that end beyond its coverage cannot be computed."""
    covers = probed.covers
    zone = probed.timezone.key
    if covers is None:
        message = Text(zh=f"{zone}，不限期", en=f"{zone}, without end")
        return Probe(f"calendar-{probed.id}", _name(probed.id), "ok", message, data={"covers": None})
    left = covers.last - today
    message = Text(
        zh=f"{zone}，{covers.first} 至 {covers.last}", en=f"{zone}, {covers.first} to {covers.last}"
    )
    data = {"covers": [covers.first.isoformat(), covers.last.isoformat()], "days_left": left.days}
    if left >= _SOON:
        return Probe(f"calendar-{probed.id}", _name(probed.id), "ok", message, data=data)
    ended = left < timedelta(0)
    tail = Text(
        zh="，已到期" if ended else f"，还剩 {left.days} 天",
        en=", it has ended" if ended else f", {many(left.days, 'day')} left",
    )
    remedy = Text(
        zh="升级 svcflow，或在流程文件夹中放一份同名日历，写入新一年的安排",
        en="upgrade svcflow, or put a calendar of that name with the new year into your procedures folder",
    )
    reach = Text(zh=message.zh + tail.zh, en=message.en + tail.en)
    return Probe(f"calendar-{probed.id}", _name(probed.id), "warning", reach, remedy, data)


def _name(calendar: str) -> Text:
    return Text(zh=f"日历 {calendar}", en=f"Calendar {calendar}")
