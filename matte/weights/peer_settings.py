"""Other people's networks: a TOML that names an ONNX file, and says what it takes and gives."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from matte.configs.tables import from_file, read_toml
from matte.errors import SettingError

PEER_SUFFIX = ".toml"  # of a file that describes a network


@dataclass(frozen=True, slots=True)
class PeerSettings:
    """The input and output convention of a network."""

    file: str  # the ONNX file, relative to the TOML's folder
    name: str = ""  # in tables; "": the TOML file's
    size: int = 0  # of the square (stretch) or the long side (letterbox); 0: the picture's own
    multiple: int = 1  # that height and width are rounded up to, where the network leaves them free
    resize: Literal["stretch", "letterbox"] = "stretch"  # letterbox: grey at the right and bottom
    colours: Literal["rgb", "bgr"] = "rgb"
    mean: tuple[float, ...] = (0.0,)  # of pixels 0 … 255, for all colours or in the network's order
    scale: tuple[float, ...] = (1 / 255,)  # the network is given (pixel − mean) · scale
    layout: Literal["nchw", "nhwc"] = "nchw"
    trimap: Literal["none", "levels", "onehot"] = "none"  # 0, ½, 1; or background, unknown, subject
    output: int = 0  # which of the network's outputs
    channel: int = 0  # which of its channels
    activation: Literal["none", "sigmoid", "softmax"] = "none"  # that the file leaves out

    def __post_init__(self) -> None:
        for name, values in (("mean", self.mean), ("scale", self.scale)):
            if len(values) not in (1, 3):
                raise SettingError(f"{name} has {len(values)} numbers", "give 1 or 3")
        for name, index in (("output", self.output), ("channel", self.channel)):
            if index < 0:
                raise SettingError(f"{name} = {index}", "count from 0")
        if not 0 <= self.size <= 8192:
            raise SettingError(f"size = {self.size}", "give 0 … 8192")
        if not 1 <= self.multiple <= 256:
            raise SettingError(f"multiple = {self.multiple}", "give 1 … 256")


def read_peer_settings(toml: Path) -> PeerSettings:
    """Return what a TOML file says of a network."""
    return from_file(PeerSettings, read_toml(toml), str(toml))
