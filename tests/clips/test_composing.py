from fractions import Fraction

import numpy as np

from matte.arrays import Alpha, Image
from matte.clips.composing import ProcessorComposing
from matte.clips.frames import MattedFrame
from matte.compositing.composer import Composer, PictureGround
from matte.pipeline.timing import Stopwatch

IMAGE = Image(np.full((40, 60, 3), 200, np.uint8))
ALPHA = Alpha(np.tile(np.linspace(0, 1, 60, dtype=np.float32), (40, 1)))
WHITE = PictureGround(Image(np.full((1, 1, 3), 255, np.uint8)))


def test_frames_are_put_on_their_ground_or_cut_out() -> None:
    frames, times = [MattedFrame(IMAGE, ALPHA)] * 2, [Fraction(0), Fraction(1)]
    composed = ProcessorComposing(Composer(WHITE), Stopwatch(), False).compose_all(frames, times)
    assert len(composed) == 2
    assert composed[0].composite[0, 0].tolist() == [255] * 3
    assert composed[0].composite[0, -1].tolist() == [200] * 3
    watch = Stopwatch()
    (cut_out,) = ProcessorComposing(Composer(), watch).compose_all(frames[:1], times[:1])
    assert cut_out.composite.shape == (40, 60, 4)
    assert set(watch.ms) == {"foreground", "composite"}
