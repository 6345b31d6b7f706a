"""Inspection of media files: kind by content, length, size and hash; frames of clips; contact sheets."""
