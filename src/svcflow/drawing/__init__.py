"""Drawings of procedures: swimlane maps as SVG and PNG, and DOT for Graphviz.

Imports stay light: networkx, wasmtime, Graphviz and the rasteriser are loaded by the drawing that needs them.
"""

from svcflow.drawing.drawing import Drawing
from svcflow.drawing.render import graphviz
from svcflow.drawing.scene.scene import Badge
from svcflow.drawing.swimlane import draw

__all__ = ["Badge", "Drawing", "draw", "graphviz"]
