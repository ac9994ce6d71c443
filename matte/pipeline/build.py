"""From settings to a pipeline that is ready to run."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from matte.configs.loader import (
    TRIMAP_FREE,
    MergedSettings,
    refuse_unused_cleaning,
    with_video_networks,
)
from matte.configs.settings import Config, ModnetSettings
from matte.errors import MatteError, MissingWeightsError, SettingError
from matte.modnet.adapter import Modnet
from matte.pipeline.budget import Budget
from matte.pipeline.fallback import Fallback
from matte.pipeline.line import Line, MissingSegmenter, TrimapFree, TwoStage
from matte.pipeline.networks import NetworkOpener, NetworkSupply, OpenNetwork, open_network
from matte.pipeline.peer import PeerNetwork
from matte.pipeline.run import BuiltPipeline
from matte.refiner import REFINERS
from matte.refiner.gca import NO_BORDER, Gca
from matte.registry import resolve
from matte.runtime.memory import SEGMENTER_COST, MemoryLimit
from matte.runtime.mirrored import MirroredSession
from matte.segmentation.letterboxed import LetterboxedSegmenter
from matte.stages import Refiner, Segmenter

NONE_NAMED: Mapping[str, str] = MappingProxyType({})


def build(merged: MergedSettings, opener: NetworkSupply | None = None) -> BuiltPipeline:
    """Build the pipeline that the settings ask for: without a trimap if they name a MODNet.

    `opener` has begun to open the settings' networks, or has them open for many pipelines.
    """
    if merged.config.modnet.modnet:
        refuse_unused_cleaning(merged, "a run with --modnet")
    return BuiltPipeline(
        _build_line(merged, opener),
        merged,
        max_pixels(merged.config),
        memory_budget(merged.config),
    )


def pipeline_for_video(pipeline: BuiltPipeline) -> BuiltPipeline:
    """Return the pipeline with the networks that its settings name for video.

    Whoever builds a pipeline for video alone calls `build_for_video`, and so opens no networks for
    photos.
    """
    merged = with_video_networks(pipeline.merged)
    if merged.config.segmentation != pipeline.merged.config.segmentation:
        return build(merged)
    if merged.config.refiner == pipeline.merged.config.refiner:
        return pipeline
    line = pipeline.line.with_refiner(lambda _: build_refiner(merged.config))
    return replace(pipeline, line=line, merged=merged)


def build_for_video(merged: MergedSettings) -> BuiltPipeline:
    """Build the pipeline with the networks that the settings name for video."""
    return build(with_video_networks(merged))


def build_two_stage(
    config: Config, opener: NetworkSupply | None = None, named: Mapping[str, str] = NONE_NAMED
) -> TwoStage:
    """Build the line of segmenter, trimap and refiner.

    `named` are those of them, by their kind, that the user named and that nothing replaces.
    """
    opener = opener or NetworkOpener(config)
    refiner = build_refiner(config, opener)
    segmenter: Segmenter
    try:
        segmenter = build_segmenter(config, opener)
    except MissingWeightsError as error:
        segmenter = MissingSegmenter(error)  # a mask or a trimap may be given
    budget = Budget(
        config.pipeline.budget_ms,
        config.segmentation.segmenter,
        config.refiner.refiner,
        refiner_runs=2 if config.refiner.mirrored else 1,
        segmenter_runs=2 if config.segmentation.segment_mirrored else 1,
    )
    return TwoStage(segmenter, config.segmentation, config.trimap, refiner, budget, named)


def build_segmenter(config: Config, opener: NetworkSupply | None = None) -> Segmenter:
    """Build the segmenter that the settings name."""
    return segmenter_of(_open("segmenter", config.segmentation.segmenter, config, opener), config)


def segmenter_of(found: OpenNetwork, config: Config) -> Segmenter:
    """Build the segmenter of an open network."""
    if found.weights.peer is not None:
        return _build_peer(found, "segmenter", config)
    settings, session = config.segmentation, found.session
    if settings.segment_mirrored:
        session = MirroredSession(session)
    weights, cost = found.weights, SEGMENTER_COST
    if weights.bytes_per_pixel:
        cost = replace(cost, bytes_per_pixel=weights.bytes_per_pixel)
    memory = memory_budget(config)
    return LetterboxedSegmenter(session, settings, weights.size, found.facts, memory, cost)


def build_refiner(config: Config, opener: NetworkSupply | None = None) -> Refiner:
    """Build the refiner that the settings name."""
    name = config.refiner.refiner
    if name in REFINERS:
        refiner: Refiner = resolve("refiner", REFINERS, name)()
        return refiner
    found = _open("refiner", name, config, opener)
    if found.weights.peer is not None:
        return PeerNetwork(found, memory_budget(config), config.refiner.tile)
    # Who names a protocol wants the authors' very result, whatever it costs.
    protocol: str = config.runtime.refiner_protocol
    tile = config.refiner.tile
    if protocol == "auto":
        protocol = NO_BORDER if found.weights.recipe else "demo"
    elif tile == "auto":
        tile = "off"
    session = MirroredSession(found.session) if config.refiner.mirrored else found.session
    return Gca(session, protocol, tile, memory_budget(config), found.facts)


def _build_line(merged: MergedSettings, opener: NetworkSupply | None) -> Line:
    """Build the line of the settings, with MODNet behind it unless they refuse a fallback."""
    config = merged.config
    if config.modnet.modnet:
        return _build_trimap_free(config, opener)
    first: Line | MatteError
    named = _named_networks(merged)
    try:
        first = build_two_stage(config, opener, named)
    except MissingWeightsError as error:
        if "refiner" in named:
            raise
        first = error
    if config.pipeline.fallback == "none":
        return Fallback(first, None)
    other = replace(config, modnet=ModnetSettings(TRIMAP_FREE))
    return Fallback(first, lambda: _build_trimap_free(other, opener))


def _named_networks(merged: MergedSettings) -> dict[str, str]:
    """Return segmenter and refiner by their kind, those that a user's flag or file named."""
    config = merged.config
    names = {"segmenter": config.segmentation.segmenter, "refiner": config.refiner.refiner}
    own = ("default", f"preset {merged.preset}")
    return {kind: name for kind, name in names.items() if merged.origins[kind] not in own}


