"""Guarded rows: what is proven over sampled values, what is worded as an example, what is left alone."""

from __future__ import annotations

from checks_declared import codes, declared, end, found, hour, move, paths, step
from hypothesis import given
from hypothesis import strategies as st

from svcflow.checks.guard_samples import MAX_SAMPLES, samples
from svcflow.errors import GuardError
from svcflow.model.field import Field
from svcflow.model.guard import Guard
from svcflow.model.limit import Row, TimeLimit
from svcflow.model.procedure import Procedure
from svcflow.model.step import Otherwise
from svcflow.text import Text

FEE = Field("fee", type="number", minimum=0, maximum=6, required=True)
KIND = Field("kind", type="choice", choices=["a", "b", "c"], required=True)
URGENT = Field("urgent", type="boolean", required=True)


def rows(*guards: str | None, fields: tuple[Field, ...] = (FEE, KIND, URGENT)) -> Procedure:
    """A trigger `go` with one row per guard, each to a step of its own."""
    targets = [f"t{n}" for n in range(len(guards))]
    moves = [move("go", target, when=guard) for target, guard in zip(targets, guards, strict=True)]
    return declared(step("first", *moves), *(step(t, "closed") for t in targets), end(), fields=fields)


def test_a_gap_names_data_for_which_no_row_matches() -> None:
    """The example is data one can try."""
    (gap,) = found(rows("fee > 2", "fee < 2"), "rows-with-gap")
    assert "fee = 2" in gap.message.en
    assert gap.path == ("steps", "first", "to", "go")


def test_a_gap_between_two_neighbouring_numbers_is_found() -> None:
    """Numbers are not whole: between 2 and 3 lies 2.5."""
    (gap,) = found(rows("fee <= 2", "fee >= 3"), "rows-with-gap")
    assert "fee = 2.5" in gap.message.en


def test_values_outside_the_declared_range_are_no_gap() -> None:
    """A field's minimum and maximum are kept by every instance."""
    assert "rows-with-gap" not in codes(rows("fee >= 0 and fee <= 3", "fee > 3 and fee <= 6"))


def test_a_field_left_out_is_a_gap() -> None:
    """A comparison with a missing number is denied, so neither row is taken."""
    optional = Field("fee", type="number", minimum=0)
    (gap,) = found(rows("fee > 2", "fee <= 2", fields=(optional,)), "rows-with-gap")
    assert "fee not given" in gap.message.en
    assert "fee 未填" in gap.message.zh


def test_a_field_that_comes_with_the_trigger_is_not_left_out() -> None:
    """Where every row requires the field, it is there when the guards are judged."""
    optional = Field("fee", type="number", minimum=0)
    both = [
        move("go", "second", when="fee > 2", requires=["fee"]),
        move("go", "closed", when="fee <= 2", requires=["fee"]),
    ]
    sound = declared(step("first", *both), step("second", "closed"), end(), fields=[optional])
    assert "rows-with-gap" not in codes(sound)


def test_a_default_keeps_a_field_from_being_left_out() -> None:
    """An instance starts with the declared default."""
    given_by_default = Field("fee", type="number", minimum=0, default=0)
    assert "rows-with-gap" not in codes(rows("fee > 2", "fee <= 2", fields=(given_by_default,)))


def test_text_and_missing_text_are_sampled() -> None:
    """A text compared with constants is one of them, something else, empty or missing."""
    place = Field("place", type="text")
    (gap,) = found(rows('place == "north"', 'place == "south"', fields=(place,)), "rows-with-gap")
    assert "place =" in gap.message.en
    assert "rows-with-gap" not in codes(rows('place == "north"', 'place != "north"', fields=(place,)))


def test_groups_of_recipients_are_sampled() -> None:
    """`recipient.group` takes the procedure's groups and no other."""
    four = rows('recipient.group in ["leaders", "staff"]', 'recipient.group in ["retirees", "logistics"]')
    assert "rows-with-gap" not in codes(four)
    three = rows('recipient.group in ["leaders", "staff"]', 'recipient.group == "retirees"')
    (gap,) = found(three, "rows-with-gap")
    assert "logistics" in gap.message.en


