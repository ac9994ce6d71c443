"""Other people's ONNX files become networks of the store, with their rules."""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from matte.configs.loader import merge_settings
from matte.conversion.network_import import import_weights
from matte.conversion.onnx_import import import_onnx, is_plain_import
from matte.errors import MatteError, SettingError, WeightsError
from matte.pipeline.build import build
from matte.runtime import trial
from matte.weights import store as weights_store
from matte.weights.peer_settings import PeerSettings, rule_named
from matte.weights.store import CATALOGUE, all_weights, find_weights, weights_named
from tests.commands import HEAVY, loaded_by, run
from tests.conftest import disc, save
from tests.hostile_networks import endless_loop
from tests.tiny_networks import patches, pointwise, two_inputs

IMAGE, _ = disc(64, 80)
QUICK = {"backend": "onnx", "threads": 1, "fallback": "none"}


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MATTE_HOME", str(tmp_path / "home"))
    return tmp_path / "home/weights"


def contents(folder: Path) -> dict[str, bytes]:
    found = folder.iterdir() if folder.exists() else ()
    return {path.name: path.read_bytes() for path in found}


def test_a_network_with_a_rule_works_by_its_name(tmp_path: Path, store: Path) -> None:
    network = pointwise(tmp_path / "net.onnx", (1, 3, 320, 320), maps=7, bias=0.5)
    done = import_onnx(network, "mine", rule="u2net")
    assert (done.weights.kind, done.weights.rule) == ("segmenter", "u2net")
    assert done.weights.parameters == 4, "three weights and a bias"
    assert find_weights("segmenter", "mine").peer == rule_named("u2net").peer
    network.unlink()
    for flags in ({"segmenter": "mine", "refiner": "guided"}, {"modnet": "mine"}):
        pipeline = build(merge_settings("fast", flags={**QUICK, **flags, "k": 3, "iterations": 1}))
        assert pipeline(IMAGE).alpha.shape == (64, 80)
        (row,) = [row for row in pipeline.facts["networks"].values() if row["name"] == "mine"]
        assert row["sha256"] == done.weights.sha256


def test_a_refiner_with_a_rule_works_by_its_name(tmp_path: Path) -> None:
    import_onnx(patches(tmp_path / "net.onnx"), "vit", rule="vitmatte")
    pipeline = build(merge_settings("fast", flags={**QUICK, "refiner": "vit"}))
    trimap = np.zeros((64, 80), np.uint8)
    trimap[:, 20:40], trimap[:, 40:] = 128, 255
    alpha = pipeline(IMAGE, trimap=trimap).alpha
    assert 0 < alpha[5, 30] < 1
    assert (alpha[:, 40:] == 1).all()


def test_a_toml_is_a_rule_too(tmp_path: Path) -> None:
    toml = tmp_path / "rule.toml"
    toml.write_text('name = "theirs"\nfile = "elsewhere.onnx"\nsize = 64\nactivation = "sigmoid"\n')
    import_onnx(pointwise(tmp_path / "net.onnx"), "mine", rule=str(toml))
    expected = PeerSettings(size=64, activation="sigmoid")
    assert find_weights("segmenter", "mine").peer == expected
    toml.write_text('trimap = "levels"\n')
    import_onnx(two_inputs(tmp_path / "two.onnx"), "two", rule=str(toml))
    assert weights_named("two").kind == "refiner"


def test_a_modnet_of_any_names_goes_by_the_rule_of_modnet(tmp_path: Path) -> None:
    network = pointwise(tmp_path / "net.onnx", probability=True)
    import_onnx(network, "mod", rule="modnet")
    found = find_weights("modnet", "mod")
    assert (found.peer, found.rule) == (None, "modnet")


def test_what_the_catalogue_publishes_is_known_by_its_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = pointwise(tmp_path / "net.onnx", (1, 3, 320, 320), bias=-1)
    row = {
        "file": "net.onnx",
        "kind": "segmenter",
        "architecture": "theirs",
        "rule": "birefnet",
        "url": "https://example.org/net.onnx",
        "published_hash": f"md5:{hashlib.md5(network.read_bytes()).hexdigest()}",
        "licence": "MIT",
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in row.items()]
    (tmp_path / CATALOGUE).write_text("\n".join(["[published]", *lines, ""]))
    monkeypatch.setattr(weights_store, "SHIPPED_FOLDER", tmp_path)
    monkeypatch.setattr("matte.conversion.onnx_import.open_session", None)  # it needs no trial
    done = import_onnx(network, "published")
    assert (done.weights.rule, done.weights.licence) == ("birefnet", "MIT")
    assert find_weights("segmenter", "published").peer == rule_named("birefnet").peer
    other = import_onnx(network, "otherwise", rule="isnet").weights
    assert (other.rule, other.architecture) == ("isnet", "theirs")


