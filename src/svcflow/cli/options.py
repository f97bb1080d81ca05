"""The options that many commands share, each written once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from svcflow.bounds import LAST_US
from svcflow.cli.command import option
from svcflow.cli.errors import WrongUsage, unknown
from svcflow.cli.language import Asked, Tongue
from svcflow.cli.output import answer, paragraphs
from svcflow.cli.values import ACTOR, ELAPSED, INSTANT, PAIR, Pair, typed
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.model.catalog import Catalog
    from svcflow.model.field import Value
    from svcflow.model.procedure import Role
    from svcflow.model.step import Step

__all__ = [
    "actor_option",
    "answer_count",
    "answer_counts",
    "at_option",
    "command_id_option",
    "counted",
    "data_of",
    "data_option",
    "due_before",
    "due_soon",
    "evidence_option",
    "expect_option",
    "giver_option",
    "going_on",
    "in_span",
    "limited",
    "named_actor_option",
    "of_data",
    "of_group",
    "of_procedure",
    "of_role",
    "of_step",
    "paged",
    "see_known",
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


of_procedure = option(
    "--procedure", metavar="ID", wording=Text(zh="只列此流程", en="Only of this procedure.")
)
of_step = option("--step", metavar="STEP", wording=Text(zh="只列此环节", en="Only of this step."))
of_role = option("--role", metavar="ROLE", wording=Text(zh="只列此岗位", en="Only of this role."))
of_group = option(
    "--group",
    type=click.Choice(["leaders", "staff", "retirees", "logistics"]),
    wording=Text(zh="只列此类服务对象", en="Only for recipients of this group."),
)
of_data = option(
    "--data",
    "-d",
    "pairs",
    type=PAIR,
    multiple=True,
    metavar="KEY=VALUE",
    wording=Text(
        zh="只列字段为此值的，可多次给出；须连同 --procedure",
        en="Only where a field has this value; may be repeated; wants --procedure.",
    ),
)
_overdue = option(
    "--overdue", is_flag=True, wording=Text(zh="只列此刻已超期的", en="Only what is overdue now.")
)
_due_within = option(
    "--due-within",
    "within",
    type=ELAPSED,
    metavar="TIME",
    wording=Text(
        zh="只列在此实际时间内到期的（如 2h），含已超期的",
        en="Only what is due within this elapsed time (2h), what is overdue included.",
    ),
)
_since = option("--since", type=INSTANT, wording=Text(zh="自此时刻起", en="From this instant on."))
_until = option("--until", type=INSTANT, wording=Text(zh="到此时刻前", en="Before this instant."))


def in_span(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--since` and `--until`."""
    return _since(_until(function))


