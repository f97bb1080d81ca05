"""Whatever a reader is given: only documented errors, less than a second, less than 200 MB.

Each reader is fed for SVCFLOW_FUZZ_SECONDS (3), with SVCFLOW_FUZZ_SEED (1).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from waiting import PATIENCE_S

pytestmark = pytest.mark.long

SECONDS = os.environ.get("SVCFLOW_FUZZ_SECONDS", "3")
SEED = os.environ.get("SVCFLOW_FUZZ_SEED", "1")
FEEDER = Path(__file__).with_name("hostile_input.py")


@pytest.mark.parametrize("target", ["guard", "procedure", "calendar", "scenario", "mapping", "xes"])
def test_hostile_input_gives_a_documented_error_in_bounded_time_and_memory(target):
    """Right inputs with pieces lost, doubled, moved or put in: read, or refused with an error in both languages."""
    feeder = [sys.executable, "-W", "error", str(FEEDER), target, SECONDS, SEED]
    done = subprocess.run(
        feeder, capture_output=True, text=True, check=False, timeout=float(SECONDS) + PATIENCE_S
    )
    assert done.returncode == 0, done.stdout + done.stderr
    print(target, done.stdout)
    assert int(done.stdout.split()[0]) > 10 * float(SECONDS)
