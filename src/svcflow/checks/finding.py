"""A finding: one thing about a procedure that looks wrong, where it is and what to do about it.

It does not know how it was found, nor where the text of the procedure lies: `path` says the place, and
whoever holds the document fills in file, line and column.
"""

from __future__ import annotations

from functools import total_ordering
from typing import TypeAlias

import attrs

from svcflow.checks.codes import CODES, RANK, FindingSeverity
from svcflow.errors import Path, Problem, dotted
from svcflow.text import Lang, Text

__all__ = ["Finding", "finding"]

_Place: TypeAlias = tuple[int, str, int, int, tuple[tuple[bool, int, str], ...], str]
_SEVERITY_ZH: dict[FindingSeverity, str] = {"error": "错误", "warning": "警告", "note": "提示"}


@total_ordering
@attrs.frozen(order=False)
class Finding:
    """Hold one finding; findings sort by severity (errors first), then by place.

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
        kind = _SEVERITY_ZH[self.severity] if lang == "zh" else self.severity
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        where = " ".join(part for part in (place, dotted(self.path)) if part)
        said = Problem((), self.message, self.remedy).text(lang)
        return ": ".join(part for part in (where, f"{kind} {self.code}", said) if part)

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
    def _order(self) -> _Place:
        parts = tuple((isinstance(p, str), p if isinstance(p, int) else 0, str(p)) for p in self.path)
        return (RANK[self.severity], self.file, self.line, self.column, parts, self.code)


def finding(code: str, path: Path, message: Text, remedy: Text) -> Finding:
    """Make a finding with the severity its code has in the table."""
    return Finding(code, CODES[code].severity, path, message, remedy)
