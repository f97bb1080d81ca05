"""JSON of instances, deadlines, deviations, facts and explanations, with keys that stay.

Instants are ISO 8601 in UTC, lengths of time are seconds; texts are given in both languages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from svcflow.explanation.explain import Explanation
from svcflow.explanation.lines import Line
from svcflow.journal.canonical import to_record
from svcflow.kernel.facts import Fact, to_datetime
from svcflow.kernel.instance import Instance
from svcflow.kernel.lifecycle.assignees import assignee_of
from svcflow.kernel.lifecycle.deviations import STATUS_AFTER, Answer, Deviation
from svcflow.kernel.moves.availability import Available
from svcflow.kernel.timing.deadlines import Deadline
from svcflow.text import Text

__all__ = [
    "answer_command",
    "available_json",
    "deadline_json",
    "deviation_json",
    "explanation_json",
    "fact_json",
    "instance_json",
    "new_deviations_json",
]

Record = dict[str, Any]


def instance_json(one: Instance, at_us: int = 0) -> Record:
    """Return an instance."""
    return {
        "id": one.id,
        "procedure": one.procedure,
        "version": one.version,
        "status": one.status,
        "outcome": one.outcome,
        "steps": list(one.steps),
        "hold": one.hold,
        "data": dict(one.data),
        "evidence": sorted(one.evidence),
        "recipient": one.recipient,
        "group": one.group,
        "assignees": {step: who for step in one.assignees if (who := assignee_of(one, step, at_us))},
        "revision": one.revision,
        "sequence": one.sequence,
        "started_at": _iso(one.started_at),
        "ended_at": _iso(one.ended_at),
    }


def deadline_json(one: Deadline) -> Record:
    """Return a deadline; `remaining_s` is in the limit's own clock, negative once overdue."""
    return {
        "instance": one.instance,
        "limit": one.limit,
        "step": one.step,
        "target": str(one.target),
        "version": one.version,
        "severity": one.severity,
        "state": one.state,
        "due_at": _iso(one.due_at),
        "provisional": one.provisional,
        "remaining_s": _seconds(one.remaining),
    }


def deviation_json(one: Deviation, answers: Iterable[Answer] = ()) -> Record:
    """Return a deviation; `overrun_s` is in the limit's own clock, null until the limit has ended.

    `annulled` is true where the end, recorded late, turned out to have been in time; `overrun_s` is then 0.
    """
    return {
        "instance": one.instance,
        "sequence": one.sequence,
        "procedure": one.procedure,
        "version": one.version,
        "kind": one.kind,
        "severity": one.severity,
        "step": one.step,
        "role": one.role,
        "actor": one.actor,
        "occurred_at": _iso(one.occurred_at),
        "limit": one.limit,
        "due_at": _iso(one.due_at),
        "overrun_s": _seconds(one.overrun),
        "annulled": one.annulled,
        "trigger": one.trigger,
        "reason": one.reason,
        "detail": dict(one.detail),
        "status": one.status,
        "explanation": one.explanation,
        "answers": [_answer(answer) for answer in answers],
    }


def new_deviations_json(deviations: Sequence[Deviation]) -> list[Record]:
    """Return the deviations that a command recorded, each with the commands that answer to it."""
    commands = ("explain", "accept")
    return [
        {**deviation_json(one), "next": [answer_command(verb, one).en for verb in commands]}
        for one in deviations
    ]


def answer_command(verb: str, one: Deviation) -> Text:
    """Return the command line that answers to a deviation."""
    command = f"svcflow deviation {verb} {one.instance} {one.sequence}"
    return Text(
        zh=f"{command} --actor 编号:岗位 --reason 理由", en=f"{command} --actor ID:ROLE --reason REASON"
    )


def _answer(one: Answer) -> Record:
    """Return who answered what to a deviation; `behalf` is null where nobody was acted for."""
    return {
        "status": STATUS_AFTER[type(one)],
        "actor": one.actor,
        "behalf": one.behalf or None,
        "reason": one.reason,
        "occurred_at": one.occurred_at.isoformat(),
    }


def available_json(one: Available) -> Record:
    """Return what may be fired."""
    return {
        "trigger": one.trigger,
        "step": one.step,
        "to": one.to,
        "open": one.open,
        "requires": list(one.requires),
        "evidence": list(one.evidence),
        "rule": one.rule,
        "why": _both(one.why),
    }


def fact_json(one: Fact) -> Record:
    """Return a fact with its instants as text."""
    record: Record = {"kind": one.kind}
    for key, value in to_record(one).items():
        if key == "overrun_us":
            record["overrun_s"] = value / 1_000_000
        elif key.endswith("_us"):
            record[f"{key[:-3]}_at"] = _iso(to_datetime(value))
        else:
            record[key] = value
    return record


def explanation_json(instance: str, one: Explanation) -> Record:
    """Return how a deadline came to be; a `target` is written as in a procedure file, or null."""
    return {
        "instance": instance,
        "limit": one.limit,
        "name": _both(one.name),
        "target": None if one.target is None else str(one.target),
        "promised": one.promised,
        "visits": one.visits,
        "lines": [_line(line) for line in one.lines],
    }


def _line(one: Line) -> Record:
    """Return a line: lengths of time are in `…_s`, numbers of days in `…_days`; what does not apply is null."""
    return {
        "kind": one.kind,
        "from_at": _iso(one.from_at.astimezone(UTC)),
        "to_at": _iso(None if one.to_at is None else one.to_at.astimezone(UTC)),
        "amount_s": _seconds(one.amount) if isinstance(one.amount, timedelta) else None,
        "amount_days": one.amount if isinstance(one.amount, int) else None,
        "total_s": _seconds(one.total) if isinstance(one.total, timedelta) else None,
        "total_days": one.total if isinstance(one.total, int) else None,
        "text": _both(one.words),
    }


def _both(text: Text) -> Record:
    return {"zh": text.zh, "en": text.en}


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()
