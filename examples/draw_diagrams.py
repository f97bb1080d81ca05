"""Draw the shipped procedures, or those of a folder, as SVG swimlane maps.

Run it with `python examples/draw_diagrams.py OUT_FOLDER [PROCEDURES_FOLDER]`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import svcflow


def main(out: Path, catalog: svcflow.Catalog) -> None:
    """Write one file for each procedure and print its name and size."""
    out.mkdir(parents=True, exist_ok=True)
    for procedure in catalog:
        path = svcflow.draw(procedure, lang="zh+en").save(out / f"{procedure.id}.svg")
        print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    shelf = svcflow.Catalog.from_folder(sys.argv[2]) if len(sys.argv) > 2 else svcflow.Catalog.shipped()
    main(Path(sys.argv[1]), shelf)
