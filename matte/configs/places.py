"""The folders outside the package that matte reads from and writes to."""

import os
from pathlib import Path

# Stands for a home folder that nobody has: nothing lies there, and nothing can be written.
NO_HOME = Path(os.devnull) / "no home folder (set HOME or MATTE_HOME)"


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
    return (Path(base) if base else _home_folder() / default) / "matte"


def _home_folder() -> Path:
    """Return the user's home folder; NO_HOME where the system knows none."""
    try:
        return Path.home()
    except RuntimeError:  # HOME is not set or "~", and the user is in no list
        return NO_HOME
