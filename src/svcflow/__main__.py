"""`python -m svcflow`: the command line where its script is not at hand. It adds nothing of its own."""

from __future__ import annotations

from svcflow.cli import main

if __name__ == "__main__":
    main()
