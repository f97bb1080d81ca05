"""Words for people: lengths of time, states and kinds, in Chinese and English. Knows no procedure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from svcflow.cli.language import Tongue
from svcflow.text import Text

__all__ = [
    "DELEGATIONS",
    "SEVERITIES",
    "STANDINGS",
    "STATES",
    "STATUSES",
    "duration",
    "many",
    "word",
]

STATUSES: Mapping[str, Text] = {
    "running": Text(zh="办理中", en="running"),
    "held": Text(zh="暂停", en="held"),
    "ended": Text(zh="已结束", en="ended"),
}
STATES: Mapping[str, Text] = {
    "pending": Text(zh="待定时间", en="not scheduled yet"),
    "running": Text(zh="计时中", en="running"),
    "reached": Text(zh="已满时限", en="minimum reached"),
    "early": Text(zh="不足时限", en="ended too early"),
    "paused": Text(zh="停止计时", en="paused"),
    "overdue": Text(zh="已超时", en="overdue"),
    "met": Text(zh="按时", en="met"),
    "late": Text(zh="逾期完成", en="late"),
    "cancelled": Text(zh="不再适用", en="cancelled"),
}
SEVERITIES: Mapping[str, Text] = {
    "minor": Text(zh="一般", en="minor"),
    "major": Text(zh="较重", en="major"),
    "critical": Text(zh="严重", en="critical"),
    "error": Text(zh="错误", en="error"),
    "warning": Text(zh="警告", en="warning"),
    "note": Text(zh="提示", en="note"),
}
STANDINGS: Mapping[str, Text] = {
    "open": Text(zh="未说明", en="open"),
    "explained": Text(zh="已说明", en="explained"),
    "accepted": Text(zh="已认可", en="accepted"),
    "rejected": Text(zh="不认可", en="rejected"),
}
DELEGATIONS: Mapping[str, Text] = {
    "coming": Text(zh="未开始", en="coming"),
    "in_force": Text(zh="有效", en="in force"),
    "over": Text(zh="已到期", en="over"),
    "revoked": Text(zh="已撤回", en="revoked"),
}
_UNITS = {"d": Text(zh="天", en=" d"), "h": Text(zh="小时", en=" h"), "m": Text(zh="分", en=" min")}
_SECONDS = Text(zh="秒", en=" s")


def word(words: Mapping[str, Text], key: str, lang: Tongue) -> str:
    """Return the word for a key; a key without one stands for itself."""
    found = words.get(key)
    return found.in_(lang) if found else key


def duration(length: timedelta, lang: Tongue, *, working: bool = False) -> str:
    """Word a length of time, to the minute; days only of elapsed time, since a working day has no fixed length.

    >>> duration(timedelta(hours=26, minutes=5), "en"), duration(timedelta(minutes=90), "zh", working=True)
    ('1 d 2 h', '1小时30分（工作时间）')
    """
    seconds = round(abs(length.total_seconds()))
    if seconds < 60:
        said = f"{seconds}{_SECONDS.in_(lang)}"
    else:
        said = _in_units(round(seconds / 60), lang, days=not working)
    if working:
        return f"{said}（工作时间）" if lang == "zh" else f"{said} working"
    return said


def many(count: int, noun: str) -> str:
    """Count things in English.

    >>> many(1, "fact"), many(2, "fact")
    ('1 fact', '2 facts')
    """
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _in_units(minutes: int, lang: Tongue, *, days: bool) -> str:
    """Give the two largest units that are not nought."""
    hours, minutes = divmod(minutes, 60)
    whole, hours = divmod(hours, 24) if days else (0, hours)
    parts = [(whole, "d"), (hours, "h"), (minutes, "m")]
    first = next(place for place, (count, _) in enumerate(parts) if count)
    shown = parts[first : first + (1 if parts[first] > (99, "h") else 2)]
    said = [f"{count}{_UNITS[unit].in_(lang)}" for count, unit in shown if count]
    return ("" if lang == "zh" else " ").join(said)
