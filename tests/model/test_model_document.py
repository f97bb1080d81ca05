"""Documents: bounded, plain YAML, every value with its place."""

from __future__ import annotations

import contextlib
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svcflow.errors import DeclarationError
from svcflow.model.yaml.document import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_EVENTS,
    Document,
    parse_document,
    plain_scalar,
    read_document,
)


def refused(content: str | bytes) -> DeclarationError:
    with pytest.raises(DeclarationError) as caught:
        parse_document(content, file="p.yaml")
    return caught.value


def place(content: str | bytes) -> tuple[int, int]:
    problem = refused(content).problems[0]
    assert problem.file == "p.yaml"
    assert problem.message.zh
    assert problem.message.en
    return problem.line, problem.column


def test_a_document_is_plain_data_with_the_place_of_every_value():
    """Scalars stand where they stand, mappings and lists at their key; lines and columns count from 1."""
    document = parse_document(
        "procedure: p\nsteps:\n  a:\n    evidence: [x, 'y']\n    to: {go: b}\n", file="p.yaml"
    )
    assert document.kind == "procedure"
    assert document.data == {"procedure": "p", "steps": {"a": {"evidence": ["x", "y"], "to": {"go": "b"}}}}
    assert document.place(("procedure",)) == (1, 12)
    assert document.place(("steps", "a")) == (3, 3)
    assert document.place(("steps", "a", "evidence")) == (4, 5)
    assert document.place(("steps", "a", "evidence", 1)) == (4, 19)
    assert document.place(("steps", "a", "to", "go")) == (5, 14)


def test_a_place_that_was_not_written_is_the_nearest_above_it():
    """A mistake about what is missing is told where it is missing."""
    document = parse_document("procedure: p\nsteps:\n  a: {}\n")
    assert document.place(("steps", "a", "within", "match")) == (3, 3)
    assert document.place(("nowhere",)) == (1, 1)


def test_an_empty_value_stands_at_its_key():
    """What was left out is told on the line where it was to be written."""
    document = parse_document("procedure: p\nsources:\nname:\n")
    assert document.data["sources"] is None
    assert document.place(("sources",)) == (2, 1)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("null", None), ("true", True), ("False", False), ("yes", "yes"), ("off", "off"),
        ("7", 7), ("-7", -7), ("+7", 7), ("007", 7), ("0x1F", "0x1F"), ("1_000", "1_000"), ("1.5", 1.5),
        ("1e3", 1000.0), ("-", "-"), ("1-2", "1-2"), ("2026-01-01", "2026-01-01"), ("30m", "30m"), (".", "."),
        ("++0", "++0"),
        ("--5", "--5"),
        ("+-1", "+-1"),
        ("1.", 1.0),
        (".5", 0.5),
        ("-1.5e-3", -0.0015),
        ("1e999", "1e999"),
        ("e5", "e5"),
        ("1" * 19, float("1" * 19)), ("٣", "٣"),
    ],
)  # fmt: skip
def test_a_plain_scalar_is_read_by_the_core_schema_of_yaml_1_2(text, value):
    """`yes` is a word, a date is text, and no number is read that people do not write."""
    read = plain_scalar(text)
    assert read == value
    assert type(read) is type(value)


@given(st.text("+-.e0159_", max_size=6))
@settings(max_examples=500)
def test_a_scalar_that_looks_almost_like_a_number_is_read_without_an_error(text):
    """Whatever the order of signs, points and digits, it is a number or the text itself."""
    read = plain_scalar(text)
    assert read is None or read == text or isinstance(read, int | float)


def test_a_quoted_scalar_is_text():
    """Quotes keep `1` and `true` as they are written."""
    assert parse_document("mapping: '1'\na: \"true\"\nb: |\n  null\n").data == {
        "mapping": "1",
        "a": "true",
        "b": "null\n",
    }


def test_a_document_larger_than_1_mib_is_refused():
    """The limit holds for what is read, before anything is parsed."""
    assert place("procedure: p\n#" + "x" * MAX_BYTES) == (1, 1)
    assert parse_document(("procedure: p\n#" + "x" * MAX_BYTES)[:MAX_BYTES]).kind == "procedure"


def test_nesting_beyond_the_limit_is_refused_where_it_begins():
    """Fifty thousand brackets are told at the first one too many."""
    deepest = MAX_DEPTH - 1  # the document's own mapping is the first level
    assert parse_document("procedure: " + "[" * deepest + "]" * deepest).kind == "procedure"
    assert place("procedure: " + "[" * (deepest + 1) + "]" * (deepest + 1)) == (1, 12 + deepest)
    assert place("procedure: " + "[" * 50_000) == (1, 12 + deepest)


def test_more_events_than_the_limit_are_refused():
    """A long list of nothing stops early."""
    fits = (MAX_EVENTS - 8) * "a,"
    assert parse_document(f"procedure: [{fits}]").kind == "procedure"
    assert (
        refused(f"procedure: [{fits}{'a,' * 8}]").problems[0].message.en == f"more than {MAX_EVENTS} events"
    )


