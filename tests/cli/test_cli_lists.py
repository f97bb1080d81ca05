"""Lists of instances and deviations through the command line: filters, pages, counts, answers to deviations."""

from __future__ import annotations

import pytest
from cli_answers import LATER, parsed

from svcflow.text_table import cells
from svcflow.wording import DEVIATIONS


@pytest.fixture
def lamps(svc) -> list[str]:
    """Start three lamps: `a` for staff, `b` for leaders, `c` accepted; all are late at 15:30."""
    names = ["a", "b", "c"]
    for number, (name, served) in enumerate(zip(names, ("r1:staff", "r2:leaders", "r1:staff"), strict=True)):
        svc(
            "start", "lamp", "-d", f"place=hall {number % 2}", "-d", f"watt={number * 20}", "--id", name,
            "--recipient", served, at=f"2026-03-02T09:0{number}+08:00",
        )  # fmt: skip
    svc("fire", "c", "accept", "--actor", "d:desk", at="2026-03-02T09:10+08:00")
    svc("tick", at=LATER)
    return names


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), "c b a"),
        (("--step", "asked"), "b a"),
        (("--role", "fitter"), "c"),
        (("--recipient", "r1"), "c a"),
        (("--group", "leaders"), "b"),
        (("--procedure", "lamp", "--data", "place=hall 0"), "c a"),
        (("--procedure", "lamp", "--data", "watt=20", "-d", "place=hall 1"), "b"),
        (("--since", "2026-03-02T09:01+08:00", "--until", "2026-03-02T09:02+08:00"), "b"),
    ],
    ids=" ".join,
)
def test_instances_are_listed_by_each_filter(svc, lamps, options, expected):
    """Each narrows the list down, and the count is that of the list."""
    found = parsed(svc("list", "--json", *options))["instances"]
    assert [one["id"] for one in found] == expected.split()
    assert svc("list", "--count", *options).stdout == f"{len(found)}\n"
    assert parsed(svc("list", "--count", "--json", *options)) == {"count": len(found)}


@pytest.mark.parametrize("command", ["list", "deviations"])
def test_pages_follow_each_other(svc, lamps, command):
    """Both the text and the JSON say how to go on, the last page that there is no more."""
    key, code = ("instances", 0) if command == "list" else ("deviations", 1)
    whole = parsed(svc(command, "--json", exit_code=code))
    assert whole["after"] is None
    seen, after = [], ()
    for _ in whole[key]:
        page = parsed(svc(command, "--limit", 1, *after, "--json", exit_code=code))
        text = svc(command, "--limit", 1, *after, exit_code=code).stdout
        assert (f"There are more: add --after {page['after']}" in text) is (page["after"] is not None)
        seen += page[key]
        after = ("--after", page["after"])
    assert (seen, page["after"]) == (whole[key], None)
    assert "下一页加 --after" in svc(command, "--limit", 1, "--lang", "zh", exit_code=code).stdout
    assert "no cursor" in svc(command, "--after", "x", exit_code=3).stderr


@pytest.mark.parametrize(
    ("args", "counts"),
    [
        (("list", "--count-by", "procedure"), {"lamp": 3}),
        (("list", "--count-by", "status", "--group", "staff"), {"running": 2}),
        (("list", "--count-by", "step"), {"asked": 2, "accepted": 1}),
        (("list", "--count-by", "role"), {"desk": 2, "fitter": 1}),
        (("list", "--count-by", "group"), {"staff": 2, "leaders": 1}),
        (("deviations", "--count-by", "kind"), {"overdue": 3}),
        (("deviations", "--count-by", "step", "--role", "fitter"), {"accepted": 1}),
        (("deviations", "--count-by", "status", "--group", "staff"), {"open": 2}),
    ],
    ids=" ".join,
)
def test_lists_are_counted_by_a_key(svc, lamps, args, counts):
    """The most first; counting deviations is no finding, so that it leaves with 0."""
    found = parsed(svc(*args, "--json"))["counts"]
    assert found == counts
    assert list(found) == list(counts)


