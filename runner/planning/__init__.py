"""What a run would do for each take, and why; pure."""
