"""What a run can be told. A setting has one name: as a flag, as an override and in files."""

import re
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from matte.configs.amounts import parse_bytes
from matte.configs.lengths import parse_length
from matte.errors import SettingError

LEAST_REFINED = 192  # pixels: below, hair is a blot


def setting(default: Any, help: str) -> Any:  # noqa: A002  # click's word for it
    """A documented field."""
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True, slots=True)
class SegmentationSettings:
    """How the subject is found."""

    segmenter: str = setting(
        "person", "The network that finds the subject: a stored name or an ONNX file."
    )
    size: int = setting(0, "Long side that the segmenter sees, in pixels; 0: the network's own.")
    threshold: float = setting(0.5, "Probability from which a pixel belongs to the subject.")
    keep_parts: int = setting(0, "Keep only so many parts of the mask, the largest; 0: all.")
    fill_holes: float = setting(
        0.0, "Fill the mask's holes up to this share of the picture; 0.01 is a hundredth."
    )
    open_mask: int = setting(0, "Remove what is thinner than about twice this, in pixels.")
    close_mask: int = setting(0, "Close gaps narrower than about twice this, in pixels.")
    smooth_mask: int = setting(0, "Smooth the mask's edge within so many pixels.")

    def __post_init__(self) -> None:
        if not 0 <= self.keep_parts <= 1000:
            raise SettingError(f"keep_parts = {self.keep_parts}", "give 0 … 1000")
        if not 0 <= self.fill_holes <= 1:
            raise SettingError(f"fill_holes = {self.fill_holes}", "give a share, 0 … 1")
        for name in ("open_mask", "close_mask", "smooth_mask"):
            if not 0 <= getattr(self, name) <= 500:
                raise SettingError(f"{name} = {getattr(self, name)}", "give 0 … 500")
        if not (self.size == 0 or 32 <= self.size <= 4096):
            raise SettingError(f"size = {self.size}", "give 0, or 32 … 4096")
        if not 0 < self.threshold < 1:
            raise SettingError(f"threshold = {self.threshold}", "give a number between 0 and 1")


@dataclass(frozen=True, slots=True)
class TrimapSettings:
    """How far the unknown band reaches to both sides of the mask's edge.

    `width` goes before `k`. To name `iterations`, `erode`, `dilate` or `shape` where k is "auto"
    asks for a kernel again: the default one, unless k is named too.
    """

    k: int | Literal["auto"] = setting(
        7,
        "Side of the kernel that erodes and dilates the mask, odd: even ones are lopsided. auto:"
        " as wide as the segmenter is unsure, and the subject large.",
    )
    iterations: int = setting(6, "How many times the mask is eroded and dilated.")
    erode: int = setting(-1, "How many times it is eroded; -1: as many as iterations.")
    dilate: int = setting(-1, "How many times it is dilated; -1: as many as iterations.")
    shape: Literal["ellipse", "rect", "cross"] = setting("ellipse", "Shape of the kernel.")
    width: str = setting(
        "",
        "Instead of a kernel: how far the band reaches to each side, in pixels (12) or as a share"
        " of the picture's long side (1.5%).",
    )

    def __post_init__(self) -> None:
        if isinstance(self.k, int) and not 1 <= self.k <= 101:
            raise SettingError(f"k = {self.k}", "give 1 … 101, or auto")
        if not 1 <= self.iterations <= 100:
            raise SettingError(f"iterations = {self.iterations}", "give 1 … 100")
        for name in ("erode", "dilate"):
            if not -1 <= getattr(self, name) <= 100:
                raise SettingError(f"{name} = {getattr(self, name)}", "give 0 … 100, or -1")
        if self.width and not 0 < self.reach(100) <= (50 if "%" in self.width else 10_000):
            raise SettingError(f"width = {self.width!r}", "give up to 10000 pixels, or 50%")

    @property
    def times(self) -> tuple[int, int]:
        """How many times the mask is eroded, and how many times it is dilated."""
        inwards, outwards = (
            self.iterations if times < 0 else times for times in (self.erode, self.dilate)
        )
        return inwards, outwards

    def reach(self, long_side: int) -> float:
        """`width` in pixels, for a picture of that long side; 0 where it is not set."""
        return parse_length(self.width).pixels(long_side) if self.width else 0


