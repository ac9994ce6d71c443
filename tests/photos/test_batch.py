"""Photos one after the other: what fails alone, what fails at once."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from matte.arrays import Alpha, Image
from matte.configs.loader import merge_settings
from matte.errors import MatteError, OutputError
from matte.photos.batch import Batch, StageFiles
from matte.photos.finishing import FinishOptions
from matte.photos.jobs import PhotoJob
from matte.pipeline.line import NO_PRIOR, LineResult, Prior
from tests import fakes
from tests.conftest import disc, save

PIPELINE = fakes.build(merge_settings("fast", flags={"k": 3, "iterations": 2}))


def photo(path: Path) -> Path:
    return save(path, disc(40, 50)[0])


def test_one_that_fails_stops_no_other(tmp_path: Path) -> None:
    (tmp_path / "b.png").write_bytes(b"no picture")
    jobs = [
        PhotoJob(tmp_path / name, tmp_path / "out" / name, makes_folder=True)
        for name in ("a.png", "b.png", "c.png")
    ]
    photo(tmp_path / "a.png")
    photo(tmp_path / "c.png")
    found = list(Batch(jobs, FinishOptions()).run(PIPELINE))
    assert [outcome.error is None for outcome in found] == [True, False, True]
    assert str(found[1].error).startswith(f"{tmp_path / 'b.png'} is not a readable picture")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"a.png", "c.png"}
    assert found[0].report["subject"]


def test_what_is_wrong_with_the_request_is_raised_before_a_photo_is_read(tmp_path: Path) -> None:
    source = photo(tmp_path / "a.png")
    with pytest.raises(OutputError, match="named twice"):
        Batch([PhotoJob(source, source)], FinishOptions(), overwrite=True)
    with pytest.raises(OutputError, match=r"can't write report\.txt"):
        Batch(
            [PhotoJob(source, tmp_path / "out.png")],
            FinishOptions(),
            report=tmp_path / "report.txt",
        )
    with pytest.raises(OutputError, match="can't hold transparency"):
        Batch([PhotoJob(source, tmp_path / "out.jpg")], FinishOptions())
    assert not (tmp_path / "out.png").exists()


def test_stages_are_read_and_saved(tmp_path: Path) -> None:
    image, alpha = disc(40, 50)
    source = save(tmp_path / "a.png", image)
    mask = save(tmp_path / "mask.png", np.where(alpha >= 0.5, 255, 0).astype(np.uint8))
    stages = StageFiles(mask_in=mask, trimap=tmp_path / "t.png", alpha=tmp_path / "alpha.png")
    assert stages.any
    assert not StageFiles().any
    assert stages.sources() == [mask]
    (outcome,) = Batch([PhotoJob(source, tmp_path / "o.png")], FinishOptions(), stages).run(
        PIPELINE
    )
    assert [path.name for path in outcome.written] == ["t.png", "alpha.png", "o.png"]


def test_a_single_photos_error_keeps_its_words(tmp_path: Path) -> None:
    broken = tmp_path / "b.png"
    broken.write_bytes(b"no picture")
    (outcome,) = Batch([PhotoJob(broken, tmp_path / "o.png")], FinishOptions()).run(PIPELINE)
    assert isinstance(outcome.error, MatteError)
    assert str(outcome.error).count(str(broken)) == 1


def test_a_result_is_not_more_public_than_what_it_is_made_from(tmp_path: Path) -> None:
    jobs = [PhotoJob(photo(tmp_path / n), tmp_path / f"out-{n}") for n in ("a.png", "b.png")]
    jobs[0].source.chmod(0o600)
    for outcome in Batch(jobs, FinishOptions()).run(PIPELINE):
        assert outcome.error is None
    modes = [job.target.stat().st_mode for job in jobs]
    assert modes[0] & 0o777 == 0o600
    assert modes[1] == jobs[1].source.stat().st_mode


def test_a_result_that_appeared_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    job = PhotoJob(photo(tmp_path / "a.png"), tmp_path / "out.png")

    class Slow(fakes.Unrefined):
        def run(self, image: Image, prior: Prior = NO_PRIOR) -> LineResult:
            job.target.write_text("theirs")
            return LineResult(Alpha(np.ones(image.shape[:2], np.float32)), report={"ms": {}})

    pipeline = replace(PIPELINE, line=Slow())
    (outcome,) = Batch([job], FinishOptions(), StageFiles(alpha=tmp_path / "a.tif")).run(pipeline)
    assert outcome.error is not None
    assert "out.png exists" in str(outcome.error)
    assert job.target.read_text() == "theirs"
    assert {path.name for path in tmp_path.iterdir()} == {"a.png", "out.png"}
