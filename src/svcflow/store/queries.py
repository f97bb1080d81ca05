"""Queries for lists and counts of instances, deviations and work, as SQL for the filters of runtime/filters.py."""

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
Query = Select[*tuple[Any, ...]]


def instances(query: InstanceQuery, dialect: str) -> Query:
    """Select the states of instances, newest first; one more than the limit, to see whether there are more."""
    statement = select(_instances.state).where(*_of_instances(query, dialect))
    if query.after is not None:
        started_us, name = query.after
        statement = statement.where(
            or_(
                _instances.started_us < started_us,
                (_instances.started_us == started_us) & (_instances.id > name),
            )
        )
    return _bounded(statement.order_by(_instances.started_us.desc(), _instances.id), query.limit)


def instance_counts(query: InstanceQuery, dialect: str, by: InstanceKey | None) -> Query:
    """Select the number of instances, or with `by` the numbers under each key."""
    count = func.count(_instances.id.distinct())
    if by is None:
        return select(literal(""), count).where(*_of_instances(query, dialect))
    key: ColumnElement[Any]
    if by in ("step", "role"):
        key = _work[by]
        statement = select(key, count).join_from(
            schema.instances, schema.work, _work.instance == _instances.id
        )
        if query.due_before_us is not None:  # of several branches only those that are due
            statement = statement.where(_work.due_us < query.due_before_us)
    else:
        key = _group_of(dialect) if by == "group" else _instances[by]
        statement = select(key, count)
    return statement.where(*_of_instances(query, dialect)).group_by(key)


def deviations(query: DeviationQuery, dialect: str) -> Query:
    """Select deviations in the order in which they occurred, each with its fact and the personal data to read it."""
    statement = (
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
        statement = statement.where(tuple_(*order) > _row(query.after))
    return _bounded(statement.order_by(*order), query.limit)


def deviation_counts(query: DeviationQuery, dialect: str, by: DeviationKey | None) -> Query:
    """Select the number of deviations, or with `by` the numbers under each key."""
    count = func.count(_deviations.sequence)
    key: ColumnElement[Any] = (
        literal("") if by is None else _group_of(dialect) if by == "group" else _deviations[by]
    )
    statement = select(key, count).select_from(schema.deviations)
    if by == "group" or query.group is not None:
        statement = statement.join(schema.instances, _instances.id == _deviations.instance, isouter=True)
    statement = statement.where(*_of_deviations(query, dialect))
    return statement if by is None else statement.group_by(key)


def worklist(query: WorkQuery, dialect: str) -> Query:
    """Select open work, the soonest due first; one more than the limit, to see whether there is more."""
    lapsed = and_(_work.assignee != "", func.coalesce(_ENDS[dialect](), NEVER) <= query.now_us)
    free = or_(_work.assignee == "", _work.assignee.startswith(ERASED), lapsed)
    statement = select(
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
    alternatives: list[ColumnElement[bool]] = []
    if query.roles is not None:
        of_roles = _work.role.in_(query.roles)
        alternatives.append(of_roles if query.assignee is None else and_(of_roles, free))
    if query.assignee is not None:
        alternatives.append(and_(_work.assignee == query.assignee, _work.assignee != "", not_(free)))
    if alternatives:
        statement = statement.where(or_(*alternatives))
    if query.procedure is not None:
        statement = statement.where(_instances.procedure == query.procedure)
    if query.due_before_us is not None:
        statement = statement.where(_work.due_us < query.due_before_us)
    order = (_work.due_us, _work.entered_us, _work.instance, _work.step)
    if query.after is not None:
        statement = statement.where(tuple_(*order) > _row(query.after))
    return _bounded(statement.order_by(*order), query.limit)


def mentioning(person: str, dialect: str) -> Query:
    """Select the instances whose journals hold a name, as JSON writes it."""
    text = orjson.dumps(person)
    position = (
        func.instr(_facts.body, text)
        if dialect == "sqlite"
        else func.strpos(func.encode(_facts.body, "escape"), func.encode(text, "escape"))
    )
    return select(_facts.instance).where(position > 0).distinct().order_by(_facts.instance)


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


def _bounded(statement: Query, limit: int | None) -> Query:
    return statement if limit is None else statement.limit(limit + 1)


def _row(cursor: Cursor) -> ColumnElement[Any]:
    return tuple_(*(literal(part) for part in cursor))


def _group_of(dialect: str) -> ColumnElement[Any]:
    """Return the recipient's group, read from the state of the instance."""
    if dialect == "sqlite":
        return func.json_extract(cast(_instances.state, Text), f"$[{_GROUP}]")
    read: ColumnElement[Any] = func.convert_from(_instances.state, "UTF8").cast(JSONB)[_GROUP].astext
    return read


def _ends_in_sqlite() -> ColumnElement[Any]:
    """Return the end of the delegation by which the assignee has a step; NULL when there is none."""
    path = literal(f'$[{_DEPUTIES}]."').concat(_work.step).concat('"[1]')
    return func.json_extract(cast(_instances.state, Text), path)


def _ends_in_postgresql() -> ColumnElement[Any]:
    read: ColumnElement[Any] = func.convert_from(_instances.state, "UTF8").cast(JSONB)
    return cast(read[_DEPUTIES][_work.step][1].astext, BigInteger)


_ENDS: Mapping[str, Callable[[], ColumnElement[Any]]] = {
    "sqlite": _ends_in_sqlite,
    "postgresql": _ends_in_postgresql,
}


def _equals_in_sqlite(path: Path, value: Value) -> ColumnElement[bool]:
    json_path = "".join(
        f"[{part}]" if isinstance(part, int) else f".{orjson.dumps(part).decode()}" for part in path
    )
    extracted = func.json_extract(cast(_instances.state, Text), f"${json_path}")
    if value is None:
        return extracted.is_(None)
    kind = func.json_type(cast(_instances.state, Text), f"${json_path}")
    # json_extract gives 1 for true
    return and_(extracted == value, kind.in_(("true", "false")) == isinstance(value, bool))


def _equals_in_postgresql(path: Path, value: Value) -> ColumnElement[bool]:
    extracted: ColumnElement[Any] = func.convert_from(_instances.state, "UTF8").cast(JSONB)
    for part in path:
        extracted = extracted[part]
    wanted = cast(literal(orjson.dumps(value).decode(), Text), JSONB)
    # a field that was never set is SQL's NULL, one that was cleared JSON's
    return or_(extracted.is_(None), extracted == wanted) if value is None else extracted == wanted


_EQUALS: Mapping[str, Callable[[Path, Value], ColumnElement[bool]]] = {
    "sqlite": _equals_in_sqlite,
    "postgresql": _equals_in_postgresql,
}
