from dataclasses import replace

import pytest
import torch
from torch import Tensor

from matte.errors import SettingError
from matte.training.synthesis.photometric import PhotometricSettings, change_photometry

STILL = PhotometricSettings(0, 0, 0, 0, 0, grey=0, softened=0, noisy=0, noise=0)


def batch(seed: int = 0, count: int = 6) -> dict[str, Tensor]:
    random = torch.Generator().manual_seed(1)
    foreground, background = (
        torch.randint(0, 256, (count, 20, 28, 3), generator=random, dtype=torch.uint8)
        for _ in range(2)
    )
    layered = torch.arange(count) % 2 == 0
    background[~layered] = foreground[~layered]
    alpha = torch.randint(0, 256, (count, 20, 28), generator=random, dtype=torch.uint8)
    return {
        "foreground": foreground,
        "background": background,
        "alpha": alpha,
        "layered": layered,
        "seed": torch.tensor(seed),
    }


def test_without_change_it_composes() -> None:
    given = batch()
    picture, foreground, background = change_photometry(given, STILL)
    assert picture.shape == (6, 3, 20, 28)
    assert picture.dtype == torch.float32
    a = given["alpha"][..., None] / 255
    wanted = (a * given["foreground"] + (1 - a) * given["background"]).permute(0, 3, 1, 2)
    assert (picture * 255 - wanted).abs().max() <= 0.501
    assert torch.allclose(foreground * 255, given["foreground"].permute(0, 3, 1, 2).float())
    assert torch.allclose(background * 255, given["background"].permute(0, 3, 1, 2).float())


def test_pictures_have_256_steps_also_under_autocast() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        picture, foreground, _ = change_photometry(batch())
    assert foreground.dtype == torch.float32
    steps = picture * 255
    assert (steps - steps.round()).abs().max() < 1e-3
    assert (picture >= 0).all()
    assert (picture <= 1).all()
    assert torch.equal(picture, change_photometry(batch())[0])


def test_layers_change_apart_and_real_pictures_as_one() -> None:
    given = batch()
    given["background"] = given["foreground"]
    _, foreground, background = change_photometry(given)
    apart = (foreground - background).abs().amax(dim=(1, 2, 3)) > 0.01
    assert torch.equal(apart, given["layered"])


def test_real_pictures_do_not_depend_on_their_alpha() -> None:
    given, other = batch(), batch()
    other["alpha"] = 255 - other["alpha"]
    quiet = PhotometricSettings(softened=0, noisy=0)
    one, two = change_photometry(given, quiet)[0], change_photometry(other, quiet)[0]
    real = ~given["layered"]
    assert (one[real] - two[real]).abs().max() < 1.01 / 255
    assert (one[~real] - two[~real]).abs().max() > 0.1


def test_the_seed_decides_everything() -> None:
    for a, b in zip(change_photometry(batch(3)), change_photometry(batch(3)), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(change_photometry(batch(3))[0], change_photometry(batch(4))[0])


@pytest.mark.parametrize("change", [replace(STILL, softened=1), replace(STILL, noisy=1, noise=0.1)])
def test_softness_and_noise_change_the_picture_only(change: PhotometricSettings) -> None:
    given = batch()
    picture, foreground, _ = change_photometry(given, STILL)
    changed, same, _ = change_photometry(given, change)
    assert torch.equal(foreground, same)
    difference = (changed - picture).abs().amax(dim=(1, 2, 3))
    assert (difference > 0).all()
    assert difference.max() < 0.8


def test_grey_pictures_are_grey() -> None:
    grey = change_photometry(batch(), replace(STILL, grey=1))[1]
    assert (grey.amax(dim=1) - grey.amin(dim=1)).max() < 1e-5


def test_ranges_are_checked() -> None:
    with pytest.raises(SettingError, match=r"gamma = 1\.5"):
        PhotometricSettings(gamma=1.5)
