"""The examples: each runs as it is published."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import svcflow

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def run(*arguments: str) -> str:
    """Run Python in the examples' folder with warnings as errors; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments], cwd=EXAMPLES, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_example_is_run_here():
    """An example that no test runs would rot."""
    tests = "".join(
        Path(__file__).with_name(name).read_text(encoding="utf-8")
        for name in ("test_examples.py", "test_hosts.py")
    )
    assert [path.name for path in EXAMPLES.glob("*.py") if path.stem not in tests] == []


def test_the_plain_script_finds_the_late_arrival():
    """embed_script.py prints the one deviation and that the journal verifies."""
    printed = run("embed_script.py").splitlines()
    assert printed[1:] == [
        "deviation: overdue of arrive, 20 minutes, major",
        "journal verifies: True",
    ]


def test_the_drawings_are_svg(tmp_path):
    """draw_diagrams.py writes one well-formed SVG for each shipped procedure."""
    printed = run("draw_diagrams.py", str(tmp_path))
    written = sorted(path.stem for path in tmp_path.glob("*.svg"))
    assert written == [procedure.id for procedure in svcflow.Catalog.shipped()]
    assert len(printed.splitlines()) == len(written)
    for path in tmp_path.glob("*.svg"):
        assert ET.parse(path).getroot().tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314  # our own


def test_the_simulation_test_passes():
    """test_with_simulation.py is collected by pytest and passes with the library's fixtures."""
    printed = run("-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "test_with_simulation.py")
    assert " passed in " in printed.splitlines()[-1]
