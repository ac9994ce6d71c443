"""Stored networks in int8, as one ONNX file for OpenVINO and ONNX Runtime.

NNCF finds the range of every value on pictures and puts QuantizeLinear and DequantizeLinear around
the convolutions; weights lie in the file as int8. Post-training quantisation: nothing is trained.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, numpy_helper

from matte.arrays import Image
from matte.configs.loader import settle
from matte.configs.settings import RuntimeSettings, SegmentationSettings
from matte.conversion.writing import Difference, compared
from matte.errors import BackendError, SettingError, WeightsError
from matte.files import write_file
from matte.imaging.scaling import scaled
from matte.media.pictures import READABLE, read_image
from matte.modnet.adapter import Modnet
from matte.pipeline.build import build_segmenter
from matte.refiner.gca import Gca
from matte.runtime.opening import open_file, open_session
from matte.runtime.session import Session
from matte.runtime.ways import Network, Way
from matte.segmentation.letterboxed import LetterboxedSegmenter
from matte.segmentation.masks import make_mask
from matte.stages import Refiner
from matte.trimap.drawing import draw_band
from matte.weights.store import Weights

PICTURES = 160  # at most, spread over all that are given
LONGEST = 480  # pixels of the pictures that a refiner is calibrated on: it saves memory
COMPARED = 16  # pictures that the result is compared with float32 on
# Largest mean difference from float32: what is farther is broken. What int8 costs is for scores on
# pictures with truth to tell (benchmarks/precision.py).
TOLERANCE = 0.05
# What stays in float32: sums over many values, what divides, the attention's products. Of joined
# values the parts are quantised by whoever takes them: OpenVINO is wrong about quantised Concats
# of any size (decision 0016).
KEPT = (
    "Concat",
    "Div",
    "Einsum",
    "Expand",
    "MatMul",
    "Mul",
    "Pow",
    "ReduceMean",
    "ReduceSum",
    "ReduceL2",
    "Softmax",
    "Sqrt",
    "Sub",
)
Feed = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Quantised:
    """The file that was written, and how far it is from float32 on some of the pictures."""

    path: Path
    pictures: int
    differences: tuple[Difference, ...]


def quantise_weights(
    weights: Weights, pictures: Sequence[Image], path: Path, overwrite: bool = False
) -> Quantised:
    """Writes a stored network in int8, calibrated on the pictures, which should be such as it was
    trained on, and not those that it is measured on.

    Each goes through the network's own preprocessing; a refiner is given the band that the default
    segmenter draws. A file that is far from float32 on either runtime is not written.
    """
    seen = Recorded(open_file(weights.path))
    _show(weights, _spread(pictures), seen)
    if not seen.feeds:
        raise SettingError("no picture to calibrate on", "give some with a subject in them")
    model = in_float32(onnx.load(weights.path))
    notes = {entry.key: entry.value for entry in model.metadata_props}
    quantised = for_openvino(_quantised(model, seen.feeds))
    onnx.helper.set_model_props(quantised, {**notes, "matte.precision": "int8"})
    with TemporaryDirectory() as folder:
        file = Path(folder) / "network.onnx"
        onnx.save(quantised, file)
        found = tuple(_differences(file, seen))
        for d in found:
            # Phrased so that NaN fails.
            if not d.mean <= TOLERANCE:
                raise WeightsError(
                    f"in int8 on {d.runtime} the network differs by {d.mean:.1e} on average",
                    "leave it as it is: matte uses int8 only where it was measured as good",
                )
        write_file(path, file.read_bytes(), overwrite)
    return Quantised(path, len(seen.feeds), found)


def read_pictures(folder: Path) -> list[Image]:
    """The pictures in a folder and below it, at most PICTURES, evenly spread over all by name."""
    try:
        files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in READABLE)
    except OSError as error:
        raise SettingError(f"can't read {folder} ({error.strerror})", "name a folder") from error
    if not files:
        raise SettingError(f"no picture in {folder}", "name a folder of pictures")
    return [read_image(file) for file in _spread(files)]


@dataclass(slots=True)
class Recorded:
    """A session that remembers what it was given and what it gave."""

    session: Session
    feeds: list[Feed] = field(default_factory=list)
    outputs: list[NDArray[np.float32]] = field(default_factory=list)

    @property
    def way(self) -> Way:
        """As the session's."""
        return self.session.way

    @property
    def inputs(self) -> dict[str, tuple[int | None, ...]]:
        """As the session's."""
        return self.session.inputs

    def run(self, inputs: Feed) -> dict[str, NDArray[np.float32]]:
        """The session's outputs by name."""
        outputs = self.session.run(inputs)
        self.feeds.append(dict(inputs))
        self.outputs += outputs.values()
        return outputs

    def metadata(self) -> dict[str, str]:
        """As the session's."""
        return self.session.metadata()


