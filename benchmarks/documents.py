"""Documents: the time of reading, building and making ready, in multiples of the YAML reader's own event parse.

Each line is one document. `events` is the bare event parse of the same text by the same reader in the same process; what
follows it is in multiples of that: `read` (text to data with places), `load` (to a procedure or its mistakes) and
`ready` (the procedure made ready to run). CPU time, the best of three.

    python benchmarks/documents.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ruamel.yaml import YAML

from svcflow.errors import DeclarationError
from svcflow.kernel.compiled import compile_procedure
from svcflow.model.procedure import Procedure
from svcflow.model.yaml.document import parse_document
from svcflow.model.yaml.parse import structure_procedure
from svcflow.worktime import shipped_calendar

SIZES = (100, 1_000, 2_000)
TAIL = "  s{0}: {{end: completed}}\n"


def short(count: int) -> str:
    """Return steps of one line."""
    steps = "".join(f"  s{n}: {{to: {{go: s{n + 1}}}}}\n" for n in range(count - 1))
    return f"procedure: p\nsteps:\n{steps}{TAIL.format(count - 1)}"


def usual(count: int) -> str:
    """Return steps as people write them: names, a role, a limit with a source and a warning, two ways on."""
    steps = "".join(
        f"  s{n}:\n    name: {{zh: 第{n}步, en: Step {n}}}\n    role: clerk\n"
        "    within: {wd: 1, source: proposal, warn: [75%]}\n    to:\n"
        f"      go: {{step: s{n + 1}, name: {{zh: 前进, en: Go on}}}}\n      back: {{step: s0, kind: rework, at_most: 2}}\n"
        for n in range(count - 1)
    )
    head = "procedure: p\nname: {zh: 流程, en: Procedure}\nroles: {clerk: {zh: 办事员, en: Clerk}}\nsteps:\n"
    return f"{head}{steps}{TAIL.format(count - 1)}"


def guarded(count: int) -> str:
    """Return steps each of which asks a condition of its own."""
    steps = "".join(
        f"  s{n}: {{to: {{go: {{step: s{n + 1}, when: fee > {n}}}, back: s0}}}}\n" for n in range(count - 1)
    )
    return f"procedure: p\nfields: {{fee: {{type: number}}}}\nsteps:\n{steps}{TAIL.format(count - 1)}"


def spans(count: int) -> str:
    """Return as many limits over spans as there are steps."""
    limits = "".join(f"  - {{id: l{n}, from: s{n}, to: s{n + 1}, within: 1h}}\n" for n in range(count - 1))
    return f"{short(count)}limits:\n{limits}"


def misspelt(count: int) -> str:
    """Return steps none of which leads to a step that there is."""
    return "procedure: p\nsteps:\n" + "".join(f"  s{n}: {{to: {{go: tt{n}x}}}}\n" for n in range(count))


def strangers(count: int) -> str:
    """Return steps that each name a role that there is almost."""
    roles = ", ".join(f"role{n}: R" for n in range(count))
    steps = "".join(f"  s{n}: {{role: rle{n}, to: {{go: s{n + 1}}}}}\n" for n in range(count - 1))
    return f"procedure: p\nroles: {{{roles}}}\nsteps:\n{steps}{TAIL.format(count - 1)}"


DOCUMENTS: tuple[Callable[[int], str], ...] = (short, usual, guarded, spans, misspelt, strangers)


def seconds(work: Callable[[], object]) -> float:
    """Return the CPU time of the best of three runs."""
    best = float("inf")
    for _ in range(3):
        begun = time.process_time()
        work()
        best = min(best, time.process_time() - begun)
    return best


def events(text: str) -> int:
    """Count the events of a text, and do nothing else."""
    return sum(1 for _ in YAML(typ="safe", pure=True).parse(text))


def load(text: str) -> Procedure | None:
    """Build the procedure of a text; None when it is refused."""
    try:
        return parse_document(text).build(structure_procedure)
    except DeclarationError:
        return None


def line(make: Callable[[int], str], count: int) -> str:
    """Measure one document."""
    text = make(count)
    bare = seconds(lambda: events(text))
    procedure = load(text)
    reading, loading = seconds(lambda: parse_document(text)), seconds(lambda: load(text))
    ready = None if procedure is None else seconds(lambda: compile_procedure(procedure, shipped_calendar))
    shown = "refused" if ready is None else f"{(loading + ready) / bare:7.2f}"
    return (
        f"{make.__name__:10} {count:6,} steps {len(text.encode()) // 1024:5} KB  events {bare * 1000:8.1f} ms"
        f"  read {reading / bare:5.2f}  load {loading / bare:5.2f}  ready {shown}"
    )


if __name__ == "__main__":
    load(usual(5))
    for make in DOCUMENTS:
        for count in SIZES:
            print(line(make, count), flush=True)
