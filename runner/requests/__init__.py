"""A provider-neutral request for one clip, and its fingerprint."""
