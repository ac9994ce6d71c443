"""Mask → Trimap."""
