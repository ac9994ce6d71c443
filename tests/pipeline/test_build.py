"""From settings to a pipeline: which stages, which networks, which refiner a video gets."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matte.arrays import Image
from matte.configs.loader import merge_settings
from matte.errors import MissingWeightsError, NamedNetworkError, SettingError, WeightsError
from matte.pipeline.build import build, build_two_stage, max_pixels, pipeline_for_video
from matte.pipeline.line import MissingSegmenter, TrimapFree
from matte.pipeline.networks import NetworkOpener, open_network
from matte.refiner.guided import Guided
from matte.runtime.mirrored import MirroredSession
from matte.runtime.session import trained_size
from tests.conftest import disc
from tests.evaluation.conftest import Write

IMAGE, _ = disc(64, 80)
QUICK = {"backend": "onnx", "precision": "fp32", "threads": 1}


def test_the_loaded_networks_stand_in_the_facts() -> None:
    merged = merge_settings("fast", flags=QUICK)
    facts = build(merged, NetworkOpener(merged.config)).facts
    assert list(facts) == ["matte", "preset", "settings", "networks"]
    assert {kind: row["name"] for kind, row in facts["networks"].items()} == {
        "refiner": "gca-slim-plain",
        "segmenter": "subject-light",
    }
    for row in facts["networks"].values():
        assert len(row["sha256"]) == 64
        assert (row["backend"], row["precision"]) == ("onnx", "fp32")


def test_video_has_the_refiner_that_its_settings_name() -> None:
    """What is reported is what runs: the fast preset refines video by guided filters."""
    photos = build(merge_settings("fast", flags={**QUICK, "segmenter": "person-light"}))
    video = pipeline_for_video(photos)
    assert set(photos.facts["networks"]) == {"refiner", "segmenter"}
    assert set(video.facts["networks"]) == {"segmenter"}
    assert video.config.refiner.refiner == "guided"
    assert video.facts["settings"]["refiner"] == "guided"
    assert video.line.segmenter is photos.line.segmenter, "the network stays loaded"
    assert pipeline_for_video(video) is video


def test_pictures_may_be_seen_twice_by_both_networks() -> None:
    once: Any = build(merge_settings("balanced", flags=QUICK)).line
    twice: Any = build(merge_settings("best", flags=QUICK)).line
    assert isinstance(twice.segmenter.session, MirroredSession)
    assert isinstance(twice.refiner.session, MirroredSession)
    found = [line.segmenter.segment(IMAGE).confidence for line in (once, twice)]
    back = once.segmenter.segment(Image(IMAGE[:, ::-1].copy())).confidence[:, ::-1]
    assert np.abs(found[1] - (found[0] + back) / 2).max() < 1e-3
    assert np.abs(found[1] - found[0]).max() > 1e-3
    named = {**QUICK, "segmenter": "person-light", "refiner": "guided"}
    merged = merge_settings("best", flags=named)
    video: Any = pipeline_for_video(build(merged)).line
    assert not isinstance(video.segmenter.session, MirroredSession)


def test_a_modnet_needs_neither_segmenter_nor_refiner() -> None:
    pipeline = build(merge_settings("fast", flags={**QUICK, "modnet": "modnet"}))
    assert isinstance(pipeline.line, TrimapFree)
    assert set(pipeline.facts["networks"]) == {"modnet"}
    assert set(pipeline_for_video(pipeline).facts["networks"]) == {"modnet"}


def test_a_run_without_a_mask_refuses_to_clean_one() -> None:
    flags = {**QUICK, "modnet": "modnet", "fill_holes": 0.01}
    with pytest.raises(SettingError, match="makes no mask, so --fill-holes means nothing: leave"):
        build(merge_settings("fast", flags=flags))


def test_a_missing_segmenter_fails_only_a_run_that_needs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(kind: str, name: str, *_: object) -> object:
        if kind == "segmenter":
            raise MissingWeightsError("no person-light.onnx", "install matte again")
        return open_network(kind, name, merged.config.runtime)

    merged = merge_settings("fast", flags=QUICK)
    opener = NetworkOpener(merged.config)
    monkeypatch.setattr(opener, "network", missing)
    line = build_two_stage(merged.config, opener)
    assert isinstance(line.segmenter, MissingSegmenter)
    assert set(line.network_facts) == {"refiner"}


def test_filters_are_refiners_without_a_network() -> None:
    line = build_two_stage(merge_settings("fast", flags={**QUICK, "refiner": "guided"}).config)
    assert isinstance(line.refiner, Guided)
    assert set(line.network_facts) == {"segmenter"}


def test_pictures_are_as_large_as_settings_and_memory_allow() -> None:
    few = merge_settings("fast", flags={"max_pixels": 1000}).config
    assert max_pixels(few) == 1000
    little = merge_settings("fast", flags={"max_memory": "600MB"}).config
    assert max_pixels(little) < 200_000_000


def test_torch_runs_shipped_networks_and_refuses_strangers(linear_network: Write) -> None:
    exact = {"precision": "fp32"}
    settings = merge_settings("fast", flags={"backend": "torch", **exact}).config.runtime
    picture = {"image": np.random.default_rng(0).random((1, 3, 64, 96), np.float32)}
    plain = merge_settings("fast", flags={"backend": "onnx", **exact}).config.runtime
    by_torch, by_onnx = (
        open_network("segmenter", "person-light", each).session for each in (settings, plain)
    )
    assert by_torch.execution.backend == "torch"
    assert trained_size(by_torch) == trained_size(by_onnx)
    assert by_torch.inputs == by_onnx.inputs
    (found,), (expected,) = (each.run(picture).values() for each in (by_torch, by_onnx))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    odd = str(linear_network("odd", [[9.0, 0, 0]], [-3.0]))
    with pytest.raises(WeightsError, match="has no torch weights: use --backend onnx or openvino"):
        open_network("segmenter", odd, settings)


def test_a_named_segmenter_that_gives_no_confidence_is_an_error(linear_network: Write) -> None:
    """MODNet takes over only for what nobody named."""
    odd = str(linear_network("odd", [[9.0, 0, 0]], [-3.0]))
    pipeline = build(merge_settings("fast", flags={**QUICK, "segmenter": odd}))
    with pytest.raises(NamedNetworkError, match=r"odd\.onnx can't be the segmenter .*: give a seg"):
        pipeline(IMAGE)


def test_a_named_network_whose_file_is_missing_is_an_error() -> None:
    with pytest.raises(MissingWeightsError, match="matte weights download modnet-photographic"):
        build(merge_settings("fast", flags={**QUICK, "modnet": "modnet-photographic"}))


def test_a_peers_toml_works_as_a_segmenter_and_as_a_modnet(
    linear_network: Write, tmp_path: Path
) -> None:
    linear_network("red", [[1.0, 0, 0]], [0.0])
    toml = tmp_path / "peer.toml"
    toml.write_text('file = "red.onnx"\nsize = 64\n')
    red = Image(np.zeros((64, 64, 3), np.uint8))
    red[16:48, 16:48, 0] = 255
    for kind in ("segmenter", "modnet"):
        flags = {**QUICK, "refiner": "guided", "k": 3, "iterations": 1, kind: str(toml)}
        pipeline = build(merge_settings("fast", flags=flags))
        assert pipeline(red).alpha[32, 32] == 1
        assert pipeline.facts["networks"][kind]["name"] == "peer"
    toml.write_text('file = "red.onnx"\ntrimap = "levels"\n')
    with pytest.raises(SettingError, match="peer needs a trimap, and a segmenter gets none"):
        build(merge_settings("fast", flags={**QUICK, "segmenter": str(toml)}))


def test_a_peers_toml_works_as_a_refiner(linear_network: Write, tmp_path: Path) -> None:
    linear_network("half", [[0, 0, 0, 0.5]], [0.1], shape=(1, 4, "h", "w"))
    toml = tmp_path / "peer.toml"
    toml.write_text('file = "half.onnx"\ntrimap = "levels"\n')
    pipeline = build(merge_settings("fast", flags={**QUICK, "refiner": str(toml)}))
    trimap = np.zeros((64, 80), np.uint8)
    trimap[:, 20:40], trimap[:, 40:] = 128, 255
    alpha = pipeline(IMAGE, trimap=trimap).alpha
    assert alpha[5, 30] == pytest.approx(0.35)