def test_three_rows_that_leave_nothing_make_a_fourth_unreachable() -> None:
    """A row is unreachable when the rows before it take everything together, not each alone."""
    found_at = paths(rows('kind == "a"', 'kind == "b"', 'kind == "c"', None), "row-unreachable")
    assert found_at == {("steps", "first", "to", "go", 3)}


def test_a_misspelt_choice_is_reported_once() -> None:
    """The choice is named, with those there are; that the row is never taken follows and is not repeated."""
    procedure = rows('kind == "d"', None)
    (strange,) = found(procedure, "unknown-choice")
    assert strange.message.en == "kind has no choice 'd'"
    assert "a, b, c" in strange.remedy.en
    assert "row-unreachable" not in codes(procedure)


def test_an_overlap_names_both_rows_and_an_example() -> None:
    """Who reads the finding sees data for which two rows lead to different steps."""
    (clash,) = found(rows("fee > 2", "urgent", None), "rows-ambiguous")
    assert "'fee > 2' (to t0)" in clash.message.en
    assert "'urgent' (to t1)" in clash.message.en
    assert "urgent = true" in clash.message.en
    assert clash.path == ("steps", "first", "to", "go", 1)


def test_guards_beyond_sampling_are_not_guessed_at() -> None:
    """Arithmetic and functions are left to what the text alone proves."""
    odd = rows("fee + fee > 99", 'starts_with(kind, "zz")', None)
    assert codes(odd) & {"row-unreachable", "rows-ambiguous", "rows-with-gap"} == set()


def test_two_choices_compared_with_each_other_are_sampled() -> None:
    """Both domains are known, so every pair is tried."""
    other = Field("other", type="choice", choices=["a", "b"], required=True)
    assert "row-unreachable" in codes(rows("kind == other", "kind != other", None, fields=(KIND, other)))


def test_instants_are_known_or_missing_and_nothing_more() -> None:
    """Whether an instant is given can be sampled; which of two comes first cannot."""
    at = Field("visit_at", type="instant")
    sound = rows("visit_at == None", "visit_at != None", fields=(at,))
    assert not codes(sound) & {"rows-with-gap", "row-unreachable"}
    ordered = rows('visit_at < "x"', 'visit_at >= "x"', None, fields=(at,))
    assert "row-unreachable" not in codes(ordered)


def test_negative_constants_constant_comparisons_and_truth_are_read() -> None:
    """What the language allows in comparisons with constants is all sampled."""
    low = Field("low", type="number", minimum=-5, maximum=5, required=True)
    assert "rows-with-gap" not in codes(rows("low < -1", "low >= -1", fields=(low,)))
    assert "rows-with-gap" not in codes(rows("1 < 2", "low > 1", fields=(low,)))
    assert "rows-with-gap" not in codes(rows("low", "not low", fields=(low,)))
    assert "row-unreachable" in codes(rows("True", "low > 1", fields=(low,)))


def test_an_overlap_that_leads_to_the_same_step_is_not_ambiguous() -> None:
    """Which of two rows is taken does not matter where both lead to the same step."""
    both = [move("go", "second", when="fee > 2"), move("go", "second", when="urgent"), move("go", "closed")]
    procedure = declared(step("first", *both), step("second", "closed"), end(), fields=[FEE, URGENT])
    assert "rows-ambiguous" not in codes(procedure)


def test_text_searched_in_text_is_not_guessed_at() -> None:
    """`in` is sampled for a list of constants only."""
    place = Field("place", type="text", required=True)
    assert "row-unreachable" not in codes(rows('"z" in place', 'place in "abc"', None, fields=(place,)))
    assert "row-unreachable" not in codes(rows("fee == low", None, fields=(FEE, Field("low", type="number"))))
    assert "row-unreachable" not in codes(rows('place == "x"', 'place == "xx"', None, fields=(place,)))


