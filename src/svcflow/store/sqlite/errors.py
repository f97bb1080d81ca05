"""What SQLite and its driver raise, as errors that say what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from svcflow.errors import StoreError
from svcflow.store.errors import all_in_use, unusable
from svcflow.text import NO_TEXT, Text

POOL_TIMEOUT_S = 30
"""How long a thread waits for a connection for questions."""


@contextmanager
def translate_errors(url: str) -> Iterator[None]:
    """Raise what SQLite and its driver raise inside the block as a StoreError with a remedy."""
    try:
        yield
    except DBAPIError as error:
        raise unusable_file(url, str(error.orig)) from error
    except sqlite3.Error as error:
        raise unusable_file(url, str(error)) from error
    except PoolTimeout as error:
        raise all_in_use(url, POOL_TIMEOUT_S) from error


def unusable_file(url: str, why: str) -> StoreError:
    """Return the error for what SQLite says is wrong with a file."""
    remedies = {
        "file is not a database": Text(
            zh="文件已损坏或不是数据库；从备份恢复",
            en="it is damaged or no database; restore it from a backup",
        ),
        "malformed": Text(zh="文件已损坏；从备份恢复", en="it is damaged; restore it from a backup"),
        "unable to open": Text(
            zh="检查文件夹是否存在、可写", en="see that its folder exists and is writable"
        ),
        "readonly": Text(zh="检查文件权限", en="see to the permissions of the file"),
        "locked": Text(zh="另一进程占用过久；稍后再试", en="another process holds it; try again"),
        "disk I/O": Text(
            zh="检查磁盘；命令可能已生效，用同一 `command_id` 重试是安全的",
            en="see to the disk; the command may have been done: asking again with its `command_id` is safe",
        ),
        "closed": Text(zh="重新打开", en="open it again"),
        "full": Text(zh="磁盘已满；腾出空间", en="the disk is full; make room"),
    }
    remedy = next((text for part, text in remedies.items() if part in why), NO_TEXT)
    return unusable(url, why, remedy)
