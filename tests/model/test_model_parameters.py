"""Parameters: named once, used in guards and limits, set by an institution in a document of its own."""

from __future__ import annotations

import re

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import svcflow
from svcflow.errors import DeclarationError
from svcflow.model.amount import Amount
from svcflow.model.catalog import Catalog
from svcflow.model.parameter import Parameter
from svcflow.model.procedure import Procedure
from svcflow.model.step import Step, Transition
from svcflow.model.yaml.document import parse_document
from svcflow.model.yaml.dump import digest
from svcflow.model.yaml.parse import structure_procedure

DISPOSAL = """\
procedure: disposal
sources:
  D3: {title: 资产处置管理办法, strength: ministry_rule, year: 2021}
parameters:
  threshold: {value: 15000000, unit: CNY, source: D3, minimum: 0}
  review: {value: 5wd, maximum: 10wd, source: proposal}
  grace: {value: 1wd, source: proposal}
  closing: {value: "17:00", source: proposal}
fields:
  worth: {type: number, unit: CNY}
  visit: {type: instant}
steps:
  asked:
    within:
      match: [{when: worth >= threshold, within: review}, {within: 2wd}]
      escalate: [+grace]
      extension: {by: grace}
      source: D3
    to:
      approve: [{step: end, when: worth < threshold}, {step: referred, when: worth >= threshold}]
  referred:
    waits: third_party
    at_most: review
    to: {approve: end}
  end: {end: completed}
limits:
  - {id: today, step: asked, by: closing, source: D3}
  - {id: ahead, step: asked, before: visit - grace, source: D3}
"""
OVERRIDES = """\
parameters: disposal
institution: {zh: 服务中心, en: The service centre}
sources: {U1: {title: 本单位细则, strength: unit_rule, year: 2024}}
values:
  threshold: {value: 2000000, unit: CNY, source: U1}
  review: 3wd
"""


def declared(text: str = DISPOSAL) -> Procedure:
    return parse_document(text).build(structure_procedure)


def test_a_parameter_stands_wherever_a_quantity_stands():
    """The procedure that is built has the values, and writes the names."""
    procedure = declared()
    within = procedure.all_steps["asked"].within
    assert within.match[0].within == procedure.all_steps["referred"].at_most
    assert [str(amount) for amount in (within.match[0].within, within.extension.by)] == ["5wd", "1wd"]
    assert (within.escalate[0].at, str(within.escalate[0].after)) == ("+grace", "1wd")
    assert [str(limit.rows[0].target) for limit in procedure.limits] == ["by 17:00", "visit - 1wd"]
    guard = procedure.all_steps["asked"].to[0].when
    assert guard.holds({"worth": 14_999_999})
    assert not guard.holds({"worth": 15_000_000})
    written = svcflow.dump(procedure)
    for text in ("when: worth < threshold", "at_most: review", "by: closing", "visit - grace", "[+grace]"):
        assert text in written
    assert declared(written) == procedure


