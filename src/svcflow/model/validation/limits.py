"""Rules of one time limit: one target a row, a default row, ladders on the limit's own clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from svcflow.errors import Path, Problem
from svcflow.model.amount import Amount
from svcflow.model.guard import Guard
from svcflow.model.limit import Row, Rung, TimeLimit
from svcflow.model.procedure_parts import ProcedureParts
from svcflow.model.target import TARGET_KINDS, Anchor, ClockTime, Target
from svcflow.model.validation.references import guard_names, personal, role_name, unknown
from svcflow.text import Text

FIXED = frozenset(("by", "before", "after"))
"""Kinds whose deadline is an instant of its own; no hold moves it."""
_UNITS = {
    "elapsed": "m h d",
    "working": "wm wh",
    "working_days": "wd",
    "calendar_days": "cd",
    "months": "mo y",
}
_WORKING = "wm wh wd"
"""Units in which a rung may stand on any limit."""


def limit_problems(
    procedure: ProcedureParts, limit: TimeLimit, path: Path, triggers: Iterable[str]
) -> Iterator[Problem]:
    """Yield the mistakes of one limit; `triggers` are those its `on_overdue` may name."""
    own = [kind for kind in TARGET_KINDS if getattr(limit, kind) is not None]
    if len(own) != (0 if limit.match else 1):
        yield Problem(
            path,
            Text(
                zh="须写 within、by、before、after、at_least、every 之一，或 match",
                en="give one of within, by, before, after, at_least, every, or match",
            ),
            Text(zh="例如 within: 2wd", en="for example within: 2wd"),
        )
    if not any(row.by for row in limit.rows) and (limit.cutoff or limit.day):
        yield _without("cutoff, day", "by", path)
    if limit.done_by is not None and not any(row.every for row in limit.rows):
        yield _without("done_by", "every", path)
    yield from _terms(procedure, limit, path)
    yield from matrix_problems(procedure, [row.when for row in limit.match], path)
    for place, row in enumerate(limit.match):
        yield from _row(row, (*path, "match", place))
    if limit.on_overdue is not None and limit.on_overdue not in triggers:
        yield unknown((*path, "on_overdue"), "流转", "trigger", limit.on_overdue, triggers)
    for place, row in enumerate(limit.rows):
        target = row.target
        if target is not None:
            where = (*path, "match", place) if limit.match else path
            yield from _target(procedure, limit, target, where)
            yield from _ladder(procedure, limit, target, path)
    yield from _opening_hours(limit, path)
    yield from _extension(procedure, limit, path)


def _terms(procedure: ProcedureParts, limit: TimeLimit, path: Path) -> Iterator[Problem]:
    """Yield the mistakes in how a limit is judged."""
    if limit.if_reached:
        yield from _if_reached(procedure, limit, path)
    if limit.early_is_better:
        yield from _early_is_better(limit, path)
    if limit.visits != "sum" and limit.scope == "procedure":
        yield Problem(
            (*path, "visits"),
            Text(
                zh="整个流程只有一次，不分次",
                en="the whole procedure is gone through once and has no visits",
            ),
            Text(
                zh="写 step，或 from 与 to；或删去 visits",
                en="give a step, or from and to; or leave visits out",
            ),
        )


def _opening_hours(limit: TimeLimit, path: Path) -> Iterator[Problem]:
    if limit.in_opening_hours and not (limit.warn or limit.escalate):
        yield Problem(
            (*path, "in_opening_hours"),
            Text(
                zh="没有 warn 或 escalate，无从等待开放",
                en="there is no warn or escalate that could wait for an opening",
            ),
            Text(
                zh="写 warn 或 escalate，或删去 in_opening_hours",
                en="write warn or escalate, or leave in_opening_hours out",
            ),
        )


def _early_is_better(limit: TimeLimit, path: Path) -> Iterator[Problem]:
    """Yield a mistake for each target that nobody is served better by meeting sooner."""
    for place, row in enumerate(limit.rows):
        for kind in row.kinds:
            if kind not in ("within", "by"):
                where = (*path, "match", place, kind) if limit.match else (*path, "early_is_better")
                yield Problem(
                    where,
                    Text(
                        zh=f"{kind} 不是越早越好，early_is_better 只用于 within 与 by",
                        en=f"{kind!r} is not the better the earlier: early_is_better is for within and by",
                    ),
                    Text(
                        zh="删去 early_is_better，或把这样的时限另立一条",
                        en="leave early_is_better out, or declare this as a limit of its own",
                    ),
                )


def _if_reached(procedure: ProcedureParts, limit: TimeLimit, path: Path) -> Iterator[Problem]:
    where = (*path, "if_reached")
    if limit.scope != "span" or limit.lasts_to_end(procedure.all_steps):
        yield Problem(
            where,
            Text(
                zh="环节与流程总会结束，if_reached 只用于可能到不了的时限",
                en="every step and procedure ends: if_reached is for a limit whose end may never be reached",
            ),
            Text(
                zh="写 from，并写 to（某环节）或 to_trigger",
                en="give 'from', and a step as 'to' or a 'to_trigger'",
            ),
        )
    if limit.escalate or limit.on_overdue:
        yield Problem(
            where,
            Text(
                zh="if_reached 的时限到达前不算超时，不能有 escalate 或 on_overdue",
                en="with if_reached nothing is overdue until the end is reached, so there is no escalate or on_overdue",
            ),
            Text(zh="写 warn，或删去 if_reached", en="write warn, or leave if_reached out"),
        )
    for kind in dict.fromkeys(kind for row in limit.rows for kind in row.kinds):
        if kind in ("at_least", "every"):
            yield Problem(
                where,
                Text(zh=f"if_reached 不用于 {kind}", en=f"if_reached is not for {kind}"),
                Text(zh="用 within、by、before 或 after", en="use within, by, before or after"),
            )


def _without(given: str, kind: str, path: Path) -> Problem:
    return Problem(
        path,
        Text(zh=f"{given} 只用于 {kind}", en=f"{given}: only for a limit with {kind!r}"),
        Text(zh=f"写 {kind}，或删去 {given}", en=f"write {kind!r}, or leave {given} out"),
    )


def _repeated(guard: Guard, path: Path) -> Problem:
    """Return the mistake of a row that asks what a row before it asked: it can never be the first to match."""
    return Problem(
        path,
        Text(
            zh=f"前面已有同样条件的行，此行不会用到：{guard}",
            en=f"a row before has the same condition; this one is unreachable: {guard}",
        ),
        Text(zh="删去此行或改条件", en="leave the row out or change its condition"),
    )


def matrix_problems(
    procedure: ProcedureParts, guards: Sequence[Guard | None], path: Path
) -> Iterator[Problem]:
    """Yield the mistakes of the guards of a matrix: names that refer to nothing, rows that no data reach, no default."""
    seen: set[Guard] = set()
    for place, guard in enumerate(guards):
        where, last = (*path, "match", place), place == len(guards) - 1
        if guard is None:
            if not last:
                yield Problem(
                    where,
                    Text(
                        zh="此行总是成立，其后各行不会用到",
                        en="this row always matches; the rows after it are unreachable",
                    ),
                    Text(zh="移到最后", en="move it to the end"),
                )
            continue
        if guard in seen:
            yield _repeated(guard, where)
        seen.add(guard)
        if last:
            yield Problem(
                where,
                Text(zh="缺少默认行", en="the matrix has no default row"),
                Text(zh="最后加一行不带 when 的", en="end it with a row that has no 'when'"),
            )
        yield from guard_names(procedure, guard, (*where, "when"))


def _row(row: Row, path: Path) -> Iterator[Problem]:
    if len(row.kinds) != (0 if row.no_target else 1):
        yield Problem(
            path,
            Text(
                zh="每行须写一种时限，或 no_target: true",
                en="each row has one kind of limit, or no_target: true",
            ),
        )
    if row.by is None and (row.cutoff or row.day):
        yield _without("cutoff, day", "by", path)
    if row.no_target and row.calendar is not None:
        yield Problem(
            (*path, "calendar"),
            Text(zh="不设时限的行不按日历计算", en="a row without a target counts on no calendar"),
            Text(zh="删去 calendar", en="leave calendar out"),
        )


def _target(procedure: ProcedureParts, limit: TimeLimit, target: Target, path: Path) -> Iterator[Problem]:
    if target.anchor is not None:
        yield from anchored_problems(procedure, target, path)
    if target.kind == "every":
        yield from _recurrence(procedure, limit, target, path)
    if target.kind == "by" and target.cutoff is not None and target.time is not None and not target.day:
        yield from _cutoff(target.cutoff, target.time, path)
    if target.kind == "at_least" and (limit.escalate or limit.on_overdue):
        yield Problem(
            path,
            Text(
                zh="at_least 是下限，不会超时，不能有 escalate 或 on_overdue",
                en="at_least is a minimum: it is never overdue, so it has no escalate or on_overdue",
            ),
        )


def _cutoff(cutoff: ClockTime, time: ClockTime, path: Path) -> Iterator[Problem]:
    if cutoff.minute > time.minute:
        yield Problem(
            (*path, "cutoff"),
            Text(
                zh=f"{cutoff} 前的请求算当日的，但 {time} 已过",
                en=f"a request before the cutoff {cutoff} would be due the same day at {time}, which has passed",
            ),
            Text(zh="把 cutoff 提前，或写 day: +1", en="give an earlier cutoff, or write day: +1"),
        )


def anchored_problems(procedure: ProcedureParts, target: Target, path: Path) -> Iterator[Problem]:
    """Yield the mistakes of a target that hangs on a scheduled instant."""
    anchor = target.anchor
    assert anchor is not None  # noqa: S101  # the caller looked
    where = (*path, target.kind)
    yield from anchor_problems(procedure, anchor, where)
    if anchor.amount is not None and (anchor.sign < 0) != (target.kind == "before"):
        yield Problem(
            where,
            Text(zh="before 用减号，after 用加号", en="'before' subtracts and 'after' adds"),
            Text(
                zh=f"写 {target.kind}: {anchor.field} {'-' if target.kind == 'before' else '+'} {anchor.amount}",
                en=f"write {target.kind}: {anchor.field} {'-' if target.kind == 'before' else '+'} {anchor.amount}",
            ),
        )


def anchor_problems(procedure: ProcedureParts, anchor: Anchor, where: Path) -> Iterator[Problem]:
    """Yield the mistakes of a scheduled instant, whatever hangs on it."""
    field = procedure.fields.get(anchor.field)
    if field is None:
        yield unknown(where, "字段", "field", anchor.field, procedure.fields)
    elif field.type != "instant":
        yield Problem(
            where,
            Text(zh=f"字段 {anchor.field} 不是时刻", en=f"field {anchor.field} is no instant"),
            Text(zh="把它的 type 改为 instant", en="give it type: instant"),
        )
    elif field.personal:
        yield personal(where, anchor.field)
    if anchor.amount is not None and anchor.amount.family in ("calendar_days", "months"):
        yield Problem(
            where,
            Text(
                zh=f"预约时间前后不能用 {anchor.amount}",
                en=f"an anchor does not reckon in {anchor.amount}",
            ),
            Text(zh="用单位 m h d wm wh wd", en="use the units m h d wm wh wd"),
        )


def _recurrence(procedure: ProcedureParts, limit: TimeLimit, target: Target, path: Path) -> Iterator[Problem]:
    if limit.done_by is None:
        yield Problem(
            path,
            Text(
                zh="every 须写 done_by：哪个流转算做了一次", en="every needs done_by: the trigger that counts"
            ),
            Text(zh="例如 done_by: serve_tea", en="for example done_by: serve_tea"),
        )
    elif limit.done_by not in procedure.triggers:
        yield unknown((*path, "done_by"), "流转", "trigger", limit.done_by, procedure.triggers)
    if target.amount is not None and not target.amount.value:
        yield Problem(path, Text(zh="every 不能为零", en="every cannot be zero"))


def _ladder(procedure: ProcedureParts, limit: TimeLimit, target: Target, path: Path) -> Iterator[Problem]:
    for key, rungs in (("warn", limit.warn), ("escalate", limit.escalate)):
        for place, rung in enumerate(rungs):
            where = (*path, key, place)
            if rung.role is not None:
                yield from role_name(procedure, rung.role, where)
            yield from _rung(limit, rung, target, where)
            if target.kind == "every":
                yield from _after_the_miss(rung, where)


def _after_the_miss(rung: Rung, path: Path) -> Iterator[Problem]:
    """Yield a mistake when a rung lies past the interval: a missed occurrence begins the next one."""
    if rung.after is not None or (rung.share is not None and rung.share > 1):
        yield Problem(
            path,
            Text(
                zh=f"every 漏做一次即开始下一次计时，{rung.at} 永远到不了",
                en=f"a missed occurrence begins the next interval, so {rung.at} is never reached",
            ),
            Text(zh="写 100% 或更小的百分比", en="write a share of at most 100%"),
        )


def _rung(limit: TimeLimit, rung: Rung, target: Target, path: Path) -> Iterator[Problem]:
    offset = rung.after or rung.ahead
    if offset is None or offset.family in ("working", "working_days"):
        return
    if rung.ahead is not None and target.kind not in FIXED:
        yield Problem(
            path,
            Text(zh=f"{rung.at} 只用于 by、before、after", en=f"{rung.at} is for by, before and after only"),
            Text(
                zh="写占时限的百分比，如 75%；或用工作时间的单位，如 -1wd",
                en="write a share of the limit, such as 75%, or working units, such as -1wd",
            ),
        )
    elif target.kind in FIXED and offset.family in ("calendar_days", "months"):
        yield _other_clock(rung, str(target), "m h d wm wh wd", path)
    elif target.amount is not None and offset.family != target.amount.family:
        if len({row.target.amount.family for row in limit.rows if row.target and row.target.amount}) > 1:
            yield _two_clocks(rung, str(target.amount), path)
        else:
            own = _UNITS[target.amount.family]
            yield _other_clock(
                rung, str(target.amount), f"{own} {_WORKING}" if own not in _WORKING else _WORKING, path
            )


def _other_clock(rung: Rung, target: str, units: str, path: Path) -> Problem:
    return Problem(
        path,
        Text(
            zh=f"{rung.at} 与时限 {target} 不在同一时钟上",
            en=f"{rung.at} does not run on the clock of the limit {target}",
        ),
        Text(zh=f"用单位 {units}", en=f"use the units {units}"),
    )


def _two_clocks(rung: Rung, target: str, path: Path) -> Problem:
    """Return the mistake that no amount fits: whichever unit is written, it is not that of some row."""
    return Problem(
        path,
        Text(
            zh=f"各行不在同一时钟上，{rung.at} 不合 {target}",
            en=f"the rows run on different clocks, and {rung.at} does not fit {target}",
        ),
        Text(
            zh="写百分比，截止之后的写 125% 之类；或用工作时间的单位 wm wh wd；或各行用同一类单位",
            en="write a share, such as 125% for one after the deadline; or use the working units wm wh wd; "
            "or units of one clock in all rows",
        ),
    )


def _extension(procedure: ProcedureParts, limit: TimeLimit, path: Path) -> Iterator[Problem]:
    if limit.extension is None:
        return
    where = (*path, "extension")
    if limit.extension.role is not None:
        yield from role_name(procedure, limit.extension.role, (*where, "role"))
    if not limit.extension.by.value:
        yield Problem(where, Text(zh="延长不能为零", en="an extension cannot be zero"))
    for row in limit.rows:
        amount: Amount | None = row.within
        if row.target is not None and (amount is None or amount.family != limit.extension.by.family):
            yield Problem(
                where,
                Text(
                    zh=f"只能延长同一单位的 within 时限，{row.target} 不能延长 {limit.extension.by}",
                    en=f"only a within limit of the same kind can be extended; {row.target} cannot by {limit.extension.by}",
                ),
            )
