"""Narrowing: the options that narrow a list down, and their names held against the catalog.

A name misspelt would list nothing, and nobody would notice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from svcflow.bounds import LAST_US
from svcflow.cli.command import option
from svcflow.cli.failure import WrongUsage, unknown
from svcflow.cli.values import ELAPSED, INSTANT, PAIR, Pair, typed
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.model.catalog import Catalog
    from svcflow.model.field import Value

__all__ = [
    "data_of",
    "due_before",
    "due_soon",
    "in_span",
    "of_data",
    "of_group",
    "of_procedure",
    "of_role",
    "of_step",
    "see_known",
]

of_procedure = option(
    "--procedure", metavar="ID", wording=Text(zh="只列此流程", en="Only of this procedure.")
)
of_step = option("--step", metavar="STEP", wording=Text(zh="只列此环节", en="Only of this step."))
of_role = option("--role", metavar="ROLE", wording=Text(zh="只列此岗位", en="Only of this role."))
of_group = option(
    "--group",
    type=click.Choice(["leaders", "staff", "retirees", "logistics"]),
    wording=Text(zh="只列此类服务对象", en="Only for recipients of this group."),
)
of_data = option(
    "--data",
    "-d",
    "pairs",
    type=PAIR,
    multiple=True,
    metavar="KEY=VALUE",
    wording=Text(
        zh="只列字段为此值的，可多次给出；须连同 --procedure",
        en="Only where a field has this value; may be repeated; wants --procedure.",
    ),
)
_overdue = option(
    "--overdue", is_flag=True, wording=Text(zh="只列此刻已超期的", en="Only what is overdue now.")
)
_due_within = option(
    "--due-within",
    "within",
    type=ELAPSED,
    metavar="TIME",
    wording=Text(
        zh="只列在此实际时间内到期的（如 2h），含已超期的",
        en="Only what is due within this elapsed time (2h), what is overdue included.",
    ),
)
_since = option("--since", type=INSTANT, wording=Text(zh="自此时刻起", en="From this instant on."))
_until = option("--until", type=INSTANT, wording=Text(zh="到此时刻前", en="Before this instant."))


def in_span(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--since` and `--until`."""
    return _since(_until(function))


def due_soon(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--overdue` and `--due-within`."""
    return _overdue(_due_within(function))


def due_before(now: datetime, overdue: bool, within: timedelta | None) -> datetime | None:  # noqa: FBT001  # as the options come
    """Return before which instant a deadline asked for is: now for what is overdue, None for any.

    Raises: WrongUsage when both options are given.
    """
    from svcflow.kernel.facts import to_datetime

    if overdue and within is not None:
        raise WrongUsage(
            Text(zh="--overdue 与 --due-within 只能取一", en="--overdue and --due-within exclude each other"),
            Text(zh="--due-within 包括已超期的", en="--due-within includes what is overdue"),
        )
    if overdue:
        return now
    last = to_datetime(
        LAST_US
    )  # nothing that is asked for lies past the bounds, and near their end neither do we
    return None if within is None else now + min(within, last - now)


def see_known(
    catalog: Catalog, *, procedure: str | None = None, step: str | None = None, role: str | None = None
) -> None:
    """See that a procedure, and a step or role of it or of any, is declared. Raises: UnknownProcedure, WrongUsage."""
    if procedure is not None:
        catalog[procedure]
    found = [one for one in catalog.procedures.values() if procedure in (None, one.id)]
    steps = sorted({name for one in found for name in one.all_steps})
    roles = sorted({name for one in found for name in one.roles})
    if step is not None and step not in steps:
        raise unknown(Text(zh="环节", en="step"), step, steps)
    if role is not None and role not in roles:
        raise unknown(Text(zh="岗位", en="role"), role, roles)


def data_of(catalog: Catalog, procedure: str | None, pairs: Sequence[Pair]) -> Mapping[str, Value]:
    """Return the values that fields of a procedure shall have. Raises: UnknownProcedure, WrongUsage, FieldError."""
    if not pairs:
        return {}
    if procedure is None:
        raise WrongUsage(
            Text(zh="没有指明是哪个流程的字段", en="it is not said whose fields these are"),
            Text(zh="加 --procedure", en="give --procedure too"),
        )
    fields = catalog[procedure].fields
    strange = next((name for name, _ in pairs if name not in fields), None)
    if strange is not None:
        raise unknown(Text(zh="字段", en="field"), strange, fields)
    return {name: fields[name].accept(value) for name, value in typed(pairs, fields).items()}
