"""The segmenter on a device: what `matte.segmentation.letterboxed` does, from planes to planes."""

import torch
from torch import Tensor

from matte.errors import WeightsError
from matte.gpu.guided_filter import local_linear_coefficients
from matte.gpu.networks import run_session
from matte.gpu.planes import resize, resize_levels
from matte.gpu.transfer import single_frames
from matte.imaging.letterbox import PADDING_GREY, largest_fitting_size
from matte.segmentation.letterboxed import MULTIPLE, LetterboxedSegmenter
from matte.segmentation.sharpening import EPSILON, RADIUS, SUPERSAMPLING, SURE_DISTANCE

WHITE = 255
MAX_OVERSHOOT = 1e-3  # of a network's values beyond 0 … 1


class DeviceSegmenter:
    """Finds the subject in frames on a device, by the network of a segmenter of the processor's."""

    def __init__(self, segmenter: LetterboxedSegmenter) -> None:
        self.network = segmenter.network
        self._session, self._input = segmenter.session, segmenter.input_name
        self._fixed, self._size = segmenter.fixed_size, segmenter.long_side

    def segment(self, image: Tensor, size: tuple[int, int] | None = None) -> Tensor:
        """Return how surely each pixel of frames (N, 3, H, W) belongs to the subject: (N, 1, H, W).

        `size` is the height and width of the maps; None: the frames'.
        """
        height, width = image.shape[2:]
        box = self._fixed or (self._size, self._size)
        h, w = largest_fitting_size(height, width, *box)
        down, across = (box[0] - h, box[1] - w) if self._fixed else (-h % MULTIPLE, -w % MULTIPLE)
        small = resize_levels(image, h, w) / WHITE
        padded = torch.nn.functional.pad(small, (0, across, 0, down), value=PADDING_GREY)
        values = self._run(padded)[:, :, :h, :w]
        size = size or (height, width)
        if max(height, width) > SUPERSAMPLING * max(h, w):
            sharp = [
                _sharpen_edges(v[None], s[None], i[None])
                for v, s, i in zip(values, small, image, strict=True)
            ]
            values = torch.cat(sharp)
        return resize(values, *size)

    def _run(self, pictures: Tensor) -> Tensor:
        """Return the network's maps; raise WeightsError unless they are 0 … 1."""
        one_by_one = self._session.inputs[self._input][0] is not None
        batches = single_frames(pictures) if one_by_one else [pictures]
        found = [run_session(self._session, {self._input: each}) for each in batches]
        values = torch.cat(found)[:, :1]  # a second map is the band, which frames have no use for
        low, high = float(values.min()), float(values.max())
        # The comparison is phrased so that NaN fails it.
        if not (low >= -MAX_OVERSHOOT and high <= 1 + MAX_OVERSHOOT):
            cause = f"the network gives values from {low:.3g} to {high:.3g}"
            raise WeightsError(cause, "give a segmenter whose last layer is a sigmoid")
        return values.clamp(0, 1)


def _sharpen_edges(values: Tensor, picture: Tensor, image: Tensor) -> Tensor:
    """Return one frame's map, sharpened, at `SUPERSAMPLING` times its size.

    See `matte.segmentation.sharpening`. `picture` is the frame at the map's size, 0 … 1.
    """
    height, width = values.shape[2:]
    most = torch.nn.functional.max_pool2d(values, 3, stride=1, padding=1)
    least = -torch.nn.functional.max_pool2d(-values, 3, stride=1, padding=1)
    distance = float(SURE_DISTANCE)
    known = values.clamp(distance, 1 - distance)
    lines = local_linear_coefficients(picture, torch.log(known / (1 - known)), RADIUS, EPSILON)
    size = SUPERSAMPLING * height, SUPERSAMPLING * width
    plain = resize(values, *size)
    colours = torch.nn.functional.interpolate(image, size, mode="bilinear", align_corners=False)
    enlarged = resize(torch.cat([lines, least, most], dim=1), *size)
    shift = (enlarged[:, :3] * (colours.round() / WHITE - 0.5)).sum(dim=1, keepdim=True)
    found = torch.sigmoid(enlarged[:, 3:4] + shift)
    found = torch.minimum(torch.maximum(found, enlarged[:, 4:5]), enlarged[:, 5:])
    return torch.where(found < 0.5, torch.minimum(found, plain), torch.maximum(found, plain))
