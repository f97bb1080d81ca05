"""Commands, groups of commands and options of click with their help in Chinese and English."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click

from svcflow.cli.errors import WrongUsage, unknown
from svcflow.cli.language import AnswerForm, Tongue
from svcflow.text import Text
from svcflow.text_table import broken, cells, padded

__all__ = [
    "LANG",
    "Command",
    "CommandGroup",
    "Decorator",
    "command",
    "form_of",
    "help_text",
    "option",
]

_OPTIONS = Text(zh="选项", en="Options")
_EXAMPLES = Text(zh="示例", en="Examples")
_PLACE = Text(zh="[选项]", en="[OPTIONS]")
_ANY = Text(zh="命令 [选项] [参数]...", en="COMMAND [OPTIONS] [ARGS]...")
_LONGEST_TERM = 26
_HELP = Text(zh="显示此说明", en="Show this message and exit.")

LANG: dict[str, Any] = {
    "type": click.Choice(["zh", "en"]),
    "expose_value": False,
    "zh": "语言",
    "en": "Language of the answer.",
}
"""The option `--lang` of a command."""

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def form_of(ctx: click.Context) -> AnswerForm:
    """Return the form of the answer that this run of the program is to give."""
    return ctx.find_object(AnswerForm) or AnswerForm()


class Option(click.Option):
    """An option with its help in two languages."""

    def __init__(
        self, param_decls: Sequence[str] | None = None, *, zh: str, en: str, **attributes: Any
    ) -> None:
        if isinstance(attributes.get("type"), click.IntRange):
            attributes.setdefault("metavar", "N")
        super().__init__(param_decls, help=en, **attributes)
        self.wording = Text(zh=zh, en=en)

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option as it stands in the help, in the language of the answer."""
        record = super().get_help_record(ctx)
        if record is None:
            return None
        lang = form_of(ctx).lang
        notes = ("；" if lang == "zh" else "; ").join(note.in_(lang) for note in self._notes())
        return record[0], f"{self.wording.in_(lang)}{notes and f'  [{notes}]'}"

    def _notes(self) -> Iterator[Text]:
        """Yield the notes in brackets behind the help, which click writes in English only."""
        if self.show_envvar and self.envvar:
            yield Text(zh=f"环境变量 {self.envvar}", en=f"env var: {self.envvar}")
        if self.show_default and self.default is not None:
            yield Text(zh=f"缺省 {self.default}", en=f"default: {self.default}")
        if isinstance(self.type, click.IntRange) and self.type.min is not None:
            yield Text(zh=f"至少 {self.type.min}", en=f"at least {self.type.min}")
        if self.required:
            yield Text(zh="必填", en="required")


