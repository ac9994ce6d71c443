from fractions import Fraction

import numpy as np

from matte.arrays import Image
from matte.clips.frames import FrameFault, colour_estimation_side


def test_faults_are_written_with_their_time() -> None:
    assert str(FrameFault(Fraction(7, 24), "damaged")) == "0:00.292 damaged"


def test_colours_are_estimated_on_a_quarter_of_the_frame_or_more() -> None:
    for shape, side in (((360, 640), 240), ((720, 1280), 320), ((1920, 1080), 480)):
        assert colour_estimation_side(Image(np.zeros((*shape, 3), np.uint8))) == side