def due_soon(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--overdue` and `--due-within`."""
    return _overdue(_due_within(function))


def due_before(now: datetime, overdue: bool, within: timedelta | None) -> datetime | None:  # noqa: FBT001  # as the options come
    """Return before which instant a deadline asked for is: now for what is overdue, None for any.

    Raises: WrongUsage when both options are given.
    """
    from svcflow.kernel.facts import to_datetime

    if overdue and within is not None:
        raise WrongUsage(
            Text(zh="--overdue 与 --due-within 只能取一", en="--overdue and --due-within exclude each other"),
            Text(zh="--due-within 包括已超期的", en="--due-within includes what is overdue"),
        )
    if overdue:
        return now
    last = to_datetime(
        LAST_US
    )  # nothing that is asked for lies past the bounds, and near their end neither do we
    return None if within is None else now + min(within, last - now)


def see_known(
    catalog: Catalog, *, procedure: str | None = None, step: str | None = None, role: str | None = None
) -> None:
    """See that a procedure, and a step or role of it or of any, is declared. Raises: UnknownProcedure, WrongUsage."""
    if procedure is not None:
        catalog[procedure]
    found = [one for one in catalog.procedures.values() if procedure in (None, one.id)]
    steps = sorted({name for one in found for name in one.all_steps})
    roles = sorted({name for one in found for name in one.roles})
    if step is not None and step not in steps:
        raise unknown(Text(zh="环节", en="step"), step, steps)
    if role is not None and role not in roles:
        raise unknown(Text(zh="岗位", en="role"), role, roles)


def data_of(catalog: Catalog, procedure: str | None, pairs: Sequence[Pair]) -> Mapping[str, Value]:
    """Return the values that fields of a procedure shall have. Raises: UnknownProcedure, WrongUsage, FieldError."""
    if not pairs:
        return {}
    if procedure is None:
        raise WrongUsage(
            Text(zh="没有指明是哪个流程的字段", en="it is not said whose fields these are"),
            Text(zh="加 --procedure", en="give --procedure too"),
        )
    fields = catalog[procedure].fields
    strange = next((name for name, _ in pairs if name not in fields), None)
    if strange is not None:
        raise unknown(Text(zh="字段", en="field"), strange, fields)
    return {name: fields[name].accept(value) for name, value in typed(pairs, fields).items()}


def limited(limit: int | None) -> Decorator:
    """Add `--limit`, with its default."""
    return option(
        "--limit",
        type=click.IntRange(min=1),
        default=limit,
        show_default=limit is not None,
        wording=Text(zh="最多列出多少个", en="List at most so many."),
    )


def paged(limit: int | None) -> Decorator:
    """Add `--limit` and `--after`."""
    behind = option(
        "--after",
        metavar="CURSOR",
        wording=Text(zh="接着上一页：其答复末尾的页标", en="Go on behind a page: the cursor it ended with."),
    )
    return lambda function: limited(limit)(behind(function))


def going_on(said: str, after: str | None, lang: Tongue) -> str:
    """Return a page, and what to add for the next one if there is one."""
    if after is None:
        return said
    more = Text(zh=f"未完；下一页加 --after {after}", en=f"There are more: add --after {after}")
    return paragraphs((said, more.in_(lang)))


_KEYS: Mapping[str, Text] = {
    "procedure": Text(zh="流程", en="Procedure"),
    "status": Text(zh="状态", en="Status"),
    "kind": Text(zh="种类", en="Kind"),
    "step": Text(zh="环节", en="Step"),
    "role": Text(zh="岗位", en="Role"),
    "group": Text(zh="服务对象", en="Group"),
}
_COUNT, _NAME = Text(zh="数量", en="Count"), Text(zh="名称", en="Name")
_NOTHING = Text(zh="没有可计数的", en="nothing to count")


def counted(*keys: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add `--count` and `--count-by`."""
    whole = option(
        "--count", is_flag=True, wording=Text(zh="只说有多少个", en="Only say how many there are.")
    )
    by = option(
        "--count-by",
        type=click.Choice(keys),
        wording=Text(zh="按此分别计数，多的在前", en="Count them by this, the most first."),
    )
    return lambda function: whole(by(function))


def answer_count(asked: Asked, count: int) -> None:
    """Answer with a number."""
    answer(asked, lambda: {"count": count}, lambda: str(count))


def answer_counts(
    asked: Asked, by: str, counts: Mapping[str, int], catalog: Catalog, procedure: str | None
) -> None:
    """Answer with the number of each key, and what people call it."""

    def text() -> str:
        from svcflow.text_table import table

        named = _named(by, catalog, procedure)
        words = {key: named[key].in_(asked.lang) for key in counts if key in named}
        rows = [
            (key or "—", "" if words.get(key) == key else words.get(key, ""), str(count))
            for key, count in counts.items()
        ]
        heads = [head.in_(asked.lang) for head in (_KEYS[by], _NAME, _COUNT)]
        return table(heads, rows, right=heads[-1:]) if rows else _NOTHING.in_(asked.lang)

    answer(asked, lambda: {"counts": dict(counts)}, text)


def _named(by: str, catalog: Catalog, procedure: str | None) -> Mapping[str, Text]:
    from svcflow.wording import DEVIATION_STATUSES, DEVIATIONS, GROUPS, STATUSES

    if by == "procedure":
        return {one.id: one.name for one in catalog}
    if by == "status":
        return {**STATUSES, **DEVIATION_STATUSES}
    if by == "kind":
        return DEVIATIONS
    if by == "group":
        return GROUPS
    meant = [one for one in catalog.procedures.values() if procedure in (None, one.id)]
    return _shared((one.all_steps if by == "step" else one.roles) for one in meant)


def _shared(declared: Iterable[Mapping[str, Step | Role]]) -> Mapping[str, Text]:
    """Return the name of each id; where procedures call it by different names, all of them."""
    called: dict[str, dict[Text, None]] = {}
    for of in declared:
        for name, one in of.items():
            called.setdefault(name, {})[one.name] = None
    return {
        name: Text(
            zh=" / ".join(dict.fromkeys(text.in_("zh") for text in texts if text)),
            en=" / ".join(dict.fromkeys(text.in_("en") for text in texts if text)),
        )
        for name, texts in called.items()
    }
