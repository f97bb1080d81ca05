"""Options that several commands share, and the `CommandSession` that they make."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from svcflow.cli.command import LANG, Decorator, form_of, option
from svcflow.cli.session import CommandSession
from svcflow.cli.values import ACTOR, ELAPSED, INSTANT, PAIR

__all__ = [
    "actor_option",
    "command_id_option",
    "count_options",
    "data_filter",
    "data_option",
    "due_filters",
    "evidence_option",
    "expect_option",
    "giver_option",
    "group_filter",
    "json_option",
    "named_actor_option",
    "out_option",
    "page_options",
    "procedure_filter",
    "procedures_option",
    "qualifications_option",
    "reason_option",
    "role_filter",
    "severity_option",
    "span_filters",
    "step_filter",
    "step_option",
    "with_form",
    "with_procedures",
    "with_session",
    "with_store",
]

json_option = option("--json", is_flag=True, expose_value=False, zh="输出 JSON", en="Answer with JSON.")
procedures_option = option(
    "--procedures",
    "folder",
    metavar="DIR",
    envvar="SVCFLOW_PROCEDURES",
    show_envvar=True,
    zh="流程文件夹；缺省为随库提供的流程",
    en="Folder of procedures; default: those shipped.",
)
_lang_option = option("--lang", **LANG)
_db_option = option(
    "--db",
    metavar="URL|FILE",
    envvar="SVCFLOW_DB",
    show_envvar=True,
    zh="存储，如 service.db 或 postgresql+psycopg://用户@主机/数据库",
    en="The store, such as service.db or postgresql+psycopg://USER@HOST/DB.",
)
_at_option = option(
    "--at",
    type=INSTANT,
    envvar="SVCFLOW_AT",
    show_envvar=True,
    zh="以此时刻为“现在”（演练与补查用），如 2026-03-06T16:30+08:00",
    en="Take this instant for now (rehearsals, looking back), e.g. 2026-03-06T16:30+08:00.",
)


qualifications_option = option(
    "--qualifications",
    "register",
    type=click.Path(path_type=Path),
    metavar="FILE",
    envvar="SVCFLOW_QUALIFICATIONS",
    show_envvar=True,
    zh="持证名册文件，环节要求持证（qualified）时查",
    en="The register of who holds which certificate, for steps that are `qualified`.",
)


def with_session(function: Callable[..., int | None]) -> Callable[..., None]:
    """Make a command of a function that is given a `CommandSession` first and returns its exit code."""

    def run(
        *,
        folder: str | None = None,
        db: str | None = None,
        at: datetime | None = None,
        register: Path | None = None,
        **own: Any,
    ) -> None:
        ctx = click.get_current_context()
        code = function(CommandSession(form_of(ctx), folder, db, at, register), **own)
        if code:
            ctx.exit(code)

    return run


def with_form(function: Callable[..., int | None]) -> Callable[..., None]:
    """Make a command with `--lang` and `--json`; it is given a `CommandSession` and returns an exit code, or None for 0."""
    return _lang_option(json_option(with_session(function)))


def with_procedures(function: Callable[..., int | None]) -> Callable[..., None]:
    """Make a command `with_form` and with `--procedures`."""
    return procedures_option(with_form(function))


def with_store(function: Callable[..., int | None]) -> Callable[..., None]:
    """Make a command `with_form` and with `--db`, `--procedures` and `--at`."""
    return _db_option(procedures_option(_at_option(with_form(function))))


_ACTOR: dict[str, Any] = {
    "type": ACTOR,
    "metavar": "ID:ROLE,...",
    "zh": "办理人及其岗位，如 tech-2:technician",
    "en": "Who acts, with roles: tech-2:technician.",
}
actor_option = option("--actor", **_ACTOR)
named_actor_option = option("--actor", required=True, **_ACTOR)
giver_option = option(
    "--for",
    "giver",
    metavar="GIVER",
    zh="代此人办理，须有其有效的委托（见 svcflow delegation）",
    en="Act for this person, who has delegated it (see svcflow delegation).",
)
step_option = option("--step", metavar="STEP", zh="环节，并行时用", en="The step, when several are active.")
data_option = option(
    "--data",
    "-d",
    type=PAIR,
    multiple=True,
    metavar="KEY=VALUE",
    zh="字段的值，可多次给出",
    en="A field's value; may be repeated.",
)
evidence_option = option(
    "--evidence",
    "-e",
    type=PAIR,
    multiple=True,
    metavar="NAME=REF",
    zh="凭证及其编号或链接，可多次给出",
    en="A record and where it is kept; may be repeated.",
)
command_id_option = option(
    "--command-id",
    metavar="ID",
    zh="命令编号：重复提交同一编号只办理一次；被拒绝的可更正后再提交",
    en="Asked again with the same id, it is done only once; one that was refused may be corrected.",
)
expect_option = option(
    "--expect",
    type=click.IntRange(min=0),
    metavar="REVISION",
    zh="仅当实例仍是此修订号时办理",
    en="Only when the instance is still at this revision.",
)
severity_option = option(
    "--severity",
    type=click.Choice(["minor", "major", "critical"]),
    default="minor",
    show_default=True,
    zh="达到此程度时退出码为 1",
    en="Exit with 1 from this severity on.",
)


def reason_option(*, zh: str, en: str, required: bool = True) -> Decorator:
    """Return `--reason` with its help; where it is not required, it is empty by default."""
    more = {"required": True} if required else {"default": ""}
    return option("--reason", metavar="REASON", zh=zh, en=en, **more)


def out_option(*, zh: str, en: str) -> Decorator:
    """Return `--out` with its help."""
    return option("--out", "-o", type=click.Path(path_type=Path), metavar="FILE", zh=zh, en=en)


procedure_filter = option("--procedure", metavar="ID", zh="只列此流程", en="Only of this procedure.")
step_filter = option("--step", metavar="STEP", zh="只列此环节", en="Only of this step.")
role_filter = option("--role", metavar="ROLE", zh="只列此岗位", en="Only of this role.")
group_filter = option(
    "--group",
    type=click.Choice(["leaders", "staff", "retirees", "logistics"]),
    zh="只列此类服务对象",
    en="Only for recipients of this group.",
)
data_filter = option(
    "--data",
    "-d",
    "pairs",
    type=PAIR,
    multiple=True,
    metavar="KEY=VALUE",
    zh="只列字段为此值的，可多次给出；须连同 --procedure",
    en="Only where a field has this value; may be repeated; wants --procedure.",
)


def span_filters(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--since` and `--until`."""
    since = option("--since", type=INSTANT, zh="自此时刻起", en="From this instant on.")
    until = option("--until", type=INSTANT, zh="到此时刻前", en="Before this instant.")
    return since(until(function))


