"""What must hold of a procedure as a whole: names that refer, shapes that fit. Every mistake, at once.

These are errors (the procedure cannot run); what merely looks unwise is a finding of `svcflow.checks`.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import attrs

from svcflow.errors import FieldError, GuardError, Path, Problem
from svcflow.model.amount import Amount
from svcflow.model.guard import Guard
from svcflow.model.limit import PROPOSAL, Row, Rung, TimeLimit
from svcflow.model.step import ENFORCEMENTS, HOLD_REASONS, Enforce, Step, Transition, walk
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.model.procedure import Procedure

MAX_STEPS, MAX_TRANSITIONS = 2_000, 10_000
RECIPIENT = "recipient"
DONE = "done"
_ID = re.compile(r"[a-z0-9_]{1,80}")
_SPLIT = re.compile(r"[,，、\s]+")
_RULES = tuple(attrs.fields_dict(Enforce))
_LATER = frozenset(("calendar_days", "months"))


def problems_of(procedure: Procedure) -> Iterator[Problem]:
    """Yield every mistake of the procedure, in the order of the document."""
    yield from _header(procedure)
    yield from _fields(procedure)
    yield from _size(procedure)
    yield from _steps(procedure, procedure.steps, ("steps",))
    yield from _limits(procedure)
    yield from _indicators(procedure)


def source_keys(source: str | None) -> tuple[str, ...]:
    """Split a limit's source into its keys: `D1, L7` names two."""
    return tuple(part for part in _SPLIT.split(source or "") if part)


def _header(procedure: Procedure) -> Iterator[Problem]:
    yield from _identifier(procedure.id, ("procedure",))
    if procedure.version < 1:
        yield Problem(("version",), Text(zh="版本号从 1 起", en="versions count from 1"))
    for role in procedure.roles:
        yield from _identifier(role, ("roles", role))
    reasons = Counter(rule.reason for rule in procedure.holds)
    for reason in reasons:
        if reason not in HOLD_REASONS:
            yield _unknown(("holds", reason), "暂停原因", "hold reason", reason, HOLD_REASONS)
    for rule in procedure.holds:
        if rule.at_most is not None and rule.at_most.family in _LATER:
            yield _later(("holds", rule.reason, "at_most"), rule.at_most)


def _fields(procedure: Procedure) -> Iterator[Problem]:
    for field in procedure.fields.values():
        path: Path = ("fields", field.id)
        yield from _identifier(field.id, path)
        if field.id == RECIPIENT:
            yield Problem(
                path, Text(zh="recipient 为保留名", en="'recipient' is reserved for who is served"), _RENAME
            )
        if field.type == "choice" and not field.choices:
            yield Problem(
                path,
                Text(zh="choice 字段没有选项", en="a choice field needs choices"),
                Text(zh="加 choices: [甲, 乙]", en="add choices: [a, b]"),
            )
        try:
            field.accept(field.default)
        except FieldError as error:
            yield Problem((*path, "default"), error.message, error.remedy)


def _size(procedure: Procedure) -> Iterator[Problem]:
    steps = list(walk(procedure.steps))
    moves = sum(len(step.to) for step in steps)
    if not steps:
        yield Problem(("steps",), Text(zh="没有任何环节", en="there are no steps"))
    if len(steps) > MAX_STEPS:
        yield Problem(("steps",), Text(zh=f"超过 {MAX_STEPS} 个环节", en=f"more than {MAX_STEPS} steps"))
    if moves > MAX_TRANSITIONS:
        yield Problem(
            ("steps",),
            Text(zh=f"超过 {MAX_TRANSITIONS} 条流转", en=f"more than {MAX_TRANSITIONS} transitions"),
        )
    for name, times in Counter(step.id for step in steps).items():
        if times > 1:
            yield Problem(
                ("steps", name),
                Text(
                    zh=f"环节名 {name} 重复（并行分支内也须唯一）",
                    en=f"step id {name!r} is used {times} times (branches included)",
                ),
                _RENAME,
            )


def _steps(procedure: Procedure, steps: tuple[Step, ...], base: Path) -> Iterator[Problem]:
    scope = [step.id for step in steps]
    for step in steps:
        path = (*base, step.id)
        yield from _step(procedure, step, path)
        for move in step.to:
            yield from _transition(procedure, move, scope, (*path, "to", move.trigger))
        for name, times in Counter(branch.id for branch in step.parallel).items():
            if times > 1:
                message = Text(zh=f"分支名 {name} 重复", en=f"branch id {name!r} is used {times} times")
                yield Problem((*path, "parallel", name), message, _RENAME)
        for branch in step.parallel:
            inside = (*path, "parallel", branch.id)
            yield from _identifier(branch.id, inside)
            if not any(inner.end is not None for inner in branch.steps):
                yield Problem(
                    inside,
                    Text(zh="分支没有结束环节", en="the branch has no step that ends it"),
                    Text(zh="加一个带 end: done 的环节", en="add a step with end: done"),
                )
            if not branch.steps or branch.steps[0].end is not None:
                yield Problem(
                    inside,
                    Text(
                        zh="分支须从有事可做的环节开始",
                        en="a branch starts with a step in which something is done",
                    ),
                    Text(zh="把非结束环节写在最前", en="put a step without 'end' first"),
                )
            yield from _steps(procedure, branch.steps, (*inside, "steps"))


