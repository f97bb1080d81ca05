"""Errors: one tree, each with a stable code, a message in two languages and often a remedy.

Subclasses also derive from the builtin a caller would expect (`LookupError`, `ValueError` …).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import attrs

from svcflow.text import NO_TEXT, Lang, Text

__all__ = [
    "AutomaticLoop",
    "CalendarCoverageError",
    "ChangedProcedure",
    "CorruptJournal",
    "DeclarationError",
    "DeliveryError",
    "DispatchError",
    "DrawingError",
    "FarBehind",
    "FieldError",
    "GuardError",
    "InstanceClosed",
    "LogError",
    "MissingExtra",
    "NaiveDatetime",
    "PersonInUse",
    "Problem",
    "Refused",
    "StaleRevision",
    "StoreError",
    "SubscriptionError",
    "SvcflowError",
    "UnknownCalendar",
    "UnknownInstance",
    "UnknownProcedure",
    "UnknownSubscription",
    "UnknownTrigger",
]

Path = tuple[str | int, ...]


class SvcflowError(Exception):
    """Base of every error this library raises on purpose.

    What stands in backquotes in a remedy is a keyword of a method; the command line puts its option there.
    """

    code: ClassVar[str] = "svcflow"

    def __init__(self, message: Text, remedy: Text = NO_TEXT) -> None:
        self.message = message.bounded()
        self.remedy = remedy.bounded()
        super().__init__(self.text("en"))

    def text(self, lang: Lang = "en") -> str:
        """Return message and remedy in `lang`."""
        stop = "；" if lang == "zh" else "; "
        words = stop.join(part.in_(lang) for part in (self.message, self.remedy) if part)
        # what is quoted may hold halves of surrogate pairs, which no terminal, log or file takes
        return words if words.isascii() else words.encode(errors="backslashreplace").decode()

    def __reduce__(self) -> tuple[object, ...]:
        """Copy and pickle the error with its texts, so that another process gets the same."""
        return _rebuilt, (type(self), self.args, self.__dict__)


def _rebuilt(kind: type[SvcflowError], args: tuple[object, ...], state: dict[str, object]) -> SvcflowError:
    error = kind.__new__(kind, *args)
    error.args = args  # an OSError leaves that to its __init__
    error.__dict__.update(state)
    return error


@attrs.frozen
class Problem:
    """One mistake of a document: where it is, what is wrong, what to write instead.

    `line` and `column` count from 1; 0 means unknown (a document built in Python).
    """

    path: Path
    message: Text
    remedy: Text = NO_TEXT
    file: str = ""
    line: int = 0
    column: int = 0

    def text(self, lang: Lang = "en") -> str:
        """Return `file:line:column path: message; remedy`."""
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        where = " ".join(part for part in (place, dotted(self.path)) if part)
        what = SvcflowError(self.message, self.remedy).text(lang)
        return f"{where}: {what}" if where else what


def dotted(path: Path) -> str:
    """Return a path as people read it: `limits[0].match[1].when`."""
    out = ""
    for part in path:
        out += f"[{part}]" if isinstance(part, int) else f".{part}" if out else str(part)
    return out


class DeclarationError(SvcflowError, ValueError):
    """A document or object breaks the declaration's rules; `problems` lists every mistake."""

    code = "declaration"
    remedy = NO_TEXT

    def __init__(self, problems: Iterable[Problem]) -> None:
        # Thousands of mistakes pass through several of these on their way: they are worded when they are read.
        self.problems = self.args = tuple(problems)

    @property
    def message(self) -> Text:  # type: ignore[override]  # it is the wording of all problems
        """Mistakes in both languages, a line each."""
        return Text(
            zh="\n".join(p.text("zh") for p in self.problems),
            en="\n".join(p.text("en") for p in self.problems),
        )

    def __str__(self) -> str:
        return self.text("en")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class FieldError(SvcflowError, ValueError):
    """A value does not fit the field it is meant for."""

    code = "field"


class GuardError(SvcflowError, ValueError):
    """A guard expression is not allowed, names nothing declared, or failed on its data."""

    code = "guard"


