"""Public addresses for local files and frames."""
