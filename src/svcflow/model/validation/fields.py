"""Rules of fields: names, choices, defaults, what a rating names beside itself, what a field stands for."""

from __future__ import annotations

from collections.abc import Iterator

from svcflow.errors import FieldError, Path, Problem
from svcflow.model.field import COMPANIONS, Field
from svcflow.model.procedure_parts import ProcedureParts
from svcflow.model.validation.references import RECIPIENT, RENAME, identifier, unknown
from svcflow.text import Text
from svcflow.wording import SUBJECTS


def field_problems(procedure: ProcedureParts) -> Iterator[Problem]:
    """Yield the mistakes of every field."""
    for field in procedure.fields.values():
        path: Path = ("fields", field.id)
        yield from identifier(field.id, path)
        if field.id == RECIPIENT:
            yield Problem(
                path, Text(zh="recipient 为保留名", en="'recipient' is reserved for who is served"), RENAME
            )
        if field.type == "choice" and not field.choices:
            yield Problem(
                path,
                Text(zh="choice 字段没有选项", en="a choice field needs choices"),
                Text(zh="加 choices: [甲, 乙]", en="add choices: [a, b]"),
            )
        yield from _rating(procedure, field, path)
        yield from _stands_for(procedure, field, path)
        if field.settled_by is not None and field.settled_by not in procedure.triggers:
            known = sorted(procedure.triggers)
            yield unknown((*path, "settled_by"), "流转", "trigger", field.settled_by, known)
        try:
            field.accept(field.default)
        except FieldError as error:
            yield Problem((*path, "default"), error.message, error.remedy)


def _rating(procedure: ProcedureParts, field: Field, path: Path) -> Iterator[Problem]:
    """Yield the mistakes of the fields that a rating names beside itself."""
    for key, types in COMPANIONS.items():
        name = getattr(field, key)
        if name is None:
            continue
        if field.type != "rating":
            yield Problem(
                (*path, key),
                Text(zh=f"只有 rating 字段写 {key}", en=f"only a rating has {key}"),
                Text(zh=f"删去 {key}，或写 type: rating", en=f"leave {key} out, or write type: rating"),
            )
        elif name not in procedure.fields:
            yield unknown((*path, key), "字段", "field", name, procedure.fields)
        elif procedure.fields[name].type not in types or name == field.id:
            kinds = " / ".join(types)
            yield Problem(
                (*path, key),
                Text(zh=f"{key} 须为另一个 {kinds} 字段", en=f"{key} names another field of type {kinds}"),
                Text(
                    zh=f"改 {name} 的类型，或换一个字段",
                    en=f"change the type of {name}, or name another field",
                ),
            )


def _stands_for(procedure: ProcedureParts, field: Field, path: Path) -> Iterator[Problem]:
    """Yield the mistakes of a field by which figures are grouped: it has few values, and there is one for each subject."""
    if field.stands_for is not None and field.type not in ("choice", "text"):
        yield Problem(
            (*path, "stands_for"),
            Text(
                zh=f"{field.type} 字段不能代表{SUBJECTS[field.stands_for].zh}",
                en=f"a field of type {field.type} cannot stand for a {field.stands_for}",
            ),
            Text(zh="用 choice 或 text 字段", en="use a field of type choice or text"),
        )
    first = next((f.id for f in procedure.fields.values() if f.stands_for == field.stands_for), field.id)
    if field.stands_for is not None and first != field.id:
        yield Problem(
            (*path, "stands_for"),
            Text(
                zh=f"{first} 已代表{SUBJECTS[field.stands_for].zh}",
                en=f"{first} stands for the {field.stands_for} already",
            ),
            Text(zh="只留一个", en="keep one of them"),
        )
