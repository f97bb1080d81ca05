"""A dict that does not change: what an instance holds, which the store and every caller may have at the same time."""

from __future__ import annotations

from typing import NoReturn, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Unchanging(dict[K, V]):
    """Hold what an instance knows; a dict for whoever reads it, copies it or writes it as JSON.

    >>> Unchanging({"fee": 20})["fee"]
    20
    >>> dict(Unchanging({"fee": 20}), fee=30)
    {'fee': 30}
    """

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        """Refuse any change. Raises: TypeError."""
        raise TypeError(
            "an instance is not changed in place: ask the engine to (update, fire), or copy its data"
        )

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type[Unchanging[K, V]], tuple[dict[K, V]]]:
        """Be copied and pickled as one that is made anew; item by item, as a dict is, would be refused."""
        return type(self), (dict(self),)
