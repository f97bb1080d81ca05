"""Values as they are written on a command line: `key=value`, `id:role,role`, instants. They are not yet checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

import click

from svcflow.cli.failure import WrongValue
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.kernel.commands import Actor, Recipient
    from svcflow.model.field import Field, Value

__all__ = [
    "ACTOR",
    "INSTANT",
    "PAIR",
    "PROCEDURE",
    "RECIPIENT",
    "Pair",
    "ProcedureName",
    "actor_or_nobody",
    "typed",
]

Pair = tuple[str, str]
ProcedureName = str | tuple[str, int]
_TRUE, _FALSE = ("true", "yes", "1", "是"), ("false", "no", "0", "否")


if TYPE_CHECKING:
    Type = click.ParamType[Any]
else:
    Type = click.ParamType  # generic since click 8.3 only


class _Pair(Type):
    name = "key=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Pair:
        """Split at the first equals sign."""
        key, sign, written = str(value).partition("=")
        if not sign or not key.strip():
            raise WrongValue(
                Text(zh=f"“{value}”须写作 键=值", en=f"write {value!r} as key=value"),
                param,
                ctx,
            )
        return key.strip(), written


class _Actor(Type):
    name = "id:role,role"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Actor:
        """Read `dispatcher-1:dispatcher`; without roles the actor has none."""
        from svcflow.kernel.commands import Actor

        if isinstance(value, Actor):
            return value
        name, _, roles = str(value).partition(":")
        if not name.strip():
            raise WrongValue(Text(zh="须写作 编号:岗位,岗位", en="write it as id:role,role"), param, ctx)
        return Actor(name.strip(), [role.strip() for role in roles.split(",") if role.strip()])


class _Recipient(Type):
    name = "id:group"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Recipient:
        """Read `room-1204:staff`; the group may be left out."""
        from svcflow.kernel.commands import Recipient
        from svcflow.model.procedure import GROUPS

        name, _, group = str(value).partition(":")
        if not name or group not in ("", *GROUPS):
            listed = ", ".join(GROUPS)
            raise WrongValue(
                Text(
                    zh=f"须写作 编号:类别，类别取 {listed}",
                    en=f"write it as id:group, the group one of {listed}",
                ),
                param,
                ctx,
            )
        return Recipient(name, next((known for known in GROUPS if known == group), None))


class _Instant(Type):
    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read ISO 8601; a day is its midnight, and without an offset this computer's zone is meant."""
        if isinstance(value, datetime):
            return value
        try:
            day = date.fromisoformat(value)
        except ValueError:
            day = None
        try:
            at = datetime.fromisoformat(value) if day is None else datetime.combine(day, time())
            return at if at.tzinfo is not None else at.astimezone()
        except (ValueError, OverflowError):
            raise WrongValue(
                Text(
                    zh=f"“{value}”不是时刻，写如 2026-03-02 或 2026-03-02T14:00+08:00",
                    en=f"{value!r} is no instant; write 2026-03-02 or 2026-03-02T14:00+08:00",
                ),
                param,
                ctx,
            ) from None


class _Procedure(Type):
    name = "id[@version]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> ProcedureName:
        """Read `repair` or `repair@1`."""
        name, sign, version = str(value).partition("@")
        if not sign:
            return name
        if not version.isascii() or not version.isdigit():
            raise WrongValue(
                Text(
                    zh=f"“{value}”的版本须为数字，如 repair@1",
                    en=f"the version in {value!r} is a number: repair@1",
                ),
                param,
                ctx,
            )
        return name, int(version)


PAIR, ACTOR, RECIPIENT, INSTANT, PROCEDURE = _Pair(), _Actor(), _Recipient(), _Instant(), _Procedure()


def typed(pairs: Iterable[Pair], fields: Mapping[str, Field]) -> dict[str, Value]:
    """Return the data with numbers and truth values as their fields want them; what does not fit stays text.

    The kernel refuses what does not fit, with the field's own words.
    """
    return {key: _typed(written, fields.get(key)) for key, written in pairs}


def actor_or_nobody(actor: Actor | None) -> Actor:
    """Return the actor; nobody when none is named."""
    from svcflow.kernel.commands import NOBODY

    return NOBODY if actor is None else actor


def _typed(written: str, field: Field | None) -> Value:
    if field is None or field.type not in ("number", "boolean"):
        return written
    if field.type == "boolean":
        said = written.strip().lower()
        return True if said in _TRUE else False if said in _FALSE else written
    for kind in (int, float):
        try:
            return kind(written)
        except ValueError:
            continue
    return written
