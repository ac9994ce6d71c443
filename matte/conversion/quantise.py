"""Quantise stored networks to int8, as one ONNX file for OpenVINO and ONNX Runtime.

NNCF finds the range of every value on pictures and puts QuantizeLinear and DequantizeLinear around
the convolutions; weights lie in the file as int8. Post-training quantisation: nothing is trained.
"""

import contextlib
import logging
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray

from matte.arrays import Image
from matte.configs.loader import merge_settings
from matte.configs.settings import RuntimeSettings, SegmentationSettings
from matte.conversion.int8_graphs import (
    FLOAT32_OPERATORS,
    adapt_for_openvino,
    float32_convolutions,
    prepare_for_int8,
)
from matte.conversion.onnx_graphs import shorten_names, store_exact_halves
from matte.conversion.parity import OutputDifference, output_difference
from matte.errors import BackendError, PictureError, SettingError, WeightsError, install_command
from matte.files import write_file
from matte.imaging.resizing import resize
from matte.media.pictures import READABLE, read_image
from matte.modnet.adapter import Modnet
from matte.pipeline.build import build_segmenter
from matte.pipeline.steps import cut_subject, draw
from matte.refiner.gca import Gca
from matte.runtime.execution import NetworkSource
from matte.runtime.opener import open_onnx_file, open_session
from matte.runtime.session import Session
from matte.segmentation.letterboxed import LetterboxedSegmenter
from matte.stages import Refiner
from matte.weights.store import Weights

MAX_PICTURES = 160  # of a calibration, spread over all
MAX_REFINER_SIDE = 480  # pixels of the pictures that a refiner is calibrated on: it saves memory
MAX_COMPARED_PICTURES = 16  # pictures that the result is compared with float32 on
# Largest mean difference from float32 on a picture: what is farther is broken. What int8 costs is
# measured on pictures with truth (benchmarks/precision.py).
MAX_MEAN_DIFFERENCE = 0.1
NamedInputs = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class QuantisedNetwork:
    """A quantised file, the number of calibration pictures, and its differences to float32."""

    path: Path
    pictures: int
    differences: tuple[OutputDifference, ...]


def quantise_weights(
    weights: Weights, pictures: Sequence[Image], path: Path, overwrite: bool = False
) -> QuantisedNetwork:
    """Write a stored network in int8, calibrated on pictures.

    The pictures should be like those that it was trained on, and none that it is measured on.

    Each goes through the network's own preprocessing; a refiner gets the band that the default
    segmenter draws. A file that is far from float32 on either runtime is not written.
    """
    recording = RecordingSession(open_onnx_file(weights.path))
    _run_on_pictures(weights, list(_spread_evenly(pictures)), recording)
    if not recording.feeds:
        raise SettingError("no picture to calibrate on", "give some with a subject in them")
    model = prepare_for_int8(onnx.load(weights.path))
    notes = {entry.key: entry.value for entry in model.metadata_props}
    quantised = adapt_for_openvino(_quantise_by_nncf(model, recording.feeds))
    store_exact_halves(quantised)
    shorten_names(quantised)
    onnx.helper.set_model_props(quantised, {**notes, "matte.precision": "int8"})
    with TemporaryDirectory() as folder:
        file = Path(folder) / "network.onnx"
        onnx.save(quantised, file)
        found = tuple(_int8_differences(file, recording))
        for d in found:
            # Phrased so that NaN fails.
            if not d.mean <= MAX_MEAN_DIFFERENCE:
                raise WeightsError(
                    f"in int8 on {d.runtime} the network differs by {d.mean:.1e} on average",
                    "leave it as it is",
                )
        write_file(path, file.read_bytes(), overwrite)
    return QuantisedNetwork(path, len(recording.feeds), found)


