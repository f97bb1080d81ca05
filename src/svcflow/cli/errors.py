"""Errors as the command line shows them: in one language or as JSON, with their exit codes.

Only errors that are meant for people are shown so; a fault of the program keeps its traceback.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click

from svcflow.cli.language import AnswerForm, Tongue
from svcflow.cli.output import OutputError, echo, echo_json
from svcflow.errors import DeclarationError, Problem, Refused, SvcflowError, UnknownProcedure, dotted
from svcflow.nearest import nearest
from svcflow.text import NO_TEXT, Text, system_words, visible

__all__ = [
    "BAD_INPUT",
    "FOUND",
    "INTERRUPTED",
    "KEYWORDS",
    "WrongUsage",
    "WrongValue",
    "advice",
    "advised",
    "error_json",
    "explained",
    "failed",
    "problem_json",
    "unknown",
    "with_options",
]

_NOTHING: Mapping[str, object] = {}
FOUND, USAGE, BAD_INPUT, INTERRUPTED = 1, 2, 3, 130


class WrongUsage(click.UsageError):
    """The command was called in a way it does not know; bilingual."""

    def __init__(self, message: Text, remedy: Text = NO_TEXT) -> None:
        self.text = message
        self.remedy = remedy
        super().__init__(message.in_("en"))


class WrongValue(click.BadParameter):
    """A value on the command line is not written as it must be; bilingual."""

    def __init__(self, text: Text) -> None:
        self.text = text
        super().__init__(text.in_("en"))


class CommandFailure(click.ClickException):
    """An error as it is shown: as text and as JSON, with the exit code."""

    def __init__(
        self, form: AnswerForm, text: str, data: dict[str, object], exit_code: int = BAD_INPUT
    ) -> None:
        super().__init__(text)
        self.exit_code = exit_code  # type: ignore[misc]  # of the class in click's stubs, of the instance at run time
        self._form, self._data = form, data

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the text to stderr, or the JSON to stdout."""
        if self._form.as_json:
            echo_json(self._data, file=file)
        else:
            echo(self.message, file=file or sys.stderr)


def unknown(what: Text, name: str, known: Iterable[str], *, meant: str | None = None) -> WrongUsage:
    """Return the error for an unknown name, with the nearest of those known, or all when they are few.

    `meant` is a name to look for instead of `name`.
    """
    message = Text(zh=f"没有{what.zh}“{name}”", en=f"there is no {what.en} {name!r}")
    return WrongUsage(message, nearest(meant or name, known))


@contextmanager
def explained(form: AnswerForm) -> Iterator[None]:
    """Raise usage errors and errors of the library as a `CommandFailure`."""
    try:
        yield
    except click.UsageError as error:
        raise _usage(form, error) from error
    except click.Abort as error:
        raise _interrupted(form) from error
    except KeyboardInterrupt as error:
        raise _interrupted(form) from error
    except SvcflowError as error:
        raise failed(form, error) from error
    except BrokenPipeError:  # the reader of a pipe has gone; click ends in silence
        raise
    except OSError as error:
        raise failed(form, _unusable(error)) from error


def _unusable(error: OSError) -> SvcflowError:
    """Return the error for a file or folder that the system refuses."""
    where, why = error.filename or "", system_words(error)
    return OutputError(
        Text(
            zh=f"{where} 不能用：{why.zh}" if where else why.zh,
            en=f"{where} cannot be used: {why.en}" if where else why.en,
        ),
        Text(zh="检查文件与文件夹的名称和权限", en="check the names and permissions of files and folders"),
    )


def failed(
    form: AnswerForm, error: SvcflowError, more: str = "", data: Mapping[str, object] = _NOTHING
) -> CommandFailure:
    """Return an error of the library as it is shown; `more` text and `data` go with it."""
    text = "\n\n".join(filter(None, (_error_text(form.lang, error), more)))
    return CommandFailure(form, text, {**error_json(error), **data})


def advised(error: SvcflowError) -> SvcflowError:
    """Return the error with its remedy in the words of the command line."""
    return SvcflowError(error.message, advice(error))


