"""Mistakes of writing are told where they stand, in both languages, with what to write instead."""

from __future__ import annotations

import time

import pytest

from svcflow.errors import DeclarationError
from svcflow.model.yaml.document import parse_document
from svcflow.model.yaml.parse import structure_procedure
from svcflow.worktime import WorkCalendar

HEAD = "procedure: p\n"
TAIL = "steps:\n  a: {to: {go: e}}\n  e: {end: completed}\n"
STEPS = "steps:\n  a: {%s, to: {go: e}}\n  e: {end: completed}\n"
GUARD = (
    "fields: {k: {type: choice, choices: [water, power]}, fee: {type: number}}\n"
    "steps:\n  a: {to: {go: {step: e, when: '%s'}}}\n  e: {end: completed}\n"
)
ROWS = "steps:\n  a: {to: {go: %s}}\n  e: {end: completed}\n"
CALENDAR = "calendar: c\ntimezone: Asia/Shanghai\ncovers: {from: 2026-01-01, to: 2026-12-31}\n"


def built(text: str) -> object:
    document = parse_document(text, file="p.yaml")
    return document.build(WorkCalendar.from_mapping if document.kind == "calendar" else structure_procedure)


def told(text: str) -> list[str]:
    """Return what is said of a document in English, and be sure that Chinese says as much."""
    with pytest.raises(DeclarationError) as caught:
        built(text)
    assert all(problem.message.zh and problem.line for problem in caught.value.problems)
    assert all(bool(problem.remedy.zh) == bool(problem.remedy.en) for problem in caught.value.problems)
    return [problem.text("en").removeprefix("p.yaml:") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("procedure: i\nsteps：\n  a: {end: done}\n", "2:6", "a full-width ：; write : and a space"),
        ("procedure：i\nsteps:\n  a: {end: done}\n", "1:10", "a full-width ："),
        (HEAD + "name：报修\n" + TAIL, "2:5", "a full-width ："),
        (HEAD + "steps:\n  a:\n    end：done\n    name: x\n", "4:8", "a full-width ："),
        (HEAD + "steps:\n  a: {within: 30m， to: {go: e}}\n", "3:18", "a full-width ，; write , and a space"),
        (HEAD + "steps:\n  a: ｛within: 30m, to: {go: e}｝\n", "3:6", "a full-width ｛; write {"),
        (HEAD + "steps:\n  a: {to: {go: e}｝\n  e: {end: done}\n", "3:18", "a full-width ｝; write }"),
        (HEAD + "steps:\n  a: {evidence: [照片］, to: {go: e}}\n", "3:20", "a full-width ］; write ]"),
        (HEAD + "steps:\n\u3000\u3000a: {to: {go: e}}\n  e: {end: done}\n", "3:1", "a full-width space; write a plain space"),
        (HEAD + "steps:\n\u00a0\u00a0a: {to: {go: e}}\n  e: {end: done}\n", "3:1", "a no-break space"),
        (HEAD + "＃ 注释\n" + TAIL, "2:1", "a full-width ＃; write #"),
        (HEAD + "name: {zh: 说明（一）：好，的, en: Fine}\nowner：甲\n" + TAIL, "3:6", "a full-width ："),
        (HEAD + "name:报修\n" + TAIL, "2:5", "no space after the colon; write name: 报修"),
        (HEAD + "just a line\n" + TAIL, "2:1", "neither 'key: value' nor an item"),
        (HEAD + "purpose: 目的: 及时\n" + TAIL, "2:12", "put the whole value in quotes"),
        (HEAD + "name: {zh: 楼, en: Building #3}\n" + TAIL, "2:28", "a space and a # is a comment"),
        (HEAD + "name: %x\n" + TAIL, "2:7", "cannot begin with %"),
        (HEAD + "indicators: {x: {target: >= 95%}}\n" + TAIL, "2:26", "cannot begin with >"),
        (HEAD + "indicators:\n  x:\n    target: >= 95%\n" + TAIL, "4:13", "cannot begin with >"),
        (HEAD + "name: !重要\n" + TAIL, "2:7", "cannot begin with !"),
        (HEAD + "name: *x\n" + TAIL, "2:7", "put text that begins with * or & in quotes"),
        (HEAD + 'name: "报修\n' + TAIL, "2:7", "the quotation mark is not closed"),
        (HEAD + 'name: "a\\qb"\n' + TAIL, "2:10", "use single quotes"),
        (HEAD + "steps:\n\ta: {end: done}\n", "3:1", "here stands a tab; indent and separate with spaces"),
        (HEAD + "steps:\n  a:\t{end: done}\n", "3:5", "here stands a tab"),
        (HEAD + "steps:\n  a:\n    to: {go: e}\n   within: 30m\n", "5:4", "align the keys of one level"),
        (HEAD + " name: x\n" + TAIL, "2:2", "align the keys of one level"),
        (HEAD + "steps:\n  a: {to: {go: e}\n  e: {end: done}\n", "4:3", "the { opened at 3:6 is not closed"),
        (HEAD + "steps:\n  a: {to: {go: e}}}\n", "3:19", "a } closes nothing"),
        (HEAD + "recipients: - staff\n" + TAIL, "2:13", "begin it on the next line"),
        (HEAD + "steps:\n  a: {to: {go: {step: e, when: k in ['x']}}}\n", "3:37", "a value without quotes has a [ in it"),
        (HEAD + 'name: "甲" 乙\n' + TAIL, "2:11", 'text goes on after the "'),
        (HEAD + "a: 1\nb: 2\na: 3\n" + TAIL, "4:1", "the key 'a' stands twice, first on line 2"),
    ],
)  # fmt: skip
def test_text_that_is_no_yaml_is_explained_where_the_writer_went_wrong(text, place, said):
    """The place is that of the character, not of the line at which the parser gave up."""
    (first, *_) = told(text)
    assert first.startswith(f"{place}")
    assert said in first


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (STEPS % "within： 30m", "3:7 steps.a.within： 30m: there is no key 'within： 30m' here; it has a full-width ：; write within: 30m"),
        (STEPS % "within:30m", "put a space after the colon: within: 30m"),
        (STEPS % "name: {zh: 好, 的}", 'inside {} a comma begins another key; put a text with a comma in quotes: zh: "好, 的"'),
        (STEPS % "name: 甲,乙", 'put a text with a comma in quotes: name: "甲, 乙"'),
        (STEPS % "within: 三天", "write 3wd (working day), 3cd (calendar day), 72h or 24wh"),
        (STEPS % "within: 1个工作日", "write 1wd"),
        (STEPS % "within: 半天", "write 12h or 4wh"),
        (STEPS % "within: 半小时", "write 0.5h (elapsed) or 0.5wh (working)"),
        (STEPS % "within: 1年", "write 1y"),
        (STEPS % "within: 1h30m", "write 90m"),
        (STEPS % "within: 30 m", "write 30m"),
        (STEPS % "within: 30ｍ", "write 30m"),
        (STEPS % "within: {wd: 1, warn: [75％]}", "it has a full-width ％; write 75%"),
        (STEPS % "within: {wd: 1, warn: [75]}", "write 75%"),
        (STEPS % "within: {wd: 1, warn: 75%}", "write [75%]"),
        (STEPS % 'within: {by: "9:30"}', "'9:30' is no time of day; write \"09:30\""),
        (STEPS % "within: {by: 9:30}", 'write "09:30"'),
        (STEPS % "within: {by: 17：30}", 'write "17:30"'),
        (STEPS % "within: {by: 下午5点半}", 'write "17:30"'),
        (STEPS % 'within: {by: "24:00"}', 'write "23:59"'),
        (STEPS % "within: {by: noon}", 'write it as "17:00"'),
        (STEPS % "evidence: 照片、签字", "write [照片, 签字]"),
        (STEPS % "role: 12", 'takes text, not 12; write "12"'),
        (STEPS % "not_by: 12", 'takes a step, or a list such as [a, b], not 12; write "12"'),
        (STEPS % "not_by: [12]", 'takes text, not 12; write "12"'),
        ("steps:\n  - a: {to: {go: e}}\n", "leave out the dashes"),
        ("steps:\n  a: {to: e}\n  e: {end: done}\n", "write {trigger: e}, such as {go: e}"),
        ("steps:\n  e:\n    end：completed\n", "write a plain colon and a space: end: completed"),
        ("recipients:\n  -staff\n  -leaders\n" + TAIL, "write [staff, leaders]"),
        ("fields: {a: {required: 是}}\n" + TAIL, "write true"),
        ("version: '1'\n" + TAIL, "write 1"),
        ("effective: 2026年1月1日\n" + TAIL, "write 2026-01-01"),
        ("roles: {dispatcher: 调度员}\n" + STEPS % "role: dispacher", "did you mean dispatcher?"),
        (STEPS.replace("a:", "Spare-Parts:") % "evidence: [x]", "such as spare_parts"),
        ("version: true\n" + TAIL, "takes a whole number, not True"),
        ("fields: {k: {type: choice, choices: 甲}}\n" + TAIL, "fields.k.choices"),
        ("fields: {k: {type: choice, choices: {a: 1}}}\n" + TAIL, "fields.k.choices.a: takes text"),
        ("fields: {k: {type: choice, choices: {a: {cn: 甲}}}}\n" + TAIL, "fields.k.choices.a.cn: there is no key 'cn' here"),
        ("fields: {k: {type: choice, choices: [a, {b: 乙}]}}\n" + TAIL, "fields.k.choices[1]: takes text"),
        ("fields: {k: {stands_for: room}}\n" + TAIL, "fields.k.stands_for"),
        ("excellence: {cost_effect: small}\n" + TAIL, "excellence.cost_effect"),
        ("indicators: {i: {of: overdue, exclude: [{when: 'True'}]}}\n" + TAIL,  "indicators.i.exclude[0]: the key 'reason' is missing"),
        (ROWS % "{otherwise: refuse, name: The rule}", "'otherwise' needs rows with guards before it"),
        (ROWS % "[{otherwise: refuse, name: The rule}]", "write the rows with 'when' first"),
        (
            ROWS % "[{otherwise: refuse, name: The rule}, {step: e, when: True}]",
            "steps.a.to.go[0]: 'otherwise' is the last row; write the rows with 'when' first",
        ),
        (
            ROWS % "[{step: e, when: True, otherwise: refuse}]",
            "steps.a.to.go[0].otherwise: 'otherwise' is a row of its own",
        ),
        (
            ROWS % "[{step: e, when: True}, {otherwise: record, name: The rule}]",
            "steps.a.to.go[1].otherwise: 'record' is not allowed; write one of refuse",
        ),
        (ROWS % "[{step: e, when: True}, {otherwise: refuse, nam: The rule}]", "did you mean name?"),
        (ROWS % "[{step: e, when: True}, {otherwise: refuse}]", "steps.a.to.go[1]: a refusal says by which rule"),
        (ROWS % "[e, {otherwise: refuse, name: The rule}]", "steps.a.to.go[1]: a row has no guard"),
    ],
)  # fmt: skip
def test_a_value_that_people_write_otherwise_is_told_how_it_is_written_here(text, said):
    """What was meant is written out wherever it can be told."""
    assert any(said in line for line in told(HEAD + text)), told(HEAD + text)


