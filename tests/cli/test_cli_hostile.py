"""The command line with something hostile in every place: an exit code that is documented, and never a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from svcflow.cli.app import app

FEW = ("", "9" * 5000)
MORE = ("0001-01-01", "\udcff", "a=b", "postgres://h/d")
ARGUMENTS = {"instance": "i1", "procedure": "repair", "name": "cn_office", "year": "2026", "limit": "repair"}
OPTIONS = {
    "actor": "z:user",
    "by": "z:user",
    "years": "2026",
    "reason": "x",
    "country": "DE",
    "timezone": "UTC",
}
NOT_CALLED = {("demo",)}
"""What plays for seconds, whatever it is given."""


def leaves(
    command: click.Command, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from leaves(inner, (*path, name))
    elif path not in NOT_CALLED:
        yield path, command


COMMANDS = {" ".join(path): command for path, command in leaves(app)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SVCFLOW_DB", "sqlite:///service.db")
        given = ("start", "repair", "--id", "i1", "--actor", "z:user", "-d", "place=x")
        CliRunner().invoke(app, given)
    return folder


def lines(name: str, values: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the command line with each value in each place, what else is needed being in order."""
    command = COMMANDS[name]
    places = [one for one in command.params if not getattr(one, "is_flag", False)]
    for place in places:
        for value in values:
            options, arguments = [], []
            for one in places:
                if isinstance(one, click.Argument):
                    if one is place or one.required:
                        arguments.append(value if one is place else ARGUMENTS.get(str(one.name), "x"))
                elif one is place or one.required:
                    options += [one.opts[0], value if one is place else OPTIONS.get(str(one.name), "x")]
            yield (*name.split(), *options, "--", *arguments)


def failures(name: str, values: tuple[str, ...]) -> list[str]:
    found = []
    for line in lines(name, values):
        result = CliRunner().invoke(app, line)
        if result.exit_code not in range(4) or not isinstance(result.exception, SystemExit | None):
            found.append(f"{[part[:40] for part in line]}: {result.exit_code} {result.exception!r}"[:400])
    return found


@pytest.mark.long
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_with_something_hostile_ends_with_a_documented_exit(name, folder, monkeypatch):
    """0 to 3, whatever stands in whichever place."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SVCFLOW_DB", "sqlite:///service.db")
    assert failures(name, (*FEW, *MORE)) == []


@pytest.mark.parametrize("name", ["show", "check"])
def test_a_command_of_every_day_with_something_hostile_says_what_is_wrong(name, folder, monkeypatch):
    """A few values in each place of the commands that are used most."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SVCFLOW_DB", "sqlite:///service.db")
    assert failures(name, FEW) == []
