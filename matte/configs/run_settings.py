"""The settings of videos, of what is read, and of what runs the networks."""

from dataclasses import dataclass
from typing import Literal

from matte.configs.fields import check_fields, setting
from matte.configs.lengths import Length
from matte.errors import SettingError
from matte.limits import DEFAULT_MAX_PIXELS

MIN_REFINE_SIZE = 192  # pixels: in smaller copies of a frame, hair is a blot


@dataclass(frozen=True, slots=True)
class VideoSettings:
    """The settings of videos alone: flicker, and which work is skipped."""

    temporal: Literal["off", "ofd", "flow"] = setting(
        "flow",
        "How flicker is taken out of video. flow: alpha is averaged along the motion; ofd: what"
        " differs from the frames before and after is replaced, one frame late; off: not at all.",
        "Refining",
        common=True,
    )
    segment_every: int = setting(
        1,
        "Look for the subject in every Nth frame of video only, while little moves; in between"
        " the mask is moved along.",
        "Subject and band",
        unit="frames",
        minimum=1,
        maximum=100,
    )
    video_segmenter: str | None = setting(
        None,
        "What finds the subject in videos, unless --segmenter is given; same: the same.",
        "Subject and band",
        metavar="NAME|FILE",
        unset="same",
    )
    video_refiner: str | None = setting(
        None,
        "What refines videos instead of --refiner; same: the same.",
        "Refining",
        metavar="NAME|FILE",
        unset="same",
        old_unset="",
    )
    refine_size: Length | None = setting(
        None,
        "Refine smaller copies of the frames, faster but less fine: their long side in pixels"
        " (480) or as a share of the video's (50%); full: no copies.",
        "Refining",
        unit="length",
        minimum=1,
        maximum=16384,
        max_percent=16384,
        examples="480 (pixels), 50%, or full",
        unset="full",
        old_unset="",
    )
    keep_alpha: int | None = setting(
        None,
        "Reuse refined alpha for up to this many frames of video, where nothing changed except"
        " by moving along; off: refine every frame.",
        "Refining",
        unit="frames",
        minimum=1,
        maximum=1000,
        unset="off",
        old_unset=0,
    )

    despeckle: int | None = setting(
        None,
        "Take flecks out of video's alpha, and fill holes: small parts away from the subject that"
        " last for up to this many frames (of those in which the subject is looked for).",
        "Refining",
        unit="frames",
        minimum=1,
        maximum=25,
        unset="off",
    )

    def __post_init__(self) -> None:
        check_fields(self)

    def refined_long_side(self, long_side: int) -> int | None:
        """Return the long side at which frames of that long side are refined; None: their own."""
        if self.refine_size is None:
            return None
        return max(MIN_REFINE_SIZE, round(self.refine_size.pixels(long_side)))


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """The settings of reading pictures."""

    max_pixels: int = setting(
        DEFAULT_MAX_PIXELS,
        "Refuse pictures with more pixels than this.",
        "Running",
        minimum=1,
        maximum=10**12,
    )

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True)
class RuntimeSettings:
    """The settings of how, and where, the networks run."""

    backend: Literal["auto", "openvino", "onnx", "onnx-tensorrt", "tensorrt", "torch"] = setting(
        "auto",
        "What runs the networks. auto: the fastest of those installed, found once on each machine.",
        "Running",
    )
    device: str = setting(
        "auto",
        "Where the networks run: auto, cpu, gpu, or one of several GPUs (gpu:1).",
        "Running",
        metavar="DEVICE",
        pattern=r"auto|cpu|gpu(:\d{1,3})?",
        examples="auto, cpu, gpu or gpu:1",
    )
    require_gpu: bool = setting(
        False, "Stop with an error where the networks would run on the processor.", "Running"
    )
    precision: Literal["auto", "fp32", "fp16", "bf16", "int8"] = setting(
        "auto",
        "Number format that the networks calculate in. auto: the fastest in which the network"
        " measured as good as in fp32.",
        "Running",
    )
    refiner_protocol: Literal["auto", "demo", "tester"] = setting(
        "auto",
        "Give a GCA network its picture exactly as its authors' demo or tester does, for their"
        " very numbers: in fp32, by torch if it is installed and has the network's weights.",
        "Running",
    )
    modnet_protocol: Literal["auto", "official", "native"] = setting(
        "auto",
        "Likewise for a MODNet: at its authors' size (official) or at the picture's own (native).",
        "Running",
    )
    compile: bool = setting(
        True,
        "Let --backend tensorrt build a missing engine, which takes minutes, once.",
        "Running",
    )
    torch_compile: bool = setting(
        False,
        "Speed up --backend torch by torch.compile: the first picture of a size takes a minute"
        " longer, those after it less. Needs a C++ compiler.",
        "Running",
    )
    threads: int | None = setting(
        None,
        "Processor threads for the networks; auto: as many as this process may use.",
        "Running",
        minimum=1,
        maximum=1024,
        unset="auto",
        old_unset=0,
    )
    max_memory: int | None = setting(
        None,
        "Most memory that matte may use, such as 2GiB: networks see less at once, and a picture"
        " that needs more is refused; auto: all that there is.",
        "Running",
        unit="bytes",
        minimum=1,
        unset="auto",
        old_unset="",
    )

    def __post_init__(self) -> None:
        check_fields(self)
        if self.require_gpu and self.device == "cpu":
            raise SettingError("require_gpu with device = 'cpu'", "leave one of them out")

    def needs_exact(self, kind: str) -> bool:
        """Return whether a network of that kind must give its authors' very numbers.

        A segmenter runs as exactly as the refiner that follows it.
        """
        return (self.modnet_protocol if kind == "modnet" else self.refiner_protocol) != "auto"


@dataclass(frozen=True, slots=True)
class CompositingSettings:
    """The settings of putting the subject on a background."""

    fit: Literal["cover", "contain", "stretch", "tile"] = setting(
        "cover", "How a background of another shape is fitted to the picture.", "Result"
    )
    position: str = setting(
        "50%,50%",
        "Which part of a background stays in view where it is cropped, across and down: 0%,100%"
        " is its left, lower corner.",
        "Result",
        metavar="X%,Y%",
        pattern=r"(100|\d{1,2})%,(100|\d{1,2})%",
        examples="50%,50% (the middle), or 0%,100% (left, bottom)",
    )
    blend: Literal["srgb", "linear"] = setting(
        "srgb",
        "How colours are mixed at soft edges: as they are stored (srgb) or as light (linear).",
        "Result",
    )

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def place(self) -> tuple[float, float]:
        """The position as shares, across and down."""
        across, down = (int(part.strip("%")) / 100 for part in self.position.split(","))
        return across, down
