"""Session of one command: the form of its answer, and the procedures, store and instant it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from svcflow.cli.errors import WrongUsage
from svcflow.cli.language import AnswerForm, Tongue
from svcflow.cli.output import answer
from svcflow.errors import StoreError
from svcflow.text import Text

if TYPE_CHECKING:
    from svcflow.cli.engine import RecordingEngine

__all__ = ["CommandSession", "sqlite_file", "url_of"]

_SQLITE = "sqlite:///"


@attrs.frozen
class CommandSession:
    """What a command is given by the shared options."""

    form: AnswerForm
    folder: str | None = None
    db: str | None = None
    at: datetime | None = None
    register: Path | None = None

    @property
    def lang(self) -> Tongue:
        """Language of the answer."""
        return self.form.lang

    def answer(self, data: Callable[[], object], text: Callable[[], str], *, styled: bool = False) -> None:
        """Write the answer as text or as JSON (see `svcflow.cli.output.answer`)."""
        answer(self.form, data, text, styled=styled)

    @contextmanager
    def engine(self, *, create: bool = False) -> Iterator[RecordingEngine]:
        """Open an engine over the store; with `at`, its clock stands there.

        Raises: WrongUsage without a store; StoreError for a file that is not there unless `create`.
        """
        if not self.db:
            raise WrongUsage(
                Text(zh="没有指明存储", en="no store is named"),
                Text(zh="用 --db FILE，或设环境变量 SVCFLOW_DB", en="give --db FILE, or set SVCFLOW_DB"),
            )
        url = url_of(self.db)
        file = sqlite_file(url)
        if file is not None and not create and not file.exists():
            raise StoreError(
                Text(zh=f"没有存储文件 {file}", en=f"there is no store {file}"),
                Text(zh="svcflow start 会新建它", en="`svcflow start` makes it"),
            )
        from svcflow.cli.catalog import catalog_at

        catalog = catalog_at(self.folder)
        from svcflow.cli.engine import RecordingEngine
        from svcflow.model.catalog import load_qualifications
        from svcflow.runtime.clock import VirtualClock

        clock = None if self.at is None else VirtualClock(self.at)
        register = None if self.register is None else load_qualifications(self.register)
        with RecordingEngine(url, catalog, clock=clock, qualifications=register) as engine:
            yield engine


def url_of(db: str) -> str:
    """Return the URL of a store; a bare file name means SQLite."""
    return db if "://" in db else f"{_SQLITE}{db}"


def sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite URL; None when it names no file."""
    name = url.removeprefix(_SQLITE).partition("?")[0]
    return Path(name) if url.startswith(_SQLITE) and name not in ("", ":memory:") else None
