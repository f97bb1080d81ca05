"""Names that must refer to something declared: roles, sources, fields, steps."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from svcflow.errors import GuardError, Path, Problem
from svcflow.model.fullwidth import halved
from svcflow.model.guard import Guard
from svcflow.model.procedure_parts import ProcedureParts
from svcflow.nearest import nearest
from svcflow.text import Text

RECIPIENT = "recipient"
RENAME = Text(zh="换一个名字", en="choose another name")
IDENTIFIER = re.compile(r"[a-z0-9_]{1,80}")


def guard_names(procedure: ProcedureParts, guard: Guard, path: Path) -> Iterator[Problem]:
    """Yield a mistake when a guard names what is no field, or what is personal."""
    known = (*procedure.fields, *procedure.parameters, RECIPIENT)
    strange = sorted(name for name in guard.names if name not in known)
    if strange:
        try:
            guard.check_names(known)
        except GuardError as error:
            chosen = any(strange[0] in field.values for field in procedure.fields.values())
            yield Problem(path, error.message, _in_quotes(strange[0]) if chosen else error.remedy)
    fields = {name for name in guard.names if name in procedure.fields and procedure.fields[name].personal}
    for name in sorted(fields | (guard.paths & {f"{RECIPIENT}.id"})):
        yield personal(path, name)


def personal(path: Path, name: str) -> Problem:
    """Return the mistake of deciding by what may be erased: a journal must replay the same without it."""
    return Problem(
        path,
        Text(
            zh=f"{name} 是个人信息，可以抹去，不能作判断依据",
            en=f"{name} is personal data, which can be erased, and cannot decide anything",
        ),
        Text(
            zh="用不涉及个人的字段，如 recipient.group",
            en="use a field that is nobody's own, such as recipient.group",
        ),
    )


def role_name(procedure: ProcedureParts, role: str, path: Path) -> Iterator[Problem]:
    """Yield a mistake when a role is not declared."""
    if role not in procedure.roles:
        yield unknown(path, "岗位", "role", role, procedure.roles)


def identifier(name: str, path: Path) -> Iterator[Problem]:
    """Yield a mistake when a name is no identifier."""
    if not IDENTIFIER.fullmatch(name):
        # `Spare-Parts` and `ｓｐａｒｅ` have one obvious identifier; a Chinese name has none.
        likely = re.sub(r"[-\s.]+", "_", halved(name).strip().lower())
        hint = Text(zh=f"，如 {likely}", en=f", such as {likely}") if IDENTIFIER.fullmatch(likely) else Text()
        yield Problem(
            path,
            Text(zh=f"“{name}”不是合法的名字", en=f"{name!r} is no identifier"),
            Text(
                zh=f"只用小写字母、数字和下划线{hint.zh}；中文写在 name 里",
                en=f"use a-z, 0-9 and _{hint.en}; the wording goes into name",
            ),
        )


def unknown(path: Path, zh: str, en: str, given: str, known: Iterable[str] | Mapping[str, object]) -> Problem:
    """Return the mistake of a name that refers to nothing, with the nearest one that does."""
    names = list(known)
    return Problem(
        path,
        Text(zh=f"没有名为“{given}”的{zh}", en=f"there is no {en} {given!r}"),
        nearest(given, names),
    )


def _in_quotes(choice: str) -> Text:
    return Text(zh=f'选项加引号：写 "{choice}"', en=f'a choice stands in quotes: write "{choice}"')
