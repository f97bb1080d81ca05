"""Facts, instances and availability as plain values."""

from __future__ import annotations

import json

import attrs
import orjson
import pytest
from kernel_cases import (
    HOUR,
    MINUTE,
    MONDAY,
    NOBODY,
    Case,
    Recipient,
    Step,
    fork,
    line,
    move,
    procedure,
    worker,
)

from svcflow.errors import FieldError, UnknownCalendar
from svcflow.journal.canonical import from_record, to_record
from svcflow.kernel import deviations_of, facts
from svcflow.kernel.compiled import calendars_of
from svcflow.kernel.facts import FACTS, DeviationKind, Fact
from svcflow.kernel.instance import BLANK, FIELDS, Draft, FrozenDict, Instance, from_state, to_state
from svcflow.kernel.moves.availability import available
from svcflow.model.catalog import Catalog
from svcflow.model.field import Field
from svcflow.wording import DEVIATIONS
from svcflow.worktime.instants import to_us


def eventful() -> Case:
    case = Case(
        procedure(
            Step("a", within="1h", role="clerk", to=(move("go", "b"),)),
            Step("b", to=(move("finish", "end", when='recipient.group == "staff"'),)),
            Step("end", end="completed"),
            fields=(Field("fee", type="number", default=1),),
        ),
        recipient=Recipient("zhang", group="staff"),
        evidence={"form": "f-1"},
        actor=worker("li"),
    )
    case.fire("go", actor=worker("wang"))
    case.fire("go", after=2 * HOUR, actor=worker("li", "clerk"), data={"fee": 2.5})
    case.hold()
    case.resume()
    case.fire("finish", override="x")
    return case


def test_every_fact_reads_back_equal_from_its_record():
    """to_record and from_record are inverse, through JSON too."""
    case = eventful()
    assert {"Started", "Refused", "Overdue", "Moved", "Settled", "Held", "Resumed"} <= set(case.kinds)
    for fact in case.facts:
        assert from_record(to_record(fact)) == fact
        assert from_record(json.loads(orjson.dumps(to_record(fact)))) == fact


def test_fields_at_their_default_leave_no_trace_in_the_record():
    """Old journals keep their bytes when a version adds a field with a default."""
    resumed = next(fact for fact in eventful().facts if fact.kind == "Resumed")
    assert set(to_record(resumed)) == {"kind", "instance", "sequence", "occurred_us", "recorded_us", "actor", "reason"}  # fmt: skip


def test_a_record_of_nothing_known_is_an_error():
    """An unknown kind or a missing field is no fact."""
    with pytest.raises(KeyError):
        from_record({"kind": "Imagined"})
    with pytest.raises(TypeError):
        from_record({"kind": "Resumed", "sequence": 1})


def test_every_class_of_fact_is_named_and_documented():
    """The journal's names are the classes' names; nothing is left out."""
    assert set(FACTS) == {cls.__name__ for cls in Fact.__subclasses__()}
    assert all(cls.__doc__ for cls in FACTS.values())
    assert facts.Refused("i", 1, 0, 0, "", "Fire", "order", "甲", "a").reason.zh == "甲"


def test_every_kind_of_deviation_has_two_languages():
    """Each kind is worded in Chinese and English."""
    assert set(DEVIATIONS) == set(DeviationKind.__args__)
    assert all(text.zh and text.en for text in DEVIATIONS.values())


def test_an_instance_reads_back_equal_from_its_state():
    """to_state and from_state are inverse, through JSON too, at every fact of a journal."""
    case = eventful()
    assert from_state(to_state(case.instance)) == case.instance
    assert from_state(orjson.loads(orjson.dumps(to_state(case.instance)))) == case.instance
    assert len(to_state(case.instance)) == FIELDS.index("parameters"), "what it has nothing of is not written"
    pinned = case.instance._replace(parameters=FrozenDict({"reply": "2h", "threshold": 7}))
    assert from_state(orjson.loads(orjson.dumps(to_state(pinned)))) == pinned


@pytest.mark.parametrize("count", [0, 22, 99])
def test_a_state_of_another_length_is_an_error(count):
    """A state cut short is not quietly filled up, and one of a later version is not read as one of this."""
    state = [*to_state(eventful().instance), *[None] * 99]
    with pytest.raises(ValueError, match="fields"):
        from_state(state[:count])


@pytest.mark.parametrize("count", range(23, len(FIELDS) + 1))
def test_a_state_of_an_older_version_is_read_with_its_later_fields_empty(count):
    """The first version wrote 23 fields; what was added since starts out empty."""
    instance = eventful().instance
    read = from_state(orjson.loads(orjson.dumps(to_state(instance)[:count])))
    assert read[:count] == instance[:count]
    assert len(read) == len(FIELDS)
    assert read[count:] == BLANK[count:]


def test_where_deviations_stand_is_written_short_and_read_as_the_first_versions_wrote_it():
    """Two bytes for each deviation of a long row of them; a pair for each is read as well."""
    place = FIELDS.index("deviations")
    instance = eventful().instance._replace(deviations={2: "open", 5: "rejected", 6: "open", 9: "open"})
    state = to_state(instance)
    assert state[place] == [["open", 0, 2, 4, 3], ["rejected", 0, 5]]
    assert from_state(state) == instance
    state[place] = [[2, "open"], [5, "rejected"], [6, "open"], [9, "open"]]
    assert from_state(state) == instance
    missed = instance._replace(deviations=dict.fromkeys(range(2, 10_002), "open"))
    assert len(orjson.dumps(to_state(missed)[place])) < 20_100
    assert from_state(orjson.loads(orjson.dumps(to_state(missed)))) == missed


