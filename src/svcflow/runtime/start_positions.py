"""Positions of regular starts: up to which occurrence each start of a procedure is done, over all processes."""

from __future__ import annotations

from typing import NamedTuple

from svcflow.kernel.instance import NEVER

NOT_BEFORE_US = -NEVER
"""Retry instant of a start that may be tried at once."""


class StartPosition(NamedTuple):
    """How far one regular start of a procedure is.

    An occurrence is named by the local date and time that is declared, `2026-01-05T08:30`, before closed days move it:
    a calendar that is corrected later does not make it another one. `done` is the last occurrence that is done, and
    `pending` the one that is being started, by whichever process comes; `tried` is the last one before it that could
    not be started for everybody. Each is empty where there is none. `salt` goes into the ids of instances with
    recipients, and is deleted once the occurrence is done: from then on nobody can tell from an id whom it is for.

    `version` is the newest version that has run on the store, whose occurrences count from `since_us`. After a failure,
    `error` says why, and it is tried again at `retry_us`.
    """

    procedure: str
    start: str
    version: int
    since_us: int
    done: str = ""
    pending: str = ""
    tried: str = ""
    salt: str = ""
    retry_us: int = NOT_BEFORE_US
    error: str = ""
