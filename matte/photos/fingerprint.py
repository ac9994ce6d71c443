"""What the results of a run depend on besides their pictures: equal prints, equal results."""

from dataclasses import asdict
from typing import Any

import matte
from matte.compositing.backgrounds import background_facts
from matte.configs.loader import MergedSettings, written_values
from matte.configs.settings import SETTINGS
from matte.errors import WeightsError
from matte.files import file_facts
from matte.photos.finishing import FinishOptions
from matte.pipeline.subject_masks import mask_place
from matte.weights.store import find_weights

# What changes how fast a run is, or which pictures it refuses, but no result.
INDIFFERENT = {
    "compile",
    "max_memory",
    "max_pixels",
    "require_gpu",
    "threads",
    "torch_compile",
}


def run_fingerprint(merged: MergedSettings, finish: FinishOptions, ending: str) -> dict[str, Any]:
    """Return version, settings, networks' hashes and finish as plain JSON values, by name.

    `ending` is that of the results.
    """
    config = merged.config
    values = {
        name: value
        for name, value in written_values(config).items()
        if name not in INDIFFERENT and SETTINGS[name].section != "video"
    }
    named = {
        "segmenter": config.segmentation.segmenter,
        "refiner": config.refiner.refiner,
        "modnet": config.modnet.modnet,
    }
    hashes = {f"{kind} file": _network_hash(kind, name) for kind, name in named.items() if name}
    masks = mask_place(config.segmentation.subject)
    if masks is not None and masks.is_file():
        hashes["subject mask"] = file_facts(masks)["sha256"]
    return {
        "version": matte.__version__,
        **values,
        **hashes,
        "background": background_facts(finish.background),
        "premultiply": finish.premultiply,
        "crop": None if finish.crop is None else str(finish.crop),
        "canvas": None if finish.canvas is None else asdict(finish.canvas),
        "format": ending,
    }


def _network_hash(kind: str, name: str) -> str:
    """Return the SHA-256 of a network's file; "" if it is no file, or not here."""
    try:
        return file_facts(find_weights(kind, name).path)["sha256"]
    except WeightsError:
        return ""