@pytest.mark.parametrize(
    ("guard", "said"),
    [
        ('k = "water"', 'did you mean k == "water"?'),
        ("k == “water”", 'did you mean k == "water"?'),
        ('fee ≥ 200 && k != "water"', 'did you mean fee >= 200 and k != "water"?'),
        ("fee＞200", "did you mean fee>200?"),
        ("fee <> 200", "did you mean fee != 200?"),
        ("fee => 200", "did you mean fee >= 200?"),
        ("fee > 200 且 fee < 300", "did you mean fee > 200 and fee < 300?"),
        ("fee > 200 OR fee < 3", "did you mean fee > 200 or fee < 3?"),
        ("fee > 200元", "did you mean fee > 200?"),
        ("k == water", 'a choice stands in quotes: write "water"'),
        ("k == true", "write True"),
        ("k == kk", "did you mean k?"),
        ("(fee > 2", "( is never closed"),
    ],
)  # fmt: skip
def test_a_guard_is_told_as_it_was_meant(guard, said):
    """Operators and quotes of other languages and input methods are known; a text in quotes is left alone."""
    assert said in "\n".join(told(HEAD + GUARD % guard))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('weekly: {mon-fri: ["9：00－17：00"]}\n', 'write "09:00-17:00"'),
        ('weekly: {mon-fri: ["9:00~17:00"]}\n', 'write "09:00-17:00"'),
        ("weekly: {mon-fri: [9点至17点30分]}\n", 'write "09:00-17:30"'),
        ('weekly: {周一至周五: ["9:00-17:00"]}\n', "write mon-fri"),
        ('weekly: {mon-fri: ["9:00-17:00"]}\nholidays: [{date: 2026/12/24}]\n', "write 2026-12-24"),
        (
            'weekly: {mon-fri: ["9:00-17:00"]}\nholidays: [{date: 2026-12-24, hours: ["09:00-13:00"]}]\n',
            'days: [{date: 2026-12-24, hours: ["09:00-13:00"]}]',
        ),
        (
            'weekly: {mon-fri: ["9:00-17:00"]}\nholidays: [{date: 2026-12-24}]\ndays: [{date: 2026-12-24, hours: ["09:00-13:00"]}]\n',
            "a day of other hours stands under days only",
        ),
    ],
)  # fmt: skip
def test_a_calendar_is_told_how_hours_days_and_half_days_are_written(text, said):
    """A half day is a day of other hours, and stands under no holiday."""
    assert any(said in line for line in told(CALENDAR + text)), told(CALENDAR + text)


