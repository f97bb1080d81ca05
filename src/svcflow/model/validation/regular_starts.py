"""Rules of regular starts: a rhythm that says which days it means, data that fit the fields."""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

from svcflow.bounds import LAST_DAY
from svcflow.errors import FieldError, Path, Problem
from svcflow.model.procedure_parts import ProcedureParts
from svcflow.model.regular_start import (
    LAST_OF_MONTH,
    MONTHS_A_YEAR,
    RHYTHM_UNITS,
    WEEK,
    WEEKDAYS,
    RegularStart,
)
from svcflow.model.validation.references import identifier, unknown
from svcflow.text import Text, is_blank


def regular_start_problems(procedure: ProcedureParts) -> Iterator[Problem]:
    """Yield the mistakes of all regular starts of a procedure."""
    used: Counter[str] = Counter()
    for place, start in enumerate(procedure.starts):
        path: Path = ("starts", place)
        yield from identifier(start.id, (*path, "id"))
        used[start.id] += 1
        if used[start.id] > 1:
            message = Text(
                zh=f"定期启动的名字 {start.id} 重复",
                en=f"the id {start.id!r} of a regular start is used twice",
            )
            yield Problem(path, message, Text(zh="给每项写不同的 id", en="give each an id of its own"))
        if start.every.unit not in RHYTHM_UNITS or not start.every.value:
            yield _no_rhythm(start, path)
        else:
            yield from _rhythm(start, path)
        yield from _instance(procedure, start, path)


def _no_rhythm(start: RegularStart, path: Path) -> Problem:
    every = start.every
    if not every.value:
        message = Text(zh=f"间隔不能为零：{every}", en=f"nothing lies between its occurrences: {every}")
        return Problem((*path, "every"), message, Text(zh="例如写 1mo", en="write for example 1mo"))
    if every.unit == "d" and every.value == every.value.to_integral_value():
        remedy = Text(
            zh=f"写 {every.value}cd（自然日）或 {every.value}wd（工作日）",
            en=f"write {every.value}cd (calendar days) or {every.value}wd (working days)",
        )
    else:
        remedy = Text(
            zh="写 1wd（每个工作日）、1cd、7cd（每周）、1mo 或 1y",
            en="write 1wd (every working day), 1cd, 7cd (every week), 1mo or 1y",
        )
    message = Text(
        zh=f"定期启动按日、月、年计，不能是 {every}",
        en=f"a regular start counts days, months or years, not {every}",
    )
    return Problem((*path, "every"), message, remedy)


def _rhythm(start: RegularStart, path: Path) -> Iterator[Problem]:
    """Yield keys that contradict the rhythm or each other, or the lack of one that says which days are meant."""
    months = start.every.family == "months"
    if start.on is not None and not start.weeks:
        yield _out_of_place("on", start, path, Text(zh="按周计的（7cd、14cd）", en="weeks (7cd, 14cd)"))
    if start.day is not None and not months:
        yield _out_of_place("day", start, path, Text(zh="按月或年计的", en="months or years"))
    if start.day is not None and start.day > LAST_OF_MONTH:
        message = Text(zh=f"一个月没有 {start.day} 日", en=f"no month has a day {start.day}")
        remedy = Text(zh="写 1 至 31；31 为月末", en="write 1 to 31; 31 is the last day of each month")
        yield Problem((*path, "day"), message, remedy)
    elif start.from_ is None:
        yield from _no_first_day(start, path)
    else:
        yield from _other_first_day(start, start.from_, path)
    if start.closed_day != "next" and start.every.family == "working_days":
        yield Problem(
            (*path, "closed_day"),
            Text(
                zh="按工作日计的不会落在非工作日", en="a rhythm of working days never falls on a closed day"
            ),
            Text(zh="去掉 closed_day，或写 1cd", en="drop 'closed_day', or write 1cd"),
        )


def _out_of_place(key: str, start: RegularStart, path: Path, of: Text) -> Problem:
    message = Text(
        zh=f"{key} 用于{of.zh}间隔，不用于 {start.every}",
        en=f"{key!r} belongs to a rhythm of {of.en}, not to {start.every}",
    )
    return Problem(
        (*path, key), message, Text(zh=f"去掉 {key}，或改 every", en=f"drop {key!r}, or change 'every'")
    )


