"""The line in torch, on one device."""