def test_too_many_combinations_are_left_alone() -> None:
    """Beyond the bound nothing is sampled, and nothing is claimed."""
    fields = [Field(f"f{n}", type="boolean", required=True) for n in range(14)]
    guard = Guard(" and ".join(field.id for field in fields))
    procedure = declared(step("first", "closed"), end(), fields=fields)
    assert MAX_SAMPLES < 2**14
    assert samples(procedure, [guard]) is None
    assert len(samples(procedure, [Guard("f0 and f1")]) or ()) == 4


def test_a_row_of_a_limit_is_judged_like_a_row_of_a_trigger() -> None:
    """Matrices of spans and of steps are both read; the path names the row."""
    limit = TimeLimit(
        id="span",
        match=[
            Row(within="1h", when='kind == "a"'),
            Row(within="2h", when='kind == "a" and urgent'),
            Row(within="3h"),
        ],
    )
    procedure = declared(step("first", "closed", within=hour()), end(), fields=[KIND, URGENT], limits=[limit])
    assert paths(procedure, "row-unreachable") == {("limits", 0, "match", 1)}


ATOMS = st.one_of(
    st.tuples(st.sampled_from(["<", "<=", "==", "!=", ">=", ">"]), st.integers(-1, 7)).map(
        lambda t: f"fee {t[0]} {t[1]}"
    ),
    st.tuples(st.sampled_from(["==", "!="]), st.sampled_from("abc")).map(lambda t: f'kind {t[0]} "{t[1]}"'),
    st.lists(st.sampled_from("abc"), min_size=1).map(lambda chosen: f"kind in {chosen}"),
    st.sampled_from(["urgent", "not urgent", "urgent == True", "1 < fee < 4"]),
)
GUARDS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map(lambda one: f"not {one}"),
    ),
    max_leaves=4,
)
GRID = [
    {"fee": quarter / 4, "kind": kind, "urgent": urgent}
    for quarter in range(25)
    for kind in "abc"
    for urgent in (True, False)
]


def true_of(guard: str, data: dict[str, object]) -> bool:
    try:
        return Guard(guard).holds(data)
    except GuardError:
        return False


@given(st.lists(GUARDS, min_size=1, max_size=4))
def test_rows_and_gaps_agree_with_trying_a_fine_grid(guards: list[str]) -> None:
    """What samples prove is what trying every quarter of a fee with every other value shows."""
    taken = [next((n for n, guard in enumerate(guards) if true_of(guard, data)), None) for data in GRID]
    procedure = rows(*guards)
    missed = {n for n in range(len(guards)) if n not in taken}
    where = paths(procedure, "row-unreachable")
    assert {path[-1] if len(guards) > 1 else 0 for path in where} == missed
    assert ("rows-with-gap" in codes(procedure)) == (len(guards) > 1 and None in taken)


def refusing(*guards: str) -> Procedure:
    """Rows of `go`, one per guard, that refuse otherwise by a rule."""
    rule = Otherwise("refuse", name=Text("规定", "The rule"))
    moves = [
        move("go", "second", when=guard, otherwise=rule if guard == guards[-1] else None) for guard in guards
    ]
    return declared(step("first", *moves), step("second", "closed"), end(), fields=(FEE,))


def test_rows_that_mean_to_refuse_have_no_gap() -> None:
    """The last row says that the rest is refused, so nothing was forgotten."""
    assert not codes(refusing("fee > 2", "fee < 2")) & {"rows-with-gap", "row-unreachable"}
    assert not codes(refusing("fee > 2")) & {"rows-with-gap", "row-unreachable"}


def test_a_refusal_that_never_comes_is_found_at_its_own_row() -> None:
    """Where the guards before it leave nothing out, nothing is refused."""
    assert paths(refusing("fee > 2", "fee <= 2"), "row-unreachable") == {("steps", "first", "to", "go", 2)}
    assert paths(refusing("fee >= 0"), "row-unreachable") == {("steps", "first", "to", "go", 1)}
