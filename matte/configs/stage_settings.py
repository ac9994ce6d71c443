"""The settings of the stages: mask, band, alpha, composite."""

from dataclasses import dataclass
from typing import Literal, get_args

from matte.configs.fields import check_fields, setting
from matte.configs.lengths import Length

# What changes the mask after it is cut at the threshold.
CLEANING_SETTINGS = ("keep_parts", "fill_holes", "open_mask", "close_mask", "smooth_mask")

MASK_SETTINGS = ("subject", *CLEANING_SETTINGS)  # what means something only where there is a mask
BandWord = Literal["auto", "learned"]  # of k, where the picture decides how wide the band is
BAND_WORDS: tuple[BandWord, ...] = get_args(BandWord)
NUMBER = r"\d{1,6}(\.\d{1,3})?%?"


@dataclass(frozen=True, slots=True)
class SegmentationSettings:
    """The settings of finding the subject and cleaning its mask."""

    segmenter: str = setting(
        "person",
        "The network that finds the subject: a name ('matte weights list') or an ONNX file.",
        "Subject and band",
        metavar="NAME|FILE",
        common=True,
    )
    size: int | None = setting(
        None,
        "Long side of the copy that this network looks at; auto: the size it was trained at.",
        "Subject and band",
        unit="pixels",
        minimum=32,
        maximum=4096,
        unset="auto",
        old_unset=0,
    )
    segment_mirrored: bool = setting(
        False, "Look for a photo's subject twice, once mirrored: better.", "Subject and band"
    )
    screen: Literal["none", "green", "blue"] = setting(
        "none",
        "The colour of a screen behind the subject: what has it is background, what hangs together"
        " with the subject and has not is subject, and its light is taken from the colours.",
        "Subject and band",
    )
    threshold: float = setting(
        0.5,
        "How sure the network must be that a pixel belongs to the subject, between 0 and 1.",
        "Subject and band",
        unit="share",
        minimum=0,
        maximum=1,
        between=True,
    )
    subject: str | None = setting(
        None,
        "Which subject to keep, where there are several. all; largest; 2: the two largest; centre:"
        " the one in the middle; at:X,Y: the one at this place; box:X,Y,W,H: what lies in it (in"
        " pixels, or percentages of width and height); mask:FILE: those on whom you have painted"
        " white there, roughly; mask:FOLDER: the same, by the pictures' names.",
        "Subject and band",
        metavar="WHICH",
        pattern=rf"largest|[1-9]\d?|cent(?:re|er)|at:{NUMBER},{NUMBER}|box:{NUMBER}(,{NUMBER}){{3}}"
        r"|mask:.+",
        examples="all, largest, 2, centre, at:30%,50%, box:0,0,50%,100% or mask:FILE",
        unset="all",
        common=True,
    )
    keep_parts: int | None = setting(
        None,
        "Keep only this many parts of the mask, the largest ones; all: every part.",
        "Subject and band",
        minimum=1,
        maximum=1000,
        unset="all",
        old_unset=0,
    )
    fill_holes: float = setting(
        0.0,
        "Fill holes in the mask up to this share of the picture: 0.01 is one percent.",
        "Subject and band",
        unit="share",
        minimum=0,
        maximum=1,
    )
    open_mask: int = setting(
        0,
        "Remove what is thinner in the mask than about twice this.",
        "Subject and band",
        unit="pixels",
        minimum=0,
        maximum=500,
    )
    close_mask: int = setting(
        0,
        "Close gaps in the mask that are narrower than about twice this.",
        "Subject and band",
        unit="pixels",
        minimum=0,
        maximum=500,
    )
    smooth_mask: int = setting(
        0,
        "Smooth the mask's edge within this distance.",
        "Subject and band",
        unit="pixels",
        minimum=0,
        maximum=500,
    )

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def cleans_mask(self) -> bool:
        """Whether the mask is changed after it is cut at the threshold."""
        return any(getattr(self, name) for name in CLEANING_SETTINGS)


