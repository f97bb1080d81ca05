"""Completeness of a declaration: roles, limits, names, sources, caps."""

from __future__ import annotations

from collections.abc import Iterator

from svcflow.checks.findings import Finding, finding
from svcflow.checks.locations import Scope, row_groups, scopes
from svcflow.checks.path_weights import limit_path
from svcflow.errors import Path
from svcflow.model.limit import TimeLimit
from svcflow.model.limit_locations import instant_places, limit_places, step_places
from svcflow.model.procedure import Procedure, StartRule
from svcflow.model.step import DONE, Step
from svcflow.text import Text, is_blank

__all__ = ["completeness"]

_SOURCE = Text(
    zh="加 source: 并在 sources 中登记出处；自拟的写 source: proposal",
    en="add source: and list it under sources; for a figure of your own write source: proposal",
)


def completeness(procedure: Procedure) -> Iterator[Finding]:
    """Yield steps without role, limit or cap, names in one language only, numbers without a source."""
    covered = _covered(procedure)
    for scope in scopes(procedure):
        for step in scope.steps:
            yield from _step(scope, step, covered)
    yield from _holds(procedure)
    yield from _names(procedure)
    yield from _sources(procedure)


def _step(scope: Scope, step: Step, covered: set[str]) -> Iterator[Finding]:
    # A step that waits needs no role: `waits` says for whom. A parallel step has its branches' roles and limits.
    path = scope.path_of(step)
    if step.waits is not None and step.at_most is None and step.then is None:
        yield finding(
            "wait-without-cap",
            path,
            Text(zh=f"{step.id} 的等待没有最长时间", en=f"{step.id} may wait for ever"),
            Text(zh="加 at_most，例如 at_most: 5wd", en="add at_most, for example at_most: 5wd"),
        )
    if step.end is not None or step.parallel or step.waits is not None:
        return
    fired = step.then.fire if step.then is not None else None  # nobody has to do what the step does by itself
    by_people = [move for move in step.to if move.trigger != fired]
    if step.role is None and not (step.to and all(move.role for move in by_people)):
        yield finding(
            "step-without-role",
            path,
            Text(zh=f"{step.id} 没有责任岗位", en=f"{step.id} has no role"),
            Text(zh="加 role: 并在 roles 中登记", en="add role: and list it under roles"),
        )
    if not _is_timed(scope, step, covered):
        yield finding(
            "step-without-limit",
            path,
            Text(
                zh=f"{step.id} 没有时限，也不在任何区段时限之内",
                en=f"{step.id} has no limit and lies in no span",
            ),
            Text(zh="加 within，例如 within: 1wd", en="add within, for example within: 1wd"),
        )


def _is_timed(scope: Scope, step: Step, covered: set[str]) -> bool:
    """Return whether time runs over a step: its own limit or automatic move, a span, or that of the parallel step around it."""
    if step.within is not None or step.then is not None or step.id in covered:
        return True
    return (
        scope.parent is not None and scope.outer is not None and _is_timed(scope.outer, scope.parent, covered)
    )


def _covered(procedure: Procedure) -> set[str]:
    """Return the steps timed by a limit declared apart or by a span.

    The whole limit times no step, nor does a span that owes nothing until its end is reached.
    """
    covered = {limit.step for limit in procedure.limits if limit.step is not None}
    for limit in procedure.limits:
        times = limit.scope == "span" and not limit.if_reached
        over = limit_path(procedure, limit) if times else None
        if over is not None:
            covered |= over.covered()
    return covered


def _holds(procedure: Procedure) -> Iterator[Finding]:
    for rule in procedure.holds:
        if rule.at_most is None:
            yield finding(
                "wait-without-cap",
                ("holds", rule.reason),
                Text(
                    zh=f"因 {rule.reason} 的暂停没有最长时间",
                    en=f"a hold for {rule.reason} may last for ever",
                ),
                Text(zh="加 at_most，例如 at_most: 10wd", en="add at_most, for example at_most: 10wd"),
            )


