"""Commands and options that explain themselves in Chinese and English. They know no procedure and no store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from svcflow.cli.errors import WrongUsage
from svcflow.cli.language import Asked, Tongue
from svcflow.text import Text
from svcflow.text_table import broken, cells, padded

__all__ = ["Command", "argument", "asked_of", "command", "help_text", "option"]

_OPTIONS = Text(zh="选项", en="Options")
_EXAMPLES = Text(zh="示例", en="Examples")
_PLACE = Text(zh="[选项]", en="[OPTIONS]")
_ANY = Text(zh="命令 [选项] [参数]...", en="COMMAND [OPTIONS] [ARGS]...")
_LONGEST_TERM = 26
_HELP = Text(zh="显示此说明", en="Show this message and exit.")

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def asked_of(ctx: click.Context) -> Asked:
    """Return what was asked for in this run."""
    return ctx.find_object(Asked) or Asked()


class Option(click.Option):
    """An option with its help in two languages."""

    def __init__(self, param_decls: Sequence[str] | None = None, *, wording: Text, **attributes: Any) -> None:
        if isinstance(attributes.get("type"), click.IntRange):
            attributes.setdefault("metavar", "N")
        super().__init__(param_decls, help=wording.in_("en"), **attributes)
        self.wording = wording

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return how the option stands in the help, in the asked language."""
        record = super().get_help_record(ctx)
        if record is None:
            return None
        lang = asked_of(ctx).lang
        notes = ("；" if lang == "zh" else "; ").join(note.in_(lang) for note in self._notes())
        return record[0], f"{self.wording.in_(lang)}{notes and f'  [{notes}]'}"

    def _notes(self) -> Iterator[Text]:
        """Yield what stands in brackets behind the help; click would say it in English."""
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
        """Parse; what is left over is refused in both languages, as click would in one."""
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
        usage = " ".join(_PLACE.in_(asked_of(ctx).lang) if one == _PLACE.en else one for one in pieces)
        formatter.write_usage(ctx.command_path, usage, prefix=_prefix(asked_of(ctx).lang))

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the command does."""
        help_text(formatter, self.wording.in_(asked_of(ctx).lang))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options."""
        options(self, ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        examples(ctx, formatter, self.examples)


def options(self: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """Write the options of a command or group."""
    lang = asked_of(ctx).lang
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
    """Write terms and what they mean side by side, measured in cells; a long term stands on a line of its own."""
    indent = formatter.current_indent
    column = min(max(cells(term) for term, _ in records), _LONGEST_TERM) + 2
    for term, meaning in records:
        lines = broken(meaning, formatter.width - indent - column)
        if cells(term) > _LONGEST_TERM:
            lines.insert(0, "")
        for head, line in zip((term, *("" for _ in lines)), lines, strict=False):
            formatter.write(f"{'':{indent}}{padded(head, column)}{line}".rstrip() + "\n")


def help_text(formatter: click.HelpFormatter, said: str) -> None:
    """Write paragraphs; click would not break Chinese ones, which have no spaces."""
    for paragraph in said.split("\n\n"):
        formatter.write_paragraph()
        with formatter.indentation():
            room = formatter.width - formatter.current_indent
            for written in paragraph.splitlines():
                for line in broken(written, room):
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


def command(name: str, wording: Text, *examples: str) -> Callable[[Callable[..., Any]], Command]:
    """Make a command of a function; its summary stands in the table of the application."""

    def make(function: Callable[..., Any]) -> Command:
        made = click.command(name, cls=Command, context_settings={"max_content_width": 100})(function)
        made.wording = wording
        made.examples = examples
        return made

    return make


def option(*names: str, wording: Text, **attributes: Any) -> Decorator:
    """Declare an option."""
    return click.option(*names, cls=Option, wording=wording, **attributes)


def argument(*names: str, **attributes: Any) -> Decorator:
    """Declare an argument."""
    return click.argument(*names, **attributes)


def _prefix(lang: Tongue) -> str:
    return "用法：" if lang == "zh" else "Usage: "


def group_usage(ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """Write the usage line of what has commands of its own."""
    lang = asked_of(ctx).lang
    formatter.write_usage(ctx.command_path, _ANY.in_(lang), prefix=_prefix(lang))


@contextmanager
def titled(ctx: click.Context, formatter: click.HelpFormatter, name: Text) -> Iterator[None]:
    """Write a section of the help below its heading."""
    formatter.write_paragraph()
    formatter.write(Text(zh=f"{name.zh}：\n", en=f"{name.en}:\n").in_(asked_of(ctx).lang))
    with formatter.indentation():
        yield


def section(ctx: click.Context, name: Text) -> str:
    """Return the name of a section in the asked language."""
    return name.in_(asked_of(ctx).lang)
