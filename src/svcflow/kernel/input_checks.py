"""Checks of the values of a command against the declared fields; all mistakes are reported together."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from svcflow.errors import FieldError
from svcflow.kernel.refusals import wanted
from svcflow.kernel.storable import refused, unstorable
from svcflow.model.field import Field, Value
from svcflow.model.procedure import Procedure
from svcflow.model.wording import fields_listed
from svcflow.nearest import nearest
from svcflow.text import Text, cut, is_blank

_MOST = 20
"""How many mistakes in the data of one command are reported; more come from sending something else."""


def is_given(value: object) -> bool:
    """Return whether there is a value: neither None nor blank text."""
    return not is_blank(value) if isinstance(value, str) else value is not None


def require_reason(reason: str) -> None:
    """Raise FieldError when no reason is given; a blank one is none."""
    if not is_given(reason):
        raise FieldError(
            Text(zh="没有写明理由", en="no reason is given"),
            Text(zh="用 `reason` 写明", en="give it with `reason`"),
        )


def accepted(procedure: Procedure, data: Mapping[str, object], *, extra: Collection[str]) -> dict[str, Value]:
    """Return the data as they are stored; `extra` names values a transition requires beside the fields.

    A required field is never emptied: only `Reschedule` may clear an instant, whose day is then open.

    Raises: FieldError naming everything that does not fit.
    """
    if not data:
        return {}
    kept: dict[str, Value] = {}
    wrong: list[Text] = []
    for name, value in data.items():
        field = procedure.fields.get(name)
        try:
            if field is not None:
                if field.required and not is_given(value):
                    raise _emptied(field)
                kept[name] = field.accept(value)
            elif name in extra:
                kept[name] = _plain(name, value)
            else:
                wrong.append(_unknown(procedure, name))
        except FieldError as error:
            wrong.append(error.message)
        if len(wrong) > _MOST:  # searching for the nearest name takes time for each
            break
    if wrong:
        raise FieldError(
            Text(
                zh="；".join(text.in_("zh") for text in wrong), en="; ".join(text.in_("en") for text in wrong)
            )
        )
    return kept


def require_fields(procedure: Procedure, given: Mapping[str, Value], data: Mapping[str, Value]) -> None:
    """Raise FieldError for required fields without a value among those `given`, which are `data` and defaults."""
    missing = [
        field.id
        for field in procedure.fields.values()
        if field.required and field.id not in data and not is_given(given.get(field.id))
    ]
    if missing:
        listed = fields_listed(missing, procedure.fields)
        raise FieldError(
            Text(zh=f"缺少必填字段 {listed.zh}", en=f"required fields are missing: {listed.en}"),
            wanted("data", missing),
        )


def _emptied(field: Field) -> FieldError:
    return FieldError(
        Text(zh=f"必填字段 {field.id} 不能为空", en=f"field {field.id} is required and cannot be left empty")
    )


def _plain(name: str, value: object) -> str | int | float:
    """Return a value that no field describes. Raises: FieldError unless it reads back from JSON as it was given."""
    problem = unstorable(value)
    if problem is not None:
        raise refused(name, problem)
    if not isinstance(value, str | int | float):
        raise FieldError(Text(zh=f"没有给出 {name}", en=f"nothing is given for {name}"))
    return value


def _unknown(procedure: Procedure, name: str) -> Text:
    by_name = [field for field in procedure.fields.values() if name in (field.name.zh, field.name.en)]
    hint, name = nearest(by_name[0].id if by_name else name, procedure.fields), cut(name)
    if not hint:
        return Text(zh=f"没有字段“{name}”", en=f"there is no field {name!r}")
    return Text(zh=f"没有字段“{name}”（{hint.zh}）", en=f"there is no field {name!r} ({hint.en})")
