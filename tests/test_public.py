"""The public surface: what `svcflow.__all__` lists, what importing it costs, and the tree of errors."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys
from importlib.resources import files

import pytest

import svcflow
from svcflow import errors
from svcflow.errors import DeclarationError, MissingExtra, Problem, Refused, SvcflowError, dotted
from svcflow.text import Text

HEAVY = ("networkx", "sqlalchemy", "numpy", "wasmtime", "ruamel", "cattrs", "click", "rich", "transitions")


def test_the_public_names_are_sorted_and_unique():
    """`__all__` is kept in order, and `dir` shows it."""
    assert list(svcflow.__all__) == sorted(set(svcflow.__all__))
    assert set(svcflow.__all__) <= set(dir(svcflow))


@pytest.mark.parametrize("name", svcflow.__all__)
def test_a_public_name_can_be_imported_and_is_documented(name):
    """Each listed name is there and says what it is."""
    found = getattr(svcflow, name)
    if name != "Fact" or inspect.isclass(found):
        assert inspect.getdoc(found)


def test_a_name_that_is_not_public_is_an_attribute_error():
    """The lazy module answers like any other."""
    with pytest.raises(AttributeError, match="no attribute 'Imagined'"):
        svcflow.Imagined  # noqa: B018  # the look-up is the test


def test_importing_svcflow_loads_nothing_heavy():
    """In a fresh process `import svcflow` loads none of the libraries that only some uses need."""
    code = f"import sys, svcflow; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_engine_in_memory_needs_no_database_library():
    """`memory://` works without SQLAlchemy being loaded."""
    code = (
        "import sys, svcflow; from svcflow.model.step import Step\n"
        "p = svcflow.Procedure(id='p', steps=(Step('a', end='completed'),))\n"
        "svcflow.Engine('memory://', p).start('p'); print('sqlalchemy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_types_are_shipped():
    """py.typed tells type checkers to read our annotations."""
    assert (files("svcflow") / "py.typed").is_file()


def classes() -> list[type[SvcflowError]]:
    """Every class of the tree, wherever in the library it stands."""
    for module in pkgutil.walk_packages(svcflow.__path__, "svcflow."):
        if not module.name.startswith("svcflow.cli"):
            importlib.import_module(module.name)
    found, todo = [], [SvcflowError]
    while todo:
        one = todo.pop()
        found.append(one)
        todo += one.__subclasses__()
    return [one for one in found if one.__module__.startswith("svcflow.")]


def test_every_error_has_a_code_of_its_own_and_says_what_it_is():
    """Codes are stable names: unique, lower case; each class is documented."""
    codes = [one.code for one in classes()]
    assert len(set(codes)) == len(codes)
    assert all(code == code.lower() and " " not in code for code in codes)
    assert all("code" in vars(one) and one.__doc__ for one in classes())


def test_the_module_of_errors_lists_its_classes():
    """`svcflow.errors.__all__` is sorted and complete."""
    own = {one.__name__ for one in classes() if one.__module__ == "svcflow.errors"}
    assert list(errors.__all__) == sorted(errors.__all__)
    assert own | {"Problem"} == set(errors.__all__)


def test_errors_are_what_callers_of_the_standard_library_expect():
    """Each error but the base derives from a builtin too."""
    for one in classes():
        if one is not SvcflowError and not issubclass(one, svcflow.errors.DrawingError):
            builtins = [base for base in one.__mro__ if base.__module__ == "builtins"]
            assert len(builtins) > 3, one  # more than Exception, BaseException and object


def test_an_error_speaks_both_languages_and_ends_with_its_remedy():
    """text(lang) gives message and remedy in one language, str() the English one."""
    error = SvcflowError(Text(zh="错了", en="wrong"), Text(zh="改", en="mend it"))
    assert (error.text("zh"), error.text(), str(error)) == ("错了；改", "wrong; mend it", "wrong; mend it")
    assert SvcflowError(Text(zh="错了", en="wrong")).text("zh+en") == "错了 wrong"
    refused = Refused("order", Text(zh="错了", en="wrong"))
    assert (refused.rule, isinstance(refused, PermissionError)) == ("order", True)


def test_a_declaration_error_lists_every_mistake_with_its_place():
    """file:line:column path: message; remedy — one line each."""
    first = Problem(("steps", 0, "within"), Text(zh="甲", en="a"), Text(zh="乙", en="b"), "x.yaml", 3, 7)
    error = DeclarationError([first, Problem((), Text(zh="丙", en="c"))])
    assert str(error) == "x.yaml:3:7 steps[0].within: a; b\nc"
    assert error.text("zh") == "x.yaml:3:7 steps[0].within: 甲；乙\n丙"
    assert dotted(("a", 1, "b")) == "a[1].b"


def test_a_missing_extra_names_what_to_install():
    """The remedy is the command to type."""
    error = MissingExtra("png", Text(zh="需要它", en="it is needed"))
    assert "pip install 'svcflow[png]'" in error.text("zh")
    assert isinstance(error, ImportError)


def test_modules_of_the_public_surface_are_reached_through_the_package():
    """`import svcflow` is enough for `svcflow.worktime.WorkCalendar`, and does not import it before."""
    code = "import sys, svcflow; assert 'svcflow.worktime' not in sys.modules; svcflow.worktime.WorkCalendar"
    subprocess.run([sys.executable, "-c", code], check=True)
