"""A section of the command line: a command with commands of its own, explained in two languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import click

from svcflow.cli.command import (
    Command,
    Option,
    asked_of,
    definitions,
    examples,
    group_usage,
    help_text,
    options,
    titled,
)
from svcflow.cli.errors import WrongUsage, unknown
from svcflow.text import Text

__all__ = ["Section", "unknown_command"]

_LANG = Option(
    ["--lang"],
    type=click.Choice(["zh", "en"]),
    expose_value=False,
    wording=Text(zh="语言", en="Language of the answer."),
)


class Section(click.Group):
    """Hold the commands of one noun; without one it shows its help."""

    def __init__(self, name: str, wording: Text, commands: Mapping[str, Command]) -> None:
        super().__init__(
            name,
            commands=dict(commands),
            invoke_without_command=True,
            callback=_help,
            context_settings={"max_content_width": 100},
            params=[_LANG],
        )
        self.wording = wording

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; one that does not exist is answered with the nearest."""
        if args[0] not in self.commands and not args[0].startswith("-"):
            raise unknown_command(args[0], self.commands, ctx)
        return super().resolve_command(ctx, args)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the usage line."""
        group_usage(ctx, formatter)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the section is about."""
        help_text(formatter, self.wording.in_(asked_of(ctx).lang))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands, then the options."""
        lang = asked_of(ctx).lang
        rows = [(name, one.wording.in_(lang)) for name, one in self._explained().items()]
        with titled(ctx, formatter, Text(zh="命令", en="Commands")):
            definitions(formatter, rows)
        options(self, ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples of all commands."""
        examples(ctx, formatter, (line for one in self._explained().values() for line in one.examples))

    def _explained(self) -> Mapping[str, Command]:
        return {name: one for name, one in self.commands.items() if isinstance(one, Command)}


def unknown_command(name: str, known: Iterable[str], ctx: click.Context | None = None) -> WrongUsage:
    """Explain that there is no such command, and name the nearest, or where they are listed."""
    error = unknown(Text(zh="命令", en="command"), name, known)
    error.ctx = ctx
    error.remedy = error.remedy or Text(zh="见 svcflow --help", en="see svcflow --help")
    return error


def _help() -> None:
    ctx = click.get_current_context()
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
