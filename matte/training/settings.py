"""What a training run is told."""

from dataclasses import dataclass, field
from pathlib import Path

from matte.configs.tables import from_file, read_toml
from matte.errors import SettingError
from matte.registry import nearest

KINDS = ("backgrounds", "cutouts", "pairs")


@dataclass(frozen=True, slots=True)
class DataSet:
    """One folder of training pictures.

    `folder`: below the data root. `kind`: "pairs" (images/NAME.* and masks/NAME.png: 255 subject,
    0 background, 128 doesn't count), "backgrounds" (pictures without a subject) or "cutouts" (RGBA
    subjects, put on the backgrounds). `weight`: its share of the samples, against the other sets'.
    `exclude`: names, without the ending, to leave out.
    """

    folder: str
    kind: str = "pairs"
    weight: float = 1.0
    exclude: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SettingError(f"no kind of data set {self.kind!r}", nearest(self.kind, KINDS))
        _at_least(0, weight=self.weight)


@dataclass(frozen=True, slots=True)
class AugmentationSettings:
    """How much the training pictures are changed; the probabilities are per picture.

    `flip`, `crop`, `shrink`, `rotate`, `grey`, `blur`, `noise`, `jpeg`: probabilities. `smallest`:
    the smallest part of the shorter side that a crop keeps. `degrees`: the largest rotation.
    `light`: the largest relative change of brightness, contrast, gamma and each colour channel.
    """

    flip: float = 0.5
    crop: float = 0.65
    smallest: float = 0.5
    shrink: float = 0.15
    rotate: float = 0.3
    degrees: float = 15.0
    light: float = 0.3
    grey: float = 0.06
    blur: float = 0.2
    noise: float = 0.2
    jpeg: float = 0.25

    def __post_init__(self) -> None:
        for name in ("flip", "crop", "shrink", "rotate", "grey", "blur", "noise", "jpeg"):
            _between(0, 1, **{name: getattr(self, name)})
        _between(0.1, 1, smallest=self.smallest)
        _between(0, 180, degrees=self.degrees)
        _between(0, 0.9, light=self.light)


@dataclass(frozen=True, slots=True)
class SegmenterSettings:
    """How a segmenter is trained.

    `architecture`: a name in `matte.segmentation.network.ARCHITECTURES`.
    `sizes`: the squares that pictures are fitted into, one after the other for equal shares of
    the steps, small and cheap ones first; the network is made for the last. Multiples of 32.
    `batch`, `steps`: pictures per step, and steps.
    `minutes`: 0, or when to end: the schedule then follows the clock or the steps, whichever is
    further, and the weights depend on the machine's speed.
    `learning_rate`: its peak, after `warm_up` (a share of the steps); then it falls as a cosine.
    `encoder_rate`: the encoder's part of it. `weight_decay`: AdamW's, on weights only.
    `clip`: the largest norm of the gradients. `average`: decay of the running mean of the weights,
    which is what is validated and kept.
    `validate_every`: steps. `validation_pictures`: at most so many; `held_back`: the share of
    the pictures that is only for validation, chosen by name.
    `longest`: the long side at which pictures are kept in memory.
    `bfloat16`: multiply in bfloat16; good on processors with AVX-512 BF16 and on recent GPUs.
    `seed`: same seed, same steps, same weights (one machine, one number of threads).
    """

    data: tuple[DataSet, ...] = ()
    architecture: str = "unet"
    sizes: tuple[int, ...] = (320,)
    batch: int = 8
    steps: int = 1000
    minutes: float = 0.0
    learning_rate: float = 1e-3
    warm_up: float = 0.05
    encoder_rate: float = 0.3
    weight_decay: float = 0.01
    clip: float = 1.0
    average: float = 0.998
    validate_every: int = 250
    validation_pictures: int = 200
    held_back: float = 0.1
    longest: int = 448
    bfloat16: bool = False
    seed: int = 1
    augmentation: AugmentationSettings = field(default_factory=AugmentationSettings)

    def __post_init__(self) -> None:
        if not any(d.weight > 0 for d in self.data):
            raise SettingError("no data set to train on", "add [[data]] with folder and weight")
        if not self.sizes:
            raise SettingError("sizes is empty", "give at least one, such as [320]")
        for size in self.sizes:
            if size < 32 or size % 32:
                raise SettingError(f"sizes has {size}", "give multiples of 32")
        _at_least(
            1,
            batch=self.batch,
            steps=self.steps,
            validate_every=self.validate_every,
            validation_pictures=self.validation_pictures,
            longest=self.longest,
        )
        _at_least(0, minutes=self.minutes, weight_decay=self.weight_decay, seed=self.seed)
        _between(0, 1, warm_up=self.warm_up, average=self.average, held_back=self.held_back)
        for name in ("learning_rate", "encoder_rate", "clip"):
            if not getattr(self, name) > 0:
                raise SettingError(f"{name} = {getattr(self, name)}", "give a number above 0")

    @property
    def size(self) -> int:
        """The size that the network is made for."""
        return self.sizes[-1]


def read_segmenter_settings(path: Path) -> SegmenterSettings:
    """The settings in a TOML file: plain keys, [augmentation] and one [[data]] per data set."""
    return from_file(SegmenterSettings, read_toml(path), str(path))


def _at_least(low: float, **named: float) -> None:
    for name, value in named.items():
        if not value >= low:
            raise SettingError(f"{name} = {value}", f"give at least {low}")


def _between(low: float, high: float, **named: float) -> None:
    for name, value in named.items():
        if not low <= value <= high:
            raise SettingError(f"{name} = {value}", f"give a number from {low} to {high}")
