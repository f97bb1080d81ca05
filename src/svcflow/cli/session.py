"""Opening: from `--procedures`, `--db` and `--at` to a catalog and an engine. Creates a store only when told to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from svcflow.cli.errors import WrongUsage
from svcflow.cli.language import Tongue
from svcflow.errors import StoreError
from svcflow.text import Text
from svcflow.wording import shared_zone

if TYPE_CHECKING:
    from svcflow.cli.listening import ListeningEngine
    from svcflow.cli.names import Names
    from svcflow.kernel.instance import Instance
    from svcflow.kernel.lifecycle.deviations import Deviation
    from svcflow.model.catalog import Catalog
    from svcflow.runtime.engine import Engine
    from svcflow.runtime.filters import WorkItem

__all__ = [
    "catalog_at",
    "engine_at",
    "is_new",
    "names_along",
    "names_in",
    "names_of",
    "sqlite_file",
    "url_of",
    "versions_of",
]

_SQLITE = "sqlite:///"


def catalog_at(folder: str | None) -> Catalog:
    """Return the catalog of a folder, or the shipped one. Raises: DeclarationError."""
    from svcflow.model.catalog import Catalog

    return Catalog.shipped() if folder is None else Catalog.from_folder(folder)


@contextmanager
def engine_at(
    db: str | None, folder: str | None, at: datetime | None = None, *, create: bool = False
) -> Iterator[ListeningEngine]:
    """Open an engine over the store `db` names; `at` makes its clock stand there.

    Raises: WrongUsage without a store; StoreError for a file that is not there unless `create`.
    """
    if not db:
        raise WrongUsage(
            Text(zh="没有指明存储", en="no store is named"),
            Text(zh="用 --db FILE，或设环境变量 SVCFLOW_DB", en="give --db FILE, or set SVCFLOW_DB"),
        )
    url = url_of(db)
    _exists(url, create=create)
    catalog = catalog_at(folder)
    from svcflow.cli.listening import ListeningEngine
    from svcflow.runtime.clock import VirtualClock

    with ListeningEngine(url, catalog, clock=None if at is None else VirtualClock(at)) as engine:
        yield engine


def is_new(db: str | None) -> bool:
    """Tell whether a store has yet to be made: whoever starts there tries in memory first."""
    file = sqlite_file(url_of(db or ""))
    return file is not None and not file.exists()


def url_of(db: str) -> str:
    """Return the URL of a store; a bare file name means SQLite."""
    return db if "://" in db else f"{_SQLITE}{db}"


def sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite URL; None when it names no file."""
    name = url.removeprefix(_SQLITE).partition("?")[0]
    return Path(name) if url.startswith(_SQLITE) and name not in ("", ":memory:") else None


def names_of(engine: Engine, procedure: str, version: int, lang: Tongue) -> Names:
    """Return the names of a procedure of the engine's catalog. Raises: UnknownProcedure, UnknownCalendar."""
    from svcflow.cli.names import Names
    from svcflow.kernel.compiled import calendars_of

    found = engine.catalog[procedure, version]
    return Names(found, lang, calendars_of(engine.catalog)(found.calendar).timezone)


def versions_of(shown: Iterable[Instance | Deviation | WorkItem]) -> set[tuple[str, int]]:
    """Return the versions of procedures that are shown."""
    return {(one.procedure, one.version) for one in shown}


def names_in(
    engine: Engine, versions: Iterable[tuple[str, int]], lang: Tongue
) -> Callable[[str, int], Names]:
    """Return where to find the names of these versions, with instants on one clock.

    One that the catalog has no more lends the names of the newest. Raises: as `names_of`.
    """
    found = {
        (name, version): names_of(engine, name, _there(engine, name, version), lang)
        for name, version in versions
    }
    zone = shared_zone(names.zone for names in found.values())
    spoken = {key: attrs.evolve(names, zone=zone) for key, names in found.items()}
    return lambda procedure, version: spoken[procedure, version]


def _there(engine: Engine, procedure: str, version: int) -> int:
    return version if (procedure, version) in engine.catalog else engine.catalog[procedure].version


def names_along(engine: Engine, names: Names) -> Callable[[str, int], Names]:
    """Return where to find the names of the version something was recorded under, on the clock of the rest."""

    @cache
    def found(procedure: str, version: int) -> Names:
        then = names_of(engine, procedure, _there(engine, procedure, version), names.lang)
        return attrs.evolve(then, zone=names.zone)

    return found


def _exists(url: str, *, create: bool) -> None:
    file = sqlite_file(url)
    if file is not None and not create and not file.exists():
        raise StoreError(
            Text(zh=f"没有存储文件 {file}", en=f"there is no store {file}"),
            Text(zh="svcflow start 会新建它", en="`svcflow start` makes it"),
        )
