"""Rules by which a change of a procedure breaks something for instances that are running."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from svcflow.model.diff.changes import AttributeChange, Section
from svcflow.text import Text

Rule = Callable[[Any, Any], bool]
"""Whether a change breaks something, from the values before and after it."""

_REFUSES = Text(zh="此前记录在案的，现在拒绝办理", en="what was recorded is refused now")
_REQUIRED = Text(zh="变更版本时须给出该字段", en="a migration must give the field")
_ROLE = Text(zh="办理的岗位变了", en="another role has to act")
_CLOSED = Text(zh="流转更难办理", en="the trigger may be closed where it was open")
_OWES = Text(zh="须多附凭证或信息", en="more is owed than before")
_BRANCHES = Text(
    zh="正在该并行环节中的实例不能变更版本", en="an instance in the parallel step cannot go over"
)
_SUBPROCEDURE = Text(
    zh="子流程未结束的实例不能变更版本", en="an instance whose sub-procedure runs cannot go over"
)
_VALUES = Text(zh="原有的值可能不再合适", en="values given before may not fit any more")

_WHOLE: Mapping[tuple[Section, str], Text] = {
    ("step", "removed"): Text(
        zh="在其中的实例须指明去处", en="an instance in it needs a step to go to: map it"
    ),
    ("branch", "added"): _BRANCHES,
    ("branch", "removed"): _BRANCHES,
    ("transition", "removed"): Text(zh="不能再以此办理", en="it cannot be fired any more"),
    ("otherwise", "added"): _REFUSES,
    ("role", "removed"): Text(zh="该岗位不再办理", en="nobody acts in that role any more"),
    ("field", "removed"): Text(zh="不能再填写该字段", en="the field cannot be given any more"),
    ("automatic_move", "added"): Text(
        zh="在该环节中的实例会自动流转", en="an instance in the step moves on by itself"
    ),
    ("subprocedure", "added"): _SUBPROCEDURE,
    ("subprocedure", "removed"): _SUBPROCEDURE,
    ("hold", "removed"): Text(zh="暂停事由的规定没有了", en="the rule for this hold is gone"),
}
"""What comes or goes as a whole."""


def broken_by(change: AttributeChange) -> Text | None:
    """Return what a change breaks for instances under the old version; None when it breaks nothing."""
    if not change.attribute:
        return _WHOLE.get((change.section, change.kind)) or _new_field(change)
    if change.section == "enforcement" and change.attribute == "start":
        return None  # whoever is running has started
    if change.section in ("enforcement", "transition") and change.after == "refuse":
        return _REFUSES
    rule, why = _RULES.get((change.section, change.attribute), (None, None))
    return why if rule is not None and rule(change.before, change.after) else None


def _new_field(change: AttributeChange) -> Text | None:
    if (change.section, change.kind) != ("field", "added") or not isinstance(change.after, Mapping):
        return None
    return _REQUIRED if change.after.get("required") and "default" not in change.after else None


def _given(_before: Any, after: Any) -> bool:
    return after is not None


def _always(_before: Any, _after: Any) -> bool:
    return True


def _is_true(_before: Any, after: Any) -> bool:
    return after is True


def _refuses(_before: Any, after: Any) -> bool:
    return bool(after == "refuse")


def _gained(before: Any, after: Any) -> bool:
    return not set(after or ()) <= set(before or ())


def _more_steps(before: Any, after: Any) -> bool:
    """Whether steps were added to those of `not_by`, where a single one stands without brackets."""
    return _gained(*([names] if isinstance(names, str) else names for names in (before, after)))


def _lost(before: Any, after: Any) -> bool:
    return not set(before or ()) <= set(after or ())


def _lower(before: Any, after: Any) -> bool:
    return after is not None and (before is None or after < before)


def _higher(before: Any, after: Any) -> bool:
    return after is not None and (before is None or after > before)


_RULES: Mapping[tuple[Section, str], tuple[Rule, Text]] = {
    ("procedure", "id"): (_always, Text(zh="不是同一流程", en="it is another procedure")),
    ("step", "role"): (_given, _ROLE),
    ("step", "not_by"): (_more_steps, Text(zh="同一人不能再办", en="the same person may be excluded")),
    ("step", "qualified"): (_given, Text(zh="须持证方可办理", en="who does it has to hold a certificate")),
    ("step", "evidence"): (_gained, _OWES),
    ("step", "end"): (_always, Text(zh="终点变了", en="where it ends has changed")),
    ("transition", "role"): (_given, _ROLE),
    ("transition", "requires"): (_gained, _OWES),
    ("transition", "when"): (_given, _CLOSED),
    ("transition", "at_most"): (_lower, _CLOSED),
    ("field", "type"): (_always, _VALUES),
    ("field", "choices"): (_lost, _VALUES),
    ("field", "minimum"): (_higher, _VALUES),
    ("field", "maximum"): (_lower, _VALUES),
    ("field", "required"): (_is_true, _REQUIRED),
    ("field", "personal"): (
        _is_true,
        Text(
            zh="此前写下的值在留痕中仍是明文，抹去其人时不能抹去",
            en="values recorded before stay in the clear in the journals, and cannot be erased",
        ),
    ),
    ("field", "settled_by"): (
        _given,
        Text(zh="办过该流转后，值不能再改", en="from that move on the value cannot be changed any more"),
    ),
    ("subprocedure", "procedure"): (_always, _SUBPROCEDURE),
    ("subprocedure", "on_call_off"): (_refuses, _CLOSED),
    ("hold", "evidence"): (_gained, _OWES),
}
"""What a changed attribute breaks, and when."""
