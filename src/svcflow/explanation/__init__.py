"""How a deadline came to be, line by line, from the facts. It reads the kernel's clocks; it decides nothing."""

from svcflow.explanation.explain import Explanation, Line, UnknownLimit, explain

__all__ = ["Explanation", "Line", "UnknownLimit", "explain"]
