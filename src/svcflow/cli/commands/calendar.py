"""Commands of work calendars: `svcflow calendar show`, `import`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from svcflow.bounds import FIRST_DAY, LAST_DAY
from svcflow.cli.catalog import catalog_at
from svcflow.cli.command import CommandGroup, command, option
from svcflow.cli.errors import WrongUsage
from svcflow.cli.options import out_option, with_form, with_procedures
from svcflow.cli.output import write_whole
from svcflow.cli.session import CommandSession
from svcflow.text import Text


@command(
    "show",
    Text(
        zh="显示日历的一年：工作日、节假日与调休上班日；用 -o 画成 SVG 或 PNG。",
        en="Show a year of a calendar: working days, holidays and make-up days; -o draws it as SVG or PNG.",
    ),
    "svcflow calendar show cn_office 2026",
    "svcflow calendar show cn_office 2026 -o 2026.svg --lang zh",
)
@click.argument("name", metavar="NAME")
@click.argument("year", type=click.IntRange(FIRST_DAY.year, LAST_DAY.year))
@out_option(zh="输出文件（.svg 或 .png）", en="Draw it into this file (.svg or .png).")
@with_procedures
def show(session: CommandSession, *, name: str, year: int, out: Path | None) -> None:
    """Show or draw a year of a calendar."""
    from svcflow.cli.calendar_year import year_json, year_text
    from svcflow.drawing.calendar_year import Year
    from svcflow.kernel.compiled import calendars_of

    days = Year.of(calendars_of(catalog_at(session.folder))(name), year)
    if out is not None:
        target = write_whole(out, lambda path: days.save(path, lang=session.lang))
        session.answer(lambda: {**year_json(days), "file": str(target)}, lambda: str(target))
        return
    coloured = sys.stdout.isatty() and _has_rich()
    session.answer(
        lambda: year_json(days), lambda: year_text(days, session.lang, coloured=coloured), styled=coloured
    )


@command(
    "import",
    Text(
        zh="从 PyPI 的 holidays 导入一国的节假日，写成日历文件。只是估计的年份不予导入。",
        en="Import a country's holidays from the PyPI package holidays and write a calendar file. Years that the "
        "package only guesses are refused.",
    ),
    "svcflow calendar import --country DE --subdivision BY --year 2026 --year 2027 \\",
    "    --timezone Europe/Berlin",
    "svcflow calendar import --country JP --year 2026 --timezone Asia/Tokyo -o jp.yaml",
)
@option("--country", required=True, metavar="CODE", zh="国家代码，如 DE", en="ISO 3166 code, such as DE.")
@option("--subdivision", metavar="CODE", zh="地区代码，如 BY", en="A part of the country, such as BY.")
@option(
    "--year",
    "years",
    type=click.IntRange(FIRST_DAY.year, LAST_DAY.year),
    multiple=True,
    required=True,
    zh="年份，可重复",
    en="A year; repeat for more.",
)
@option(
    "--timezone",
    required=True,
    metavar="ZONE",
    zh="时区，如 Europe/Berlin",
    en="Time zone, such as Europe/Berlin.",
)
@option(
    "--hours",
    default="09:00-12:00,13:00-17:00",
    show_default=True,
    metavar="HH:MM-HH:MM,…",
    zh="周一至周五的开放时间",
    en="Open hours, Monday to Friday.",
)
@option("--name", metavar="ID", zh="日历名；缺省为国家代码", en="Name of the calendar; default: the code.")
@out_option(zh="输出文件；缺省为 ID.yaml", en="Where to write; default: ID.yaml in this folder.")
@with_form
def import_(
    session: CommandSession,
    *,
    country: str,
    subdivision: str | None,
    years: tuple[int, ...],
    timezone: str,
    hours: str,
    name: str | None,
    out: Path | None,
) -> None:
    """Import the holidays of a country."""
    from svcflow.drawing.calendar_year import Year
    from svcflow.worktime import WorkCalendar
    from svcflow.worktime.importing import import_calendar

    _check_gap(years)
    mapping = import_calendar(
        country.upper(),
        years,
        timezone=timezone,
        subdivision=subdivision,
        weekly={"mon-fri": hours.split(",")},
        name=name,
    )
    target = write_whole(out or Path(f"{mapping['calendar']}.yaml"), lambda path: _dump(mapping, path))
    calendar = WorkCalendar.from_mapping(mapping)
    days = [day for year in years for day in Year.of(calendar, year).days]
    holidays, makeup = (sum(day.kind == kind for day in days) for kind in ("holiday", "makeup"))
    record = {"file": str(target), "holidays": holidays, "makeup": makeup}
    text = Text(
        zh=f"{target}：{holidays} 天节假日，{makeup} 天调休上班",
        en=f"{target}: {holidays} holidays, {makeup} make-up days",
    )
    session.answer(lambda: record, lambda: text.in_(session.lang))


def _check_gap(years: tuple[int, ...]) -> None:
    """Check that no year is left out: a calendar covers one span, in which it would have no holidays.

    Raises: WrongUsage.
    """
    gap = sorted({*range(min(years), max(years))} - {*years})
    if gap:
        listed = ", ".join(map(str, gap))
        raise WrongUsage(
            Text(zh=f"年份不连续，缺 {listed}", en=f"the years have a gap: {listed}"),
            Text(zh="补上这些年份，或分别导入", en="name those years too, or import the others apart"),
        )


def _dump(mapping: dict[str, object], path: Path) -> None:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.default_flow_style = None
    yaml.width = 110
    yaml.dump(mapping, path)


def _has_rich() -> bool:
    from importlib.util import find_spec

    return find_spec("rich") is not None


calendar = CommandGroup(
    "calendar",
    Text(
        zh="工作日历：查看、绘图、导入。",
        en="Work calendars: show a year, draw it, import a country's holidays.",
    ),
    {"show": show, "import": import_},
)
