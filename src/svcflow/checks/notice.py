"""Notice of a start against the limits before the same scheduled instant: whether it leaves any time for them."""

from __future__ import annotations

from collections.abc import Iterator

from svcflow.checks.findings import Finding, finding
from svcflow.model.amount import Amount
from svcflow.model.calendar_names import ALWAYS_OPEN
from svcflow.model.limit_locations import limit_places
from svcflow.model.procedure import Procedure
from svcflow.model.target import Anchor
from svcflow.model.wording import target_text
from svcflow.text import Text

__all__ = ["notice"]


def notice(procedure: Procedure) -> Iterator[Finding]:
    """Yield each limit that is due by the latest instant at which one may ask: nobody could keep it then."""
    rule = procedure.start
    if rule is None or rule.before is None:
        return
    own = rule.calendar or procedure.calendar
    for _, limit in limit_places(procedure):
        same = (limit.calendar or procedure.calendar) == own
        for row in limit.rows:
            target = row.target
            if target is None or target.kind != "before" or target.anchor is None:
                continue
            if not _leaves_time(rule.before, target.anchor, same_calendar=same or own in ALWAYS_OPEN):
                words = Text(*(target_text(target, procedure.fields, lang) for lang in ("zh", "en")))
                name = limit.id
                yield finding(
                    "notice-below-limit",
                    ("start", "before"),
                    Text(
                        zh=f"最迟提出时，时限“{name}”（{words.zh}）已到期",
                        en=f"who asks at the latest instant leaves no time for {name!r} ({words.en})",
                    ),
                    Text(
                        zh=f"把 before 提前到 {target.anchor} 之前，或改该时限",
                        en=f"put before earlier than {target.anchor}, or change the limit",
                    ),
                )
                break


def _leaves_time(asked: Anchor, due: Anchor, *, same_calendar: bool) -> bool:
    """Return whether an instant to ask by lies before a deadline; True too where only a calendar could tell."""
    if asked.field != due.field:
        return True
    if due.amount is None:
        return asked.amount is not None and bool(asked.amount.value)
    if asked.amount is None:
        return False
    if asked.amount.family == due.amount.family and (same_calendar or asked.amount.family == "elapsed"):
        return _length(asked.amount) > _length(due.amount)
    return True


def _length(amount: Amount) -> int:
    return amount.us if amount.family in ("elapsed", "working") else amount.count