def _build_trimap_free(config: Config, opener: NetworkSupply | None = None) -> TrimapFree:
    """Build the line of the MODNet that the settings name, or of the shipped one."""
    protocol = config.runtime.modnet_protocol
    if protocol == "auto":
        protocol = "official"
    found = _open("modnet", config.modnet.modnet or TRIMAP_FREE, config, opener)
    if found.weights.peer is not None:
        return TrimapFree(_build_peer(found, "MODNet", config))
    memory = memory_budget(config)
    return TrimapFree(Modnet(found.session, protocol, found.weights.size, memory, found.facts))


def _build_peer(found: OpenNetwork, kind: str, config: Config) -> PeerNetwork:
    """Build somebody else's network as a segmenter or a MODNet, which gets no trimap."""
    peer = PeerNetwork(found, memory_budget(config))
    if peer.needs_trimap:
        raise SettingError(f"{peer.name} needs a trimap, and a {kind} gets none", "name a refiner")
    return peer


def _open(kind: str, name: str, config: Config, opener: NetworkSupply | None) -> OpenNetwork:
    """Return the network of that kind and name: the opener's if there is one, else opened now."""
    return opener.network(kind, name) if opener else open_network(kind, name, config.runtime)


def memory_budget(config: Config) -> MemoryLimit:
    """Return the memory that the settings let the process take."""
    return MemoryLimit(config.runtime.max_memory or 0)


def max_pixels(config: Config) -> int:
    """Return how many pixels a picture may have: as the settings allow, and as fit in memory."""
    return min(config.media.max_pixels, memory_budget(config).max_pixels)
