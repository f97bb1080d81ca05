"""What PostgreSQL and its driver raise, as errors that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError

from svcflow.errors import StoreError
from svcflow.store.errors import all_in_use, unusable
from svcflow.store.postgres.fair_semaphore import SemaphoreTimeout
from svcflow.text import NO_TEXT, Text


@contextmanager
def translate_errors(url: str) -> Iterator[None]:
    """Raise what the driver raises inside the block as a StoreError with a remedy."""
    try:
        yield
    except DBAPIError as error:
        raise _unusable(url, error.orig or error) from error
    except psycopg.Error as error:
        raise _unusable(url, error) from error
    except SemaphoreTimeout as error:
        raise all_in_use(url, error.timeout_s) from error


def _unusable(url: str, error: BaseException) -> StoreError:
    why = " ".join(str(error).split())
    return unusable(url, why, _remedy(getattr(error, "sqlstate", None), error))


def _remedy(sqlstate: str | None, error: BaseException) -> Text:
    if sqlstate is None and isinstance(error, psycopg.OperationalError):
        # No server was there to give a code. Only where no connection was ever open is it certain that the command
        # was not done.
        sqlstate = "08001" if _never_opened(error) else "08000"
    return next((text for code, text in _REMEDIES.items() if sqlstate and sqlstate.startswith(code)), NO_TEXT)


def _never_opened(error: psycopg.OperationalError) -> bool:
    """Return whether the connection could not be opened at all, so that no statement can have been run on it."""
    failed = error.pgconn is not None or isinstance(error, psycopg.errors.ConnectionTimeout)
    return failed or str(error).startswith("failed to resolve host")


_AGAIN = Text(
    zh="看服务器是否在运行；命令可能已生效，用同一 `command_id` 重试是安全的",
    en="see that the server runs; the command may have been done: asking again with its `command_id` is safe",
)
_DONE = Text(zh="重新读取后再试", en="load it again and decide anew")
_REMEDIES = {
    "08001": Text(
        zh="看服务器是否在运行，地址、端口、用户和数据库是否正确",
        en="see that the server runs, and that address, port, user and database are right",
    ),
    "08": _AGAIN,
    "57P": _AGAIN,
    "25P": _AGAIN,
    "23502": _DONE,  # a command that was done already (see `DoneBefore`)
    "23505": _DONE,
    "40": Text(zh="与他人冲突；再试一次", en="others were in the way; try again"),
    "55P03": Text(
        zh="该行被他人锁住超过 lock_timeout；再试一次",
        en="others had it locked for longer than lock_timeout; try again",
    ),
    "57014": Text(
        zh="语句被 statement_timeout 或管理员取消；再试一次",
        en="statement_timeout or an administrator cancelled it; try again",
    ),
    "26000": Text(
        zh="再试一次；若经由连接池，按会话分配连接",
        en="try again; a pooler in between has to pool by session",
    ),
    "0A000": Text(zh="表被改动；再试一次", en="a table was altered; try again"),
    "25006": Text(
        zh="连接可写的主服务器，或关闭 default_transaction_read_only",
        en="connect to the primary server, or switch default_transaction_read_only off",
    ),
    "22P05": Text(zh="用编码为 UTF8 的数据库", en="use a database whose encoding is UTF8"),
    "3F": Text(zh="先建立 schema，检查 search_path", en="create the schema first, and see to search_path"),
    "42P01": Text(
        zh="表已删除或改名；恢复它们，检查 search_path",
        en="tables were dropped or renamed: restore them, and see to search_path",
    ),
    "28": Text(zh="检查用户名和密码", en="see to user and password"),
    "3D": Text(zh="先建立数据库", en="create the database first"),
    "42501": Text(zh="检查该用户的权限", en="see to the rights of the user"),
    "53100": Text(zh="磁盘已满；腾出空间", en="the disk is full; make room"),
    "53300": Text(zh="连接太多；提高 max_connections", en="too many connections; raise max_connections"),
}
"""Remedies by the beginning of the SQLSTATE; the first that fits counts, so longer codes stand before shorter."""
