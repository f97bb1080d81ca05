"""Failure: how an error leaves the command line: in the asked language or as JSON, with its exit code.

Only errors that are meant for people come here; a fault of ours keeps its traceback.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click

from svcflow.cli.language import Asked, Tongue
from svcflow.cli.output import echo, echo_json
from svcflow.errors import DeclarationError, Problem, Refused, SvcflowError, UnknownProcedure, dotted
from svcflow.nearest import nearest
from svcflow.text import NO_TEXT, Text, system_words, visible

__all__ = [
    "FOUND",
    "INTERRUPTED",
    "KEYWORDS",
    "OutputError",
    "WrongUsage",
    "WrongValue",
    "advice",
    "advised",
    "error_json",
    "explained",
    "failed",
    "problem_json",
    "spoken",
    "unknown",
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

    def __init__(self, text: Text, param: click.Parameter | None, ctx: click.Context | None) -> None:
        self.text = text
        super().__init__(text.in_("en"), ctx=ctx, param=param)


class OutputError(SvcflowError, OSError):
    """A file or folder cannot be written."""

    code = "output"

    @classmethod
    def of(cls, where: object, error: OSError) -> OutputError:
        """Explain why `where` cannot be written."""
        why = system_words(error)
        return cls(
            Text(zh=f"无法写入 {where}：{why.zh}", en=f"{where} cannot be written: {why.en}"),
            Text(
                zh="检查文件夹是否存在、可写，或另选位置",
                en="see that the folder exists and is writable, or choose another place",
            ),
        )


class Failure(click.ClickException):
    """What is shown of an error that stands in the input."""

    exit_code = BAD_INPUT

    def __init__(self, asked: Asked, said: str, data: dict[str, object]) -> None:
        super().__init__(said)
        self._asked, self._data = asked, data

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the message to stderr; for JSON the error to stdout."""
        if self._asked.as_json:
            echo_json(self._data, file=file)
        else:
            echo(self.message, file=file or sys.stderr)


class UsageFailure(Failure):
    """What is shown of a command called in a wrong way."""

    exit_code = USAGE


class Interruption(Failure):
    """What is shown when somebody pressed Ctrl-C."""

    exit_code = INTERRUPTED


def unknown(what: Text, name: str, known: Iterable[str], *, meant: str | None = None) -> WrongUsage:
    """Return the error for a name that there is not, with what was meant or is nearest, or all when they are few."""
    message = Text(zh=f"没有{what.zh}“{name}”", en=f"there is no {what.en} {name!r}")
    return WrongUsage(message, nearest(meant or name, known))


@contextmanager
def explained(asked: Asked) -> Iterator[None]:
    """Turn usage errors and errors of the library into failures."""
    try:
        yield
    except click.UsageError as error:
        raise _usage(asked, error) from error
    except click.Abort as error:
        raise _interrupted(asked) from error
    except KeyboardInterrupt as error:
        raise _interrupted(asked) from error
    except SvcflowError as error:
        raise failed(asked, error) from error
    except BrokenPipeError:  # whoever reads has seen enough; click ends in silence
        raise
    except OSError as error:
        raise failed(asked, _unusable(error)) from error


def _unusable(error: OSError) -> SvcflowError:
    """Explain what the system says of a file or folder that a command was given or needs."""
    where, why = error.filename or "", system_words(error)
    return OutputError(
        Text(
            zh=f"{where} 不能用：{why.zh}" if where else why.zh,
            en=f"{where} cannot be used: {why.en}" if where else why.en,
        ),
        Text(zh="检查文件与文件夹的名称和权限", en="check the names and permissions of files and folders"),
    )


def failed(
    asked: Asked, error: SvcflowError, more: str = "", data: Mapping[str, object] = _NOTHING
) -> Failure:
    """Return what is shown of an error of the library, and what there is to say besides."""
    said = "\n\n".join(filter(None, (_said(asked, error), more)))
    return Failure(asked, said, {**error_json(error), **data})


def advised(error: SvcflowError) -> SvcflowError:
    """Return an error that says the same, with the remedy in the words of the command line."""
    return SvcflowError(error.message, advice(error))


def error_json(error: SvcflowError) -> dict[str, object]:
    """Return `{"error": …}`; both languages are kept, so that the form does not hang on `--lang`."""
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


