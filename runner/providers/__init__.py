"""Paid providers: the HTTP transport they share, and a folder for each."""
