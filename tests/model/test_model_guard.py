"""Guards: an allow-list, bounded, that reaches nothing and fails in one way."""

from __future__ import annotations

import ast
import pickle
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svcflow.errors import GuardError
from svcflow.model.guard import FUNCTIONS, MAX_CHARACTERS, Guard


class TouchedError(BaseException):
    """Raised by a trap; no `except Exception` hides it."""


class Trap:
    """Hold nothing; any look at an attribute is an escape."""

    def __getattribute__(self, name):
        if name == "__class__":  # isinstance asks for it
            return object.__getattribute__(self, name)
        raise TouchedError(name)


DATA = {
    "fee": 300,
    "priority": "emergency",
    "tea": False,
    "recipient": {"group": "leaders", "deep": {"x": 1}},
    "trap": Trap(),
    "text": "x" * 10_000,
    "nothing": None,
}


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ('priority == "emergency" and fee > 200', True),
        ("fee < 200 or not tea", True),
        ("fee != 300", False),
        ("100 < fee <= 300", True),
        ("100 < fee < 300 < 200", False),
        ('priority in ("emergency", "high")', True),
        ('priority not in ["normal"]', True),
        ('"mer" in priority', True),
        ("fee + 1 - 2 * 3 / 4 >= 299.5", True),
        ("-fee < 0", True),
        ("abs(-3) == 3 and min(1, 2) == 1 and max(1, 2) == 2", True),
        ('starts_with(priority, "em") and ends_with(priority, "cy")', True),
        ('lower("AB") == "ab" and len(priority) == 9', True),
        ('recipient.group == "leaders" and recipient.deep.x == 1', True),
        ("recipient.missing == None", True),
        ("missing == None", True),
        ("nothing", False),
        ("1e5 > fee and 1_000 > fee and .5 < fee", True),
    ],
)
def test_a_guard_says_what_its_expression_means(text, verdict):
    """Comparisons, logic, arithmetic and the functions of the table behave as in Python."""
    assert Guard(text).holds(DATA) is verdict


FORBIDDEN = {
    "call of a builtin": "__import__('os')",
    "call of a method": "priority.upper()",
    "call with a keyword": "max(1, key=len)",
    "call without arguments": "max()",
    "star": "max(*fee)",
    "subscript": "recipient['group']",
    "power": "9 ** 9",
    "modulo": "fee % 2",
    "floor division": "fee // 2",
    "shift": "1 << 9",
    "bits": "~fee",
    "matrix": "fee @ fee",
    "plus sign": "+fee",
    "identity": "fee is None",
    "no identity": "fee is not None",
    "lambda": "lambda: 1",
    "comprehension": "[x for x in text]",
    "generator": "max(x for x in text)",
    "set": "{1, 2}",
    "mapping": "{'a': 1}",
    "conditional": "1 if fee else 2",
    "walrus": "(x := 1)",
    "f-string": "f'{fee}'",
    "await": "await fee",
    "yield": "(yield fee)",
    "bytes": "b'x' == priority",
    "complex": "fee == 1j",
    "ellipsis": "fee == ...",
    "statement": "import os",
    "two lines": "fee\nfee",
    "assignment": "fee = 1",
    "backslash": "priority == 'a\\n'",
    "run on": "1or fee",
    "hexadecimal": "fee == 0x1F",
    "empty": "",
    "null byte": "fee\0",
    "half a surrogate": "fee == '\ud800'",
}


@pytest.mark.parametrize("text", FORBIDDEN.values(), ids=FORBIDDEN)
def test_what_is_not_on_the_allow_list_is_refused_when_the_guard_is_made(text):
    """Nothing forbidden waits until it runs; the refusal speaks both languages."""
    with pytest.raises(GuardError) as caught:
        Guard(text)
    assert caught.value.text("zh") != caught.value.text("en")


@pytest.mark.parametrize(
    "text",
    [
        "fee > " + "1" * MAX_CHARACTERS,
        "(" * 99 + "fee" + ")" * 98,
        "(" * 120 + "fee" + ")" * 120,
        " or ".join(["fee"] * 100),
        "not " * 21 + "fee",
        "-" * 900 + "1",
        "not " * 240 + "fee",
        "recipient" + ".a" * 400,
        "lambda:" * 140 + "1",
        "1 if fee else " * 70 + "1",
    ],
    ids=lambda text: text[:12],
)
def test_a_guard_beyond_the_limits_is_refused(text):
    """At most 1,000 characters, 100 nodes, depth 20; nesting never reaches the interpreter's stack."""
    with pytest.raises(GuardError):
        Guard(text)


@pytest.mark.parametrize(
    "text",
    [
        "text * 1000000000",
        "[1] * 1000000000",
        "text + text",
        "trap.x",
        "priority.x",
        "missing > 1",
        "nothing + 1",
        "tea + 1",
        "fee / 0",
        "len(fee)",
        "starts_with(1)",
        "1 in priority",
        "fee in nothing",
        "-priority",
        "max(fee)",
    ],
)
def test_what_cannot_be_decided_denies_with_a_guard_error(text):
    """A failing guard never passes, and never fails in another way."""
    guard = Guard(text)
    with pytest.raises(GuardError):
        guard.holds(DATA)


