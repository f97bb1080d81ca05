"""Errors of stores that more than one backend raises."""

from __future__ import annotations

from svcflow.errors import StoreError
from svcflow.text import NO_TEXT, Text


def unusable(url: str, why: str, remedy: Text = NO_TEXT) -> StoreError:
    """Return the error for a store whose driver failed, with the driver's own words."""
    return StoreError(
        Text(zh=f"存储 {url} 不可用：{why}", en=f"the store {url} cannot be used: {why}"), remedy
    )


def all_in_use(url: str, timeout_s: float) -> StoreError:
    """Return the error for a pool that had no connection free within `timeout_s` seconds."""
    return StoreError(
        Text(
            zh=f"存储 {url} 的连接在 {timeout_s} 秒内一直占用",
            en=f"every connection to the store {url} was in use for {timeout_s} seconds",
        ),
        Text(
            zh="再试一次；看是谁锁住了其中的行，或用更少的线程",
            en="try again; see who keeps its rows locked, or use fewer threads",
        ),
    )