@pytest.mark.parametrize(
    ("args", "row"),
    [
        (("list", "--count-by", "procedure"), ["lamp", "换灯", "3"]),
        (("list", "--count-by", "status"), ["running", "办理中", "3"]),
        (("list", "--count-by", "step"), ["asked", "已报", "2"]),
        (("list", "--count-by", "role", "--procedure", "lamp"), ["desk", "受理台", "2"]),
        (("list", "--count-by", "role"), ["desk", "受理台", "2"]),
        (("list", "--count-by", "group"), ["staff", "职工", "2"]),
        (("deviations", "--count-by", "kind"), ["overdue", "超时", "3"]),
        (("deviations", "--count-by", "status"), ["open", "未说明", "3"]),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else "",
)
def test_counts_are_told_with_the_names_of_their_keys(svc, lamps, args, row):
    """A step and a role have the names their procedures give them; a key that is its own word stands once."""
    assert svc(*args, "--lang", "zh").stdout.splitlines()[2].split() == row
    english = svc("deviations", "--count-by", "kind").stdout.splitlines()
    assert english[2].split() == ["overdue", "3"]


def test_what_is_due_is_listed_with_when(svc, lamps):
    """By elapsed time from now, what is overdue included; the table and the JSON say when."""
    at = "2026-03-02T11:01:00.000001+08:00"  # `b`, of two hours from 09:01, is a microsecond late

    def found(command, *options):
        key = {"list": "instances", "worklist": "work"}[command]
        return parsed(svc(command, "--json", *options, at=at))[key]

    for command, name in (("list", "id"), ("worklist", "instance")):
        assert sorted(one[name] for one in found(command, "--overdue")) == ["a", "b"]
        assert sorted(one[name] for one in found(command, "--due-within", "4h")) == ["a", "b", "c"]
        assert sorted(one[name] for one in found(command, "--overdue", "--role", "fitter")) == []
        assert "exclude each other" in svc(command, "--overdue", "--due-within", "1h", exit_code=2).stderr
        assert (
            "100 年，至多写 876600h"
            in svc(command, "--due-within", "99999999h", "--lang", "zh", exit_code=2).stderr
        )
        assert svc(command, "--due-within", "876600h", at="2199-12-31T20:00Z").stdout
        assert "30m、2h 或 1d" in svc(command, "--due-within", "2wh", "--lang", "zh", exit_code=2).stderr
    assert found("list", "--overdue")[0]["due_at"] == "2026-03-02T03:01:00+00:00"
    assert [one["overdue"] for one in found("worklist")] == [True, True, False]
    assert found("worklist")[0]["recipient"] == "r1"
    assert found("worklist")[0]["data"]["place"] == "hall 0"
    assert svc("list", "--overdue", "--count", at=at).stdout == "2\n"
    assert svc("list", "--due-within", "0m", "--count", at="2026-03-02T11:00+08:00").stdout == "0\n"
    text = svc("list", at=at).stdout
    assert "Due" in text.splitlines()[0]
    assert "2026-03-02 11:01+08" in text
    assert "no work is due" in svc("worklist", "--overdue", at="2026-03-02T09:10+08:00").stdout


@pytest.mark.parametrize(
    ("words", "zh", "en"),
    [
        (("--actor", "d：desk"), "“：”是全角符号，须用半角“:”", "full-width '：'; write ':'"),
        (("--actor", "d:desk，fitter"), "“，”是全角符号，须用半角“,”", "full-width '，'; write ','"),
        (("-d", "place＝hall"), "“＝”是全角符号，须用半角“=”", "full-width '＝'; write '='"),
        (
            ("-d", "place=a", "-d", "place=b"),
            "“place”给出了两次：“a”与“b”",
            "'place' is given twice: 'a' and 'b'",
        ),
        (("-e", "p=a", "-e", "p=b", "-d", "place=a"), "“p”给出了两次", "'p' is given twice"),
        (("--recipient", "r：staff"), "“：”是全角符号", "full-width '：'"),
    ],
)
def test_what_an_input_method_or_a_slip_wrote_is_named(svc, words, zh, en):
    """A full-width sign looks like the plain one; of a key given twice nobody knows which counts."""
    assert zh in svc("start", "lamp", *words, "--lang", "zh", exit_code=2).stderr
    assert en in svc("start", "lamp", *words, exit_code=2).stderr


def test_an_instant_that_cannot_be_is_told_in_the_zone_it_was_written_in(svc, lamp):
    """Whoever wrote +08:00 need not reckon back from UTC."""
    said = svc(
        "fire",
        "lamp-1",
        "accept",
        "--actor",
        "d:desk",
        "--occurred-at",
        "2026-03-02T08:00+08:00",
        exit_code=3,
    ).stderr
    assert "at 2026-03-02T08:00:00+08:00: the last change was at 2026-03-02T09:00:00+08:00" in said


def test_counts_of_nothing_and_of_no_group_are_told(svc, lamp):
    """An empty count is a sentence; instances without a recipient stand under a dash."""
    assert svc("deviations", "--count-by", "kind").stdout == "nothing to count\n"
    assert svc("deviations", "--count").stdout == "0\n"
    assert svc("list", "--count-by", "group").stdout.splitlines()[2].split() == ["—", "1"]


@pytest.mark.parametrize(
    ("args", "exit_code", "said"),
    [
        (("list", "--step", "askd"), 2, ("是否指 asked", "did you mean asked?")),
        (("list", "--role", "qq"), 2, ("没有岗位“qq”", "there is no role 'qq'")),
        (("list", "--data", "place=x"), 2, ("加 --procedure", "give --procedure too")),
        (("list", "--procedure", "lamp", "--data", "plce=x"), 2, ("是否指 place", "did you mean place?")),
        (("list", "--procedure", "lamp", "--data", "watt=x"), 3, ("须为数字", "takes a number")),
        (("deviations", "--step", "closd"), 2, ("是否指 closed", "did you mean closed?")),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) and len(one) > 2 else "",
)
def test_a_misspelt_filter_is_refused(svc, lamp, args, exit_code, said):
    """It would list nothing, and nobody would notice."""
    for lang, words in zip(("zh", "en"), said, strict=True):
        assert words in svc(*args, "--lang", lang, exit_code=exit_code).stderr


def test_a_deviation_is_explained_and_judged(svc, lamp):
    """By its number, by two persons; the answer and the lists show where it stands and what was explained."""
    svc("tick", at=LATER)
    (late,) = parsed(svc("deviations", "--status", "open", "--json", exit_code=1))["deviations"]
    number = late["sequence"]
    assert f"lamp-1 {number} " in svc("deviations", exit_code=1).stdout
    args = (lamp, number, "--reason", "the lift stood still")
    svc("deviation", "accept", *args, "--actor", "m:manager", exit_code=3)
    for _ in range(2):
        svc("deviation", "explain", *args, "--actor", "d:desk", "--command-id", "c1", at=LATER)
    text = svc("deviations", "--status", "explained", exit_code=1).stdout
    assert "explained by" in text
    svc("deviation", "accept", *args, "--actor", "d:desk", exit_code=3, at=LATER)
    accepted = svc(
        "deviation", "accept", lamp, number, "--reason", "seen", "--actor", "m:manager", "--json", at=LATER
    )
    one = parsed(accepted)["deviation"]
    assert (one["status"], one["explanation"], one["sequence"]) == (
        "accepted",
        "the lift stood still",
        number,
    )
    said = svc(
        "deviation",
        "reject",
        lamp,
        number,
        "--reason",
        "it ran",
        "--actor",
        "m:manager",
        "--lang",
        "zh",
        at=LATER,
    )
    assert "seen；不认" in said.stdout
    kinds = [fact["kind"] for fact in parsed(svc("show", lamp, "--journal", "--json"))["journal"]]
    assert kinds[-5:] == ["Refused", "Explained", "Refused", "Accepted", "Rejected"]
    assert svc("deviations", "--status", "open").stdout == "no deviations\n"


def test_a_deviation_is_answered_for_somebody(svc, lamp):
    """A manager's deputy judges it, and both are named; what is no deviation is refused."""
    svc("tick", at=LATER)
    svc("delegation", "give", "li", "--actor", "m:desk", "--role", "desk", "--until", "2026-03-14")
    svc("deviation", "explain", lamp, 2, "--reason", "rain", "--actor", "d:desk", at=LATER)
    svc("deviation", "accept", lamp, 2, "--reason", "ok", "--actor", "li", "--for", "m", at=LATER)
    last = parsed(svc("show", lamp, "--journal", "--json"))["journal"][-1]
    assert (last["kind"], last["actor"], last["behalf"]) == ("Accepted", "li", "m")
    wrong = svc(
        "deviation", "explain", lamp, 1, "--reason", "rain", "--actor", "d:desk", exit_code=3, at=LATER
    )
    assert "no deviation" in wrong.stderr


def test_a_reason_stands_before_its_answer(svc, lamp):
    """What was given when the order was gone round is kept beside what was said later; no line is too wide."""
    svc("fire", lamp, "fit", "--actor", "f:fitter", "-d", "reason=dark", "--override", "nobody at the desk")
    svc(
        "deviation",
        "explain",
        lamp,
        3,
        "--reason",
        "all were at the fire drill in the yard",
        "--actor",
        "f:fitter",
    )
    heads, _, *lines = svc("deviations", "--kind", "skipped_step", exit_code=1).stdout.splitlines()
    told = " ".join(line[heads.index("Reason") :] for line in lines)
    assert told == "nobody at the desk; explained by f: all were at the fire drill in the yard"
    text = svc("deviations", "--kind", "skipped_step", "--lang", "zh", exit_code=1).stdout
    assert "已说明（f）：" in text
    assert max(map(cells, (heads, *lines, *text.splitlines()))) <= 100


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_help_names_every_kind_of_deviation(run, lang):
    """Whoever filters by kind need not look the kinds up elsewhere."""
    said = "".join(run("deviations", "--help", "--lang", lang).stdout.split())
    assert all(kind in said for kind in DEVIATIONS)
