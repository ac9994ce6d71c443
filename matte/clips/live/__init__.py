"""A camera's frames matted, shown and recorded while they come."""