def due_filters(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--overdue` and `--due-within`."""
    overdue = option("--overdue", is_flag=True, zh="只列此刻已超期的", en="Only what is overdue now.")
    within = option(
        "--due-within",
        "within",
        type=ELAPSED,
        metavar="TIME",
        zh="只列在此实际时间内到期的（如 2h），含已超期的",
        en="Only what is due within this elapsed time (2h), what is overdue included.",
    )
    return overdue(within(function))


def page_options(limit: int | None) -> Decorator:
    """Return `--limit`, with its default, and `--after`."""
    most = option(
        "--limit",
        type=click.IntRange(min=1),
        default=limit,
        show_default=limit is not None,
        zh="最多列出多少个",
        en="List at most so many.",
    )
    after = option(
        "--after",
        metavar="CURSOR",
        zh="接着上一页：其答复末尾的页标",
        en="Go on behind a page: the cursor it ended with.",
    )
    return lambda function: most(after(function))


def count_options(*keys: str) -> Decorator:
    """Return `--count`, and `--count-by` with its choice of keys."""
    whole = option("--count", is_flag=True, zh="只说有多少个", en="Only say how many there are.")
    by = option(
        "--count-by",
        type=click.Choice(keys),
        zh="按此分别计数，多的在前",
        en="Count them by this, the most first.",
    )
    return lambda function: whole(by(function))
