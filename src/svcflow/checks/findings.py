"""Findings, and the table of their codes with the severity and meaning of each.

Documentation is generated from the table. A code, once published, keeps its meaning; the severity of one code is
the same wherever it is found.
"""

from __future__ import annotations

from functools import total_ordering
from typing import Literal, TypeAlias

import attrs

from svcflow.errors import Path, Problem, dotted
from svcflow.text import Lang, Text
from svcflow.wording import SEVERITIES

__all__ = ["CODES", "RANK", "Code", "Finding", "FindingSeverity", "finding"]


FindingSeverity = Literal["error", "warning", "note"]
RANK: dict[FindingSeverity, int] = {"error": 0, "warning": 1, "note": 2}

_SortKey: TypeAlias = tuple[int, str, int, int, tuple[tuple[bool, int, str], ...], str]


@attrs.frozen
class Code:
    """One row of the table of codes."""

    id: str
    severity: FindingSeverity
    meaning: Text


def _table(*rows: tuple[str, FindingSeverity, str, str]) -> dict[str, Code]:
    return {code: Code(code, severity, Text(zh=zh, en=en)) for code, severity, zh, en in rows}


CODES: dict[str, Code] = _table(
    ("automatic-loop", "error", "超时自动流转首尾相接，无人干预便永不停止", "moves made on overdue form a circle that nothing stops"),
    ("dead-end", "error", "环节既不是结束也没有去路", "a step that is no end has no way on"),
    ("limit-below-shortest-way", "error", "最短路径上各环节用足时限，已超过总时限", "the steps' limits on the shortest way already exceed the limit over them"),
    ("no-way-to-end", "error", "从该环节走不到任何结束环节", "no end can be reached from the step"),
    ("row-unreachable", "error", "条件行永远轮不到", "a guarded row can never be taken"),
    ("span-without-way", "error", "时限的起点走不到终点", "no way leads from a limit's start to its end"),
    ("unknown-choice", "error", "条件比较的值不在字段选项之内", "a guard compares a choice with a value it cannot take"),
    ("unreachable-step", "error", "从起点走不到该环节", "no way leads from the first step to the step"),
    ("deemed-move-closed", "warning", "超时自动流转在时限所及的某些环节中没有", "a move made on overdue is not open in some step the limit runs over"),
    ("deemed-move-owes", "warning", "自动流转（超时，或 done 汇合）无法提供所要求的材料", "a move made by itself, on overdue or as `done`, requires what nobody supplies then"),
    ("end-never-reached", "warning", "非正常结束的环节没有来路", "an end other than completion is never reached"),
    ("evidence-without-exit", "warning", "凭证在离开环节时提交，而该环节没有出口", "evidence is owed on leaving a step that cannot be left"),
    ("given-maybe-empty", "warning", "子流程的必填字段取自可能为空的字段", "a required field of a procedure that a step runs is given from one that may be empty"),
    ("limit-below-longest-way", "warning", "最长无环路径上各环节用足时限，会超过总时限", "the steps' limits on the longest acyclic way exceed the limit over them"),
    ("makeup-opens-days-off", "warning", "一段调休上班日中既有按周上班的日子，也有周休日", "a run of make-up days opens days off between days that are worked anyway"),
    ("name-missing", "warning", "缺少中文或英文名称", "a Chinese or English name is missing"),
    ("not-by-never-before", "warning", "回避所指环节不会先于本环节发生", "the step named by not_by never comes before this one"),
    ("notice-below-limit", "warning", "按规定提前提出，也已赶不上某个时限", "who asks as late as the start allows makes a limit impossible to keep"),
    ("number-unsourced", "warning", "数值没有注明来源", "a number does not say where it comes from"),
    ("personal-later", "warning", "字段自后来的版本起才是个人信息，此前的留痕仍是明文", "a field is personal only from a later version on; what was recorded before stays in the clear"),
    ("rework-unbounded", "warning", "返工循环没有次数上限", "a rework loop has no bound"),
    ("rows-ambiguous", "warning", "同一流转的条件部分重叠而去向不同", "guards of one trigger overlap in part and lead to different steps"),
    ("rows-with-gap", "warning", "有的数据不满足任何一行条件", "for some data no row of a trigger matches"),
    ("rungs-coincide", "warning", "两个预警或升级点落在同一时刻", "two points of a ladder fall on one instant"),
    ("span-of-nothing", "warning", "时限的起点与终点是同一环节，或同时进入", "a limit's start and end are the same step, or are entered at once"),
    ("start-not-covered", "warning", "定期启动的首日不在日历覆盖期内", "the first day of a regular start is not covered by its calendar"),
    ("step-without-limit", "warning", "环节没有时限", "a step has no time limit"),
    ("step-without-role", "warning", "环节没有责任岗位", "a step has no role"),
    ("visits-never-again", "warning", "visits 所及的环节不会再次进入", "visits is given for a step that is never entered again"),
    ("wait-without-cap", "warning", "等待或暂停没有最长时间", "a wait or a hold has no longest duration"),
    ("warning-too-late", "warning", "预警点不早于截止时间", "a warning does not come before the deadline"),
    ("field-unused", "note", "选填字段无处使用", "an optional field is used nowhere"),
    ("settled-at-the-end", "warning", "确定其值的流转即告结束，此后本来就不能改动", "the move that settles a field ends the procedure, after which nothing changes anyway"),
    ("guard-not-settled", "note", "通过条件之后，所依据的字段仍可改动", "a field on which a passed guard rested may change afterwards"),
    ("limit-rows-overlap", "note", "时限矩阵的条件部分重叠，靠先后次序决定", "guards of a limit's matrix overlap in part; their order decides"),
    ("loop-not-marked", "note", "往回的流转没有标明 rework 或 exception", "a move leads back without being marked rework or exception"),
    ("outcome-unheard", "note", "子流程的某个结果没有触发流转", "an outcome of a procedure that a step runs fires nothing"),
    ("parameter-unused", "note", "参数无处使用", "a parameter is used nowhere"),
    ("role-unused", "note", "岗位无处使用", "a role is used nowhere"),
    ("certificate-unused", "note", "没有环节要求此证书", "no step asks for a certificate"),
    ("start-in-utc", "note", "定期启动的时刻按世界协调时", "the time of day of a regular start is one of UTC"),
)  # fmt: skip


