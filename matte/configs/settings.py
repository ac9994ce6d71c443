"""What a run can be told. A setting has one name: as a flag, as an override and in files."""

from dataclasses import dataclass, field, fields
from typing import Any, Literal

from matte.errors import SettingError


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

    def __post_init__(self) -> None:
        if not (self.size == 0 or 32 <= self.size <= 4096):
            raise SettingError(f"size = {self.size}", "give 0, or 32 … 4096")
        if not 0 < self.threshold < 1:
            raise SettingError(f"threshold = {self.threshold}", "give a number between 0 and 1")


@dataclass(frozen=True, slots=True)
class TrimapSettings:
    """How far the unknown band reaches to both sides of the mask's edge."""

    k: int = setting(
        7, "Side of the kernel that erodes and dilates the mask; even ones are lopsided."
    )
    iterations: int = setting(6, "How many times the mask is eroded and dilated.")
    shape: Literal["ellipse", "rect", "cross"] = setting("ellipse", "Shape of the kernel.")

    def __post_init__(self) -> None:
        if not 1 <= self.k <= 101:
            raise SettingError(f"k = {self.k}", "give 1 … 101")
        if not 1 <= self.iterations <= 100:
            raise SettingError(f"iterations = {self.iterations}", "give 1 … 100")


@dataclass(frozen=True, slots=True)
class RefinerSettings:
    """How alpha is found inside the band."""

    refiner: str = setting(
        "guided", "What refines alpha in the unknown band: a name, or an ONNX file."
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

    backend: Literal["auto", "openvino", "onnx", "torch"] = setting(
        "auto", "Inference runtime; auto takes the first that is installed."
    )
    protocol: Literal["auto", "demo", "tester", "official", "native"] = setting(
        "auto",
        "How a network is fed, as its authors do: GCA demo (auto) or tester, MODNet official"
        " (auto) or native, the picture's own size. To name one asks for their very result:"
        " --backend auto then takes torch, if it and the network's torch weights are there.",
    )
    threads: int = setting(0, "Threads for inference; 0: as many as this process may use.")

    def __post_init__(self) -> None:
        if not 0 <= self.threads <= 1024:
            raise SettingError(f"threads = {self.threads}", "give 0 … 1024")


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of a run, one section for each folder that reads it."""

    segmentation: SegmentationSettings = field(default_factory=SegmentationSettings)
    trimap: TrimapSettings = field(default_factory=TrimapSettings)
    refiner: RefinerSettings = field(default_factory=RefinerSettings)
    modnet: ModnetSettings = field(default_factory=ModnetSettings)
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
