"""The options that many commands share, each written once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from svcflow.cli.command import option
from svcflow.cli.values import ACTOR, INSTANT, PAIR
from svcflow.text import Text

__all__ = [
    "actor_option",
    "at_option",
    "command_id_option",
    "data_option",
    "evidence_option",
    "expect_option",
    "giver_option",
    "named_actor_option",
    "spoken",
    "step_option",
    "stored",
    "with_procedures",
]

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

_lang = option(
    "--lang",
    type=click.Choice(["zh", "en"]),
    expose_value=False,
    wording=Text(zh="语言", en="Language of the answer."),
)
_json = option(
    "--json", is_flag=True, expose_value=False, wording=Text(zh="输出 JSON", en="Answer with JSON.")
)
with_procedures = option(
    "--procedures",
    "folder",
    metavar="DIR",
    envvar="SVCFLOW_PROCEDURES",
    show_envvar=True,
    wording=Text(zh="流程文件夹；缺省为随库提供的流程", en="Folder of procedures; default: those shipped."),
)
_db = option(
    "--db",
    metavar="URL|FILE",
    envvar="SVCFLOW_DB",
    show_envvar=True,
    wording=Text(
        zh="存储，如 service.db 或 postgresql+psycopg://用户@主机/数据库",
        en="The store, such as service.db or postgresql+psycopg://USER@HOST/DB.",
    ),
)
at_option = option(
    "--at",
    type=INSTANT,
    envvar="SVCFLOW_AT",
    show_envvar=True,
    wording=Text(
        zh="以此时刻为“现在”（演练与补查用），如 2026-03-06T16:30+08:00",
        en="Take this instant for now (rehearsals, looking back), e.g. 2026-03-06T16:30+08:00.",
    ),
)
_WHO = Text(zh="办理人及其岗位，如 tech-2:technician", en="Who acts, with roles: tech-2:technician.")
actor_option = option("--actor", type=ACTOR, metavar="ID:ROLE,...", wording=_WHO)
named_actor_option = option("--actor", required=True, type=ACTOR, metavar="ID:ROLE,...", wording=_WHO)
giver_option = option(
    "--for",
    "giver",
    metavar="GIVER",
    wording=Text(
        zh="代此人办理，须有其有效的委托（见 svcflow delegation）",
        en="Act for this person, who has delegated it (see svcflow delegation).",
    ),
)
step_option = option(
    "--step",
    metavar="STEP",
    wording=Text(zh="环节，并行时用", en="The step, when several are active."),
)
data_option = option(
    "--data",
    "-d",
    type=PAIR,
    multiple=True,
    metavar="KEY=VALUE",
    wording=Text(zh="字段的值，可多次给出", en="A field's value; may be repeated."),
)
evidence_option = option(
    "--evidence",
    "-e",
    type=PAIR,
    multiple=True,
    metavar="NAME=REF",
    wording=Text(zh="凭证及其编号或链接，可多次给出", en="A record and where it is kept; may be repeated."),
)
command_id_option = option(
    "--command-id",
    metavar="ID",
    wording=Text(
        zh="命令编号：重复提交同一编号只办理一次；被拒绝的可更正后再提交",
        en="Asked again with the same id, it is done only once; one that was refused may be corrected.",
    ),
)
expect_option = option(
    "--expect",
    type=click.IntRange(min=0),
    metavar="REVISION",
    wording=Text(zh="仅当实例仍是此修订号时办理", en="Only when the instance is still at this revision."),
)


def spoken(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--lang` and `--json`."""
    return _lang(_json(function))


def stored(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add what every command over a store has."""
    return _db(with_procedures(at_option(spoken(function))))
