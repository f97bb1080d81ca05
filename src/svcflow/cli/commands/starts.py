"""Command of regular starts: `svcflow starts` lists what begins by itself, and what could not begin yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from svcflow.cli.command import command, option
from svcflow.cli.errors import FOUND
from svcflow.cli.language import Tongue
from svcflow.cli.lists import check_known
from svcflow.cli.options import procedure_filter, with_store
from svcflow.cli.session import CommandSession
from svcflow.cli.values import INSTANT
from svcflow.text import Text
from svcflow.text_table import table
from svcflow.wording import WEEKDAYS, timestamp

if TYPE_CHECKING:
    from svcflow.cli.json import Record
    from svcflow.model.catalog import Catalog
    from svcflow.runtime.coming_starts import ComingStart

_AHEAD = timedelta(days=7)
_HEADS = (
    Text(zh="时间", en="When"),
    Text(zh="流程", en="Procedure"),
    Text(zh="定期启动", en="Regular start"),
    Text(zh="说明", en="Note"),
)
_NOTHING = Text(zh="没有定期启动", en="nothing begins by itself")


@command(
    "starts",
    Text(
        zh="列出定期启动：从现在到 --until 将要启动的，先是已到时而未启动的。日历未覆盖的日子，说明自哪天起不可知。\n有未能启动的，退出码为 1。",
        en="List what begins by itself from now until --until, what is due and has not begun first. Where a calendar does "
        "not cover the days, it says from which day on nothing is known. Exits with 1 when something could not begin.",
    ),
    "svcflow starts --db service.db",
    "svcflow starts --db service.db --until 2026-12-31T18:00+08:00 --json",
)
@option("--until", type=INSTANT, zh="到此时刻；默认七天", en="Up to this instant; by default seven days.")
@procedure_filter
@with_store
def starts(session: CommandSession, *, until: datetime | None, procedure: str | None) -> int:
    """List what begins by itself."""
    from svcflow.bounds import LAST_US
    from svcflow.kernel.facts import to_datetime

    with session.engine() as engine:
        check_known(engine.catalog, procedure=procedure)
        now = to_datetime(engine.clock.now_us())
        latest = now + min(_AHEAD, to_datetime(LAST_US) - now) if until is None else until
        coming = [one for one in engine.coming_starts(latest) if procedure in (None, one.procedure)]
        session.answer(
            lambda: {"starts": [_json(one) for one in coming]},
            lambda: _text(coming, engine.catalog, now, session.lang),
        )
    return FOUND if any(one.error for one in coming) else 0


def _json(one: ComingStart) -> Record:
    return {
        "procedure": one.procedure,
        "version": one.version,
        "start": one.start,
        "due_at": None if one.due_at is None else one.due_at.isoformat(),
        "occurrence": one.occurrence,
        "unknown_from": None if one.unknown_from is None else one.unknown_from.isoformat(),
        "recipients": one.recipients,
        "error": one.error,
        "retry_at": None if one.retry_at is None else one.retry_at.isoformat(),
    }


def _text(coming: Sequence[ComingStart], catalog: Catalog, now: datetime, lang: Tongue) -> str:
    if not coming:
        return _NOTHING.in_(lang)
    rows = []
    for one in coming:
        procedure = catalog[one.procedure, one.version]
        name = procedure.name.in_(lang) or procedure.id
        rows.append((_when(one, lang), name, one.start, _note(one, now, lang)))
    heads = [head.in_(lang) for head in _HEADS]
    return table(heads, rows, whole=heads[:1], flows=True)


def _when(one: ComingStart, lang: Tongue) -> str:
    if one.due_at is None:
        return Text(zh=f"{one.unknown_from} 起不可知", en=f"not known from {one.unknown_from} on").in_(lang)
    return f"{timestamp(one.due_at, one.due_at.tzinfo)} {WEEKDAYS[one.due_at.weekday()].in_(lang)}"


def _note(one: ComingStart, now: datetime, lang: Tongue) -> str:
    """Return what is to be said of a start: why not yet, whence it was moved, for whom."""
    notes = []
    if one.due_at is None:
        notes.append(Text(zh="日历尚未覆盖", en="the calendar does not cover it yet"))
    elif one.error:
        again = timestamp(one.retry_at or one.due_at, one.due_at.tzinfo)
        notes.append(
            Text(zh=f"未能启动，{again} 再试：{one.error}", en=f"failed, again at {again}: {one.error}")
        )
    elif one.due_at <= now:
        notes.append(Text(zh="已到时，尚未启动", en="due, has not begun"))
    if one.due_at is not None and one.occurrence[:10] != f"{one.due_at:%Y-%m-%d}":
        declared = one.occurrence[:10]
        notes.append(Text(zh=f"原为 {declared}，当日不开放", en=f"moved from {declared}, which is closed"))
    if one.recipients:
        notes.append(Text(zh=f"逐一为 {one.recipients}", en=f"for each of {one.recipients}"))
    return ("；" if lang == "zh" else "; ").join(note.in_(lang) for note in notes)
