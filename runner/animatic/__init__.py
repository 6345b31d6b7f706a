"""Rough clips, drawn: knows nothing of the API or of storyboards."""
