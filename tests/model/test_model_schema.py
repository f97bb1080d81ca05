"""The JSON Schema takes whatever the loader takes, and both refuse an unknown key."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path

import attrs
import jsonschema
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from model_strategies import procedures

import svcflow
from svcflow.errors import DeclarationError
from svcflow.model.catalog import shipped_folder
from svcflow.model.limit import TimeLimit
from svcflow.model.procedure import Procedure
from svcflow.model.scenario import Scenario
from svcflow.model.step import Step, Transition
from svcflow.model.yaml.document import Document, parse_document, read_document
from svcflow.model.yaml.dump import dump
from svcflow.model.yaml.json_schema import json_schema
from svcflow.model.yaml.parse import by_kind, structure, structure_procedure
from svcflow.model.yaml.unknown_keys import UNWRITTEN

KINDS = ("procedure", "scenario", "mapping", "parameters", "calendar")
CALENDARS = Path(svcflow.__file__).parent / "worktime" / "data"
FILES = sorted([*shipped_folder().rglob("*.yaml"), *CALENDARS.glob("*.yaml")])


@cache
def validator(kind: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json_schema(kind))


def accepted(data: dict, kind: str) -> bool:
    return validator(kind).is_valid(data)


def loads(data: dict, kind: str) -> bool:
    """Say whether the loader takes the data."""
    from svcflow.model.log_mapping import LogMapping
    from svcflow.model.parameter import Overrides

    try:
        if kind == "procedure":
            structure_procedure(data)
        else:
            structure(
                by_kind(data, kind),
                {"scenario": Scenario, "mapping": LogMapping, "parameters": Overrides}[kind],
            )
    except DeclarationError:
        return False
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_each_schema_is_a_schema_of_its_draft(kind):
    """Editors read draft 2020-12; a title and a description say what the document is."""
    schema = json_schema(kind)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["title"]
    assert schema["description"]
    assert schema["required"][0] == kind == next(iter(schema["properties"]))
    assert all(part.get("title") and part.get("description") for part in schema.get("$defs", {}).values())


def objects(node: object) -> list[dict]:
    if isinstance(node, dict):
        own = [node] if "properties" in node else []
        return own + [found for part in node.values() for found in objects(part)]
    return [found for part in node for found in objects(part)] if isinstance(node, list) else []


@pytest.mark.parametrize("kind", KINDS)
def test_no_object_of_a_schema_takes_unknown_keys(kind):
    """A misspelt key is underlined while it is written."""
    assert all(part["additionalProperties"] is False for part in objects(json_schema(kind)))


@pytest.mark.parametrize(
    ("cls", "leave"), [(Procedure, "id"), (Step, "id"), (Transition, "trigger"), (TimeLimit, "")]
)
def test_a_schema_has_the_keys_of_its_class(cls, leave):
    """A key added to the model is in the schema without further work."""
    schema = json_schema()
    made = schema if cls is Procedure else schema["$defs"][cls.__name__]
    unwritten = {leave, *UNWRITTEN.get(cls, ())}
    names = {a.name.removesuffix("_") for a in attrs.fields(cls) if a.name not in unwritten}
    assert names <= made["properties"].keys()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_shipped_document_fits_its_schema(path):
    """The library's own files show no error in an editor."""
    document = read_document(path)
    errors = [error.message for error in validator(document.kind).iter_errors(document.data)]
    assert errors == []


def nested(data: object) -> list[tuple]:
    """Return the path of every value in the data."""
    if isinstance(data, dict):
        return [(key, *rest) for key, item in data.items() for rest in [(), *nested(item)]]
    if isinstance(data, list):
        return [(place, *rest) for place, item in enumerate(data) for rest in [(), *nested(item)]]
    return []


def changed(data: dict, path: tuple, change: object) -> dict:
    made = copy.deepcopy(data)
    inner = made
    for part in path[:-1]:
        inner = inner[part]
    change(inner, path[-1])
    return made


SHIPPED: list[Document] = [document for path in FILES if (document := read_document(path)).kind != "calendar"]
VALUES = (
    None, True, 0, 1.5, "", "a", "3h", "1wd", " 30m ", "75%", "+5m", "recipient", [], {}, ["a"], {"zh": "中"},
    {"h": 1}, {"within": "3h"}, {"step": "rated"}, ["rated"], "2026-01-01", "proposal", "done", "fee > 1",
)  # fmt: skip


