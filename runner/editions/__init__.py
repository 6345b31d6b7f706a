"""Limits and prices of an API contract, as dated data."""
