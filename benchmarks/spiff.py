"""SpiffWorkflow at its best in a database: one process of user tasks in a row, and what keeps it in SQLite.

It knows nothing of svcflow and measures nothing: benchmarks/peers.py does.
"""

from __future__ import annotations

import copyreg
import io
import pickle
import sqlite3
from collections.abc import Callable, Sequence
from itertools import pairwise
from threading import Lock, local
from typing import Any

from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.serializer.workflow import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

Write, Read = Callable[[BpmnWorkflow], str | bytes], Callable[[str | bytes], BpmnWorkflow]
BPMN = '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="peers">{}</definitions>'


def process(tasks: Sequence[str]) -> Any:
    """Return the specification of a BPMN process of some user tasks in a row."""
    nodes = ["begin", *tasks, "end"]
    flows = [
        f'<sequenceFlow id="to_{there}" sourceRef="{here}" targetRef="{there}"/>'
        for here, there in pairwise(nodes)
    ]
    listed = "".join(f'<userTask id="{task}" name="{task}"/>' for task in tasks)
    body = f'<startEvent id="begin"/>{listed}<endEvent id="end"/>{"".join(flows)}'
    parser = BpmnParser()
    parser.add_bpmn_str(BPMN.format(f'<process id="peer" isExecutable="true">{body}</process>').encode())
    return parser.get_spec("peer")


class Desk:
    """Do whole cases of a process, and keep the workflow after its start and after each of its tasks."""

    def __init__(self, file: sqlite3.Connection, spec: Any, write: Write, read: Read | None) -> None:
        """`read` takes it up from the database before each task; without, it stays in memory meanwhile."""
        self._file, self._lock = file, Lock()
        self._spec, self._write, self._read = spec, write, read
        self._numbers = iter(range(1, 10**9))
        file.execute("CREATE TABLE workflows (id INTEGER PRIMARY KEY, state BLOB)")

    def case(self) -> None:
        workflow, number = BpmnWorkflow(self._spec), next(self._numbers)
        workflow.do_engine_steps()
        self._keep(number, workflow)
        while not workflow.completed:
            if self._read is not None:
                workflow = self._read(self._kept(number))
            workflow.get_next_task(state=TaskState.READY, manual=True).run()
            workflow.do_engine_steps()
            self._keep(number, workflow)

    def _keep(self, number: int, workflow: BpmnWorkflow) -> None:
        state = self._write(workflow)
        with self._lock:  # a statement is a transaction; threads that share a file take turns anyway
            self._file.execute(
                "INSERT INTO workflows VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state",
                (number, state),
            )

    def _kept(self, number: int) -> str | bytes:
        with self._lock:
            row = self._file.execute("SELECT state FROM workflows WHERE id = ?", (number,)).fetchone()
        return row[0]  # type: ignore[no-any-return]


def as_json() -> tuple[Write, Read]:
    """Write and read a workflow in the JSON that comes with SpiffWorkflow."""
    mine = local()  # a serializer notes in itself that it is writing, so that threads cannot share one

    def serializer() -> BpmnWorkflowSerializer:
        if not hasattr(mine, "serializer"):
            mine.serializer = BpmnWorkflowSerializer()
        return mine.serializer

    return lambda workflow: serializer().serialize_json(
        workflow
    ), lambda state: serializer().deserialize_json(state)


def as_pickle(spec: Any) -> tuple[Write, Read]:
    """Write and read a workflow as a pickle without its specification: that is most of it, and never changes."""
    _PARTS.update({None: spec, **spec.task_specs})
    names = {id(part): name for name, part in _PARTS.items()}
    table = copyreg.dispatch_table | {
        type(part): lambda part: (_part, (names[id(part)],)) for part in _PARTS.values()
    }

    def write(workflow: BpmnWorkflow) -> bytes:
        pickled = io.BytesIO()
        pickler = pickle.Pickler(pickled, pickle.HIGHEST_PROTOCOL)
        pickler.dispatch_table = table
        pickler.dump(workflow)
        return pickled.getvalue()

    return write, pickle.loads


_PARTS: dict[str | None, Any] = {}
"""What the pickles refer to by its name."""


def _part(name: str | None) -> Any:
    return _PARTS[name]
