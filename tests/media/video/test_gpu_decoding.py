"""When a GPU decodes. Here there is none: the processor plays its part."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from av.error import FFmpegError

from matte.media.video import container, gpu_decoding
from matte.media.video.clip import Frame, open_clip
from matte.media.video.colours import FrameDecoder
from matte.media.video.decoding import DecodedPicture, decode_pictures
from tests.media.clips import clip

GPU = 0


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return clip(tmp_path / "in.mp4", range(0, 1001 * 8, 1001), rate=Fraction(24000, 1001))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the processor decode what a GPU should, and note which one was asked for."""
    numbers: list[str] = []

    def no_accelerator(kind: str, number: str, **_: Any) -> None:
        assert kind == "cuda"
        numbers.append(number)

    monkeypatch.setattr(container, "HWAccel", no_accelerator)
    monkeypatch.setattr(gpu_decoding, "hwdevices_available", lambda: ["cuda"])
    return numbers


def as_nv12(pictures: Iterator[DecodedPicture]) -> Iterator[DecodedPicture]:
    """Yield the pictures in the format that GPUs give."""
    for picture in pictures:
        assert picture.frame is not None
        frame = picture.frame.reformat(format="nv12")
        frame.pts, frame.duration = picture.frame.pts, picture.frame.duration
        yield replace(picture, frame=frame)


def test_frames_come_from_the_gpu_that_decodes_alike(source: Path, asked: list[str]) -> None:
    plain = open_clip(source)
    found = plain.decoded_on_gpu(GPU)
    assert found.gpu == GPU
    assert found.tone_mapped().gpu == GPU
    asked.clear()
    for start in (0.0, 0.2):
        ours, theirs = list(found.frames(start)), list(plain.frames(start))
        assert [each.pts for each in ours] == [each.pts for each in theirs]
        for one, other in zip(ours, theirs, strict=True):
            assert isinstance(one, Frame)
            assert isinstance(other, Frame)
            assert np.array_equal(one.pixels, other.pixels)
    assert set(asked) == {str(GPU)}


def test_pictures_in_the_format_of_gpus_are_the_same(
    source: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(path: Path, index: int, gpu: int | None = None) -> Iterator[DecodedPicture]:
        pictures = decode_pictures(path, index)
        return pictures if gpu is None else as_nv12(pictures)

    monkeypatch.setattr(gpu_decoding, "decode_pictures", decode)
    assert open_clip(source).decoded_on_gpu(GPU).gpu == GPU


@pytest.mark.parametrize("fault", ["darker", "later", "fewer", "damaged"])
def test_a_gpu_that_decodes_otherwise_is_not_used(
    source: Path, asked: list[str], fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(path: Path, index: int, gpu: int | None = None) -> Iterator[DecodedPicture]:
        for number, picture in enumerate(decode_pictures(path, index)):
            if gpu is None or number != 2:
                yield picture
            elif fault == "later":
                yield replace(picture, pts=picture.pts + 1)
            elif fault == "damaged":
                yield replace(picture, fault="damaged")
            elif fault == "darker":
                assert picture.frame is not None
                pixels = FrameDecoder().decode_rgb(picture.frame).astype(np.uint8)
                darker = type(picture.frame).from_ndarray(pixels - (pixels > 0), format="rgb24")
                darker.duration = picture.frame.duration
                yield replace(picture, frame=darker)
            else:
                return

    monkeypatch.setattr(gpu_decoding, "decode_pictures", decode)
    assert open_clip(source).decoded_on_gpu(GPU).gpu is None


@pytest.mark.parametrize(
    "error", [FFmpegError(1, "no"), NotImplementedError("this codec"), RuntimeError("no device")]
)
def test_a_gpu_without_a_decoder_is_not_used(
    source: Path, asked: list[str], error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(container, "HWAccel", refuse)
    assert open_clip(source).decoded_on_gpu(GPU).gpu is None


def test_a_gpu_that_is_lost_meanwhile_leaves_the_clip_to_the_processor(
    source: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = open_clip(source)
    found = plain.decoded_on_gpu(GPU)
    assert found.gpu == GPU

    def refuse(*_: Any, **__: Any) -> None:
        raise FFmpegError(1, "no")

    monkeypatch.setattr(container, "HWAccel", refuse)
    assert [each.pts for each in found.frames()] == [each.pts for each in plain.frames()]


def test_a_machine_without_that_gpu_has_no_decoder_there(source: Path) -> None:
    assert open_clip(source).decoded_on_gpu(99).gpu is None


@pytest.mark.gpu
def test_a_real_gpu_gives_the_same_frames(source: Path) -> None:
    plain = open_clip(source)
    found = plain.decoded_on_gpu(GPU)
    if found.gpu is None:
        pytest.skip("this GPU has no decoder that gives what the processor gives")
    for one, other in zip(found.frames(), plain.frames(), strict=True):
        assert isinstance(one, Frame)
        assert isinstance(other, Frame)
        assert np.array_equal(one.pixels, other.pixels)
