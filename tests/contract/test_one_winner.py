"""Of all who act on one revision of an instance at the same time exactly one wins, on every store."""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from contract_cases import LI, engine_on

from svcflow import StaleRevision
from svcflow.kernel.instance import Instance
from waiting import PATIENCE_S

ACTORS = 16
ROUNDS = int(os.environ.get("SVCFLOW_RACES", "300"))


def test_of_sixteen_who_act_on_one_revision_exactly_one_wins(store):
    """300 rounds (SVCFLOW_RACES): one moves the instance on, fifteen are told that their view is stale."""
    engine = engine_on(store)
    inst = engine.start("repair", actor=LI)
    seen = [engine.fire(inst.id, "accept", actor=LI)]
    together = Barrier(ACTORS)

    def act(_: int) -> list[Instance | None]:
        answers: list[Instance | None] = []
        for number in range(ROUNDS):
            together.wait(PATIENCE_S)
            try:
                answers.append(
                    engine.fire(inst.id, "again", actor=LI, expected_revision=seen[number].revision)
                )
                seen.append(answers[-1])
            except StaleRevision:
                answers.append(None)
            together.wait(PATIENCE_S)
        return answers

    with ThreadPoolExecutor(ACTORS) as pool:
        answers = list(pool.map(act, range(ACTORS)))
    rounds = list(zip(*answers, strict=True))
    winners = [[one for one in of_round if one is not None] for of_round in rounds]
    assert Counter(map(len, winners)) == {1: ROUNDS}
    first = seen[0].revision
    assert [one.revision for (one,) in winners] == list(range(first + 1, first + 1 + ROUNDS))
    assert len(engine.journal(inst.id)) == 2 + ROUNDS
    assert engine.verify().ok
