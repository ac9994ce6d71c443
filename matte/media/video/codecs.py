"""Which codec a video file gets, and how it is set up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from matte.errors import SettingError
from matte.registry import nearest

FORMATS = MappingProxyType(
    {".mp4": "mp4", ".mov": "mov", ".m4v": "mp4", ".mkv": "matroska", ".webm": "webm"}
)


@dataclass(frozen=True, slots=True)
class Codec:
    """An encoder: the pixel formats of what it can write, and its scale of quality.

    `formats` is by the content, "rgb", "rgba" or "grey", and "-deep" for 16 bits; what is not in it
    can't be written. `odd_size_formats` replace formats that need even sizes. `crf` is the default
    quality of colours, `alpha_crf` of what has or is alpha; both are None if there is no such
    scale, of which `max_crf` is the worst end.
    """

    encoder: str
    formats: Mapping[str, str]
    endings: tuple[str, ...]
    crf: int | None = None
    alpha_crf: int | None = None
    max_crf: int = 0
    odd_size_formats: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    crf_option: str = "crf"  # what the encoder calls it
    hardware: str = ""  # that it needs
    tag: str = ""
    has_bitrate: bool = True
    # Its stream has no pixel aspect, and PyAV writes none to Matroska.
    square_pixels_only: bool = False
    content_options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


PLAYER_ENDINGS = (".mp4", ".m4v", ".mov", ".mkv")
YUV420_FORMATS = {
    "rgb": "yuv420p",
    "rgb-deep": "yuv420p10le",
    "grey": "yuv420p",
    "grey-deep": "yuv420p10le",
}
NVENC_FORMATS = {"rgb": "yuv420p", "grey": "yuv420p"}
NVENC_OPTIONS = {"preset": "p4", "tune": "hq", "rc": "vbr"}
NVENC_HARDWARE = "an NVIDIA GPU with an encoder, which those for data centres may lack"
FULL_CHROMA = {"yuv420p": "yuv444p", "yuv420p10le": "yuv444p10le"}
CODECS: Mapping[str, Codec] = MappingProxyType(
    {
        "h264": Codec(
            "libx264",
            YUV420_FORMATS,
            PLAYER_ENDINGS,
            crf=18,
            alpha_crf=4,
            max_crf=51,
            odd_size_formats=FULL_CHROMA,
            options={"preset": "veryfast"},
        ),
        "h265": Codec(
            "libx265",
            YUV420_FORMATS,
            PLAYER_ENDINGS,
            crf=20,
            alpha_crf=6,
            max_crf=51,
            odd_size_formats=FULL_CHROMA,
            options={"preset": "fast", "x265-params": "log-level=error"},
            tag="hvc1",  # Apple's players want it
        ),
        "h264-nvenc": Codec(
            "h264_nvenc",
            NVENC_FORMATS,
            PLAYER_ENDINGS,
            crf=19,
            alpha_crf=5,
            max_crf=51,
            odd_size_formats=FULL_CHROMA,
            options=NVENC_OPTIONS,
            crf_option="cq",
            hardware=NVENC_HARDWARE,
        ),
        "h265-nvenc": Codec(
            "hevc_nvenc",
            {**NVENC_FORMATS, "rgb-deep": "p010le", "grey-deep": "p010le"},
            PLAYER_ENDINGS,
            crf=21,
            alpha_crf=7,
            max_crf=51,
            options=NVENC_OPTIONS,
            crf_option="cq",
            hardware=NVENC_HARDWARE,
            tag="hvc1",
        ),
        "av1": Codec(
            "libsvtav1",
            YUV420_FORMATS,
            (".mp4", ".mkv", ".webm"),
            crf=25,
            alpha_crf=5,
            max_crf=63,
            options={"preset": "8"},
            square_pixels_only=True,
        ),
        "vp9": Codec(
            "libvpx-vp9",
            {"rgb": "yuv420p", "grey": "yuv420p", "rgba": "yuva420p"},
            (".webm", ".mkv", ".mp4"),
            crf=20,
            alpha_crf=4,
            max_crf=63,
            options={"deadline": "good", "cpu-used": "5", "row-mt": "1"},
            square_pixels_only=True,
            content_options={"rgba": {"auto-alt-ref": "0"}},  # hidden frames can't have alpha
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
            square_pixels_only=True,
            has_bitrate=False,
            content_options={
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
            square_pixels_only=True,
            has_bitrate=False,
        ),
    }
)
ALPHA_CODECS = {".mov": "prores", ".webm": "vp9", ".mkv": "ffv1"}


def default_codec(suffix: str, kind: str) -> str:
    """Return the name of the default codec for a file's ending and its content ("rgb", "grey", …).

    H.264, which everything plays; H.265 for more than 8 bits, for few play H.264 with them.
    """
    if kind.startswith("rgba"):
        if suffix not in ALPHA_CODECS:
            endings = ", ".join(sorted(ALPHA_CODECS))
            remedy = f"end it in {endings}, or give a background with --bg"
            raise SettingError(f"{suffix} can't hold transparency", remedy)
        return ALPHA_CODECS[suffix]
    if suffix == ".webm":
        return "av1" if kind.endswith("-deep") else "vp9"
    return "h265" if kind.endswith("-deep") else "h264"


def choose_codec(path: Path, name: str | None, kind: str) -> tuple[Codec, str]:
    """Return the codec for this file, by its name or the default, and the kind of its content.

    The kind loses its "-deep" where the codec has 8 bits only.
    """
    suffix = path.suffix.lower()
    name = name or default_codec(suffix, kind)
    if name not in CODECS:
        raise SettingError(f"no codec {name!r}", nearest(name, CODECS))
    codec = CODECS[name]
    if suffix not in codec.endings:
        raise SettingError(
            f"{suffix} is not for {name}", f"end the file in {', '.join(codec.endings)}"
        )
    if kind not in codec.formats:
        kind = kind.removesuffix("-deep")
    if kind not in codec.formats:
        able = [other for other, each in CODECS.items() if kind in each.formats]
        remedy = f"choose one of {', '.join(able)}, or give a background with --bg"
        raise SettingError(f"{name} can't hold transparency", remedy)
    return codec, kind


def pixel_format(codec: Codec, kind: str, width: int, height: int) -> str:
    """Return the pixel format for this size: with full chroma where an odd size can't halve it."""
    usual = codec.formats[kind]
    return codec.odd_size_formats.get(usual, usual) if width % 2 or height % 2 else usual


def encoder_options(
    codec: Codec, name: str, kind: str, crf: int | None, bitrate: int | None
) -> dict[str, str]:
    """Return the encoder's options, with the quality `crf`, or its default.

    `bitrate`, in bits a second, takes its place. Raises SettingError if the codec has no such.
    """
    if crf is not None and bitrate is not None:
        raise SettingError("quality and bitrate are both given", "give --crf or --bitrate")
    if bitrate is not None and not codec.has_bitrate:
        raise SettingError(f"{name} has no bitrate to choose", "leave --bitrate out")
    if crf is not None and (codec.crf is None or not 0 <= crf <= codec.max_crf):
        remedy = f"give 0 … {codec.max_crf}" if codec.crf is not None else "leave --crf out"
        raise SettingError(f"{name} has no quality {crf}", remedy)
    options = {**codec.options, **codec.content_options.get(kind, {})}
    if bitrate is None and codec.crf is not None:
        opaque = kind.startswith("rgb") and not kind.startswith("rgba")
        default_crf = codec.crf if opaque else codec.alpha_crf
        options[codec.crf_option] = str(default_crf if crf is None else crf)
    return options
