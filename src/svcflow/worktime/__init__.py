"""Working time: calendars of open hours, and exact arithmetic with them."""

from svcflow.worktime.calendar import ClosedDay, WorkCalendar
from svcflow.worktime.rules import Coverage
from svcflow.worktime.shipped_calendars import shipped_calendar, shipped_names

__all__ = ["ClosedDay", "Coverage", "WorkCalendar", "shipped_calendar", "shipped_names"]
