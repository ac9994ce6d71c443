"""One of several subjects, followed through a clip."""
