"""An explanation follows its limit through the versions of a migrated instance, in both languages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from kernel_cases import HOUR, line, procedure
from version_cases import Traveller

from svcflow.cli.names import Names
from svcflow.cli.telling import tell
from svcflow.explanation.explain import UnknownLimit, explain
from svcflow.journal.chain import GENESIS, chained
from svcflow.model.catalog import Catalog
from svcflow.model.document import Document
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import Procedure
from svcflow.runtime.standards import Standards
from svcflow.runtime.store import Change
from svcflow.runtime.verification import verify
from svcflow.store import open_store
from svcflow.text import Text
from svcflow.worktime.instants import to_us

DAY = timedelta(days=1)


def desk(within: str | None, first: str = "asked", **more: object) -> Procedure:
    named = {first: {"within": within, "name": Text("受理", "Handling")}}
    return procedure(*line(first, "done", **named), **more)


def told(case: Traveller, limit: str, lang: str, kind: str = "migrated") -> list[str]:
    found = explain(case.compiled, case.facts, limit, to_us(case.now), case.version_of)
    return [one.text(lang) for one in found.lines if one.kind == kind]


def test_a_kept_deadline_is_told_as_kept():
    """The line says which version, why and what became of the deadline; the title is that of the new limit."""
    case = Traveller(desk("8wh"), desk("2wh", "taken"))
    case.migrate(steps={"asked": "taken"}, reason="第二版")
    assert told(case, "taken", "zh") == [
        "03-02 周一 09:01 改按第 2 版办理（第二版），截止 2026-03-03 周二 09:30 保留"
    ]
    assert told(case, "taken", "en") == [
        "Mon 03-02 09:01: went over to version 2 (第二版); still due Tue 2026-03-03 09:30"
    ]
    found = explain(case.compiled, case.facts, "taken", to_us(case.now), case.version_of)
    assert "2 working hours" in found.title.en
    assert [one.kind for one in found.lines][:3] == ["started", "counted", "migrated"]
    assert [one.kind for one in found.lines][-2:] == ["due", "left"]
    case.fire("to_done", HOUR)
    assert told(case, "taken", "zh", "ended") == ["03-02 周一 10:01 结束：按时，尚余工作时间 6小时59分钟"]


def test_a_deadline_that_is_reckoned_anew_is_told_with_both():
    """It was due then and is due now."""
    case = Traveller(desk("8wh"), desk("2wh"))
    case.migrate(due="recompute")
    assert told(case, "asked", "en") == [
        "Mon 03-02 09:01: went over to version 2; reckoned anew: it was due Tue 2026-03-03 09:30 and is due Mon 2026-03-02 11:00"
    ]
    assert "现截止 2026-03-02 周一 11:00" in told(case, "asked", "zh")[0]


def test_a_limit_that_ends_and_comes_back_is_told():
    """Gone with the version, and back when the migration is taken back."""
    case = Traveller(desk("8wh"), desk(None))
    case.migrate()
    assert told(case, "asked", "zh") == ["03-02 周一 09:01 改按第 2 版办理，该版没有此时限"]
    assert told(case, "asked", "zh", "ended") == ["03-02 周一 09:01 结束：时限取消，不算达标"]
    case.revert(after=HOUR, reason="改错了")
    assert told(case, "asked", "zh")[1].startswith("03-02 周一 10:01 撤回变更，仍按第 1 版办理（改错了）")
    assert "taken back to version 1" in told(case, "asked", "en")[1]
    assert told(case, "asked", "en", "due")[-1] == "Tue 2026-03-03 09:30: due"


def test_a_new_limit_is_told_from_where_it_counts():
    """From the migration for a step's, from the start for the whole procedure's."""
    case = Traveller(desk(None), desk("2wh", limits=(TimeLimit(id="whole", within="9h"),)))
    case.migrate(after=HOUR)
    assert told(case, "asked", "en") == [
        "Mon 03-02 10:00: went over to version 2; this limit is counted from now"
    ]
    assert told(case, "whole", "zh") == [
        "03-02 周一 10:00 改按第 2 版办理，此时限自 2026-03-02 周一 09:00 起算"
    ]
    assert told(case, "asked", "en", "due") == ["Mon 2026-03-02 12:00: due"]


def test_a_clock_that_stands_still_is_told_by_what_was_left():
    """Kept, reckoned anew, or stopped by the new version."""
    for due, said in (("keep", "what was left stays"), ("recompute", "reckoned anew by it")):
        case = Traveller(desk("8wh"), desk("2wh"))
        case.hold(HOUR)
        case.migrate(due=due)
        assert said in told(case, "asked", "en")[0]
        case.resume(HOUR)
        assert told(case, "asked", "en", "resumed")
    waits = procedure(
        *line("asked", "done", asked={"waits": "recipient"}), limits=(TimeLimit(id="whole", within="9h"),)
    )
    case = Traveller(desk(None, limits=(TimeLimit(id="whole", within="9h"),)), waits)
    case.migrate(after=HOUR)
    assert told(case, "whole", "zh")[0].endswith("停止计时")


def test_a_limit_that_had_ended_has_nothing_to_tell():
    """What is over stays over, though its step is called otherwise now."""

    def two(first: str) -> Procedure:
        return procedure(*line(first, "looked_at", "done", **{first: {"within": "8wh"}}))

    case = Traveller(two("asked"), two("taken"))
    case.fire("to_looked_at")
    case.migrate(steps={"asked": "taken"})
    assert told(case, "taken", "en") == []
    assert told(case, "taken", "en", "ended")


def test_a_unit_that_changes_begins_a_new_tally():
    """Hours of one kind are not added to those of another."""
    case = Traveller(desk("8wh"), desk("30h"))
    case.migrate(after=HOUR)
    case.wait(HOUR)
    assert told(case, "asked", "en", "counted")[1].endswith("23 h 30 min counted, 23 h 30 min in all")


def test_without_the_other_versions_an_explanation_says_what_it_needs():
    """A journal that ran through several versions is not explained with one; an unknown limit is unknown to all."""
    case = Traveller(desk("8wh"), desk("2wh"))
    case.migrate()
    with pytest.raises(LookupError, match="give version_of"):
        explain(case.compiled, case.facts, "asked", to_us(case.now))
    with pytest.raises(UnknownLimit):
        explain(case.compiled, case.facts, "other", to_us(case.now), case.version_of)


def test_the_journal_is_told_in_words():
    """One line for each migration: from, to, what became of the deadlines, and why."""
    case = Traveller(desk("8wh"), desk("2wh"))
    case.migrate(reason="new rules")
    case.revert()
    case.migrate(due="recompute")
    zone = case.compiled.calendar.timezone
    for lang, lines in {
        "en": [
            "migrated: v1 → v2, deadlines kept (new rules)",
            "migration taken back: v2 → v1",
            "migrated: v1 → v2, deadlines reckoned anew",
        ],
        "zh": [
            "变更版本：v1 → v2，截止保留（new rules）",
            "撤回版本变更：v2 → v1",
            "变更版本：v1 → v2，截止重算",
        ],
    }.items():
        names = Names(case.compiled.procedure, lang, zone)
        assert [tell(fact, names) for fact in case.of("Migrated")] == lines


def test_a_migrated_instance_verifies_against_its_journal():
    """The kept instance is what the whole journal leads to, through both versions; a missing version is named."""
    office = {
        "calendar": "office",
        "timezone": "Asia/Shanghai",
        "weekly": {"mon-fri": ["08:30-12:00", "13:30-17:30"]},
    }
    case = Traveller(desk("8wh"), desk("2wh"))
    case.migrate()
    case.fire("to_done")
    found = {(one.procedure.id, version): one.procedure for version, one in case.versions.items()}
    for catalog, problems in ((found, []), ({("sample", 2): found["sample", 2]}, ["unknown-procedure"])):
        store = open_store("memory://")
        change = Change(case.instance, chained(GENESIS, case.facts))
        store.change("i1", None, lambda _, change=change: change)
        known = Standards(Catalog(catalog, {"office": Document(office, "", {})}))
        seen = verify(store, known, ["i1"])
        assert [error.code for _, error in seen.problems] == problems
