"""The recipes of trainings, as settings."""

from dataclasses import dataclass, field
from typing import Literal, TypeVar, get_args

from matte.datasets.layouts import AUTO, LAYOUTS
from matte.errors import SettingError
from matte.registry import nearest
from matte.training.synthesis.refiner_samples import RefinerMix

T = TypeVar("T")
Schedule = Literal["cosine", "plateau", "constant"]
Optimiser = Literal["adamw", "amsgrad"]
NormStatistics = Literal["batch", "fixed"]
SegmenterLoss = Literal["cross-entropy+dice", "cross-entropy"]
Precision = Literal["auto", "32-true", "bf16-mixed", "16-mixed"]
RefinerName = Literal["gca-slim", "gca"]


@dataclass(frozen=True, slots=True)
class DataSet:
    """One folder of training pictures.

    `folder`: below the data root. `layout`: one of `matte.datasets.layouts.LAYOUTS`. `classes`:
    the labels that are the subject, where the layout has labels. `weight`: its share of the
    samples, against the other sets'; 0: for validation only. `held_back`: the share of its
    pictures that is only for validation, chosen by name; negative: the recipe's. `exclude`: names
    to leave out. `shift`: how far the truths of a set lie right of and below
    their pictures, in thousandths of the longer side; pictures are moved as far.
    """

    folder: str
    layout: str = "pairs"
    classes: tuple[str, ...] = ()
    weight: float = 1.0
    held_back: float = -1.0
    exclude: tuple[str, ...] = ()
    shift: tuple[float, ...] = (0.0, 0.0)

    def __post_init__(self) -> None:
        if len(self.shift) != 2 or not all(abs(part) <= 50 for part in self.shift):
            raise SettingError(
                f"shift = {list(self.shift)}", "give two numbers, such as [3.0, 1.0]"
            )
        known = (*LAYOUTS, AUTO)
        if self.layout not in known:
            raise SettingError(f"no layout {self.layout!r}", nearest(self.layout, known))
        require_between(0, 1e6, weight=self.weight)
        require_between(-1, 1, held_back=self.held_back)


