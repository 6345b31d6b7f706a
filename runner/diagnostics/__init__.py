"""Problems with a place, exit codes, and the nearest known name."""
