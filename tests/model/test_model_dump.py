"""What `dump` writes reads back to the same procedure, and looks written by hand."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from model_strategies import procedures

import svcflow
from svcflow.model.catalog import shipped_folder
from svcflow.model.field import Field
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import Procedure
from svcflow.model.step import Otherwise, Step, Transition
from svcflow.model.yaml.document import parse_document
from svcflow.model.yaml.dump import dump
from svcflow.model.yaml.parse import structure_procedure
from svcflow.text import Text

SHIPPED = sorted(path for path in shipped_folder().rglob("*.yaml") if path.name.count(".") == 1)


def loaded(written: str) -> Procedure:
    return parse_document(written).build(structure_procedure)


@given(procedures())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_dumped_loads_to_an_equal_procedure(procedure):
    """No wording, number or combination of rules is lost or changed on the way through YAML."""
    assert loaded(dump(procedure)) == procedure


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_procedure_survives_dump_and_load(path):
    """The library's own procedures round-trip, and dumping is stable."""
    procedure = svcflow.load(path)
    written = dump(procedure)
    assert loaded(written) == procedure
    assert dump(loaded(written)) == written


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_dumped_procedure_keeps_its_lines_readable(path):
    """No line of a dumped procedure needs a wide screen, apart from one long wording."""
    for line in dump(svcflow.load(path)).splitlines():
        columns = sum(2 if ord(letter) > 0x2E80 else 1 for letter in line)
        assert columns <= 120 or line.lstrip().startswith(("D", "L", "purpose")), line


def minimal(**more: object) -> Procedure:
    steps = (
        Step("asked", name=Text("提问", "Asked"), to=[Transition("answer", "answered")], **more),
        Step("answered", end="completed"),
    )
    return Procedure(id="ask", steps=steps)


def test_choices_are_a_list_until_one_of_them_has_a_name():
    """What was written as a list stays one, so that its digest does; names stand beside their values."""
    plain = attrs.evolve(minimal(), fields=[Field("k", type="choice", choices=["a", "b"])])
    assert "choices: [a, b]" in dump(plain)
    named = attrs.evolve(
        minimal(), fields=[Field("k", type="choice", choices={"a": Text("甲", "A"), "b": Text()})]
    )
    assert "choices: {a: {zh: 甲, en: A}, b: {}}" in dump(named)
    assert loaded(dump(named)) == named


def test_a_small_procedure_is_dumped_as_one_would_write_it():
    """Defaults are left out and the short forms are used."""
    assert dump(minimal(within="2wh")) == (
        "procedure: ask\n"
        "version: 1\n"
        "\n"
        "steps:\n"
        "  asked:\n"
        "    name: {zh: 提问, en: Asked}\n"
        "    within: 2wh\n"
        "    to: {answer: answered}\n"
        "  answered: {end: completed}\n"
    )


def test_a_limit_with_a_source_is_dumped_by_its_unit():
    """`{wd: 1, source: D1}` is how a step's sourced limit is written."""
    limit = TimeLimit(within="1wd", source="proposal", warn=["75%"])
    assert "    within: {wd: 1, source: proposal, warn: [75%]}\n" in dump(minimal(within=limit))


def test_steps_of_another_person_are_dumped_with_brackets_only_where_there_are_several():
    """A single step stands as it always did; reading either form gives the same."""
    assert "    not_by: asked\n" in dump(minimal(not_by=["asked"]))
    assert "    not_by: [answered, asked]\n" in dump(minimal(not_by=["answered", "asked"]))
    assert minimal(not_by="asked") == minimal(not_by=["asked"])
    assert loaded(dump(minimal(not_by=["asked"])).replace("not_by: asked", "not_by: [asked]")).steps[
        0
    ].not_by == ("asked",)
    assert minimal(not_by=[]) == minimal() == minimal(not_by=None)


def test_a_fraction_is_dumped_as_text():
    """A limit of 1.5 hours keeps its fraction exactly."""
    limit = TimeLimit(within="1.5h", source="proposal")
    assert "    within: {within: 1.5h, source: proposal}\n" in dump(minimal(within=limit))


def test_rows_of_one_trigger_are_dumped_as_a_list_in_their_order():
    """The first row that holds is taken, so their order is kept, also when others stood between them."""
    rows = [
        Transition("go", "small", when="fee < 10"),
        Transition("stop", "small"),
        Transition("go", "large"),
    ]
    procedure = loaded(
        "procedure: p\nfields: {fee: {type: number}}\nsteps:\n"
        "  a: {to: {go: [{step: small, when: fee < 10}, large], stop: small}}\n"
        "  small: {end: done}\n  large: {end: done}\n"
    )
    assert procedure.steps[0] == Step("a", to=rows)
    assert "      go: [{step: small, when: fee < 10}, large]\n      stop: small\n" in dump(procedure)


def test_what_refuses_otherwise_is_dumped_as_a_row_of_its_own():
    """It stands after the rows with guards, also after a single one."""
    text = (
        "procedure: p\nversion: 1\n\nfields: {fee: {type: number}}\n\nsteps:\n  a:\n    to:\n"
        "      go:\n        - {step: e, when: fee < 10}\n"
        "        - {otherwise: refuse, name: {zh: 规定, en: The rule}}\n"
        "  e: {end: done}\n"
    )
    procedure = loaded(text)
    assert procedure.steps[0].to == (
        Transition("go", "e", when="fee < 10", otherwise=Otherwise("refuse", name=Text("规定", "The rule"))),
    )
    assert loaded(dump(procedure)) == procedure
    assert text.split("steps:")[1] in dump(procedure)


@pytest.mark.parametrize(
    "wording", ["1", "true", "null", "~", "1e5", "", "-0", "0.5", "+.5e3", "2026-01-01", "a: b", "#"]
)
def test_a_wording_that_looks_like_something_else_stays_a_wording(wording):
    """Text that YAML would read as a number, a truth value or nothing is quoted."""
    procedure = Procedure(
        id="p", sources={"D1": wording}, steps=[Step("a", name=Text(en=wording), end="completed")]
    )
    assert loaded(dump(procedure)) == procedure
