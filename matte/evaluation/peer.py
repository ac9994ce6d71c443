"""Other people's networks, to compare with: an ONNX file, and a TOML with its input convention."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Alpha, Confidence, FloatArray, Image, Trimap
from matte.configs.settings import RuntimeSettings
from matte.configs.tables import from_file, read_toml
from matte.errors import SettingError, WeightsError
from matte.imaging.letterbox import Letterbox, letterbox, unletterbox
from matte.imaging.resizing import resize
from matte.runtime.execution import NetworkSource
from matte.runtime.opener import open_session
from matte.stages import NO_CONTEXT, NetworkFacts, RefineContext, Refined, Segmentation
from matte.weights.store import find_weights


@dataclass(frozen=True, slots=True)
class PeerSettings:
    """The input and output convention of a network."""

    file: str  # the ONNX file, relative to the TOML's folder
    name: str = ""  # in tables; "": the TOML file's
    size: int = 0  # of the square (stretch) or the long side (letterbox); 0: the picture's own
    multiple: int = 1  # that height and width are rounded up to, where the network leaves them free
    resize: Literal["stretch", "letterbox"] = "stretch"  # letterbox: grey at the right and bottom
    colours: Literal["rgb", "bgr"] = "rgb"
    mean: tuple[float, ...] = (0.0,)  # of pixels 0 … 255, for all colours or in the network's order
    scale: tuple[float, ...] = (1 / 255,)  # the network is given (pixel − mean) · scale
    layout: Literal["nchw", "nhwc"] = "nchw"
    trimap: Literal["none", "levels", "onehot"] = "none"  # 0, ½, 1; or background, unknown, subject
    output: int = 0  # which of the network's outputs
    channel: int = 0  # which of its channels
    activation: Literal["none", "sigmoid", "softmax"] = "none"  # that the file leaves out

    def __post_init__(self) -> None:
        for name, values in (("mean", self.mean), ("scale", self.scale)):
            if len(values) not in (1, 3):
                raise SettingError(f"{name} has {len(values)} numbers", "give 1 or 3")
        for name, index in (("output", self.output), ("channel", self.channel)):
            if index < 0:
                raise SettingError(f"{name} = {index}", "count from 0")
        if not 0 <= self.size <= 8192:
            raise SettingError(f"size = {self.size}", "give 0 … 8192")
        if not 1 <= self.multiple <= 256:
            raise SettingError(f"multiple = {self.multiple}", "give 1 … 256")


class PeerNetwork:
    """A network of other people, as a segmenter, a trimap-free matter or a refiner."""

    def __init__(self, toml: Path, runtime: RuntimeSettings) -> None:
        self._settings = from_file(PeerSettings, read_toml(toml), str(toml))
        self.name = self._settings.name or toml.stem
        found = find_weights("peer", str(toml.parent / self._settings.file))
        self._session = open_session(NetworkSource(found.path, found.sha256), runtime)
        execution = asdict(self._session.execution)
        self.network = NetworkFacts(self.name, found.sha256, execution)
        self._fixed = self._fixed_size()

    @property
    def needs_trimap(self) -> bool:
        """Whether the network takes a trimap, and so can only refine."""
        return self._settings.trimap != "none"

    def segment(self, image: Image, size: tuple[int, int] | None = None) -> Segmentation:
        """Return how surely each pixel belongs to the subject.

        `size` is the height and width of the map; None: the picture's.
        """
        confidence = self._predict(image, None)
        if size is not None:
            confidence = resize(confidence, *size)
        return Segmentation(Confidence(confidence))

    def matte(self, image: Image) -> Alpha:
        """Return alpha at the picture's size."""
        return Alpha(self._predict(image, None))

    def refine(self, image: Image, trimap: Trimap, context: RefineContext = NO_CONTEXT) -> Refined:
        """Return alpha at the picture's size: 0 and 1 where the trimap is known.

        The trimap also counts if the network takes none.
        """
        alpha = self._predict(image, trimap if self.needs_trimap else None)
        known = (trimap == SUBJECT).astype(np.float32)
        return Refined(Alpha(np.where(trimap == UNKNOWN, alpha, known)))

    def _predict(self, image: Image, trimap: Trimap | None) -> FloatArray:
        """Return the network's map of 0 … 1 at the picture's size, (H, W)."""
        height, width = image.shape[:2]
        box = self._fit(image)
        pixels = box.pixels if self._settings.colours == "rgb" else box.pixels[:, :, ::-1]
        mean = np.array(self._settings.mean, np.float32)
        scale = np.array(self._settings.scale, np.float32)
        planes = [(255 * pixels - mean) * scale]
        if trimap is not None:
            planes.append(self._trimap_planes(trimap, box))
        values = self._network_map(self._network_inputs(planes))
        if values.shape != pixels.shape[:2]:
            values = resize(values, *pixels.shape[:2])
        return np.asarray(np.clip(unletterbox(values, box, height, width), 0, 1), np.float32)

    def _fit(self, image: Image) -> Letterbox:
        """Return the picture at the network's size; a stretched one has no padding."""
        s, (height, width) = self._settings, image.shape[:2]
        if s.resize == "letterbox":
            if self._fixed:
                return letterbox(image, *self._fixed)
            longest = s.size or max(height, width)
            return letterbox(image, longest, longest, s.multiple)
        h, w = self._fixed or (
            -(-(s.size or height) // s.multiple) * s.multiple,
            -(-(s.size or width) // s.multiple) * s.multiple,
        )
        stretched = resize(image.astype(np.float32), h, w) / np.float32(np.iinfo(image.dtype).max)
        return Letterbox(np.asarray(stretched, np.float32), h, w)

    def _trimap_planes(self, trimap: Trimap, box: Letterbox) -> FloatArray:
        """Return the trimap as the network takes it, (H, W, 1 or 3); padding is background."""
        rows = np.arange(box.height) * trimap.shape[0] // box.height
        columns = np.arange(box.width) * trimap.shape[1] // box.width
        padded = np.full(box.pixels.shape[:2], BACKGROUND, np.uint8)
        padded[: box.height, : box.width] = trimap[rows[:, None], columns]
        levels = [padded == value for value in (BACKGROUND, UNKNOWN, SUBJECT)]
        if self._settings.trimap == "onehot":
            return np.asarray(np.dstack(levels), np.float32)
        return np.asarray(0.5 * levels[1] + levels[2], np.float32)[:, :, None]

    def _network_inputs(self, planes: Sequence[FloatArray]) -> dict[str, FloatArray]:
        """Return picture and trimap as two inputs where the network has two, else as one input."""
        names = list(self._session.inputs)
        if len(names) == 1:
            planes = [np.dstack(planes)]
        if len(names) != len(planes):
            raise WeightsError(
                f"{self.name} takes {', '.join(names)}",
                "set 'trimap' in its TOML, or fix the network",
            )
        if self._settings.layout == "nchw":
            planes = [plane.transpose(2, 0, 1) for plane in planes]
        batches = [np.ascontiguousarray(plane[None], np.float32) for plane in planes]
        return dict(zip(names, batches, strict=True))

    def _network_map(self, inputs: dict[str, FloatArray]) -> FloatArray:
        """Return the network's map of 0 … 1, (H, W), at the size of its output."""
        s, outputs = self._settings, list(self._session.run(inputs).values())
        if not s.output < len(outputs):
            raise WeightsError(f"{self.name} has {len(outputs)} outputs", "count 'output' from 0")
        values: NDArray[Any] = outputs[s.output]
        if values.ndim == 4 and s.layout == "nhwc":
            values = values.transpose(0, 3, 1, 2)
        channels = values.reshape(-1, *values.shape[-2:])
        if not s.channel < len(channels):
            raise WeightsError(
                f"{self.name} gives {len(channels)} channels", "count 'channel' from 0"
            )
        if s.activation == "softmax":
            powers = np.exp(channels - channels.max(axis=0))
            channels = powers / powers.sum(axis=0)
        chosen = channels[s.channel]
        if s.activation == "sigmoid":
            chosen = 0.5 + 0.5 * np.tanh(chosen / 2)  # does not overflow
        # The comparison is phrased so that NaN fails it.
        if not (chosen.min() >= -1e-3 and chosen.max() <= 1 + 1e-3):
            raise WeightsError(
                f"{self.name} gives {chosen.min():.3g} … {chosen.max():.3g}",
                "set its 'activation', so that 0 … 1 comes out",
            )
        return np.ascontiguousarray(np.clip(chosen, 0, 1), np.float32)

    def _fixed_size(self) -> tuple[int, int] | None:
        """Return the input's height and width if the file fixes them."""
        shape = next(iter(self._session.inputs.values()))
        if len(shape) != 4:
            raise WeightsError(f"{self.name} takes {shape}", "give a network of pictures")
        height, width = shape[2:] if self._settings.layout == "nchw" else shape[1:3]
        return (height, width) if height and width else None


def open_peer_networks(
    tomls: Sequence[Path], runtime: RuntimeSettings, with_trimap: bool
) -> list[PeerNetwork]:
    """Return the networks that TOML files describe, ready to run.

    Raises SettingError for one that needs a trimap, unless there is one.
    """
    peers = [PeerNetwork(toml, runtime) for toml in tomls]
    for peer in peers:
        if peer.needs_trimap and not with_trimap:
            raise SettingError(f"{peer.name} needs a trimap", "compare it with a refiner")
    return peers
