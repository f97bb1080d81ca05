"""The worklist through the command line: lists of work, claims, assignments, delegations."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_answers import LAMP, LATER, parsed

from svcflow.text_table import cells

WORK = {
    "instance", "procedure", "version", "step", "role", "assignee", "entered_at", "due_at", "overdue", "recipient", "group", "data", "child", "parent",
}  # fmt: skip
DELEGATION = {
    "id", "giver", "taker", "roles", "procedures", "since_at", "until_at", "revoked_at", "status",
}  # fmt: skip
GIVE = ("delegation", "give", "li", "--actor", "d:desk", "--role", "desk", "--id", "absence")
UNTIL = ("--until", "2026-03-14T00:00+08:00")


def waiting(result) -> list[tuple[str, str, str | None]]:
    return [(one["instance"], one["step"], one["assignee"]) for one in parsed(result)["work"]]


@pytest.fixture
def absence(svc, lamp) -> str:
    """Let `li` act for `d` at the desk until the 14th, and return the delegation's id."""
    svc(*GIVE, *UNTIL)
    return "absence"


def test_the_worklist_gives_what_waits_the_soonest_due_first(svc, lamp):
    """As JSON: the step, its role, who has it, since when and until when."""
    svc("start", "lamp", "-d", "place=roof", "--id", "lamp-2", at="2026-03-02T08:00+08:00")
    found = parsed(svc("worklist", "--json"))
    assert [one["instance"] for one in found["work"]] == ["lamp-2", "lamp-1"]
    assert found["work"][1] == {
        "instance": "lamp-1", "procedure": "lamp", "version": 1, "step": "asked", "role": "desk",
        "assignee": None, "entered_at": "2026-03-02T01:00:00+00:00", "due_at": "2026-03-02T03:00:00+00:00",
        "overdue": False, "recipient": None, "group": None, "data": {"place": "hall", "urgent": False}, "child": None, "parent": None,
    }  # fmt: skip
    assert set(found["work"][0]) == WORK
    assert found["after"] is None
    assert [one["overdue"] for one in parsed(svc("worklist", "--json", at=LATER))["work"]] == [True, True]


@pytest.mark.parametrize(
    ("lang", "row"),
    [
        ("zh", "lamp-1  换灯  已报  受理台  03-02 09:00+08  03-02 11:00+08  超 4小时30分"),
        ("en", "lamp-1    Lamp       Asked  Desk  03-02 09:00+08  03-02 11:00+08  over 4 h 30 min"),
    ],
)
def test_the_worklist_is_told_in_the_words_of_the_procedure(svc, lamp, lang, row):
    """Names in the asked language, instants on the calendar's clock; what is overdue is marked."""
    text = svc("worklist", "--lang", lang, at=LATER).stdout
    assert text.splitlines()[2].strip() == row
    assert "with" not in text.lower()  # nobody has it, so there is no column for who


def test_the_columns_that_were_asked_for_are_left_out(svc, lamp):
    """A list of one procedure does not repeat its name."""
    assert "Procedure" in svc("worklist").stdout
    assert "Procedure" not in svc("worklist", "--procedure", "lamp").stdout


def test_a_full_worklist_fits_the_terminal_and_cuts_no_id(svc):
    """Ids are there to be copied: the names give way to them. What began in another year says so."""
    text = LAMP.replace("en: Lamp}", "en: A lamp to be changed}").replace(
        "en: Asked}", "en: Asked by somebody}"
    )
    (Path("procedures") / "lamp.yaml").write_text(
        text.replace("en: Desk}", "en: Desk of the house}"), encoding="utf-8"
    )
    svc("start", "lamp", "-d", "place=hall", "--id", "lamp-AR2A4VHDV140XZ", at="2026-01-05T09:00+08:00")
    svc("assign", "lamp-AR2A4VHDV140XZ", "desk-17")
    for lang in ("zh", "en"):
        lines = svc("worklist", "--lang", lang).stdout.splitlines()
        assert lines[2].split()[0] == "lamp-AR2A4VHDV140XZ"
        assert {"desk-17", "01-05", "11:00+08"} <= {*lines[2].split()}
        assert max(map(cells, lines)) <= 100, lines
    assert " 2026-01-05 11:00+08 " in svc("worklist", at="2027-03-02T09:00+08:00").stdout


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), ["lamp-1", "t"]),
        (("--actor", "x:desk"), ["lamp-1"]),
        (("--actor", "x:desk,guide"), ["lamp-1", "t"]),
        (("--actor", "x:desk,guide", "--role", "guide"), ["t"]),
        (("--actor", "x"), []),
        (("--role", "guide"), ["t"]),
        (("--procedure", "lamp"), ["lamp-1"]),
        (("--limit", "1"), ["lamp-1"]),
    ],
    ids=" ".join,
)
def test_the_worklist_is_narrowed_down(svc, lamp, tour, options, expected):
    """By who asks, by role, by procedure, by number."""
    found = parsed(svc("worklist", "--json", *options))
    assert [one["instance"] for one in found["work"]] == expected
    assert (found["after"] is not None) is ("--limit" in options)


