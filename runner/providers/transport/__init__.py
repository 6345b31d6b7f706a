"""The HTTP transport: requests with proof of sending, downloads, the webhook server, strict JSON."""
