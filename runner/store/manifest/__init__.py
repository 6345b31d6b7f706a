"""The manifest in the repository: which clip came from which request; sorted, stable, never a cause of payment."""
