"""Problems with a place, exit codes, and suggestions for misspelled names."""
