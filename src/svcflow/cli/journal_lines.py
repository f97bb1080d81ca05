"""Lines of a journal: what each fact records, in the words of its procedure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from svcflow.cli.names import ProcedureNames
from svcflow.kernel import facts
from svcflow.kernel.facts import Fact, to_datetime
from svcflow.model.limit import reason_of
from svcflow.model.wording import rung_text
from svcflow.text import Text
from svcflow.wording import DEVIATIONS, OUTCOMES, word

__all__ = ["journal_line"]


def journal_line(fact: Fact, names: ProcedureNames) -> str:
    """Return what a fact records, without instant and actor."""
    return _LINES[type(fact)](fact, names)


def _text(names: ProcedureNames, zh: str, en: str) -> str:
    return Text(zh=zh, en=en).in_(names.lang)


def _started(fact: facts.Started, names: ProcedureNames) -> str:
    step, by_itself = names.step(fact.step), fact.occurrence.replace("T", " ")
    values = _parameters(fact)
    if fact.parent:
        return _text(
            names,
            f"开始：{step}（{fact.parent} 的子流程）{values.zh}",
            f"started: {step} (run by {fact.parent}){values.en}",
        )
    if fact.start:
        return _text(
            names,
            f"定期启动 {fact.start}（{by_itself}）：{step}{values.zh}",
            f"started by itself ({fact.start}, {by_itself}): {step}{values.en}",
        )
    foreseen = Text(zh="（提前想到）", en=" (foreseen)") if fact.foreseen else Text()
    name = names.start() or _text(names, "开始", "started")
    return _text(names, f"{name}：{step}{foreseen.zh}{values.zh}", f"{name}: {step}{foreseen.en}{values.en}")


def _parameters(fact: facts.Started | facts.Migrated) -> Text:
    """Return the values of parameters that were pinned in place of those declared; nothing without any."""
    values = ", ".join(f"{name} = {value}" for name, value in fact.parameters.items())
    return Text(zh=f"；参数 {values}", en=f"; parameters {values}") if values else Text()


def _moved(fact: facts.Moved, names: ProcedureNames) -> str:
    way = f"{names.step(fact.step)} → {names.step(fact.to)}"
    trigger = names.trigger(fact.trigger, fact.via or fact.step, fact.row)
    if fact.timed:
        return _text(
            names, f"{way}（到时自动：{trigger}）", f"{way} (by itself, as its time had come: {trigger})"
        )
    if fact.child:
        return _text(names, f"{way}（子流程 {fact.child}：{trigger}）", f"{way} ({fact.child}: {trigger})")
    if fact.automatic:
        return _text(names, f"{way}（自动：{trigger}）", f"{way} (by itself: {trigger})")
    if fact.override:
        return _text(
            names,
            f"{way}（{trigger}，越过次序：{fact.override}）",
            f"{way} ({trigger}; overridden: {fact.override})",
        )
    held = names.joined(map(names.certificate, fact.certificates))
    return _text(
        names,
        f"{way}（{trigger}{f'，持{held}' if held else ''}）",
        f"{way} ({trigger}{f'; holding {held}' if held else ''})",
    )


def _updated(fact: facts.Updated, names: ProcedureNames) -> str:
    listed = ", ".join([*map(names.field, fact.data), *fact.evidence])
    return _text(names, f"补充：{listed}", f"added: {listed}")


def _rescheduled(fact: facts.Rescheduled, names: ProcedureNames) -> str:
    field = names.field(fact.field)
    at = names.when(datetime.fromisoformat(str(fact.at))) if fact.at is not None else "—"
    return _text(names, f"改期：{field} {at}", f"rescheduled: {field} {at}")


def _extended(fact: facts.Extended, names: ProcedureNames) -> str:
    limit, was = names.limit(fact.limit), names.when(to_datetime(fact.was_us))
    return _text(
        names,
        f"延长：{limit}，原 {was} 到期（{fact.reason}）",
        f"extended: {limit}, was due {was} ({fact.reason})",
    )


def _recomputed(fact: facts.Recomputed, names: ProcedureNames) -> str:
    limit = names.limit(fact.limit)
    was, due = names.when(to_datetime(fact.was_us)), names.when(to_datetime(fact.due_us))
    return _text(names, f"重算：{limit}由 {was} 改为 {due}", f"recomputed: {limit} from {was} to {due}")


def _migrated(fact: facts.Migrated, names: ProcedureNames) -> str:
    way = f"v{fact.from_version} → v{fact.to_version}"
    why_zh, why_en = (f"（{fact.reason}）", f" ({fact.reason})") if fact.reason else ("", "")
    if fact.reverts:
        return _text(names, f"撤回版本变更：{way}{why_zh}", f"migration taken back: {way}{why_en}")
    dues_zh, dues_en = {
        "keep": ("截止保留", "deadlines kept"),
        "recompute": ("截止重算", "deadlines reckoned anew"),
    }[fact.due]
    values = _parameters(fact)
    return _text(
        names,
        f"变更版本：{way}，{dues_zh}{why_zh}{values.zh}",
        f"migrated: {way}, {dues_en}{why_en}{values.en}",
    )


def _held(fact: facts.Held, names: ProcedureNames) -> str:
    reason = names.reason(fact.reason)
    return _text(names, f"暂停计时：{reason}", f"held: {reason}")


def _resumed(fact: facts.Resumed, names: ProcedureNames) -> str:
    reason = names.reason(fact.reason)
    return _text(names, f"恢复计时（{reason}）", f"resumed (was {reason})")


def _warned(fact: facts.Warned, names: ProcedureNames) -> str:
    limit, due = names.limit(fact.limit), names.when(to_datetime(fact.due_us))
    at = rung_text(fact.at).in_(names.lang)
    return _text(names, f"预警：{limit}{at}，{due} 到期", f"warning: {limit} {at}, due {due}")


def _escalated(fact: facts.Escalated, names: ProcedureNames) -> str:
    limit, at = names.limit(fact.limit), rung_text(fact.at).in_(names.lang)
    to = names.role(fact.role)
    zh, en = (f"，报{to}", f", to {to}") if to else ("", "")
    return _text(names, f"升级：{limit}{at}{zh}", f"escalated: {limit} {at}{en}")


def _overdue(fact: facts.Overdue, names: ProcedureNames) -> str:
    limit, kind = names.limit(fact.limit), DEVIATIONS[fact.deviation].in_(names.lang)
    return _text(names, f"{kind}：{limit}", f"{kind}: {limit}")


def _settled(fact: facts.Settled, names: ProcedureNames) -> str:
    limit = names.limit(fact.limit)
    if fact.overrun_us < 0:
        return _text(
            names,
            f"{limit}其实按时完成，系补录：超时撤销",
            f"{limit} had ended in time and was recorded late: annulled",
        )
    if not fact.overrun_us and fact.occurred_us <= fact.due_us + 1:  # moved by itself as it was due
        return _text(names, f"{limit}到截止时结束", f"{limit} ended at its deadline")
    if not fact.overrun_us:
        return _text(
            names, f"{limit}过了截止才完成，其间未开放", f"{limit} ended past its deadline, in closed hours"
        )
    late = names.length(timedelta(microseconds=fact.overrun_us), fact.limit)
    ended = "结束" if reason_of(fact.limit) else "完成"
    return _text(names, f"{limit}{ended}，逾期 {late}", f"{limit} ended {late} late")


def _deviated(fact: facts.Deviated, names: ProcedureNames) -> str:
    kind = DEVIATIONS[fact.deviation].in_(names.lang)
    if fact.deviation == "short_notice":
        latest, field = names.when(to_datetime(fact.detail["latest_us"])), names.field(fact.detail["field"])
        return _text(
            names, f"{kind}：{field}须在 {latest} 前提出", f"{kind}: {field} had to be asked for by {latest}"
        )
    step = names.limit(fact.limit) if fact.limit else names.step(fact.step)
    concerned = (*fact.detail.get("missing", ()), *fact.detail.get("fields", ()))
    missing = ", ".join(map(names.field, concerned))
    if "certificate" in fact.detail:
        missing = names.certificate(fact.detail["certificate"])
    lost = str(fact.detail.get("occurrence", "")).replace("T", " ")
    more = fact.reason or missing or lost
    return _text(
        names,
        f"{kind}：{step}{f'（{more}）' if more else ''}",
        f"{kind}: {step}{f' ({more})' if more else ''}",
    )


def _refused(fact: facts.Refused, names: ProcedureNames) -> str:
    reason = fact.reason.in_(names.lang)
    return _text(names, f"被拒绝：{reason}", f"refused: {reason}")


def _assigned(fact: facts.Assigned, names: ProcedureNames) -> str:
    step, why = names.step(fact.step), _why(fact.reason, names)
    if fact.claimed:
        return _text(names, f"认领：{step}", f"claimed: {step}")
    return _text(names, f"分派：{step}{why}", f"assigned: {step}{why}")


def _released(fact: facts.Released, names: ProcedureNames) -> str:
    step, why = names.step(fact.step), _why(fact.reason, names)
    return _text(names, f"释放：{step}{why}", f"released: {step}{why}")


def _why(reason: str, names: ProcedureNames) -> str:
    return _text(names, f"（{reason}）", f" ({reason})") if reason else ""


def _explained(fact: facts.Explained, names: ProcedureNames) -> str:
    number, reason = fact.deviation, fact.reason
    return _text(names, f"说明第 {number} 条偏差：{reason}", f"explained deviation {number}: {reason}")


def _accepted(fact: facts.Accepted, names: ProcedureNames) -> str:
    number, reason = fact.deviation, fact.reason
    return _text(
        names,
        f"认可第 {number} 条偏差的说明：{reason}",
        f"accepted the explanation of deviation {number}: {reason}",
    )


def _rejected(fact: facts.Rejected, names: ProcedureNames) -> str:
    number, reason = fact.deviation, fact.reason
    return _text(
        names,
        f"不认可第 {number} 条偏差的说明：{reason}",
        f"rejected the explanation of deviation {number}: {reason}",
    )


def _erased(fact: facts.Erased, names: ProcedureNames) -> str:
    count = len(fact.commitments)
    return _text(names, f"抹去了 {count} 项个人信息", f"personal data erased ({count})")


def _child_requested(fact: facts.ChildRequested, names: ProcedureNames) -> str:
    step = names.step(fact.step)
    return _text(
        names,
        f"{step}：子流程 {fact.child}（{fact.procedure}）待开始",
        f"{step}: to run {fact.procedure} as {fact.child}",
    )


def _child_started(fact: facts.ChildStarted, names: ProcedureNames) -> str:
    step = names.step(fact.step)
    return _text(names, f"{step}：子流程 {fact.child} 已开始", f"{step}: {fact.child} has started")


def _child_ended(fact: facts.ChildEnded, names: ProcedureNames) -> str:
    step, how = names.step(fact.step), word(OUTCOMES, fact.outcome)
    return _text(
        names,
        f"{step}：子流程 {fact.child} 已结束（{how.zh}）",
        f"{step}: {fact.child} has ended ({how.en})",
    )


def _called_off(_: facts.CalledOff, names: ProcedureNames) -> str:
    return _text(names, "撤销：上级流程已离开该环节", "called off: the parent has left the step that runs it")


def _parent_told(_: facts.ParentTold, names: ProcedureNames) -> str:
    return _text(names, "上级流程已知其结束", "the parent knows of the end")


_LINES: Mapping[type[Fact], Callable[[Any, ProcedureNames], str]] = {
    facts.Started: _started,
    facts.Moved: _moved,
    facts.Updated: _updated,
    facts.Rescheduled: _rescheduled,
    facts.Extended: _extended,
    facts.Recomputed: _recomputed,
    facts.Migrated: _migrated,
    facts.Held: _held,
    facts.Resumed: _resumed,
    facts.Warned: _warned,
    facts.Escalated: _escalated,
    facts.Overdue: _overdue,
    facts.Settled: _settled,
    facts.Deviated: _deviated,
    facts.Refused: _refused,
    facts.Assigned: _assigned,
    facts.Released: _released,
    facts.Explained: _explained,
    facts.Accepted: _accepted,
    facts.Rejected: _rejected,
    facts.ChildRequested: _child_requested,
    facts.ChildStarted: _child_started,
    facts.ChildEnded: _child_ended,
    facts.CalledOff: _called_off,
    facts.ParentTold: _parent_told,
    facts.Erased: _erased,
}
