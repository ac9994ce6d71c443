"""Training the networks that matte ships."""
