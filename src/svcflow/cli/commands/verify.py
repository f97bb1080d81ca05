"""`svcflow verify`: the journals against their hash chains."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import click

from svcflow.cli.command import argument, asked_of, command, option
from svcflow.cli.errors import FOUND, advised, error_json
from svcflow.cli.language import Tongue
from svcflow.cli.options import stored
from svcflow.cli.output import answer
from svcflow.cli.progress import progress
from svcflow.text import Text
from svcflow.wording import many

if TYPE_CHECKING:
    from svcflow.cli.json import Record
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
def run(
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
