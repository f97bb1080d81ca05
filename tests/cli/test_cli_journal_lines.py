"""Lines of a journal: one for every fact, in both languages, that names no person."""

from __future__ import annotations

from datetime import UTC
from zoneinfo import ZoneInfo

import attrs
import pytest

from svcflow.cli.journal_lines import _LINES, journal_line
from svcflow.cli.names import ProcedureNames
from svcflow.kernel.facts import (
    FACTS,
    Accepted,
    Assigned,
    CalledOff,
    ChildEnded,
    ChildRequested,
    ChildStarted,
    Deviated,
    Explained,
    Fact,
    Moved,
    ParentTold,
    Recomputed,
    Rejected,
    Released,
    Started,
)
from svcflow.model.field import Field
from svcflow.model.procedure import Certificate, Procedure, StartRule
from svcflow.model.step import Step
from svcflow.text import Text

HEAD = ("i1", 9, 0, 0, "li")
STEP = Step("check", name=Text("复核", "Check"), end="completed")
SAMPLE = Procedure(
    id="sample",
    calendar="always",
    steps=(STEP,),
    fields=(Field("fee", type="number", name=Text("费用", "Fee")),),
    certificates=(Certificate("licence", name=Text("电工证", "Licence")),),
)


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
        (
            Moved(*HEAD, "check", "go", "check", automatic=True, timed=True),
            "复核 → 复核（到时自动：go）", "Check → Check (by itself, as its time had come: go)",
        ),
        (
            Recomputed(*HEAD, "check.then", 1, 0, 60_000_000),
            "重算：复核（自动流转）由 1970-01-01 00:00+00 改为 1970-01-01 00:01+00",
            "recomputed: Check (automatic move) from 1970-01-01 00:00+00 to 1970-01-01 00:01+00",
        ),
        (Moved(*HEAD, "check", "go", "check", certificates={"licence": 7}), "复核 → 复核（go，持电工证）", "Check → Check (go; holding Licence)"),
        (Deviated(*HEAD, "unqualified", "check", "major", detail={"certificate": "licence"}), "未持有效证书：复核（电工证）", "not qualified: Check (Licence)"),
        (Deviated(*HEAD, "settled_value_changed", "check", "major", detail={"fields": ["fee"]}), "改动已定之值：复核（费用）", "settled value changed: Check (Fee)"),
        (Explained(*HEAD, 5, "rain"), "说明第 5 条偏差：rain", "explained deviation 5: rain"),
        (Accepted(*HEAD, 5, "seen"), "认可第 5 条偏差的说明：seen", "accepted the explanation of deviation 5: seen"),
        (Rejected(*HEAD, 5, "dry"), "不认可第 5 条偏差的说明：dry", "rejected the explanation of deviation 5: dry"),
    ],
    ids=["claimed", "assigned", "assigned why", "released", "released why", "moved by itself", "recomputed", "moved by a holder", "unqualified", "settled", "explained", "accepted", "rejected"],
)  # fmt: skip
def test_what_people_settle_among_themselves_is_told(fact: Fact, zh: str, en: str):
    """Who has a step and what is answered to a deviation; to whom it was given stands in the fact only."""
    zone = ZoneInfo(str(UTC))
    assert journal_line(fact, ProcedureNames(SAMPLE, "zh", zone)) == zh
    assert journal_line(fact, ProcedureNames(SAMPLE, "en", zone)) == en


@pytest.mark.parametrize(
    ("fact", "zh", "en"),
    [
        (ChildRequested(*HEAD, "check", "i1.check.1", "audit"), "复核：子流程 i1.check.1（audit）待开始", "Check: to run audit as i1.check.1"),
        (ChildStarted(*HEAD, "check", "i1.check.1", 2), "复核：子流程 i1.check.1 已开始", "Check: i1.check.1 has started"),
        (ChildEnded(*HEAD, "check", "i1.check.1", "completed"), "复核：子流程 i1.check.1 已结束（办结）", "Check: i1.check.1 has ended (completed)"),
        (CalledOff(*HEAD), "撤销：上级流程已离开该环节", "called off: the parent has left the step that runs it"),
        (ParentTold(*HEAD), "上级流程已知其结束", "the parent knows of the end"),
        (Started(*HEAD, "sample", 1, "check", parent="r1", parent_step="s"), "开始：复核（r1 的子流程）", "started: Check (run by r1)"),
        (Moved(*HEAD, "check", "go", "check", automatic=True, child="i1.check.1"), "复核 → 复核（子流程 i1.check.1：go）", "Check → Check (i1.check.1: go)"),
    ],
    ids=lambda value: value.kind if isinstance(value, Fact) else "",
)  # fmt: skip
def test_what_happens_between_parent_and_child_is_told(fact: Fact, zh: str, en: str):
    """By the step that runs it, and the other's id."""
    zone = ZoneInfo(str(UTC))
    assert journal_line(fact, ProcedureNames(SAMPLE, "zh", zone)) == zh
    assert journal_line(fact, ProcedureNames(SAMPLE, "en", zone)) == en


def test_a_start_is_told_by_its_name_and_short_notice_by_until_when_one_could_ask():
    """`申请：复核` rather than that it began; what a provider foresaw is marked."""
    day = Field("day", type="instant", required=True, name=Text("用车时间", "Pick-up"))
    rule = StartRule(name=Text("申请", "Request"), before="day - 30m")
    asked = Procedure(id="sample", calendar="always", steps=(STEP,), fields=(day,), start=rule)
    started = Started(*HEAD, "sample", 1, "check")
    late = Deviated(*HEAD, "short_notice", "check", "minor", detail={"field": "day", "latest_us": 0})
    zh, en = (ProcedureNames(asked, lang, ZoneInfo(str(UTC))) for lang in ("zh", "en"))
    assert journal_line(started, zh) == "申请：复核"
    assert journal_line(attrs.evolve(started, foreseen=True), en) == "Request: Check (foreseen)"
    assert (
        journal_line(attrs.evolve(started, foreseen=True), ProcedureNames(SAMPLE, "zh", None))
        == "开始：复核（提前想到）"
    )
    assert journal_line(late, zh) == "预约过迟：用车时间须在 1970-01-01 00:00+00 前提出"
    assert journal_line(late, en) == "short notice: Pick-up had to be asked for by 1970-01-01 00:00+00"
