"""Wording of terms, amounts, lengths of time and instants for people, in Chinese and English.

Values of Python go in and texts come out; what is worded from a declaration (a target, a rung, fields) stands in
`svcflow.model.wording`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Literal

from svcflow.text import Text

if TYPE_CHECKING:
    from decimal import Decimal


HOLDS: Mapping[str, Text] = {
    "recipient": Text(zh="服务对象原因", en="waiting for the recipient"),
    "third_party": Text(zh="第三方原因", en="waiting for a third party"),
    "statutory": Text(zh="法定事由", en="a statutory procedure"),
}
OUTCOMES: Mapping[str, Text] = {
    "completed": Text(zh="办结", en="completed"),
    "done": Text(zh="完成", en="done"),
    "rejected": Text(zh="不予办理", en="rejected"),
    "cancelled": Text(zh="已取消", en="cancelled"),
}
CHILD_STATES: Mapping[str, Text] = {
    "requested": Text(zh="待开始", en="to be started"),
    "running": Text(zh="办理中", en="running"),
    "ended": Text(zh="已结束", en="ended"),
}
GROUPS: Mapping[str, Text] = {
    "leaders": Text(zh="领导", en="leaders"),
    "staff": Text(zh="职工", en="staff"),
    "retirees": Text(zh="离退休人员", en="retirees"),
    "logistics": Text(zh="后勤人员", en="logistics"),
}
AREAS: Mapping[str, Text] = {
    "assets": Text(zh="资产", en="Assets"),
    "property": Text(zh="物业", en="Property"),
    "vehicles": Text(zh="车辆", en="Vehicles"),
    "construction": Text(zh="基建", en="Construction"),
    "catering": Text(zh="餐饮会务", en="Catering"),
    "staff": Text(zh="人员", en="Staff"),
    "all": Text(zh="通用", en="All areas"),
}
TRANSITIONS: Mapping[str, Text] = {
    "main": Text(zh="主线", en="main line"),
    "normal": Text(zh="分支", en="other way"),
    "exception": Text(zh="异常", en="exception"),
    "rework": Text(zh="返工", en="rework"),
}
STATUSES: Mapping[str, Text] = {
    "running": Text(zh="办理中", en="running"),
    "held": Text(zh="暂停", en="held"),
    "ended": Text(zh="已结束", en="ended"),
}
CASE_STATUSES: Mapping[str, Text] = {
    "ended": STATUSES["ended"],
    "open": Text(zh="未结束", en="open"),
    "broken_off": Text(zh="中断", en="broken off"),
    "empty": Text(zh="无可用事件", en="empty"),
}
"""How a case of an event log stands after its replay."""
LIMIT_STATES: Mapping[str, Text] = {
    "pending": Text(zh="待定时间", en="not scheduled yet"),
    "running": Text(zh="计时中", en="running"),
    "reached": Text(zh="已满时限", en="minimum reached"),
    "early": Text(zh="不足时限", en="ended too early"),
    "paused": Text(zh="停止计时", en="paused"),
    "lapsed": Text(zh="时间已过，未到达不计", en="time over, not owed"),
    "overdue": Text(zh="已超时", en="overdue"),
    "met": Text(zh="按时", en="met"),
    "late": Text(zh="逾期完成", en="late"),
    "cancelled": Text(zh="不再适用", en="cancelled"),
}
LIMIT_FATES: Mapping[str, Text] = {
    "kept": Text(zh="保持", en="kept"),
    "moved": Text(zh="改期", en="moved"),
    "ended": Text(zh="取消", en="ended"),
    "started": Text(zh="起算", en="started"),
}
"""What a migration makes of a limit."""
DEVIATIONS: Mapping[str, Text] = {
    "overdue": Text(zh="超时", en="overdue"),
    "long_wait": Text(zh="等待过久", en="waited too long"),
    "skipped_step": Text(zh="跳过环节", en="skipped step"),
    "out_of_order": Text(zh="次序不符", en="out of order"),
    "wrong_role": Text(zh="岗位不符", en="wrong role"),
    "missing_evidence": Text(zh="缺少凭证", en="missing evidence"),
    "missing_data": Text(zh="缺少信息", en="missing data"),
    "rework_over_bound": Text(zh="返工超次", en="rework over its bound"),
    "guard": Text(zh="条件不符", en="guard not met"),
    "too_early": Text(zh="不足时限", en="ended too early"),
    "missed_occurrence": Text(zh="漏做", en="missed occurrence"),
    "breached_on_attach": Text(zh="改定时已超时", en="breached when it was set"),
    "short_notice": Text(zh="预约过迟", en="short notice"),
    "infeasible_on_reschedule": Text(zh="改期致不可行", en="infeasible after rescheduling"),
    "late_record": Text(zh="补录", en="recorded late"),
    "missed_start": Text(zh="漏启动", en="missed start"),
    "settled_value_changed": Text(zh="改动已定之值", en="settled value changed"),
    "unqualified": Text(zh="未持有效证书", en="not qualified"),
}
RULES: Mapping[str, Text] = {
    "role": Text(zh="岗位与回避", en="role, four eyes"),
    "evidence": Text(zh="凭证", en="evidence"),
    "requires": Text(zh="附带信息", en="data with the move"),
    "order": Text(zh="次序", en="order"),
    "guard": Text(zh="条件", en="conditions"),
    "rework": Text(zh="返工次数", en="bounds of rework"),
    "settled": Text(zh="既定的值", en="settled values"),
    "start": Text(zh="提前量", en="notice"),
}
"""Rules whose breach is refused or recorded."""
ENFORCEMENTS: Mapping[str, Text] = {
    "refuse": Text(zh="拒绝办理", en="refused"),
    "record": Text(zh="记录偏差", en="recorded"),
}
"""What a breach of a rule does."""
FIELD_TYPES: Mapping[str, Text] = {
    "choice": Text(zh="选项", en="choice"),
    "text": Text(zh="文字", en="text"),
    "number": Text(zh="数字", en="number"),
    "instant": Text(zh="时刻", en="instant"),
    "boolean": Text(zh="是否", en="yes or no"),
    "rating": Text(zh="五级评价", en="rating in five grades"),
}
STRENGTHS: Mapping[str, Text] = {
    "law": Text(zh="法律法规", en="law or regulation"),
    "ministry_rule": Text(zh="部门规章", en="ministry rule"),
    "technical_code": Text(zh="技术规范", en="technical code"),
    "local_statute": Text(zh="地方性法规", en="local statute"),
    "unit_rule": Text(zh="本单位制度", en="rule of the unit"),
    "template": Text(zh="示范文本", en="template"),
    "proposal": Text(zh="自拟", en="proposal"),
}
"""How strongly a source binds, from the strongest."""
READINGS: Mapping[str, Text] = {
    "original": Text(zh="据原文", en="read in the original"),
    "excerpt": Text(zh="据摘录", en="read in an excerpt"),
    "quotation": Text(zh="据引文", en="read in a quotation"),
}
"""How a source was read."""
SUBJECTS: Mapping[str, Text] = {"unit": Text(zh="单位", en="unit"), "place": Text(zh="地点", en="place")}
"""What a field may stand for."""
COUNTED: Mapping[str, Text] = {
    "met": Text(zh="按时", en="met"),
    "late": Text(zh="逾期", en="late"),
    "judged": Text(zh="已判定", en="judged"),
    "started": Text(zh="已开始", en="started"),
    "ended": Text(zh="已结束", en="ended"),
    "rated": Text(zh="已评价", en="rated"),
    "instances": Text(zh="实例数", en="instances"),
    "occurrences": Text(zh="次数", en="occurrences"),
    "very_satisfied": Text(zh="非常满意", en="very satisfied"),
    "satisfied_or_better": Text(zh="满意及以上", en="satisfied or better"),
    "fair_or_better": Text(zh="基本满意及以上", en="fair or better"),
    "dissatisfied_or_worse": Text(zh="不满意及以下", en="dissatisfied or worse"),
}
"""What an indicator counts, above and below the line."""
DEVIATION_STATUSES: Mapping[str, Text] = {
    "open": Text(zh="未说明", en="open"),
    "explained": Text(zh="已说明", en="explained"),
    "accepted": Text(zh="已认可", en="accepted"),
    "rejected": Text(zh="不认可", en="rejected"),
}
SEVERITIES: Mapping[str, Text] = {
    "minor": Text(zh="一般", en="minor"),
    "major": Text(zh="较重", en="major"),
    "critical": Text(zh="严重", en="critical"),
    "error": Text(zh="错误", en="error"),
    "warning": Text(zh="警告", en="warning"),
    "note": Text(zh="提示", en="note"),
}
"""Severities of deviations, then those of findings."""
DELEGATION_STATUSES: Mapping[str, Text] = {
    "coming": Text(zh="未开始", en="coming"),
    "in_force": Text(zh="有效", en="in force"),
    "over": Text(zh="已到期", en="over"),
    "revoked": Text(zh="已撤回", en="revoked"),
}
DAYS: Mapping[str, Text] = {
    "open": Text(zh="工作日", en="working day"),
    "weekend": Text(zh="周休", en="weekly day off"),
    "holiday": Text(zh="休 节假日", en="H holiday"),
    "makeup": Text(zh="班 调休", en="W make-up day"),
    "hours": Text(zh="改 改时段", en="T other times"),
    "beyond": Text(zh="未公布", en="not published yet"),
}
"""Kinds of days in the year of a calendar, each behind its mark."""
DAY_MARKS: Mapping[str, Text] = {
    "holiday": Text(zh="休", en="H"),
    "makeup": Text(zh="班", en="W"),
    "hours": Text(zh="改", en="T"),
}
WEEKDAYS = (
    Text(zh="周一", en="Mon"),
    Text(zh="周二", en="Tue"),
    Text(zh="周三", en="Wed"),
    Text(zh="周四", en="Thu"),
    Text(zh="周五", en="Fri"),
    Text(zh="周六", en="Sat"),
    Text(zh="周日", en="Sun"),
)
"""From Monday, as `date.weekday` counts."""
WEEKDAY_HEADS = tuple(Text(zh=day.zh[1:], en=day.en[:2]) for day in WEEKDAYS)
"""Heads of the columns of a month: `一`, `Mo`."""
_STATUTORY = {
    "元旦": "New Year's Day",
    "春节": "Spring Festival",
    "清明节": "Qingming Festival",
    "劳动节": "Labour Day",
    "端午节": "Dragon Boat Festival",
    "中秋节": "Mid-Autumn Festival",
    "国庆节": "National Day",
    "调休": " make-up",
    "、": ", ",
}
"""The statutory holidays (全国年节及纪念日放假办法) in English, for calendars that name them in Chinese only."""
UNITS: Mapping[str, Text] = {
    "m": Text(zh="分钟", en="minute"),
    "h": Text(zh="小时", en="hour"),
    "d": Text(zh="天", en="day of 24 h"),
    "wm": Text(zh="个工作分钟", en="working minute"),
    "wh": Text(zh="个工作小时", en="working hour"),
    "wd": Text(zh="个工作日", en="working day"),
    "cd": Text(zh="个自然日", en="calendar day"),
    "mo": Text(zh="个月", en="month"),
    "y": Text(zh="年", en="year"),
}
"""Units of amounts as nouns; English ones in the singular."""
SHORT_UNITS: Mapping[str, Text] = {
    "s": Text(zh="秒", en="s"),
    "m": Text(zh="分", en="min"),
    "h": Text(zh="小时", en="h"),
    "d": Text(zh="天", en="d"),
    "wm": Text(zh="工作分", en="work min"),
    "wh": Text(zh="工作小时", en="work h"),
    "wd": Text(zh="工作日", en="working d"),
    "cd": Text(zh="自然日", en="calendar d"),
    "mo": Text(zh="个月", en="months"),
    "y": Text(zh="年", en="y"),
}
_SECOND = timedelta(seconds=1)

DurationForm = Literal["brief", "exact", "figure"]


def word(terms: Mapping[str, Text], key: str) -> Text:
    """Return the wording of a key; a key without one stands for itself."""
    return terms.get(key) or Text(key, key)


def plural(noun: str) -> str:
    """Return an English noun in the plural; what follows `of` stays.

    >>> plural("fact"), plural("day of 24 h")
    ('facts', 'days of 24 h')
    """
    head, of, rest = noun.partition(" of ")
    return f"{head}s{of}{rest}"


def many(number: int | Decimal, noun: str) -> str:
    """Return a number of things in English.

    >>> many(1, "fact"), many(2, "fact")
    ('1 fact', '2 facts')
    """
    return f"{number} {noun if number == 1 else plural(noun)}"


def day_count(number: int) -> Text:
    """Return a number of days, of whatever kind."""
    return Text(zh=f"{number}{UNITS['d'].zh}", en=many(number, "day"))


def amount(value: int | Decimal, unit: str) -> Text:
    """Return an amount of time in words; `unit` is one of `UNITS`.

    >>> amount(3, "wd").zh, amount(3, "wd").en, amount(1, "d").en
    ('3个工作日', '3 working days', '1 day of 24 h')
    """
    noun = UNITS[unit]
    return Text(zh=f"{value}{noun.zh}", en=many(value, noun.en))


def short_amount(value: int | Decimal, unit: str) -> Text:
    """Return an amount of time in the words that a drawing has room for; `unit` is one of `SHORT_UNITS`.

    >>> short_amount(15, "m").zh, short_amount(3, "wd").en
    ('15 分', '3 working d')
    """
    noun = SHORT_UNITS[unit]
    return Text(zh=f"{value} {noun.zh}", en=f"{value} {noun.en}")


def duration(length: timedelta, form: DurationForm = "brief", *, working: bool = False) -> Text:
    """Return a length of time in words, whatever its sign.

    `brief`, for tables and answers, is rounded to the minute, or to the second below one, and gives the two largest
    units that are not nought. `exact`, for explanations, gives hours, minutes and seconds, rounded up to the second.
    `figure`, for statistics, is one number: minutes below 100 of them, else hours with one decimal.

    `working` says that it is a length of open time, which is marked as such in the `brief` form; days are given of
    elapsed time only, since a working day has no fixed length.

    >>> duration(timedelta(hours=26, minutes=5)).en, duration(timedelta(minutes=90), working=True).zh
    ('1 d 2 h', '1小时30分（工作时间）')
    >>> duration(timedelta(seconds=3661), "exact").zh, duration(timedelta(minutes=150), "figure").en
    ('1小时1分钟1秒', '2.5 h')
    """
    if form == "exact":
        return _exact(abs(length))
    if form == "figure":
        return _figure(abs(length))
    brief = _brief(abs(length), days=not working)
    return Text(zh=f"{brief.zh}（工作时间）", en=f"{brief.en} working") if working else brief


def shared_zone(zones: Iterable[tzinfo | None]) -> tzinfo | None:
    """Return the zone on whose clock instants are shown: the one that all calendars share.

    None, which is this computer's zone, where they differ or where there is no calendar. With instants on a clock
    goes its offset from UTC (`timestamp`), or the clock is named once above them (`zone_note`).
    """
    first, *others = [*zones] or [None]
    return None if any(str(zone) != str(first) for zone in others) else first


def zone_note(zone: tzinfo | None) -> Text:
    """Return a note that names the clock, for an answer whose instants stand without their offset."""
    return Text(zh=f"（时刻按 {zone}）", en=f" (times: {zone})")


def timestamp(at: datetime, zone: tzinfo | None, *, now: datetime | None = None) -> str:
    """Return an instant on a local clock with its offset: `2026-03-02 09:00+08`; None is this computer's zone.

    With `now`, the year is left out where it is the present one: `03-02 09:00+08`.
    """
    local = _local(at, zone)
    offset = f"{local:%z}"
    written = f"{local:%Y-%m-%d %H:%M}{offset[:3]}{'' if offset.endswith('00') else ':' + offset[3:]}"
    return written[5:] if now is not None and local.year == _local(now, zone).year else written


def weekday_time(at: datetime, zone: tzinfo | None, *, dated: bool = True) -> Text:
    """Return an instant to the minute, weekday first: `周一 03-02 09:00`, `Mon 03-02 09:00`; or without its date."""
    local = _local(at, zone)
    weekday, written = WEEKDAYS[local.weekday()], f"{local:%m-%d %H:%M}" if dated else f"{local:%H:%M}"
    return Text(zh=f"{weekday.zh} {written}", en=f"{weekday.en} {written}")


def day(on: date, *, year: bool = False) -> Text:
    """Return a day with its weekday: `03-02 周一`, `Mon 03-02`; with `year` `2026-03-02 周一`."""
    weekday, written = WEEKDAYS[on.weekday()], f"{on:%Y-%m-%d}" if year else f"{on:%m-%d}"
    return Text(zh=f"{written} {weekday.zh}", en=f"{weekday.en} {written}")


def days(first: date, last: date) -> Text:
    """Return a run of days in words; a single day stands alone."""
    start, end = day(first), day(last)
    return start if first == last else Text(zh=f"{start.zh} 至 {end.zh}", en=f"{start.en} … {end.en}")


def time_of_day(at: datetime) -> str:
    """Return the time of day, with seconds and their fraction only where there are any."""
    if at.microsecond:
        return f"{at:%H:%M:%S.%f}".rstrip("0")
    return f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"


def instant(at: datetime, *, year: bool = False) -> Text:
    """Return an instant to the second, date first: `03-02 周一 09:00`, `Mon 03-02 09:00`; or with its year."""
    on, time = day(at, year=year), time_of_day(at)
    return Text(zh=f"{on.zh} {time}", en=f"{on.en} {time}")


def interval(start: datetime, end: datetime) -> Text:
    """Return an interval in words; one within a day names it once, and one up to midnight ends at 24:00."""
    first, last = instant(start), instant(end)
    if start.date() == end.date():
        return Text(zh=f"{first.zh}-{time_of_day(end)}", en=f"{first.en}-{time_of_day(end)}")
    if end.time() == datetime.min.time() and end.date() - start.date() == timedelta(days=1):
        return Text(zh=f"{first.zh}-24:00", en=f"{first.en}-24:00")
    return Text(zh=f"{first.zh} 至 {last.zh}", en=f"{first.en} to {last.en}")


def holiday(name: Text) -> Text:
    """Return the name of a holiday; a statutory one that is named in Chinese only is put into English."""
    if name.en and name.en != name.zh:
        return name
    english = name.zh
    for zh, en in _STATUTORY.items():
        english = english.replace(zh, en)
    return Text(zh=name.zh, en=english.strip())


def _brief(length: timedelta, *, days: bool) -> Text:
    seconds = round(length.total_seconds())
    if seconds < 60:
        return _in_units([(seconds, SHORT_UNITS["s"])])
    hours, minutes = divmod(round(seconds / 60), 60)
    full_days, hours = divmod(hours, 24) if days else (0, hours)
    parts = [(full_days, SHORT_UNITS["d"]), (hours, SHORT_UNITS["h"]), (minutes, SHORT_UNITS["m"])]
    first = next(place for place, (number, _) in enumerate(parts) if number)
    # From 100 of a unit on, the next smaller one would add less than a hundredth.
    largest = parts[first : first + (1 if parts[first][0] > 99 else 2)]
    return _in_units([part for part in largest if part[0]])


def _exact(length: timedelta) -> Text:
    hours, rest = divmod(-(-length // _SECOND), 3600)
    minutes, seconds = divmod(rest, 60)
    whole_minutes = Text(zh=UNITS["m"].zh, en=SHORT_UNITS["m"].en)
    parts = [(hours, SHORT_UNITS["h"]), (minutes, whole_minutes), (seconds, SHORT_UNITS["s"])]
    return _in_units([part for part in parts if part[0]] or [parts[1]])


def _figure(length: timedelta) -> Text:
    minutes = length.total_seconds() / 60
    number, unit = (f"{minutes:.0f}", "m") if minutes < 100 else (f"{minutes / 60:.1f}", "h")
    return Text(zh=f"{number}{SHORT_UNITS[unit].zh}", en=f"{number} {SHORT_UNITS[unit].en}")


def _in_units(parts: Iterable[tuple[int, Text]]) -> Text:
    numbers = list(parts)
    return Text(
        zh="".join(f"{number}{unit.zh}" for number, unit in numbers),
        en=" ".join(f"{number} {unit.en}" for number, unit in numbers),
    )


def _local(at: datetime, zone: tzinfo | None) -> datetime:
    """Return the instant on the local clock; one that no clock there can show, as old stores may hold, as it is."""
    try:
        return at.astimezone(zone)
    except OverflowError:
        return at
