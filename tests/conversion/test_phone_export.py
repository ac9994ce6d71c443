"""Networks for phones. What needs LiteRT runs by `make test-phone` alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import matte
from matte.conversion import phone_export
from matte.conversion.litert import open_phone_file, phone_packages_required, run_phone_file
from matte.conversion.phone_export import export_for_phones
from matte.conversion.segmenter_export import export_segmenter
from matte.errors import BackendError, WeightsError
from matte.imaging.letterbox import letterbox
from matte.media.pictures import read_image
from matte.runtime.opener import open_onnx_file
from matte.segmentation.network import CheckpointInfo, build_network, save_checkpoint
from matte.weights.store import Weights, weights_named

SAMPLE = Path(matte.__file__).parent / "media" / "samples" / "astronaut.jpg"
MakeNetwork = Callable[[str], Weights]


@pytest.fixture
def stored(tmp_path: Path) -> MakeNetwork:
    """Makes a network of an architecture, with random weights."""

    def make(architecture: str) -> Weights:
        torch.manual_seed(1)
        network = build_network(architecture).eval()
        checkpoint = tmp_path / "net.safetensors"
        save_checkpoint(network, CheckpointInfo(architecture, 64), checkpoint)
        export_segmenter(checkpoint, tmp_path / "net.onnx", half=False)
        return Weights("net.onnx", "segmenter", size=64, folder=tmp_path)

    return make


def test_what_is_not_for_phones_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "x.tflite"
    with pytest.raises(WeightsError, match="refiner is no network for phones"):
        export_for_phones(weights_named("gca-slim"), target)
    with pytest.raises(WeightsError, match="can't be made for 100×64"):
        export_for_phones(weights_named("person-light"), target, (64, 100))
    assert list(tmp_path.iterdir()) == []


def test_a_missing_converter_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_converter(*_: Any) -> None:
        with phone_packages_required():
            raise ModuleNotFoundError("no", name="litert_torch")

    monkeypatch.setattr(phone_export, "_convert", no_converter)
    with pytest.raises(BackendError, match=r"need litert_torch: run pip install '\.\[phone\]'"):
        export_for_phones(weights_named("person-light"), tmp_path / "x.tflite")


@pytest.mark.phone
@pytest.mark.parametrize(
    "architecture", ["likeunet-dark-light", "mobile-unet", "deeplab-unet-light"]
)
def test_litert_gives_what_onnx_gives(
    architecture: str, stored: MakeNetwork, tmp_path: Path
) -> None:
    weights = stored(architecture)
    done = export_for_phones(weights, tmp_path / "net.tflite", (64, 96))
    assert done.differences[0].largest < 1e-3
    interpreter = open_phone_file(done.path)
    assert list(interpreter.get_input_details()[0]["shape"]) == [1, 64, 96, 3]
    image = np.random.default_rng(1).random((1, 64, 96, 3), np.float32)
    found = run_phone_file(interpreter, image)
    session = open_onnx_file(weights.path, threads=1)
    expected = session.run({"image": np.ascontiguousarray(image.transpose(0, 3, 1, 2))})["mask"]
    np.testing.assert_allclose(found[..., 0], expected[:, 0], atol=1e-3)


@pytest.mark.phone
def test_int8_finds_the_astronaut_and_is_a_third_as_large(tmp_path: Path) -> None:
    weights = weights_named("person-light")
    picture = read_image(SAMPLE)
    whole = export_for_phones(weights, tmp_path / "a.tflite", (320, 320), flat=True)
    small = export_for_phones(weights, tmp_path / "b.tflite", (320, 320), [picture])
    assert small.path.stat().st_size < 0.4 * whole.path.stat().st_size
    box = np.asarray(letterbox(picture, 320, 320).pixels[None])
    flat = run_phone_file(open_phone_file(whole.path), box)
    assert flat.shape == (1, 320 * 320)
    mask = run_phone_file(open_phone_file(small.path), box).reshape(1, -1)
    assert ((mask > 0.5) == (flat > 0.5)).mean() > 0.98
