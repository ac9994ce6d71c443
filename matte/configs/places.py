"""The folders outside the package that matte reads and writes."""

import os
from pathlib import Path


def user_config() -> Path:
    """The user's own settings file, whether it exists or not."""
    home = os.environ.get("MATTE_HOME")
    return Path(home) / "config.toml" if home else _xdg("CONFIG", ".config") / "config.toml"


def cache() -> Path:
    """The folder of what can be made again: compiled networks."""
    home = os.environ.get("MATTE_HOME")
    return Path(home) / "cache" if home else _xdg("CACHE", ".cache")


def stored_weights() -> Path:
    """The folder of the weights that the user added."""
    home = os.environ.get("MATTE_HOME")
    return Path(home) / "weights" if home else _xdg("DATA", ".local/share") / "weights"


def _xdg(kind: str, default: str) -> Path:
    base = os.environ.get(f"XDG_{kind}_HOME")
    return (Path(base) if base else Path.home() / default) / "matte"
