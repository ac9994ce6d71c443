"""Image → Alpha without a trimap."""
