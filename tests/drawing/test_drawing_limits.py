"""No limit is invisible: of every kind, with its ladder, it stands in the foot of its step's box or in a note."""

from __future__ import annotations

import pytest
from drawing_samples import T, role, step, to
from hypothesis import given
from hypothesis import strategies as st

from svcflow.drawing import draw
from svcflow.drawing.layout.box_text import box_texts
from svcflow.drawing.scene.from_procedure import scene_of
from svcflow.model.field import Field
from svcflow.model.limit import Extension, Row, Rung, TimeLimit
from svcflow.model.limit_locations import limits_over
from svcflow.model.procedure import HoldRule, Procedure
from svcflow.model.step import HOLD_REASONS, Step
from svcflow.model.wording import rung_text, target_text
from svcflow.wording import short_amount

AMOUNTS = st.builds("{}{}".format, st.integers(1, 90), st.sampled_from(["m", "h", "wm", "wd"]))
TARGETS = st.one_of(
    st.builds(lambda amount: {"within": amount}, AMOUNTS),
    st.builds(lambda amount: {"at_least": amount}, AMOUNTS),
    st.builds(lambda amount: {"every": amount}, AMOUNTS),
    st.builds(lambda day: {"by": "17:00", "day": day}, st.integers(0, 3)),
    st.sampled_from([{"before": "start - 30m"}, {"before": "start"}, {"after": "start + 1wd"}]),
)
ROLES = st.sampled_from([None, "clerk", "chief"])
WARNINGS = st.lists(st.builds(Rung, st.sampled_from(["50%", "75%"]), ROLES), max_size=2)
ESCALATIONS = st.lists(st.builds(Rung, st.just("100%"), ROLES, st.sampled_from([None, "call"])), max_size=1)


@st.composite
def limits(draw: st.DrawFn, **fixed: object) -> TimeLimit:
    """A limit of any kind, or of several by cases, with a ladder."""
    target = draw(TARGETS)
    rows = [Row(when="large", **target), Row(**draw(TARGETS))] if draw(st.integers(0, 3)) == 0 else []
    kinds = {kind for row in rows for kind in row.kinds} | target.keys()
    within = not rows and "within" in target
    return TimeLimit(
        **({"match": rows} if rows else target),
        done_by="again" if "every" in kinds else None,
        warn=draw(WARNINGS),
        escalate=[] if "at_least" in kinds else draw(ESCALATIONS),
        extension=Extension(target["within"], draw(ROLES)) if within and draw(st.booleans()) else None,
        **fixed,
    )


@st.composite
def procedures(draw: st.DrawFn) -> Procedure:
    """Steps with limits of their own and apart, a wait beside it, a span, the whole procedure, holds with caps."""
    steps = [
        step(
            name,
            f"环节{name}",
            f"Step {name}",
            to("on", after, "继续", "On"),
            to("again", name, "再做", "Again"),
            role=draw(st.sampled_from(["clerk", None])),
            within=draw(st.none() | limits()),
            waits="recipient",
            at_most=draw(st.none() | AMOUNTS),
        )
        for name, after in (("a", "b"), ("b", "end"))
    ]
    apart = [
        draw(limits(id=f"l{n}", name=T(f"时限{n}", f"Limit {n}"), step="a"))
        for n in range(draw(st.integers(0, 2)))
    ]
    spans = [draw(limits(id="span", from_="a", to="end")), draw(limits(id="whole"))]
    return Procedure(
        id="p",
        fields=[Field("start", type="instant", name=T("开始", "Start")), Field("large", type="boolean")],
        roles=[role("clerk", "经办人", "Clerk"), role("chief", "科长", "Chief")],
        holds=[HoldRule(reason, at_most=draw(st.none() | AMOUNTS)) for reason in HOLD_REASONS],
        steps=[*steps, Step("end", end="completed")],
        limits=[*apart, *spans[: draw(st.integers(0, 2))]],
    )  # fmt: skip


