"""Settings: their rules, presets and files, and where each value of a run comes from."""
