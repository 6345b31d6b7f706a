"""Prompt templates: rendered in this process where that is safe, else in a worker process."""
