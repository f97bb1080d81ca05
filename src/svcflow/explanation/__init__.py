"""How a deadline came to be, line by line, from the facts."""

from svcflow.explanation.explain import Explanation, UnknownLimit, explain
from svcflow.explanation.lines import Line

__all__ = ["Explanation", "Line", "UnknownLimit", "explain"]
