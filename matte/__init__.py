"""Alpha mattes for photos, and the subject on another background."""

import sys
from typing import TYPE_CHECKING, Any

from matte.registry import resolve

if TYPE_CHECKING:
    from matte.api import Pipeline, composite, load, sweep, video
    from matte.errors import MatteError, MatteWarning
    from matte.photos.photo_matte import PhotoMatte as Matte

__all__ = ["Matte", "MatteError", "MatteWarning", "Pipeline", "composite", "load", "sweep", "video"]
__version__ = "0.2.0"

_HOMES = {
    "Matte": "matte.photos.photo_matte:PhotoMatte",
    "MatteError": "matte.errors:MatteError",
    "MatteWarning": "matte.errors:MatteWarning",
    "Pipeline": "matte.api:Pipeline",
    "composite": "matte.api:composite",
    "load": "matte.api:load",
    "sweep": "matte.api:sweep",
    "video": "matte.api:video",
}


def __getattr__(name: str) -> Any:
    """Return a public name, imported at its first use: `matte --help` needs no runtime."""
    if name not in _HOMES:
        # Python itself names a near one, if it knows the name and the module.
        this = sys.modules[__name__]
        raise AttributeError(f"module 'matte' has no attribute {name!r}", name=name, obj=this)
    return resolve("public name", _HOMES, name)


def __dir__() -> list[str]:
    """Return the public names, also those that are imported at their first use."""
    return sorted({*globals(), *__all__})