def test_another_value_leaves_the_procedure_the_one_it_was():
    """Digest and document are those of the declared values; limits and guards have the others."""
    procedure = declared()
    other = procedure.with_parameters({"threshold": 2_000_000, "review": "3wd"})
    assert other != procedure
    assert digest(other) == digest(procedure)
    assert svcflow.dump(other) == svcflow.dump(procedure)
    assert other.overridden == {"threshold": 2_000_000, "review": "3wd"}
    assert other.all_steps["referred"].at_most.count == 3
    assert not other.all_steps["asked"].to[0].when.holds({"worth": 2_000_000})
    assert other.with_parameters({}) == procedure
    assert not procedure.with_parameters({"review": "5wd"}).overridden


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("within: review", "within: reveiw"), "there is no parameter 'reveiw'; did you mean review?"),
        (("within: review", "within: threshold"), "takes an amount of time; parameter threshold is a number"),
        (("by: closing", "by: review"), "this takes a time of day; parameter review is working days"),
        (("worth < threshold", "worth < review"), "this takes a number; parameter review is working days"),
        (("worth < threshold", "worth < treshold"), "did you mean threshold?"),
        (("  grace:", "  worth:"), "'worth' is the name of a field"),
        (("  grace:", "  max:"), "'max' is reserved in guards"),
        (("  grace:", "  1wd:"), "would be read as a number or an amount of time"),
        (("maximum: 10wd", "maximum: 4wd"), "parameters.review.value: parameter review cannot be 5wd"),
        (("maximum: 10wd", "maximum: 10h"), "parameters.review.maximum: parameter review is working days"),
        (("maximum: 10wd", "minimum: 9wd, maximum: 3wd"), "the minimum is above the maximum"),
        (("5wd, maximum", "5 days, maximum"), "parameters.review.value: '5 days' is no value of a parameter"),
        (("5wd, maximum", "true, maximum"), "parameters.review.value: True is no value of a parameter"),
        (("value: 5wd", "valeu: 5wd"), "there is no key 'valeu' here; did you mean value?"),
        (("{value: 5wd, maximum: 10wd,", "{value: 5wd, unit: d,"), "only a number has a unit of its own"),
        (("{value: 1wd, source: proposal}", "{value: 1wd, source: D9}"), "there is no source 'D9'"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_a_remedy(change, told):
    """A name that is none, another kind, and bounds that do not fit are refused where they stand."""
    assert change[0] in DISPOSAL
    with pytest.raises(DeclarationError) as refused:
        declared(DISPOSAL.replace(*change))
    assert any(told in problem.text("en") for problem in refused.value.problems), str(refused.value)
    assert all(problem.line for problem in refused.value.problems)


def test_a_name_where_nothing_is_declared_is_no_amount():
    """Without parameters a word is a mistaken amount, as it was."""
    with pytest.raises(
        DeclarationError, match=r"steps\.a\.within\.within: .soon. is ambiguous or no amount of time"
    ):
        Procedure(
            id="p", steps=[Step("a", within="soon", to=[Transition("go", "b")]), Step("b", end="completed")]
        )


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ("thresold: 1", "values.thresold: there is no parameter 'thresold'; did you mean threshold?"),
        ("review: 11wd", "values.review: parameter review cannot be 11wd; write 10wd at most"),
        ("threshold: -1", "values.threshold: parameter threshold cannot be -1; write 0 at least"),
        ("review: 3cd", "values.review: parameter review is working days (wd); 3cd is calendar days (cd)"),
        (
            "threshold: {value: 1, unit: EUR}",
            "values.threshold.unit: parameter threshold is in CNY, not in EUR",
        ),
        ("threshold: {value: 1, source: U9}", "values.threshold.source: there is no source 'U9'"),
        ("threshold: {value: 1, minimum: 0}", "there is no key 'minimum' here"),
        ("threshold: [1]", "values.threshold"),
    ],
)
def test_a_mistaken_value_is_refused_in_its_own_document(tmp_path, values, told):
    """Unknown parameters, values beyond the bounds and other kinds are named with file, line and remedy."""
    (tmp_path / "disposal.yaml").write_text(DISPOSAL, encoding="utf-8")
    own = tmp_path / "disposal.parameters.yaml"
    own.write_text(f"parameters: disposal\nvalues:\n  {values}\n", encoding="utf-8")
    with pytest.raises(DeclarationError) as refused:
        Catalog.from_folder(tmp_path)
    (problem,) = refused.value.problems
    assert told in problem.text("en")
    assert (problem.file, problem.line) == (str(own), 3)


def test_values_for_a_procedure_that_is_not_there_are_a_mistake(tmp_path):
    """A document that sets values of nothing would be silently without effect."""
    (tmp_path / "disposal.yaml").write_text(DISPOSAL, encoding="utf-8")
    (tmp_path / "own.yaml").write_text(OVERRIDES.replace("disposal", "disposl"), encoding="utf-8")
    with pytest.raises(DeclarationError, match=r"there is no procedure 'disposl'; did you mean disposal\?"):
        Catalog.from_folder(tmp_path)


def test_a_catalog_has_the_values_of_the_folder_in_force(tmp_path):
    """The procedure is not copied; who set a value, and on which source, is told with it."""
    (tmp_path / "disposal.yaml").write_text(DISPOSAL, encoding="utf-8")
    (tmp_path / "disposal.parameters.yaml").write_text(OVERRIDES, encoding="utf-8")
    procedure = Catalog.from_folder(tmp_path)["disposal"]
    assert procedure.overridden == {"threshold": 2_000_000, "review": "3wd"}
    told = procedure.parameters["threshold"].text(procedure.sources)
    assert told.en == (
        "threshold 2,000,000 CNY (U1 本单位细则 (rule of the unit, 2024), set by The service centre, "
        "the procedure says 15,000,000 CNY)"
    )
    assert told.zh.endswith("服务中心设定，流程原定 15,000,000 CNY）")
    plain = procedure.parameters["grace"].text(procedure.sources)
    assert plain.en == "grace 1 working day (proposal)"


