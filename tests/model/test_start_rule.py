"""The key `start` of a procedure: what it may say, what is a mistake, how it is written and compared."""

from __future__ import annotations

import pytest

import svcflow
from svcflow.model.calendar_names import calendar_names
from svcflow.model.procedure import Procedure, Role, StartRule
from svcflow.model.step import Enforce, Step
from svcflow.model.wording import notice_text
from svcflow.model.yaml.document import parse_document
from svcflow.model.yaml.dump import digest, dump
from svcflow.model.yaml.parse import structure_procedure
from svcflow.text import Text

HEAD = "procedure: p\nsources: {D12: rules}\nfields: {pickup_at: {type: instant, required: true}, note: {}, open_at: {type: instant}}\n"
HEAD += "roles: {asker: Asker, clerk: Clerk}\n"
TAIL = "steps:\n  a: {to: {go: e}}\n  e: {end: completed}\n"
WHOLE = (
    "start: {role: asker, name: {zh: 申请, en: Request}, requires: [note], before: pickup_at - 30m, calendar: always, "
    "source: D12, foreseen: true}\n"
)


def built(start: str) -> Procedure:
    return parse_document(HEAD + start + TAIL, file="p.yaml").build(structure_procedure)


def test_every_key_is_read_and_written_back():
    """What a document says is what Python says, and what `dump` writes."""
    procedure = built(WHOLE)
    assert procedure.start == StartRule(
        role="asker",
        name=Text("申请", "Request"),
        requires=("note",),
        before="pickup_at - 30m",
        calendar="always",
        source="D12",
        foreseen=True,
    )
    assert "start:\n  role: asker\n  name: {zh: 申请, en: Request}\n  requires: [note]\n" in dump(procedure)
    assert parse_document(dump(procedure)).build(structure_procedure) == procedure
    assert (("start", "calendar"), "always") in set(calendar_names(procedure))


def test_a_procedure_without_it_is_written_as_ever():
    """Neither the text nor the digest knows of the key."""
    assert "start" not in dump(built(""))
    assert digest(built("")) == digest(built("enforce: {start: record}\n"))


@pytest.mark.parametrize(
    ("start", "place", "said"),
    [
        ("start: {}\n", "start", "'start' says nothing"),
        ("start: {role: askr}\n", "start.role", "there is no role 'askr'; did you mean asker?"),
        ("start: {before: pickup - 1h}\n", "start.before", "there is no field 'pickup'"),
        ("start: {before: note - 1h}\n", "start.before", "field note is no instant"),
        ("start: {before: pickup_at + 1h}\n", "start.before", "write before: pickup_at - 1h"),
        ("start: {before: pickup_at - 2cd}\n", "start.before", "an anchor does not reckon in 2cd"),
        ("start: {before: pickup_at - 900y}\n", "start.before", ""),
        ("start: {before: open_at - 1h}\n", "start.before", "give the field open_at required: true, or add requires: [open_at]"),
        ("start: {role: asker, calendar: always}\n", "start.calendar", "only for 'before'"),
        ("start: {role: asker, source: D9}\n", "start.source", "there is no source 'D9'"),
        ("start: {role: asker, foreseen: maybe}\n", "start.foreseen", "true or false"),
        ("start: {role: asker, requires: note}\n", "start.requires", "a list"),
        ("start: {who: asker}\n", "start.who", "there is no key 'who' here"),
        ("enforce: {start: warn}\n", "enforce.start", "refuse"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_what_to_write(start: str, place: str, said: str):
    """In both languages."""
    with pytest.raises(svcflow.DeclarationError) as caught:
        built(start)
    texts = [problem.text("en") for problem in caught.value.problems]
    assert any(place in text and said in text for text in texts), texts
    assert all(problem.message.zh for problem in caught.value.problems)


def test_a_field_that_comes_with_the_start_may_carry_the_notice():
    """It need not be required of the whole instance."""
    assert built("start: {before: open_at - 1h, requires: [open_at]}\n").start is not None


def test_nobody_foresees_where_only_who_asks_has_a_role():
    """The provider has to have a name in the procedure."""
    with pytest.raises(svcflow.DeclarationError, match="could foresee"):
        Procedure(
            id="p",
            roles=[Role("asker")],
            start=StartRule(role="asker", foreseen=True),
            steps=[Step("a", end="completed")],
        )


def test_a_move_has_no_rule_of_the_start():
    """`enforce` of a transition knows the rules of moves only."""
    with pytest.raises(svcflow.DeclarationError, match="there is no rule 'start'"):
        parse_document(
            HEAD + "steps:\n  a: {to: {go: {step: e, enforce: {start: refuse}}}}\n  e: {end: completed}\n"
        ).build(structure_procedure)


def test_a_change_of_the_start_is_named_and_breaks_nothing_that_runs():
    """Whoever runs has started: a migration judges no start again."""
    found = svcflow.diff(built(""), built(WHOLE + "enforce: {start: refuse}\n"))
    assert found.text("en").splitlines() == [
        "p v1 → p v1: 2 changes, 0 breaking for running instances",
        "≠ enforcement › start: record → refuse",
        "＋ start: Request",
    ]
    later = built(WHOLE.replace("30m", "1h").replace("asker", "clerk"))
    assert svcflow.diff(built(WHOLE), later).text("zh").splitlines() == [
        "p v1 → p v1：2 处不同，0 处影响在办实例",
        "≠ 启动 › role：asker → clerk",
        "≠ 启动 › before：pickup_at - 30m → pickup_at - 1h",
    ]


def test_notice_in_words():
    """With the name of the field, in both languages; nothing where none is declared."""
    fields = built(WHOLE).fields
    assert notice_text(StartRule(before="pickup_at"), fields) == Text("最迟在pickup_at前", "before pickup_at")
    assert notice_text(StartRule(before="pickup_at - 2h"), fields) == Text(
        "最迟在pickup_at 前 2小时", "2 hours before pickup_at at the latest"
    )
    assert notice_text(StartRule(role="asker"), fields) == Text()
    assert Enforce().start == "record"


def test_a_parameter_may_say_how_early():
    """An institution sets another notice, and what is written names the parameter."""
    declared = built("parameters: {notice: 30m}\nstart: {before: pickup_at - notice}\n")
    assert "before: pickup_at - notice" in dump(declared)
    assert declared.start is not None
    assert str(declared.start.before) == "pickup_at - 30m"
    longer = declared.with_parameters({"notice": "2h"})
    assert longer.start is not None
    assert str(longer.start.before) == "pickup_at - 2h"
