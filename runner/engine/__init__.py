"""The run engine: executes a plan. Decisions are in `schedule`, the only loop is in `run_loop`."""
