import pytest

from matte.configs.loader import merge_settings
from matte.gpu import build, choice
from matte.gpu.photo_line import DevicePhotoLine
from matte.pipeline.run import BuiltPipeline
from tests.gpu.lines import line


def test_photos_stay_on_the_processor_with_their_networks() -> None:
    asked = {"device": "cpu", "backend": "onnx", "precision": "fp32"}
    pipeline = build.build_for_photos(merge_settings("fast", flags=asked))
    assert not isinstance(pipeline.line, DevicePhotoLine)


def test_photos_follow_their_networks_to_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    merged = merge_settings("fast")
    built = BuiltPipeline(line(merged.config), merged)
    monkeypatch.setattr("matte.pipeline.build.build", lambda *_: built)
    monkeypatch.setattr(choice, "no_torch_gpu_reason", str)
    found = build.build_for_photos(merged).line
    assert isinstance(found, DevicePhotoLine)
    assert found.network_facts == built.line.network_facts
