"""Pipelines whose lines run on the GPU that their networks are on."""

from dataclasses import replace
from functools import partial

from matte.configs.loader import MergedSettings
from matte.gpu.choice import device_of, plan_on_device
from matte.pipeline import build as pipelines
from matte.pipeline.networks import NetworkSupply
from matte.pipeline.run import BuiltPipeline


def build_for_photos(merged: MergedSettings, opener: NetworkSupply | None = None) -> BuiltPipeline:
    """Build the pipeline that the settings ask for, on a GPU as a whole if they name one.

    `opener` has begun to open the settings' networks, or has them open for many pipelines.
    """
    built = pipelines.build(merged, opener)
    device = device_of(built.line, built.config)
    if device is None:
        return built
    from matte.gpu.photo_line import DevicePhotoLine  # torch is for GPUs only

    plan = partial(plan_on_device, device, memory=built.memory)
    return replace(built, line=DevicePhotoLine(built.line, built.config, plan))
