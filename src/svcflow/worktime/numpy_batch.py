"""Batches of additions by the million in numpy, which no other module loads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from svcflow.errors import MissingExtra
from svcflow.text import Text

try:
    import numpy as np
except ImportError as error:
    raise MissingExtra(
        "fast",
        Text(
            zh="批量计算（add_many）需要 numpy", en="computing many deadlines at once (add_many) needs numpy"
        ),
    ) from error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from svcflow.worktime.hour_table import HourTable

__all__ = ["add", "as_arrays", "missing", "targets"]


def as_arrays(
    starts: Sequence[int] | NDArray[np.int64], amounts: Sequence[int] | NDArray[np.int64] | int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return instants and lengths in microseconds as arrays of one shape; one length serves all instants."""
    first, second = np.broadcast_arrays(
        np.asarray(starts, dtype=np.int64), np.asarray(amounts, dtype=np.int64)
    )
    return first, second


def targets(table: HourTable, starts: NDArray[np.int64], amounts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the time worked since the table began at which each limit is reached."""
    opens, ends, offsets, _, _ = _arrays(table)
    index = opens.searchsorted(starts, side="right") - 1
    worked: NDArray[np.int64] = np.minimum(starts, ends[index]) + offsets[index] + amounts
    return worked


def missing(
    table: HourTable, starts: NDArray[np.int64], amounts: NDArray[np.int64], reached: NDArray[np.int64]
) -> int:
    """Return the open time that the table lacks for these additions; an opening it lacks counts as 1."""
    lacks_opening = bool(((starts >= table.ends[-1]) & (amounts == 0)).any())
    return max(int(reached.max()) - table.total, int(lacks_opening))


def add(
    table: HourTable, starts: NDArray[np.int64], amounts: NDArray[np.int64], reached: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return for each start the earliest instant at which its amount of open time has passed."""
    opens, ends, _, after, backwards = _arrays(table)
    due: NDArray[np.int64] = backwards[after.searchsorted(reached)] + reached
    if not amounts.all():  # an amount of nothing is due at once, or at the next opening
        following = np.minimum(ends.searchsorted(starts, side="right"), len(ends) - 1)
        due = np.where(amounts == 0, np.maximum(starts, opens[following]), due)
    return due


def _arrays(table: HourTable) -> tuple[NDArray[np.int64], ...]:
    if table.arrays is None:
        opens, ends, before, after = (
            np.array(column, dtype=np.int64)
            for column in (table.starts, table.ends, table.before, table.after)
        )
        table.arrays = (opens, ends, before - opens, after, ends - after)
    return table.arrays