@dataclass(frozen=True, slots=True)
class CollectionSettings:
    """How a run collects its pictures.

    `held_back`: the share of the pictures that is only for validation, chosen by name.
    `validation_pictures`: at most so many are validated on. `longest`: the long side at which
    pictures are kept in memory; 0: as they are.
    """

    held_back: float = 0.1
    validation_pictures: int = 200
    longest: int = 560

    def __post_init__(self) -> None:
        require_between(0, 1, held_back=self.held_back)
        require_at_least(1, validation_pictures=self.validation_pictures)
        require_at_least(0, longest=self.longest)


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How any network is trained.

    `batch`, `steps`: pictures per step (on each device), and steps.
    `learning_rate`: its peak, after `warm_up` (a share of the steps). `schedule`: "cosine" falls
    to nothing at the last step; "plateau" halves the rate whenever `plateau` validations in a row
    bring nothing better; "constant".
    `encoder_rate`: the encoder's part of the rate. `freeze`: how many of the network's first
    layers (modules with weights of their own, norms included) keep the weights they start with.
    `norms`: what batch norms take for mean and variance: each "batch"'s own, or "fixed" ones, those
    they start with; networks whose norms were folded into convolutions go on undisturbed then.
    `optimiser`: "adamw", or "amsgrad", which is the same but never raises a weight's own rate.
    `weight_decay`: the optimiser's, on weights only. `momentum`: its first beta.
    `clip`: the largest norm of the gradients. `average`: decay of the running mean of the weights,
    which is what is validated and kept.
    `validate_every`: steps between validations, each of which leaves a checkpoint. `patience`: the
    run ends after so many in a row that bring nothing better; 0: never.
    `save_minutes`: how often the state to resume from is saved besides, whatever validations do.
    `precision`: "32-true"; mixed: "bf16-mixed", on GPUs also "16-mixed"; or "auto": bf16-mixed
    where the device multiplies bfloat16, else 32-true.
    `workers`: processes that prepare samples; 0: the training's own.
    `seed`: same seed, same steps, same weights (one machine, one number of threads and devices).
    """

    batch: int = 8
    steps: int = 1000
    learning_rate: float = 1e-3
    schedule: Schedule = "cosine"
    warm_up: float = 0.05
    plateau: int = 5
    encoder_rate: float = 0.3
    freeze: int = 0
    norms: NormStatistics = "batch"
    optimiser: Optimiser = "adamw"
    weight_decay: float = 0.01
    momentum: float = 0.9
    clip: float = 1.0
    average: float = 0.998
    validate_every: int = 250
    patience: int = 0
    save_minutes: float = 10.0
    precision: Precision = "32-true"
    workers: int = 0
    seed: int = 1

    def __post_init__(self) -> None:
        require_known(get_args(Schedule), schedule=self.schedule)
        require_known(get_args(NormStatistics), norms=self.norms)
        require_known(get_args(Optimiser), optimiser=self.optimiser)
        require_known(get_args(Precision), precision=self.precision)
        require_at_least(1, batch=self.batch, steps=self.steps, plateau=self.plateau)
        require_at_least(1, validate_every=self.validate_every)
        require_at_least(0, weight_decay=self.weight_decay, seed=self.seed, freeze=self.freeze)
        require_at_least(0, save_minutes=self.save_minutes)
        require_at_least(
            0, patience=self.patience, workers=self.workers, encoder_rate=self.encoder_rate
        )
        require_between(0, 1, warm_up=self.warm_up, average=self.average)
        require_between(0, 0.999, momentum=self.momentum)
        for name in ("learning_rate", "clip"):
            if not getattr(self, name) > 0:
                raise SettingError(f"{name} = {getattr(self, name)}", "give a number above 0")


@dataclass(frozen=True, slots=True)
class AugmentationSettings:
    """How much the training pictures are changed; the probabilities are per picture.

    `flip`, `crop`, `shrink`, `rotate`, `dye` (other colours for a part of the subject or of what is
    behind it), `grey`, `blur`, `noise`, `jpeg`: probabilities. `smallest`: the smallest part of the
    shorter side that a crop keeps. `degrees`: the largest rotation. `plain`: the probability that a
    plain ground is shown instead of a background.
    `light`: the largest relative change of brightness, contrast, gamma and each colour channel.
    """

    flip: float = 0.5
    crop: float = 0.65
    smallest: float = 0.5
    shrink: float = 0.15
    rotate: float = 0.3
    degrees: float = 15.0
    dye: float = 0.0
    plain: float = 0.0
    light: float = 0.3
    grey: float = 0.06
    blur: float = 0.2
    noise: float = 0.2
    jpeg: float = 0.25

    def __post_init__(self) -> None:
        probabilities = "flip crop shrink rotate dye plain grey blur noise jpeg"
        for name in probabilities.split():
            require_between(0, 1, **{name: getattr(self, name)})
        require_between(0.1, 1, smallest=self.smallest)
        require_between(0, 180, degrees=self.degrees)
        require_between(0, 0.9, light=self.light)


@dataclass(frozen=True, slots=True)
class SegmenterRecipe:
    """The recipe of a segmenter.

    `architecture`: a name in `matte.segmentation.network.ARCHITECTURES`.
    `sizes`: the squares that pictures are fitted into, one after the other for equal shares of
    the steps, small and cheap ones first; the network is made for the last. Multiples of 32.
    `aspects`: the largest ratio of the sides of a batch's pictures, drawn anew for each batch
    around the same area; 1: squares only.
    `shapes`: heights and widths that a batch's own is drawn from instead; twice in the list is
    twice as likely.
    `soft`: whether mattes are learnt as they are; else they are cut at one half.
    `loss`: "cross-entropy+dice" or "cross-entropy" alone, the mean over the pixels, of networks
    with several maps the sum of theirs.
    `boundary`: how much more a pixel at the subject's edge counts.
    """

    data: tuple[DataSet, ...] = ()
    architecture: str = "unet"
    sizes: tuple[int, ...] = (320,)
    aspects: float = 1.0
    shapes: tuple[tuple[int, ...], ...] = ()
    soft: bool = False
    loss: SegmenterLoss = "cross-entropy+dice"
    boundary: float = 0.0
    collect: CollectionSettings = field(default_factory=CollectionSettings)
    run: RunSettings = field(default_factory=RunSettings)
    augmentation: AugmentationSettings = field(default_factory=AugmentationSettings)

    def __post_init__(self) -> None:
        check_data_and_sizes(self.data, self.sizes)
        for shape in self.shapes:
            if len(shape) != 2:
                raise SettingError(f"shapes has {list(shape)}", "give heights and widths")
            check_sizes("shapes", shape)
        require_known(get_args(SegmenterLoss), loss=self.loss)
        require_between(1, 4, aspects=self.aspects)
        require_at_least(0, boundary=self.boundary)

    @property
    def size(self) -> int:
        """The size that the network is made for."""
        return self.sizes[-1]


@dataclass(frozen=True, slots=True)
class RefinerLossWeights:
    """The weights of a refiner's losses.

    `alpha` (L1 in the unknown region), `composition` (the picture that alpha gives with the true
    layers), `laplacian` (all scales of alpha), `gradient` (its edges).
    """

    alpha: float = 1.0
    composition: float = 0.5
    laplacian: float = 0.5
    gradient: float = 0.5

    def __post_init__(self) -> None:
        for name in ("alpha", "composition", "laplacian", "gradient"):
            require_at_least(0, **{name: getattr(self, name)})


@dataclass(frozen=True, slots=True)
class RefinerRecipe:
    """The recipe of a refiner.

    `architecture`: "gca-slim" or "gca"; `attention`: with guided contextual attention or without;
    `width`: of "gca", the scale of its channels.
    `sizes`, `aspects`: of the crops, as for segmenters.
    `mix`: where the samples come from.
    """

    data: tuple[DataSet, ...] = ()
    architecture: RefinerName = "gca-slim"
    attention: bool = True
    width: float = 1.0
    sizes: tuple[int, ...] = (192, 256)
    aspects: float = 1.0
    goal: RefinerLossWeights = field(default_factory=RefinerLossWeights)
    mix: RefinerMix = field(default_factory=RefinerMix)
    collect: CollectionSettings = field(default_factory=lambda: CollectionSettings(longest=0))
    run: RunSettings = field(default_factory=RunSettings)

    def __post_init__(self) -> None:
        require_known(get_args(RefinerName), architecture=self.architecture)
        check_data_and_sizes(self.data, self.sizes)
        require_between(1, 4, aspects=self.aspects)


def check_data_and_sizes(data: tuple[DataSet, ...], sizes: tuple[int, ...]) -> None:
    """Raise if there is nothing to train on, or a size that networks can't take."""
    if not any(d.weight > 0 for d in data):
        raise SettingError("no data set to train on", "add [[data]] with folder and weight")
    if not sizes:
        raise SettingError("sizes is empty", "give at least one, such as [320]")
    check_sizes("sizes", sizes)


def check_sizes(name: str, sizes: tuple[int, ...]) -> None:
    """Raise if one of the sizes is none that networks can take."""
    for size in sizes:
        if size < 32 or size % 32:
            raise SettingError(f"{name} has {size}", "give multiples of 32")


def require_known(known: tuple[str, ...], **named: str) -> None:
    """Raise if one of the words is not known: types alone stop no caller from Python."""
    for name, word in named.items():
        if word not in known:
            raise SettingError(f"{name} = {word!r}", nearest(word, known))


def require_at_least(low: float, **named: float) -> None:
    """Raise if one of the numbers is below `low`, or not a number."""
    for name, value in named.items():
        if not value >= low:
            raise SettingError(f"{name} = {value}", f"give at least {low}")


def require_between(low: float, high: float, **named: float) -> None:
    """Raise if one of the numbers is out of bounds, or not a number."""
    for name, value in named.items():
        if not low <= value <= high:
            raise SettingError(f"{name} = {value}", f"give a number from {low} to {high}")