def error_json(error: SvcflowError) -> dict[str, object]:
    """Return `{"error": …}`, with message and remedy in both languages."""
    data: dict[str, object] = {
        "code": error.code,
        "message": _both(error.message),
        "remedy": _both(advice(error)),
    }
    if isinstance(error, Refused):
        data["rule"] = error.rule
    if isinstance(error, DeclarationError):
        data["problems"] = [problem_json(problem) for problem in error.problems]
    return {"error": data}


def problem_json(problem: Problem) -> dict[str, object]:
    """Return one mistake of a document in the form findings have."""
    return {
        "code": DeclarationError.code,
        "severity": "error",
        "path": dotted(problem.path),
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "message": _both(problem.message),
        "remedy": _both(problem.remedy),
    }


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def _error_text(lang: Tongue, error: SvcflowError) -> str:
    parts = error.problems if isinstance(error, DeclarationError) else (advised(error),)
    lines = "\n".join(visible(part.text(lang)) for part in parts)  # no value makes a line of its own
    break_ = "\n" if "\n" in lines else ""
    code = f"{error.code}: {error.rule}" if isinstance(error, Refused) else error.code
    return f"错误 [{code}]：{break_}{lines}" if lang == "zh" else f"error [{code}]: {break_}{lines}"


def _usage(form: AnswerForm, error: click.UsageError) -> CommandFailure:
    message, remedy = _wording(error)
    text = visible(SvcflowError(message, remedy).text(form.lang))
    lines = [f"用法错误：{text}" if form.lang == "zh" else f"usage error: {text}"]
    if error.ctx is not None:
        lines.insert(0, error.ctx.get_usage())
        path = error.ctx.command_path
        lines.append(f"见 {path} --help" if form.lang == "zh" else f"see {path} --help")
    data = {"code": "usage", "message": _both(message), "remedy": _both(remedy)}
    return CommandFailure(form, "\n".join(lines), {"error": data}, USAGE)


def _interrupted(form: AnswerForm) -> CommandFailure:
    message = Text(zh="已中断", en="interrupted")
    data = {"code": "interrupted", "message": _both(message), "remedy": _both(NO_TEXT)}
    return CommandFailure(form, message.in_(form.lang), {"error": data}, INTERRUPTED)


def _wording(error: click.UsageError) -> tuple[Text, Text]:
    """Return message and remedy of an error of click; what is not known here keeps the message of click."""
    message = error.format_message()
    if isinstance(error, WrongUsage):
        return error.text, error.remedy
    if isinstance(error, click.NoSuchOption):
        name, near = error.option_name, error.possibilities
        remedy = nearest(name, near) if near else NO_TEXT
        return Text(zh=f"没有选项 {name}", en=f"there is no option {name}"), remedy
    if isinstance(error, click.MissingParameter):
        name = _named(error)
        return Text(zh=f"缺少 {name}", en=f"{name} is missing"), NO_TEXT
    if isinstance(error, click.BadParameter):
        name = _named(error)
        if isinstance(error, WrongValue):
            return Text(zh=f"{name}：{error.text.zh}", en=f"{name}: {error.text.en}"), NO_TEXT
        return Text(zh=f"{name} {_expected(error)}", en=f"{name}: {_refused(error)}"), NO_TEXT
    if isinstance(error, click.BadOptionUsage):
        return Text(zh=f"{error.option_name} 后须有值，开关则不带值", en=message), NO_TEXT
    return Text(zh=message, en=message), NO_TEXT


def _expected(error: click.BadParameter) -> str:
    """Return in Chinese what a parameter takes, where click refuses a value in English."""
    kind = None if error.param is None else error.param.type
    if isinstance(kind, click.Choice):
        return f"只能取 {', '.join(map(str, kind.choices))}"
    if isinstance(kind, click.IntRange):
        return f"须为整数，至少 {kind.min}" + (f"，至多 {kind.max}" if kind.max is not None else "")
    if isinstance(kind, click.types.IntParamType):
        return "须为整数"
    if isinstance(kind, click.Path):
        return "须为存在且可读的文件" if kind.exists else "不能是文件夹"
    return f"的值不对：{error.message}"


