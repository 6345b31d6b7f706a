"""The display of a run while it is working."""
