"""The only HTTP client: what left the machine, downloads, webhooks, strict JSON."""
