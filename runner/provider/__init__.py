"""The door to the provider: the only HTTP client."""
