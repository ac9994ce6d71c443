"""Convert checkpoints to exchange formats, each with a report on how far the two differ."""
