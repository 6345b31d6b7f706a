"""Accounts, tasks and uploads of the sandbox, and their journal."""
