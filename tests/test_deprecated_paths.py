"""Import paths that documentation of earlier versions named still lead to their modules, and say that they are old."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from svcflow.deprecated_paths import MOVED


@pytest.mark.parametrize(("old", "new"), MOVED.items())
def test_an_old_path_is_the_module_at_its_new_path(old, new, monkeypatch):
    """The same classes come from both paths, and the warning names the new one in both languages."""
    monkeypatch.delitem(sys.modules, old, raising=False)
    with pytest.warns(DeprecationWarning, match=rf"{new} / .* 已移至 {new}") as warned:
        module = importlib.import_module(old)
    assert module is importlib.import_module(new)
    assert module.__spec__ is not None
    assert module.__spec__.name == new
    assert len(warned) == 1


def test_the_warning_points_at_the_import_statement(tmp_path):
    """A user sees the line to change, and sees it once in a process."""
    script = tmp_path / "service.py"
    script.write_text(
        "import svcflow\n\nfrom svcflow.kernel.delegation import Delegation\n"
        "from svcflow.kernel.delegation import Delegation as Again\n"
        "assert Delegation is svcflow.Delegation is Again\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "always", str(script)],
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
    )
    assert done.stderr.count("DeprecationWarning") == 1
    assert f"{script}:3:" in done.stderr


def test_a_path_that_never_was_is_no_module():
    """A misspelt path is an ordinary ModuleNotFoundError."""
    with pytest.raises(ModuleNotFoundError, match=r"svcflow\.kernel\.delegations"):
        importlib.import_module("svcflow.kernel.delegations")


def test_an_old_name_is_the_function_of_now():
    """What the changelog called `svcflow.kernel.who_did` answers under that name."""
    kernel = importlib.import_module("svcflow.kernel")
    with pytest.warns(DeprecationWarning, match="performers_of"):
        assert kernel.who_did is kernel.performers_of
    with pytest.raises(AttributeError, match="who_does"):
        _ = kernel.who_does
