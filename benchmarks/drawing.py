"""How long drawings take: the first in a new process, and the next ones, by size.

Rasterising is not counted. Run: python benchmarks/drawing.py
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from svcflow.drawing import draw
from svcflow.drawing.layout.quality import quality
from svcflow.model.procedure import Procedure, Role
from svcflow.model.step import Step, Transition
from svcflow.text import Text

SIZES = ((12, 20, 5), (40, 80, 6), (200, 279, 8))
FIRST = """
import time; start = time.perf_counter()
import sys; sys.path.insert(0, sys.argv[1])
import drawing; procedure = drawing.made(12, 20, 5)
drawing.draw(procedure).svg
print(time.perf_counter() - start)
"""


def made(steps: int, edges: int, roles: int, seed: int = 7) -> Procedure:
    """Make a procedure: a chain through random roles, with moves back and forth beside it."""
    pick = random.Random(seed)
    keys = [f"s{n}" for n in range(steps)]
    moves = {
        key: [Transition(f"next{n}", nxt, name=Text(zh="下一步", en="go on"))]
        for n, (key, nxt) in enumerate(zip(keys, [*keys[1:], "end"], strict=True))
    }
    for n in range(edges - steps):
        at = pick.randrange(steps)
        to = pick.randrange(max(0, at - 6), min(steps, at + 7))
        kind = pick.choice(["normal", "exception", "rework"])
        moves[keys[at]].append(Transition(f"x{n}", keys[to], name=Text(zh="转出", en="detour"), kind=kind))
    return Procedure(
        id="made",
        name=Text(zh="基准", en="Benchmark"),
        roles=[Role(f"r{n}", name=Text(zh=f"岗位{n}", en=f"Role {n}")) for n in range(roles)],
        steps=[
            *(
                Step(
                    key,
                    name=Text(zh="环节", en="Step"),
                    role=f"r{pick.randrange(roles)}",
                    within="2h",
                    to=moves[key],
                )
                for key in keys
            ),
            Step("end", name=Text(zh="完成", en="End"), end="completed"),
        ],
    )


def first() -> float:
    """Return the seconds of a new process: imports, building, drawing 12 steps."""
    here = str(Path(__file__).parent)
    command = [sys.executable, "-c", FIRST, here]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  # our own code
    return float(ran.stdout)


def following(procedure: Procedure, rounds: int) -> float:
    """Return the median milliseconds of drawings after the first."""
    draw(procedure).svg  # noqa: B018  # the first one is not counted
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        draw(procedure).svg  # noqa: B018  # made when asked for
        times.append((time.perf_counter() - start) * 1000)
    return median(times)


def main() -> None:
    procedures = {size: made(*size) for size in SIZES}
    seconds = sorted(first() for _ in range(3))
    print(f"first drawing in a new process {seconds[1]:.2f} s (worst of 3: {seconds[2]:.2f} s)")
    for (steps, edges, _), procedure in procedures.items():
        spent = following(procedure, 5 if steps > 100 else 15)
        found = quality(draw(procedure).layout)
        print(
            f"  {steps:>3} steps, {edges:>3} moves: {spent:7.1f} ms"
            f"   crossings {found.crossings}, bends {found.bends}, labels over lines {found.struck_labels}, missing {found.missing_labels}"
        )


if __name__ == "__main__":
    main()
