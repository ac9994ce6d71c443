"""Pictures and clips, read from files and written to them."""