class CalendarCoverageError(SvcflowError, LookupError):
    """A computation needs a day beyond what the calendar declares to cover."""

    code = "calendar-coverage"


class NaiveDatetime(SvcflowError, ValueError):
    """A datetime without a time zone was given where an instant is meant."""

    code = "naive-datetime"


class UnknownCalendar(SvcflowError, LookupError):
    """No calendar of that name is in the catalog or shipped."""

    code = "unknown-calendar"


class UnknownProcedure(SvcflowError, LookupError):
    """No procedure of that id or version is in the catalog; `named` is the id where it has no version of it."""

    code = "unknown-procedure"

    def __init__(self, message: Text, remedy: Text = NO_TEXT, named: str = "") -> None:
        self.named = named
        super().__init__(message, remedy)


class ChangedProcedure(UnknownProcedure):
    """The catalog says something else under a version that the store knows."""

    code = "changed-procedure"


class UnknownInstance(SvcflowError, LookupError):
    """The store holds no instance of that id."""

    code = "unknown-instance"


class UnknownTrigger(SvcflowError, LookupError):
    """The procedure declares no such trigger anywhere."""

    code = "unknown-trigger"


class Refused(SvcflowError, PermissionError):
    """A rule refused the command; `rule` names it. The attempt is kept in the journal."""

    code = "refused"

    def __init__(self, rule: str, message: Text, remedy: Text = NO_TEXT) -> None:
        self.rule = rule
        super().__init__(message, remedy)


class InstanceClosed(Refused):
    """The instance has ended; nothing more can be asked of it."""

    code = "closed"


class AutomaticLoop(SvcflowError, RuntimeError):
    """A procedure moves by itself without end at one instant."""

    code = "automatic-loop"


class FarBehind(SvcflowError, RuntimeError):
    """More has become due on an instance than is recorded in one transaction of a host: let the engine tick first."""

    code = "far-behind"


class StaleRevision(SvcflowError, RuntimeError):
    """The instance has moved on since the revision the caller saw."""

    code = "stale-revision"


class StoreError(SvcflowError, RuntimeError):
    """The store cannot be opened, read or written."""

    code = "store"


class SubscriptionError(SvcflowError, ValueError):
    """A subscription to facts cannot be made as it was asked for."""

    code = "subscription"


class UnknownSubscription(SvcflowError, LookupError):
    """The store holds no subscription of that name."""

    code = "unknown-subscription"


class DeliveryError(SvcflowError, ConnectionError):
    """A receiver did not take a fact; the subscription tries it again.

    Handlers may raise it too: what it says is kept with the fact and shown, so let it name nobody.
    """

    code = "delivery"


class DispatchError(SvcflowError, RuntimeError):
    """A dispatcher is not set up as it has to be, or cannot work in a host's transaction."""

    code = "dispatch"


class CorruptJournal(SvcflowError, ValueError):
    """A journal does not verify against its hash chain, or something that is kept disagrees with the journals.

    `table` and `column` say where in the store, `row` by its key; they are empty where that is not known, and
    `column` is empty when a whole row is missing or is one too many.
    """

    code = "corrupt-journal"

    def __init__(
        self, message: Text, remedy: Text = NO_TEXT, *, table: str = "", column: str = "", row: str = ""
    ) -> None:
        self.table = table
        self.column = column
        self.row = row
        super().__init__(message, remedy)


class PersonInUse(SvcflowError, ValueError):
    """A person cannot be forgotten while open instances need to know them."""

    code = "person-in-use"


class LogError(SvcflowError, ValueError):
    """A foreign event log cannot be read."""

    code = "log"


class DrawingError(SvcflowError, RuntimeError):
    """A drawing cannot be made or rasterised."""

    code = "drawing"


class MissingExtra(SvcflowError, ImportError):
    """An optional dependency is needed; the message names the extra to install."""

    code = "missing-extra"

    def __init__(self, extra: str, purpose: Text) -> None:
        super().__init__(
            purpose,
            Text(
                zh=f"请安装：pip install 'svcflow[{extra}]'",
                en=f"install it with: pip install 'svcflow[{extra}]'",
            ),
        )
