"""Command that takes instances over to another version: `svcflow migrate`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import attrs
import click

from svcflow.cli.command import command, option
from svcflow.cli.errors import FOUND, WrongUsage, with_options
from svcflow.cli.language import Tongue
from svcflow.cli.options import actor_option, data_option, with_store
from svcflow.cli.output import paragraphs
from svcflow.cli.progress import progress
from svcflow.cli.session import CommandSession
from svcflow.cli.values import PAIR, Pair, actor_or_nobody, once, typed
from svcflow.text import Text
from svcflow.text_table import table
from svcflow.wording import LIMIT_FATES

if TYPE_CHECKING:
    from svcflow.cli.json import Record
    from svcflow.cli.names import NamesOf, ProcedureNames
    from svcflow.kernel.commands import Actor, DueRule
    from svcflow.kernel.lifecycle.deviations import Deviation
    from svcflow.runtime.engine import Engine
    from svcflow.runtime.migration import LimitPreview, MigrationPreview


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
@click.argument("instances", nargs=-1, metavar="[INSTANCE]...")
@option("--procedure", metavar="NAME", zh="未结束的实例，按流程", en="All open instances of a procedure.")
@option(
    "--from",
    "from_version",
    type=click.IntRange(min=1),
    metavar="VERSION",
    zh="其中此版本的",
    en="Of these, those of this version.",
)
@option(
    "--to",
    "version",
    type=click.IntRange(min=1),
    required=True,
    metavar="VERSION",
    zh="变更到的版本",
    en="The version to go over to.",
)
@option(
    "--map",
    "steps",
    type=PAIR,
    multiple=True,
    metavar="OLD=NEW",
    zh="环节的对应，可重复",
    en="Where a step goes that is called otherwise there; repeatable.",
)
@option(
    "--due",
    type=click.Choice(["keep", "recompute"]),
    default="keep",
    show_default=True,
    zh="截止时间保持，或按新版本重算",
    en="Keep deadlines, or reckon them by the new version.",
)
@option("--reason", metavar="REASON", zh="变更的理由；预演不需要", en="Why; a rehearsal needs none.")
@option("--dry-run", is_flag=True, zh="只预演，不变更", en="Say what would happen, and do nothing.")
@data_option
@actor_option
@with_store
def migrate(
    session: CommandSession,
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
) -> int:
    """Migrate instances, one after the other."""
    if not instances and procedure is None:
        raise WrongUsage(
            Text(zh="指明实例编号，或 --procedure 流程", en="say which: INSTANCE..., or --procedure NAME")
        )
    if reason is None and not dry_run:
        raise WrongUsage(
            Text(zh="缺少 --reason", en="--reason is missing"),
            Text(zh="预演用 --dry-run，不需要理由", en="a rehearsal with --dry-run needs none"),
        )
    title = Text(zh="变更版本", en="migrating").in_(session.lang)
    who, mapping, migrations = actor_or_nobody(actor), once(steps), list[InstanceMigration]()
    with session.engine() as engine, progress(title) as advance:
        names = _chosen(engine, instances, procedure, from_version)
        for count, name in enumerate(names, 1):
            present = engine.instance(name)
            values = typed(data, engine.catalog[present.procedure, version].fields)
            (preview,) = engine.preview_migration(
                name, version, steps=mapping, due=due, data=values, actor=who
            )
            if not (dry_run or preview.refused):
                engine.migrate(
                    name, version, reason=reason or "", steps=mapping, due=due, data=values, actor=who
                )
            migrations.append(InstanceMigration(present.procedure, preview, engine.new_deviations(name)))
            advance(count, len(names))
        session.answer(
            lambda: {"done": not dry_run, "instances": [_json(migration) for migration in migrations]},
            lambda: _text(engine, migrations, session.lang, done=not dry_run),
        )
    return FOUND if any(migration.refused for migration in migrations) else 0


def _chosen(
    engine: Engine, instances: Iterable[str], procedure: str | None, from_version: int | None
) -> tuple[str, ...]:
    """Return the ids of instances: those named, in that order, then those of a procedure, oldest first."""
    if procedure is None:
        return tuple(dict.fromkeys(instances))
    engine.catalog[procedure]  # raises where the name is misspelt
    chosen = [
        instance.id
        for instance in reversed(engine.instances(procedure=procedure))
        if instance.status != "ended" and from_version in (None, instance.version)
    ]
    return tuple(dict.fromkeys((*instances, *chosen)))


_HEADS = Text(
    zh="实例|环节|时限|变化|原截止|新截止|不能变更的原因",
    en="Instance|Steps|Limit|What becomes of it|Due before|Due after|Refused because",
)


@attrs.frozen
class InstanceMigration:
    """What becomes of one instance, and the deviations that its migration recorded."""

    procedure: str
    preview: MigrationPreview
    deviations: tuple[Deviation, ...] = ()

    @property
    def already(self) -> bool:
        """Whether the instance is of that version as it is."""
        return self.preview.from_version == self.preview.to_version

    @property
    def refused(self) -> str:
        """The rule that keeps the instance where it is, or nothing."""
        return "" if self.already else self.preview.refused


def _text(engine: Engine, migrations: Sequence[InstanceMigration], lang: Tongue, *, done: bool) -> str:
    """Return a table of what becomes of each instance, the counts, and the deviations that were recorded."""
    from svcflow.cli.names import names_in
    from svcflow.cli.tables import new_deviations_text

    if not migrations:
        return Text(zh="没有这样的实例", en="no such instances").in_(lang)
    versions = {
        (migration.procedure, version)
        for migration in migrations
        for version in (migration.preview.from_version, migration.preview.to_version)
    }
    names_of = names_in(engine, versions, lang)
    heads = _HEADS.in_(lang).split("|")
    rows = [row for migration in migrations if not migration.already for row in _rows(migration, names_of)]
    grid = table(heads, rows, whole=(heads[0], *heads[4:6]), flows=True) if rows else ""
    exposed = [_exposed(migration.preview, lang) for migration in migrations if migration.preview.exposed]
    lines = "\n".join((grid, *exposed, _counts(migrations, lang, done=done))).lstrip("\n")
    return paragraphs(
        (lines, *(new_deviations_text(engine, migration.deviations, lang) for migration in migrations))
    )


def _counts(migrations: Sequence[InstanceMigration], lang: Tongue, *, done: bool) -> str:
    refused, already = (
        sum(bool(migration.refused) for migration in migrations),
        sum(migration.already for migration in migrations),
    )
    count = len(migrations) - refused - already
    counts = Text(
        zh=f"{count} 个实例{'已' if done else '可以'}变更版本，{refused} 个不能",
        en=f"{count} {'migrated' if done else 'may be migrated'}, {refused} refused",
    )
    there = Text(zh=f"，{already} 个已是该版本", en=f", {already} already there")
    return counts.in_(lang) + (there.in_(lang) if already else "")


def _exposed(preview: MigrationPreview, lang: Tongue) -> str:
    listed = ", ".join(preview.exposed)
    return Text(
        zh=f"! {preview.instance}：{listed} 将是个人信息，留痕中已有的值仍是明文，不能抹去",
        en=f"! {preview.instance}: {listed} will be personal; values in the journal stay in the clear and cannot be erased",
    ).in_(lang)


def _json(migration: InstanceMigration) -> Record:
    from svcflow.cli.json import new_deviations_json

    preview = migration.preview
    why, remedy = (Text(), Text()) if migration.already else (preview.why, with_options(preview.remedy))
    return {
        "instance": preview.instance,
        "from_version": preview.from_version,
        "to_version": preview.to_version,
        "already": migration.already,
        "steps_before": list(preview.steps_before),
        "steps_after": list(preview.steps_after),
        "limits": [
            {
                "limit": limit.limit,
                "fate": limit.fate,
                "before": None if limit.before is None else limit.before.isoformat(),
                "after": None if limit.after is None else limit.after.isoformat(),
            }
            for limit in preview.limits
        ],
        "exposed": list(preview.exposed),
        "refused": migration.refused,
        "why": {"zh": why.in_("zh"), "en": why.in_("en")},
        "remedy": {"zh": remedy.in_("zh"), "en": remedy.in_("en")},
        "deviations": new_deviations_json(migration.deviations),
    }


def _rows(migration: InstanceMigration, names_of: NamesOf) -> Iterator[tuple[str, ...]]:
    """Yield a row for each limit; the first, which there always is, names the instance."""
    preview = migration.preview
    after = names_of(migration.procedure, preview.to_version)
    before = names_of(migration.procedure, preview.from_version)
    cells = [_limit(limit, before if limit.fate == "ended" else after) for limit in preview.limits]
    first, *more = cells or [("", "", "", "")]
    yield (preview.instance, _steps(preview), *first, _why(migration, after.lang))
    for row in more:
        yield ("", "", *row, "")


def _steps(preview: MigrationPreview) -> str:
    before, after = ", ".join(preview.steps_before), ", ".join(preview.steps_after)
    return before if before == after else f"{before} → {after}"


def _limit(limit: LimitPreview, names: ProcedureNames) -> tuple[str, str, str, str]:
    fate = LIMIT_FATES[limit.fate].in_(names.lang)
    return names.limit(limit.limit), fate, names.when(limit.before), names.when(limit.after)


def _why(migration: InstanceMigration, lang: Tongue) -> str:
    stop, preview = "；" if lang == "zh" else "; ", migration.preview
    reasons = (text.in_(lang) for text in (preview.why, with_options(preview.remedy)) if text)
    return stop.join(reasons) if migration.refused else ""
