"""The version of the drawing: a clip that another version drew looks different, and is drawn anew."""

DRAWING_VERSION = 4
"""Raised by one with every change that a viewer sees or hears."""
