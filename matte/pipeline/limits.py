"""How large pictures may be."""

from matte.configs.settings import Config
from matte.runtime.memory import Memory


def memory_for(config: Config) -> Memory:
    """What the settings let the process take."""
    return Memory(config.runtime.max_memory or 0)


def most_pixels(config: Config) -> int:
    """How many pixels a picture may have: as many as are allowed, and as there is memory for."""
    return min(config.media.max_pixels, memory_for(config).pixels)
