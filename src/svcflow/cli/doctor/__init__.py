"""Examination of the installation: software, drawing, declarations, store."""
