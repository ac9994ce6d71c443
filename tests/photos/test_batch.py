"""Photos one after the other: what fails alone, what fails at once."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from matte.arrays import Alpha, Image
from matte.configs.loader import merge_settings
from matte.errors import MatteError, OutputError, PictureError, SettingError
from matte.media.pictures import read_photo
from matte.photos.batch import Batch, StageFiles
from matte.photos.finishing import FinishOptions
from matte.photos.jobs import PhotoJob
from matte.photos.locations import on_disk
from matte.pipeline.line import NO_PRIOR, LineResult, Prior
from matte.placement import pending_file
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


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    job = PhotoJob(photo(tmp_path / "a.png"), tmp_path / "out" / "a.png", makes_folder=True)
    (tmp_path / "out").mkdir()
    left = pending_file(on_disk(job.target)).temporary
    if left.name.count("-") < 4:
        pytest.skip("this system doesn't say when a process began")
    _, machine, pid, _, token = left.name.split("-")
    left.with_name(f".matte-{machine}-{pid}-1-{token}").touch()
    list(Batch([job], FinishOptions()).run(PIPELINE))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.png"]


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
    with pytest.raises(SettingError, match=r"--premultiply means nothing in \.psd"):
        Batch([PhotoJob(source, tmp_path / "out.psd")], FinishOptions(premultiply=True))
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
    on_disk(jobs[0].source).chmod(0o600)
    for outcome in Batch(jobs, FinishOptions()).run(PIPELINE):
        assert outcome.error is None
    modes = [on_disk(job.target).stat().st_mode for job in jobs]
    assert modes[0] & 0o777 == 0o600
    assert modes[1] == on_disk(jobs[1].source).stat().st_mode


def test_each_photo_has_its_rough_mask_in_a_folder(tmp_path: Path) -> None:
    two = np.zeros((40, 80, 3), np.uint8)
    two[10:30, 10:30] = two[10:30, 50:70] = 255
    (tmp_path / "masks").mkdir()
    jobs = []
    for name, left in (("a", 0), ("b", 40), ("c", None)):
        jobs.append(PhotoJob(save(tmp_path / f"{name}.png", two), tmp_path / f"out-{name}.png"))
        if left is not None:
            mask = np.zeros((40, 80), np.uint8)
            mask[:, left : left + 40] = 255
            save(tmp_path / "masks" / f"{name}.png", mask).chmod(0o600)
    masks = tmp_path / "masks"
    flags = {"k": 3, "iterations": 1, "subject": f"mask:{masks}"}
    batch = Batch(jobs, FinishOptions(), subject_masks=masks)
    found = list(batch.run(fakes.build(merge_settings("fast", flags=flags))))
    assert str(found[2].error).startswith(f"no mask of {tmp_path / 'c.png'} in {masks}: call it c")
    first, second = (read_photo(on_disk(job.target)).transparency for job in jobs[:2])
    assert first is not None
    assert second is not None
    assert (first[20, 20], first[20, 60]) == (1, 0)
    assert (second[20, 20], second[20, 60]) == (0, 1)
    assert (
        on_disk(jobs[0].target).stat().st_mode & 0o777 == 0o600
    )  # a result is made from its mask, too
    with pytest.raises(OutputError, match="named twice"):
        Batch([PhotoJob(jobs[0].source, masks / "a.png")], FinishOptions(), subject_masks=masks)
    with pytest.raises(PictureError, match=r"there is no .*none: name a mask after mask:"):
        Batch(jobs, FinishOptions(), subject_masks=tmp_path / "none")


def test_a_result_that_appeared_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    job = PhotoJob(photo(tmp_path / "a.png"), tmp_path / "out.png")

    class Slow(fakes.Unrefined):
        def run(self, image: Image, prior: Prior = NO_PRIOR) -> LineResult:
            on_disk(job.target).write_text("theirs")
            return LineResult(Alpha(np.ones(image.shape[:2], np.float32)), report={"ms": {}})

    pipeline = replace(PIPELINE, line=Slow())
    (outcome,) = Batch([job], FinishOptions(), StageFiles(alpha=tmp_path / "a.tif")).run(pipeline)
    assert outcome.error is not None
    assert "out.png exists" in str(outcome.error)
    assert on_disk(job.target).read_text() == "theirs"
    assert {path.name for path in tmp_path.iterdir()} == {"a.png", "out.png"}