class Command(click.Command):
    """A command with its help in two languages and examples to copy."""

    wording: Text = Text()
    examples: tuple[str, ...] = ()

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; those that are left over are refused in both languages."""
        ctx.allow_extra_args = True
        rest = super().parse_args(ctx, args)
        if rest and not ctx.resilient_parsing:
            listed = " ".join(rest)
            error = WrongUsage(Text(zh=f"参数过多：{listed}", en=f"more is given than is taken: {listed}"))
            error.ctx = ctx
            raise error
        return rest

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the usage line."""
        pieces = self.collect_usage_pieces(ctx)
        usage = " ".join(_PLACE.in_(form_of(ctx).lang) if piece == _PLACE.en else piece for piece in pieces)
        formatter.write_usage(ctx.command_path, usage, prefix=_prefix(form_of(ctx).lang))

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the command does."""
        help_text(formatter, self.wording.in_(form_of(ctx).lang))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options."""
        options(self, ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        examples(ctx, formatter, self.examples)


def options(self: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """Write the options of a command or group."""
    lang = form_of(ctx).lang
    records = []
    for param in self.get_params(ctx):
        record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
        if record is not None:
            records.append((record[0], _HELP.in_(lang)) if "--help" in param.opts else record)
    with titled(ctx, formatter, _OPTIONS):
        definitions(formatter, records)


def examples(ctx: click.Context, formatter: click.HelpFormatter, lines: Iterable[str]) -> None:
    """Write lines to copy, as they are."""
    with titled(ctx, formatter, _EXAMPLES):
        for line in lines:
            formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


def definitions(formatter: click.HelpFormatter, records: Sequence[tuple[str, str]]) -> None:
    """Write terms with their meanings beside them, measured in cells; a long term stands on a line of its own."""
    indent = formatter.current_indent
    column = min(max(cells(term) for term, _ in records), _LONGEST_TERM) + 2
    for term, meaning in records:
        lines = broken(meaning, formatter.width - indent - column)
        if cells(term) > _LONGEST_TERM:
            lines.insert(0, "")
        for head, line in zip((term, *("" for _ in lines)), lines, strict=False):
            formatter.write(f"{'':{indent}}{padded(head, column)}{line}".rstrip() + "\n")


def help_text(formatter: click.HelpFormatter, text: str) -> None:
    """Write paragraphs; Chinese ones, which have no spaces, are broken too."""
    for paragraph in text.split("\n\n"):
        formatter.write_paragraph()
        with formatter.indentation():
            room = formatter.width - formatter.current_indent
            for source in paragraph.splitlines():
                for line in broken(source, room):
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


def command(name: str, wording: Text, *examples: str) -> Callable[[Callable[..., Any]], Command]:
    """Make a command of a function; `examples` are lines to copy."""

    def make(function: Callable[..., Any]) -> Command:
        result = click.command(name, cls=Command, context_settings={"max_content_width": 100})(function)
        result.wording = wording
        result.examples = examples
        return result

    return make


def option(*names: str, zh: str, en: str, **attributes: Any) -> Decorator:
    """Declare an option with its help."""
    return click.option(*names, cls=Option, zh=zh, en=en, **attributes)


def _prefix(lang: Tongue) -> str:
    return "用法：" if lang == "zh" else "Usage: "


@contextmanager
def titled(ctx: click.Context, formatter: click.HelpFormatter, name: Text) -> Iterator[None]:
    """Write a section of the help below its heading."""
    formatter.write_paragraph()
    formatter.write(Text(zh=f"{name.zh}：\n", en=f"{name.en}:\n").in_(form_of(ctx).lang))
    with formatter.indentation():
        yield


class CommandGroup(click.Group):
    """Commands of one noun; called without one of them it shows its help."""

    def __init__(
        self,
        name: str,
        wording: Text,
        commands: Mapping[str, Command],
        params: Sequence[click.Parameter] | None = None,
    ) -> None:
        super().__init__(
            name,
            commands=dict(commands),
            invoke_without_command=True,
            callback=_help,
            context_settings={"max_content_width": 100},
            params=list(params or [Option(["--lang"], **LANG)]),
        )
        self.wording = wording

    def summaries(self) -> Mapping[str, Text]:
        """Return what each command is for."""
        return {name: command.wording for name, command in self._commands().items()}

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command. Raises: WrongUsage with the nearest name for one that does not exist."""
        if args[0] not in self.summaries() and not args[0].startswith("-"):
            error = unknown(Text(zh="命令", en="command"), args[0], self.summaries())
            error.ctx = ctx if ctx.parent is not None else None
            error.remedy = error.remedy or Text(zh="见 svcflow --help", en="see svcflow --help")
            raise error
        return super().resolve_command(ctx, args)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the usage line."""
        lang = form_of(ctx).lang
        formatter.write_usage(ctx.command_path, _ANY.in_(lang), prefix=_prefix(lang))

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the group is about."""
        help_text(formatter, self.wording.in_(form_of(ctx).lang))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands, then the options."""
        lang = form_of(ctx).lang
        with titled(ctx, formatter, Text(zh="命令", en="Commands")):
            definitions(formatter, [(name, text.in_(lang)) for name, text in self.summaries().items()])
        options(self, ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples of all commands."""
        examples(ctx, formatter, (line for command in self._commands().values() for line in command.examples))

    def _commands(self) -> Mapping[str, Command]:
        return {name: command for name, command in self.commands.items() if isinstance(command, Command)}


def _help() -> None:
    ctx = click.get_current_context()
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