@dataclass(frozen=True, slots=True)
class TrimapSettings:
    """The settings of the unknown band around the mask's edge.

    `width` goes before `k`. To name `iterations`, `erode`, `dilate` or `shape` where k is "auto"
    or "learned" asks for a kernel again: the default one, unless k is named too.
    """

    k: int | BandWord = setting(
        7,
        "How wide the unknown band is, in which hair is looked for. auto: wider where the network"
        " is unsure and where the subject is large. learned: wide where the network has learnt that"
        " edges are soft, as hair's; auto, for networks that have not. A number: the side of the"
        " kernel that erodes and dilates the mask; even numbers make the band lopsided.",
        "Subject and band",
        unit="pixels",
        minimum=1,
        maximum=101,
        common=True,
    )
    iterations: int = setting(
        6,
        "How many times the kernel erodes and dilates the mask: more make the band wider.",
        "Subject and band",
        minimum=1,
        maximum=100,
    )
    erode: int | None = setting(
        None,
        "How many times it erodes: how far the band reaches inwards; auto: --iterations.",
        "Subject and band",
        minimum=0,
        maximum=100,
        unset="auto",
        old_unset=-1,
    )
    dilate: int | None = setting(
        None,
        "How many times it dilates: how far the band reaches outwards; auto: --iterations.",
        "Subject and band",
        minimum=0,
        maximum=100,
        unset="auto",
        old_unset=-1,
    )
    shape: Literal["ellipse", "rect", "cross"] = setting(
        "ellipse", "Shape of the kernel.", "Subject and band"
    )
    width: Length | None = setting(
        None,
        "Width of the band to each side of the mask's edge, instead of a kernel: in pixels (12)"
        " or as a share of the picture's long side (1.5%).",
        "Subject and band",
        unit="length",
        minimum=1e-9,
        maximum=10_000,
        max_percent=50,
        examples="up to 10000 pixels, or 50%",
        unset="none",
        old_unset="",
    )

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def is_automatic(self) -> bool:
        """Whether the picture decides how wide the band is, and where."""
        return isinstance(self.k, str) and self.width is None

    @property
    def repetitions(self) -> tuple[int, int]:
        """How often the mask is eroded, and how often it is dilated."""
        erode = self.iterations if self.erode is None else self.erode
        dilate = self.iterations if self.dilate is None else self.dilate
        return erode, dilate


@dataclass(frozen=True, slots=True)
class RefinerSettings:
    """The settings of refining alpha inside the band."""

    refiner: str = setting(
        "guided",
        "What finds the soft edge (hair, fur) in the unknown band: a name or an ONNX file.",
        "Refining",
        metavar="NAME|FILE",
        common=True,
    )
    tile: int | Literal["auto", "off"] = setting(
        "auto",
        "How large pictures are refined. auto: whole or in parts, whichever costs least; off:"
        " always whole; a number: in tiles of that many pixels a side.",
        "Refining",
        unit="pixels",
        minimum=64,
        maximum=4096,
        multiple_of=32,
    )
    mirrored: bool = setting(
        False,
        "Refine a photo twice, once mirrored, and take the mean: a little better, twice as long.",
        "Refining",
    )

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True)
class ModnetSettings:
    """The settings of the network that needs no trimap."""

    modnet: str | None = setting(
        None,
        "Matte by this MODNet, which needs neither mask nor trimap: a name or an ONNX file.",
        "Refining",
        metavar="NAME|FILE",
        unset="none",
        old_unset="",
    )


@dataclass(frozen=True, slots=True)
class PipelineSettings:
    """The settings of the fallback, where mask, trimap or refiner can't be trusted."""

    fallback: Literal["modnet", "none"] = setting(
        "modnet",
        "What to do where the mask or the trimap looks wrong, or the refiner can't run: matte the"
        " picture by the shipped MODNet (modnet) or stop with an error (none).",
        "Refining",
    )
    require_subject: bool = setting(
        False,
        "Take a picture in which no subject is found for an error; else its result is empty, and a"
        " warning says so.",
        "Subject and band",
    )
    budget_ms: int | None = setting(
        None,
        "Longest time for a picture: where the refiner would exceed it, --fallback happens.",
        "Refining",
        unit="milliseconds",
        minimum=1,
        maximum=10**9,
        unset="none",
        old_unset=0,
    )

    def __post_init__(self) -> None:
        check_fields(self)
