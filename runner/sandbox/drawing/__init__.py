"""Processes that draw the sandbox's clips."""
