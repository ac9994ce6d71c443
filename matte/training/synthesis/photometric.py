"""Light, colour, blur and noise of a whole batch, on the device where the batch is."""

from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor

from matte.errors import SettingError

BINOMIAL = (0.25, 0.5, 0.25)
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


@dataclass(frozen=True, slots=True)
class PhotometricSettings:
    """How much pictures are changed; all from 0, nothing, to 1.

    `gamma`, `contrast`, `brightness`, `saturation`, `tint`: the largest relative change. `grey`,
    `softened`, `noisy`: probabilities of a black-and-white picture, of a slightly softer or sharper
    one, of sensor noise. `noise`: its largest standard deviation.
    """

    gamma: float = 0.35
    contrast: float = 0.25
    brightness: float = 0.2
    saturation: float = 0.4
    tint: float = 0.1
    grey: float = 0.04
    softened: float = 0.15
    noisy: float = 0.3
    noise: float = 0.03

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 <= value <= 1:
                raise SettingError(f"{field.name} = {value}", "give a number from 0 to 1")


DEFAULT_SETTINGS = PhotometricSettings()


@torch.no_grad()
def change_photometry(
    batch: dict[str, Tensor], change: PhotometricSettings = DEFAULT_SETTINGS
) -> tuple[Tensor, Tensor, Tensor]:
    """Return pictures, foregrounds and backgrounds as other cameras in other light take them.

    Each is (N, 3, H, W) float32, 0 … 1.

    The batch holds "foreground" and "background" (N, H, W, 3) uint8, "alpha" (N, H, W) uint8,
    "layered" (N) bool and "seed", one number that all chance comes from. Where layered,
    foreground and background change apart from one another; elsewhere both must be the picture
    and stay equal. Pictures are αF + (1 − α)B, then softened or noisy, in steps of 1/255.
    """
    alpha, layered = batch["alpha"], batch["layered"]
    random = torch.Generator(alpha.device).manual_seed(int(batch["seed"]))
    with torch.autocast(alpha.device.type, enabled=False):  # bfloat16 has not even 256 steps
        count = len(alpha)
        front = _Light.random(count, change, random)
        back = _Light.random(count, change, random)
        foreground = front.apply_to(batch["foreground"])
        background = foreground.clone()
        apart = torch.nonzero(layered)[:, 0]
        background[apart] = back.select(apart).apply_to(batch["background"][apart])
        share = alpha[:, None].float() / 255
        picture = torch.lerp(background, foreground, share)
        _soften_some(picture, change, random)
        _add_noise_to_some(picture, change, random)
        picture = picture.clamp_(0, 1).mul_(255).round_().div_(255)
    return picture, foreground, background


@dataclass(frozen=True, slots=True)
class _Light:
    """N changes of light: a table for each channel, then a change of saturation.

    `table` (N, 3, 256) maps each channel's bytes; then colours move away from grey or towards it by
    `saturation` (N).
    """

    table: Tensor
    saturation: Tensor

    @classmethod
    def random(cls, count: int, change: PhotometricSettings, random: torch.Generator) -> "_Light":
        """Draw the changes of light for `count` pictures."""
        place = random.device
        spread = torch.rand((count, 7, 1), generator=random, device=place) * 2 - 1
        gamma = torch.exp(change.gamma * spread[:, 0])
        contrast = 1 + change.contrast * spread[:, 1]
        saturation = 1 + change.saturation * spread[:, 2, 0]
        saturation[torch.rand(count, generator=random, device=place) < change.grey] = 0
        values = torch.linspace(0, 1, 256, device=place) ** gamma
        values = (values - 0.5) * contrast + 0.5 + change.brightness * spread[:, 3] / 2
        tint = 1 + change.tint * spread[:, 4:]
        return cls((values[:, None] * tint).clamp_(0, 1), saturation)

    def select(self, chosen: Tensor) -> "_Light":
        """Return the changes of the chosen pictures only."""
        return _Light(self.table[chosen], self.saturation[chosen])

    def apply_to(self, colours: Tensor) -> Tensor:
        """Return changed colours (N, 3, H, W) 0 … 1 of colours (N, H, W, 3) uint8."""
        count, height, width, _ = colours.shape
        # Channel by channel, and a look-up for the power: a fifth of the time.
        place = torch.arange(3 * count, device=colours.device, dtype=torch.int32) * 256
        at = colours.permute(0, 3, 1, 2).contiguous().int() + place.reshape(count, 3, 1, 1)
        changed = self.table.reshape(-1).index_select(0, at.reshape(-1))
        changed = changed.reshape(count, 3, height, width)
        red, green, blue = torch.split(changed, 1, dim=1)
        grey = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue
        return torch.lerp(grey, changed, self.saturation[:, None, None, None]).clamp_(0, 1)


def _soften_some(picture: Tensor, change: PhotometricSettings, random: torch.Generator) -> None:
    """Make some pictures a little softer or sharper, so little that alpha stays true."""
    draw = torch.rand((len(picture), 2), generator=random, device=picture.device)
    chosen = torch.nonzero(draw[:, 0] < change.softened)[:, 0]
    if not len(chosen):
        return
    sharp = picture[chosen]
    line = torch.tensor(BINOMIAL, device=picture.device)
    kernel = (line[:, None] * line).expand(3, 1, 3, 3)
    soft = F.conv2d(F.pad(sharp, (1, 1, 1, 1), mode="replicate"), kernel, groups=3)
    part = draw[chosen, 1] * 1.1 - 0.5
    picture[chosen] = torch.lerp(sharp, soft, part[:, None, None, None])


def _add_noise_to_some(
    picture: Tensor, change: PhotometricSettings, random: torch.Generator
) -> None:
    """Add normal noise to a random part of the pictures (N, 3, H, W), in place."""
    draw = torch.rand((len(picture), 2), generator=random, device=picture.device)
    chosen = torch.nonzero(draw[:, 0] < change.noisy)[:, 0]
    if not len(chosen):
        return
    noise = torch.randn((len(chosen), *picture.shape[1:]), generator=random, device=picture.device)
    picture[chosen] += noise * (change.noise * draw[chosen, 1])[:, None, None, None]
