"""Pairs of versions: what the newer one changes that was recorded under the older one."""

from __future__ import annotations

from collections.abc import Iterator

from svcflow.checks.findings import Finding, finding
from svcflow.model.procedure import Procedure
from svcflow.text import Text

__all__ = ["version_pair"]


def version_pair(older: Procedure, newer: Procedure) -> Iterator[Finding]:
    """Yield the fields that are personal only from the newer version on."""
    for name, field in newer.fields.items():
        if field.personal and name in older.fields and not older.fields[name].personal:
            yield finding(
                "personal-later",
                ("fields", name, "personal"),
                Text(
                    zh=f"字段 {name} 在第 {older.version} 版不是个人信息；那时记入留痕的值是明文，不能抹去",
                    en=f"{name} is not personal in version {older.version}; what was recorded then stays in the clear "
                    "and cannot be erased",
                ),
                Text(
                    zh="用 migrate --dry-run 查看哪些实例已有；新字段从第一版起就标明",
                    en="see by migrate --dry-run which instances hold it; mark a new field from its first version on",
                ),
            )
