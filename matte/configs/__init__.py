"""Settings: what a run can be told, in which file, and where each value came from."""