def test_a_worklist_goes_on_where_a_page_ended_and_an_empty_one_is_a_sentence(svc, lamp, tour):
    """In both languages; the pages together are the whole list."""
    first = parsed(svc("worklist", "--limit", 1, "--json"))
    assert f"There are more: add --after {first['after']}" in svc("worklist", "--limit", 1).stdout
    assert "下一页加 --after" in svc("worklist", "--limit", 1, "--lang", "zh").stdout
    second = parsed(svc("worklist", "--limit", 1, "--after", first["after"], "--json"))
    assert first["work"] + second["work"] == parsed(svc("worklist", "--json"))["work"]
    assert second["after"] is None
    assert svc("worklist", "--actor", "x").stdout == "no work waits\n"
    assert svc("worklist", "--actor", "x", "--lang", "zh").stdout == "没有待办\n"


def test_claimed_work_is_in_ones_own_list_only(svc, lamp):
    """A claim takes it from the others, a release gives it back; the answer says who has it."""
    claimed = parsed(svc("claim", lamp, "--actor", "d:desk", "--json"))
    assert claimed["instance"]["assignees"] == {"asked": "d"}
    assert waiting(svc("worklist", "--actor", "d:desk", "--json")) == [("lamp-1", "asked", "d")]
    assert waiting(svc("worklist", "--actor", "e:desk", "--json")) == []
    svc("fire", lamp, "accept", "--actor", "e:desk", exit_code=3)
    assert "Asked (with d)" in svc("show", lamp).stdout
    assert "已报（d 办理）" in svc("show", lamp, "--lang", "zh").stdout
    svc("release", lamp, "--actor", "d:desk", "--reason", "ill")
    assert waiting(svc("worklist", "--actor", "e:desk", "--json")) == [("lamp-1", "asked", None)]
    assert "released: Asked (ill)" in svc("show", lamp, "--journal").stdout


def test_work_is_assigned_with_a_reason(svc, lamp):
    """Once is enough with a command id; the reason is in the journal, and the step is the assignee's."""
    args = ("assign", lamp, "e", "--step", "asked", "--reason", "knows the hall", "--actor", "d:desk")
    for _ in range(2):
        svc(*args, "--command-id", "c1", "--expect", 1)
    journal = parsed(svc("show", lamp, "--journal", "--json"))["journal"]
    assert [(one["kind"], one.get("reason")) for one in journal[1:]] == [("Assigned", "knows the hall")]
    assert waiting(svc("worklist", "--actor", "e:desk", "--json")) == [("lamp-1", "asked", "e")]
    svc("assign", lamp, "f", "--expect", 9, exit_code=3)
    svc("assign", lamp, "f", "--step", "fitted", exit_code=3)


def test_a_delegate_acts_for_the_giver(svc, lamp, absence):
    """`--for` gives the delegated roles only; the journal and `show` name both."""
    assert waiting(svc("worklist", "--actor", "li", "--json")) == []
    for more in ((), ("--procedure", "lamp"), ("--role", "desk")):
        found = svc("worklist", "--actor", "li", "--for", "d", *more, "--json")
        assert waiting(found) == [("lamp-1", "asked", None)]
    svc("claim", lamp, "--actor", "li:fitter", "--for", "d")
    assert waiting(svc("worklist", "--actor", "li", "--for", "d", "--json")) == []
    assert waiting(svc("worklist", "--actor", "li", "--json")) == [("lamp-1", "asked", "li")]
    svc("fire", lamp, "accept", "--actor", "li", "--for", "d")
    moved = parsed(svc("show", lamp, "--journal", "--json"))["journal"][-1]
    assert (moved["actor"], moved["behalf"]) == ("li", "d")
    assert "li for d" in svc("show", lamp, "--journal").stdout
    assert "li 代 d" in svc("show", lamp, "--journal", "--lang", "zh").stdout


