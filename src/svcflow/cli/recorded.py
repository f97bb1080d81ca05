"""What an engine recorded by itself, across instances: a table for people, facts for programs."""

from __future__ import annotations

from collections.abc import Sequence

from svcflow.cli.journal_lines import tell
from svcflow.cli.json import fact_json
from svcflow.cli.language import Tongue
from svcflow.cli.session import names_in, versions_of
from svcflow.kernel.facts import Fact
from svcflow.runtime.engine import Engine
from svcflow.text import Text
from svcflow.text_table import table

__all__ = ["recorded_json", "recorded_text"]

_HEADS = (Text(zh="实例", en="Instance"), Text(zh="时间", en="When"), Text(zh="事项", en="What happened"))


def recorded_text(engine: Engine, recorded: Sequence[Fact], lang: Tongue, nothing: Text) -> str:
    """Return the facts with their instances, or `nothing` when there are none."""
    if not recorded:
        return nothing.in_(lang)
    instances = {name: engine.instance(name) for name in {fact.instance for fact in recorded}}
    names_of, rows = names_in(engine, versions_of(instances.values()), lang), []
    for fact in recorded:
        of = instances[fact.instance]
        names = names_of(of.procedure, of.version)
        rows.append((fact.instance, names.when(fact.occurred_at), tell(fact, names)))
    return table([head.in_(lang) for head in _HEADS], rows, flows=True)


def recorded_json(recorded: Sequence[Fact]) -> dict[str, object]:
    """Return the facts for programs."""
    return {"recorded": [fact_json(fact) for fact in recorded]}
