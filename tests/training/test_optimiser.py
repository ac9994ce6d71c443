from dataclasses import replace

import pytest
from torch import nn

from matte.errors import SettingError
from matte.training.optimiser import build_optimiser, set_learning_rate
from matte.training.settings import RunSettings

SETTINGS = RunSettings(learning_rate=0.1, encoder_rate=0.5, weight_decay=0.01)


def network() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Conv2d(2, 1, 1))


def test_norms_and_biases_do_not_decay_and_the_encoder_has_a_rate_of_its_own() -> None:
    layers = network()
    optimiser = build_optimiser(layers, layers[0], SETTINGS)
    set_learning_rate(optimiser, 1.0)
    found = {
        id(parameter): (group["lr"], group["weight_decay"])
        for group in optimiser.param_groups
        for parameter in group["params"]
    }
    first, norm, last = layers
    assert found[id(first.weight)] == (0.5, 0.01)
    assert found[id(first.bias)] == (0.5, 0)
    assert found[id(norm.weight)] == (1, 0)
    assert found[id(last.weight)] == (1, 0.01)


def test_amsgrad_is_chosen_by_the_recipe() -> None:
    for name in ("adamw", "amsgrad"):
        optimiser = build_optimiser(network(), None, replace(SETTINGS, optimiser=name))
        assert optimiser.defaults["amsgrad"] == (name == "amsgrad")


def test_frozen_parameters_are_left_out_and_some_must_be_left() -> None:
    layers = network()
    layers[0].requires_grad_(False)
    groups = build_optimiser(layers, None, SETTINGS).param_groups
    assert sum(len(group["params"]) for group in groups) == 4
    with pytest.raises(SettingError, match="freeze = 3 leaves nothing to train: freeze less"):
        build_optimiser(layers.requires_grad_(False), None, replace(SETTINGS, freeze=3))
