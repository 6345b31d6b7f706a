"""Getting a plan made: decisions in `schedule`, the only loop in `loop`."""
