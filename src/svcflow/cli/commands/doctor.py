"""Command that examines the installation: `svcflow doctor`."""

from __future__ import annotations

from datetime import UTC, datetime

from svcflow.cli.command import command
from svcflow.cli.errors import FOUND
from svcflow.cli.options import with_store
from svcflow.cli.session import CommandSession
from svcflow.text import Text


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
@with_store
def doctor(session: CommandSession) -> int:
    """Examine the installation."""
    from svcflow.cli.doctor.declarations import declarations
    from svcflow.cli.doctor.drawing import drawing
    from svcflow.cli.doctor.probe import probes_text
    from svcflow.cli.doctor.software import software
    from svcflow.cli.doctor.storage import storage

    today = (session.at or datetime.now(UTC)).date()
    probes = [*software(session.lang), *drawing(), *declarations(session.folder, today), *storage(session.db)]
    ok = all(probe.state != "failure" for probe in probes)
    session.answer(
        lambda: {"ok": ok, "probes": [probe.to_json() for probe in probes]},
        lambda: probes_text(probes, session.lang),
    )
    return 0 if ok else FOUND
