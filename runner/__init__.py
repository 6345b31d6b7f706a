"""Storyboards as code for AI video."""

__version__ = "0.1.0"
