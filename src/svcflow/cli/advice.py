"""Advice: what an error says to do, in the words of the command line.

In a remedy of the library what stands in backquotes is a keyword of its methods, `data["place"]`; here it is the
option or argument that carries it, --data place=…. It knows words only, and raises nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from svcflow.cli.asked import Tongue
from svcflow.errors import DeclarationError, SvcflowError, UnknownProcedure
from svcflow.text import Text

__all__ = ["KEYWORDS", "advice", "spoken"]

KEYWORDS: Mapping[str, Text] = {
    "actor": Text(zh="--actor {编号:岗位}", en="--actor {ID:ROLE}"),
    "after": Text(en="--after"),
    "command_id": Text(en="--command-id"),
    "data": Text(zh="--data {名称}=…", en="--data {NAME}=…"),
    "delegation_id": Text(en="--id"),
    "delegations": Text(en="`svcflow delegation list`"),
    "deviation": Text(en="SEQUENCE"),
    "evidence": Text(zh="--evidence {名称}=…", en="--evidence {NAME}=…"),
    "instance_id": Text(en="--id"),
    "limit": Text(en="--limit"),
    "occurred_at": Text(en="--occurred-at"),
    "open": Text(en="--open"),
    "override": Text(zh="--override {理由}", en="--override {REASON}"),
    "reason": Text(zh="--reason {理由}", en="--reason {REASON}"),
    "step": Text(zh="--step {环节}", en="--step {STEP}"),
    "steps": Text(zh="--map {原环节}=…", en="--map {OLD}=…"),
    "to": Text(en="PERSON"),
}
"""How each keyword is written here; what a remedy does not fill in stands in braces."""
_KEYWORD = re.compile(r'`(\w+)(?:\["(.*?)"\]|=\{?"?(.*?)"?\}?)?`')
_GAP = re.compile(r"\{(.*?)\}")


def advice(error: SvcflowError) -> Text:
    """Return what can be done about an error from the command line."""
    remedy = spoken(error.remedy)
    if isinstance(error, UnknownProcedure) and error.named:
        return _elsewhere(error, remedy)
    return remedy


def spoken(remedy: Text) -> Text:
    """Put options and arguments into the place of keywords; one that is not known here stays what it is."""
    return Text(zh=_written(remedy.zh, "zh"), en=_written(remedy.en, "en"))


def _written(remedy: str, lang: Tongue) -> str:
    def option(found: re.Match[str]) -> str:
        name, key, value = found.groups()
        if name not in KEYWORDS:
            return found[0]
        return _GAP.sub(lambda gap: key or value or gap[1], KEYWORDS[name].in_(lang))

    return _KEYWORD.sub(option, remedy)


def _elsewhere(error: UnknownProcedure, near: Text) -> Text:
    """Say where procedures come from; to who gave a file, how it is given."""
    file = Path(error.named)
    if file.suffix in (".yaml", ".yml"):
        given = f"{_id_in(file)} --procedures {file.parent}"
        return Text(
            zh=f"这里给出流程的编号，文件则以其文件夹给出：{given}",
            en=f"an id is given here, and a file by its folder: {given}",
        )
    said = Text(
        zh="流程取自 --procedures 文件夹（或 SVCFLOW_PROCEDURES），缺省为随库提供的",
        en="procedures are those of --procedures FOLDER (or SVCFLOW_PROCEDURES), by default those shipped",
    )
    if not near:
        return said
    return Text(zh=f"{near.zh}（{said.zh}）", en=f"{near.en} ({said.en})")


def _id_in(file: Path) -> str:
    from svcflow.model.catalog import load

    try:
        return load(file).id
    except DeclarationError:
        return "ID"
