"""Every runtime against torch in float32: trained networks, a real picture."""

import copy
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from matte.configs.loader import merge_settings
from matte.configs.settings import RuntimeSettings
from matte.conversion.onnx_to_torch import TorchNetwork, torch_from_onnx
from matte.errors import BackendError
from matte.imaging.letterbox import letterbox
from matte.imaging.resizing import resize
from matte.media.pictures import read_photo
from matte.modnet.adapter import network_size
from matte.pipeline.build import build_two_stage
from matte.pipeline.networks import as_runtime_network
from matte.refiner.protocols import network_inputs, pad_for_network
from matte.runtime.execution import Execution
from matte.runtime.opener import open_session
from matte.runtime.openvino import has_bf16
from matte.runtime.processor import ProcessorAbilities
from matte.runtime.torch import DeviceNetwork
from matte.weights.store import find_weights
from tests.conftest import SAMPLE, SetAbilities
from tests.tolerances import HALF, RUNTIMES

NETWORKS = {"person": "segmenter", "gca-slim": "refiner", "modnet": "modnet"}
Given = dict[str, NDArray[np.float32]]


@cache
def returned(name: str) -> TorchNetwork:
    return torch_from_onnx(find_weights(NETWORKS[name], name).path)


@cache
def given(name: str) -> Given:
    """What the pipeline hands the network for the sample."""
    image, size = read_photo(SAMPLE).pixels, find_weights(NETWORKS[name], name).size
    if name == "person":
        return {"image": _blob(letterbox(image, size, size, 32).pixels)}
    if name == "modnet":
        small = resize(image, *network_size(image.shape[0], image.shape[1], size))
        return {"input": _blob(small / np.float32(127.5) - 1)}
    config = merge_settings("balanced", flags={"backend": "onnx", "precision": "fp32"}).config
    trimap = build_two_stage(config).run(image).trimap
    assert trimap is not None
    whole = pad_for_network(image, trimap, "demo")
    return network_inputs(whole.image, whole.trimap)


def _blob(pixels: NDArray[Any]) -> NDArray[np.float32]:
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], np.float32)


@cache
def expected(name: str) -> NDArray[np.float32]:
    return in_torch(name, Execution("torch"))


def in_torch(name: str, execution: Execution) -> NDArray[np.float32]:
    network = DeviceNetwork(copy.deepcopy(returned(name).exported), execution)
    tensors = {key: torch.from_numpy(v).to(network.device) for key, v in given(name).items()}
    return np.asarray(network(**tensors).cpu().numpy())


def in_runtime(name: str, **asked: Any) -> NDArray[np.float32]:
    network = as_runtime_network(find_weights(NETWORKS[name], name))
    (found,) = open_session(network, RuntimeSettings(**asked)).run(given(name)).values()
    return found


def apart(found: NDArray[np.float32], name: str) -> tuple[float, float]:
    difference = np.abs(found - expected(name))
    return float(difference.max()), float(difference.mean())


def check_near(found: NDArray[np.float32], name: str, precision: str) -> None:
    largest, mean = apart(found, name)
    most, most_mean = (RUNTIMES, RUNTIMES) if precision == "fp32" else HALF[name, precision]
    assert most is None or largest <= most
    assert mean <= most_mean


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("backend", ["onnx", "openvino"])
def test_float32_is_the_same_everywhere(name: str, backend: str) -> None:
    found = in_runtime(name, backend=backend, device="cpu", precision="fp32")
    assert apart(found, name)[0] <= RUNTIMES


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("backend", ["openvino", "torch"])
def test_bfloat16_stays_as_near_as_measured(
    name: str, backend: str, set_abilities: SetAbilities
) -> None:
    is_rounded = backend == "torch" or has_bf16()  # else OpenVINO calculates in float32
    if backend == "torch":
        found = in_torch(name, Execution("torch", precision="bf16"))
    else:
        set_abilities(ProcessorAbilities(bf16=True))
        found = in_runtime(name, backend=backend, device="cpu", precision="bf16")
    assert apart(found, name)[0] > 0 or not is_rounded
    check_near(found, name, "bf16")


@pytest.mark.gpu
@pytest.mark.parametrize("name", NETWORKS)
class TestOnGpu:
    """The same on CUDA and TensorRT."""

    @pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
    def test_torch(self, name: str, precision: str) -> None:
        check_near(in_torch(name, Execution("torch", "gpu:0", precision)), name, precision)

    @pytest.mark.parametrize(
        ("backend", "precision"),
        [
            ("onnx", "fp32"),
            *((b, p) for b in ("onnx-tensorrt", "tensorrt") for p in ("fp32", "fp16")),
        ],
    )
    def test_runtimes(self, name: str, backend: str, precision: str) -> None:
        try:
            found = in_runtime(name, backend=backend, device="gpu", precision=precision)
        except BackendError as error:
            pytest.skip(str(error))
        check_near(found, name, precision)
