"""Checkpoints in, exchange formats out, each with a report on how far the two differ."""