def test_an_earlier_version_has_the_values_that_it_takes(tmp_path):
    """A value that only the newest version knows does not keep earlier ones from being read."""
    (tmp_path / "v2.yaml").write_text(
        DISPOSAL.replace("procedure: disposal\n", "procedure: disposal\nversion: 2\n"), encoding="utf-8"
    )
    earlier = DISPOSAL.replace("  threshold: {value: 15000000, unit: CNY, source: D3, minimum: 0}\n", "")
    (tmp_path / "v1.yaml").write_text(earlier.replace("threshold", "7"), encoding="utf-8")
    (tmp_path / "own.yaml").write_text(OVERRIDES, encoding="utf-8")
    catalog = Catalog.from_folder(tmp_path)
    assert catalog["disposal", 1].overridden == {"review": "3wd"}
    assert catalog["disposal", 2].overridden == {"threshold": 2_000_000, "review": "3wd"}


def test_another_declared_value_is_one_change_and_tells_its_effect():
    """The limits that name the parameter do not change besides; of guards nobody can say what is tighter."""
    old = declared()
    new = declared(DISPOSAL.replace("value: 5wd", "value: 4wd").replace("15000000", "2000000"))
    lines = svcflow.diff(old, new).text("en").splitlines()[1:]
    assert lines == [
        "≠ parameter threshold › value: 15000000 → 2000000",
        "≠ parameter review › value: 5wd → 4wd (tightened)",
    ]
    assert "（放宽）" in svcflow.diff(new, old).text("zh")
    set_ = svcflow.diff(old, old.with_parameters({"review": "6wd"})).text("en").splitlines()[1:]
    assert set_ == ["＋ parameter review › override: 6wd (relaxed)"]


def test_an_unused_parameter_is_found():
    """A parameter that nothing names changes nothing when an institution sets it."""
    text = DISPOSAL.replace("by: closing", 'by: "16:00"')
    findings = [f for f in svcflow.check(declared(text)) if f.code == "parameter-unused"]
    assert [finding.path for finding in findings] == [("parameters", "closing")]
    assert not [f for f in svcflow.check(declared()) if f.code == "parameter-unused"]


def test_parameters_are_declared_in_python_too():
    """The same values, without a document."""
    procedure = Procedure(
        id="p",
        parameters=[Parameter("reply", value="4h")],
        steps=[Step("a", within="reply", to=[Transition("go", "b")]), Step("b", end="completed")],
    )
    assert procedure.time_limits["a"].within.us == Amount.parse("4h").us
    assert attrs.evolve(procedure, version=2).time_limits["a"].within.us == Amount.parse("4h").us
    assert "within: reply" in svcflow.dump(procedure)


@given(st.integers(1, 10), st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_value_that_is_set_does_what_the_same_value_written_out_does(days, threshold, worth):
    """Naming a quantity changes nothing but where it stands."""
    text = DISPOSAL[: DISPOSAL.index("parameters:")] + DISPOSAL[DISPOSAL.index("fields:") :]
    for name, value in {"threshold": threshold, "review": f"{days}wd", "grace": "1wd"}.items():
        text = re.sub(rf"\b{name}\b", str(value), text)
    plain = declared(text.replace("closing", '"17:00"'))
    named = declared().with_parameters({"threshold": threshold, "review": f"{days}wd"})
    for one, other in zip(plain.time_limits.values(), named.time_limits.values(), strict=True):
        assert [row.target for row in one.rows] == [row.target for row in other.rows]
        assert [rung.point for rung in one.escalate] == [rung.point for rung in other.escalate]
    for one, other in zip(plain.all_steps["asked"].to, named.all_steps["asked"].to, strict=True):
        assert one.when.holds({"worth": worth}) == other.when.holds({"worth": worth})
        assert other.when.plain == one.when.text
