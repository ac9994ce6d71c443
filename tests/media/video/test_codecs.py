from pathlib import Path

import pytest

from matte.errors import OutputError, SettingError
from matte.media.video.clip import open_clip
from matte.media.video.codecs import (
    CODECS,
    FORMATS,
    choose_codec,
    default_codec,
    encoder_options,
    pixel_format,
)
from matte.media.video.writer import ClipWriter
from matte.runtime.gpus import nvidia_gpus
from tests.media.clips import clip


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("kind", ["rgb", "rgb-deep", "grey", "grey-deep", "rgba", "rgba-deep"])
def test_every_default_fits_its_ending_and_its_content(suffix: str, kind: str) -> None:
    if kind.startswith("rgba") and suffix in (".mp4", ".m4v"):
        with pytest.raises(SettingError, match=r"\.mov, \.webm, or give a background with --bg$"):
            default_codec(suffix, kind)
        return
    codec, written = choose_codec(Path(f"a{suffix}"), None, kind)
    assert suffix in codec.endings
    assert written in codec.formats
    assert written in (kind, kind.removesuffix("-deep"))


def test_more_than_8_bits_are_dropped_where_the_codec_has_none() -> None:
    assert choose_codec(Path("a.webm"), "vp9", "rgba-deep")[1] == "rgba"


@pytest.mark.parametrize(
    ("name", "codec", "kind", "message"),
    [
        ("a.mp4", "h266", "rgb", "no codec 'h266': did you mean 'h265' or 'h264'"),
        ("a.mp4", "prores", "rgb", ".mp4 is not for prores: end the file in .mov, .mkv"),
        (
            "a.mov",
            "h264",
            "rgba",
            "h264 can't hold transparency: choose one of vp9, prores, ffv1, or",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_what_does(
    name: str, codec: str, kind: str, message: str
) -> None:
    with pytest.raises(SettingError) as caught:
        choose_codec(Path(name), codec, kind)
    assert str(caught.value).startswith(message)


def test_odd_sizes_have_full_chroma_where_half_of_it_is_impossible() -> None:
    assert pixel_format(CODECS["h264"], "rgb", 64, 48) == "yuv420p"
    assert pixel_format(CODECS["h264"], "rgb", 65, 48) == "yuv444p"
    assert pixel_format(CODECS["vp9"], "rgb", 65, 49) == "yuv420p"


def test_quality_is_the_users_or_that_of_the_content() -> None:
    h264, prores = CODECS["h264"], CODECS["prores"]
    assert encoder_options(h264, "h264", "rgb", None, None)["crf"] == "18"
    assert encoder_options(h264, "h264", "grey", None, None)["crf"] == "4"
    assert encoder_options(h264, "h264", "grey", 30, None)["crf"] == "30"
    assert "crf" not in encoder_options(h264, "h264", "rgb", None, 10**6)
    assert encoder_options(prores, "prores", "rgba", None, None)["profile"] == "4444"
    assert encoder_options(prores, "prores", "rgb", None, None)["profile"] == "hq"
    for codec, name, crf, bitrate, message in (
        (h264, "h264", 52, None, "no quality 52: give 0 … 51"),
        (prores, "prores", 3, None, "no quality 3: leave --crf out"),
        (prores, "prores", None, 10**6, "no bitrate to choose: leave --bitrate out"),
        (h264, "h264", 3, 10**6, "quality and bitrate are both given"),
    ):
        with pytest.raises(SettingError, match=message):
            encoder_options(codec, name, "rgb", crf, bitrate)


@pytest.mark.skipif(bool(nvidia_gpus()), reason="there is a GPU that may have an encoder")
@pytest.mark.parametrize("codec", [name for name, each in CODECS.items() if each.hardware])
def test_hardware_that_is_not_there_is_named(tmp_path: Path, codec: str) -> None:
    source = open_clip(clip(tmp_path / "in.mp4"))
    with pytest.raises(OutputError, match="it needs an NVIDIA GPU with an encoder"):
        ClipWriter(tmp_path / "out.mp4", source.facts, codec=codec)
    assert [each.name for each in tmp_path.iterdir()] == ["in.mp4"]
