"""Why a handler did not take a fact, as it may be kept and logged: without what its error says.

What an error says may quote anything, also somebody whose data are erased one day. Only a `DeliveryError`
speaks for itself: whoever raises it vouches that it names nobody.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from types import FrameType, TracebackType

from svcflow.errors import DeliveryError

_LONGEST = 1_000


def cause(error: Exception, handler: object) -> str:
    """Return the class of an error, with what it says or the place in the handler's module where it came up."""
    if isinstance(error, DeliveryError):
        said = traceback.format_exception_only(error)[0].strip()  # also of one that cannot say what it is
    else:
        said = f"{_name(type(error))} at {_place(error, handler)}"
    return (
        said[:_LONGEST].encode(errors="replace").decode().replace("\0", "?")
    )  # what every database can keep


def _name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _place(error: Exception, handler: object) -> str:
    """Name function and line: where the handler's own module was left, else where the error was raised."""
    met = list(_frames(error.__traceback__))
    own = [one for one in met if one[0].f_globals.get("__name__") == getattr(handler, "__module__", None)]
    frame, line = (own or met)[-1]
    return f"{frame.f_globals.get('__name__', '')}.{frame.f_code.co_qualname}:{line}"


def _frames(trace: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while trace is not None:
        yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next
