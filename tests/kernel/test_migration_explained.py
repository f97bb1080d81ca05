"""An explanation follows its limit through the versions of a migrated instance, in both languages."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest
from kernel_cases import HOUR, MINUTE, line, move, procedure
from version_cases import VersionedCase

from svcflow.cli.journal_lines import journal_line
from svcflow.cli.names import ProcedureNames
from svcflow.explanation.explain import UnknownLimit, explain
from svcflow.journal.chain import GENESIS, chained
from svcflow.kernel.commands import Reschedule
from svcflow.kernel.timing.deadlines import deadlines
from svcflow.kernel.timing.pinned_targets import pinned_targets
from svcflow.model.catalog import Catalog
from svcflow.model.field import Field
from svcflow.model.limit import Row, TimeLimit
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step
from svcflow.model.yaml.document import Document
from svcflow.runtime.integrity.verification import verify
from svcflow.runtime.procedure_registry import ProcedureRegistry
from svcflow.runtime.store import ChangeSet
from svcflow.store import open_store
from svcflow.text import Text
from svcflow.worktime.instants import to_us

DAY = timedelta(days=1)


def desk(within: str | None, first: str = "asked", **more: object) -> Procedure:
    named = {first: {"within": within, "name": Text("受理", "Handling")}}
    return procedure(*line(first, "done", **named), **more)


def told(case: VersionedCase, limit: str, lang: str, kind: str = "migrated") -> list[str]:
    found = explain(case.compiled, case.facts, limit, to_us(case.now), case.version_of)
    return [one.text(lang) for one in found.lines if one.kind == kind]


def test_a_kept_deadline_is_told_as_kept():
    """The line says which version, why and what became of the deadline; the title names what was promised, and by which."""
    case = VersionedCase(desk("8wh"), desk("2wh", "taken"))
    case.migrate(steps={"asked": "taken"}, reason="第二版")
    assert told(case, "taken", "zh") == [
        "03-02 周一 09:01 改按第 2 版办理（第二版），截止 2026-03-03 周二 09:30 保留"
    ]
    assert told(case, "taken", "en") == [
        "Mon 03-02 09:01: went over to version 2 (第二版); still due Tue 2026-03-03 09:30"
    ]
    found = explain(case.compiled, case.facts, "taken", to_us(case.now), case.version_of)
    assert found.title == Text(
        "受理：时限 8个工作小时（第 1 版）", "Handling: limit 8 working hours (version 1)"
    )
    assert [one.kind for one in found.lines][:3] == ["started", "counted", "migrated"]
    assert [one.kind for one in found.lines][-2:] == ["due", "left"]
    case.fire("to_done", HOUR)
    assert told(case, "taken", "zh", "ended") == ["03-02 周一 10:01 结束：按时，尚余工作时间 6小时59分钟"]


def test_a_deadline_that_is_reckoned_anew_is_told_with_both():
    """It was due then and is due now."""
    case = VersionedCase(desk("8wh"), desk("2wh"))
    case.migrate(due="recompute")
    assert told(case, "asked", "en") == [
        "Mon 03-02 09:01: went over to version 2; reckoned anew: it was due Tue 2026-03-03 09:30 and is due Mon 2026-03-02 11:00"
    ]
    assert "现截止 2026-03-02 周一 11:00" in told(case, "asked", "zh")[0]


def test_a_limit_that_ends_and_comes_back_is_told():
    """Gone with the version, and back when the migration is taken back."""
    case = VersionedCase(desk("8wh"), desk(None))
    case.migrate()
    assert told(case, "asked", "zh") == ["03-02 周一 09:01 改按第 2 版办理，该版没有此时限"]
    assert told(case, "asked", "zh", "ended") == ["03-02 周一 09:01 结束：时限取消，不算达标"]
    case.revert(after=HOUR, reason="改错了")
    assert told(case, "asked", "zh")[1].startswith("03-02 周一 10:01 撤回变更，仍按第 1 版办理（改错了）")
    assert "taken back to version 1" in told(case, "asked", "en")[1]
    assert told(case, "asked", "en", "due")[-1] == "Tue 2026-03-03 09:30: due"


def test_a_new_limit_is_told_from_where_it_counts():
    """From the migration for a step's, from the start for the whole procedure's."""
    case = VersionedCase(desk(None), desk("2wh", limits=(TimeLimit(id="whole", within="9h"),)))
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
        case = VersionedCase(desk("8wh"), desk("2wh"))
        case.hold(HOUR)
        case.migrate(due=due)
        assert said in told(case, "asked", "en")[0]
        case.resume(HOUR)
        assert told(case, "asked", "en", "resumed")
    waits = procedure(
        *line("asked", "done", asked={"waits": "recipient"}), limits=(TimeLimit(id="whole", within="9h"),)
    )
    case = VersionedCase(desk(None, limits=(TimeLimit(id="whole", within="9h"),)), waits)
    case.migrate(after=HOUR)
    assert told(case, "whole", "zh")[0].endswith("停止计时")


def test_a_limit_that_had_ended_has_nothing_to_tell():
    """What is over stays over, though its step is called otherwise now."""

    def two(first: str) -> Procedure:
        return procedure(*line(first, "looked_at", "done", **{first: {"within": "8wh"}}))

    case = VersionedCase(two("asked"), two("taken"))
    case.fire("to_looked_at")
    case.migrate(steps={"asked": "taken"})
    assert told(case, "taken", "en") == []
    assert told(case, "taken", "en", "ended")


def test_a_unit_that_changes_begins_a_new_tally():
    """Hours of one kind are not added to those of another."""
    case = VersionedCase(desk("8wh"), desk("30h"))
    case.migrate(after=HOUR)
    case.wait(HOUR)
    assert told(case, "asked", "en", "counted")[1].endswith("23 h 30 min counted, 23 h 30 min in all")


def test_without_the_other_versions_an_explanation_says_what_it_needs():
    """A journal that ran through several versions is not explained with one; an unknown limit is unknown to all."""
    case = VersionedCase(desk("8wh"), desk("2wh"))
    case.migrate()
    with pytest.raises(LookupError, match="give version_of"):
        explain(case.compiled, case.facts, "asked", to_us(case.now))
    with pytest.raises(UnknownLimit):
        explain(case.compiled, case.facts, "other", to_us(case.now), case.version_of)


def test_the_journal_is_told_in_words():
    """One line for each migration: from, to, what became of the deadlines, and why."""
    case = VersionedCase(desk("8wh"), desk("2wh"))
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
        names = ProcedureNames(case.compiled.procedure, lang, zone)
        assert [journal_line(fact, names) for fact in case.of("Migrated")] == lines


def test_a_migrated_instance_verifies_against_its_journal():
    """The kept instance is what the whole journal leads to, through both versions; a missing version is named."""
    office = {
        "calendar": "office",
        "timezone": "Asia/Shanghai",
        "weekly": {"mon-fri": ["08:30-12:00", "13:30-17:30"]},
    }
    case = VersionedCase(desk("8wh"), desk("2wh"))
    case.migrate()
    case.fire("to_done")
    found = {(one.procedure.id, version): one.procedure for version, one in case.versions.items()}
    for catalog, problems in ((found, []), ({("sample", 2): found["sample", 2]}, ["unknown-procedure"])):
        store = open_store("memory://")
        change = ChangeSet(case.instance, chained(GENESIS, case.facts))
        store.change("i1", None, lambda _, change=change: change)
        known = ProcedureRegistry(Catalog(catalog, {"office": Document(office, "", {})}), store)
        seen = verify(store, known, "i1")
        assert [error.code for _, error in seen.problems] == problems


def titles(case: VersionedCase, limit: str) -> tuple[str, tuple[str, int]]:
    """Return what the explanation promises, and what the list of deadlines does."""
    title = explain(case.compiled, case.facts, limit, to_us(case.now), case.version_of).title.en
    promised = pinned_targets(case.version_of, case.facts)
    found = deadlines(
        case.version_of("sample", case.instance.version),
        case.instance,
        to_us(case.now),
        ended=True,
        pinned=promised,
    )
    one = next(one for one in found if one.limit == limit)
    return title.partition(": ")[2], (str(one.target), one.version)


def two(within: str, **more: object):
    named = {name: {"within": within} for name in ("asked", "looked_at")}
    return procedure(*line("asked", "looked_at", "done", **named), **more)


def test_a_limit_that_had_ended_names_what_it_was_judged_by():
    """However the dues of what runs are reckoned, and however often the instance goes over."""
    case = VersionedCase(two("2wh"), two("1wh"), two("3wh"))
    case.fire("to_looked_at")
    case.migrate(2)
    case.migrate(3, due="recompute")
    assert titles(case, "asked") == ("limit 2 working hours (version 1)", ("2wh", 1))
    assert titles(case, "looked_at") == ("limit 3 working hours", ("3wh", 3))


def test_a_limit_that_runs_names_who_promised_it():
    """Kept, it is the earlier version's; reckoned anew, with another row or begun since, the present one's."""
    case = VersionedCase(two("2wh"), two("1wh"), two("3wh"))
    case.migrate(2)
    assert titles(case, "asked") == ("limit 2 working hours (version 1)", ("2wh", 1))
    case.migrate(3, due="recompute")
    assert titles(case, "asked") == ("limit 3 working hours", ("3wh", 3))
    case.fire("to_looked_at")
    case.revert()
    assert titles(case, "asked") == ("limit 3 working hours (version 3)", ("3wh", 3))
    assert titles(case, "looked_at") == ("limit 3 working hours (version 3)", ("3wh", 3))
    case.fire("to_done")
    assert titles(case, "looked_at") == ("limit 3 working hours (version 3)", ("3wh", 3))


def test_a_breach_names_what_was_breached():
    """Overdue before the migration, it stays what it was a breach of, even when dues are reckoned anew."""
    case = VersionedCase(two("2wh"), two("8wh"))
    case.wait(3 * HOUR)
    case.migrate(due="recompute")
    assert titles(case, "asked") == ("limit 2 working hours (version 1)", ("2wh", 1))


def test_a_clock_that_stands_still_names_what_it_goes_on_with():
    """Held over the migration it has no deadline, but what was left of the promise."""
    case = VersionedCase(two("2wh"), two("8wh"))
    case.hold()
    case.migrate()
    assert titles(case, "asked") == ("limit 2 working hours (version 1)", ("2wh", 1))


def test_another_row_is_a_new_promise():
    """What was kept gives way to the row, which is of the present version."""
    urgent = Field("urgent", type="boolean", default=False)
    rows = TimeLimit(match=[Row("1wh", "urgent"), Row("8wh")], on_change="from_start")
    case = VersionedCase(desk("2wh", fields=[urgent]), desk(rows, fields=[urgent]))
    case.migrate()
    assert titles(case, "asked")[1] == ("2wh", 1)
    case.update(data={"urgent": True})
    assert titles(case, "asked") == ("limit 1 working hour", ("1wh", 2))


def test_entered_again_a_kept_limit_goes_on_with_its_promise():
    """Unless what runs was to be reckoned anew."""
    for due, promised in (("keep", ("2wh", 1)), ("recompute", ("8wh", 2))):
        back = {"to": (move("to_done", "done"), move("back", "asked", kind="rework"))}
        versions = (
            procedure(
                Step("asked", within=within, to=(move("go", "looked_at"),)),
                Step("looked_at", **back),
                Step("done", end="completed"),
            )
            for within in ("2wh", "8wh")
        )
        case = VersionedCase(*versions)
        case.fire("go")
        case.migrate(due=due)
        assert titles(case, "asked")[1] == ("2wh", 1)
        case.fire("back")
        assert titles(case, "asked")[1] == promised


def test_a_limit_that_comes_back_names_the_version_it_comes_from():
    """Dropped by one version, taken up by the next, it is due when it was."""
    case = VersionedCase(desk("2wh"), procedure(*line("asked", "done")), desk("8wh"))
    case.migrate(2)
    case.migrate(3)
    assert titles(case, "asked") == ("limit 2 working hours (version 1)", ("2wh", 1))


@pytest.mark.parametrize("ahead", ["30m", "60m"])
def test_an_overdue_limit_whose_scheduled_instant_was_cleared_is_explained(ahead: str):
    """The breach stays; that there is no instant any more is said."""
    meet = Field("meet", type="instant")

    def booked(before: str):
        limit = TimeLimit(id="bef", before=f"meet - {before}")
        return procedure(*line("asked", "done"), fields=[meet], limits=[limit])

    case = VersionedCase(booked("30m"), booked(ahead))
    case.do(Reschedule("meet", (case.now + 10 * MINUTE).isoformat()), MINUTE)
    case.do(Reschedule("meet", None), MINUTE)
    case.migrate()
    found = explain(case.compiled, case.facts, "bef", to_us(case.now), case.version_of)
    assert [one.text("en") for one in found.lines if one.kind == "anchored"][-1] == (
        "meet was cleared; the deadline that was set before stays"
    )
    assert "(version 1)" in found.title.en


def test_a_scheduled_instant_of_another_year_is_named_with_it():
    """Begun in 2026, so that a day of 2199 is not read as one of this year."""
    work = {"within": TimeLimit(before="meet - 30m")}
    declared = procedure(*line("asked", "done", asked=work), fields=[Field("meet", type="instant")])
    far, near = (
        VersionedCase(declared, data={"meet": meet})
        for meet in ("2199-12-31T12:00+08:00", "2026-12-31T12:00+08:00")
    )
    assert "Tue 2199-12-31 12:00" in told(far, "asked", "en", "anchored")[0]
    assert "at Thu 12-31 12:00" in told(near, "asked", "en", "anchored")[0]


def test_a_kept_deadline_of_an_instant_that_was_never_set_is_explained():
    """A limit in hours that is kept under one before a meeting nobody has fixed."""
    meet = Field("meet", type="instant")
    into = procedure(*line("asked", "done", asked={"within": TimeLimit(before="meet - 30m")}), fields=[meet])
    case = VersionedCase(attrs.evolve(desk("2h"), fields=[meet]), into)
    case.migrate()
    assert told(case, "asked", "zh", "anchored") == ["meet未定；此前定下的截止不变"]
