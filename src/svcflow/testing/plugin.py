"""Plugin of pytest: fixtures, which import nothing of svcflow until one is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from svcflow.model.catalog import Catalog
    from svcflow.model.procedure import Procedure
    from svcflow.runtime.clock import VirtualClock
    from svcflow.runtime.engine import Engine

MakeEngine = Callable[["Catalog | Procedure"], "Engine"]


@pytest.fixture
def svc_clock() -> VirtualClock:
    """Return a virtual clock that stands at Monday 2026-01-05 00:00 UTC until it is moved."""
    from svcflow.runtime.clock import VirtualClock  # noqa: PLC0415  # only tests that ask for it pay

    return VirtualClock()


@pytest.fixture
def svc_engine(svc_clock: VirtualClock) -> Iterator[MakeEngine]:
    """Yield a maker of engines in memory on `svc_clock`, which takes a procedure or a catalog; they are closed at the end."""
    from svcflow.runtime.engine import Engine  # noqa: PLC0415  # see svc_clock

    engines: list[Engine] = []

    def make(catalog: Catalog | Procedure) -> Engine:
        engines.append(Engine("memory://", catalog, clock=svc_clock))
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()
