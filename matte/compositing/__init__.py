"""The subject's own colours, and the subject on another background."""
