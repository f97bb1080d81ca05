"""Questions about many instances or deviations, as SQL. What they ask is said in runtime/filters.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    not_,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import JSONB

from svcflow.kernel.facts import ERASED
from svcflow.kernel.instance import FIELDS, NEVER
from svcflow.model.field import Value
from svcflow.runtime.filters import (
    Cursor,
    DeviationKey,
    DeviationQuery,
    InstanceKey,
    InstanceQuery,
    WorkQuery,
)
from svcflow.store import schema

_instances, _facts, _deviations = schema.instances.c, schema.facts.c, schema.deviations.c
_work, _persons = schema.work.c, schema.persons.c
_RECIPIENT, _GROUP, _DATA, _DEPUTIES = (
    FIELDS.index(name) for name in ("recipient", "group", "data", "deputies")
)
Path = tuple[int | str, ...]
Asked = Select[*tuple[Any, ...]]


def instances(query: InstanceQuery, dialect: str) -> Asked:
    """Select the state of instances, newest first; one more than asked for, to see whether there are more."""
    asked = select(_instances.state).where(*_of_instances(query, dialect))
    if query.after is not None:
        started_us, name = query.after
        asked = asked.where(
            or_(
                _instances.started_us < started_us,
                (_instances.started_us == started_us) & (_instances.id > name),
            )
        )
    return _bounded(asked.order_by(_instances.started_us.desc(), _instances.id), query.limit)


def instance_counts(query: InstanceQuery, dialect: str, by: InstanceKey | None) -> Asked:
    """Select how many instances there are, under each key when `by` says which."""
    count = func.count(_instances.id.distinct())
    if by is None:
        return select(literal(""), count).where(*_of_instances(query, dialect))
    key: ColumnElement[Any]
    if by in ("step", "role"):
        key = _work[by]
        asked = select(key, count).join_from(schema.instances, schema.work, _work.instance == _instances.id)
        if query.due_before_us is not None:  # of several branches, those that are due
            asked = asked.where(_work.due_us < query.due_before_us)
    else:
        key = _served(dialect) if by == "group" else _instances[by]
        asked = select(key, count)
    return asked.where(*_of_instances(query, dialect)).group_by(key)


def deviations(query: DeviationQuery, dialect: str) -> Asked:
    """Select deviations with the fact and the personal data to read them, in the order they occurred."""
    asked = (
        select(*_deviations, _facts.body, _instances.secrets)
        .join(
            schema.facts,
            (_facts.instance == _deviations.instance) & (_facts.sequence == _deviations.sequence),
        )
        .join(schema.instances, _instances.id == _deviations.instance, isouter=True)
        .where(*_of_deviations(query, dialect))
    )
    order = (_deviations.occurred_us, _deviations.instance, _deviations.sequence)
    if query.after is not None:
        asked = asked.where(tuple_(*order) > _row(query.after))
    return _bounded(asked.order_by(*order), query.limit)


def deviation_counts(query: DeviationQuery, dialect: str, by: DeviationKey | None) -> Asked:
    """Select how many deviations there are, under each key when `by` says which."""
    count = func.count(_deviations.sequence)
    key: ColumnElement[Any] = (
        literal("") if by is None else _served(dialect) if by == "group" else _deviations[by]
    )
    asked = select(key, count).select_from(schema.deviations)
    if by == "group" or query.group is not None:
        asked = asked.join(schema.instances, _instances.id == _deviations.instance, isouter=True)
    asked = asked.where(*_of_deviations(query, dialect))
    return asked if by is None else asked.group_by(key)


def worklist(query: WorkQuery, dialect: str) -> Asked:
    """Select the work that waits, the soonest due first; one more than asked for."""
    lapsed = and_(_work.assignee != "", func.coalesce(_ENDS[dialect](), NEVER) <= query.now_us)
    free = or_(_work.assignee == "", _work.assignee.startswith(ERASED), lapsed)
    asked = select(
        _work.instance,
        _instances.procedure,
        _instances.version,
        _work.step,
        _work.role,
        case((lapsed, ""), else_=_work.assignee).label("assignee"),
        _work.entered_us,
        _work.due_us,
        _instances.state,
    ).join_from(schema.work, schema.instances, _instances.id == _work.instance)
    fits: list[ColumnElement[bool]] = []
    if query.roles is not None:
        theirs = _work.role.in_(query.roles)
        fits.append(theirs if query.assignee is None else and_(theirs, free))
    if query.assignee is not None:
        fits.append(and_(_work.assignee == query.assignee, _work.assignee != "", not_(free)))
    if fits:
        asked = asked.where(or_(*fits))
    if query.procedure is not None:
        asked = asked.where(_instances.procedure == query.procedure)
    if query.due_before_us is not None:
        asked = asked.where(_work.due_us < query.due_before_us)
    order = (_work.due_us, _work.entered_us, _work.instance, _work.step)
    if query.after is not None:
        asked = asked.where(tuple_(*order) > _row(query.after))
    return _bounded(asked.order_by(*order), query.limit)


def mentioning(person: str, dialect: str) -> Asked:
    """Select the instances whose journals hold the JSON of a name."""
    written = orjson.dumps(person)
    place = (
        func.instr(_facts.body, written)
        if dialect == "sqlite"
        else func.strpos(func.encode(_facts.body, "escape"), func.encode(written, "escape"))
    )
    return select(_facts.instance).where(place > 0).distinct().order_by(_facts.instance)


def _of_instances(query: InstanceQuery, dialect: str) -> list[ColumnElement[bool]]:
    where = [
        column == wanted
        for column, wanted in ((_instances.procedure, query.procedure), (_instances.status, query.status))
        if wanted is not None
    ]
    for column, wanted in ((_work.step, query.step), (_work.role, query.role)):
        if wanted is not None:
            where.append(_instances.id.in_(select(_work.instance).where(column == wanted)))
    if query.due_before_us is not None:
        where.append(_instances.id.in_(select(_work.instance).where(_work.due_us < query.due_before_us)))
    if query.recipient is not None:
        where.append(_instances.id.in_(select(_persons.instance).where(_persons.person == query.recipient)))
        where.append(_EQUALS[dialect]((_RECIPIENT,), query.recipient))
    if query.group is not None:
        where.append(_EQUALS[dialect]((_GROUP,), query.group))
    where += [_EQUALS[dialect]((_DATA, name), value) for name, value in query.data.items()]
    return where + _between(_instances.started_us, query.since_us, query.until_us)


def _of_deviations(query: DeviationQuery, dialect: str) -> list[ColumnElement[bool]]:
    names = ("instance", "procedure", "kind", "step", "role", "status")
    where = [_deviations[name] == wanted for name in names if (wanted := getattr(query, name)) is not None]
    if query.group is not None:
        where.append(_EQUALS[dialect]((_GROUP,), query.group))
    return where + _between(_deviations.occurred_us, query.since_us, query.until_us)


def _between(
    column: ColumnElement[int], since_us: int | None, until_us: int | None
) -> list[ColumnElement[bool]]:
    bounds = []
    if since_us is not None:
        bounds.append(column >= since_us)
    if until_us is not None:
        bounds.append(column < until_us)
    return bounds


def _bounded(asked: Asked, limit: int | None) -> Asked:
    return asked if limit is None else asked.limit(limit + 1)


def _row(cursor: Cursor) -> ColumnElement[Any]:
    return tuple_(*(literal(part) for part in cursor))


def _served(dialect: str) -> ColumnElement[Any]:
    """Return the recipient's group, out of the instance's state."""
    if dialect == "sqlite":
        return func.json_extract(cast(_instances.state, Text), f"$[{_GROUP}]")
    read: ColumnElement[Any] = func.convert_from(_instances.state, "UTF8").cast(JSONB)[_GROUP].astext
    return read


def _ends_in_sqlite() -> ColumnElement[Any]:
    """Return when the delegation ends by which somebody has a step; nothing when they need none."""
    place = literal(f'$[{_DEPUTIES}]."').concat(_work.step).concat('"[1]')
    return func.json_extract(cast(_instances.state, Text), place)


def _ends_in_postgresql() -> ColumnElement[Any]:
    read: ColumnElement[Any] = func.convert_from(_instances.state, "UTF8").cast(JSONB)
    return cast(read[_DEPUTIES][_work.step][1].astext, BigInteger)


_ENDS: Mapping[str, Callable[[], ColumnElement[Any]]] = {
    "sqlite": _ends_in_sqlite,
    "postgresql": _ends_in_postgresql,
}


def _equals_in_sqlite(path: Path, value: Value) -> ColumnElement[bool]:
    written = "".join(
        f"[{part}]" if isinstance(part, int) else f".{orjson.dumps(part).decode()}" for part in path
    )
    found = func.json_extract(cast(_instances.state, Text), f"${written}")
    if value is None:
        return found.is_(None)
    kind = func.json_type(cast(_instances.state, Text), f"${written}")  # or true would be the number 1
    return and_(found == value, kind.in_(("true", "false")) == isinstance(value, bool))


def _equals_in_postgresql(path: Path, value: Value) -> ColumnElement[bool]:
    found: ColumnElement[Any] = func.convert_from(_instances.state, "UTF8").cast(JSONB)
    for part in path:
        found = found[part]
    wanted = cast(literal(orjson.dumps(value).decode(), Text), JSONB)
    return or_(found.is_(None), found == wanted) if value is None else found == wanted


_EQUALS: Mapping[str, Callable[[Path, Value], ColumnElement[bool]]] = {
    "sqlite": _equals_in_sqlite,
    "postgresql": _equals_in_postgresql,
}
