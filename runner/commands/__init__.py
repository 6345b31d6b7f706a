"""One file a command: `add(parser)` and `run(...)`."""
