"""How an explanation words days, instants and lengths of time, in Chinese and English. Computes nothing."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from svcflow.text import Text

_ZH_DAYS = "一二三四五六日"
_EN_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
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


def day(on: date) -> Text:
    """Word a day: `03-02 周一`, `Mon 03-02`."""
    return Text(
        zh=f"{on:%m-%d} 周{_ZH_DAYS[on.weekday()]}",
        en=f"{_EN_DAYS[on.weekday()]} {on:%m-%d}",
    )


def clock(at: datetime) -> str:
    """Write the time of day, with seconds only where there are any."""
    if at.microsecond:
        return f"{at:%H:%M:%S.%f}".rstrip("0")
    return f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"


def instant(at: datetime, *, year: bool = False) -> Text:
    """Word an instant: `03-02 周一 09:00`, `Mon 03-02 09:00`; with its year where a story begins or ends."""
    if year:
        name = _EN_DAYS[at.weekday()]
        return Text(
            zh=f"{at:%Y-%m-%d} 周{_ZH_DAYS[at.weekday()]} {clock(at)}", en=f"{name} {at:%Y-%m-%d} {clock(at)}"
        )
    shown = day(at.date())
    return Text(zh=f"{shown.zh} {clock(at)}", en=f"{shown.en} {clock(at)}")


def span(start: datetime, end: datetime) -> Text:
    """Word an interval, naming its day once when it is one."""
    first, last = instant(start), instant(end)
    if start.date() == end.date():
        return Text(zh=f"{first.zh}-{clock(end)}", en=f"{first.en}-{clock(end)}")
    if end.time() == datetime.min.time() and end.date() - start.date() == timedelta(days=1):
        return Text(zh=f"{first.zh}-24:00", en=f"{first.en}-24:00")
    return Text(zh=f"{first.zh} 至 {last.zh}", en=f"{first.en} to {last.en}")


def days(first: date, last: date) -> Text:
    """Word a run of days."""
    one, other = day(first), day(last)
    return one if first == last else Text(zh=f"{one.zh} 至 {other.zh}", en=f"{one.en} … {other.en}")


def length(us: int) -> Text:
    """Word a length of time, rounded up to the second."""
    seconds = -(-abs(us) // 1_000_000)
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [(hours, "小时", "h"), (minutes, "分钟", "min"), (seconds, "秒", "s")]
    shown = [part for part in parts if part[0]] or [parts[1]]
    return Text(zh="".join(f"{n}{zh}" for n, zh, _ in shown), en=" ".join(f"{n} {en}" for n, _, en in shown))


def count(number: int, zh: str, en: str) -> Text:
    """Word a number of things."""
    return Text(zh=f"{number}{zh}", en=f"{number} {en}{'' if number == 1 else 's'}")


def holiday(name: Text) -> Text:
    """Word the name of a holiday; a statutory one that is named in Chinese only is put into English."""
    if name.en and name.en != name.zh:
        return name
    english = name.zh
    for zh, en in _STATUTORY.items():
        english = english.replace(zh, en)
    return Text(zh=name.zh, en=english.strip())