def read_calibration_pictures(folder: Path) -> list[Image]:
    """Return the pictures in a folder and below, at most MAX_PICTURES, evenly spread by name."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in READABLE)
    if not files:
        raise PictureError(f"no picture in {folder}", "name a folder of pictures")
    return [read_image(file) for file in _spread_evenly(files)]


class RecordingSession:
    """A session that records the inputs and outputs of every run."""

    def __init__(self, session: Session) -> None:
        self.execution, self.inputs = session.execution, session.inputs
        self.feeds: list[NamedInputs] = []
        self.outputs: list[NDArray[np.float32]] = []
        self._session = session

    def run(self, inputs: NamedInputs) -> dict[str, NDArray[np.float32]]:
        """Return the session's outputs by name, and record them with the inputs."""
        outputs = self._session.run(inputs)
        self.feeds.append(dict(inputs))
        self.outputs += outputs.values()
        return outputs

    def metadata(self) -> dict[str, str]:
        """Return the session's metadata."""
        return self._session.metadata()


def _quantise_by_nncf(model: onnx.ModelProto, feeds: Sequence[NamedInputs]) -> onnx.ModelProto:
    """Return the model quantised by NNCF, calibrated on recorded inputs."""
    try:
        # Without openvino-telemetry, which the OpenVINO runtime keeps out, it reports nothing.
        import nncf
        from nncf.quantization.advanced_parameters import QuantizationParameters
    except ModuleNotFoundError as error:
        raise BackendError(f"quantising needs {error.name}", install_command("quantise")) from error
    nncf.set_log_level(logging.ERROR)
    try:
        # It draws its progress on the standard output.
        with contextlib.redirect_stdout(sys.stderr):
            quantised = nncf.quantize(
                model,
                nncf.Dataset(feeds),
                subset_size=len(feeds),
                preset=nncf.QuantizationPreset.MIXED,
                target_device=nncf.TargetDevice.CPU,
                ignored_scope=nncf.IgnoredScope(
                    names=float32_convolutions(model), types=list(FLOAT32_OPERATORS), validate=False
                ),
                # ONNX Runtime has no convolutions of values with a scale for each channel.
                advanced_parameters=nncf.AdvancedQuantizationParameters(
                    activations_quantization_params=QuantizationParameters(per_channel=False)
                ),
            )
    except (RuntimeError, ValueError, nncf.ValidationError) as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise WeightsError(f"this network can't be quantised ({reason})", "use bf16") from error
    assert isinstance(quantised, onnx.ModelProto)
    return quantised


def _spread_evenly(items: Sequence[Any]) -> Iterator[Any]:
    """Return at most MAX_PICTURES of the items, evenly spread."""
    count = min(MAX_PICTURES, len(items))
    return (items[number * len(items) // count] for number in range(count))


def _run_on_pictures(
    weights: Weights, pictures: Iterable[Image], session: RecordingSession
) -> None:
    """Run the network on pictures, as the pipeline runs it."""
    if weights.kind == "segmenter":
        segmenter = LetterboxedSegmenter(session, SegmentationSettings(), weights.size)
        for picture in pictures:
            segmenter.segment(picture)
    elif weights.kind == "modnet":
        modnet = Modnet(session, size=weights.size)
        for picture in pictures:
            modnet.matte(picture)
    else:
        _run_refiner_on_pictures(pictures, Gca(session))


def _run_refiner_on_pictures(pictures: Iterable[Image], refiner: Refiner) -> None:
    """Run a refiner on pictures, in the bands that the default segmenter and trimap give."""
    config = merge_settings("balanced").config
    segmenter = build_segmenter(config)
    for picture in pictures:
        height, width = picture.shape[:2]
        scale = min(1.0, MAX_REFINER_SIDE / max(height, width))
        small = Image(resize(picture, max(1, round(height * scale)), max(1, round(width * scale))))
        subject = cut_subject(segmenter.segment(small), config.segmentation)
        refiner.refine(small, draw(subject, config.trimap).trimap)


def _int8_differences(file: Path, recording: RecordingSession) -> Iterator[OutputDifference]:
    """Yield how far int8 is from float32 for each runtime on some of the pictures."""
    step = -(-len(recording.feeds) // MAX_COMPARED_PICTURES)
    backends: tuple[Literal["onnx", "openvino"], ...] = ("onnx", "openvino")
    for backend in backends:
        settings = RuntimeSettings(backend=backend, device="cpu", precision="int8")
        session = open_session(NetworkSource(file, int8=file), settings)
        for feed, expected in list(zip(recording.feeds, recording.outputs, strict=True))[::step]:
            yield output_difference(backend, session.run, feed, expected)
