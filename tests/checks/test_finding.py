"""A finding as a value: its line, its order, its JSON; and what importing the package costs."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import permutations

import attrs
import pytest
from checks_declared import declared, end, step

from svcflow.checks import CODES, Finding, check
from svcflow.checks.findings import finding
from svcflow.text import Text

ONE = finding("dead-end", ("steps", "a"), Text(zh="没有去路", en="no way on"), Text(zh="加 to", en="add to"))


def test_a_finding_is_one_line_with_its_place_first() -> None:
    """`file:line:column path: severity code: message; remedy`, as compilers write it."""
    placed = attrs.evolve(ONE, file="repair.yaml", line=31, column=9)
    assert placed.text() == "repair.yaml:31:9 steps.a: error dead-end: no way on; add to"
    assert placed.text("zh") == "repair.yaml:31:9 steps.a: 错误 dead-end: 没有去路；加 to"


def test_a_finding_without_a_document_names_its_path() -> None:
    """A procedure built in Python has no lines; the path still says where."""
    assert ONE.text() == "steps.a: error dead-end: no way on; add to"


def test_findings_sort_by_severity_then_place() -> None:
    """Errors come first, then file, line and column, then path; whatever order they were found in."""
    note = finding("role-unused", ("roles", "a"), Text(en="x"), Text(en="y"))
    late = attrs.evolve(ONE, line=20)
    indexed = attrs.evolve(ONE, path=("limits", 10))
    before = attrs.evolve(ONE, path=("limits", 9))
    for shuffled in permutations([before, indexed, ONE, late, note]):
        assert sorted(shuffled) == [before, indexed, ONE, late, note]


def test_a_finding_is_compared_with_findings_only() -> None:
    """Comparing with anything else is a mistake, not an order."""
    with pytest.raises(TypeError):
        assert ONE < "dead-end"


def test_a_finding_becomes_plain_json() -> None:
    """`--json` keeps both languages and every part of the place."""
    said = json.loads(json.dumps(attrs.evolve(ONE, file="a.yaml", line=3, column=5).to_json()))
    assert said == {
        "code": "dead-end",
        "severity": "error",
        "path": "steps.a",
        "file": "a.yaml",
        "line": 3,
        "column": 5,
        "message": {"zh": "没有去路", "en": "no way on"},
        "remedy": {"zh": "加 to", "en": "add to"},
    }


def test_a_finding_of_an_unknown_code_is_refused() -> None:
    """A finding that the table does not explain cannot be made."""
    with pytest.raises(ValueError, match="no-such-code"):
        Finding("no-such-code", "error", (), Text(en="x"), Text(en="y"))


def test_the_table_explains_every_code_in_both_languages() -> None:
    """Documentation is generated from the table, so each row has both meanings."""
    assert all(code.meaning.zh and code.meaning.en and code.id == key for key, code in CODES.items())


def test_findings_come_sorted() -> None:
    """`check` returns errors before warnings before notes."""
    found = check(declared(step("first", role=None), step("second", "closed"), end()))
    assert list(found) == sorted(found)
    assert [f.severity for f in found][:2] == ["error", "error"]


def test_importing_the_checks_loads_no_graph_library() -> None:
    """networkx is loaded by the first check, not by the import."""
    code = "import sys, svcflow.checks; print('networkx' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
