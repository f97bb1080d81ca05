"""Sources: a title alone or with strength, year and how it was read; cited by key, shown with what is known."""

from __future__ import annotations

import pytest

import svcflow
from svcflow.errors import DeclarationError
from svcflow.model.procedure import Procedure
from svcflow.model.source import Source, cited
from svcflow.model.step import Step
from svcflow.model.yaml.document import parse_document
from svcflow.model.yaml.dump import digest
from svcflow.model.yaml.parse import structure_procedure

STEPS = "steps: {done: {end: completed}}\n"
KNOWN = "{title: 机关事务管理条例, strength: law, year: 2012, read: original, url: 'https://example.org/a'}"


def declared(sources: str) -> Procedure:
    return parse_document(f"procedure: p\nsources: {sources}\n{STEPS}").build(structure_procedure)


def test_a_source_says_its_strength_year_and_how_it_was_read():
    """What is known of a source is kept, and written back as it was declared."""
    procedure = declared(f"{{D1: {KNOWN}, D2: a book}}")
    assert procedure.sources["D1"] == Source(
        "D1",
        title="机关事务管理条例",
        strength="law",
        year=2012,
        read="original",
        url="https://example.org/a",
    )
    assert procedure.sources["D2"] == Source("D2", title="a book")
    written = svcflow.dump(procedure)
    assert "D2: a book\n" in written
    assert parse_document(written).build(structure_procedure) == procedure


def test_a_title_alone_is_the_same_in_either_form():
    """A procedure whose sources are plain texts keeps its digest."""
    plain, long = declared("{D1: a book}"), declared("{D1: {title: a book}}")
    assert (
        digest(plain)
        == digest(long)
        == digest(Procedure(id="p", sources={"D1": "a book"}, steps=plain.steps))
    )
    assert svcflow.dump(plain) == svcflow.dump(long)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("{D1: {strength: law}}", "sources.D1: the key 'title' is missing"),
        ("{D1: {title: a, strength: lw}}", "sources.D1.strength: 'lw' is not allowed; did you mean law?"),
        ("{D1: {title: a, read: web}}", "write one of original, excerpt, quotation"),
        ("{D1: {title: a, year: '2012'}}", "sources.D1.year: takes a whole number"),
        ("{D1: {title: a, year: 0}}", "sources.D1: year: it takes a whole number from 1 to 9999"),
        ("{D1: {title: a, yaer: 2012}}", "there is no key 'yaer' here; did you mean year?"),
        ("{D1: {title: 7}}", "sources.D1.title: takes text, not 7"),
        ("{D1: [a]}", "sources.D1: takes text"),
    ],
)
def test_a_mistake_in_a_source_is_named_with_its_place(written, told):
    """A misspelt strength, a year in quotes and an unknown key are refused where they stand."""
    with pytest.raises(DeclarationError) as refused:
        declared(written)
    assert told in refused.value.text("en")
    assert len(refused.value.problems) == 1


def test_what_is_known_of_a_source_is_read_in_words():
    """People read the key, the title, and what is known, in their language."""
    source = declared(f"{{D1: {KNOWN}}}").sources["D1"]
    assert source.text("zh") == "D1 机关事务管理条例（法律法规，2012，据原文）"
    assert source.text("en") == "D1 机关事务管理条例 (law or regulation, 2012, read in the original)"
    assert Source("D2", title="a book").text("en") == "D2 a book"


def test_several_sources_may_be_cited_a_proposal_among_them():
    """A proposal is no document: it is cited and never listed."""
    sources = declared("{D1: a, D2: b}").sources
    assert [source.text("en") for source in cited("D2, D1，proposal", sources)] == [
        "D2 b",
        "D1 a",
        "proposal",
    ]
    assert cited(None, sources) == ()


def test_a_changed_strength_is_a_change_of_the_source():
    """The difference of two versions names what changed in a source."""
    old = Procedure(id="p", sources={"D1": "a"}, steps=[Step("done", end="completed")])
    new = Procedure(
        id="p", sources=[Source("D1", title="a", strength="template")], steps=[Step("done", end="completed")]
    )
    assert svcflow.diff(old, new).text("en").splitlines()[1:] == ["＋ source D1 › strength: template"]