def test_documents_full_of_misspelt_names_are_told_of_in_time_that_grows_with_them():
    """Twice the mistakes take about twice the time; each has its suggestion."""

    def seconds(count: int) -> float:
        steps = "".join(f"  step_{n}: {{to: {{go: setp_{n}}}}}\n" for n in range(count))
        document = parse_document(f"{HEAD}steps:\n{steps}")
        begun = time.process_time()
        with pytest.raises(DeclarationError) as caught:
            document.build(structure_procedure)
        assert caught.value.problems[17].remedy.en == "did you mean step_17?"
        assert len(caught.value.problems) == count
        return time.process_time() - begun

    seconds(20)
    assert seconds(1600) < 16 * seconds(400)


def test_a_normally_written_document_of_2000_steps_is_read():
    """The bound on what a document holds is met by its bytes, not by its steps."""
    steps = "".join(
        f"  s{n}:\n    name: {{zh: 第{n}步, en: Step {n}}}\n    role: clerk\n    within: {{wd: 1, source: proposal, warn: [75%]}}\n"
        f"    to:\n      go: {{step: s{n + 1}, name: {{zh: 前进, en: Go on}}}}\n      back: {{step: s0, kind: rework}}\n"
        for n in range(1999)
    )
    text = f"{HEAD}roles: {{clerk: {{zh: 办事员, en: Clerk}}}}\nsteps:\n{steps}  s1999: {{end: completed}}\n"
    assert len(parse_document(text).build(structure_procedure).steps) == 2000
