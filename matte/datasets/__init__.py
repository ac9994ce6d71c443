"""Training pictures as users have them: found by their folders' layout, read, checked."""
