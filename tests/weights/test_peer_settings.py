import math
from dataclasses import replace
from pathlib import Path

import pytest

from matte.configs.tables import from_table
from matte.errors import SettingError
from matte.weights.peer_settings import (
    PeerSettings,
    named_rules,
    read_peer_settings,
    rule_named,
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not complete"),
        ('file = "first.onnx"\nsize = 9999', "size = 9999: give 0"),
        ('file = "first.onnx"\noutput = -1', "output = -1: count from 0"),
        ("file = 3", "file = 3: give text"),
        ('file = "first.onnx"\nmean = [nan]', "mean = .nan.: give finite numbers"),
        ('file = "first.onnx"\nscale = [1.0, inf, 1.0]', "scale = .* give finite numbers"),
        ('file = "first.onnx"\ntile = 64', "tile = 64: give 0, or a multiple of 1 from 128"),
        ('file = "first.onnx"\nmultiple = 32\ntile = 200', "tile = 200: give 0, or a multiple"),
        ('file = "first.onnx"\nfilter = "cubic"', "filter = 'cubic'"),
        ('file = "first.onnx"\nrule = "isnt"', "no rule 'isnt': did you mean 'isnet'"),
        ('file = "first.onnx"\nrule = "modnet"', "rule = 'modnet': name one that says"),
        ('file = "first.onnx"\nrule = 3', "rule = 3: name one that says"),
    ],
)
def test_a_toml_that_describes_no_network_is_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    toml = tmp_path / "peer.toml"
    toml.write_text(text)
    with pytest.raises(SettingError, match=message) as caught:
        read_peer_settings(toml)
    assert str(toml) in str(caught.value)


def test_a_toml_may_change_a_rule(tmp_path: Path) -> None:
    toml = tmp_path / "peer.toml"
    toml.write_text('file = "x.onnx"\nrule = "u2net"\nsize = 512\n')
    base = rule_named("u2net").peer
    assert base is not None
    assert read_peer_settings(toml) == replace(base, file="x.onnx", size=512)


def test_a_rule_alone_needs_no_file(tmp_path: Path) -> None:
    toml = tmp_path / "rule.toml"
    toml.write_text("size = 256\n")
    assert read_peer_settings(toml, needs_file=False) == PeerSettings(size=256)


def test_every_rule_is_whole() -> None:
    rules = named_rules()
    assert set(rules) >= {"u2net", "isnet", "birefnet", "vitmatte", "modnet"}
    for name, rule in rules.items():
        assert rule.about
        assert rule.source
        assert (rule.peer is None) == (name == "modnet")
        assert rule.peer is None or (rule.peer.trimap != "none") == (rule.kind == "refiner")
        assert rule.peer is None or not rule.peer.file


def test_the_rules_numbers_are_the_published_ones() -> None:
    for name in ("u2net", "birefnet", "vitmatte", "rmbg-2.0"):
        peer = rule_named(name).peer
        assert peer is not None
        assert peer.mean == pytest.approx([255 * mean for mean in (0.485, 0.456, 0.406)])
        assert peer.scale == pytest.approx([1 / (255 * s) for s in (0.229, 0.224, 0.225)], 1e-7)
    isnet = rule_named("isnet").peer
    assert isnet is not None
    assert isnet.scale[0] * (255 - isnet.mean[0]) == pytest.approx(0.5)


def test_a_table_has_what_differs_and_gives_it_back() -> None:
    assert PeerSettings().as_table() == {}
    for rule in named_rules().values():
        if rule.peer is not None:
            assert from_table(PeerSettings, rule.peer.as_table(), "peer") == rule.peer
    assert PeerSettings(size=3, mean=(1.0,)).as_table() == {"size": 3, "mean": [1.0]}
    assert math.isclose(PeerSettings().scale[0], 1 / 255)
