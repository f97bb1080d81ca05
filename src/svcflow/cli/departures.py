"""Departures: the deviations that one command recorded, told right after it, and what can be done about them."""

from __future__ import annotations

from collections.abc import Sequence

from svcflow.cli.json import Record, deviation_json
from svcflow.cli.language import Tongue
from svcflow.cli.output import paragraphs
from svcflow.cli.session import names_in, versions_of
from svcflow.cli.tables import deviation_table
from svcflow.kernel.lifecycle.deviations import Deviation
from svcflow.runtime.engine import Engine
from svcflow.text import Text

__all__ = ["departures_json", "departures_text"]

_TITLE = Text(zh="此次记录的偏差", en="Deviations recorded by this command")
_EXPLAIN = Text(zh="说明原因：", en="say why it came about: ")
_JUDGE = Text(zh="再由另一人认可或不认可：", en="then somebody else accepts or rejects it: ")


def departures_json(found: Sequence[Deviation]) -> list[Record]:
    """Return the deviations, each with the commands that answer to it."""
    return [{**deviation_json(one), "next": [_explain(one, "en"), _accept(one, "en")]} for one in found]


def departures_text(engine: Engine, found: Sequence[Deviation], lang: Tongue) -> str:
    """Return a table of the deviations and the commands that answer to the first; nothing without any."""
    if not found:
        return ""
    names_of = names_in(engine, versions_of(found), lang)
    grid = deviation_table(found, names_of, lang, whose=False)
    hints = (
        f"→ {_EXPLAIN.in_(lang)}{_explain(found[0], lang)}",
        f"→ {_JUDGE.in_(lang)}{_accept(found[0], lang)}",
    )
    return paragraphs((f"{_TITLE.in_(lang)}\n{grid}", "\n".join(f"  {hint}" for hint in hints)))


def _explain(one: Deviation, lang: Tongue) -> str:
    return f"svcflow deviation explain {one.instance} {one.sequence} {_BY.in_(lang)}"


def _accept(one: Deviation, lang: Tongue) -> str:
    return f"svcflow deviation accept {one.instance} {one.sequence} {_BY.in_(lang)}"


_BY = Text(zh="--actor 编号:岗位 --reason 理由", en="--actor ID:ROLE --reason REASON")
