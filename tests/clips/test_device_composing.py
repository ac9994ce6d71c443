"""Frames composed on a device, here the CPU, look as those that the processor composes."""

from fractions import Fraction

import numpy as np
import pytest

from matte.arrays import Alpha, Image
from matte.clips.composing import ProcessorComposing
from matte.clips.device_composing import DeviceComposing
from matte.clips.frames import MattedFrame
from matte.compositing.blend import Blend
from matte.compositing.composer import Composer, DefocusedGround, FilmGround, Ground, PictureGround
from matte.configs.lengths import parse_length
from matte.gpu.transfer import CPU, upload_frames, upload_plane
from matte.pipeline.timing import Stopwatch
from tests.clips.moving_disc import HEIGHT, WIDTH, moving_clip
from tests.textures import clouds
from tests.tolerances import DEVICE_COLOURS, DEVICE_COLOURS_MEAN

FRAMES, ALPHAS = moving_clip(count=3)
TIMES = [Fraction(n, 25) for n in range(3)]


def film() -> Ground:
    return FilmGround((Fraction(n, 25), Image(clouds(HEIGHT, WIDTH, n))) for n in range(3))


def grounds() -> list[tuple[str, Ground | None]]:
    colour, picture = Image(np.full((1, 1, 3), 90, np.uint8)), Image(clouds(HEIGHT, WIDTH, 1))
    deep = Image(clouds(50, 50, 2).astype(np.uint16) * 257)
    return [
        ("nothing", None),
        ("a colour", PictureGround(colour)),
        ("a picture", PictureGround(picture)),
        ("a deep picture", PictureGround(deep)),
        ("its own", DefocusedGround(parse_length("3%"))),
        ("a film", None),
    ]


@pytest.mark.parametrize(("name", "ground"), grounds())
@pytest.mark.parametrize("blend", ["srgb", "linear"])
def test_composites_are_alike(name: str, ground: Ground | None, blend: Blend) -> None:
    def composer() -> Composer:
        return Composer(film() if name == "a film" else ground, blend)

    on_processor = [MattedFrame(*each) for each in zip(FRAMES, ALPHAS, strict=True)]
    expected = ProcessorComposing(composer(), Stopwatch()).compose_all(on_processor, TIMES)
    planes = [upload_frames([image], CPU) for image in FRAMES]
    alphas = [upload_plane(alpha, CPU) for alpha in ALPHAS]
    frames = [MattedFrame(*each) for each in zip(FRAMES, alphas, planes, strict=True)]
    frames[1] = MattedFrame(FRAMES[1], alphas[1])  # a broken frame's has no planes
    found = DeviceComposing(composer(), Stopwatch(), device=CPU).compose_all(frames, TIMES)
    for ours, theirs, alpha in zip(found, expected, ALPHAS, strict=True):
        assert np.array_equal(ours.alpha, alpha)
        soft = (alpha > 0.02) & (alpha < 1)
        shown = theirs.composite if theirs.composite.shape[2] == 3 else theirs.foreground
        mine = ours.composite if theirs.composite.shape[2] == 3 else ours.foreground
        apart = np.abs(mine.astype(int) - shown)
        assert apart[soft | (alpha == 1)].mean() <= DEVICE_COLOURS_MEAN * 3
        assert np.quantile(apart[soft], 0.9) <= DEVICE_COLOURS
        if ground is not None:
            assert apart[alpha == 0].max() <= 1


def test_cut_outs_are_alike() -> None:
    alpha = Alpha(ALPHAS[0])
    for premultiply in (False, True):
        composer = Composer(None, "srgb", premultiply)
        frame = MattedFrame(FRAMES[0], upload_plane(alpha, CPU))
        (found,) = DeviceComposing(composer, Stopwatch(), device=CPU).compose_all(
            [frame], TIMES[:1]
        )
        expected = composer.compose(FRAMES[0], found.foreground, alpha)
        assert np.array_equal(found.composite, expected)


def test_without_colours_the_foreground_is_the_frame() -> None:
    frame = MattedFrame(FRAMES[0], upload_plane(ALPHAS[0], CPU))
    composing = DeviceComposing(Composer(), Stopwatch(), False, device=CPU)
    assert composing.compose_all([frame], TIMES[:1])[0].foreground is FRAMES[0]
