from pathlib import Path

import numpy as np
from click.testing import CliRunner, Result

from matte.cli.main import main
from matte.media.pictures import read_alpha
from tests.conftest import SAMPLE
from tests.datasets.sets import put
from tests.tiny_networks import pointwise


def data(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["data", *map(str, arguments)])


def test_pictures_become_a_data_set(tmp_path: Path) -> None:
    pictures = tmp_path / "in"
    pictures.mkdir()
    (pictures / "me.jpg").write_bytes(SAMPLE.read_bytes())
    labelled = data("label", pictures, "--teacher", "person-light", "--out", tmp_path / "labels")
    assert labelled.exit_code == 0, labelled.output
    assert read_alpha(tmp_path / "labels" / "me.png").max() > 0.9
    sheet = tmp_path / "sheet.jpg"
    words = ("merge", pictures, "--labels", tmp_path / "labels", "--out", tmp_path / "set")
    merged = data(*words, "--sheet", sheet)
    assert merged.exit_code == 0, merged.output
    assert sheet.is_file()
    again = data(*words)
    assert again.exit_code == 1
    assert again.stderr.endswith("exists: choose another name or add --overwrite\n")
    assert data(*words, "--sheet", sheet, "--overwrite").exit_code == 0
    assert (tmp_path / "set" / "images" / "me.jpg").read_bytes() == SAMPLE.read_bytes()


def test_any_network_labels_by_its_rule(tmp_path: Path) -> None:
    put(tmp_path / "in", "a.png", array=np.full((20, 30, 3), 200, np.uint8))
    network = pointwise(tmp_path / "net.onnx")
    done = data(
        "label", tmp_path / "in", "--teacher", network, "--rule", "u2net", "--out", tmp_path / "out"
    )
    assert done.exit_code == 0, done.output
    assert read_alpha(tmp_path / "out" / "a.png").shape == (20, 30)


def test_a_rule_without_a_file_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "in", "a.png")
    done = data("label", tmp_path / "in", "--teacher", "no.onnx", "--rule", "isnet", "--out", "x")
    assert done.exit_code == 2
    assert "--rule is for an ONNX file" in done.output


def test_nothing_merged_is_an_error(tmp_path: Path) -> None:
    put(tmp_path / "in", "a.png")
    (tmp_path / "labels").mkdir()
    done = data(
        "merge", tmp_path / "in", "--labels", tmp_path / "labels", "--out", tmp_path / "set"
    )
    assert done.exit_code == 1
    assert "no picture of" in done.output
