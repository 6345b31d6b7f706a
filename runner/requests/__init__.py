"""A request for one clip, free of any provider, and its fingerprint."""
