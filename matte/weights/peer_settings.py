"""Other people's networks: what they take and give, by a rule of matte's or by a user's TOML."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from matte.configs.tables import from_file, from_table, read_toml
from matte.errors import SettingError
from matte.registry import nearest

PEER_SUFFIX = ".toml"  # of a file that describes a network
RULES_FILE = Path(__file__).parent / "rules.toml"
MIN_TILE_PIXELS = 128  # a side: a smaller tile is mostly border


@dataclass(frozen=True, slots=True)
class PeerSettings:
    """The input and output convention of a network.

    Where a store knows the network, `file` is empty: its row names the file.
    """

    file: str = ""  # the ONNX file, relative to the TOML's folder
    name: str = ""  # in tables; "": the TOML file's
    size: int = 0  # of the square (stretch) or the long side (letterbox); 0: the picture's own
    multiple: int = 1  # that height and width are rounded up to, where the network leaves them free
    resize: Literal["stretch", "letterbox"] = "stretch"  # letterbox: grey at the right and bottom
    filter: Literal["area", "lanczos"] = "area"  # by which pictures and maps are resized
    colours: Literal["rgb", "bgr"] = "rgb"
    divide_by_max: bool = False  # the picture's largest value becomes 255 first
    mean: tuple[float, ...] = (0.0,)  # of pixels 0 … 255, for all colours or in the network's order
    scale: tuple[float, ...] = (1 / 255,)  # the network is given (pixel − mean) · scale
    layout: Literal["nchw", "nhwc"] = "nchw"
    trimap: Literal["none", "levels", "onehot"] = "none"  # 0, ½, 1; or background, unknown, subject
    tile: int = 0  # pixels a side of the tiles that large pictures are refined in; 0: never in any
    output: int = 0  # which of the network's outputs
    channel: int = 0  # which of its channels
    activation: Literal["none", "sigmoid", "softmax"] = "none"  # that the file leaves out
    stretch_output: bool = False  # the map's least value becomes 0, its largest 1

    def __post_init__(self) -> None:
        for name, values in (("mean", self.mean), ("scale", self.scale)):
            if len(values) not in (1, 3):
                raise SettingError(f"{name} has {len(values)} numbers", "give 1 or 3")
            if not all(map(math.isfinite, values)):
                raise SettingError(f"{name} = {list(values)}", "give finite numbers")
        for name, index in (("output", self.output), ("channel", self.channel)):
            if index < 0:
                raise SettingError(f"{name} = {index}", "count from 0")
        for name, pixels in (("size", self.size), ("tile", self.tile)):
            if not 0 <= pixels <= 8192:
                raise SettingError(f"{name} = {pixels}", "give 0 … 8192")
        if not 1 <= self.multiple <= 256:
            raise SettingError(f"multiple = {self.multiple}", "give 1 … 256")
        if self.tile % self.multiple or 0 < self.tile < MIN_TILE_PIXELS:
            raise SettingError(
                f"tile = {self.tile}",
                f"give 0, or a multiple of {self.multiple} from {MIN_TILE_PIXELS}",
            )

    def as_table(self) -> dict[str, Any]:
        """Return what differs from the defaults, as a table of TOML."""
        values = ((f.name, getattr(self, f.name), f.default) for f in fields(self))
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value, default in values
            if value != default
        }


@dataclass(frozen=True, slots=True)
class NamedRule:
    """A rule that has a name: the convention of a family of networks, and what they are used as."""

    kind: Literal["segmenter", "refiner", "modnet"]
    about: str  # the networks that it is for
    source: str  # where their authors state it
    peer: PeerSettings | None = None  # None: that of matte's own networks of this kind


@cache
def named_rules() -> Mapping[str, NamedRule]:
    """Return the rules that matte knows, by name."""
    rows = read_toml(RULES_FILE).items()
    rules = {name: from_file(NamedRule, row, str(RULES_FILE), name) for name, row in rows}
    return MappingProxyType(rules)


def rule_named(name: str) -> NamedRule:
    """Return the rule of a name; raises SettingError if there is none."""
    rules = named_rules()
    if name not in rules:
        raise SettingError(f"no rule {name!r}", f"{nearest(name, rules)}; or give a TOML file")
    return rules[name]


def read_peer_settings(toml: Path, needs_file: bool = True) -> PeerSettings:
    """Return what a TOML file says of a network; its `rule` names one that the others change.

    Raises SettingError for one that names no network's file, if it `needs_file`.
    """
    table = read_toml(toml)
    base = table.pop("rule", None)
    try:
        if base is not None:
            peer = rule_named(base).peer if isinstance(base, str) else None
            if peer is None:
                raise SettingError(f"rule = {base!r}", "name one that says what a network takes")
            table = {**peer.as_table(), **table}
        settings = from_table(PeerSettings, table, "settings")
        if needs_file and not settings.file:
            raise SettingError("settings is not complete", "name the ONNX file as 'file'")
    except SettingError as error:
        raise SettingError(f"{toml}: {error.cause}", error.remedy) from error
    return settings
