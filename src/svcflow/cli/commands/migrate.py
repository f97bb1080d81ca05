"""`svcflow migrate`: take instances over to another version of their procedure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import click

from svcflow.cli.command import argument, asked_of, command, option
from svcflow.cli.errors import FOUND, WrongUsage
from svcflow.cli.options import actor_option, data_option, stored
from svcflow.cli.output import answer
from svcflow.cli.progress import progress
from svcflow.cli.values import PAIR, Pair, actor_or_nobody, once, typed
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.kernel.commands import Actor, DueRule
    from svcflow.runtime.engine import Engine


@command(
    "migrate",
    Text(
        zh="把实例变更到流程的另一个版本。先用 --dry-run 预演：环节如何对应，时限如何变化，哪些不能变更。"
        "时限缺省保持不变。有不能变更的，退出码为 1，其余照常变更；已是该版本的不动。环节对应可参考 svcflow diff。",
        en="Take instances over to another version of their procedure. Rehearse it with --dry-run: where steps go, what "
        "becomes of limits, what cannot go over. Deadlines stay what they are unless told otherwise. Exits with 1 when "
        "some are refused; the others go over all the same, and those of that version stay. `svcflow diff` proposes the mapping of steps.",
    ),
    "svcflow migrate inquiry-7 --to 2 --map received=taken --dry-run --db service.db",
    'svcflow migrate --procedure inquiry --from 1 --to 2 --reason "edition 2" --db service.db',
)
@argument("instances", nargs=-1, metavar="[INSTANCE]...")
@option(
    "--procedure",
    metavar="NAME",
    wording=Text(zh="未结束的实例，按流程", en="All open instances of a procedure."),
)
@option(
    "--from",
    "from_version",
    type=click.IntRange(min=1),
    metavar="VERSION",
    wording=Text(zh="其中此版本的", en="Of these, those of this version."),
)
@option(
    "--to",
    "version",
    type=click.IntRange(min=1),
    required=True,
    metavar="VERSION",
    wording=Text(zh="变更到的版本", en="The version to go over to."),
)
@option(
    "--map",
    "steps",
    type=PAIR,
    multiple=True,
    metavar="OLD=NEW",
    wording=Text(zh="环节的对应，可重复", en="Where a step goes that is called otherwise there; repeatable."),
)
@option(
    "--due",
    type=click.Choice(["keep", "recompute"]),
    default="keep",
    show_default=True,
    wording=Text(zh="截止时间保持，或按新版本重算", en="Keep deadlines, or reckon them by the new version."),
)
@option(
    "--reason",
    metavar="REASON",
    wording=Text(zh="变更的理由；预演不需要", en="Why; a rehearsal needs none."),
)
@option(
    "--dry-run", is_flag=True, wording=Text(zh="只预演，不变更", en="Say what would happen, and do nothing.")
)
@data_option
@actor_option
@stored
@click.pass_context
def migrate(
    ctx: click.Context,
    *,
    instances: tuple[str, ...],
    procedure: str | None,
    from_version: int | None,
    version: int,
    steps: tuple[Pair, ...],
    due: DueRule,
    reason: str | None,
    dry_run: bool,
    data: tuple[Pair, ...],
    actor: Actor | None,
    db: str | None,
    folder: str | None,
    at: datetime | None,
) -> None:
    """Migrate one after the other, and say what became of each."""
    from svcflow.cli.migration import Crossing, migrations_json, migrations_text
    from svcflow.cli.session import engine_at

    asked = asked_of(ctx)
    if not instances and procedure is None:
        raise WrongUsage(
            Text(
                zh="指明实例编号，或 --procedure 流程",
                en="say which: INSTANCE..., or --procedure NAME",
            )
        )
    if reason is None and not dry_run:
        raise WrongUsage(
            Text(zh="缺少 --reason", en="--reason is missing"),
            Text(zh="预演用 --dry-run，不需要理由", en="a rehearsal with --dry-run needs none"),
        )
    what = Text(zh="变更版本", en="migrating").in_(asked.lang)
    who = actor_or_nobody(actor)
    found: list[Crossing] = []
    with engine_at(db, folder, at) as engine, progress(what) as advance:
        names = _chosen(engine, instances, procedure, from_version)
        for count, name in enumerate(names, 1):
            kept = engine.instance(name)
            given = typed(data, engine.catalog[kept.procedure, version].fields)
            (seen,) = engine.preview_migration(
                name, version, steps=once(steps), due=due, data=given, actor=who
            )
            if not (dry_run or seen.refused):
                engine.migrate(
                    name, version, reason=reason or "", steps=once(steps), due=due, data=given, actor=who
                )
            found.append(Crossing(kept.procedure, seen, engine.departures(name)))
            advance(count, len(names))
        answer(
            asked,
            lambda: migrations_json(found, done=not dry_run),
            lambda: migrations_text(engine, found, asked.lang, done=not dry_run),
        )
    ctx.exit(FOUND if any(one.refused for one in found) else 0)


def _chosen(
    engine: Engine, instances: Iterable[str], procedure: str | None, from_version: int | None
) -> tuple[str, ...]:
    """Return the instances that are meant, in the order they are named, then oldest first."""
    if procedure is None:
        return tuple(dict.fromkeys(instances))
    engine.catalog[procedure]  # a name misspelt would find nothing
    all_ = engine.instances(procedure=procedure)
    open_ = [one for one in reversed(all_) if one.status != "ended"]
    meant = [one.id for one in open_ if from_version in (None, one.version)]
    return tuple(dict.fromkeys((*instances, *meant)))