@dataclass(frozen=True, slots=True)
class RefinerSettings:
    """How alpha is found inside the band."""

    refiner: str = setting(
        "guided", "What refines alpha in the unknown band: a name, or an ONNX file."
    )
    tile: int | Literal["auto", "off"] = setting(
        "auto",
        "How a network refines large pictures: auto, in the parts that cost it least; in tiles of"
        " so many pixels a side; off, each picture as a whole.",
    )

    def __post_init__(self) -> None:
        if isinstance(self.tile, int) and not (64 <= self.tile <= 4096 and self.tile % 32 == 0):
            raise SettingError(
                f"tile = {self.tile}", "give a multiple of 32 from 64 to 4096, auto, or off"
            )


@dataclass(frozen=True, slots=True)
class ModnetSettings:
    """The network that needs no trimap."""

    modnet: str = setting(
        "", "A MODNet that finds alpha without mask and trimap: a stored name or an ONNX file."
    )


@dataclass(frozen=True, slots=True)
class RuntimeSettings:
    """What the networks run on."""

    backend: Literal["auto", "openvino", "onnx", "onnx-tensorrt", "tensorrt", "torch"] = setting(
        "auto",
        "Inference runtime; auto tries, once on each machine, what is installed, and takes the"
        " fastest whose results are right.",
    )
    device: str = setting("auto", "Where networks run: auto, cpu, gpu, or one of several, gpu:1.")
    require_gpu: bool = setting(False, "Refuse to run on a CPU.")
    precision: Literal["auto", "fp32", "fp16", "bf16", "int8"] = setting(
        "auto",
        "What numbers networks calculate in; auto: any in which the network was measured to be as"
        " good as in fp32, the fastest.",
    )
    protocol: Literal["auto", "demo", "tester", "official", "native"] = setting(
        "auto",
        "How a network is fed, as its authors do: GCA demo (auto) or tester, MODNet official"
        " (auto) or native, the picture's own size. To name one asks for their very result:"
        " --backend auto then takes torch, if it and the network's torch weights are there.",
    )
    compile: bool = setting(
        True,
        "Build the engine that --backend tensorrt lacks, which takes minutes, once; else that is an"
        " error.",
    )
    torch_compile: bool = setting(
        False,
        "Have torch.compile translate networks for the torch backend: the first picture of a size"
        " takes a minute, those after it less. Needs a C++ compiler.",
    )
    threads: int = setting(0, "Threads for inference; 0: as many as this process may use.")
    max_memory: str = setting(
        "",
        "Memory that the process may take, such as 2GiB: a picture that needs more is refused,"
        " networks see less at once. Empty: as much as there is.",
    )

    def __post_init__(self) -> None:
        if self.max_memory:
            parse_bytes(self.max_memory)
        if not 0 <= self.threads <= 1024:
            raise SettingError(f"threads = {self.threads}", "give 0 … 1024")
        if not re.fullmatch(r"auto|cpu|gpu(:\d{1,3})?", self.device):
            raise SettingError(f"device = {self.device!r}", "give auto, cpu, gpu or gpu:1")
        if self.require_gpu and self.device == "cpu":
            raise SettingError("require_gpu with device = 'cpu'", "leave one of them out")


