"""Commands between an instance and the children that its steps run. The runtime gives them, each until it is done.

Each may be repeated: what is on record already leaves no fact.
"""

from __future__ import annotations

from svcflow.errors import FieldError
from svcflow.kernel.commands import CallOff, RecordChildEnd, RecordChildStart, RecordParentTold
from svcflow.kernel.facts import SYSTEM, CalledOff, ChildEnded, ChildStarted, ParentTold
from svcflow.kernel.lifecycle.children import owes_answer
from svcflow.kernel.refusals import Refusal
from svcflow.kernel.timing.elapse import go_on_after_children, settle_limits
from svcflow.kernel.transaction import Transaction
from svcflow.text import Text, cut


def record_child_start(transaction: Transaction, command: RecordChildStart) -> Refusal | None:
    """Record that a child which was requested has started. Raises: FieldError for one that was not."""
    child = transaction.draft.children.get(command.child)
    if child is None:
        raise _unknown_child(command.child)
    if child.state == "requested":
        transaction.record(
            ChildStarted, transaction.at_us, SYSTEM, child.step, command.child, command.version
        )
    return None


def record_child_end(transaction: Transaction, command: RecordChildEnd) -> Refusal | None:
    """Record that a child has ended, and move on by the trigger that its outcome fires. Raises: FieldError."""
    draft = transaction.draft
    child = draft.children.get(command.child)
    if child is None:
        raise _unknown_child(command.child)
    if child.state == "ended":
        return None
    # The end counts from when it happened, also where it is told late; but never before the last change here.
    at_us = min(max(command.ended_us, draft.revised_us, child.since_us), transaction.at_us)
    transaction.record(ChildEnded, at_us, SYSTEM, child.step, command.child, command.outcome)
    go_on_after_children(transaction, at_us)
    return None


def call_off(transaction: Transaction, command: CallOff) -> Refusal | None:  # noqa: ARG001  # the table's signature
    """End an instance whose parent has left the step that runs it."""
    if transaction.draft.status != "ended":
        before = transaction.draft.stopwatches
        transaction.record(CalledOff, transaction.at_us, SYSTEM)
        settle_limits(transaction, before, transaction.at_us, SYSTEM)
    return None


def record_parent_told(transaction: Transaction, command: RecordParentTold) -> Refusal | None:  # noqa: ARG001  # see call_off
    """Record that the parent knows of the end of this instance."""
    if owes_answer(transaction.draft):
        transaction.record(ParentTold, transaction.at_us, SYSTEM)
    return None


def _unknown_child(child: str) -> FieldError:
    return FieldError(
        Text(zh=f"{cut(child)} 不是本实例的子流程", en=f"{cut(child)!r} is no child of this instance"),
        Text(zh="用 svcflow verify 核对存储", en="check the store with `svcflow verify`"),
    )
