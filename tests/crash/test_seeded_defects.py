"""The defects that are put into the library (seeded_defects.py) still find their places in it."""

from __future__ import annotations

import pytest
from seeded_defects import DEFECTS, ROOT, Defect


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_seeded_defect_has_its_place_in_the_library(defect: Defect) -> None:
    """The promise is kept where the defect would break it, and the tests that are to see it are there."""
    assert defect.right in (ROOT / "src" / "svcflow" / defect.module).read_text(encoding="utf-8")
    assert (ROOT / defect.tests[0]).is_file()
