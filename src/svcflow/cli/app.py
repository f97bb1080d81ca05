"""The application: the table of commands, each imported when it is called."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import attrs
import click

from svcflow.cli.command import LANG, CommandGroup, Option, form_of, help_text
from svcflow.cli.errors import explained
from svcflow.cli.language import AnswerForm
from svcflow.text import Text

__all__ = ["COMMANDS", "app"]


@attrs.frozen
class CommandEntry:
    """Where a command stands, as `module:function` of `svcflow.cli.commands`, and what it is for in one line."""

    path: str
    zh: str
    en: str

    @property
    def summary(self) -> Text:
        """What the command is for."""
        return Text(zh=self.zh, en=self.en)

    def load(self) -> click.Command:
        """Import the module, and return the command."""
        module, _, function = self.path.partition(":")
        command: click.Command = getattr(importlib.import_module(f"svcflow.cli.commands.{module}"), function)
        return command


COMMANDS: Mapping[str, CommandEntry] = {
    "demo": CommandEntry(
        "demo:demo",
        zh="用一周的示例业务演示：办理、计时、留痕、绘图",
        en="Run a week of example services and show the result",
    ),
    "check": CommandEntry(
        "declarations:check",
        zh="检查流程文件，逐处指出问题",
        en="Check procedure files; every finding with its place",
    ),
    "draw": CommandEntry("declarations:draw", zh="把流程画成泳道图", en="Draw a procedure as a swimlane map"),
    "diff": CommandEntry(
        "declarations:diff",
        zh="比较流程的两个版本，标出影响在办实例的改动",
        en="Compare two versions of a procedure; what breaks is marked",
    ),
    "simulate": CommandEntry(
        "simulation:simulate",
        zh="按情形模拟流程，预测用时与超时",
        en="Simulate a procedure: times, queues, overdue shares",
    ),
    "conform": CommandEntry(
        "simulation:conform", zh="用事件日志对照流程，列出偏差", en="Hold an event log against a procedure"
    ),
    "start": CommandEntry("moves:start", zh="启动一个流程实例", en="Start an instance of a procedure"),
    "fire": CommandEntry("moves:fire", zh="办理：让实例流转到下一环节", en="Move an instance by a trigger"),
    "update": CommandEntry(
        "moves:update", zh="补充字段或凭证，不流转", en="Add data or evidence without moving"
    ),
    "worklist": CommandEntry(
        "worklist:worklist",
        zh="列出待办：谁的、哪个岗位的，先到期的在前",
        en="List the work that waits, soonest due first",
    ),
    "claim": CommandEntry("worklist:claim", zh="认领一个环节", en="Take a step for oneself"),
    "release": CommandEntry("worklist:release", zh="释放一个环节", en="Let a step go"),
    "assign": CommandEntry("worklist:assign", zh="把一个环节分派给某人", en="Give a step to a person"),
    "delegation": CommandEntry(
        "delegation:delegation",
        zh="委托他人代办：给出、列出、撤回",
        en="Let somebody act for an absent person",
    ),
    "hold": CommandEntry("moves:hold", zh="暂停实例的计时", en="Hold an instance: stop its clocks"),
    "resume": CommandEntry("moves:resume", zh="恢复计时", en="Resume a held instance"),
    "reschedule": CommandEntry(
        "timing:reschedule", zh="改期：移动预约时间", en="Move a scheduled instant; deadlines follow"
    ),
    "extend": CommandEntry("timing:extend", zh="延长一项时限（一次）", en="Prolong a limit, once"),
    "recompute": CommandEntry(
        "timing:recompute",
        zh="日历更正或公布后重算截止时间",
        en="Reckon deadlines anew after a calendar was corrected",
    ),
    "migrate": CommandEntry(
        "migrate:migrate", zh="把实例变更到流程的另一个版本", en="Take instances over to another version"
    ),
    "show": CommandEntry(
        "instances:show",
        zh="查看实例：环节、时限、可办理事项、留痕",
        en="Show an instance: steps, deadlines, what is open",
    ),
    "explain": CommandEntry(
        "instances:explain",
        zh="逐行说明一项时限的截止时间如何得出",
        en="Explain line by line how a deadline came to be",
    ),
    "list": CommandEntry("instances:list_", zh="列出实例", en="List instances"),
    "deviations": CommandEntry("deviations:deviations", zh="列出已记录的偏差", en="List recorded deviations"),
    "deviation": CommandEntry(
        "deviations:deviation",
        zh="说明一条偏差，认可或不认可其说明",
        en="Explain a deviation; accept or reject it",
    ),
    "tick": CommandEntry(
        "timing:tick",
        zh="记录到期的预警、升级与超时，启动定期的实例",
        en="Record what became due, and begin what is to begin by itself",
    ),
    "starts": CommandEntry(
        "starts:starts",
        zh="列出定期启动：何时启动什么，未能启动的说明原因",
        en="List what begins by itself: when, and what could not begin yet",
    ),
    "outbox": CommandEntry(
        "outbox:outbox",
        zh="查看留痕的投递：订阅、积压、死信",
        en="Show what is delivered of facts: subscriptions, dead letters",
    ),
    "verify": CommandEntry(
        "integrity:verify", zh="校验留痕的哈希链", en="Verify the journals against their hash chains"
    ),
    "seal": CommandEntry(
        "integrity:seal", zh="封存留痕，给出校验点", en="Seal the journals: a checkpoint to keep elsewhere"
    ),
    "forget": CommandEntry(
        "integrity:forget", zh="抹去一个人的个人信息", en="Erase a person; the journals still verify"
    ),
    "calendar": CommandEntry(
        "calendar:calendar", zh="查看、绘制或导入工作日历", en="Show, draw or import a work calendar"
    ),
    "doctor": CommandEntry(
        "doctor:doctor", zh="检查运行环境", en="Look over the installation and say what is missing"
    ),
}
_ABOUT = Text(
    zh="标准化服务流程：声明一次，即可计时、留痕、绘图、模拟、对照日志。\n第一次使用：svcflow demo",
    en="Standardised service procedures: declared once, then timed, recorded, drawn, simulated and "
    "held against real logs.\n\nNew here? Run: svcflow demo",
)
_CODES = Text(
    zh="退出码：0 正常，1 有发现或偏差，2 用法错误，3 输入有误。\n语言：--lang zh|en，或环境变量 SVCFLOW_LANG、LC_ALL、LANG。",
    en="Exit codes: 0 ok, 1 findings or deviations, 2 usage, 3 bad input. Language: --lang zh|en, or the "
    "variables SVCFLOW_LANG, LC_ALL, LANG.",
)


class Application(CommandGroup):
    """The group of all commands, each imported when it is called; errors leave it as `CommandFailure`."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Parse the arguments, after the form of the answer was read from them."""
        form = AnswerForm.of(args)
        with explained(form):
            return super().make_context(info_name, args, parent, obj=form, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with explained(form_of(ctx)):
            return super().invoke(ctx)

    def summaries(self) -> Mapping[str, Text]:
        """Return what each command is for."""
        return {name: entry.summary for name, entry in COMMANDS.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's
        """Import and return a command; None for an unknown name."""
        return COMMANDS[cmd_name].load() if cmd_name in COMMANDS else None

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the exit codes."""
        help_text(formatter, _CODES.in_(form_of(ctx).lang))


def _version(ctx: click.Context, _param: click.Parameter, given: bool) -> None:  # noqa: FBT001  # click's signature
    if given:
        from svcflow import __version__

        click.echo(f"svcflow {__version__}")
        ctx.exit()


app = Application(
    "svcflow",
    _ABOUT,
    {},
    [
        Option(["--lang"], **{**LANG, "zh": "说明与消息的语言", "en": "Language of help and messages."}),
        Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_version,
            zh="显示版本",
            en="Show the version and exit.",
        ),
    ],
)
