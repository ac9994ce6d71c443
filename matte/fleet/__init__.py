"""Many machines: photos and clips matted by the workers of a Ray cluster."""