def test_what_may_be_u2net_is_looked_at_by_its_layers(tmp_path: Path) -> None:
    """It becomes a network of matte's own, which takes torch, unless there is a rule."""
    seven = pointwise(tmp_path / "seven.onnx", maps=7)
    assert not is_plain_import(seven)
    assert is_plain_import(seven, "u2net")
    assert is_plain_import(pointwise(tmp_path / "six.onnx", maps=6))
    assert not is_plain_import(tmp_path / "net.pth")
    free = pointwise(tmp_path / "free.onnx", probability=True)
    assert import_weights(free, rule="modnet").weights.kind == "modnet"
    with pytest.raises(WeightsError, match="describe that in a TOML"):
        import_weights(seven)


def test_without_a_rule_the_error_names_the_command(tmp_path: Path, store: Path) -> None:
    network = pointwise(tmp_path / "net.onnx", (1, 3, 320, 320), maps=7)
    with pytest.raises(WeightsError, match=f"import {network} --rule u2net --as mine"):
        import_onnx(network, "mine")
    assert contents(store) == {}


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("u2nett", "no rule 'u2nett': did you mean 'u2net'.*; or give a TOML file"),
        ("none.toml", r"can't read none\.toml"),
        ("vitmatte", "does not go by this rule .*: give another --rule, or a TOML"),
        ("plain.toml", "does not go by this rule .*: set its 'activation', so that"),
        ("rmbg-2.0", r"net\.onnx does not go by this rule \(mine gives .*\): give another --rule"),
    ],
)
def test_a_rule_that_does_not_fit_stores_nothing(
    tmp_path: Path, store: Path, rule: str, message: str
) -> None:
    network = pointwise(tmp_path / "net.onnx", (1, 3, 64, 64), bias=9)
    (tmp_path / "plain.toml").write_text("size = 64\n")
    rule = str(tmp_path / rule) if rule == "plain.toml" else rule
    with pytest.raises(MatteError, match=message) as caught:
        import_onnx(network, "mine", rule=rule)
    assert "\n" not in str(caught.value)
    assert contents(store) == {}


def test_a_broken_toml_rule_stores_nothing(tmp_path: Path, store: Path) -> None:
    toml = tmp_path / "rule.toml"
    for text in ("mean = [nan]", "x = 1", "[[", "size = -1", "multiple = 0"):
        toml.write_text(text)
        with pytest.raises(SettingError):
            import_onnx(pointwise(tmp_path / "net.onnx"), "mine", rule=str(toml))
    assert contents(store) == {}


@pytest.mark.parametrize("rule", ["u2net", ""])
def test_damaged_files_store_nothing(tmp_path: Path, store: Path, rule: str) -> None:
    whole = pointwise(tmp_path / "whole.onnx", (1, 3, 64, 64)).read_bytes()
    bad = tmp_path / "bad.onnx"
    for data in (b"", b"text", whole[:-1], whole[: len(whole) // 2], b"\x3a\x00", whole[5:]):
        bad.write_bytes(data)
        with pytest.raises(MatteError) as caught:
            import_onnx(bad, "mine", rule=rule)
        assert "\n" not in str(caught.value)
    assert contents(store) == {}
    assert set(all_weights()) & {"mine", "bad"} == set()


@pytest.mark.parametrize("rule", ["u2net", ""])
def test_weights_in_other_files_are_refused(tmp_path: Path, store: Path, rule: str) -> None:
    model = onnx.load(pointwise(tmp_path / "net.onnx", (1, 3, 64, 64)))
    outside = tmp_path / "out.onnx"
    onnx.save(model, outside, save_as_external_data=True, location="w.bin", size_threshold=0)
    with pytest.raises(WeightsError, match=r"keeps weights in other files \(w\.bin\): save it as"):
        import_onnx(outside, "mine", rule=rule)
    outside.write_bytes(outside.read_bytes().replace(b"w.bin", b"../.."))
    with pytest.raises(WeightsError, match="names a file outside its folder"):
        import_onnx(outside, "mine", rule=rule)
    assert contents(store) == {}


def test_a_hostile_network_ends_in_a_real_child_and_is_not_stored(
    tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matte.runtime.opener.ensure_tried", trial.ensure_tried)
    monkeypatch.setattr(trial, "trial_seconds", lambda _: 1)
    with pytest.raises(WeightsError, match="does not end"):
        import_onnx(endless_loop(tmp_path / "loop.onnx"), "mine", rule="birefnet")
    assert contents(store) == {}


def test_the_command_needs_no_torch(tmp_path: Path) -> None:
    network = pointwise(tmp_path / "net.onnx", (1, 3, 64, 64))
    words = ("weights", "import", network, "--rule", "birefnet", "--as", "mine")
    assert not loaded_by(*words) & (HEAVY | {"onnx", "openvino"})
    result = run(*words, "--overwrite")
    assert result.stdout == "mine: segmenter, an ONNX file; rule birefnet; stored as it is\n"
    photo = save(tmp_path / "photo.png", IMAGE)
    flags = ("--modnet", "mine", "--backend", "onnx", "--alpha", tmp_path / "a.png")
    assert run(photo, *flags).exit_code == 0
