"""Closed-form matting, by PyMatting.

A. Levin, D. Lischinski, Y. Weiss, "A Closed-Form Solution to Natural Image Matting", TPAMI 2008.
"""

import contextlib
import io
import sys
import warnings
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any

import cv2
import numpy as np

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Alpha, Image, Trimap
from matte.errors import BackendError, MatteWarning, PictureError, install_command
from matte.imaging.regions import bounding_box
from matte.stages import NO_CONTEXT, RefineContext, Refined
from matte.watching import tell_watcher

MARGIN_PIXELS = 16  # of known pixels around the band; farther ones don't change the solution

# Those around PyMatting's closed form.
PACKAGES = ("", ".util", ".laplacian", ".preconditioner", ".solver", ".alpha")
SOLVER_LOCK = Lock()


class ClosedForm:
    """A slow and careful refiner: it solves a sparse system over the band's surroundings."""

    network = None

    def __init__(self) -> None:
        spec = find_spec("pymatting")
        if spec is None:
            raise BackendError(
                "refiner 'closed-form' needs PyMatting", install_command("classical")
            )
        (folder,) = spec.submodule_search_locations or [""]
        if not any(Path(folder).rglob("*.nbi")):
            warnings.warn(
                "PyMatting compiles its solver at its first use: some seconds",
                MatteWarning,
                stacklevel=2,
            )

    def refine(self, image: Image, trimap: Trimap, context: RefineContext = NO_CONTEXT) -> Refined:
        """Return alpha at the picture's size: 0 and 1 where the trimap is known."""
        alpha = (trimap / np.float32(255)).astype(np.float32)
        unknown = trimap == UNKNOWN
        box = bounding_box(unknown, MARGIN_PIXELS)
        if box is None:
            return Refined(Alpha(alpha))
        for value, name in ((SUBJECT, "subject"), (BACKGROUND, "background")):
            if not (trimap == value).any():
                raise PictureError(
                    f"the trimap has no sure {name}", "narrow it, or use the refiner 'guided'"
                )
        around = cv2.dilate(unknown.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        neighbours = np.unique(trimap[around & ~unknown])
        if neighbours.size == 1:  # nothing to tell apart; PyMatting would divide 0 by 0
            alpha[unknown] = neighbours[0] / 255
            return Refined(Alpha(alpha))
        estimate_alpha_cf = closed_form_solver()
        rgb = image[box] / np.float64(np.iinfo(image.dtype).max)
        known = np.where(unknown, 0.5, trimap / 255)[box]
        # PyMatting prints remarks about its preconditioner; the solution is exact all the same.
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            try:
                solved = estimate_alpha_cf(
                    np.asarray(rgb), known, cg_kwargs={"callback": _tell_of_iteration}
                )
            except ValueError as error:
                raise PictureError(
                    "closed-form matting found no solution", "use the refiner 'guided'"
                ) from error
        alpha[box] = np.where(unknown[box], np.clip(solved, 0, 1), alpha[box])
        return Refined(Alpha(alpha))


def _tell_of_iteration(*solution: object) -> None:
    """Tell whoever watches, and may stop the work, that an iteration of the solver is done."""
    tell_watcher("refine", 0.5)


def closed_form_solver() -> Callable[..., Any]:
    """Return PyMatting's `estimate_alpha_cf`; unless all is imported, only that is compiled.

    All of PyMatting takes a minute, this some seconds.
    """
    with SOLVER_LOCK:
        return _import_solver()


@cache
def _import_solver() -> Callable[..., Any]:
    """Import the solver's own modules, within packages that are empty and then forgotten.

    The packages themselves import, and so compile, every method of PyMatting.
    """
    solver: Callable[..., Any]
    if "pymatting" not in sys.modules:
        spec = find_spec("pymatting")
        (folder,) = (spec and spec.submodule_search_locations) or [""]
        for name in PACKAGES:
            package = ModuleType(f"pymatting{name}")
            package.__path__ = [str(Path(folder, *name.split(".")))]
            sys.modules[package.__name__] = package
        try:
            solver = import_module("pymatting.alpha.estimate_alpha_cf").estimate_alpha_cf
            return solver
        except ImportError:
            pass  # another version, whose modules lie elsewhere
        finally:
            for name in [n for n in sys.modules if n.partition(".")[0] == "pymatting"]:
                del sys.modules[name]
    solver = import_module("pymatting").estimate_alpha_cf
    return solver