@total_ordering
@attrs.frozen(order=False)
class Finding:
    """One thing about a procedure that looks wrong. Findings sort by severity (errors first), then by place.

    `line` and `column` count from 1; 0 means unknown (a procedure built in Python).
    """

    code: str = attrs.field(validator=attrs.validators.in_(CODES))
    severity: FindingSeverity = attrs.field(validator=attrs.validators.in_(RANK))
    path: Path
    message: Text
    remedy: Text
    file: str = ""
    line: int = 0
    column: int = 0

    def text(self, lang: Lang = "en") -> str:
        """Return `file:line:column path: severity code: message; remedy`."""
        severity = SEVERITIES[self.severity].zh if lang == "zh" else self.severity
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        where = " ".join(part for part in (place, dotted(self.path)) if part)
        mistake = Problem((), self.message, self.remedy).text(lang)
        return ": ".join(part for part in (where, f"{severity} {self.code}", mistake) if part)

    def to_json(self) -> dict[str, object]:
        """Return plain data for `--json`; both languages are kept."""
        return {
            "code": self.code,
            "severity": self.severity,
            "path": dotted(self.path),
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "message": {"zh": self.message.zh, "en": self.message.en},
            "remedy": {"zh": self.remedy.zh, "en": self.remedy.en},
        }

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Finding):
            return NotImplemented
        return self._order < other._order

    @property
    def _order(self) -> _SortKey:
        parts = tuple((isinstance(p, str), p if isinstance(p, int) else 0, str(p)) for p in self.path)
        return (RANK[self.severity], self.file, self.line, self.column, parts, self.code)


def finding(code: str, path: Path, message: Text, remedy: Text) -> Finding:
    """Return a finding with the severity that its code has in the table."""
    return Finding(code, CODES[code].severity, path, message, remedy)
