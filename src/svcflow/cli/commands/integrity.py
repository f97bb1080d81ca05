"""Commands of the journals' integrity and of personal data: `svcflow verify`, `seal`, `forget`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from svcflow.cli.command import command, option
from svcflow.cli.errors import FOUND, INTERRUPTED, WrongUsage, advised, error_json
from svcflow.cli.language import Tongue
from svcflow.cli.options import actor_option, with_store
from svcflow.cli.output import OutputError, echo
from svcflow.cli.progress import progress
from svcflow.cli.session import CommandSession
from svcflow.cli.values import actor_or_nobody
from svcflow.errors import StoreError, SvcflowError
from svcflow.text import Text
from svcflow.wording import many

if TYPE_CHECKING:
    from svcflow.cli.json import Record
    from svcflow.kernel.commands import Actor
    from svcflow.runtime.erasure import Forgotten
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
@click.argument("instance", required=False)
@option(
    "--checkpoint",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    zh="与此文件中最新的校验点比对",
    en="Check against the newest checkpoint of this file too.",
)
@with_store
def verify(session: CommandSession, *, instance: str | None, checkpoint: str | None) -> int:
    """Verify journals."""
    title = Text(zh="校验", en="verifying").in_(session.lang)
    with session.engine() as engine, progress(title) as advance:
        total = 1 if instance is not None else engine.count_instances()

        def show(done: int) -> None:
            if done % _SHOWN_EVERY == 0 or done == total:
                advance(done, max(done, total))

        verification = engine.verify(instance, checkpoint=checkpoint, progress=show)
    session.answer(
        lambda: verification_json(verification),
        lambda: verification_text(verification, session.lang, checkpoint),
    )
    return 0 if verification.ok else FOUND


_SHOWN_EVERY = 100
"""After how many instances progress is shown anew, so that showing it costs nothing."""
_PLACE = ("table", "column", "row")


def verification_json(verification: Verification) -> Record:
    """Return what was checked, what is wrong, and what could not be checked."""
    problems = [
        {"instance": name, **{part: getattr(error, part, "") for part in _PLACE}, **error_json(error)}
        for name, error in verification.problems
    ]
    notes = [{"instance": name, "zh": note.zh, "en": note.en} for name, note in verification.notes]
    return {
        "ok": verification.ok,
        "instances": verification.instances,
        "facts": verification.facts,
        "problems": problems,
        "notes": notes,
    }


def verification_text(verification: Verification, lang: Tongue, checkpoint: str | None = None) -> str:
    """Return what was checked, against which checkpoint, and what is wrong."""
    wrong = [f"{name}: [{error.code}] {advised(error).text(lang)}" for name, error in verification.problems]
    counts = Text(
        zh=f"已校验 {verification.instances} 个实例、{verification.facts} 条留痕"
        + (f"，并与 {checkpoint} 比对" if checkpoint else ""),
        en=f"checked {many(verification.instances, 'instance')}, {many(verification.facts, 'fact')}"
        + (f", and against {checkpoint}" if checkpoint else ""),
    ).in_(lang)
    verdict = Text(
        zh="全部一致" if verification.ok else f"{len(wrong)} 处有问题",
        en="all in order" if verification.ok else f"{len(wrong)} wrong",
    ).in_(lang)
    notes = [f"{name}: {note.in_(lang)}" for name, note in verification.notes]
    return "\n".join((*notes, *wrong, f"{counts}{'：' if lang == 'zh' else ': '}{verdict}"))


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
    zh="把校验点追加到此文件",
    en="A file to append the checkpoint to.",
)
@with_store
def seal(session: CommandSession, *, to: str | None) -> None:
    """Seal all journals."""
    with session.engine() as engine:
        try:
            checkpoint = engine.seal(to)
        except StoreError as error:
            if isinstance(error.__cause__, OSError):  # the file is at fault, not the store
                raise OutputError.of(to, error.__cause__) from error
            raise
    root = checkpoint.root.hex()
    text = Text(
        zh=f"{checkpoint.origin} 已封存 {checkpoint.size} 片叶子，根 {root}\n{_written_to(to).zh}",
        en=f"{checkpoint.origin}: sealed {checkpoint.size} {'leaf' if checkpoint.size == 1 else 'leaves'}, root {root}\n{_written_to(to).en}",
    )
    session.answer(
        lambda: {"origin": checkpoint.origin, "size": checkpoint.size, "root": root, "file": to},
        lambda: text.in_(session.lang),
    )


def _written_to(to: str | None) -> Text:
    """Return to which file the checkpoint was written, or how it is written to one."""
    if to is None:
        return Text(
            zh="校验点没有写入文件：用 --to 文件", en="the checkpoint was written to no file: give --to FILE"
        )
    return Text(zh=f"校验点已追加到 {to}", en=f"the checkpoint was appended to {to}")


_LISTED = 5
"""How many instances are named at most."""

_KEPT = Text(zh="没有抹去", en="nothing was erased")


class UnknownPerson(SvcflowError, LookupError):
    """A person of whom nothing is known: misspelt, or erased before."""

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
@click.argument("person")
@option(
    "--open", "also_open", is_flag=True, zh="未结束的实例也抹去", en="Erase the person in open instances too."
)
@option("--yes", is_flag=True, zh="不再询问", en="Do not ask for confirmation.")
@actor_option
@with_store
def forget(session: CommandSession, *, person: str, also_open: bool, yes: bool, actor: Actor | None) -> int:
    """Erase a person, after confirmation."""
    if not (yes or _confirmed(person, session.lang)):
        echo(_KEPT.in_(session.lang), err=True)
        return INTERRUPTED
    with session.engine() as engine:
        delegations = {
            delegation.id
            for delegation in (*engine.delegations(giver=person), *engine.delegations(taker=person))
        }
        forgotten = engine.forget(person, actor=actor_or_nobody(actor), open=also_open)
    if not (forgotten.values or delegations or forgotten.named):
        raise UnknownPerson(person)
    session.answer(
        lambda: {
            "instances": list(forgotten.instances),
            "values": forgotten.values,
            "delegations": sorted(delegations),
            "in_clear": forgotten.in_clear,
            "named": forgotten.named,
            "named_in": list(forgotten.named_in),
        },
        lambda: "\n".join(text.in_(session.lang) for text in _forgotten(forgotten, len(delegations))),
    )
    return 0


def _forgotten(forgotten: Forgotten, delegations: int) -> Iterator[Text]:
    """Yield what was erased, then what could not be."""
    yield Text(
        zh=f"已抹去 {len(forgotten.instances)} 个实例中的 {forgotten.values} 项信息"
        + (f"和 {delegations} 项委托" if delegations else ""),
        en=f"erased {many(forgotten.values, 'value')} beside {many(len(forgotten.instances), 'journal')}"
        + (f", and {many(delegations, 'delegation')}" if delegations else ""),
    )
    if forgotten.in_clear:
        yield Text(
            zh=f"另有 {forgotten.in_clear} 条留痕以明文写有其信息，记入时该字段尚未标为 personal，不能抹去",
            en=f"{many(forgotten.in_clear, 'fact')} in the clear cannot be erased: "
            "recorded before the field was marked personal",
        )
    if not forgotten.named:
        return
    listed = ", ".join(forgotten.named_in[:_LISTED]) + (" …" if len(forgotten.named_in) > _LISTED else "")
    yield Text(
        zh=f"另有 {len(forgotten.named_in)} 个实例的 {forgotten.named} 条留痕以明文写有其姓名，记于存储结构第 2 版之前，"
        f"不能抹去：{listed}",
        en=f"still named in the clear in {many(forgotten.named, 'fact')} of {many(len(forgotten.named_in), 'instance')}, "
        f"which cannot be erased: recorded before schema version 2, in {listed}",
    )


def _confirmed(person: str, lang: Tongue) -> bool:
    """Ask at the terminal whether a person is to be erased. Raises: WrongUsage without a terminal."""
    if not sys.stdin.isatty():
        raise WrongUsage(
            Text(zh="没有终端可以询问", en="there is no terminal to ask at"),
            Text(zh="确认要抹去，加 --yes", en="if the person is to be erased, add --yes"),
        )
    question = Text(zh=f"抹去 {person}，不可撤销。继续？", en=f"Erase {person}? This cannot be taken back.")
    return click.confirm(question.in_(lang), err=True)
