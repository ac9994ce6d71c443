"""Many pictures: what a run takes, does and writes."""
