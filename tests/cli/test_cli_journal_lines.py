"""Lines of a journal: one for every fact, in both languages, that names no person."""

from __future__ import annotations

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from svcflow.cli.journal_lines import _LINES, journal_line
from svcflow.cli.names import ProcedureNames
from svcflow.kernel.facts import FACTS, Accepted, Assigned, Explained, Fact, Rejected, Released
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step
from svcflow.text import Text

HEAD = ("i1", 9, 0, 0, "li")
STEP = Step("check", name=Text("复核", "Check"), end="completed")
SAMPLE = Procedure(id="sample", calendar="always", steps=(STEP,))


def test_every_class_of_fact_has_a_line():
    """A journal never fails to be shown because of a fact nobody thought of."""
    assert set(_LINES) == set(FACTS.values())


@pytest.mark.parametrize(
    ("fact", "zh", "en"),
    [
        (Assigned(*HEAD, "check", "li"), "认领：复核", "claimed: Check"),
        (Assigned(*HEAD, "check", "wang"), "分派：复核", "assigned: Check"),
        (Assigned(*HEAD, "check", "wang", "ill"), "分派：复核（ill）", "assigned: Check (ill)"),
        (Released(*HEAD, "check"), "释放：复核", "released: Check"),
        (Released(*HEAD, "check", "ill"), "释放：复核（ill）", "released: Check (ill)"),
        (Explained(*HEAD, 5, "rain"), "说明第 5 条偏差：rain", "explained deviation 5: rain"),
        (Accepted(*HEAD, 5, "seen"), "认可第 5 条偏差的说明：seen", "accepted the explanation of deviation 5: seen"),
        (Rejected(*HEAD, 5, "dry"), "不认可第 5 条偏差的说明：dry", "rejected the explanation of deviation 5: dry"),
    ],
    ids=["claimed", "assigned", "assigned why", "released", "released why", "explained", "accepted", "rejected"],
)  # fmt: skip
def test_what_people_settle_among_themselves_is_told(fact: Fact, zh: str, en: str):
    """Who has a step and what is answered to a deviation; to whom it was given stands in the fact only."""
    zone = ZoneInfo(str(UTC))
    assert journal_line(fact, ProcedureNames(SAMPLE, "zh", zone)) == zh
    assert journal_line(fact, ProcedureNames(SAMPLE, "en", zone)) == en
