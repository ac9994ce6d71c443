"""The recipes of MODNet's trainings."""

from dataclasses import dataclass, field

from matte.errors import SettingError
from matte.modnet.adapter import DEFAULT_SIDE, MULTIPLE
from matte.training.settings import (
    CollectionSettings,
    DataSet,
    RunSettings,
    check_data_and_sizes,
    require_at_least,
    require_between,
)
from matte.training.synthesis.matte_samples import MatteMix
from matte.training.synthesis.photometric import PhotometricSettings


@dataclass(frozen=True, slots=True)
class ModnetLossWeights:
    """The weights of MODNet's losses.

    `semantic` (where the subject is, at 1/16), `detail` (alpha near the soft edge), `matte` (alpha
    everywhere), `composition` (the subject's colours that alpha lets through; times `matte`).
    `band`: how much more a pixel near the soft edge counts in `matte` and `composition`.

    The defaults are those of the authors' code: squared errors of a blurred map and a mean over all
    pixels of what differs in a band alone are small numbers, and so get ten times the weight.
    """

    semantic: float = 10.0
    detail: float = 10.0
    matte: float = 1.0
    composition: float = 1.0
    band: float = 4.0

    def __post_init__(self) -> None:
        for name in ("semantic", "detail", "matte", "composition", "band"):
            require_at_least(0, **{name: getattr(self, name)})


@dataclass(frozen=True, slots=True)
class ModnetRecipe:
    """The recipe of a MODNet.

    `encoder`, `context`, `width`: as of `matte.modnet.network.ModnetInfo`.
    `sizes`, `aspects`: of the samples, as for segmenters.
    `reference`: the short side to which whole pictures are brought, here for validation and later
    by matte, which reads it from the network's file; other programs may take the authors' 512.
    `mix`: where the samples come from. `light`: how their light and colours change.
    """

    data: tuple[DataSet, ...] = ()
    encoder: str = "mobilenetv2"
    context: str = "se_block"
    width: float = 1.0
    sizes: tuple[int, ...] = (256, 320)
    aspects: float = 1.0
    reference: int = DEFAULT_SIDE
    goal: ModnetLossWeights = field(default_factory=ModnetLossWeights)
    mix: MatteMix = field(default_factory=MatteMix)
    light: PhotometricSettings = field(default_factory=PhotometricSettings)
    collect: CollectionSettings = field(default_factory=CollectionSettings)
    run: RunSettings = field(default_factory=RunSettings)

    def __post_init__(self) -> None:
        check_data_and_sizes(self.data, self.sizes)
        require_between(1, 4, aspects=self.aspects)
        require_at_least(MULTIPLE, reference=self.reference)


def _adaptation_run() -> RunSettings:
    """Return the settings of a run that adapts a MODNet to one picture a step."""
    return RunSettings(
        batch=1,
        steps=1000,
        learning_rate=1e-5,
        schedule="constant",
        warm_up=0.0,
        encoder_rate=1.0,
        weight_decay=0.0,
        average=0.99,
        validate_every=100,
    )


@dataclass(frozen=True, slots=True)
class SocRecipe:
    """The recipe by which a trained MODNet is adapted to pictures without truth.

    Pictures are brought to the network's own size. `semantic`, `detail`: weights of the
    agreement of those branches with the matte. `keep`: weight of the detail branch's agreement
    with its first result. `layout`: of the validation folder, if one is given.
    `run`: its batch is one picture, whose size then is its own.
    """

    semantic: float = 100.0
    detail: float = 1.0
    keep: float = 1.0
    layout: str = "alphas"
    collect: CollectionSettings = field(default_factory=lambda: CollectionSettings(longest=1024))
    run: RunSettings = field(default_factory=_adaptation_run)

    def __post_init__(self) -> None:
        require_at_least(0, semantic=self.semantic, detail=self.detail, keep=self.keep)
        if self.run.batch != 1:
            raise SettingError(f"batch = {self.run.batch}", "adapt with 1")
