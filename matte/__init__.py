"""Alpha mattes for photos, and the subject on another background."""

from typing import TYPE_CHECKING, Any

from matte.registry import resolve

if TYPE_CHECKING:
    from matte.compositing.blend import composite
    from matte.errors import MatteError, MatteWarning
    from matte.pipeline.build import load
    from matte.pipeline.run import Pipeline
    from matte.pipeline.sweep import sweep
    from matte.stages import Matte

__all__ = ["Matte", "MatteError", "MatteWarning", "Pipeline", "composite", "load", "sweep"]
__version__ = "0.1.0"

_HOMES = {
    "Matte": "matte.stages:Matte",
    "MatteError": "matte.errors:MatteError",
    "MatteWarning": "matte.errors:MatteWarning",
    "Pipeline": "matte.pipeline.run:Pipeline",
    "composite": "matte.compositing.blend:composite",
    "load": "matte.pipeline.build:load",
    "sweep": "matte.pipeline.sweep:sweep",
}


def __getattr__(name: str) -> Any:
    """A public name, imported when it is first used: `matte --help` needs no runtime."""
    if name not in _HOMES:
        raise AttributeError(f"module 'matte' has no attribute {name!r}")
    return resolve("public name", _HOMES, name)
