from pathlib import Path

from matte.compositing.backgrounds import parse_background
from matte.configs.loader import merge_settings
from matte.photos.fingerprint import run_fingerprint
from matte.photos.finishing import FinishOptions


def test_what_changes_results_changes_the_print() -> None:
    settings, finish = merge_settings("fast"), FinishOptions()
    first = run_fingerprint(settings, finish, ".png")
    assert first == run_fingerprint(merge_settings("fast", flags={"threads": 1}), finish, ".png")
    others = [
        run_fingerprint(merge_settings("fast", flags={"k": 9}), finish, ".png"),
        run_fingerprint(settings, FinishOptions(parse_background("white")), ".png"),
        run_fingerprint(settings, finish, ".webp"),
        run_fingerprint(merge_settings("fast", flags={"segmenter": "person"}), finish, ".png"),
    ]
    assert all(other != first for other in others)


def test_networks_are_known_by_their_bytes() -> None:
    found = run_fingerprint(merge_settings("fast"), FinishOptions(), ".png")
    assert len(found["segmenter file"]) == 64
    guided = merge_settings("fast", flags={"refiner": "guided"})
    assert run_fingerprint(guided, FinishOptions(), ".png")["refiner file"] == ""


def test_another_mask_of_the_subject_is_another_print(tmp_path: Path) -> None:
    mask = tmp_path / "mask.png"
    settings = merge_settings("fast", flags={"subject": f"mask:{mask}"})
    found = []
    for content in (b"one", b"two"):
        mask.write_bytes(content)
        found.append(run_fingerprint(settings, FinishOptions(), ".png"))
    assert found[0]["subject"] == f"mask:{mask}"
    assert found[0] != found[1]
