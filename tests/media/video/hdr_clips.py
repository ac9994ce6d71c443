"""Small HDR clips: 10 bits, H.265, with HDR10's metadata if they are PQ."""

from pathlib import Path
from typing import Any

import av
import numpy as np

from matte.arrays import Image
from matte.media.video.colours import FrameEncoder
from matte.media.video.facts import ColourTags
from matte.media.video.hdr import HLG, PQ, HdrLight

LIGHT = {"pq": HdrLight(PQ), "hlg": HdrLight(HLG)}
DISPLAY = (
    "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
    ":max-cll=1000,400"
)


def hdr_clip(path: Path, kind: str, pictures: list[Image]) -> Path:
    """Write SDR pictures as a clip of that kind, their white at 203 cd/m²."""
    light = LIGHT[kind]
    tags = ColourTags(1, 9, light.primaries, light.transfer)
    height, width = pictures[0].shape[:2]
    # At the end of clips of two frames x265 hands on packets without times if it reorders frames.
    parameters = "log-level=error:keyint=10:bframes=0"
    if kind == "pq":
        parameters += f":hdr10=1:repeat-headers=1:{DISPLAY}"
    with av.open(str(path), "w") as output:
        options = {"crf": "6", "preset": "ultrafast", "x265-params": parameters}
        stream = output.add_stream("libx265", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p10le"
        encoder = FrameEncoder("yuv420p10le", tags, width, height)
        frames = [encoder.encode(light.from_sdr(picture)) for picture in pictures]
        targets: list[Any] = [stream.codec_context, *frames]
        for target in targets:
            target.color_range, target.colorspace = tags.range, tags.matrix
            target.color_primaries, target.color_trc = tags.primaries, tags.transfer
        for number, frame in enumerate(frames):
            frame.pts = number
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def grey_picture(level: int, height: int = 48, width: int = 64) -> Image:
    """Return a picture of one grey level."""
    return Image(np.full((height, width, 3), level, np.uint8))
