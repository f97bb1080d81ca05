"""A writer that is going to lose its server: it acknowledges every command on its standard output, one line each.

Usage: server_writer.py URL NUMBER ROUND
"""

from __future__ import annotations

import sys

from crash_writer import work

if __name__ == "__main__":
    work(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
