"""Video through a line: frame after frame, in order, in the memory of a few of them."""
