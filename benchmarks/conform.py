"""Hold an event log against a procedure, times judged, beside pm4py's token replay of the same log (order only).

Run: python benchmarks/conform.py [LOG.xes[.gz]]
Without a log, one of the same shape as the BPI Challenge 2020 declarations is made up: 10,000 cases of the
procedure's most frequent ways, with instants. With pm4py installed (pip install 'svcflow[bench]') the ratios
are of medians of rounds taken in turn in one process; above 1, svcflow is faster. pm4py is AGPL: it is a
dependency of this benchmark and of nothing else.

pm4py groups cases by their sequence of activities and replays each once; instants do not matter to it.
"""

from __future__ import annotations

import gc
import importlib.util
import random
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import quoteattr

from svcflow.analysis.conform import conform
from svcflow.analysis.xes import read_xes
from svcflow.model.catalog import load, load_mapping, shipped_folder

ROUNDS, CASES = 7, 10_000
STAFF = shipped_folder() / "staff"
PROCEDURE = load(STAFF / "expense_declaration.yaml")
MAPPING = load_mapping(STAFF / "expense_declaration.mapping.yaml")
ACTIVITIES = {trigger: activity for activity, trigger in MAPPING.activities.items()}
ROLES = {role: written for written, role in MAPPING.roles.items()}
PAID = ("approve_finally", "request_payment", "handle_payment")
AGAIN = ("reject_administration", "take_back", "submit", "approve_administration", *PAID)
WAYS = {  # trigger by trigger, with rough shares of the real log
    ("approve_administration", *PAID): 46,
    ("approve_administration", "approve_budget", *PAID): 26,
    PAID: 14,
    ("approve_pre_approver", *PAID): 6,
    AGAIN: 5,
    ("reject_administration", "take_back"): 2,
    ("approve_administration", "approve_finally", "request_payment"): 1,
}


def made_up() -> Iterator[str]:
    """Yield the lines of a log: every case starts in two years of office days, each step takes its while."""
    chance = random.Random(2020)
    yield '<log xes.version="1.0" xmlns="http://www.xes-standard.org/">'
    for number in range(CASES):
        yield f'<trace><string key="concept:name" value="declaration {number}"/>'
        at = datetime(2017, 1, 9, 8, tzinfo=UTC) + timedelta(minutes=chance.randrange(700 * 1440))
        way = chance.choices(list(WAYS), list(WAYS.values()))[0]
        yield event("submit", at, "employee")
        for trigger in way:
            at += timedelta(hours=chance.lognormvariate(3.0, 1.2))
            yield event(trigger, at, roles_of(trigger))
        yield "</trace>"
    yield "</log>"


def roles_of(trigger: str) -> str:
    moves = ((step, move) for step in PROCEDURE.all_steps.values() for move in step.to)
    return next(move.role or step.role or "" for step, move in moves if move.trigger == trigger)


def event(trigger: str, at: datetime, role: str) -> str:
    name, written = quoteattr(ACTIVITIES[trigger]), quoteattr(ROLES.get(role, "UNDEFINED"))
    return (
        f'<event><string key="concept:name" value={name}/><string key="org:role" value={written}/>'
        '<string key="org:resource" value="STAFF MEMBER"/><string key="lifecycle:transition" value="complete"/>'
        f'<date key="time:timestamp" value="{at.isoformat(timespec="milliseconds")}"/></event>'
    )


def seconds(action: Callable[[], object]) -> float:
    gc.collect()
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def ours(log: Path) -> dict[str, Callable[[], object]]:
    cases = list(read_xes(log))
    return {
        "svcflow conform": lambda: conform(cases, PROCEDURE, MAPPING),
        "svcflow read + conform": lambda: conform(log, PROCEDURE, MAPPING),
    }


def theirs(log: Path) -> dict[str, Callable[[], object]]:
    """Return pm4py's replay over a net mined from the log, on its fastest form of the log and on its default."""
    import pm4py
    from pm4py.algo.conformance.tokenreplay import algorithm as token_replay
    from pm4py.objects.log.importer.xes import importer

    quiet = {"show_progress_bar": False}
    traces, frame = importer.apply(str(log), parameters=quiet), pm4py.read_xes(str(log))
    net = pm4py.discover_petri_net_inductive(frame, noise_threshold=0.2)
    return {
        "pm4py token replay (traces)": lambda: token_replay.apply(traces, *net, parameters=quiet),
        "pm4py token replay (data frame)": lambda: pm4py.conformance_diagnostics_token_based_replay(
            frame, *net
        ),
        "pm4py token replay (traces, each case)": lambda: token_replay.apply(
            traces, *net, parameters={**quiet, "disable_variants": True}
        ),
        "pm4py read + token replay (data frame)": lambda: pm4py.conformance_diagnostics_token_based_replay(
            pm4py.read_xes(str(log)), *net
        ),
    }


def compare(log: Path) -> None:
    found = conform(log, PROCEDURE, MAPPING)
    share = found.conforming / found.replayed if found.replayed else 0
    print(
        f"{found.cases} cases, {found.events} events; {share:.1%} conform; deviations {dict(found.by_kind)}"
    )
    actions = ours(log)
    known = importlib.util.find_spec("pm4py") is not None
    if known:
        warnings.simplefilter("ignore")
        actions |= theirs(log)
    taken: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(ROUNDS):
        for name, action in actions.items():
            taken[name].append(seconds(action))
    median = {name: statistics.median(times) for name, times in taken.items()}
    for name, spent in median.items():
        print(
            f"{name:42} {spent:7.3f} s {found.events / spent:10,.0f} events/s (best {min(taken[name]):.3f} s)"
        )
    if not known:
        print("pm4py is not installed, so there is nothing to compare with: pip install 'svcflow[bench]'")
        return
    for name in [name for name in median if name.startswith("pm4py")]:
        own = "svcflow read + conform" if "read" in name else "svcflow conform"
        print(f"{own} / {name}: {median[name] / median[own]:.2f}")


def main() -> None:
    if len(sys.argv) > 1:
        compare(Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "declarations.xes"
        path.write_text("\n".join(made_up()), encoding="utf-8")
        compare(path)


if __name__ == "__main__":
    main()