def _refused(error: click.BadParameter) -> str:
    """Return in English why a value is refused; click names only the kind of a range for what is no number."""
    kind = None if error.param is None else error.param.type
    if isinstance(kind, click.IntRange) and "valid integer range" in error.message:
        return error.message.replace("integer range.", f"whole number; write one of at least {kind.min}")
    return error.message


def _named(error: click.BadParameter) -> str:
    if error.param is None:
        return ""
    if isinstance(error.param, click.Option):
        return " / ".join(error.param.opts)
    return error.param.human_readable_name


KEYWORDS: Mapping[str, Text] = {
    "actor": Text(zh="--actor {编号:岗位}", en="--actor {ID:ROLE}"),
    "after": Text(en="--after"),
    "command_id": Text(en="--command-id"),
    "data": Text(zh="--data {名称}=…", en="--data {NAME}=…"),
    "delegation_id": Text(en="--id"),
    "delegations": Text(en="`svcflow delegation list`"),
    "deviation": Text(en="SEQUENCE"),
    "evidence": Text(zh="--evidence {名称}=…", en="--evidence {NAME}=…"),
    "foreseen": Text(en="--foreseen"),
    "instance_id": Text(en="--id"),
    "limit": Text(en="--limit"),
    "occurred_at": Text(en="--occurred-at"),
    "open": Text(en="--open"),
    "override": Text(zh="--override {理由}", en="--override {REASON}"),
    "reason": Text(zh="--reason {理由}", en="--reason {REASON}"),
    "step": Text(zh="--step {环节}", en="--step {STEP}"),
    "steps": Text(zh="--map {原环节}=…", en="--map {OLD}=…"),
    "to": Text(en="PERSON"),
}
"""Options and arguments for the keywords of the library; what a remedy does not fill in stands in braces."""
_KEYWORD = re.compile(r'`(\w+)(?:\["(.*?)"\]|=\{?"?(.*?)"?\}?)?`')
_GAP = re.compile(r"\{(.*?)\}")


def advice(error: SvcflowError) -> Text:
    """Return the remedy of an error in the words of the command line."""
    remedy = with_options(error.remedy)
    if isinstance(error, UnknownProcedure) and error.named:
        return _procedure_remedy(error, remedy)
    return remedy


def with_options(remedy: Text) -> Text:
    """Return a remedy with options and arguments in place of keywords; other keywords stay as they are."""
    return Text(zh=_written(remedy.zh, "zh"), en=_written(remedy.en, "en"))


def _written(remedy: str, lang: Tongue) -> str:
    def option(match: re.Match[str]) -> str:
        name, key, value = match.groups()
        if name not in KEYWORDS:
            return match[0]
        return _GAP.sub(lambda gap: key or value or gap[1], KEYWORDS[name].in_(lang))

    return _KEYWORD.sub(option, remedy)


def _procedure_remedy(error: UnknownProcedure, near: Text) -> Text:
    """Return the remedy for an unknown procedure: where procedures come from, or how the file that was named is given."""
    file = Path(error.named)
    if file.suffix in (".yaml", ".yml"):
        given = f"{_id_in(file)} --procedures {file.parent}"
        return Text(
            zh=f"这里给出流程的编号，文件则以其文件夹给出：{given}",
            en=f"an id is given here, and a file by its folder: {given}",
        )
    source = Text(
        zh="流程取自 --procedures 文件夹（或 SVCFLOW_PROCEDURES），缺省为随库提供的",
        en="procedures are those of --procedures FOLDER (or SVCFLOW_PROCEDURES), by default those shipped",
    )
    if not near:
        return source
    return Text(zh=f"{near.zh}（{source.zh}）", en=f"{near.en} ({source.en})")


def _id_in(file: Path) -> str:
    from svcflow.model.catalog import load

    try:
        return load(file).id
    except DeclarationError:
        return "ID"
