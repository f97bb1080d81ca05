"""Steps and the transitions between them, as declared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import attrs

from svcflow.bounds import count
from svcflow.model.amount import Amount
from svcflow.model.automatic_move import AutomaticMove
from svcflow.model.guard import Guard
from svcflow.model.limit import TimeLimit, optional_amount, optional_guard, wait_limit
from svcflow.model.subprocedure import SubProcedure
from svcflow.text import NO_TEXT, Text

Enforcement = Literal["refuse", "record"]
HoldReason = Literal["recipient", "third_party", "statutory"]
DONE = "done"
"""The trigger that the kernel fires when all branches of a parallel step have ended."""
LIKE = "like"
"""Key among the transitions of a document that names those which several steps share; no trigger is called so."""
SUCCESSES = frozenset(("completed", "done"))
"""Outcomes of the ends at which a procedure has served its purpose; any other outcome is another way out."""
HOLD_REASONS: tuple[HoldReason, ...] = ("recipient", "third_party", "statutory")
TransitionKind = Literal["normal", "exception", "rework"]
TRANSITION_KINDS: tuple[TransitionKind, ...] = ("normal", "exception", "rework")
ENFORCEMENTS: tuple[Enforcement, ...] = ("refuse", "record")


class StepNames(tuple[str, ...]):
    """Ids of steps; a document may write a single one without brackets."""

    __slots__ = ()


def _step_names(written: str | Iterable[str] | None) -> StepNames:
    if written is None:
        return StepNames()
    return StepNames((written,) if isinstance(written, str) else written)


@attrs.frozen
class Enforce:
    """What a breach of each rule does: `refuse` the command, or let it through and `record` it."""

    role: Enforcement = attrs.field(default="refuse", validator=attrs.validators.in_(ENFORCEMENTS))
    evidence: Enforcement = attrs.field(default="record", validator=attrs.validators.in_(ENFORCEMENTS))
    requires: Enforcement = attrs.field(default="refuse", validator=attrs.validators.in_(ENFORCEMENTS))
    order: Enforcement = attrs.field(default="refuse", validator=attrs.validators.in_(ENFORCEMENTS))
    guard: Enforcement = attrs.field(default="refuse", validator=attrs.validators.in_(ENFORCEMENTS))
    rework: Enforcement = attrs.field(default="record", validator=attrs.validators.in_(ENFORCEMENTS))
    settled: Enforcement = attrs.field(default="refuse", validator=attrs.validators.in_(ENFORCEMENTS))
    qualification: Enforcement = attrs.field(default="refuse", validator=attrs.validators.in_(ENFORCEMENTS))
    start: Enforcement = attrs.field(default="record", validator=attrs.validators.in_(ENFORCEMENTS))


ENFORCE = Enforce()
RECORD_ALL = Enforce("record", "record", "record", "record", "record", "record", "record", "record", "record")


@attrs.frozen
class Otherwise:
    """Last row of a trigger, where no guard is true: the trigger is refused, by the rule of this name."""

    otherwise: Literal["refuse"] = attrs.field(validator=attrs.validators.in_(("refuse",)))
    name: Text = attrs.field(default=NO_TEXT, kw_only=True)


@attrs.frozen
class Transition:
    """Named move to another step.

    `requires` names fields or evidence that must come with it; `at_most` bounds how often it may happen in
    one instance; `clock` says whether limits of the step entered go on or start anew. Several transitions of
    one trigger are rows: the first whose `when` is true is taken. `otherwise` of the last row says that the trigger
    means to be refused when none is.
    """

    trigger: str
    step: str
    name: Text = attrs.field(default=NO_TEXT, kw_only=True)
    when: Guard | None = attrs.field(default=None, converter=optional_guard, kw_only=True)
    kind: TransitionKind = attrs.field(
        default="normal", validator=attrs.validators.in_(TRANSITION_KINDS), kw_only=True
    )
    requires: tuple[str, ...] = attrs.field(default=(), converter=tuple, kw_only=True)
    role: str | None = attrs.field(default=None, kw_only=True)
    clock: Literal["continue", "restart"] = attrs.field(
        default="continue", validator=attrs.validators.in_(("continue", "restart")), kw_only=True
    )
    at_most: int | None = attrs.field(default=None, validator=count(0), kw_only=True)
    enforce: Mapping[str, Enforcement] = attrs.field(factory=dict, kw_only=True)
    otherwise: Otherwise | None = attrs.field(default=None, kw_only=True)


def _by_trigger(moves: Iterable[Transition]) -> tuple[Transition, ...]:
    """Return the moves with the rows of one trigger together, as a document writes them; their order decides."""
    rows: dict[str, list[Transition]] = {}
    for move in moves:
        rows.setdefault(move.trigger, []).append(move)
    return tuple(move for together in rows.values() for move in together)


def _limit(written: object) -> TimeLimit | None:
    if written is None or isinstance(written, TimeLimit):
        return written
    return TimeLimit(within=written)


@attrs.frozen
class Step:
    """State of the procedure.

    A step with `end` closes the instance (or its branch); one with `waits` stops the clocks that may stop,
    for at most `at_most`; one with `parallel` is left when all of its branches have ended, by `done`; one with
    `then` moves on by itself at its instant; one with `runs` runs another procedure meanwhile, whose end may move
    it on. Who did a step of `not_by` may not do this one, nor who does not hold the certificate
    `qualified`.
    """

    id: str
    name: Text = attrs.field(default=NO_TEXT, kw_only=True)
    role: str | None = attrs.field(default=None, kw_only=True)
    within: TimeLimit | None = attrs.field(default=None, converter=_limit, kw_only=True)
    on_overdue: str | None = attrs.field(default=None, kw_only=True)
    then: AutomaticMove | None = attrs.field(default=None, kw_only=True)
    evidence: tuple[str, ...] = attrs.field(default=(), converter=tuple, kw_only=True)
    waits: HoldReason | None = attrs.field(
        default=None, validator=attrs.validators.in_((*HOLD_REASONS, None)), kw_only=True
    )
    at_most: Amount | None = attrs.field(default=None, converter=optional_amount, kw_only=True)
    not_by: StepNames = attrs.field(default=StepNames(), converter=_step_names, kw_only=True)
    qualified: str | None = attrs.field(default=None, kw_only=True)
    parallel: tuple[Branch, ...] = attrs.field(default=(), converter=tuple, kw_only=True)
    runs: SubProcedure | None = attrs.field(default=None, kw_only=True)
    to: tuple[Transition, ...] = attrs.field(default=(), converter=_by_trigger, kw_only=True)
    end: str | None = attrs.field(default=None, kw_only=True)

    @property
    def succeeds(self) -> bool:
        """Whether the step ends the procedure, or its branch, as intended."""
        return self.end in SUCCESSES

    @property
    def time_limits(self) -> tuple[TimeLimit, ...]:
        """The step's own limits, with their ids: `<step>` for `within`, that of `wait_limit` for `at_most`."""
        limits = []
        if self.within is not None:
            limits.append(
                attrs.evolve(
                    self.within,
                    id=self.within.id or self.id,
                    step=self.id,
                    name=self.within.name or self.name,
                    on_overdue=self.within.on_overdue or self.on_overdue,
                )
            )
        if self.at_most is not None:
            overdue = None if self.within else self.on_overdue
            name = _waiting(self.name) if self.within else self.name
            limits.append(
                TimeLimit(
                    id=wait_limit(self.id),
                    step=self.id,
                    name=name,
                    within=self.at_most,
                    stoppable=False,
                    on_overdue=overdue,
                )
            )
        return tuple(limits)

    @property
    def timer(self) -> TimeLimit | None:
        """Timer of the automatic move `then`; None without one."""
        return None if self.then is None else self.then.timer(self.id, self.name)


def _waiting(name: Text) -> Text:
    """Return the name of the limit over a step's waiting, beside a limit over the step that has its name."""
    return Text(zh=name.zh and f"{name.zh}（等待）", en=name.en and f"{name.en} (waiting)")


def rows_by_trigger(step: Step) -> dict[str, list[Transition]]:
    """Return the transitions of a step by their triggers, in declared order."""
    rows: dict[str, list[Transition]] = {}
    for move in step.to:
        rows.setdefault(move.trigger, []).append(move)
    return rows


@attrs.frozen
class Branch:
    """Branch of a parallel step: a small machine of its own, starting at its first step."""

    id: str
    steps: tuple[Step, ...] = attrs.field(converter=tuple)
    name: Text = attrs.field(default=NO_TEXT, kw_only=True)


def walk(steps: Iterable[Step]) -> Iterator[Step]:
    """Yield every step, those inside branches after their parallel step."""
    for step in steps:
        yield step
        for branch in step.parallel:
            yield from walk(branch.steps)
