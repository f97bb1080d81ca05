"""Values as they are written on a command line: `key=value`, `id:role,role`, instants, lengths of time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import click

from svcflow.cli.errors import WrongUsage, WrongValue
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.kernel.commands import Actor, Recipient
    from svcflow.model.field import Field, Value

__all__ = [
    "ACTOR",
    "ELAPSED",
    "INSTANT",
    "PAIR",
    "PROCEDURE",
    "RECIPIENT",
    "Pair",
    "ProcedureName",
    "actor_or_nobody",
    "is_at_least",
    "once",
    "typed",
]

Pair = tuple[str, str]
ProcedureName = str | tuple[str, int]
_TRUE, _FALSE = ("true", "yes", "1", "是"), ("false", "no", "0", "否")


if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]
else:
    _ParamType = click.ParamType  # generic since click 8.3 only


class ValueType(_ParamType):
    """A type of click made of a function that reads a text, and raises `WrongValue` for one that it cannot read."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name = name
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return what a text stands for; what is no text was read before."""
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except WrongValue as error:
            error.param, error.ctx = param, ctx
            raise


def _pair(text: str) -> Pair:
    """Split at the first equals sign."""
    key, sign, written = text.partition("=")
    if not sign or not key.strip():
        _check_half_width(text, "=＝")
        raise WrongValue(Text(zh=f"“{text}”须写作 键=值", en=f"write {text!r} as key=value"))
    return key.strip(), written


def _actor(text: str) -> Actor:
    """Read `dispatcher-1:dispatcher`; without roles the actor has none."""
    from svcflow.kernel.commands import Actor, is_named

    _check_half_width(text, ":：,，、")
    name, _, roles = text.partition(":")
    if not is_named(name):
        raise WrongValue(Text(zh="须写作 编号:岗位,岗位", en="write it as id:role,role"))
    return Actor(name.strip(), [role.strip() for role in roles.split(",") if role.strip()])


def _recipient(text: str) -> Recipient:
    """Read `room-1204:staff`; the group may be left out."""
    from svcflow.kernel.commands import Recipient
    from svcflow.model.procedure import GROUPS

    _check_half_width(text, ":：")
    name, _, group = text.partition(":")
    if not name or group not in ("", *GROUPS):
        groups = ", ".join(GROUPS)
        raise WrongValue(
            Text(
                zh=f"须写作 编号:类别，类别取 {groups}", en=f"write it as id:group, the group one of {groups}"
            )
        )
    return Recipient(name, next((each for each in GROUPS if each == group), None))


def _instant(text: str) -> datetime:
    """Read ISO 8601; a day is its midnight, and without an offset this computer's zone is meant."""
    from svcflow.errors import FieldError
    from svcflow.worktime.instants import given_us

    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    try:
        at = datetime.fromisoformat(text) if day is None else datetime.combine(day, time())
        at = at if at.tzinfo is not None else at.astimezone()
    except (ValueError, OverflowError):
        raise WrongValue(
            Text(
                zh=f"“{text}”不是时刻，写如 2026-03-02 或 2026-03-02T14:00+08:00",
                en=f"{text!r} is no instant; write 2026-03-02 or 2026-03-02T14:00+08:00",
            )
        ) from None
    try:
        given_us(text, at)
    except FieldError as error:
        raise WrongValue(error.message) from None
    return at


def _elapsed(text: str) -> timedelta:
    """Read elapsed time: `30m`, `2h`, `1d` of 24 hours."""
    from svcflow.errors import DeclarationError
    from svcflow.model.amount import Amount

    try:
        amount = Amount.parse(text.strip())
    except DeclarationError:
        amount = None
    if amount is None or amount.family != "elapsed":
        raise WrongValue(
            Text(
                zh=f"“{text}”不是实际时间的长短，写如 30m、2h 或 1d（24 小时）",
                en=f"{text!r} is no length of elapsed time; write 30m, 2h or 1d (24 hours)",
            )
        )
    flaw = amount.too_long
    if flaw is not None:
        zh, en = f"{flaw.message.zh}，{flaw.remedy.zh}", f"{flaw.message.en}; {flaw.remedy.en}"
        raise WrongValue(Text(zh=zh, en=en))
    return timedelta(microseconds=amount.us)


def _procedure(text: str) -> ProcedureName:
    """Read `repair` or `repair@1`."""
    name, sign, version = text.partition("@")
    if not sign:
        return name
    if not version.isascii() or not version.isdigit() or len(version) > 10:
        raise WrongValue(
            Text(
                zh=f"“{text}”的版本须为数字，如 repair@1", en=f"the version in {text!r} is a number: repair@1"
            )
        )
    return name, int(version)


PAIR = ValueType("key=value", _pair)
ACTOR = ValueType("id:role,role", _actor)
RECIPIENT = ValueType("id:group", _recipient)
INSTANT = ValueType("instant", _instant)
ELAPSED = ValueType("elapsed", _elapsed)
PROCEDURE = ValueType("id[@version]", _procedure)


def typed(pairs: Iterable[Pair], fields: Mapping[str, Field]) -> dict[str, Value]:
    """Return the data with numbers and truth values as their fields want them; what does not fit stays text.

    The kernel refuses what does not fit, with the field's own words. Raises: WrongUsage for a key given twice.
    """
    return {key: _typed(written, fields.get(key)) for key, written in once(pairs).items()}


def once(pairs: Iterable[Pair]) -> dict[str, str]:
    """Return pairs as a mapping. Raises: WrongUsage when a key is given twice, as neither of both counts more."""
    values: dict[str, str] = {}
    for key, written in pairs:
        if key in values:
            raise WrongUsage(
                Text(
                    zh=f"“{key}”给出了两次：“{values[key]}”与“{written}”",
                    en=f"{key!r} is given twice: {values[key]!r} and {written!r}",
                ),
                Text(zh="只写一次", en="give it once"),
            )
        values[key] = written
    return values


def actor_or_nobody(actor: Actor | None) -> Actor:
    """Return the actor, or `NOBODY` when none is named."""
    from svcflow.kernel.commands import NOBODY

    return NOBODY if actor is None else actor


def is_at_least(severity: str, least: str) -> bool:
    """Return whether a severity of deviations is as grave as another one, or graver."""
    from svcflow.model.limit import SEVERITIES

    ranks = [str(each) for each in SEVERITIES]
    return ranks.index(severity) >= ranks.index(least)


def _check_half_width(text: str, signs: str) -> None:
    """Check that no full-width sign stands for a plain one, as input methods write it unseen.

    `signs` are the plain signs, each with the full-width ones for it behind: `:：,，、`. Raises: WrongValue.
    """
    plain = ""
    for sign in signs:
        if sign.isascii():
            plain = sign
        elif sign in text:
            raise WrongValue(
                Text(
                    zh=f"“{text}”中的“{sign}”是全角符号，须用半角“{plain}”",
                    en=f"{text!r} holds the full-width {sign!r}; write {plain!r}",
                )
            )


def _typed(written: str, field: Field | None) -> Value:
    if field is None or field.type not in ("number", "boolean"):
        return written
    if field.type == "boolean":
        answer = written.strip().lower()
        return True if answer in _TRUE else False if answer in _FALSE else written
    for kind in (int, float):
        try:
            return kind(written)
        except ValueError:
            continue
    return written