def _step(procedure: Procedure, step: Step, path: Path) -> Iterator[Problem]:
    yield from _identifier(step.id, path)
    if step.role is not None:
        yield from _role(procedure, step.role, (*path, "role"))
    if step.end is not None and (step.to or step.within or step.waits or step.parallel or step.evidence):
        yield Problem(
            path,
            Text(
                zh="结束环节不能有流转、时限、等待或凭证",
                en="a step with 'end' has no way on, limit, wait or evidence",
            ),
            Text(zh="去掉 end 或其余各项", en="drop 'end' or the rest"),
        )
    if step.at_most is not None and step.waits is None:
        yield Problem(
            (*path, "at_most"),
            Text(zh="at_most 只用于 waits 环节", en="'at_most' belongs to a step that waits"),
            Text(zh="写 within，或加 waits: third_party", en="write within, or add waits: third_party"),
        )
    if step.parallel and DONE not in {move.trigger for move in step.to}:
        yield Problem(
            path,
            Text(zh="并行环节缺少 done 流转", en="a parallel step needs a transition 'done'"),
            Text(zh="加 to: {done: 下一环节}", en="add to: {done: next_step}"),
        )
    if step.not_by is not None and step.not_by not in procedure.all_steps:
        yield _unknown((*path, "not_by"), "环节", "step", step.not_by, procedure.all_steps)
    for limit in step.time_limits:
        key = "at_most" if limit.id.endswith(".wait") else "within"
        yield from _limit(procedure, limit, (*path, key), {move.trigger for move in step.to})
    if step.on_overdue is not None and not step.time_limits:
        yield Problem(
            (*path, "on_overdue"),
            Text(zh="没有时限便无从超时", en="there is no limit that could be overdue"),
            Text(zh="加 within", en="add within"),
        )


def _transition(procedure: Procedure, move: Transition, scope: list[str], path: Path) -> Iterator[Problem]:
    yield from _identifier(move.trigger, path)
    if move.step not in scope:
        if move.step in procedure.all_steps:
            message = Text(
                zh=f"不能跨并行分支流转到 {move.step}",
                en=f"{move.step!r} lies outside this branch; a move cannot cross it",
            )
            yield Problem(
                (*path, "step"),
                message,
                Text(zh="在本分支内结束，由 done 汇合", en="end the branch; 'done' joins them"),
            )
        else:
            yield _unknown((*path, "step"), "环节", "step", move.step, scope)
    if move.role is not None:
        yield from _role(procedure, move.role, (*path, "role"))
    if move.when is not None:
        yield from _guard(procedure, move.when, (*path, "when"))
    for rule, way in move.enforce.items():
        if rule not in _RULES:
            yield _unknown((*path, "enforce", rule), "规则", "rule", rule, _RULES)
        elif way not in ENFORCEMENTS:
            yield _unknown((*path, "enforce", rule), "处理方式", "way", way, ENFORCEMENTS)


def _limits(procedure: Procedure) -> Iterator[Problem]:
    seen = Counter(limit.id for step in walk(procedure.steps) for limit in step.time_limits)
    for place, limit in enumerate(procedure.limits):
        path: Path = ("limits", place)
        seen[limit.id] += 1
        yield from _identifier(limit.id, (*path, "id"))
        if seen[limit.id] > 1:
            yield Problem(
                (*path, "id"),
                Text(
                    zh=f"时限名 {limit.id} 已用（环节时限以环节名为名）",
                    en=f"limit id {limit.id!r} is taken (a step's limit has the step's id)",
                ),
                _RENAME,
            )
        if (limit.from_ is None) != (limit.to is None):
            yield Problem(
                path,
                Text(zh="from 与 to 须成对", en="'from' and 'to' come together"),
                Text(zh="两者都写，或都不写（整个流程）", en="give both, or neither for the whole procedure"),
            )
        for key, step in (("from", limit.from_), ("to", limit.to), ("step", limit.step)):
            if step is not None and step not in procedure.all_steps:
                yield _unknown((*path, key), "环节", "step", step, procedure.all_steps)
        yield from _limit(procedure, limit, path, procedure.triggers)


