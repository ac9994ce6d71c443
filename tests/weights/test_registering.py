import tomllib
from pathlib import Path

import pytest

from matte.errors import OutputError
from matte.weights.peer_settings import PeerSettings, rule_named
from matte.weights.registering import is_registered, register_weights
from matte.weights.store import Weights, all_weights


def test_a_replaced_network_leaves_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for those that another network has, too."""
    monkeypatch.setenv("MATTE_HOME", str(tmp_path))
    store, made = tmp_path / "weights", tmp_path / "made"
    made.mkdir()
    store.mkdir()

    def register(name: str, *files: str) -> None:
        for file in files:
            (made / file).write_text(name)
        file, checkpoint, int8 = (*files, "", "")[:3]
        weights = Weights(file, "modnet", checkpoint=checkpoint, int8=int8)
        register_weights(name, weights, sorted(made.iterdir()))
        assert list(made.iterdir()) == []

    register("first", "a.onnx", "a.safetensors", "shared.onnx")
    register("second", "b.onnx", "b.safetensors", "shared.onnx")
    register("first", "a.onnx")
    names = {path.name for path in store.iterdir()}
    assert names == {"manifest.toml", "a.onnx", "b.onnx", "b.safetensors", "shared.onnx"}
    (made / "b.onnx").write_text("third")
    with pytest.raises(OutputError, match=r"b\.onnx exists"):
        register_weights("third", Weights("b.onnx", "modnet"), [made / "b.onnx"], overwrite=False)
    assert (store / "b.onnx").read_text() == "second"
    assert "third" not in all_weights()


def test_a_row_carries_its_rule(store: Path) -> None:
    plain, isnet = PeerSettings(), rule_named("isnet").peer
    register_weights("plain", Weights("plain.onnx", "segmenter", peer=plain))
    register_weights("isnet", Weights("isnet.onnx", "segmenter", rule="isnet", peer=isnet))
    register_weights("own", Weights("own.onnx", "segmenter"))
    found = all_weights()
    assert [found[name].peer for name in ("plain", "isnet", "own")] == [plain, isnet, None]
    assert "one" in found, "what was listed stays so"


def test_whatever_a_text_holds_the_manifest_can_be_read(store: Path) -> None:
    odd = 'a "b" \\ \n \x7f \u2028 é 😀'
    register_weights("odd", Weights("odd.onnx", "segmenter", origin=odd, peer=PeerSettings()))
    assert tomllib.loads((store / "manifest.toml").read_text())["odd"]["origin"] == odd


def test_a_network_is_registered_by_name(store: Path) -> None:
    assert is_registered("one")
    assert not is_registered("u2netp"), "the catalogue has it"
    (store / "manifest.toml").unlink()
    assert not is_registered("one")
