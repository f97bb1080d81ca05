"""Where the kernel's calendars come from: the catalog's own first, then those shipped."""

from __future__ import annotations

from functools import cache

from svcflow.kernel.compiled import Calendars
from svcflow.model.catalog import Catalog
from svcflow.worktime.calendar import WorkCalendar
from svcflow.worktime.shipped import shipped_calendar


def calendars_of(catalog: Catalog) -> Calendars:
    """Return the look-up of calendars by name for one catalog.

    The look-up raises UnknownCalendar, or DeclarationError when the calendar's document is wrong.
    """

    @cache
    def look_up(name: str) -> WorkCalendar:
        if name in catalog.calendars:
            return catalog.calendar_document(name).build(WorkCalendar.from_mapping)
        return shipped_calendar(name)

    return look_up
