"""Defects put into a copy of the library one by one: the tests named with each have to see it.

Not run by pytest: `python tests/crash/seeded_defects.py [NAME ...]` from the root of the project takes some
minutes. A defect whose text is no longer in the library is an error too (test_seeded_defects.py sees it at once): put
it where the promise is kept now.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import attrs

ROOT = Path(__file__).parents[2]
FEW = {
    "SVCFLOW_HYPOTHESIS": "unshrunk",
    "SVCFLOW_MODEL_STEPS": "6000",
    "SVCFLOW_KILLS": "8",
    "SVCFLOW_RACES": "20",
    "SVCFLOW_FUZZ_SECONDS": "1",
}
MODEL = ("tests/property/test_engine_is_its_model.py", "-k", "memory")


@attrs.frozen
class Defect:
    """Replace a text of one module by another, wherever it stands there, and run some tests."""

    name: str
    module: str
    right: str
    wrong: str
    tests: tuple[str, ...]


DEFECTS = (
    Defect(
        "the expected revision is not looked at",
        "runtime/commands.py",
        "if self._expected is not None and self._expected != instance.revision:",
        "if False:",
        ("tests/contract/test_one_winner.py",),
    ),
    Defect(
        "commits are not synced",
        "store/sqlite/backend.py",
        "PRAGMA synchronous=FULL",
        "PRAGMA synchronous=OFF",
        ("tests/crash/test_fault_points.py", "-k", "exception"),
    ),
    Defect(
        "what failed is committed, not rolled back",
        "store/sqlite/group_commit.py",
        "self._connection.rollback()\n        self._process_lock",
        "self._connection.commit()\n        self._process_lock",
        ("tests/crash/test_fault_points.py", "-k", "exception"),
    ),
    Defect(
        "what is acknowledged is not committed",
        "store/sqlite/group_commit.py",
        '== began else "COMMIT")',
        '== began else "ROLLBACK")',
        ("tests/crash/test_kill.py",),
    ),
    Defect(
        "a writer begins as a reader",
        "store/sqlite/group_commit.py",
        'cursor.execute("BEGIN IMMEDIATE")',
        'cursor.execute("BEGIN")',
        ("tests/store/test_group_commit.py",),
    ),
    Defect(
        "an instance that another process changed is taken from memory",
        "store/sqlite/write_batch.py",
        "if version != self._data_version:",
        "if False:",
        ("tests/store/test_write_batch.py",),
    ),
    Defect(
        "a part that was undone is not done again",
        "store/sqlite/group_commit.py",
        "                request.alone = True\n                self._queue.appendleft(request)",
        "                request.finish()",
        ("tests/store/test_group_commit.py",),
    ),
    Defect(
        "a command id means nothing",
        "store/statements.py",
        "commands.c.command_id == bindparam",
        "commands.c.command_id != bindparam",
        ("tests/property/test_engine_is_its_model.py", "-k", "sqlite"),
    ),
    Defect(
        "a repeated command is done again",
        "runtime/commands.py",
        "        if locked.completed is not None:\n            return None\n        if self._expected",
        "        if self._expected",
        MODEL,
    ),
    Defect(
        "an entry is not linked to the one before it",
        "journal/chain.py",
        "sha256(previous + body)",
        "sha256(body)",
        ("tests/journal/test_every_tampering.py",),
    ),
    Defect(
        "the head of a journal is not compared",
        "journal/chain.py",
        "if previous != head:",
        "if False:",
        ("tests/journal/test_every_tampering.py",),
    ),
    Defect(
        "the root of the sealed tree is not compared",
        "journal/seal.py",
        "elif roots[checkpoint.size] != checkpoint.root:",
        "elif False:",
        ("tests/journal/test_every_tampering.py",),
    ),
    Defect(
        "persons stand in the journal",
        "journal/personal_data.py",
        "record[name] = self._commitment(person, person)",
        "self._commitment(person, person)",
        ("tests/contract/test_personal_data.py",),
    ),
    Defect(
        "a breach is recorded twice",
        "kernel/timing/elapse.py",
        "        _overdue(transaction, limit, watch, at_us)\n        return",
        "        _overdue(transaction, limit, watch, at_us)\n        _overdue(transaction, limit, watch, at_us)\n        return",
        MODEL,
    ),
    Defect(
        "met at the deadline is late",
        "kernel/timing/stopwatch.py",
        "_STRICTLY_AFTER = 1",
        "_STRICTLY_AFTER = 0",
        MODEL,
    ),
    Defect(
        "a deadline is a microsecond late",
        "kernel/timing/due.py",
        "return NEVER if open_us == STOPPED else open_us + reach",
        "return NEVER if open_us == STOPPED else open_us + reach + 1",
        MODEL,
    ),
    Defect(
        "holds stop no clock", "kernel/evolve.py", "return limit.stoppable and", "return False and", MODEL
    ),
    Defect(
        "work that comes back gains time",
        "kernel/evolve.py",
        "restart and limit.restarts\n",
        "True\n",
        MODEL,
    ),
    Defect(
        "not_by bars nobody",
        "kernel/moves/authorization.py",
        "if _performed(draft, not_by, persons) or any(",
        "if False and any(",
        MODEL,
    ),
    Defect(
        "who has a step does not matter",
        "kernel/moves/authorization.py",
        "if not assignee or",
        "if True or",
        ("tests/kernel/test_kernel_assignment.py",),
    ),
    Defect(
        "what a tick recorded it does not tell",
        "store/memory/store.py",
        "if self._is_current(timer) and not is_double:",
        "if self._is_current(timer):",
        ("tests/contract/test_engine_contract.py",),
    ),
    Defect(
        "a lease keeps nobody out",
        "store/feed.py",
        "free = or_(subscriptions.owner == nothing, subscriptions.lease_until_us <= bindparam",
        "free = or_(subscriptions.owner != nothing, subscriptions.lease_until_us <= bindparam",
        ("tests/contract/test_feed_contract.py",),
    ),
    Defect(
        "a guard fails in more ways than one",
        "model/guard.py",
        "        except Exception as error:\n            why",
        "        except ValueError as error:\n            why",
        ("tests/property/test_hostile_input.py", "-k", "guard"),
    ),
    Defect(
        "a guard does not see the data of the command",
        "kernel/moves/rules.py",
        "{**guard_data(compiled, draft), **data} if data else guard_data",
        "guard_data",
        ("tests/kernel/test_data_with_the_move.py",),
    ),
    Defect(
        "what stood there before meets what a move requires",
        "kernel/moves/rules.py",
        "came = command.evidence\n",
        "came = {*command.evidence, *transaction.draft.data}\n",
        ("tests/kernel/test_kernel_rules.py",),
    ),
    Defect(
        "who has no name has a role",
        "kernel/moves/authorization.py",
        "role not in actor.roles or is_blank(actor.id)",
        "role not in actor.roles",
        ("tests/kernel/test_kernel_unnamed_actors.py",),
    ),
    Defect(
        "work is not held against the journal",
        "runtime/integrity/projections.py",
        "    WORK: lambda expected: work_of(expected.compiled, expected.instance),\n",
        "",
        ("tests/contract/test_every_column.py",),
    ),
    Defect(
        "a minimum is a deadline of work",
        "kernel/lifecycle/work_items.py",
        "if concerns and not is_never_owed(limit, limit.rows[watch.row]):",
        "if concerns:",
        ("tests/contract/test_worklist.py",),
    ),
)


def tried(folder: Path, tests: tuple[str, ...], *expected: int) -> int:
    """Run tests on the copy; return pytest's exit code, 1 when a test failed, and say what was not expected."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n0", "-m", "", "-p", "no:cacheprovider", *tests]
    found = os.environ | FEW | {"PYTHONPATH": str(folder / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=folder, env=found, capture_output=True, text=True, timeout=900, check=False
    )
    if done.returncode not in expected:
        print(done.stdout[-2_000:], done.stderr[-2_000:])
    return done.returncode


def seen(folder: Path, defect: Defect) -> bool:
    """Put the defect in, see whether the tests fail, and take it out again."""
    module = folder / "src" / "svcflow" / defect.module
    text = module.read_text(encoding="utf-8")
    if defect.right not in text:
        raise LookupError(f"{defect.name}: {defect.module} has no {defect.right!r} any more")
    module.write_text(text.replace(defect.right, defect.wrong), encoding="utf-8")
    try:
        return tried(folder, defect.tests, 0, 1) == 1
    finally:
        module.write_text(text, encoding="utf-8")


def main() -> int:
    chosen = [one for one in DEFECTS if not sys.argv[1:] or one.name in sys.argv[1:]]
    missed = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("src", "tests", "procedures", "docs"):
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", folder)
        for tests in dict.fromkeys(one.tests for one in chosen):
            assert tried(folder, tests, 0) == 0, f"{tests} fail without a defect"
        for defect in chosen:
            begun = time.monotonic()
            caught = seen(folder, defect)
            print(
                f"{'caught' if caught else 'MISSED'} in {time.monotonic() - begun:5.1f} s  {defect.name}",
                flush=True,
            )
            missed += [] if caught else [defect.name]
    print(f"{len(chosen) - len(missed)} of {len(chosen)} defects were caught")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
