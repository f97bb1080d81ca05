"""Pairs of procedures, one of which a step of the other runs: ends that move nothing, required data that may be missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from svcflow.checks.findings import Finding, finding
from svcflow.model.called_procedures import Call, calls_of
from svcflow.model.procedure import Procedure
from svcflow.model.step import walk
from svcflow.text import Text
from svcflow.wording import OUTCOMES, word

__all__ = ["called_procedures"]


def called_procedures(procedure: Procedure, newest: Mapping[str, Procedure]) -> Iterator[Finding]:
    """Yield what looks unwise between a procedure and those that its steps run; `newest` are the newest versions by id."""
    for call in calls_of(procedure):
        child = newest.get(call.runs.procedure)
        if child is not None:
            yield from _unheard(child, call)
            yield from _maybe_empty(procedure, child, call)


def _unheard(child: Procedure, call: Call) -> Iterator[Finding]:
    ends = dict.fromkeys(step.end for step in child.steps if step.end is not None)
    for outcome in ends:
        if outcome not in call.runs.outcomes:
            how = word(OUTCOMES, outcome)
            yield finding(
                "outcome-unheard",
                (*call.path, "outcomes") if call.runs.outcomes else call.path,
                Text(
                    zh=f"流程 {child.id} 以“{how.zh}”（{outcome}）结束时，{call.step} 不会自动流转",
                    en=f"when {child.id} ends as {outcome}, {call.step} does not move on by itself",
                ),
                Text(
                    zh=f"写 outcomes: {{{outcome}: 流转}}，或由人办理",
                    en=f"write outcomes: {{{outcome}: trigger}}, or leave it to people",
                ),
            )


def _maybe_empty(procedure: Procedure, child: Procedure, call: Call) -> Iterator[Finding]:
    # What some move requires is taken to be there: whether it comes before this step is the author's to see.
    asked = {name for step in walk(procedure.steps) for move in step.to for name in move.requires}
    for name, own in call.runs.data.items():
        field, source = child.fields.get(name), procedure.fields.get(own)
        if field is None or source is None or not field.required or field.default is not None:
            continue
        if not source.required and source.default is None and own not in asked:
            yield finding(
                "given-maybe-empty",
                (*call.path, "data", name),
                Text(
                    zh=f"流程 {child.id} 必填 {name}，而 {own} 可能为空：子流程要等到有值才能开始",
                    en=f"{child.id} requires {name}, and {own} may be empty: it would not start before there is a value",
                ),
                Text(
                    zh=f"给 {own} 写 required: true，或在此前的流转写 requires: [{own}]",
                    en=f"write required: true for {own}, or requires: [{own}] in a move before this step",
                ),
            )
