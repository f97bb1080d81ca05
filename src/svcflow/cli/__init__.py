"""The command line: `svcflow COMMAND`. Commands are imported when they are called, so that `--help` stays quick."""

from __future__ import annotations

import sys
from io import TextIOWrapper

__all__ = ["main"]


def main() -> None:
    """Run the command line and leave with its exit code: 0 ok, 1 findings, 2 usage, 3 bad input."""
    from svcflow.cli.app import app
    from svcflow.cli.output import escape_log_lines

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Chinese shows ? instead of failing
    escape_log_lines()
    app(prog_name="svcflow")
