"""Attempts: every request that may cost money, its events, and its state after them."""