@given(st.data())
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_the_loader_takes_of_a_changed_document_the_schema_takes(data):
    """An editor never marks as wrong what loads."""
    document = data.draw(st.sampled_from(SHIPPED), label="document")
    path = data.draw(st.sampled_from(nested(document.data)), label="path")
    value = data.draw(st.sampled_from(VALUES), label="value")
    changes = (lambda inner, key: inner.pop(key), lambda inner, key: inner.__setitem__(key, value))
    made = changed(document.data, path, data.draw(st.sampled_from(changes)))
    assume(next(iter(made), None) == document.kind)
    if loads(made, document.kind):
        assert accepted(made, document.kind)


@given(procedures())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_procedure_that_can_be_dumped_fits_the_schema(procedure):
    """What Python can build, the schema knows."""
    document = parse_document(dump(procedure))
    assert [error.message for error in validator("procedure").iter_errors(document.data)] == []


def keyed(data: dict, schema_kind: str) -> list[tuple]:
    """Return the paths of mappings with keys of their own, not of names that a document chooses."""
    chosen = {"sources", "fields", "roles", "steps", "to", "parallel", "holds", "indicators", "enforce",
              "choices", "activities", "durations", "exits", "pools"}  # fmt: skip
    inner = [path for path in nested(data) if isinstance(value_at(data, path), dict)]
    mappings = [path for path in inner if path[-1] not in chosen]
    shapes = {frozenset(value_at(data, path)): path for path in mappings if "exits" not in path}
    return [(), *shapes.values()]


def value_at(data: object, path: tuple) -> object:
    for part in path:
        data = data[part]
    return data


@pytest.mark.parametrize("document", SHIPPED, ids=lambda document: Path(document.file).name)
def test_an_unknown_key_is_refused_by_the_loader_and_the_schema_wherever_it_stands(document):
    """Both are as strict, at every level."""
    places = keyed(document.data, document.kind)
    assert len(places) > 1
    for path in places:
        made = copy.deepcopy(document.data)
        value_at(made, path)["unheard_of"] = "x"
        assert not accepted(made, document.kind), path
        assert not loads(made, document.kind), path


CALENDAR = {"calendar": "c", "timezone": "UTC", "weekly": {"mon-fri": ["08:30-17:30"]}}


@pytest.mark.parametrize(
    ("more", "fits"),
    [
        ({}, True),
        ({"covers": {"from": "2024-01-01", "to": "2026-12-31"}}, True),
        ({"covers": {"from": "2024-01-01"}}, False),
        ({"holidays": [{"date": "2026-02-15", "to": "2026-02-23", "name": "春节"}]}, True),
        ({"holidays": [{"date": "2026-02-15", "hours": ["08:30-12:00"]}]}, False),
        ({"holidays": [{"name": "春节"}]}, False),
        ({"makeup": [{"date": "2026-02-14", "hours": ["08:30-12:00"], "name": {"zh": "调休"}}]}, True),
        ({"weekly": {"mon": "08:30-17:30"}}, True),
        ({"weekly": ["08:30-17:30"]}, False),
        ({"weekly": [{"from": "05-01", "to": "04-30", "mon, wed-fri": ["08:30-17:30"]}]}, True),
        ({"weekly": [{"from": "05-01", "mon-fri": ["08:30-17:30"]}]}, False),
        ({"weekly": [{"from": "05-01", "to": "04-30", "monday": ["08:30-17:30"]}]}, False),
        ({"days": [{"date": "2026-02-13", "hours": ["08:30-12:00"], "name": "除夕前"}]}, True),
        ({"days": [{"date": "2026-02-13"}]}, False),
        ({"days": [{"date": "2026-02-13", "to": "2026-02-14", "hours": []}]}, False),
        ({"holiday": []}, False),
        ({"source": ["a", "b"], "name": {"zh": "a", "en": "b"}}, True),
        ({"name": {"cn": "a"}}, False),
    ],
)
def test_a_calendar_has_the_keys_of_the_declaration(more, fits):
    """Calendars are read elsewhere; their schema says the same keys, and the reader agrees."""
    from svcflow.worktime import calendar_file

    assert accepted({**CALENDAR, **more}, "calendar") is fits
    assert set(json_schema("calendar")["properties"]) == set(calendar_file.KEYS)


def test_a_schema_is_made_anew_for_each_caller():
    """Changing one leaves the next as it was."""
    json_schema()["properties"].clear()
    assert json_schema()["properties"]
