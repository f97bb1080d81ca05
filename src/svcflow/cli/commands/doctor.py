"""`svcflow doctor`: what is there, what is missing, and what that means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from svcflow.cli.command import asked_of, command
from svcflow.cli.errors import FOUND
from svcflow.cli.language import Tongue
from svcflow.cli.options import stored
from svcflow.cli.output import answer
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.cli.doctor.probe import Probe


@command(
    "doctor",
    Text(
        zh="检查 Python、依赖、布线、字体、SQLite、日历覆盖期、存储与写入权限。有误时退出码为 1；提示与注意不影响退出码。",
        en="Look over Python, packages, Graphviz, fonts, SQLite, the calendars' coverage, the store and permissions. "
        "Exits with 1 on a failure; notes and warnings do not count.",
    ),
    "svcflow doctor",
    "svcflow doctor --db service.db --json",
)
@stored
@click.pass_context
def doctor(ctx: click.Context, *, db: str | None, folder: str | None, at: datetime | None) -> None:
    """Probe, and list what was found."""
    from svcflow.cli.doctor.declared import declared
    from svcflow.cli.doctor.drawing import drawing
    from svcflow.cli.doctor.software import software
    from svcflow.cli.doctor.storage import storage

    asked = asked_of(ctx)
    today = (at or datetime.now(UTC)).date()
    found = [*software(asked), *drawing(), *declared(folder, today), *storage(db)]
    fails = any(one.state == "failure" for one in found)
    answer(
        asked,
        lambda: {"ok": not fails, "probes": [one.to_json() for one in found]},
        lambda: _text(found, asked.lang),
    )
    ctx.exit(FOUND if fails else 0)


def _text(found: Sequence[Probe], lang: Tongue) -> str:
    from svcflow.cli.doctor.probe import STATES, counted
    from svcflow.text_table import table

    rows = []
    for one in found:
        rows.append((STATES[one.state].in_(lang), one.name.in_(lang), one.said.in_(lang)))
        if one.remedy:
            rows.append(("", "", f"→ {one.remedy.in_(lang)}"))
    heads = (Text(zh="情况", en="State"), Text(zh="项目", en="What"), Text(zh="说明", en="Found"))
    counts = Counter(one.state for one in found)
    listed = (", " if lang == "en" else "，").join(
        counted(counts[state], state).in_(lang) for state in STATES if counts[state]
    )
    return f"{table([head.in_(lang) for head in heads], rows, flows=True)}\n\n  {listed}"
