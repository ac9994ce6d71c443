import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from matte.compositing.backgrounds import PictureFile
from matte.fleet.request import FleetRequest, with_absolute_paths
from matte.photos.fingerprint import run_fingerprint
from matte.photos.finishing import FinishOptions
from matte.photos.run_file import RunHistory, check_fingerprint
from matte.runtime.execution import Execution
from tests.fleet.clusters import variant


def test_a_request_goes_to_workers_whole(tmp_path: Path) -> None:
    pinned = {"": {"segmenter person": Execution("onnx", "cpu", "fp32", "as asked")}}
    request = FleetRequest(tmp_path, (variant(tmp_path),)).with_executions(pinned)
    sent = pickle.loads(pickle.dumps(request))
    assert sent.variant("").executions == pinned[""]
    assert sent.fingerprints == request.fingerprints
    assert request.fingerprints[""]["executions"] == {"segmenter person": "onnx cpu fp32"}


def test_runs_on_one_machine_go_on_with_a_fleets_and_the_other_way(tmp_path: Path) -> None:
    made = variant(tmp_path)
    alone = run_fingerprint(made.settings, made.finish, made.ending)
    pinned = replace(made, executions={"segmenter person": Execution("onnx")})
    for fleet in (made.fingerprint(has_clips=True), pinned.fingerprint(has_clips=False)):
        check_fingerprint(RunHistory({}, alone), fleet)
        check_fingerprint(RunHistory({}, fleet), alone)


def test_clips_depend_on_the_settings_of_videos(tmp_path: Path) -> None:
    made = variant(tmp_path).fingerprint(has_clips=True)
    assert made["video"]["segment_every"] == 6


def test_workers_find_a_background_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = with_absolute_paths(FinishOptions(PictureFile(Path("beach.jpg"))))
    assert found.background == PictureFile(tmp_path / "beach.jpg")
    assert with_absolute_paths(FinishOptions()) == FinishOptions()
