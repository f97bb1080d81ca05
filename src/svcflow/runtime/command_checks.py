"""Checks of a command before it is executed: names, types and the size of its payload, whatever the procedure.

A command that is in order is checked cheaply: all names at once, and the payload by the JSON that it makes. Only
where that fails, each part is looked at by itself, for an error that names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import get_args

import attrs
import orjson

from svcflow.bounds import LARGEST, SMALLEST, refuse_count
from svcflow.errors import FieldError
from svcflow.kernel.commands import Accept, Actor, Assign, Command, Explain, Fire, Recipient, Reject, Start
from svcflow.kernel.instance import Instance
from svcflow.kernel.storable import (
    refuse_non_text,
    refuse_unfit_id,
    refuse_unfit_name,
    refuse_unstorable,
    storage_error,
)
from svcflow.text import Text

PAYLOAD_LIMIT = 64 * 1024
"""How many bytes of JSON one command may carry, by default."""

INSTANCE_ID = 80
"""How many characters the id of a new instance may have, and that of a delegation."""

COMMAND_ID = 200
"""How many characters a command id may have."""

PERSON = 200
"""How many characters the id of a person may have."""

_TYPES: Mapping[str, type] = {
    "data": Mapping,
    "evidence": Mapping,
    "steps": Mapping,
    "reason": str,
    "override": str,
}
_PLAIN = {name: dict if kind is Mapping else kind for name, kind in _TYPES.items()}
_NAMES = ("trigger", "step", "limit", "field", "to")
_FIELDS = {kind: tuple(field.name for field in attrs.fields(kind)) for kind in get_args(Command)}
_PAYLOAD_OF = {
    kind: tuple((name, _PLAIN[name]) for name in names if name in _TYPES) for kind, names in _FIELDS.items()
}
_NAMES_OF = {kind: tuple(name for name in names if name in _NAMES) for kind, names in _FIELDS.items()}
_WITH_NUMBERS = dict.fromkeys((Explain, Accept, Reject), ("deviation",))
_BACKSLASH, _NUL = ord("\\"), b"\\u0000"
"""NUL as JSON writes it, also six characters that a text may hold; a search for its first byte takes a tenth of the time."""


def refuse_unfit(instance: str, command: Command, command_id: str | None, limit: int) -> None:
    """Raise FieldError when a command carries what cannot be stored, or more than `limit` bytes."""
    actor, kind = command.actor, type(command)
    try:
        names = instance + actor.id + actor.behalf
        if command_id is not None:
            names += command_id
        others: Iterable[str] = actor.roles or ()
        if type(command) is Fire:  # the kernel refuses names that are not declared, whatever is in them
            others = (*others, command.trigger, "" if command.step is None else command.step)
        else:
            names += _other_names(command)
        given = command_id != "" and (instance != "" or kind is not Start)
        short = len(names) <= INSTANCE_ID and len("".join(others)) <= limit
        fit = given and short and names.isprintable() and kind not in _WITH_NUMBERS
    except (TypeError, AttributeError):  # a name is no text, or a text stands for an actor
        fit = False
    if not fit:
        _refuse_names(instance, command, command_id)
        _refuse_long(instance, command, limit)
    size = 0
    for name, plain in _PAYLOAD_OF[kind]:
        carried = getattr(command, name)
        if carried:
            size += _size(name, carried)
        elif type(carried) is not plain and (carried is not None or name == "steps"):
            _refuse_other_type(name, carried)  # empty, but of another type
    if size > limit:
        raise _too_large(size, limit)


def _refuse_long(instance: str, command: Command, limit: int) -> None:
    """Raise FieldError when the names in a command have, all together, more than `limit` characters."""
    names = [instance, *(getattr(command, name) or "" for name in _NAMES_OF[type(command)])]
    refuse_large((*names, *(command.actor.roles or ())), limit)


def refuse_large(names: Iterable[str], limit: int) -> None:
    """Raise FieldError when names have, all together, more than `limit` characters."""
    size = sum(len(str(name)) for name in names)
    if size > limit:
        raise _too_large(size, limit)


def _other_names(command: Command) -> str:
    """Return the other names in a command, joined. Raises: TypeError when one is no text."""
    if isinstance(command, Start):
        recipient = command.recipient
        if recipient is None:
            return ""
        if type(recipient) is not Recipient:
            raise TypeError(recipient)
        return recipient.id
    names = [(place, getattr(command, place)) for place in _NAMES_OF[type(command)]]
    return "".join(["" if place == "step" and name is None else name for place, name in names])


def _refuse_names(instance: str, command: Command, command_id: str | None) -> None:
    """Raise FieldError for a name that cannot be stored. An id of an existing instance may have any length."""
    if command_id is not None:
        refuse_unfit_id("command_id", command_id, COMMAND_ID)
    if isinstance(command, Start):
        refuse_unfit_id("instance_id", instance, INSTANCE_ID)
        if command.recipient is not None:
            _refuse_other("recipient", command.recipient, Recipient, '"staff"')
            refuse_unfit_name("recipient.id", command.recipient.id, PERSON)
    else:
        refuse_non_text("instance", instance)
    refuse_unfit_actor(command.actor)
    for name in _NAMES_OF[type(command)]:
        refuse_non_text(name, getattr(command, name), needed=name != "step")
    for name in _WITH_NUMBERS.get(type(command), ()):
        refuse_count(name, getattr(command, name), SMALLEST, LARGEST)
    if isinstance(command, Assign):
        refuse_unfit_name("to", command.to, PERSON)


def refuse_revision(expected: int) -> None:
    """Raise FieldError when an expected revision is no whole number."""
    refuse_count("expected_revision", expected, SMALLEST, LARGEST)


def refuse_unfit_actor(actor: Actor) -> None:
    """Raise FieldError when an actor is no `Actor`, or has a name that cannot be stored."""
    refuse_no_actor("actor", actor)
    refuse_unfit_name("actor.id", actor.id, PERSON)
    refuse_unfit_name("actor.behalf", actor.behalf, PERSON)


def refuse_no_actor(place: str, actor: object) -> None:
    """Raise FieldError unless an actor is an `Actor`; the id of a person is none."""
    _refuse_other(place, actor, Actor, '{"desk"}')


def refuse_no_instance(instance: object) -> None:
    """Raise FieldError unless an instance is an `Instance`; its id is none."""
    if not isinstance(instance, Instance):
        kind = type(instance).__name__
        raise FieldError(
            Text(
                zh=f"instance：须为 Instance，不能是 {kind}",
                en=f"instance: it takes an Instance, not a {kind}",
            ),
            Text(zh="用 engine.instance(编号) 取得", en="get it with engine.instance(id)"),
        )


def _refuse_other(place: str, value: object, kind: type, second: str) -> None:
    if isinstance(value, kind):
        return
    given, wanted = type(value).__name__, kind.__name__
    raise FieldError(
        Text(
            zh=f"{place}：须为 {wanted}，不能是 {given}", en=f"{place}: it takes {wanted}(…), not a {given}"
        ),
        Text(zh=f'写成 {wanted}("li.wei", {second})', en=f'write {wanted}("li.wei", {second})'),
    )


def _size(name: str, carried: Mapping[str, object] | str) -> int:
    _refuse_other_type(name, carried)
    try:
        written = orjson.dumps(carried, default=str)
    except TypeError as error:
        raise storage_error(name, carried) or _unwritable(name, error) from None
    if _BACKSLASH in written and _NUL in written:
        refuse_unstorable(name, carried)
    if name == "evidence" and not isinstance(carried, str):
        for reference in carried.values():
            if type(reference) is not str:  # no field checks what evidence is, as fields check data
                refuse_unstorable(name, carried)
    return len(written)


def _refuse_other_type(name: str, carried: object) -> None:
    if _TYPES[name] is str:
        refuse_non_text(name, carried, needed=False)
    elif type(carried) is not dict:
        refuse_no_mapping(name, carried)


def refuse_no_mapping(name: str, carried: object) -> None:
    """Raise FieldError unless a value is a mapping."""
    if isinstance(carried, Mapping):
        return
    kind = type(carried).__name__
    raise FieldError(
        Text(
            zh=f"{name}：须为名称与值的对应，不能是 {kind}",
            en=f"{name}: it takes names with their values, not a {kind}",
        )
    )


def _unwritable(name: str, error: TypeError) -> FieldError:
    return FieldError(
        Text(zh=f"{name}：无法留痕：{error}", en=f"{name}: it cannot be kept in the journal: {error}")
    )


def _too_large(size: int, limit: int) -> FieldError:
    return FieldError(
        Text(
            zh=f"一次提交的数据有 {size} 字节，超过上限 {limit} 字节",
            en=f"one command brings {size} bytes of data; the limit is {limit}",
        ),
        Text(
            zh="大的内容另存，只提交其地址；或设 Engine(payload_limit=…)",
            en="keep what is large elsewhere and give its address, or set Engine(payload_limit=…)",
        ),
    )
