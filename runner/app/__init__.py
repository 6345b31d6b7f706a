"""The use cases of the commands: from parsed arguments to engine, store and screens."""
