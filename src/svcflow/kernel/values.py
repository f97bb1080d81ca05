"""Values that come in with a command: checked against the declared fields, refused as one report."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from svcflow.errors import FieldError
from svcflow.kernel.writable import flaw, refused
from svcflow.model.field import Value
from svcflow.model.procedure import Procedure
from svcflow.nearest import nearest
from svcflow.text import Text


def accepted(procedure: Procedure, data: Mapping[str, object], *, extra: Collection[str]) -> dict[str, Value]:
    """Return the data as they are kept; `extra` names values a transition requires beside the fields.

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
                kept[name] = field.accept(value)
            elif name in extra:
                kept[name] = _plain(name, value)
            else:
                wrong.append(_unknown(procedure, name))
        except FieldError as error:
            wrong.append(error.message)
    if wrong:
        raise FieldError(
            Text(
                zh="；".join(text.in_("zh") for text in wrong), en="; ".join(text.in_("en") for text in wrong)
            )
        )
    return kept


def _plain(name: str, value: object) -> str | int | float:
    """Return a value that no field describes. Raises: FieldError unless it reads back from JSON as it was given."""
    found = flaw(value)
    if found is not None:
        raise refused(name, found)
    if not isinstance(value, str | int | float):
        raise FieldError(Text(zh=f"没有给出 {name}", en=f"nothing is given for {name}"))
    return value


def _unknown(procedure: Procedure, name: str) -> Text:
    hint = nearest(name, procedure.fields)
    if not hint:
        return Text(zh=f"没有字段“{name}”", en=f"there is no field {name!r}")
    return Text(zh=f"没有字段“{name}”（{hint.zh}）", en=f"there is no field {name!r} ({hint.en})")