@dataclass(frozen=True, slots=True)
class CompositingSettings:
    """How the subject is put on its new background."""

    fit: Literal["cover", "contain", "stretch", "tile"] = setting(
        "cover", "How a background of another shape is fitted to the picture."
    )
    blend: Literal["srgb", "linear"] = setting(
        "srgb", "What is mixed at soft edges: the stored values, or light."
    )


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """What is read."""

    max_pixels: int = setting(200_000_000, "Pictures with more pixels are refused.")

    def __post_init__(self) -> None:
        if not 1 <= self.max_pixels <= 10**12:
            raise SettingError(f"max_pixels = {self.max_pixels}", "give 1 … 10^12")


@dataclass(frozen=True, slots=True)
class VideoSettings:
    """What is different where pictures follow one another."""

    temporal: Literal["off", "ofd", "flow"] = setting(
        "flow",
        "How video's alpha is made steady: flow, as far as the motion can be followed; ofd, where a"
        " frame differs from those before and after, a frame later; off, not at all.",
    )
    segment_every: int = setting(
        1,
        "Ask the segmenter only for every so many frames of video where little moves: between them"
        " the mask goes along.",
    )
    video_refiner: str = setting(
        "", "What refines alpha of video, if not what refines alpha of pictures."
    )
    refine_size: str = setting(
        "",
        "Long side at which alpha of video is refined, in pixels (480) or as a share of the video's"
        " own (50%): its edges are then brought to full size along the colours. Empty: its own.",
    )
    keep_alpha: int = setting(
        0,
        "Keep refined alpha for up to so many frames of video where nothing changed but what"
        " moved along; 0: refine each frame anew.",
    )

    def __post_init__(self) -> None:
        if not 1 <= self.segment_every <= 100:
            raise SettingError(f"segment_every = {self.segment_every}", "give 1 … 100")
        if self.refine_size and not 1 <= parse_length(self.refine_size).pixels(100) <= 16384:
            raise SettingError(f"refine_size = {self.refine_size!r}", "give 480, or 50%")
        if not 0 <= self.keep_alpha <= 1000:
            raise SettingError(f"keep_alpha = {self.keep_alpha}", "give 0 … 1000")

    def refined_at(self, long_side: int) -> int:
        """The long side at which frames of that long side are refined; 0: their own."""
        if not self.refine_size:
            return 0
        return max(LEAST_REFINED, round(parse_length(self.refine_size).pixels(long_side)))


@dataclass(frozen=True, slots=True)
class PipelineSettings:
    """What happens where mask, trimap and refiner can't be trusted."""

    fallback: Literal["modnet", "none"] = setting(
        "modnet",
        "What mattes a picture where mask, trimap or refiner can't: the shipped MODNet, or none.",
    )
    budget_ms: int = setting(
        0, "Fall back if the refiner would take a picture over so many milliseconds; 0: never."
    )

    def __post_init__(self) -> None:
        if not 0 <= self.budget_ms <= 10**9:
            raise SettingError(f"budget_ms = {self.budget_ms}", "give 0 … 10^9")


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of a run, one section for each folder that reads it."""

    segmentation: SegmentationSettings = field(default_factory=SegmentationSettings)
    trimap: TrimapSettings = field(default_factory=TrimapSettings)
    refiner: RefinerSettings = field(default_factory=RefinerSettings)
    modnet: ModnetSettings = field(default_factory=ModnetSettings)
    pipeline: PipelineSettings = field(default_factory=PipelineSettings)
    compositing: CompositingSettings = field(default_factory=CompositingSettings)
    video: VideoSettings = field(default_factory=VideoSettings)
    media: MediaSettings = field(default_factory=MediaSettings)
    runtime: RuntimeSettings = field(default_factory=RuntimeSettings)


@dataclass(frozen=True, slots=True)
class Setting:
    """The section that a setting stands in, its type and what it means."""

    section: str
    hint: Any
    help: str


def _settings() -> dict[str, Setting]:
    found = {}
    for section in fields(Config):
        assert isinstance(section.type, type)
        for f in fields(section.type):
            assert f.name not in found, f"two settings are called {f.name}"
            found[f.name] = Setting(section.name, f.type, f.metadata["help"])
    return found


SETTINGS = _settings()
