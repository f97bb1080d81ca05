"""The README: two commands set everything up, and they are the ones that CI runs. Its code runs in test_docs."""

from __future__ import annotations

import os
import re
import shlex
import tomllib
from collections import Counter
from xml.etree import ElementTree as ET

import pytest

import svcflow
from pages import PAGES, ROOT, blocks_of

README = ROOT / "README.md"
RUN = ROOT / ".ci" / "run"
DEMO = "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/svcflow demo"
TESTS = "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/python -m pytest"


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_two_commands_set_everything_up(name):
    """The first bash blocks are the two set-up commands, each on one line."""
    bash = [block.text.strip() for block in blocks_of(ROOT / name) if block.language == "bash"]
    assert bash[:2] == [DEMO, TESTS]


def test_ci_runs_the_commands_of_the_readme():
    """Each part of the README's test command stands in .ci/run, in this order, with options at most."""
    script = [re.sub(r"^\[.*\] \|\| ", "", line) for line in RUN.read_text(encoding="utf-8").splitlines()]
    place = -1
    for part in TESTS.split(" && "):
        words = shlex.split(part)
        found = [n for n, line in enumerate(script) if n > place and holds(line, words)]
        assert found, part
        place = found[0]
    assert '.venv/bin/python -m pytest -m "long or hypothesis"' in script[place + 1], (
        "the second loop comes after the first"
    )


def holds(line: str, words: list[str]) -> bool:
    """Say whether a line has these words in this order, options between and after them left aside."""
    written = iter(shlex.split(line, comments=True))
    return all(word in written for word in words)


def test_ci_stops_at_the_first_failure():
    """The script may be run as it is, and no failure is passed over."""
    text = RUN.read_text(encoding="utf-8")
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "\nset -euo pipefail\n" in text
    assert "|| true" not in text
    assert os.access(RUN, os.X_OK)


def test_ci_looks_at_the_sources_too():
    """Style, format and types are looked at before the tests run."""
    text = RUN.read_text(encoding="utf-8")
    for command in ("ruff check", "ruff format --check", "mypy", "--cov"):
        assert command in text, command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_bash_line_is_one_we_stand_for(page):
    """Shell blocks are not run, so they hold only set-up commands, extras that exist and files that exist."""
    extras = project()["project"]["optional-dependencies"]
    for block in blocks_of(page):
        if block.language != "bash":
            continue
        for line in filter(None, block.text.splitlines()):
            extra = re.fullmatch(r"pip install 'svcflow\[(\w+)\]'", line)
            example = re.match(r"\.venv/bin/python (examples/\S+)", line)
            known = line in (DEMO, TESTS, ".ci/run", "pip install fastapi uvicorn")
            known = known or (extra is not None and extra[1] in extras)
            assert known or (example is not None and (ROOT / example[1]).exists()), f"{page}: {line}"


def test_no_page_names_a_machine():
    """No page and no script holds a path of one machine or the address of a registry."""
    for path in (*PAGES, RUN, ROOT / "CHANGELOG.md", *(ROOT / "examples").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(?<![\w.])/(work|tmp|root|home)/|index-url|https?://\S*(pypi|npm)", text), path


def test_the_picture_shows_the_shipped_procedure():
    """docs/images/repair.svg says what drawing the procedure today would say; lines and breaks may run otherwise."""
    kept = (ROOT / "docs" / "images" / "repair.svg").read_text(encoding="utf-8")
    drawn = svcflow.draw(svcflow.Catalog.shipped()["repair"]).svg
    assert letters(kept) == letters(drawn), "run: svcflow draw repair --out docs/images/repair.svg"


def letters(svg: str) -> Counter[str]:
    texts = ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")  # noqa: S314  # our own
    return Counter(letter for text in texts for letter in "".join(text.itertext()) if not letter.isspace())


def test_the_licence_and_the_changelog_agree_with_the_package():
    """The licence is the one the package declares; the changelog has a place for what is not released."""
    assert (
        (ROOT / "LICENSE")
        .read_text(encoding="utf-8")
        .startswith("MIT License\n\nCopyright (c) 2026 The svcflow")
    )
    assert project()["project"]["license"] == "MIT"
    assert "\n## [Unreleased]\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
