"""Rules of a procedure as a whole: names that refer to something, shapes that fit.

Every mistake is found at once. These are errors (the procedure cannot run); what merely looks unwise is a finding of `svcflow.checks`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import attrs

from svcflow.bounds import MOST
from svcflow.errors import Path, Problem
from svcflow.model.limit import END, TimeLimit, step_of
from svcflow.model.limit_locations import instant_places, limit_places, step_places
from svcflow.model.procedure_parts import ProcedureParts
from svcflow.model.source import PROPOSAL, source_keys
from svcflow.model.step import (
    DONE,
    ENFORCEMENTS,
    HOLD_REASONS,
    LIKE,
    Enforce,
    Step,
    Transition,
    rows_by_trigger,
    walk,
)
from svcflow.model.subprocedure import OF_PARENT
from svcflow.model.validation.automatic_moves import automatic_move_problems
from svcflow.model.validation.fields import field_problems
from svcflow.model.validation.indicators import indicator_problems
from svcflow.model.validation.limits import limit_problems
from svcflow.model.validation.parameters import parameter_problems
from svcflow.model.validation.references import (
    RENAME,
    guard_names,
    identifier,
    role_name,
    unknown,
)
from svcflow.model.validation.regular_starts import regular_start_problems
from svcflow.model.validation.start import start_problems
from svcflow.model.validation.subprocedure import subprocedure_problems
from svcflow.text import Text, is_blank

MAX_STEPS, MAX_TRANSITIONS = 2_000, 10_000
_RULES = tuple(name for name in attrs.fields_dict(Enforce) if name != "start")
"""The rules that a move may break: that of the start is asked once, when there is none yet."""


def problems_of(procedure: ProcedureParts) -> Iterator[Problem]:
    """Yield every mistake of the procedure, in the order of the document."""
    yield from _header(procedure)
    yield from parameter_problems(procedure)
    yield from field_problems(procedure)
    yield from regular_start_problems(procedure)
    yield from start_problems(procedure)
    yield from _size(procedure)
    yield from _steps(procedure, procedure.steps, ("steps",))
    yield from _limits(procedure)
    yield from indicator_problems(procedure)
    yield from _sources(procedure)


def _header(procedure: ProcedureParts) -> Iterator[Problem]:
    yield from identifier(procedure.id, ("procedure",))
    if procedure.version > MOST:
        yield Problem(("version",), Text(zh=f"版本号至多 {MOST}", en=f"versions count to {MOST}"))
    if procedure.version < 1:
        yield Problem(("version",), Text(zh="版本号从 1 起", en="versions count from 1"))
    if procedure.late_after is not None and procedure.late_after.family != "elapsed":
        yield Problem(
            ("late_after",),
            Text(
                zh=f"late_after 按连续时间计，不能是 {procedure.late_after}",
                en=f"late_after is elapsed time; it cannot be {procedure.late_after}",
            ),
            Text(zh="用单位 m h d", en="use the units m h d"),
        )
    for role in procedure.roles:
        yield from identifier(role, ("roles", role))
    for certificate in procedure.certificates:
        yield from identifier(certificate, ("certificates", certificate))
    reasons = Counter(rule.reason for rule in procedure.holds)
    for reason in reasons:
        if reason not in HOLD_REASONS:
            yield unknown(("holds", reason), "暂停原因", "hold reason", reason, HOLD_REASONS)


def _size(procedure: ProcedureParts) -> Iterator[Problem]:
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
                RENAME,
            )


def _steps(
    procedure: ProcedureParts, steps: tuple[Step, ...], base: Path, around: tuple[Step, ...] = ()
) -> Iterator[Problem]:
    scope = dict.fromkeys(step.id for step in steps)
    for step in steps:
        path = (*base, step.id)
        yield from _step(procedure, step, path)
        yield from automatic_move_problems(procedure, step, path, around)
        for move in step.to:
            yield from _transition(procedure, move, scope, (*path, "to", move.trigger))
        for trigger, rows in rows_by_trigger(step).items():
            yield from _otherwise(rows, (*path, "to", trigger))
        for name, times in Counter(branch.id for branch in step.parallel).items():
            if times > 1:
                message = Text(zh=f"分支名 {name} 重复", en=f"branch id {name!r} is used {times} times")
                yield Problem((*path, "parallel", name), message, RENAME)
        for branch in step.parallel:
            inside = (*path, "parallel", branch.id)
            yield from identifier(branch.id, inside)
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
            yield from _steps(procedure, branch.steps, (*inside, "steps"), (*around, step))


def _step(procedure: ProcedureParts, step: Step, path: Path) -> Iterator[Problem]:
    yield from identifier(step.id, path)
    if step.role is not None:
        yield from role_name(procedure, step.role, (*path, "role"))
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
    yield from _not_by(procedure, step, (*path, "not_by"))
    yield from _qualified(procedure, step, (*path, "qualified"))
    yield from subprocedure_problems(procedure, step, (*path, "runs"))
    for limit in step.time_limits:
        key = "at_most" if step_of(limit.id)[1] else "within"
        yield from limit_problems(procedure, limit, (*path, key), {move.trigger for move in step.to})
    if step.on_overdue is not None and not step.time_limits:
        yield Problem(
            (*path, "on_overdue"),
            Text(zh="没有时限便无从超时", en="there is no limit that could be overdue"),
            Text(zh="加 within", en="add within"),
        )


def _qualified(procedure: ProcedureParts, step: Step, path: Path) -> Iterator[Problem]:
    if step.qualified is None:
        return
    if step.qualified not in procedure.certificates:
        yield unknown(path, "证书", "certificate", step.qualified, procedure.certificates)
    if step.end is not None or step.parallel:
        yield Problem(
            path,
            Text(
                zh="此环节无人办理，无从持证",
                en="nobody does this step, so nobody needs a certificate for it",
            ),
            Text(zh="写在有人办理的环节上", en="give it to the steps in which somebody works"),
        )


def _not_by(procedure: ProcedureParts, step: Step, path: Path) -> Iterator[Problem]:
    for place, other in enumerate(step.not_by):
        here = (*path, place) if len(step.not_by) > 1 else path
        if other.startswith(OF_PARENT):
            yield from identifier(other.removeprefix(OF_PARENT), here)
        elif other not in procedure.all_steps:
            yield unknown(here, "环节", "step", other, procedure.all_steps)
        if other in step.not_by[:place]:
            yield Problem(
                here,
                Text(zh=f"环节 {other} 写了两次", en=f"the step {other!r} is named twice"),
                Text(zh="每个环节写一次", en="name each step once"),
            )


def _transition(
    procedure: ProcedureParts, move: Transition, scope: Mapping[str, object], path: Path
) -> Iterator[Problem]:
    yield from identifier(move.trigger, path)
    if move.trigger == LIKE:
        message = Text(zh="like 为保留名：它指明与谁共用出口", en="'like' is reserved: it names shared exits")
        yield Problem(path, message, RENAME)
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
            yield unknown((*path, "step"), "环节", "step", move.step, scope)
    if move.role is not None:
        yield from role_name(procedure, move.role, (*path, "role"))
    if move.when is not None:
        yield from guard_names(procedure, move.when, (*path, "when"))
    for rule, way in move.enforce.items():
        if rule not in _RULES:
            yield unknown((*path, "enforce", rule), "规则", "rule", rule, _RULES)
        elif way not in ENFORCEMENTS:
            yield unknown((*path, "enforce", rule), "处理方式", "way", way, ENFORCEMENTS)


def _otherwise(rows: list[Transition], path: Path) -> Iterator[Problem]:
    """Yield the mistakes of refusing where no guard is true; the row that does is written after the others."""
    closing = rows[-1].otherwise
    if any(row.otherwise is not None for row in rows[:-1]):
        message = Text(zh="otherwise 只能随最后一行", en="'otherwise' comes with the last row of its trigger")
        yield Problem(path, message)
    if closing is None:
        return
    if any(row.when is None for row in rows):
        yield Problem(
            (*path, len(rows)),
            Text(zh="有一行不带条件，便没有“否则”", en="a row has no guard, so nothing is left to refuse"),
            Text(zh="给每行加 when，或去掉 otherwise", en="give every row its 'when', or drop 'otherwise'"),
        )
    if is_blank(closing.name.zh) and is_blank(closing.name.en):
        yield Problem(
            (*path, len(rows)),
            Text(zh="拒绝时须说明依据哪条规定", en="a refusal says by which rule"),
            Text(zh="加 name: {zh: 规定的名称, en: …}", en="add name: {zh: …, en: name of the rule}"),
        )
    for place, row in enumerate(rows):
        if row.enforce.get("guard") == "record":
            yield Problem(
                (*path, place, "enforce", "guard"),
                Text(zh="与 otherwise: refuse 相矛盾", en="this contradicts otherwise: refuse"),
                Text(zh="二者去其一", en="drop one of the two"),
            )


def _limits(procedure: ProcedureParts) -> Iterator[Problem]:
    seen = Counter(limit.id for step in walk(procedure.steps) for limit in step.time_limits)
    for place, limit in enumerate(procedure.limits):
        path: Path = ("limits", place)
        seen[limit.id] += 1
        yield from identifier(limit.id, (*path, "id"))
        if seen[limit.id] > 1:
            yield Problem(
                (*path, "id"),
                Text(
                    zh=f"时限名 {limit.id} 已用（环节时限以环节名为名）",
                    en=f"limit id {limit.id!r} is taken (a step's limit has the step's id)",
                ),
                RENAME,
            )
        yield from _extent(procedure, limit, path)
        yield from limit_problems(procedure, limit, path, procedure.triggers)


def _extent(procedure: ProcedureParts, limit: TimeLimit, path: Path) -> Iterator[Problem]:
    """Yield the mistakes in where a limit starts and ends."""
    if (limit.from_ is None) != (limit.to is None and limit.to_trigger is None):
        yield Problem(
            path,
            Text(zh="from 与 to 须成对", en="'from' and 'to' come together"),
            Text(zh="两者都写，或都不写（整个流程）", en="give both, or neither for the whole procedure"),
        )
    if limit.to is not None and limit.to_trigger is not None:
        yield Problem(
            (*path, "to_trigger"),
            Text(zh="to 与 to_trigger 只能写一个", en="a limit ends by 'to' or by 'to_trigger', not by both"),
            Text(zh="删去其一", en="leave one of them out"),
        )
    for key, step in (("from", limit.from_), ("to", limit.to), ("step", limit.step)):
        to_end = key == "to" and limit.lasts_to_end(procedure.all_steps)
        if step is not None and step not in procedure.all_steps and not to_end:
            known = (*procedure.all_steps, END) if key == "to" else procedure.all_steps
            yield unknown((*path, key), "环节", "step", step, dict.fromkeys(known))
    if limit.to_trigger is not None and limit.to_trigger not in procedure.triggers:
        yield unknown((*path, "to_trigger"), "流转", "trigger", limit.to_trigger, procedure.triggers)


def _sources(procedure: ProcedureParts) -> Iterator[Problem]:
    """Yield each source that is cited and not listed, once: at its first citation."""
    reported: set[str] = set()
    for path, source in _citations(procedure):
        for key in source_keys(source):
            if key not in reported and key != PROPOSAL and key not in procedure.sources:
                reported.add(key)
                yield unknown(path, "来源", "source", key, (*procedure.sources, PROPOSAL))


def _citations(procedure: ProcedureParts) -> Iterator[tuple[Path, str | None]]:
    if procedure.start is not None:
        yield ("start", "source"), procedure.start.source
    for path, limit in limit_places(procedure):
        yield (*path, "source"), limit.source
        for place, row in enumerate(limit.match):
            yield (*path, "match", place, "source"), row.source
    for path, step in step_places(procedure.steps, ("steps",)):
        if step.then is not None:
            yield (*path, "then", "source"), step.then.source
        for where, instant in instant_places(step, path):
            yield (*where, "source"), instant.source
    for parameter in procedure.parameters.values():
        yield ("parameters", parameter.id, "source"), parameter.source
    for indicator in procedure.indicators.values():
        yield ("indicators", indicator.id, "source"), indicator.source
