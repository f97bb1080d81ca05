"""Lists of instances, work and deviations: their filters, pages and counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from svcflow.bounds import LAST_US
from svcflow.cli.errors import WrongUsage, unknown
from svcflow.cli.output import paragraphs
from svcflow.cli.values import Pair, typed
from svcflow.text import Text
from svcflow.text_table import table

if TYPE_CHECKING:
    from svcflow.cli.names import NamesOf
    from svcflow.cli.session import CommandSession
    from svcflow.model.catalog import Catalog
    from svcflow.model.field import Value
    from svcflow.model.procedure import Procedure, Role
    from svcflow.model.step import Step
    from svcflow.runtime.engine import Engine
    from svcflow.runtime.filters import Page

__all__ = ["answer_count", "answer_counts", "answer_page", "check_known", "data_filter_values", "due_before"]

_HEADS: Mapping[str, Text] = {
    "procedure": Text(zh="流程", en="Procedure"),
    "status": Text(zh="状态", en="Status"),
    "kind": Text(zh="种类", en="Kind"),
    "step": Text(zh="环节", en="Step"),
    "role": Text(zh="岗位", en="Role"),
    "group": Text(zh="服务对象", en="Group"),
}
_COUNT, _NAME = Text(zh="数量", en="Count"), Text(zh="名称", en="Name")
_NOTHING = Text(zh="没有可计数的", en="nothing to count")


def check_known(
    catalog: Catalog, *, procedure: str | None = None, step: str | None = None, role: str | None = None
) -> None:
    """Check that a procedure, and a step or role of it or of any, is declared.

    Raises: UnknownProcedure, WrongUsage.
    """
    if procedure is not None:
        catalog[procedure]
    declared = _procedures(catalog, procedure)
    steps = sorted({name for each in declared for name in each.all_steps})
    roles = sorted({name for each in declared for name in each.roles})
    if step is not None and step not in steps:
        raise unknown(Text(zh="环节", en="step"), step, steps)
    if role is not None and role not in roles:
        raise unknown(Text(zh="岗位", en="role"), role, roles)


def due_before(engine: Engine, *, overdue: bool, within: timedelta | None) -> datetime | None:
    """Return the instant before which a deadline falls: now for `overdue`; None for any deadline.

    Raises: WrongUsage when both are given.
    """
    from svcflow.kernel.facts import to_datetime

    if overdue and within is not None:
        raise WrongUsage(
            Text(zh="--overdue 与 --due-within 只能取一", en="--overdue and --due-within exclude each other"),
            Text(zh="--due-within 包括已超期的", en="--due-within includes what is overdue"),
        )
    now = to_datetime(engine.clock.now_us())
    if overdue:
        return now
    # `now + within` may lie past the last instant that svcflow knows, where no deadline lies.
    return None if within is None else now + min(within, to_datetime(LAST_US) - now)


def data_filter_values(catalog: Catalog, procedure: str | None, pairs: Sequence[Pair]) -> Mapping[str, Value]:
    """Return the values that fields of a procedure have to have.

    Raises: UnknownProcedure, FieldError; WrongUsage for an unknown field, or without a procedure.
    """
    if not pairs:
        return {}
    if procedure is None:
        raise WrongUsage(
            Text(zh="没有指明是哪个流程的字段", en="it is not said whose fields these are"),
            Text(zh="加 --procedure", en="give --procedure too"),
        )
    fields = catalog[procedure].fields
    undeclared = next((name for name, _ in pairs if name not in fields), None)
    if undeclared is not None:
        raise unknown(Text(zh="字段", en="field"), undeclared, fields)
    return {name: fields[name].accept(value) for name, value in typed(pairs, fields).items()}


def answer_page(
    session: CommandSession,
    engine: Engine,
    page: Page[Any],
    *,
    key: str,
    to_json: Callable[[Any], object],
    to_table: Callable[[NamesOf], str],
    nothing: Text,
) -> None:
    """Answer with a page of a list, and what to add for the next one; the text of an empty page is `nothing`."""
    from svcflow.cli.names import names_in, versions_of

    def text() -> str:
        if not page:
            return nothing.in_(session.lang)
        lines = to_table(names_in(engine, versions_of(page), session.lang))
        more = Text(zh=f"未完；下一页加 --after {page.after}", en=f"There are more: add --after {page.after}")
        return lines if page.after is None else paragraphs((lines, more.in_(session.lang)))

    session.answer(lambda: {key: [to_json(entry) for entry in page], "after": page.after}, text)


def answer_count(session: CommandSession, count: int) -> None:
    """Answer with a number."""
    session.answer(lambda: {"count": count}, lambda: str(count))


def answer_counts(
    session: CommandSession, by: str, counts: Mapping[str, int], catalog: Catalog, procedure: str | None
) -> None:
    """Answer with the number of each key, and its name."""

    def text() -> str:
        names = {key: name.in_(session.lang) for key, name in _key_names(by, catalog, procedure).items()}
        rows = [
            (key or "—", "" if names.get(key) == key else names.get(key, ""), str(count))
            for key, count in counts.items()
        ]
        heads = [head.in_(session.lang) for head in (_HEADS[by], _NAME, _COUNT)]
        return table(heads, rows, right=heads[-1:]) if rows else _NOTHING.in_(session.lang)

    session.answer(lambda: {"counts": dict(counts)}, text)


def _key_names(by: str, catalog: Catalog, procedure: str | None) -> Mapping[str, Text]:
    from svcflow.wording import DEVIATION_STATUSES, DEVIATIONS, GROUPS, STATUSES

    if by == "procedure":
        return {each.id: each.name for each in catalog}
    if by == "status":
        return {**STATUSES, **DEVIATION_STATUSES}
    if by == "kind":
        return DEVIATIONS
    if by == "group":
        return GROUPS
    declared = _procedures(catalog, procedure)
    return _names_of_all((each.all_steps if by == "step" else each.roles) for each in declared)


def _procedures(catalog: Catalog, procedure: str | None) -> list[Procedure]:
    """Return all versions of a procedure, or of all procedures."""
    return [each for each in catalog.procedures.values() if procedure in (None, each.id)]


def _names_of_all(declared: Iterable[Mapping[str, Step | Role]]) -> Mapping[str, Text]:
    """Return the name of each id; where procedures give it several names, all of them."""
    names: dict[str, dict[Text, None]] = {}
    for steps_or_roles in declared:
        for key, each in steps_or_roles.items():
            names.setdefault(key, {})[each.name] = None
    return {
        key: Text(
            zh=" / ".join(dict.fromkeys(text.in_("zh") for text in texts if text)),
            en=" / ".join(dict.fromkeys(text.in_("en") for text in texts if text)),
        )
        for key, texts in names.items()
    }
