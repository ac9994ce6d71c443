import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Pillow

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "solved_mattes.py"


def test_subjects_on_plain_grounds_become_mattes(tmp_path: Path) -> None:
    folder = tmp_path / "raw/subjects/horse"
    disc = np.zeros((240, 320), np.float32)
    cv2.ellipse(disc, (160, 120), (70, 60), 0, 0, 360, 1.0, -1)
    soft = np.asarray(cv2.GaussianBlur(disc, (0, 0), 1.5), np.float32)
    mask = np.where(soft > 0.5, 255, 0).astype(np.uint8)
    plain = np.full((240, 320, 3), (40, 90, 160), np.float32)
    busy = np.random.default_rng(0).integers(0, 255, (240, 320, 3)).astype(np.float32)
    subject = np.full((240, 320, 3), (220, 200, 60), np.float32)
    for name, ground in (("plain", plain), ("busy", busy)):
        made = soft[..., None] * subject + (1 - soft[..., None]) * ground
        for kind, picture in (("images", made), ("masks", mask)):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            Pillow.fromarray(np.rint(picture).astype(np.uint8)).save(folder / kind / f"{name}.png")
    words = [sys.executable, str(SCRIPT), str(tmp_path / "raw"), str(tmp_path / "out")]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "subjects/horse: 1 solved\n"
    solved = np.asarray(Pillow.open(tmp_path / "out/gt/horse_plain.png"), np.float32)
    assert (tmp_path / "out/input/horse_plain.jpg").is_file()
    assert np.abs(solved / 255 - soft).mean() < 0.002