@pytest.mark.parametrize(
    ("content", "where", "said"),
    [
        ("procedure: &a p\n", (1, 12), "anchors and aliases"),
        ("procedure: p\nx: *a\n", (2, 4), "anchors and aliases"),
        ("procedure: p\nx: &a [1]\n", (2, 4), "anchors and aliases"),
        ("procedure: p\nx:\n  <<: {a: 1}\n", (3, 3), "merge keys"),
        ("procedure: !!str p\n", (1, 12), "tags are not allowed"),
        ("procedure: !x p\n", (1, 12), "tags are not allowed"),
        ("procedure: p\nx: !" + 2000 * "x" + "\n", (2, 4), "tags are not allowed"),
        ("procedure: p\nx: !!python/object:os.system {}\n", (2, 4), "tags are not allowed"),
        ("procedure: p\nx: 1\nx: 2\n", (3, 1), "stands twice"),
        ("procedure: p\n? [a]\n: 1\n", (2, 3), "keys must be plain text"),
        ("procedure: p\n---\nprocedure: q\n", (2, 1), "one document to a file"),
        ("procedure: p\nx:\n\ty: 1\n", (3, 1), "not valid YAML"),
        ("procedure: [p\n", (2, 1), "not valid YAML"),
        ("procedure: p\nx: 'a\n", (2, 4), "the quotation mark is not closed"),
        ("procedure: p: q\n", (1, 13), "not valid YAML"),
        ("procedure: p\nx: a\x07b\n", (2, 5), "not valid YAML"),
        ("procedure: p\nx: \ud800\n", (2, 1), "not UTF-8"),
        (b"procedure: p\nx: \xff\n", (2, 1), "not UTF-8"),
        ("procedure: p\n".encode("utf-16"), (1, 1), "not UTF-8"),
        ("", (1, 1), "first key"),
        ("\n# nothing\n", (1, 1), "first key"),
        ("---\n...\n", (1, 1), "first key"),
        ("{}", (1, 1), "first key"),
        ("- procedure\n", (1, 1), "first key"),
        ("name: x\nprocedure: p\n", (1, 1), "first key"),
    ],
)  # fmt: skip
def test_what_a_document_may_not_hold_is_refused_at_its_place(content, where, said):
    """Aliases, anchors, tags, merge keys, duplicates and broken YAML are told with line and column."""
    assert place(content) == where
    assert said in refused(content).text("en")


def test_two_duplicate_keys_are_told_together():
    """Each is named at its own place."""
    error = refused("procedure: p\na: 1\na: 2\nb: {c: 1, c: 2}\n")
    assert [(p.path, p.line, p.column) for p in error.problems] == [(("a",), 3, 1), (("b", "c"), 4, 11)]


def test_a_byte_order_mark_is_taken_away():
    """An editor's mark does not become part of the first key."""
    assert parse_document(b"\xef\xbb\xbfprocedure: p\n").kind == "procedure"


def test_a_document_is_read_from_its_file(tmp_path):
    """The file's name stands in every place."""
    path = tmp_path / "p.yaml"
    path.write_text("calendar: 中文\n", encoding="utf-8")
    assert read_document(path).file == str(path)
    assert read_document(str(path)).data == {"calendar": "中文"}


def test_a_file_that_cannot_be_read_is_a_declaration_error(tmp_path):
    """A missing file is told like every other mistake."""
    with pytest.raises(DeclarationError, match="cannot be read") as caught:
        read_document(tmp_path / "none.yaml")
    assert "无法读取" in caught.value.text("zh")
    assert "没有这个文件或文件夹" in caught.value.text("zh")


@pytest.mark.long
@pytest.mark.no_cover
@pytest.mark.parametrize(
    "content",
    [
        "procedure: " + "a" * (MAX_BYTES - 20),
        "procedure: '" + "a b\n " * 200_000,
        'procedure: "' + "\\n" * 500_000,
        "procedure: p\n" + "#\n" * 500_000,
        "procedure:" + " " * (MAX_BYTES - 20),
        "procedure: p\n" + "\n" * (MAX_BYTES - 20),
        "procedure: p\nx: >\n" + " a\n" * 340_000,
        "- " * 500_000,
        "? " * 500_000,
        "{a: " * 250_000,
        "&" + "a" * 1_000_000,
        "!" + "a" * 1_000_000,
        "procedure: [!" + "a" * 1_000_000,
        "procedure: " + "[!" * 500_000,
        "%" + "a" * 1_000_000,
        "a: b\n" * 200_000,
        "procedure: [" + "a: b, " * 150_000,
    ],
    ids=lambda content: repr(content[:14]),
)  # fmt: skip
def test_the_largest_documents_are_read_or_refused_in_bounded_time(content):
    """No mebibyte of anything keeps the reader busy for long: five seconds here, where nothing else runs."""
    start = time.process_time()
    with contextlib.suppress(DeclarationError):
        parse_document(content[:MAX_BYTES])
    assert time.process_time() - start < 60


YAMLISH = "procedure: ab\n\t -?[]{},#&*!|>'\"%@`~<=.0123456789\\\x85\u2028é中\x00\ufeff"


@given(
    st.text(max_size=200)
    | st.text(YAMLISH, max_size=120)
    | st.text(YAMLISH, max_size=120).map(lambda rest: f"procedure: p\n{rest}")
    | st.binary(max_size=200)
)
@settings(max_examples=600, deadline=2000)
def test_any_input_is_a_document_or_a_declaration_error(content):
    """Nothing a file can hold gets out as another error."""
    try:
        document = parse_document(content)
    except DeclarationError:
        return
    assert isinstance(document, Document)
    assert document.kind in document.data


def test_what_json_writes_as_two_escapes_is_one_character():
    """JSON is YAML, and its writers escape an emoji as a surrogate pair."""
    written = json.dumps({"procedure": "p", "name": "🚒 x", "note": "\ud800"})
    assert parse_document(written).data == {"procedure": "p", "name": "🚒 x", "note": "\ud800"}
