"""The only reader of the environment and of storyboard.toml."""
