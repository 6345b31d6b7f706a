"""Pages that the installation carries: read whole, and by the rows of their tables."""