def _said(asked: Asked, error: SvcflowError) -> str:
    whole = error.problems if isinstance(error, DeclarationError) else (advised(error),)
    said = "\n".join(visible(one.text(asked.lang)) for one in whole)  # no value makes a line of its own
    break_ = "\n" if "\n" in said else ""
    code = f"{error.code}: {error.rule}" if isinstance(error, Refused) else error.code
    return f"错误 [{code}]：{break_}{said}" if asked.lang == "zh" else f"error [{code}]: {break_}{said}"


def _usage(asked: Asked, error: click.UsageError) -> Failure:
    message, remedy = _wording(error)
    said = visible(SvcflowError(message, remedy).text(asked.lang))
    lines = [f"用法错误：{said}" if asked.lang == "zh" else f"usage error: {said}"]
    if error.ctx is not None:
        lines.insert(0, error.ctx.get_usage())
        path = error.ctx.command_path
        lines.append(f"见 {path} --help" if asked.lang == "zh" else f"see {path} --help")
    data = {"code": "usage", "message": _both(message), "remedy": _both(remedy)}
    return UsageFailure(asked, "\n".join(lines), {"error": data})


def _interrupted(asked: Asked) -> Failure:
    message = Text(zh="已中断", en="interrupted")
    data = {"code": "interrupted", "message": _both(message), "remedy": _both(NO_TEXT)}
    return Interruption(asked, message.in_(asked.lang), {"error": data})


def _wording(error: click.UsageError) -> tuple[Text, Text]:
    """Word an error of click in both languages; its own message stands where we know no better."""
    said = error.format_message()
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
        return Text(zh=f"{name} {_takes(error)}", en=f"{name}: {_taken(error)}"), NO_TEXT
    if isinstance(error, click.BadOptionUsage):
        return Text(zh=f"{error.option_name} 后须有值，开关则不带值", en=said), NO_TEXT
    return Text(zh=said, en=said), NO_TEXT


def _takes(error: click.BadParameter) -> str:
    """Say in Chinese what a parameter takes, where click has refused a value in English."""
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


def _taken(error: click.BadParameter) -> str:
    """Say in English what click has refused; of a word that is no number it names only the kind of its range."""
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
"""How each keyword is written here; what a remedy does not fill in stands in braces."""
_KEYWORD = re.compile(r'`(\w+)(?:\["(.*?)"\]|=\{?"?(.*?)"?\}?)?`')
_GAP = re.compile(r"\{(.*?)\}")


def advice(error: SvcflowError) -> Text:
    """Return what can be done about an error from the command line."""
    remedy = spoken(error.remedy)
    if isinstance(error, UnknownProcedure) and error.named:
        return _elsewhere(error, remedy)
    return remedy


def spoken(remedy: Text) -> Text:
    """Put options and arguments into the place of keywords; one that is not known here stays what it is."""
    return Text(zh=_written(remedy.zh, "zh"), en=_written(remedy.en, "en"))


def _written(remedy: str, lang: Tongue) -> str:
    def option(found: re.Match[str]) -> str:
        name, key, value = found.groups()
        if name not in KEYWORDS:
            return found[0]
        return _GAP.sub(lambda gap: key or value or gap[1], KEYWORDS[name].in_(lang))

    return _KEYWORD.sub(option, remedy)


def _elsewhere(error: UnknownProcedure, near: Text) -> Text:
    """Say where procedures come from; to who gave a file, how it is given."""
    file = Path(error.named)
    if file.suffix in (".yaml", ".yml"):
        given = f"{_id_in(file)} --procedures {file.parent}"
        return Text(
            zh=f"这里给出流程的编号，文件则以其文件夹给出：{given}",
            en=f"an id is given here, and a file by its folder: {given}",
        )
    said = Text(
        zh="流程取自 --procedures 文件夹（或 SVCFLOW_PROCEDURES），缺省为随库提供的",
        en="procedures are those of --procedures FOLDER (or SVCFLOW_PROCEDURES), by default those shipped",
    )
    if not near:
        return said
    return Text(zh=f"{near.zh}（{said.zh}）", en=f"{near.en} ({said.en})")


def _id_in(file: Path) -> str:
    from svcflow.model.catalog import load

    try:
        return load(file).id
    except DeclarationError:
        return "ID"
