"""From a layout to SVG, PNG, JSON and DOT."""
