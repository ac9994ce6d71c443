import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Pillow

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "subject_data.py"


def test_the_subjects_data_are_made_of_labels(tmp_path: Path) -> None:
    raw, labels = tmp_path / "raw", tmp_path / "labels"
    shape = np.zeros((96, 128), np.uint8)
    cv2.ellipse(shape, (64, 48), (30, 32), 0, 0, 360, 255, -1)
    crumb, noise = shape.copy(), np.random.default_rng(0).integers(0, 255, (96, 128, 3), np.uint8)
    crumb[4:8, 4:8] = 255
    written = {
        "raw/subjects/horse/images/h1.png": noise,
        "raw/subjects/horse/masks/h1.png": shape,
        "raw/subjects/clothing_cc0/images/c1.png": noise,
        "labels/u2netp/clothing/c1.png": shape,
        "labels/isnet/clothing/c1.png": shape,
        "raw/subjects/clothing_cc0/images/c2.png": noise,
        "labels/u2netp/clothing/c2.png": shape,
        "labels/isnet/clothing/c2.png": 255 - shape,
        "raw/backgrounds/bsds/t1.png": noise,
        "labels/u2netp/things/t1.png": shape,
        "raw/backgrounds/bsds/t2.png": noise,
        "labels/u2netp/things/t2.png": 0 * shape,
        "raw/person_seg/voc_animal_noperson/images/a1.png": noise,
        "raw/person_seg/voc_animal_noperson/labels/a1.png": np.where(crumb > 0, 8, 0),
        "labels/u2netp/animals/a1.png": shape,
    }
    for name, picture in written.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Pillow.fromarray(picture.astype(np.uint8)).save(tmp_path / name)
    words = [sys.executable, str(SCRIPT), str(raw), str(labels), str(tmp_path / "out")]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    made = tmp_path / "out/labels"
    files = {str(path.relative_to(made)) for path in made.rglob("*.png")}
    pairs = ("animals/{}/a1.png", "clothing/{}/c1.png", "things/{}/t1.png")
    assert files >= {pair.format(kind) for pair in pairs for kind in ("images", "masks")}
    assert "grounds/t2.png" in files
    assert not any("c2" in name for name in files)  # the teachers disagree
    with Pillow.open(made / "animals/masks/a1.png") as picture_of_mask:
        mask = np.asarray(picture_of_mask)
    assert set(np.unique(mask)) == {0, 128, 255}
    assert (mask[4:8, 4:8] == 128).all()  # small, and far from the animal
    with Pillow.open(made / "cutouts/horse_h1.png") as cut:
        assert cut.mode == "RGBA"
    assert (tmp_path / "out/subjects").is_symlink()
