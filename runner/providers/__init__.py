"""Paid providers: the shared HTTP transport, and a folder for each provider."""
