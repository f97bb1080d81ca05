"""JSON of instances, deadlines, deviations, facts and explanations, with keys that stay.

Instants are ISO 8601 in UTC, lengths of time are seconds; texts are given in both languages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from svcflow.explanation.explain import Explanation
from svcflow.explanation.lines import Line
from svcflow.journal.canonical import to_record
from svcflow.kernel.facts import Fact, to_datetime
from svcflow.kernel.instance import Instance
from svcflow.kernel.lifecycle.assignees import assignee_of
from svcflow.kernel.lifecycle.deviations import STATUS_AFTER, Answer, Deviation
from svcflow.kernel.moves.availability import Available
from svcflow.kernel.timing.coming_moves import ComingMove
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


def instance_json(instance: Instance, at_us: int = 0) -> Record:
    """Return an instance."""
    return {
        "id": instance.id,
        "procedure": instance.procedure,
        "version": instance.version,
        "status": instance.status,
        "outcome": instance.outcome,
        "steps": list(instance.steps),
        "hold": instance.hold,
        "data": dict(instance.data),
        "evidence": sorted(instance.evidence),
        "parameters": dict(instance.parameters),
        "recipient": instance.recipient,
        "group": instance.group,
        "assignees": {
            step: who for step in instance.assignees if (who := assignee_of(instance, step, at_us))
        },
        "revision": instance.revision,
        "sequence": instance.sequence,
        "started_at": _iso(instance.started_at),
        "ended_at": _iso(instance.ended_at),
        "parent": None if instance.parent is None else instance.parent.id,
        "children": [
            {
                "instance": name,
                "procedure": child.procedure,
                "step": child.step,
                "state": child.state,
                "outcome": child.outcome,
            }
            for name, child in instance.children.items()
        ],
    }


def deadline_json(deadline: Deadline) -> Record:
    """Return a deadline; `remaining_s` is in the limit's own clock, negative once overdue."""
    return {
        "instance": deadline.instance,
        "limit": deadline.limit,
        "step": deadline.step,
        "target": str(deadline.target),
        "version": deadline.version,
        "severity": deadline.severity,
        "state": deadline.state,
        "due_at": _iso(deadline.due_at),
        "provisional": deadline.provisional,
        "remaining_s": _seconds(deadline.remaining),
    }


def coming_move_json(move: ComingMove) -> Record:
    """Return an automatic move that is to come; `at` is null while its clock stands still or its instant is not set."""
    return {
        "timer": move.timer,
        "step": move.step,
        "trigger": move.trigger,
        "at": _iso(move.at),
        "provisional": move.provisional,
    }


def deviation_json(deviation: Deviation, answers: Iterable[Answer] = ()) -> Record:
    """Return a deviation; `overrun_s` is in the limit's own clock, null until the limit has ended.

    `annulled` is true where the end, recorded late, turned out to have been in time; `overrun_s` is then 0.
    """
    return {
        "instance": deviation.instance,
        "sequence": deviation.sequence,
        "procedure": deviation.procedure,
        "version": deviation.version,
        "kind": deviation.kind,
        "severity": deviation.severity,
        "step": deviation.step,
        "role": deviation.role,
        "actor": deviation.actor,
        "occurred_at": _iso(deviation.occurred_at),
        "limit": deviation.limit,
        "due_at": _iso(deviation.due_at),
        "overrun_s": _seconds(deviation.overrun),
        "annulled": deviation.annulled,
        "trigger": deviation.trigger,
        "reason": deviation.reason,
        "detail": dict(deviation.detail),
        "status": deviation.status,
        "explanation": deviation.explanation,
        "answers": [_answer(answer) for answer in answers],
    }


def new_deviations_json(deviations: Sequence[Deviation]) -> list[Record]:
    """Return the deviations that a command recorded, each with the commands that answer to it."""
    commands = ("explain", "accept")
    return [
        {**deviation_json(deviation), "next": [answer_command(verb, deviation).en for verb in commands]}
        for deviation in deviations
    ]


def answer_command(verb: str, deviation: Deviation) -> Text:
    """Return the command line that answers to a deviation."""
    command = f"svcflow deviation {verb} {deviation.instance} {deviation.sequence}"
    return Text(
        zh=f"{command} --actor 编号:岗位 --reason 理由", en=f"{command} --actor ID:ROLE --reason REASON"
    )


def _answer(answer: Answer) -> Record:
    """Return who answered what to a deviation; `behalf` is null where nobody was acted for."""
    return {
        "status": STATUS_AFTER[type(answer)],
        "actor": answer.actor,
        "behalf": answer.behalf or None,
        "reason": answer.reason,
        "occurred_at": answer.occurred_at.isoformat(),
    }


def available_json(available: Available) -> Record:
    """Return what may be fired."""
    return {
        "trigger": available.trigger,
        "step": available.step,
        "to": available.to,
        "open": available.open,
        "requires": list(available.requires),
        "evidence": list(available.evidence),
        "rule": available.rule,
        "why": _both(available.why),
    }


def fact_json(fact: Fact) -> Record:
    """Return a fact with its instants as text."""
    record: Record = {"kind": fact.kind}
    for key, value in to_record(fact).items():
        if key == "overrun_us":
            record["overrun_s"] = value / 1_000_000
        elif key.endswith("_us"):
            record[f"{key[:-3]}_at"] = _iso(to_datetime(value))
        else:
            record[key] = value
    return record


def explanation_json(instance: str, explanation: Explanation) -> Record:
    """Return how a deadline came to be; a `target` is written as in a procedure file, or null."""
    return {
        "instance": instance,
        "limit": explanation.limit,
        "name": _both(explanation.name),
        "target": None if explanation.target is None else str(explanation.target),
        "promised": explanation.promised,
        "visits": explanation.visits,
        "parameters": [_both(parameter) for parameter in explanation.parameters],
        "sources": [attrs.asdict(source) for source in explanation.sources],
        "lines": [_line(line) for line in explanation.lines],
    }


def _line(line: Line) -> Record:
    """Return a line: lengths of time are in `…_s`, numbers of days in `…_days`; what does not apply is null."""
    return {
        "kind": line.kind,
        "from_at": _iso(line.from_at.astimezone(UTC)),
        "to_at": _iso(None if line.to_at is None else line.to_at.astimezone(UTC)),
        "amount_s": _seconds(line.amount) if isinstance(line.amount, timedelta) else None,
        "amount_days": line.amount if isinstance(line.amount, int) else None,
        "total_s": _seconds(line.total) if isinstance(line.total, timedelta) else None,
        "total_days": line.total if isinstance(line.total, int) else None,
        "text": _both(line.words),
    }


def _both(text: Text) -> Record:
    return {"zh": text.zh, "en": text.en}


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()