def in_float32(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with its weights in float32 where they lay as float16 before a Cast, every node
    with a name, and without what only training needs.
    """
    graph = model.graph
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    nodes = []
    for number, node in enumerate(graph.node):
        half = tensors.get(node.input[0]) if node.op_type == "Cast" else None
        if half is None or half.data_type != TensorProto.FLOAT16:
            node.name = node.name or f"{node.op_type}_{number}"
            nodes.append(node)
            continue
        values = numpy_helper.to_array(half).astype(np.float32)
        graph.initializer.remove(half)
        graph.initializer.append(numpy_helper.from_array(values, node.output[0]))
    _replace(graph.node, nodes)
    del model.training_info[:]
    return model


def for_openvino(model: onnx.ModelProto) -> onnx.ModelProto:
    """The quantised model, the same numbers, in a form that OpenVINO computes rightly and fast."""
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    makers = {output: node for node in model.graph.node for output in node.output}
    shifted = set()
    for node in model.graph.node:
        # Joined values of −128 … 127 are taken for 0 … 255.
        if node.op_type == "QuantizeLinear" and node.input[2] not in shifted:
            zero = tensors[node.input[2]]
            if zero.data_type == TensorProto.INT8:
                values = (numpy_helper.to_array(zero).astype(np.int16) + 128).astype(np.uint8)
                zero.CopyFrom(numpy_helper.from_array(values, zero.name))
            shifted.add(node.input[2])
        # Who asks for a shape of dequantised values has them made for it.
        if node.op_type == "Shape":
            dequantise = makers.get(node.input[0])
            if dequantise is not None and dequantise.op_type == "DequantizeLinear":
                node.input[0] = makers[dequantise.input[0]].input[0]
    del model.graph.value_info[:]  # it tells the types from before
    return model


def _quantised(model: onnx.ModelProto, feeds: Sequence[Feed]) -> onnx.ModelProto:
    try:
        import nncf
        from nncf.quantization.advanced_parameters import QuantizationParameters as parameters
    except ModuleNotFoundError as error:
        raise BackendError(
            f"quantising needs {error.name}", "pip install 'matte[quantise]'"
        ) from error
    nncf.set_log_level(logging.ERROR)
    kept = nncf.IgnoredScope(names=_fed_by_expand(model), types=list(KEPT), validate=False)
    try:
        quantised = nncf.quantize(
            model,
            nncf.Dataset(feeds),
            subset_size=len(feeds),
            preset=nncf.QuantizationPreset.MIXED,
            target_device=nncf.TargetDevice.CPU,
            ignored_scope=kept,
            # ONNX Runtime has no convolutions of values with a scale for each channel.
            advanced_parameters=nncf.AdvancedQuantizationParameters(
                activations_quantization_params=parameters(per_channel=False)
            ),
        )
    # NNCF's errors have no common class below Exception.
    except Exception as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise WeightsError(f"this network can't be quantised ({reason})", "use bf16") from error
    assert isinstance(quantised, onnx.ModelProto)
    return quantised


def _fed_by_expand(model: onnx.ModelProto) -> list[str]:
    """The convolutions of what is joined with something expanded to any size: OpenVINO would
    expand it wrongly.
    """
    makers = {output: node for node in model.graph.node for output in node.output}

    def made_by(name: str, kind: str) -> NodeProto | None:
        node = makers.get(name)
        return node if node is not None and node.op_type == kind else None

    found = []
    for node in model.graph.node:
        joined = made_by(node.input[0], "Concat") if node.op_type == "Conv" else None
        if joined is not None and any(made_by(name, "Expand") for name in joined.input):
            found.append(node.name)
    return found


def _replace(nodes: Any, by: Iterable[NodeProto]) -> None:
    by = list(by)
    del nodes[:]
    nodes.extend(by)


def _spread(items: Sequence[Any]) -> Iterator[Any]:
    """At most PICTURES of the items, evenly spread."""
    count = min(PICTURES, len(items))
    return (items[number * len(items) // count] for number in range(count))


def _show(weights: Weights, pictures: Iterable[Image], session: Recorded) -> None:
    """Has the network run on the pictures, as the pipeline runs it."""
    if weights.kind == "segmenter":
        segmenter = LetterboxedSegmenter(session, SegmentationSettings(), weights.size)
        for picture in pictures:
            segmenter.segment(picture)
    elif weights.kind == "modnet":
        modnet = Modnet(session, size=weights.size)
        for picture in pictures:
            modnet.matte(picture)
    elif weights.kind == "refiner":
        _show_bands(pictures, Gca(session))
    else:
        raise SettingError(f"a {weights.kind} can't be quantised", "import it first")


def _show_bands(pictures: Iterable[Image], refiner: Refiner) -> None:
    config = settle("balanced").config
    segmenter = build_segmenter(config)
    for picture in pictures:
        height, width = picture.shape[:2]
        scale = min(1.0, LONGEST / max(height, width))
        small = Image(scaled(picture, max(1, round(height * scale)), max(1, round(width * scale))))
        confidence = segmenter.segment(small)
        mask = make_mask(confidence, config.segmentation)
        refiner.refine(small, draw_band(mask, confidence, config.trimap).trimap)


def _differences(file: Path, seen: Recorded) -> Iterator[Difference]:
    """For each runtime and some of the pictures, how far int8 is from float32."""
    for backend in ("onnx", "openvino"):
        session = _open_int8(file, backend)
        step = -(-len(seen.feeds) // COMPARED)
        for feed, expected in list(zip(seen.feeds, seen.outputs, strict=True))[::step]:
            yield compared(backend, session.run, feed, expected)


def _open_int8(file: Path, backend: str) -> Session:
    settings = RuntimeSettings(backend=backend, device="cpu", precision="int8")
    return open_session(Network(file, int8=file), settings)
