"""Verification of the links between an instance and the children that its steps run: each names the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from svcflow.errors import CorruptJournal, SvcflowError
from svcflow.kernel.instance import Child, Instance
from svcflow.runtime.integrity.projections import INSTANCES, RESTORE
from svcflow.runtime.store import Store
from svcflow.text import Text

Named = Iterator[tuple[str, SvcflowError]]


def relative_problems(store: Store, names: Iterable[str]) -> Named:
    """Yield the problems of links from instances to their children, and to their parents.

    The other end is read after this one: a child stands before it is recorded as started, and a request before the
    child that answers it.
    """
    for name in names:
        try:
            stored = store.load(name)
        except SvcflowError:  # its row cannot be read, which is reported already
            continue
        if stored is None:
            continue
        for child, entry in stored.instance.children.items():
            yield from ((name, error) for error in _of_child(store, name, child, entry))
        if stored.instance.parent is not None:
            yield from ((name, error) for error in _of_parent(store, stored.instance))


def _of_child(store: Store, parent: str, name: str, entry: Child) -> Iterator[CorruptJournal]:
    child = _instance(store, name)
    if child is None:
        if entry.state != "requested":
            yield _problem(parent, name, Text(zh="没有该实例", en="there is no such instance"))
    elif child.parent is None or child.parent.id != parent:
        yield _problem(parent, name, Text(zh="该实例不以其为上级", en="that instance names another parent"))
    elif entry.state == "ended" and (child.status, child.outcome) != ("ended", entry.outcome):
        yield _problem(
            parent,
            name,
            Text(
                zh=f"记为已结束（{entry.outcome}），而该实例不是",
                en=f"it is recorded as ended ({entry.outcome}), which that instance is not",
            ),
        )


def _of_parent(store: Store, child: Instance) -> Iterator[CorruptJournal]:
    assert child.parent is not None  # noqa: S101  # asked of those that have one
    parent = _instance(store, child.parent.id)
    if parent is None:
        yield _problem(child.id, child.parent.id, Text(zh="没有该实例", en="there is no such instance"))
        return
    entry = parent.children.get(child.id)
    if entry is None:
        why = Text(zh="该实例没有请求它", en="that instance did not request it")
        yield _problem(child.id, child.parent.id, why)
    elif child.parent.told and entry.state != "ended":
        why = Text(zh="记为已告知其结束，而该实例没有记录", en="its end is recorded as told, and not there")
        yield _problem(child.id, child.parent.id, why)


def _instance(store: Store, name: str) -> Instance | None:
    stored = store.load(name)
    return None if stored is None else stored.instance


def _problem(name: str, other: str, why: Text) -> CorruptJournal:
    message = Text(
        zh=f"实例 {name} 与 {other} 的上下级不符：{why.zh}",
        en=f"{name} and {other} do not agree on being parent and child: {why.en}",
    )
    return CorruptJournal(message, RESTORE, table=INSTANCES, column="state", row=name)
