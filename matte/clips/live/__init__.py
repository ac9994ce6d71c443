"""Video as a camera gives it."""
