"""The sandbox's HTTP server."""
