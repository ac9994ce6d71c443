"""From settings to a pipeline that is ready to run."""

from dataclasses import replace

import matte
from matte.configs.loader import (
    TRIMAP_FREE,
    MergedSettings,
    written_values,
)
from matte.configs.settings import Config, ModnetSettings
from matte.errors import (
    MatteError,
    MissingWeightsError,
)
from matte.modnet.adapter import Modnet
from matte.pipeline.budget import Budget
from matte.pipeline.fallback import Fallback
from matte.pipeline.limits import memory_for, most_pixels
from matte.pipeline.line import Absent, Line, TrimapFree, TwoStage
from matte.pipeline.networks import Networks, Opened, Opening, opened, tell
from matte.pipeline.run import Pipeline
from matte.refiner import REFINERS
from matte.refiner.gca import NO_BORDER, Gca
from matte.registry import resolve
from matte.segmentation.letterboxed import LetterboxedSegmenter
from matte.stages import Refiner, Segmenter


def build(merged: MergedSettings, opening: Opening | None = None) -> Pipeline:
    """The pipeline that the settings ask for: without a trimap if they name a MODNet.

    `opening`: their networks, if they are being opened already.
    """
    config = merged.config
    networks: Networks = {}
    facts = {
        "matte": matte.__version__,
        "preset": merged.preset,
        "settings": written_values(config),
        "networks": networks,
    }
    line = _line(config, networks, opening)
    return Pipeline(line, facts, most_pixels(config), memory_for(config), config)


def build_two_stage(
    config: Config, networks: Networks | None = None, opening: Opening | None = None
) -> TwoStage:
    """Mask, trimap, refiner; `networks` is told what was opened."""
    opening = opening or Opening(config)
    told: Networks = {}
    refiner = build_refiner(config, told, opening)
    segmenter: Segmenter
    try:
        segmenter = build_segmenter(config, told, opening)
    except MissingWeightsError as error:
        segmenter = Absent(error)  # a mask or a trimap may be given
    if networks is not None:
        networks.update(told)
    budget = Budget(
        config.pipeline.budget_ms, config.segmentation.segmenter, config.refiner.refiner
    )
    return TwoStage(segmenter, config.segmentation, config.trimap, refiner, budget)


def build_segmenter(
    config: Config, networks: Networks | None = None, opening: Opening | None = None
) -> LetterboxedSegmenter:
    """The segmenter that the settings name."""
    name = config.segmentation.segmenter
    weights, session = _network("segmenter", name, config, networks, opening)
    return LetterboxedSegmenter(session, config.segmentation, weights.size)


def build_refiner(
    config: Config, networks: Networks | None = None, opening: Opening | None = None
) -> Refiner:
    """The refiner that the settings name."""
    name = config.refiner.refiner
    if name in REFINERS:
        refiner: Refiner = resolve("refiner", REFINERS, name)()
        return refiner
    weights, session = _network("refiner", name, config, networks, opening)
    # Who names a protocol wants the very result, whatever it takes.
    protocol: str = config.runtime.refiner_protocol
    tile = config.refiner.tile
    if protocol == "auto":
        protocol = NO_BORDER if weights.recipe else "demo"
    elif tile == "auto":
        tile = "off"
    return Gca(session, protocol, tile, memory_for(config))


def _line(config: Config, networks: Networks, opening: Opening | None) -> Line:
    if config.modnet.modnet:
        return _trimap_free(config, networks, opening)
    first: Line | MatteError
    try:
        first = build_two_stage(config, networks, opening)
    except MissingWeightsError as error:
        first = error
    if config.pipeline.fallback == "none":
        return Fallback(first, None)
    other = replace(config, modnet=ModnetSettings(TRIMAP_FREE))
    return Fallback(first, lambda: _trimap_free(other, networks))


def _trimap_free(config: Config, networks: Networks, opening: Opening | None = None) -> TrimapFree:
    name, protocol = config.modnet.modnet or TRIMAP_FREE, config.runtime.modnet_protocol
    weights, session = _network("modnet", name, config, networks, opening)
    return TrimapFree(Modnet(session, "official" if protocol == "auto" else protocol, weights.size))


def _network(
    kind: str, name: str, config: Config, networks: Networks | None, opening: Opening | None
) -> Opened:
    """The network, waited for if it is being opened already; `networks` is told."""
    found = opening.of(kind) if opening else opened(kind, name, config.runtime)
    tell(networks, name, found)
    return found
