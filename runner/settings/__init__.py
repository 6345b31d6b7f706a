"""Settings: from flags, the environment and the settings files."""
