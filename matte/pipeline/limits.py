"""How large pictures may be, by the settings and by the memory that is there."""

from matte.configs.settings import Config
from matte.runtime.memory import Memory


def memory_budget(config: Config) -> Memory:
    """Return the memory that the settings let the process take."""
    return Memory(config.runtime.max_memory or 0)


def max_pixels(config: Config) -> int:
    """Return how many pixels a picture may have: as the settings allow, and as fit in memory."""
    return min(config.media.max_pixels, memory_budget(config).pixels)
