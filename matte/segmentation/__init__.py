"""Image → Mask."""
