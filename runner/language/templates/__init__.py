"""Prompt templates: rendered in place where that is safe, else in a worker process."""
