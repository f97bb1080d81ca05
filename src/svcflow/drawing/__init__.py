"""Drawings of procedures: swimlane maps as SVG and PNG.

Imports stay light: Graphviz, networkx and the rasteriser are loaded by the drawing that needs them.
"""

from svcflow.drawing.drawing import Drawing
from svcflow.drawing.scene.scene import Badge
from svcflow.drawing.swimlane import draw

__all__ = ["Badge", "Drawing", "draw"]
