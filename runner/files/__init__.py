"""The doors to files of a repository: one reader and one writer, for paths that a stranger may have chosen."""
