"""The folders outside the package that matte reads from and writes to."""

import os
from pathlib import Path


def settings_file() -> Path:
    """Return the path of the user's settings file, whether it exists or not."""
    home = os.environ.get("MATTE_HOME")
    return Path(home) / "config.toml" if home else _xdg_folder("CONFIG", ".config") / "config.toml"


def cache_folder() -> Path:
    """Return the folder of files that can be made again, such as compiled networks."""
    home = os.environ.get("MATTE_HOME")
    return Path(home) / "cache" if home else _xdg_folder("CACHE", ".cache")


def weights_folder() -> Path:
    """Return the folder of the networks that the user stored."""
    home = os.environ.get("MATTE_HOME")
    return Path(home) / "weights" if home else _xdg_folder("DATA", ".local/share") / "weights"


def _xdg_folder(kind: str, default: str) -> Path:
    """Return matte's folder of a kind, as the XDG base directory specification has it."""
    base = os.environ.get(f"XDG_{kind}_HOME")
    return (Path(base) if base else Path.home() / default) / "matte"
