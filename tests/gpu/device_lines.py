"""Lines on a device with the shipped networks, and settings that make numpy's line equal."""

import copy
from functools import cache
from typing import Any

import cv2
import numpy as np
from torch import nn

from matte.arrays import Image
from matte.configs.loader import merge_settings
from matte.configs.settings import Config
from matte.conversion.onnx_to_torch import torch_from_onnx
from matte.gpu.line import DeviceLine
from matte.media.pictures import read_photo
from matte.runtime.execution import Execution
from matte.runtime.torch import DeviceNetwork
from matte.weights.store import find_weights
from tests.conftest import SAMPLE

CPU = Execution("torch")
GPU = Execution("torch", "gpu:0")


def config(preset: str = "fast", **flags: Any) -> Config:
    # Who names a protocol gets frames refined whole, as on a device.
    exact = {"backend": "onnx", "device": "cpu", "precision": "fp32", "refiner_protocol": "demo"}
    once = {"segment_mirrored": False}  # as frames are
    return merge_settings(preset, flags={**exact, **once, **flags}).config


def picture(height: int = 256, width: int = 320) -> Image:
    whole = read_photo(SAMPLE).pixels
    if (height, width) == whole.shape[:2]:
        return whole
    return Image(np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)))


@cache
def shipped_network(kind: str, name: str) -> nn.Module:
    return torch_from_onnx(find_weights(kind, name).path).exported


def network(kind: str, name: str, execution: Execution = CPU, **options: bool) -> DeviceNetwork:
    return DeviceNetwork(copy.deepcopy(shipped_network(kind, name)), execution, **options)


def device_line(settings: Config, execution: Execution = CPU, **options: Any) -> DeviceLine:
    name = settings.segmentation.segmenter
    segment = network("segmenter", name, execution)
    refine = network("refiner", settings.refiner.refiner, execution)
    return DeviceLine(segment, refine, settings, find_weights("segmenter", name).size, **options)
