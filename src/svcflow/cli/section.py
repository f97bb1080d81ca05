"""A section of the command line: a command with commands of its own, explained in two languages."""

from __future__ import annotations

from collections.abc import Mapping

import click

from svcflow.cli.command import Command, Option, asked_of, definitions, help_text, section, usage_prefix
from svcflow.text import Text

__all__ = ["Section"]

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
            no_args_is_help=True,
            context_settings={"max_content_width": 100},
            params=[_LANG],
        )
        self.wording = wording

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the usage line."""
        formatter.write_usage(ctx.command_path, "COMMAND [OPTIONS] [ARGS]...", prefix=usage_prefix(ctx))

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the section is about."""
        help_text(formatter, self.wording.in_(asked_of(ctx).lang))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands."""
        lang = asked_of(ctx).lang
        found = [self.commands[name] for name in self.commands]
        rows = [(one.name or "", one.wording.in_(lang)) for one in found if isinstance(one, Command)]
        with formatter.section(section(ctx, Text(zh="命令", en="Commands"))):
            definitions(formatter, rows)