@given(procedures(), st.sampled_from(["zh", "en"]))
def test_every_limit_is_found_with_all_that_it_declares(declared: Procedure, lang: str) -> None:
    """Each target of its rows, each point of its ladder with whom it tells, what prolongs it: in a note, or all in a foot."""
    scene = scene_of(declared)
    feet = {key: text.foot for key, text in box_texts(scene, lang).by_key.items()}
    notes = [f"{note.head.in_(lang)}: {note.body.in_(lang)}" for note in scene.notes]
    for limit in declared.time_limits.values():
        place = limit.name.in_(lang) or limit.id
        own = [note for note in notes if place in note]
        for row in limit.rows:
            assert row.target is not None
            words, amount = target_text(row.target, declared.fields, lang), row.within
            short = short_amount(amount.value, amount.unit).in_(lang) if amount is not None else ""
            assert any(words in note for note in own) or (short and short in feet.get(limit.step or "", ""))
        for rung in (*limit.warn, *limit.escalate):
            named = declared.roles[rung.role].name.in_(lang) if rung.role else ""
            told = [note for note in own if rung_text(rung.at).in_(lang) in note]
            assert any(named in note and (rung.action or "") in note for note in told)
        if limit.extension is not None:
            assert any(limit.extension.by.text(lang) in note for note in own)
    for rule in declared.holds:
        assert rule.at_most is None or any(rule.at_most.text(lang) in note for note in notes)


@given(procedures())
def test_the_foot_of_a_step_shows_every_limit_over_it(declared: Procedure) -> None:
    """Of each there is something in the scene's foot, in both languages and in the form of a declaration."""
    scene = scene_of(declared)
    for node in scene.nodes:
        over = limits_over(declared, declared.all_steps[node.step]) if node.step else ()
        shown = [node.limit.zh.split("；"), node.limit.en.split("; "), node.short_limit.split("; ")]
        assert [len([part for part in parts if part]) for parts in shown] == [len(over)] * 3


@pytest.mark.parametrize(
    ("limit", "zh", "en", "short"),
    [
        ({"within": "15m"}, "限时 ≤ 15 分", "≤ 15 min", "15m"),
        ({"at_least": "20m"}, "≥ 20 分", "≥ 20 min", "at least 20m"),
        ({"every": "2h", "done_by": "again"}, "每 2 小时", "every 2 h", "every 2h"),
        ({"by": "17:00"}, "17:00 前", "by 17:00", "by 17:00"),
        ({"before": "start - 30m"}, "开始前 30分钟", "30 minutes before Start", "start - 30m"),
        ({"after": "start + 1wd"}, "开始后 1个工作日", "1 working day after Start", "start + 1wd"),
    ],
)
def test_each_kind_has_its_words(limit: dict[str, str], zh: str, en: str, short: str) -> None:
    """A length of time, a minimum, a recurrence, a time of day, a scheduled instant."""
    declared = Procedure(
        id="p",
        fields=[Field("start", type="instant", name=T("开始", "Start"))],
        steps=[
            step("a", "甲", "A", to("on", "end", "继续", "On"), to("again", "a", "再做", "Again"), within=TimeLimit(**limit)),
            Step("end", end="completed"),
        ],
    )  # fmt: skip
    node = scene_of(declared).nodes[1]
    assert (node.limit.zh, node.limit.en, node.short_limit) == (zh, en, short)
    svg = draw(declared, lang="en").svg
    assert en in svg or short in svg


def test_a_wait_beside_a_limit_is_told_apart() -> None:
    """In the foot by a word, in the note by its name; alone it needs neither."""
    both = step("a", "甲", "A", to("on", "end", "继续", "On"), within="3wd", waits="recipient", at_most="5wd")
    declared = Procedure(id="p", steps=[both, Step("end", end="completed")])
    scene = scene_of(declared)
    assert scene.nodes[1].limit == T("限时 ≤ 3 工作日；等待 ≤ 5 工作日", "≤ 3 working d; wait ≤ 5 working d")
    assert [(note.head.en, note.body.en) for note in scene.notes[:2]] == [
        ("P1 A", "≤ 3 working days"),
        ("P1 A (waiting)", "≤ 5 working days"),
    ]
    alone = step("a", "甲", "A", to("on", "end", "继续", "On"), waits="recipient", at_most="5wd")
    scene = scene_of(Procedure(id="p", steps=[alone, Step("end", end="completed")]))
    assert scene.nodes[1].limit.en == "≤ 5 working d"
    assert not any("≤" in note.body.en for note in scene.notes)


def test_a_move_on_overdue_of_the_limit_itself_has_the_sign_too() -> None:
    """Written in the limit and not beside it, it is drawn all the same; that of a span is noted."""
    limit = TimeLimit(within="3wd", on_overdue="on")
    span = TimeLimit(id="whole", within="9wd", on_overdue="on")
    declared = Procedure(
        id="p",
        steps=[
            step("a", "甲", "A", to("on", "end", "继续", "On"), within=limit),
            Step("end", end="completed"),
        ],
        limits=[span],
    )
    scene = scene_of(declared)
    assert scene.edges[-1].overdue
    assert scene.notes[0].body.en == "≤ 9 working days; when overdue: “On”"
