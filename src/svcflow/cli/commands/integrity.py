"""Commands of the journals' integrity and of personal data: `svcflow verify`, `seal`, `forget`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import click

from svcflow.cli.command import argument, asked_of, command, option
from svcflow.cli.errors import FOUND, INTERRUPTED, OutputError, WrongUsage, advised, error_json
from svcflow.cli.language import Tongue
from svcflow.cli.options import actor_option, stored
from svcflow.cli.output import answer, echo
from svcflow.cli.progress import progress
from svcflow.cli.values import actor_or_nobody
from svcflow.errors import StoreError, SvcflowError
from svcflow.text import Text
from svcflow.wording import many

if TYPE_CHECKING:
    from svcflow.cli.json import Record
    from svcflow.kernel.commands import Actor
    from svcflow.runtime.integrity.verification import Verification


@command(
    "verify",
    Text(
        zh="校验每个实例（或指定实例）的留痕是否与哈希链一致，存储中由留痕得出的各表各列是否与留痕一致；不指定实例时还核对封存、"
        "订阅、委托与流程版本。有问题时逐一指出表、列、行，退出码为 1。\n整条链被改写或截尾时，须用 --checkpoint 与另存的校验点比对"
        "才能发现（见 svcflow seal）。",
        en="Check every journal (or one instance's) against its hash chain, and every table and column that follows "
        "from the journals against them; without INSTANCE seals, subscriptions, delegations and versions of procedures "
        "too. Each problem is named by table, column and row. Exits with 1 when something is wrong. A chain rewritten "
        "as a whole, or cut at its end, only shows against a checkpoint kept elsewhere (see svcflow seal).",
    ),
    "svcflow verify --db service.db",
    "svcflow verify repair-9 --db service.db --json",
    "svcflow verify --checkpoint checkpoints.jsonl --db service.db",
)
@argument("instance", required=False)
@option(
    "--checkpoint",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    wording=Text(zh="与此文件中最新的校验点比对", en="Check against the newest checkpoint of this file too."),
)
@stored
@click.pass_context
def verify(
    ctx: click.Context,
    *,
    instance: str | None,
    checkpoint: str | None,
    db: str | None,
    folder: str | None,
    at: datetime | None,
) -> None:
    """Verify, and say what was found."""
    from svcflow.cli.session import engine_at

    asked = asked_of(ctx)
    what = Text(zh="校验", en="verifying").in_(asked.lang)
    with engine_at(db, folder, at) as engine, progress(what) as advance:
        total = 1 if instance is not None else engine.count_instances()
        found = engine.verify(instance, checkpoint=checkpoint, progress=_counted(advance, total))
    answer(asked, lambda: verification_json(found), lambda: verification_text(found, asked.lang, checkpoint))
    ctx.exit(0 if found.ok else FOUND)


def verification_json(found: Verification) -> Record:
    """Return what was checked, what is wrong, and what could not be checked."""
    problems = [
        {"instance": name, **{part: getattr(error, part, "") for part in _PLACE}, **error_json(error)}
        for name, error in found.problems
    ]
    notes = [{"instance": name, "zh": note.zh, "en": note.en} for name, note in found.notes]
    return {
        "ok": found.ok,
        "instances": found.instances,
        "facts": found.facts,
        "problems": problems,
        "notes": notes,
    }


def verification_text(found: Verification, lang: Tongue, checkpoint: str | None = None) -> str:
    """Say what was checked, against which checkpoints, and what is wrong."""
    wrong = [f"{name}: [{error.code}] {advised(error).text(lang)}" for name, error in found.problems]
    counts = Text(
        zh=f"已校验 {found.instances} 个实例、{found.facts} 条留痕"
        + (f"，并与 {checkpoint} 比对" if checkpoint else ""),
        en=f"checked {many(found.instances, 'instance')}, {many(found.facts, 'fact')}"
        + (f", and against {checkpoint}" if checkpoint else ""),
    ).in_(lang)
    verdict = Text(
        zh="全部一致" if found.ok else f"{len(wrong)} 处有问题",
        en="all in order" if found.ok else f"{len(wrong)} wrong",
    ).in_(lang)
    notes = [f"{name}: {note.in_(lang)}" for name, note in found.notes]
    return "\n".join((*notes, *wrong, f"{counts}{'：' if lang == 'zh' else ': '}{verdict}"))


def _counted(advance: Callable[[int, int], None], total: int) -> Callable[[int], None]:
    """Tell how many instances are done, seldom enough for it to cost nothing."""

    def counted(done: int) -> None:
        if done % _SHOWN_EVERY == 0 or done == total:
            advance(done, max(done, total))

    return counted


_SHOWN_EVERY = 100
_PLACE = ("table", "column", "row")


@command(
    "seal",
    Text(
        zh="封存全部留痕，给出校验点。把校验点存到能改动存储的人改不了的地方；两次封存之间的留痕仍可能被无痕改写。",
        en="Seal all journals and give a checkpoint. Keep it where whoever can write to the store cannot: what is "
        "written between two seals could still be rewritten unseen.",
    ),
    "svcflow seal --to checkpoints.jsonl --db service.db",
    "svcflow verify --checkpoint checkpoints.jsonl --db service.db",
)
@option(
    "--to",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    wording=Text(zh="把校验点追加到此文件", en="A file to append the checkpoint to."),
)
@stored
@click.pass_context
def seal(
    ctx: click.Context, *, to: str | None, db: str | None, folder: str | None, at: datetime | None
) -> None:
    """Seal, and say what was sealed."""
    from svcflow.cli.session import engine_at

    asked = asked_of(ctx)
    with engine_at(db, folder, at) as engine:
        try:
            checkpoint = engine.seal(to)
        except StoreError as error:
            if isinstance(error.__cause__, OSError):  # the file is at fault, not the store
                raise OutputError.of(to, error.__cause__) from error
            raise
    root = checkpoint.root.hex()
    said = Text(
        zh=f"{checkpoint.origin} 已封存 {checkpoint.size} 片叶子，根 {root}\n{_kept(to).zh}",
        en=f"{checkpoint.origin}: sealed {checkpoint.size} {'leaf' if checkpoint.size == 1 else 'leaves'}, root {root}\n{_kept(to).en}",
    )
    answer(
        asked,
        lambda: {"origin": checkpoint.origin, "size": checkpoint.size, "root": root, "file": to},
        lambda: said.in_(asked.lang),
    )


def _kept(to: str | None) -> Text:
    """Say where the checkpoint was written, or that it is nowhere yet but on the screen."""
    if to is None:
        return Text(
            zh="校验点没有写入文件：用 --to 文件", en="the checkpoint was written to no file: give --to FILE"
        )
    return Text(zh=f"校验点已追加到 {to}", en=f"the checkpoint was appended to {to}")


_LISTED = 5
"""How many instances are listed at most."""

_KEPT = Text(zh="没有抹去", en="nothing was erased")


class UnknownPerson(SvcflowError, LookupError):
    """Nothing is known of a person: a name misspelt, or erased before."""

    code = "unknown-person"

    def __init__(self, person: str) -> None:
        super().__init__(
            Text(zh=f"此存储中没有“{person}”的信息", en=f"nothing is known of {person!r} in this store"),
            Text(zh="核对写法；或此前已抹去", en="see that it is spelt as recorded, or it was erased before"),
        )


@command(
    "forget",
    Text(
        zh="抹去一个人：其作为责任人、服务对象的身份，以及标为 personal 的信息。留痕只存承诺值，哈希链仍可校验；"
        "报表中显示为 erased-…。备份与别处的副本须另行处理。此操作不可撤销；没有终端时须加 --yes。",
        en="Erase a person: as actor, as recipient and in fields marked personal. The journals keep commitments only, "
        "so their chains still verify; reports show erased-…. Backups and copies elsewhere are yours to erase. This "
        "cannot be taken back; without a terminal it wants --yes.",
    ),
    "svcflow forget zhang --db service.db",
    "svcflow forget zhang --yes --json --db service.db",
)
@argument("person")
@option(
    "--open",
    "also_open",
    is_flag=True,
    wording=Text(zh="未结束的实例也抹去", en="Erase the person in open instances too."),
)
@option("--yes", is_flag=True, wording=Text(zh="不再询问", en="Do not ask for confirmation."))
@actor_option
@stored
@click.pass_context
def forget(
    ctx: click.Context,
    *,
    person: str,
    also_open: bool,
    yes: bool,
    actor: Actor | None,
    db: str | None,
    folder: str | None,
    at: datetime | None,
) -> None:
    """Ask once more, erase, and say what was erased."""
    from svcflow.cli.session import engine_at

    asked = asked_of(ctx)
    if not (yes or _confirmed(person, asked.lang)):
        echo(_KEPT.in_(asked.lang), err=True)
        ctx.exit(INTERRUPTED)
    with engine_at(db, folder, at) as engine:
        given = {one.id for one in (*engine.delegations(giver=person), *engine.delegations(taker=person))}
        forgotten = engine.forget(person, actor=actor_or_nobody(actor), open=also_open)
    if not (forgotten.values or given or forgotten.named):
        raise UnknownPerson(person)
    said = Text(
        zh=f"已抹去 {len(forgotten.instances)} 个实例中的 {forgotten.values} 项信息"
        + (f"和 {len(given)} 项委托" if given else ""),
        en=f"erased {many(forgotten.values, 'value')} beside {many(len(forgotten.instances), 'journal')}"
        + (f", and {many(len(given), 'delegation')}" if given else ""),
    )
    left = Text(
        zh=f"另有 {forgotten.in_clear} 条留痕以明文写有其信息，记入时该字段尚未标为 personal，不能抹去",
        en=f"{many(forgotten.in_clear, 'fact')} in the clear cannot be erased: "
        "recorded before the field was marked personal",
    )
    listed = ", ".join(forgotten.named_in[:_LISTED]) + (" …" if len(forgotten.named_in) > _LISTED else "")
    named = Text(
        zh=f"另有 {len(forgotten.named_in)} 个实例的 {forgotten.named} 条留痕以明文写有其姓名，记于存储结构第 2 版之前，"
        f"不能抹去：{listed}",
        en=f"still named in the clear in {many(forgotten.named, 'fact')} of {many(len(forgotten.named_in), 'instance')}, "
        f"which cannot be erased: recorded before schema version 2, in {listed}",
    )
    lines = [said, *([left] if forgotten.in_clear else []), *([named] if forgotten.named else [])]
    answer(
        asked,
        lambda: {
            "instances": list(forgotten.instances),
            "values": forgotten.values,
            "delegations": sorted(given),
            "in_clear": forgotten.in_clear,
            "named": forgotten.named,
            "named_in": list(forgotten.named_in),
        },
        lambda: "\n".join(text.in_(asked.lang) for text in lines),
    )


def _confirmed(person: str, lang: Tongue) -> bool:
    """Ask whoever sits at the terminal. Raises: WrongUsage where nobody does."""
    if not sys.stdin.isatty():
        raise WrongUsage(
            Text(zh="没有终端可以询问", en="there is no terminal to ask at"),
            Text(zh="确认要抹去，加 --yes", en="if the person is to be erased, add --yes"),
        )
    question = Text(zh=f"抹去 {person}，不可撤销。继续？", en=f"Erase {person}? This cannot be taken back.")
    return click.confirm(question.in_(lang), err=True)