def _names(procedure: Procedure) -> Iterator[Finding]:
    # Procedure, steps, roles and triggers are drawn and listed in both languages; the rest may go without a name.
    yield from _named(procedure.name, ("name",), must=True)
    for key, text in (("owner", procedure.owner), ("purpose", procedure.purpose)):
        yield from _named(text, (key,), must=False)
    for role in procedure.roles.values():
        yield from _named(role.name, ("roles", role.id), must=True)
    for scope in scopes(procedure):
        yield from _names_in(scope)
    if procedure.start is not None:
        yield from _named(procedure.start.name, ("start", "name"), must=True)
    for field in procedure.fields.values():
        yield from _named(field.name, ("fields", field.id, "name"), must=False)
        for value, name in field.choices.items():
            yield from _named(name, ("fields", field.id, "choices", value), must=False)
    for place, limit in enumerate(procedure.limits):
        yield from _named(limit.name, ("limits", place, "name"), must=False)
    for indicator in procedure.indicators.values():
        yield from _named(indicator.name, ("indicators", indicator.id, "name"), must=False)


def _names_in(scope: Scope) -> Iterator[Finding]:
    for step in scope.steps:
        yield from _named(step.name, (*scope.path_of(step), "name"), must=True)
        for branch in step.parallel:
            yield from _named(branch.name, (*scope.path_of(step), "parallel", branch.id, "name"), must=False)
    for rows in row_groups(scope):
        fired = not (rows.trigger == DONE and rows.step.parallel)  # the kernel fires that, nobody reads it
        for number, move in enumerate(rows.moves):
            yield from _named(move.name, (*rows.path_of(number), "name"), must=fired)


def _named(text: Text, path: Path, *, must: bool) -> Iterator[Finding]:
    lacking = [lang for lang, words in (("zh", text.zh), ("en", text.en)) if is_blank(words)]
    if not lacking or (len(lacking) == 2 and not must):
        return
    languages = {"zh": Text(zh="中文", en="Chinese"), "en": Text(zh="英文", en="English")}
    yield finding(
        "name-missing",
        path,
        Text(
            zh=f"缺少{'和'.join(languages[lang].zh for lang in lacking)}名称",
            en=f"the name in {' and '.join(languages[lang].en for lang in lacking)} is missing",
        ),
        Text(zh="写 {zh: …, en: …}", en="write {zh: …, en: …}"),
    )


def _sources(procedure: Procedure) -> Iterator[Finding]:
    yield from _notice_source(procedure.start)
    for path, limit in limit_places(procedure):
        yield from _limit_sources(limit, path)
    for path, step in step_places(procedure.steps, ("steps",)):
        for where, row in instant_places(step, path):
            if not (row.source or (step.then and step.then.source)):
                amount = row.after or (row.at.amount if row.at is not None else None)
                if amount is not None:
                    yield _unsourced(str(amount), where)
    for parameter in procedure.parameters.values():
        if not parameter.source:
            yield _unsourced(str(parameter.value), ("parameters", parameter.id))
    for indicator in procedure.indicators.values():
        if indicator.target is not None and not indicator.source:
            yield _unsourced(indicator.target, ("indicators", indicator.id))


def _notice_source(rule: StartRule | None) -> Iterator[Finding]:
    if rule is not None and rule.before is not None and not rule.source:
        yield _unsourced(str(rule.before), ("start", "before"))


def _limit_sources(limit: TimeLimit, path: Path) -> Iterator[Finding]:
    if limit.source:
        return
    if not limit.match:
        yield _unsourced(str(limit.rows[0].target), path)
    for place, row in enumerate(limit.match):
        if row.target is not None and not row.source:
            yield _unsourced(str(row.target), (*path, "match", place))


def _unsourced(number: str, path: Path) -> Finding:
    message = Text(zh=f"{number} 没有注明来源", en=f"{number} does not say where it comes from")
    return finding("number-unsourced", path, message, _SOURCE)
