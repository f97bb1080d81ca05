"""Guards in words: names of fields and values instead of the expression, whatever the expression is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_strategies import guards

from svcflow.model.field import Field
from svcflow.model.guard import Guard
from svcflow.model.guard_wording import guard_text, value_text
from svcflow.text import Text

FIELDS = {
    field.id: field
    for field in (
        Field(
            "priority",
            type="choice",
            name=Text("紧急程度", "Priority"),
            choices={"emergency": Text("紧急", "emergency"), "normal": Text("一般", "normal")},
        ),
        Field("fee", type="number", name=Text("费用", "Fee"), unit="CNY"),
        Field("tax", type="number", name=Text("税", "Tax")),
        Field("tea", type="boolean", name=Text("茶歇", "Tea")),
        Field("rating", type="rating", name=Text("满意度", "Rating")),
        Field("plain", type="choice", choices=["a", "b"]),
        Field("note", name=Text("备注", "Note")),
    )
}


@pytest.mark.parametrize(
    ("written", "zh", "en"),
    [
        ('priority == "emergency"', "紧急程度为“紧急”", "Priority is emergency"),
        ('"emergency" == priority', "紧急程度为“紧急”", "Priority is emergency"),
        ('priority != "emergency"', "紧急程度不为“紧急”", "Priority is not emergency"),
        ('plain == "a"', "plain为“a”", "plain is a"),
        (
            'priority in ["emergency", "normal"]',
            "紧急程度为“紧急”或“一般”",
            "Priority is emergency or normal",
        ),
        (
            'priority not in ("emergency", "normal")',
            "紧急程度不为“紧急”、“一般”",
            "Priority is not emergency or normal",
        ),
        ('rating == "dissatisfied"', "满意度为“不满意”", "Rating is Dissatisfied"),
        ("fee > 200", "费用 > 200 CNY", "Fee > 200 CNY"),
        ("200 <= fee", "费用 ≥ 200 CNY", "Fee ≥ 200 CNY"),
        ("0 < fee <= 200", "费用 > 0 CNY，且费用 ≤ 200 CNY", "Fee > 0 CNY and Fee ≤ 200 CNY"),
        ("fee + tax * 2 > 200", "费用 + (税 × 2) > 200", "Fee + (Tax × 2) > 200"),
        ("tea", "茶歇为是", "Tea"),
        ("not tea", "茶歇为否", "not Tea"),
        ("tea == True", "茶歇为是", "Tea"),
        ("tea != True", "茶歇为否", "not Tea"),
        ("note == None", "备注未填", "Note is not given"),
        ("note != None", "备注已填", "Note is given"),
        ("note", "备注有值", "Note is given"),
        ('recipient.group == "leaders"', "服务对象类别为“领导”", "group of the recipient is leaders"),
        (
            'tea and (fee > 1 or priority == "normal")',
            "茶歇为是，且（费用 > 1 CNY，或紧急程度为“一般”）",
            "Tea and (Fee > 1 CNY or Priority is normal)",
        ),
        ("not (tea and fee > 1)", "并非（茶歇为是，且费用 > 1 CNY）", "not (Tea and Fee > 1 CNY)"),
        ("True", "总是", "always"),
        ('starts_with(note, "A")', "starts_with(note, 'A')", "starts_with(note, 'A')"),
    ],
)
def test_a_guard_reads_as_people_would_say_it(written, zh, en):
    """Fields and values are called by their names; what has no words stands as it is written."""
    assert guard_text(Guard(written), FIELDS) == Text(zh, en)


@given(guards(["fee", "priority", "tea", "note"]))
def test_any_guard_has_words_in_both_languages(guard):
    """No expression that may be declared is left without words."""
    words = guard_text(guard, FIELDS)
    assert words.zh
    assert words.en


@given(
    st.sampled_from(list(FIELDS.values())) | st.none(), st.text() | st.integers() | st.booleans() | st.none()
)
def test_a_value_without_a_name_stands_for_itself(field, value):
    """A value is never lost: it reads as its name, or else as it is."""
    if isinstance(value, bool):
        assert value_text(field, value).en == ("yes" if value else "no")
        return
    named = field is not None and isinstance(value, str) and value in field.values and field.values[value]
    assert value_text(field, value).en == (field.values[value].en if named else str(value))
