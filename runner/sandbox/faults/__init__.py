"""Faults on demand: what a provider may do wrong."""