def _no_first_day(start: RegularStart, path: Path) -> Iterator[Problem]:
    """Yield a mistake where nothing says from which day the occurrences are counted."""
    amount = start.every.count
    if start.every.family == "months":
        if MONTHS_A_YEAR % amount:
            yield _uncounted(start, path)
    elif amount == WEEK and start.every.family == "calendar_days":
        if start.on is None:
            message = Text(zh="没有说是星期几", en="it does not say on which day of the week")
            yield Problem(path, message, Text(zh="加 on: mon", en="add on: mon"))
    elif amount > 1:
        yield _uncounted(start, path)


def _uncounted(start: RegularStart, path: Path) -> Problem:
    message = Text(
        zh=f"每 {start.every} 从哪一天数起没有说",
        en=f"it does not say from which day {start.every} are counted",
    )
    return Problem(path, message, Text(zh="加 from: 首日", en="add from: the first day"))


def _other_first_day(start: RegularStart, first: date, path: Path) -> Iterator[Problem]:
    """Yield a mistake where the first day is none of the days that `on` or `day` names."""
    if start.on is not None and start.weeks and first.weekday() != WEEKDAYS.index(start.on):
        ahead = (WEEKDAYS.index(start.on) - first.weekday()) % WEEK
        yield _disagrees(f"on: {start.on}", first, min(first + timedelta(days=ahead), LAST_DAY), path)
    if start.day is not None and start.every.family == "months" and first.day != _day_in(first, start.day):
        yield _disagrees(f"day: {start.day}", first, _next_on(first, start.day), path)


def _disagrees(key: str, first: date, fitting: date, path: Path) -> Problem:
    message = Text(zh=f"from: {first} 与 {key} 不一致", en=f"from: {first} and {key} do not agree")
    return Problem((*path, "from"), message, Text(zh=f"写 from: {fitting}", en=f"write from: {fitting}"))


def _day_in(month: date, day: int) -> int:
    return min(day, monthrange(month.year, month.month)[1])


def _next_on(first: date, day: int) -> date:
    """Return the first date from `first` on that is this day of its month."""
    here = first.replace(day=_day_in(first, day))
    if here >= first:
        return here
    following = date(first.year + first.month // MONTHS_A_YEAR, first.month % MONTHS_A_YEAR + 1, 1)
    return following.replace(day=_day_in(following, day))


def _instance(procedure: ProcedureParts, start: RegularStart, path: Path) -> Iterator[Problem]:
    """Yield what cannot be the data, actor or function of an instance."""
    if start.for_ is not None:
        yield from identifier(start.for_, (*path, "for"))
    if start.actor and is_blank(start.actor):
        message = Text(zh="actor 是空白", en="'actor' is blank")
        yield Problem(
            (*path, "actor"), message, Text(zh="去掉 actor，或写名字", en="drop it, or write a name")
        )
    for name, value in start.data.items():
        field = procedure.fields.get(name)
        if field is None:
            yield unknown((*path, "data", name), "字段", "field", name, procedure.fields)
            continue
        if field.personal:
            yield _somebodys_own(name, (*path, "data", name))
        try:
            field.accept(value)
        except FieldError as error:
            yield Problem((*path, "data", name), error.message, error.remedy)
    lacking = [
        name
        for name, field in procedure.fields.items()
        if field.required and field.default is None and start.data.get(name) is None
    ]
    if lacking and start.for_ is None:
        listed = ", ".join(lacking)
        message = Text(zh=f"缺少必填字段：{listed}", en=f"required fields are missing: {listed}")
        remedy = Text(
            zh="写在 data 里，或写 for，由所名的函数给出",
            en="give them under 'data', or write 'for', whose function gives them",
        )
        yield Problem(path, message, remedy)


def _somebodys_own(name: str, path: Path) -> Problem:
    message = Text(
        zh=f"{name} 是个人信息，写在流程里便不能抹去",
        en=f"{name} is personal data, which could not be erased from a procedure",
    )
    return Problem(
        path, message, Text(zh="写 for，由所名的函数给出", en="write 'for', whose function gives it")
    )
