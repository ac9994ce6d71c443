import json

from tests.bench.reports import report


def test_the_fastest_is_one_that_is_right() -> None:
    (measured,) = report().sizes
    assert measured.fastest is not None
    assert measured.fastest.name == "auto"
    assert measured.fastest.fps == 10


def test_json_tells_everything() -> None:
    told = json.loads(json.dumps(report().as_json(), allow_nan=False))
    assert told["auto"]["segmenter"]["why"].startswith("the fastest here")
    assert told["peers"] == {"rembg": "2.0.86", "slow": ""}
    (size,) = told["sizes"]
    assert (size["size"], size["width"], size["height"]) == ("720p", 1280, 720)
    assert size["fastest"] == "auto"
    auto, _, wrong, broken = size["runtimes"]
    assert auto["stages_ms"]["refine"] == {"median": 80, "q1": 80, "q3": 80, "runs": 1}
    assert auto["cold"]["seconds"]["median"] == 0.8
    assert wrong["fps"] is None
    assert broken["total_ms"] is None
    ours, theirs, slow = size["processes"]
    assert ours["ratio"] == {"matte image": None, "rembg": 0.4, "slow": None}
    assert theirs["ratio"]["matte image"] == 2.5
    assert theirs["note"] == "random weights"
    assert slow["error"] == "slow took over 900 seconds"
