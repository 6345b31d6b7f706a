"""Faults on demand: the errors that a provider may show."""