def _limit(procedure: Procedure, limit: TimeLimit, path: Path, triggers: Iterable[str]) -> Iterator[Problem]:
    if (limit.within is None) == (not limit.match):
        yield Problem(
            path,
            Text(zh="须写 within 或 match 之一", en="give either within or match"),
            Text(zh="例如 within: 2wd", en="for example within: 2wd"),
        )
    for place, row in enumerate(limit.match):
        yield from _row(procedure, row, (*path, "match", place), last=place == len(limit.match) - 1)
    for place, row in enumerate(limit.match):
        yield from _sources(procedure, row.source, (*path, "match", place, "source"))
    for row in limit.rows:
        if row.within is not None:
            yield from _rungs(procedure, limit, row.within, path)
    yield from _sources(procedure, limit.source, (*path, "source"))
    if limit.on_overdue is not None and limit.on_overdue not in triggers:
        yield _unknown((*path, "on_overdue"), "流转", "trigger", limit.on_overdue, triggers)


def _row(procedure: Procedure, row: Row, path: Path, *, last: bool) -> Iterator[Problem]:
    if (row.within is None) != row.no_target:
        yield Problem(
            path,
            Text(zh="每行须写 within，或 no_target: true", en="each row has within, or no_target: true"),
        )
    if last and row.when is not None:
        yield Problem(
            path,
            Text(zh="缺少默认行", en="the matrix has no default row"),
            Text(zh="最后加一行不带 when 的", en="end it with a row that has no 'when'"),
        )
    if not last and row.when is None:
        yield Problem(
            path,
            Text(
                zh="此行总是成立，其后各行不会用到",
                en="this row always matches; the rows after it are unreachable",
            ),
            Text(zh="移到最后", en="move it to the end"),
        )
    if row.when is not None:
        yield from _guard(procedure, row.when, (*path, "when"))


def _rungs(procedure: Procedure, limit: TimeLimit, within: Amount, path: Path) -> Iterator[Problem]:
    if within.family in _LATER:
        yield _later(path, within)
    for key, rungs in (("warn", limit.warn), ("escalate", limit.escalate)):
        for place, rung in enumerate(rungs):
            where = (*path, key, place)
            if rung.role is not None:
                yield from _role(procedure, rung.role, where)
            yield from _rung_clock(rung, within, where)


def _rung_clock(rung: Rung, within: Amount, path: Path) -> Iterator[Problem]:
    after = rung.after
    if after is not None and after.family != within.family:
        unit = {"elapsed": "m h d", "working": "wm wh", "working_days": "wd"}.get(within.family, "cd")
        yield Problem(
            path,
            Text(
                zh=f"{rung.at} 与时限 {within} 不在同一时钟上",
                en=f"{rung.at} does not run on the clock of the limit {within}",
            ),
            Text(zh=f"用单位 {unit}", en=f"use the units {unit}"),
        )


def _indicators(procedure: Procedure) -> Iterator[Problem]:
    for indicator in procedure.indicators.values():
        path: Path = ("indicators", indicator.id)
        yield from _identifier(indicator.id, path)
        if indicator.of is not None and indicator.of not in procedure.time_limits:
            yield _unknown((*path, "of"), "时限", "limit", indicator.of, procedure.time_limits)
        yield from _sources(procedure, indicator.source, (*path, "source"))


def _guard(procedure: Procedure, guard: Guard, path: Path) -> Iterator[Problem]:
    try:
        guard.check_names((*procedure.fields, RECIPIENT))
    except GuardError as error:
        yield Problem(path, error.message, error.remedy)


def _sources(procedure: Procedure, source: str | None, path: Path) -> Iterator[Problem]:
    for key in source_keys(source):
        if key != PROPOSAL and key not in procedure.sources:
            yield _unknown(path, "来源", "source", key, (*procedure.sources, PROPOSAL))


def _role(procedure: Procedure, role: str, path: Path) -> Iterator[Problem]:
    if role not in procedure.roles:
        yield _unknown(path, "岗位", "role", role, procedure.roles)


def _identifier(name: str, path: Path) -> Iterator[Problem]:
    if not _ID.fullmatch(name):
        yield Problem(
            path,
            Text(zh=f"“{name}”不是合法的名字", en=f"{name!r} is no identifier"),
            Text(
                zh="只用小写字母、数字和下划线；中文写在 name 里",
                en="use a-z, 0-9 and _; the wording goes into name",
            ),
        )


def _unknown(
    path: Path, zh: str, en: str, given: str, known: Iterable[str] | Mapping[str, object]
) -> Problem:
    names = list(known)
    near = difflib.get_close_matches(str(given), names, 1)
    listed = ", ".join(names[:12]) or "—"
    return Problem(
        path,
        Text(zh=f"没有名为“{given}”的{zh}", en=f"there is no {en} {given!r}"),
        Text(zh=f"是否指 {near[0]}？", en=f"did you mean {near[0]}?")
        if near
        else Text(zh=f"可用：{listed}", en=f"there are: {listed}"),
    )


def _later(path: Path, amount: Amount) -> Problem:
    return Problem(
        path,
        Text(
            zh=f"{amount}：自然日和月的时限尚不支持",
            en=f"{amount}: limits in calendar days or months are not supported yet",
        ),
        Text(zh="暂用 wd、wh 或 h", en="use wd, wh or h for now"),
    )


_RENAME = Text(zh="换一个名字", en="choose another name")
