"""From settings to a pipeline that is ready to run."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from matte.arrays import as_image
from matte.configs.loader import DEFAULT_PRESET, Settled, settle, values
from matte.configs.settings import Config
from matte.errors import SettingError
from matte.media.pictures import read_image
from matte.modnet.adapter import Modnet
from matte.pipeline.lines import Line, TrimapFree, TwoStage
from matte.refiner import REFINERS
from matte.registry import resolve
from matte.runtime.session import Session, open_session
from matte.segmentation.letterboxed import LetterboxedSegmenter
from matte.stages import Matte, Refiner
from matte.weights.store import find


class Pipeline:
    """Mattes pictures, one after the other, with networks that stay loaded."""

    def __init__(self, line: Line, facts: dict[str, Any]) -> None:
        """`facts` is what every picture's report begins with."""
        self._line = line
        self._facts = facts

    def __call__(self, image: NDArray[Any] | str | Path) -> Matte:
        """The matte of a picture: a path, or RGB as uint8 or uint16 (H, W, 3)."""
        picture = read_image(Path(image)) if isinstance(image, str | Path) else as_image(image)
        matte = self._line.run(picture)
        height, width = picture.shape[:2]
        facts = copy.deepcopy(self._facts)  # a report is the caller's to change
        return replace(matte, report={**facts, "width": width, "height": height, **matte.report})


def load(preset: str = DEFAULT_PRESET, **overrides: Any) -> Pipeline:
    """The pipeline of a preset, any setting of it overridden by its name: `load("fast", k=5)`.

    Settings are those of `matte config show`; the user's own settings file is not read.
    """
    if not isinstance(preset, str):
        raise SettingError(f"preset = {preset!r}", "give the name of one")
    return build(settle(preset, flags=overrides))


def build(settled: Settled) -> Pipeline:
    """The pipeline that the settings ask for."""
    config = settled.config
    line, backends = _trimap_free(config) if config.modnet.modnet else _two_stage(config)
    facts = {"preset": settled.preset, "backends": backends, "settings": values(config)}
    return Pipeline(line, facts)


def load_refiner(name: str) -> Refiner:
    """The refiner of that name."""
    refiner: Refiner = resolve("refiner", REFINERS, name)()
    return refiner


def _two_stage(config: Config) -> tuple[Line, dict[str, str]]:
    refiner = load_refiner(config.refiner.refiner)
    weights = find("segmenter", config.segmentation.segmenter)
    session: Session = open_session(weights.path, config.runtime)
    segmenter = LetterboxedSegmenter(session, config.segmentation, weights.size)
    return TwoStage(segmenter, config.trimap, refiner), {"segmenter": session.backend}


def _trimap_free(config: Config) -> tuple[Line, dict[str, str]]:
    session = open_session(find("modnet", config.modnet.modnet).path, config.runtime)
    return TrimapFree(Modnet(session)), {"modnet": session.backend}
