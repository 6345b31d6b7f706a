"""A local double of the API: strict where the real one is lenient, countable, scriptable, free."""
