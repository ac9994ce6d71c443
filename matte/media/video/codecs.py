"""Which codec a video file gets, and how it is set up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from matte.errors import SettingError

FORMATS = MappingProxyType(
    {".mp4": "mp4", ".mov": "mov", ".m4v": "mp4", ".mkv": "matroska", ".webm": "webm"}
)


@dataclass(frozen=True, slots=True)
class Codec:
    """An encoder: the pixel formats that it gets for what is written, its scale of quality.

    `formats` is by what is written, "rgb", "rgba" or "grey", and "-deep" for 16 bits; what is not
    in it can't be written. `odd` are those that keep odd sizes where the usual one needs even
    ones. `crf` is the default quality of colours and `fine` of what has or is alpha, None if there
    is no such scale; `worst` is its end.
    """

    encoder: str
    formats: Mapping[str, str]
    endings: tuple[str, ...]
    crf: int | None = None
    fine: int | None = None
    worst: int = 0
    odd: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    tag: str = ""
    by_bitrate: bool = True
    squares: bool = False  # its stream can't tell other pixels, and PyAV not to Matroska
    extra: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


EIGHT_AND_TEN = {
    "rgb": "yuv420p",
    "rgb-deep": "yuv420p10le",
    "grey": "yuv420p",
    "grey-deep": "yuv420p10le",
}
WHOLE_CHROMA = {"yuv420p": "yuv444p", "yuv420p10le": "yuv444p10le"}
CODECS: Mapping[str, Codec] = MappingProxyType(
    {
        "h264": Codec(
            "libx264",
            EIGHT_AND_TEN,
            (".mp4", ".m4v", ".mov", ".mkv"),
            crf=18,
            fine=4,
            worst=51,
            odd=WHOLE_CHROMA,
            options={"preset": "veryfast"},
        ),
        "h265": Codec(
            "libx265",
            EIGHT_AND_TEN,
            (".mp4", ".m4v", ".mov", ".mkv"),
            crf=20,
            fine=6,
            worst=51,
            odd=WHOLE_CHROMA,
            options={"preset": "fast", "x265-params": "log-level=error"},
            tag="hvc1",  # without which Apple's players refuse it
        ),
        "av1": Codec(
            "libsvtav1",
            EIGHT_AND_TEN,
            (".mp4", ".mkv", ".webm"),
            crf=25,
            fine=5,
            worst=63,
            options={"preset": "8"},
            squares=True,
        ),
        "vp9": Codec(
            "libvpx-vp9",
            {"rgb": "yuv420p", "grey": "yuv420p", "rgba": "yuva420p"},
            (".webm", ".mkv", ".mp4"),
            crf=20,
            fine=4,
            worst=63,
            options={"deadline": "good", "cpu-used": "5", "row-mt": "1"},
            squares=True,
            extra={"rgba": {"auto-alt-ref": "0"}},  # it can't be hidden frames' alpha
        ),
        "prores": Codec(
            "prores_ks",
            {
                "rgb": "yuv422p10le",
                "rgb-deep": "yuv422p10le",
                "rgba": "yuva444p10le",
                "rgba-deep": "yuva444p10le",
                "grey": "yuv422p10le",
                "grey-deep": "yuv422p10le",
            },
            (".mov", ".mkv"),
            options={"vendor": "apl0", "profile": "hq"},
            squares=True,
            by_bitrate=False,
            extra={
                "rgba": {"profile": "4444", "alpha_bits": "16"},
                "rgba-deep": {"profile": "4444", "alpha_bits": "16"},
            },
        ),
        "ffv1": Codec(
            "ffv1",
            {
                "rgb": "bgr0",
                "rgb-deep": "gbrp16le",
                "rgba": "bgra",
                "rgba-deep": "gbrap16le",
                "grey": "gray",
                "grey-deep": "gray16le",
            },
            (".mkv",),
            options={"level": "3", "slicecrc": "1"},
            squares=True,
            by_bitrate=False,
        ),
    }
)
ALPHA = {".mov": "prores", ".webm": "vp9", ".mkv": "ffv1"}


def default_codec(suffix: str, kind: str) -> str:
    """The codec that a file with this ending gets for "rgb", "rgb-deep", "rgba", "grey", …

    H.264, which everything plays; H.265 for more than 8 bits, for few play H.264 with them.
    """
    if kind.startswith("rgba"):
        if suffix not in ALPHA:
            raise SettingError(
                f"{suffix} can't hold transparency", f"end it in {', '.join(sorted(ALPHA))}"
            )
        return ALPHA[suffix]
    if suffix == ".webm":
        return "av1" if kind.endswith("-deep") else "vp9"
    return "h265" if kind.endswith("-deep") else "h264"


def chosen(path: Path, name: str | None, kind: str) -> tuple[Codec, str]:
    """The codec for this file, by its name or the default, and the kind that it will be given.

    The kind loses its "-deep" where the codec has 8 bits only.
    """
    suffix = path.suffix.lower()
    name = name or default_codec(suffix, kind)
    if name not in CODECS:
        raise SettingError(f"no codec {name!r}", f"choose one of {', '.join(CODECS)}")
    codec = CODECS[name]
    if suffix not in codec.endings:
        raise SettingError(
            f"{suffix} is not for {name}", f"end the file in {', '.join(codec.endings)}"
        )
    if kind not in codec.formats:
        kind = kind.removesuffix("-deep")
    if kind not in codec.formats:
        able = [other for other, found in CODECS.items() if kind in found.formats]
        raise SettingError(f"{name} can't hold transparency", f"choose one of {', '.join(able)}")
    return codec, kind


def pixel_format(codec: Codec, kind: str, width: int, height: int) -> str:
    """The format of the encoder's pictures: chroma whole if it can't be halved in an odd size."""
    usual = codec.formats[kind]
    return codec.odd.get(usual, usual) if width % 2 or height % 2 else usual


def options(
    codec: Codec, name: str, kind: str, crf: int | None, bitrate: int | None
) -> dict[str, str]:
    """The encoder's options; `crf` or `bitrate`, in bits for each second, if they are given."""
    if crf is not None and bitrate is not None:
        raise SettingError("quality and bitrate are both given", "give --crf or --bitrate")
    if bitrate is not None and not codec.by_bitrate:
        raise SettingError(f"{name} has no bitrate to choose", "leave --bitrate out")
    if crf is not None and (codec.crf is None or not 0 <= crf <= codec.worst):
        asked = f"give 0 … {codec.worst}" if codec.crf is not None else "leave --crf out"
        raise SettingError(f"{name} has no quality {crf}", asked)
    found = {**codec.options, **codec.extra.get(kind, {})}
    if bitrate is None and codec.crf is not None:
        usual = codec.crf if kind.startswith("rgb") and not kind.startswith("rgba") else codec.fine
        found["crf"] = str(usual if crf is None else crf)
    return found