def test_the_work_of_a_giver_is_that_of_the_delegated_procedures(svc, lamp, tour):
    """Of several procedures only those count that were delegated; the soonest due comes first, up to the limit."""
    svc("start", "lamp", "-d", "place=roof", "--id", "lamp-0", at="2026-03-02T08:00+08:00")
    svc(*GIVE[:4], "d:desk,guide", "--role", "desk", "--role", "guide", *UNTIL, "--procedure", "lamp")
    args = ("worklist", "--actor", "li", "--for", "d", "--json")
    assert [one[0] for one in waiting(svc(*args))] == ["lamp-0", "lamp-1"]
    svc(*GIVE[:4], "d:guide", "--role", "guide", *UNTIL, "--procedure", "tour")
    assert [one[0] for one in waiting(svc(*args))] == ["lamp-0", "lamp-1", "t"]
    assert [one[0] for one in waiting(svc(*args, "--limit", 2))] == ["lamp-0", "lamp-1"]
    after = parsed(svc(*args, "--limit", 2))["after"]
    assert [one[0] for one in waiting(svc(*args, "--limit", 2, "--after", after))] == ["t"]


@pytest.mark.parametrize(
    ("args", "exit_code", "said"),
    [
        (("worklist", "--actor", "li", "--for", "x"), 3, ("没有有效的委托", "no delegation is in force")),
        (
            ("worklist", "--actor", "li", "--for", "x", "--procedure", "lamp"),
            3,
            ("对 lamp 没有有效的委托", "for lamp"),
        ),
        (
            ("claim", "lamp-1", "--actor", "li", "--for", "x"),
            3,
            ("对 lamp 没有有效的委托", "for lamp is in force"),
        ),
        (("fire", "lamp-1", "accept", "--for", "d"), 2, ("没有指明谁代办", "who acts with --actor")),
        (("worklist", "--for", "d"), 2, ("没有指明谁代办", "who acts with --actor")),
        (("claim", "lamp-1"), 2, ("缺少 --actor", "--actor is missing")),
        (("claim", "lamp-1", "--actor", "f:fitter"), 3, ("refused: role", "refused: role")),
        (("claim", "lamp-9", "--actor", "li", "--for", "d"), 3, ("没有流程实例", "no instance")),
        (("release", "lamp-1"), 3, ("没有分派给谁", "assigned to nobody")),
        (("worklist", "--role", "fiter"), 2, ("是否指 fitter", "did you mean fitter?")),
        (("worklist", "--procedure", "lmap"), 3, ("lmap", "lmap")),
        ((*GIVE, *UNTIL, "--role", "fitter"), 3, ("不是委托人自己的岗位", "no roles of the giver")),
        ((*GIVE, *UNTIL, "--procedure", "lmap"), 3, ("lmap", "lmap")),
        ((*GIVE, "--until", "2026-03-02T09:00+08:00"), 3, ("终止须晚于起始", "end after it begins")),
        (
            ("delegation", "revoke", "none"),
            3,
            ("没有委托“none”；用 `svcflow delegation list` 查看", "see `svcflow delegation list`"),
        ),
    ],
    ids=lambda one: " ".join(one[:3]) if isinstance(one, tuple) and len(one) > 2 else "",
)
def test_what_cannot_be_done_is_explained(svc, lamp, args, exit_code, said):
    """In the asked language, with 2 for a wrong call and 3 for what is refused or unknown."""
    for lang, words in zip(("zh", "en"), said, strict=True):
        assert words in svc(*args, "--lang", lang, exit_code=exit_code).stderr


def test_a_delegation_is_given_listed_and_taken_back(svc, absence):
    """Given again under its id it is the same; revoked, it stays on record."""
    assert parsed(svc(*GIVE, *UNTIL, "--json"))["delegation"]["id"] == absence
    (one,) = parsed(svc("delegation", "list", "--giver", "d", "--taker", "li", "--json"))["delegations"]
    assert one == {
        "id": "absence", "giver": "d", "taker": "li", "roles": ["desk"], "procedures": [],
        "since_at": "2026-03-02T01:00:00+00:00", "until_at": "2026-03-13T16:00:00+00:00",
        "revoked_at": None, "status": "in_force",
    }  # fmt: skip
    assert set(one) == DELEGATION
    revoked = parsed(svc("delegation", "revoke", absence, "--json", at=LATER))["delegation"]
    assert (revoked["status"], revoked["revoked_at"]) == ("revoked", "2026-03-02T07:30:00+00:00")
    assert "revoked" in svc("delegation", "list").stdout
    assert "已撤回" in svc("delegation", "list", "--lang", "zh").stdout
    assert svc("delegation", "list", "--giver", "li").stdout == "no delegations\n"
    assert svc("delegation", "list", "--taker", "d", "--lang", "zh").stdout == "没有委托\n"