@pytest.mark.parametrize(
    ("text", "zh", "en"),
    [
        ("nothing > 200", "nothing 没有值", "nothing is empty"),
        ("nothing < other", "nothing, other 没有值", "nothing, other are empty"),
        ("fee / 0 > 1", "除数为零", "division by zero"),
        ("fee < priority", "所比的值类型不同", "kinds that do not go together"),
    ],
)
def test_why_a_guard_cannot_be_decided_is_said_in_both_languages(text, zh, en):
    """A person who handles a request reads which field is empty, and not how Python words it."""
    with pytest.raises(GuardError) as told:
        Guard(text).holds({**DATA, "other": None})
    assert told.value.text("zh") == f"条件“{text}”无法判定：{zh}"
    assert told.value.text("en").endswith(en)
    assert "NoneType" not in told.value.text("en")


def test_and_and_or_stop_at_the_first_answer():
    """A part that could not be decided is not asked when the answer is known."""
    assert Guard("fee == 300 or missing > 1").holds(DATA)
    assert not Guard("fee == 1 and missing > 1").holds(DATA)


def test_a_name_that_is_not_declared_is_refused_with_a_suggestion():
    """A misspelt field would otherwise deny for ever."""
    with pytest.raises(GuardError, match="did you mean priority"):
        Guard('priorty == "x"').check_names(["priority", "fee"])
    with pytest.raises(GuardError, match="there are: fee, priority") as caught:
        Guard("zzz").check_names(["priority", "fee"])
    assert "可用：fee, priority" in caught.value.text("zh")
    with pytest.raises(GuardError, match="there are none"):
        Guard("zzz").check_names([])
    Guard("len(fee) > recipient.x").check_names(["fee", "recipient"])


def test_names_are_the_fields_a_guard_reads():
    """A function's name is none of them, and neither is a key after a point."""
    assert Guard("min(fee, recipient.group) in (fee, tea)").names == {"fee", "recipient", "tea"}


def test_a_guard_is_its_text():
    """Equal text is an equal guard; it can be hashed, pickled and written."""
    guard = Guard("fee > 1")
    assert guard == Guard("fee > 1") != Guard("fee > 2")
    assert hash(guard) == hash(Guard("fee > 1"))
    assert pickle.loads(pickle.dumps(guard)) == guard  # noqa: S301  # our own bytes
    assert str(guard) == "fee > 1"
    assert repr(guard) == "Guard(text='fee > 1')"


def decide(text: str) -> bool | None:
    """Return the verdict, or None for a GuardError; let everything else out."""
    try:
        verdict = Guard(text).holds(DATA)
    except GuardError:
        return None
    assert isinstance(verdict, bool)
    return verdict


ALPHABET = "feprtxa._ \"'()[]{}0123456789+-*/<>=!,:@#\\\n\t&|~^%审é\u0000"


@given(st.text(max_size=80) | st.text(ALPHABET, max_size=60))
@settings(max_examples=300)
def test_random_text_gives_a_verdict_or_a_guard_error(text):
    """No text makes a guard fail in another way, warn, or touch an object."""
    decide(text)


names = st.sampled_from([*DATA, *FUNCTIONS, "missing", "__class__", "__import__", "eval"]).map(
    lambda name: ast.Name(name, ast.Load())
)
constants = st.one_of(
    st.none(), st.booleans(), st.integers(0, 10**12), st.text("abc审", max_size=5), st.floats(0, 1e9),
    st.binary(max_size=2), st.just(...), st.just(2j),
).map(ast.Constant)  # fmt: skip
keys = st.sampled_from(["group", "deep", "x", "__class__", "__dict__", "format", "mro"])


def grown(inner: st.SearchStrategy[ast.expr]) -> st.SearchStrategy[ast.expr]:
    several = st.lists(inner, min_size=1, max_size=3)
    operators = st.sampled_from(
        [ast.Add(), ast.Sub(), ast.Mult(), ast.Div(), ast.Mod(), ast.Pow(), ast.BitOr()]
    )
    comparisons = st.sampled_from([ast.Eq(), ast.Lt(), ast.GtE(), ast.In(), ast.NotIn(), ast.Is()])
    return st.one_of(
        st.builds(ast.BoolOp, st.sampled_from([ast.And(), ast.Or()]), st.lists(inner, min_size=2, max_size=3)),
        st.builds(ast.UnaryOp, st.sampled_from([ast.Not(), ast.USub(), ast.Invert(), ast.UAdd()]), inner),
        st.builds(ast.BinOp, inner, operators, inner),
        st.builds(lambda a, op, b: ast.Compare(a, [op], [b]), inner, comparisons, inner),
        st.builds(lambda a, ops, b, c: ast.Compare(a, ops, [b, c]), inner,
                  st.lists(comparisons, min_size=2, max_size=2), inner, inner),
        st.builds(lambda f, args: ast.Call(f, args, []), names | inner, several),
        st.builds(lambda value, key: ast.Attribute(value, key, ast.Load()), inner, keys),
        st.builds(lambda items: ast.Tuple(items, ast.Load()), several),
        st.builds(lambda items: ast.List(items, ast.Load()), several),
        st.builds(lambda a, b: ast.Subscript(a, b, ast.Load()), inner, inner),
        st.builds(ast.IfExp, inner, inner, inner),
        st.builds(ast.Set, several),
        st.builds(lambda items: ast.Starred(items, ast.Load()), inner),
    )  # fmt: skip


trees = st.recursive(names | constants, grown, max_leaves=12)


@given(trees)
@settings(max_examples=400, deadline=2000)
def test_random_expressions_give_a_verdict_or_a_guard_error(tree):
    """No expression reaches an attribute, fails in another way, or takes long."""
    start = time.process_time()
    decide(ast.unparse(tree))
    assert time.process_time() - start < 1
