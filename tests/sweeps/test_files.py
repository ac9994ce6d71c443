from pathlib import Path

from matte.configs.settings import TrimapSettings
from matte.sweeps.files import band_token, single_files
from matte.sweeps.run import sweep_settings


def test_files_tell_their_settings() -> None:
    bands = sweep_settings(k=[7, "auto"], iterations=[6], width=["1.5%", "12"])
    assert [band_token(b) for b in bands] == ["k7-i6", "auto", "width-1.5pct", "width-12px"]
    assert band_token(TrimapSettings(k=7, erode=2)) == "k7-e2-d6"
    names = [p.name for p in single_files(Path("out"), "photo", bands[:1])]
    assert names == [
        "photo-mask.png",
        "photo-k7-i6-trimap.png",
        "photo-k7-i6-alpha.png",
        "photo-k7-i6-composite.png",
    ]
