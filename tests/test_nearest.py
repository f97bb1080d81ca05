"""What is said of a name that there is not."""

from __future__ import annotations

import pytest

from svcflow.nearest import FEW, nearest
from svcflow.text import NO_TEXT, Text


@pytest.mark.parametrize(
    ("given", "known", "said"),
    [
        ("repiar", ["meeting", "repair"], Text(zh="是否指 repair？", en="did you mean repair?")),
        ("zzz", ["meeting", "repair"], Text(zh="可用：meeting, repair", en="there are: meeting, repair")),
        ("zzz", [f"step_{n}" for n in range(FEW + 1)], NO_TEXT),
        ("step_3", [f"step_{n}_" for n in range(FEW + 1)], Text(zh="是否指 step_3_？", en="did you mean step_3_?")),
        ("zzz", [], Text(zh="一个也没有", en="there are none")),
    ],
    ids=["near", "few", "many", "near of many", "none"],
)  # fmt: skip
def test_the_nearest_name_is_asked_for_and_only_few_are_listed(given, known, said):
    """A question where a name is near, a list where it can be taken in at a glance, and nothing otherwise."""
    assert nearest(given, known) == said
