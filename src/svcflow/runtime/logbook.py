"""What an engine writes to the log `svcflow`: instances, procedures, kinds of facts. No person, no value.

DEBUG: each command. INFO: what a tick recorded, and what was refused; a refusal is an answer to somebody and on
record, so it is no warning. A tick that fails is an ERROR of the ticker.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence

from svcflow.kernel.commands import Command
from svcflow.kernel.facts import Fact
from svcflow.runtime.carrying import Beginning, Carrying, Sweeping

_FEW = 20
_log = logging.getLogger("svcflow")


def note_command(command: Command, instance: str, carried: Beginning | Carrying) -> None:
    """Note that a command was carried out, refused or answered again."""
    if not _log.isEnabledFor(logging.INFO):
        return
    name, outcome = type(command).__name__, carried.outcome
    if carried.answer is not None or outcome is None:
        _log.debug("%s of %s: answered again", name, instance)
        return
    procedure, refused = outcome.instance.procedure, outcome.refused
    if refused is not None:
        _log.info("%s of %s (%s): refused by rule %s", name, instance, procedure, refused.rule)
    _log.debug("%s of %s (%s): %s", name, instance, procedure, _kinds(outcome.facts))


def note_sweep(sweeping: Sweeping) -> None:
    """Note what became due and was recorded, instance by instance."""
    if not _log.isEnabledFor(logging.INFO):
        return
    for instance, facts in sweeping.facts.items():
        if facts:
            _log.info("recorded of %s (%s): %s", instance, sweeping.procedures[instance], _kinds(facts))


def _kinds(facts: Sequence[Fact]) -> str:
    """Name the kinds of facts, in their order; many are counted instead."""
    if len(facts) <= _FEW:
        return ", ".join(fact.kind for fact in facts)
    return ", ".join(f"{kind} ({count})" for kind, count in Counter(fact.kind for fact in facts).items())
