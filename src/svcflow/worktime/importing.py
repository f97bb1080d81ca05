"""Calendars of other countries, from the PyPI package `holidays`.

Years that the package only guesses are refused. Public holidays and make-up days are imported; office hours are given, since they differ from house to house.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from svcflow.errors import CalendarCoverageError, DeclarationError, MissingExtra, Problem, UnknownCalendar
from svcflow.text import Text
from svcflow.worktime.calendar import WorkCalendar

if TYPE_CHECKING:
    from holidays import HolidayBase

__all__ = ["import_calendar"]

WEEKLY: Mapping[str, Sequence[str]] = {"mon-fri": ("09:00-12:00", "13:00-17:00")}


def import_calendar(
    country: str,
    years: Iterable[int],
    *,
    timezone: str,
    subdivision: str | None = None,
    weekly: Mapping[str, Sequence[str]] = WEEKLY,
    name: str | None = None,
) -> dict[str, object]:
    """Return the mapping of a calendar file for a country (ISO 3166 code) and consecutive years.

    Raises: MissingExtra; UnknownCalendar when the package does not know the country; CalendarCoverageError
    when a year is only guessed: estimated dates, or an arrangement its government has not published yet.
    DeclarationError when the hours or the time zone are wrong.
    """
    package = _package()
    wanted = sorted(set(years))
    if not wanted or wanted != list(range(wanted[0], wanted[-1] + 1)):
        listed = ", ".join(map(str, wanted)) or "—"
        message = Text(zh=f"年份须相连：{listed}", en=f"the years must follow each other: {listed}")
        raise DeclarationError([Problem(("covers",), message)])
    holidays: list[dict[str, object]] = []
    makeup: list[dict[str, object]] = []
    for year in wanted:
        of_year = _holidays_of(package, country, subdivision, year)
        holidays += [{"date": day, "name": text} for day, text in sorted(of_year.items()) if day.year == year]
        makeup += [
            {"date": day, "name": {"zh": "调休上班", "en": "Make-up working day"}}
            for day in sorted(_workdays(of_year))
            if day.year == year
        ]
    makeup_days = {entry["date"] for entry in makeup}
    mapping: dict[str, object] = {
        "calendar": name or "_".join(part.lower() for part in (country, subdivision) if part),
        "timezone": timezone,
        "weekly": {days: list(hours) for days, hours in weekly.items()},
        "covers": {"from": date(wanted[0], 1, 1), "to": date(wanted[-1], 12, 31)},
        "holidays": [entry for entry in holidays if entry["date"] not in makeup_days],
        "makeup": makeup,
        "source": f"PyPI holidays {package.__version__}, {country}{f'-{subdivision}' if subdivision else ''}",
    }
    WorkCalendar.from_mapping(mapping)
    return mapping


def _package() -> Any:
    try:
        import holidays  # noqa: PLC0415  # an optional extra
    except ImportError:
        message = Text(zh="导入外国日历需要 holidays", en="importing a country's calendar needs holidays")
        raise MissingExtra("calendars", message) from None
    return holidays


def _holidays_of(package: Any, country: str, subdivision: str | None, year: int) -> HolidayBase:
    try:
        holidays: HolidayBase = package.country_holidays(country, subdiv=subdivision, years=year)
    except NotImplementedError as error:
        raise UnknownCalendar(
            Text(
                zh=f"holidays 不认识 {country} {subdivision or ''}：{error}",
                en=f"holidays does not know it: {error}",
            ),
            Text(
                zh="写 ISO 3166 代码，如 CN、DE；地区如 BY",
                en="write an ISO 3166 code: CN, DE; a part such as BY",
            ),
        ) from None
    guess = next(_guesses(holidays, country, year), None)
    if guess is not None:
        remedy = Text(zh="等正式公布后再导入", en="import it once it has been published")
        raise CalendarCoverageError(guess, remedy)
    return holidays


def _guesses(holidays: HolidayBase, country: str, year: int) -> Iterator[Text]:
    """Yield why the package only guesses a year."""
    if not any(day.year == year for day in holidays):
        yield Text(
            zh=f"holidays 没有 {country} {year} 年的数据", en=f"holidays has no data on {country} for {year}"
        )
    label = str(holidays.estimated_label) if getattr(holidays, "estimated_label", None) else "%s (estimated)"
    mark = label.replace("%s", "").strip()
    guessed = [
        day.isoformat() for day, text in sorted(holidays.items()) if mark in text or "(estimated)" in text
    ]
    if guessed:
        listed = ", ".join(guessed)
        yield Text(
            zh=f"{country} {year} 年的 {listed} 只是估计",
            en=f"{listed} of {country} {year} are only estimated",
        )
    published = getattr(holidays, "special_public_holidays", None) or {}
    if getattr(holidays, "has_substituted_holidays", False) and year not in published:
        yield Text(
            zh=f"{country} {year} 年的放假调休安排尚未公布",
            en=f"the arrangement of days off and make-up days of {country} for {year} is not published yet",
        )


def _workdays(holidays: HolidayBase) -> set[date]:
    return set(getattr(holidays, "weekend_workdays", ()))