def test_draft_and_instance_have_the_same_fields():
    """The draft mirrors the instance field by field."""
    assert [f.name for f in attrs.fields(Draft)] == list(Instance._fields)


def test_an_instance_tells_when_it_started_and_ended():
    """Instants are aware datetimes at the edge."""
    case = eventful()
    assert case.instance.started_at == MONDAY
    assert case.instance.ended_at == case.now
    assert Case(procedure(*line("a", "end"))).instance.ended_at is None


def test_guards_may_ask_who_is_served():
    """`recipient` is known to guards by id and group."""
    for group, rule in (("staff", ""), ("leaders", "guard")):
        case = Case(
            procedure(
                Step("b", to=(move("finish", "end", when='recipient.group == "staff"'),)),
                Step("end", end="completed"),
            ),
            recipient=Recipient("zhang", group=group),
        )
        case.fire("finish")
        assert case.rule == rule


def test_a_group_is_one_of_the_four():
    """Recipients belong to a declared group or to none."""
    with pytest.raises(ValueError, match="group"):
        Recipient("zhang", group="visitors")


def test_deviations_carry_what_the_fact_said():
    """Deviations are read from facts: kind, step, role, actor, and the instants."""
    found = deviations_of(eventful().facts)
    assert [(one.kind, one.step, one.role, one.actor) for one in found] == [("overdue", "a", "clerk", "")]
    assert found[0].occurred_at == found[0].due_at == MONDAY + HOUR
    assert (found[0].procedure, found[0].version) == ("sample", 1)
    assert found[0].overrun == HOUR + MINUTE


def seen(case: Case, *roles: str) -> list[tuple[str, str, bool, str]]:
    found = available(case.compiled, case.instance, worker("li", *roles), to_us(case.now))
    return [(one.step, one.trigger, one.open, one.rule) for one in found]


def test_available_names_each_trigger_and_why_it_is_closed():
    """Role, guard, rework bound and hold close a trigger; missing data do not, they are asked for."""
    case = Case(
        procedure(
            Step(
                "a",
                evidence=("photo",),
                to=(
                    move("sign", "a", role="chief"),
                    move("dear", "a", when="fee > 10"),
                    move("never", "a", at_most=0, enforce={"rework": "refuse"}),
                    move("go", "end", requires=("why",)),
                ),
            ),
            Step("end", end="completed"),
            fields=(Field("fee", type="number", default=1),),
        )
    )
    assert seen(case, "clerk") == [
        ("a", "sign", False, "role"),
        ("a", "dear", False, "guard"),
        ("a", "never", False, "rework"),
        ("a", "go", True, ""),
    ]
    found = available(case.compiled, case.instance, worker("li", "chief"), to_us(case.now))
    assert (found[0].open, found[3].requires, found[3].evidence) == (True, ("why",), ("photo",))
    assert found[1].why.zh
    case.hold()
    assert {rule for *_, rule in seen(case)} == {"held"}
    case.resume()
    case.fire("go", data={"why": "x"})
    assert seen(case) == []


def test_available_leaves_done_to_the_kernel():
    """`done` of a parallel step is nobody's to fire; a step of its own that has a `done` shows it."""
    case = Case(
        procedure(
            fork(
                "p",
                move("done", "b"),
                x=(Step("x1", to=(move("done", "x2"),)), Step("x2", end="done")),
            ),
            Step("b", to=(move("done", "end"),)),
            Step("end", end="completed"),
        )
    )
    assert seen(case) == [("x1", "done", True, "")]
    case.fire("done")
    assert seen(case) == [("b", "done", True, "")]


def test_one_trigger_in_two_branches_is_available_in_both():
    """Each active step is asked by itself, so nothing is ambiguous here."""
    case = Case(
        procedure(
            fork(
                "p",
                move("done", "end"),
                x=(Step("x1", to=(move("f", "x2"),)), Step("x2", end="done")),
                y=(Step("y1", to=(move("f", "y2"),)), Step("y2", end="done")),
            ),
            Step("end", end="completed"),
        )
    )
    assert [(step, open_) for step, _, open_, _ in seen(case)] == [("x1", True), ("y1", True)]


def test_calendars_come_from_the_catalog_first_and_then_from_those_shipped(tmp_path):
    """A catalog's own calendar of a name wins over the shipped one; each is built once."""
    (tmp_path / "mine.yaml").write_text(
        'calendar: cn_office\ntimezone: Asia/Tokyo\nweekly: {mon-fri: ["09:00-17:00"]}\n', encoding="utf-8"
    )
    assert calendars_of(Catalog())("cn_office").timezone.key == "Asia/Shanghai"
    look_up = calendars_of(Catalog.from_folder(tmp_path))
    assert look_up("cn_office").timezone.key == "Asia/Tokyo"
    assert look_up("cn_office") is look_up("cn_office")
    with pytest.raises(UnknownCalendar):
        look_up("nowhere")


def test_numbers_over_64_bits_are_refused_when_written_down():
    """What JSON cannot hold is a FieldError, not a broken journal."""
    from svcflow.journal import to_bytes

    started = facts.Started("i", 1, 0, 0, NOBODY.id, "p", 1, "a", {"n": 2**70})
    with pytest.raises(FieldError):
        to_bytes(started)
