"""The shipped networks, and the store of those that users add."""
