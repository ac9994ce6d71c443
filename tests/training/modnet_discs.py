"""Soft bright discs on dark noise: what a tiny MODNet learns in a few steps."""

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import torch

from matte.datasets.samples import Sample
from matte.modnet.network import ModnetInfo, ModnetNetwork, build_network
from matte.training.collection import Collection
from matte.training.modnet import ModnetTask
from matte.training.modnet_losses import BranchedModnet
from matte.training.modnet_settings import ModnetRecipe
from matte.training.settings import DataSet, RunSettings
from matte.training.synthesis.matte_samples import MatteSample

INFO = ModnetInfo("mobilenetv3_small_050", "e_aspp", 0.25, size=64)
SETTINGS = ModnetRecipe(
    (DataSet("discs", "alphas"),),
    encoder=INFO.encoder,
    context=INFO.context,
    width=INFO.width,
    sizes=(64,),
    reference=INFO.size,
    run=RunSettings(
        batch=4,
        steps=4,
        learning_rate=5e-3,
        encoder_rate=1.0,
        warm_up=0.0,
        average=0.5,
        validate_every=2,
    ),
)


def disc(seed: int, height: int = 64, width: int = 64) -> Sample:
    """One with its true alpha."""
    random = np.random.default_rng(seed)
    centre = (int(random.integers(20, width - 20)), int(random.integers(20, height - 20)))
    alpha = np.zeros((height, width), np.uint8)
    cv2.circle(alpha, centre, 16, 255, -1)
    alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), 1.5), np.uint8)
    dark = random.integers(0, 80, (height, width, 3)).astype(np.uint8)
    picture = np.asarray(dark + (alpha * 0.6).astype(np.uint8)[:, :, None], np.uint8)
    return Sample(f"{seed:02}", "alpha", picture, alpha)


class Discs:
    """Samples of discs; one in four with a mask only."""

    def sample(self, size: tuple[int, int], random: np.random.Generator) -> MatteSample:
        made = disc(int(random.integers(1000)), *size)
        exact = bool(random.random() < 0.75)
        alpha = made.truth if exact else np.where(made.truth > 127, 255, 0).astype(np.uint8)
        return MatteSample(made.picture, alpha, np.ones(size, np.uint8), exact)


def network(seed: int = 1) -> ModnetNetwork:
    torch.manual_seed(seed)
    return build_network(INFO)


def task(settings: ModnetRecipe = SETTINGS, **run: Any) -> ModnetTask:
    settings = replace(settings, run=replace(settings.run, **run))
    held_back = tuple(("discs", disc(seed)) for seed in range(2000, 2003))
    return ModnetTask(settings, BranchedModnet(network()), Discs(), Collection((), held_back, ()))
