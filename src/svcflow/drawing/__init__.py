"""Drawings of procedures: swimlane maps as SVG and PNG, and DOT for Graphviz.

Imports stay light: networkx, wasmtime, Graphviz and the rasteriser are loaded by the drawing that needs them.
"""

from svcflow.drawing.drawing import Drawing, draw
from svcflow.drawing.render import graphviz
from svcflow.drawing.scene.map_scene import Badge

__all__ = ["Badge", "Drawing", "draw", "graphviz"]
