"""What users own becomes a network of the store."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

import matte
from matte.configs.places import weights_folder
from matte.conversion import network_import
from matte.conversion.network_import import import_weights
from matte.errors import MatteError
from matte.media.pictures import read_alpha
from matte.modnet.checkpoint import save_network as save_modnet
from matte.modnet.network import ModnetInfo, ModnetNetwork, build_network
from matte.weights.store import all_weights, find_weights
from tests.commands import run
from tests.conftest import save
from tests.conversion.exports import NetworkExports

GOLDEN = Path(__file__).parents[1] / "golden"
SAMPLE = Path(matte.__file__).parent / "media" / "samples" / "astronaut.jpg"


@pytest.fixture(scope="module")
def store(exports: NetworkExports, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a small GCA and a small MODNet."""
    home: Path = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MATTE_HOME", str(home))
        import_weights(exports.refiner("gca").path, "my-gca")
        import_weights(exports.modnet("se_block").path, "my-modnet")
    return home


@pytest.fixture(autouse=True)
def use_store(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATTE_HOME", str(store))


def test_official_onnx_files_are_taken_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "modnet.onnx"
    file.write_bytes(find_weights("modnet", "my-modnet").path.read_bytes())
    done = import_weights(file, "from-onnx")
    assert (done.weights.kind, done.weights.checkpoint) == ("modnet", "")
    assert run("weights", "verify", "from-onnx").exit_code == 0


def test_files_of_the_official_onnx_run_at_once(tmp_path: Path) -> None:
    photo = save(tmp_path / "photo.png", np.full((64, 96, 3), 90, np.uint8))
    network = find_weights("modnet", "my-modnet").path
    words = ("--modnet", network, "--backend", "onnx", "--alpha", tmp_path / "a.npy")
    assert run(photo, *words).exit_code == 0
    assert read_alpha(tmp_path / "a.npy").shape == (64, 96)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["photo.png", "--modnet", "my-gca"], "no modnet 'my-gca'"),
        (["photo.png", "--refiner", "my-modnet"], "no refiner 'my-modnet'"),
        (
            ["photo.png", "--modnet", "my-modnet", "--refiner-protocol", "demo"],
            "a run with --modnet",
        ),
        (["weights", "path", "nothing"], "no network 'nothing'"),
        (["weights", "download", "person"], "'person' has no address"),
        (["weights", "import", "none.pth"], "can't read none.pth"),
        (["weights", "import", "photo.png"], "photo.png is not a checkpoint"),
        (["weights", "import", "other.pth"], "other.pth is no network that matte knows"),
        (["weights", "import", "other.pth", "--as", "a b"], "'a b' can't be a name"),
        (["weights", "import", "other.pth", "--as", "my-gca"], "'my-gca' is stored already"),
        (["weights", "import", "other.pth", "--as", "person"], "'person' is"),
        (["weights", "import", "text.onnx"], "text.onnx is not a whole ONNX file"),
    ],
)
def test_mistakes_get_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    save(Path("photo.png"), np.zeros((8, 8, 3), np.uint8))
    torch.save({"weight": torch.zeros(3)}, "other.pth")
    Path("text.onnx").write_text("text")
    result = run(*words)
    assert result.exit_code in (1, 2), result.output
    assert result.stderr.startswith(f"Error: {message}"), result.stderr
    assert result.stderr.count("\n") == 1


def test_a_modnet_of_ones_own_is_not_taken_for_the_official_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the official one's names."""
    monkeypatch.setenv("MATTE_HOME", str(tmp_path))
    file = tmp_path / "narrow.safetensors"
    save_modnet(build_network(ModnetInfo(width=0.25)), file)

    def export(network: ModnetNetwork, path: Path) -> str:
        path.write_bytes(b"exporting is tested elsewhere")
        return "exported"

    monkeypatch.setattr(network_import, "export_modnet", export)
    stored = import_weights(file).weights
    assert stored.architecture == "MODNet on mobilenetv2, width 0.25"
    assert stored.licence == ""


def test_a_failed_import_lists_nothing(tmp_path: Path) -> None:
    before = set(all_weights())
    torch.save({"weight": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(MatteError):
        import_weights(tmp_path / "other.pth", "other")
    assert set(all_weights()) == before


def small_network(path: Path, size: str) -> Path:
    """An ONNX file that says it is a segmenter, trained at this size."""
    image = onnx.helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, [1, 3, 32, 32])
    out = onnx.helper.make_tensor_value_info("out", onnx.TensorProto.FLOAT, [1, 1, 32, 32])
    node = onnx.helper.make_node("ReduceMean", ["image"], ["out"], axes=[1])
    graph = onnx.helper.make_graph([node], "small", [image], [out])
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8
    )
    onnx.helper.set_model_props(model, {"matte.kind": "segmenter", "matte.size": size})
    path.write_bytes(model.SerializeToString())
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_failed_import_leaves_the_store_as_it_was(tmp_path: Path, store: Path) -> None:
    import_weights(small_network(tmp_path / "good.onnx", "320"), "small")
    before = contents(store / "weights")
    bad = small_network(tmp_path / "bad.onnx", "1")  # the file is whole, what it says is not
    for name, overwrite in (("small", True), ("another", False)):
        with pytest.raises(MatteError, match=r"size is .1.: export it again"):
            import_weights(bad, name, overwrite)
        assert contents(store / "weights") == before


def test_a_store_that_can_not_be_listed_gets_no_files(
    tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest comes last: without it the network is not stored."""
    network = small_network(tmp_path / "good.onnx", "320")
    import_weights(network, "listed")
    before = contents(store / "weights")
    replace = Path.replace

    def full(old: Path, new: Path) -> Path:
        if new.name == "manifest.toml":
            raise OSError(28, "No space left on device")
        return replace(old, new)

    monkeypatch.setattr(Path, "replace", full)
    for name, overwrite in (("listed", True), ("another", False)):
        with pytest.raises(MatteError, match="No space left"):
            import_weights(small_network(network, "256"), name, overwrite)
        assert contents(store / "weights") == before


def test_keras_weights_become_a_segmenter(tmp_path: Path) -> None:
    """LikeUnet's published weights, branches and all, find the astronaut."""
    done = run("weights", "import", GOLDEN / "likeunet_dark_light_pre.h5", "--as", "dark-light")
    assert done.exit_code == 0, done.output
    assert "segmenter, likeunet-dark-light;" in done.stdout
    assert "MIT" in done.stdout
    mask = tmp_path / "mask.png"
    words = ("--segmenter", "dark-light", "--backend", "onnx", "--mask", mask)
    assert run(SAMPLE, *words, "-o", tmp_path / "cut.png", "--refiner", "smooth").exit_code == 0
    assert 0.3 < (read_alpha(mask) > 0.5).mean() < 0.6


def test_a_damaged_file_of_keras_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    stored = {path: path.stat().st_mtime_ns for path in weights_folder().iterdir()}
    whole = (GOLDEN / "likeunet_dark_light_pre.h5").read_bytes()
    file = tmp_path / "net.h5"
    for data in (whole[: len(whole) // 2], whole.replace(b"layer_names", b"layer_nomes")):
        file.write_bytes(data)
        result = run("weights", "import", file, "--as", "broken")
        assert result.exit_code == 1
        assert result.stderr.count("\n") == 1
    assert {path: path.stat().st_mtime_ns for path in weights_folder().iterdir()} == stored