@pytest.mark.parametrize(
    ("at", "zh", "en"),
    [
        ("2026-03-02T09:00+08:00", "未开始", "coming"),
        ("2026-03-09T00:00+08:00", "有效", "in force"),
        ("2026-03-14T00:00+08:00", "已到期", "over"),
    ],
    ids=["before", "during", "after"],
)
def test_a_delegation_says_whether_it_is_in_force(svc, lamp, at, zh, en):
    """From its beginning up to, not at, its end."""
    svc(*GIVE, *UNTIL, "--since", "2026-03-09T00:00+08:00", "--procedure", "lamp")
    assert zh in svc("delegation", "list", "--lang", "zh", at=at).stdout
    assert en in svc("delegation", "list", at=at).stdout
    assert "2026" not in svc("delegation", "list", at=at).stdout
    assert "2026-03-0" in svc("delegation", "list", at="2027-03-14T00:00+08:00").stdout


@pytest.mark.usefixtures("lamp")
@pytest.mark.parametrize(
    ("args", "zh", "en"),
    [
        ((), "岗位写在编号之后：--actor x:岗位", "roles stand behind the id: --actor x:ROLE"),
        (("--role", "desk"), "--actor x:desk", "--actor x:desk"),
    ],
    ids=["no role", "role asked for"],
)
def test_who_gives_no_roles_is_told_that_the_list_is_short_for_it(svc, args, zh, en):
    """An empty worklist would look like a day off; programs read what they read before."""
    for lang, said in (("zh", zh), ("en", en)):
        answer = svc("worklist", "--actor", "x", *args, "--lang", lang)
        assert said in answer.stderr
        assert said not in answer.stdout
    assert parsed(svc("worklist", "--actor", "x", *args, "--json")) == {"work": [], "after": None}
    assert not svc("worklist", "--actor", "x:desk", *args).stderr


@pytest.mark.parametrize("name", ["", " ", "\u200b", "\u3000\u2060"], ids=ascii)
def test_who_has_no_name_acts_on_no_command_line(svc, lamp, name):
    """Blanks in front of the roles name nobody; without `--actor` nobody acts, and no role is theirs."""
    for args in (("fire", lamp, "accept"), ("claim", lamp), ("worklist",), ("show", lamp)):
        said = svc(*args, "--actor", f"{name}:desk", exit_code=2).stderr
        assert "id:role" in said
        assert "编号" in svc(*args, "--actor", f"{name}:desk", "--lang", "zh", exit_code=2).stderr
    said = svc("fire", lamp, "accept", exit_code=3).stderr
    assert "it is not said who acts" in said
    assert "name who acts (--actor ID:ROLE)" in said
    assert (
        "指明由谁办理（--actor 编号:岗位）" in svc("fire", lamp, "accept", "--lang", "zh", exit_code=3).stderr
    )
    assert svc("assign", lamp, name, exit_code=None).exit_code != 0
    assert parsed(svc("show", lamp, "--json"))["instance"]["steps"] == ["asked"]


def test_a_misspelt_role_is_asked_about(svc, lamp):
    """Where a rule refuses it, and where it would list nothing."""
    assert (
        "did you mean desk? (--actor ID:ROLE)"
        in svc("fire", lamp, "accept", "--actor", "d:dsek", exit_code=3).stderr
    )
    assert "是否指 desk？" in svc("claim", lamp, "--actor", "d:dsek", "--lang", "zh", exit_code=3).stderr
    listed = svc("worklist", "--actor", "d:dsek")
    assert listed.stdout == "no work waits\n"
    assert listed.stderr == "there is no role 'dsek'; did you mean desk?\n"
    assert "没有岗位 dsek；是否指 desk？" in svc("worklist", "--actor", "d:dsek", "--lang", "zh").stderr
    assert svc("worklist", "--actor", "d:desk").stderr == ""


def test_what_a_deputy_has_is_told_as_long_as_it_lasts(svc, lamp):
    """After the delegation nobody has it: not in the answer, not in the list, not in JSON."""
    give = ("delegation", "give", "f", "--actor", "d:desk", "--role", "desk", "--id", "march")
    svc(*give, "--since", "2026-03-02T08:00+08:00", "--until", "2026-03-03T08:00+08:00")
    svc("claim", lamp, "--actor", "f", "--for", "d")
    assert "Asked (with f)" in svc("show", lamp).stdout
    assert waiting(svc("worklist", "--actor", "f", "--json")) == [("lamp-1", "asked", "f")]
    later = "2026-03-03T08:00+08:00"
    assert waiting(svc("worklist", "--actor", "f", "--json", at=later)) == []
    assert "(with f)" not in svc("show", lamp, at=later).stdout
    assert parsed(svc("show", lamp, "--json", at=later))["instance"]["assignees"] == {}
    assert waiting(svc("worklist", "--actor", "e:desk", "--json", at=later)) == [("lamp-1", "asked", None)]
