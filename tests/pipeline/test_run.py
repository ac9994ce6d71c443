import warnings
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import matte
from matte.arrays import BACKGROUND, SUBJECT, Alpha, Image, as_trimap
from matte.configs.loader import merge_settings
from matte.errors import MatteWarning, PictureError, SettingError
from matte.media.pictures import Photo, read_image
from matte.pipeline.line import TrimapFree
from matte.pipeline.run import BuiltPipeline
from matte.runtime.memory import (
    ATTENTION_COST,
    BASE_BYTES,
    MIN_NETWORK_PIXELS,
    PICTURE_BYTES_PER_PIXEL,
    MemoryLimit,
)
from tests.compositing.screen_scene import BLOB, scene
from tests.conftest import disc, save
from tests.fakes import build

IMAGE, ALPHA = disc(64, 80)
PIPELINE = build(merge_settings("balanced", flags={"k": 3, "iterations": 2}))


def test_a_path_a_photo_and_pixels_give_one_result(tmp_path: Path) -> None:
    path = save(tmp_path / "photo.png", IMAGE)
    results = [PIPELINE(picture) for picture in (path, str(path), IMAGE, Photo(IMAGE))]
    for result in results:
        assert np.array_equal(result.alpha, results[0].alpha)
        assert result.report["settings"]["k"] == 3
        assert set(result.report["ms"]) == {"segment", "trimap", "refine", "foreground"}


def test_a_path_and_its_pixels_give_one_result_with_networks(sample: Path) -> None:
    pipeline = matte.load("fast", k=5, backend="onnx")
    from_path = pipeline(str(sample))
    assert np.array_equal(from_path.alpha, pipeline(read_image(sample)).alpha)
    assert {row["backend"] for row in from_path.report["networks"].values()} == {"onnx"}


def test_a_trimap_of_ones_own_refuses_flags_that_clean_a_mask(tmp_path: Path) -> None:
    trimap = np.where((ALPHA > 0) & (ALPHA < 1), 128, ALPHA * 255).astype(np.uint8)
    with pytest.raises(SettingError, match="makes no mask, so --keep-parts means nothing"):
        build(merge_settings(flags={"keep_parts": 1}))(IMAGE, trimap=trimap)
    file = tmp_path / "own.toml"
    file.write_text("[segmentation]\nkeep_parts = 1\n")  # for runs that make one
    assert build(merge_settings(file=file))(IMAGE, trimap=trimap).mask is None


def test_masks_and_trimaps_are_files_or_arrays(tmp_path: Path) -> None:
    mask = np.where(ALPHA > 0.5, 255, 0).astype(np.uint8)
    trimap = np.where((ALPHA > 0) & (ALPHA < 1), 128, mask).astype(np.uint8)
    masks: list[Any] = [mask, mask > 0, save(tmp_path / "mask.png", mask), tmp_path / "mask.npy"]
    np.save(tmp_path / "mask.npy", (mask / 255).astype(np.float64))
    alphas = [PIPELINE(IMAGE, mask=given).alpha for given in masks]
    assert all(np.array_equal(alpha, alphas[0]) for alpha in alphas)
    # 1, 3 and 4 channels; values are sorted at 85 and 170.
    rgb = np.repeat(trimap[:, :, None], 3, axis=2)
    rgba = np.dstack([rgb, np.full(trimap.shape, 255, np.uint8)])
    near = np.select([trimap == 0, trimap == 128], [84, 169], 170).astype(np.uint8)
    arrays = enumerate((trimap, rgb, rgba, near))
    trimaps: list[Any] = [save(tmp_path / f"{i}.png", array) for i, array in arrays]
    for given in [trimap, *trimaps]:
        result = PIPELINE(IMAGE, trimap=given, mask=mask)
        assert result.trimap is not None
        assert np.array_equal(result.trimap, trimap)
        assert result.mask is None


def test_files_are_paths_bytes_or_open_files(tmp_path: Path) -> None:
    mask = np.where(ALPHA > 0.5, 255, 0).astype(np.uint8)
    trimap = np.where((ALPHA > 0) & (ALPHA < 1), 128, mask).astype(np.uint8)
    arrays = {"photo": IMAGE, "mask": mask, "trimap": trimap}
    paths = {name: save(tmp_path / f"{name}.png", array) for name, array in arrays.items()}
    from_arrays = PIPELINE(IMAGE, mask=mask), PIPELINE(IMAGE, trimap=trimap)
    data = {name: path.read_bytes() for name, path in paths.items()}
    from_bytes = (
        PIPELINE(data["photo"], mask=data["mask"]),
        PIPELINE(data["photo"], trimap=data["trimap"]),
    )
    with ExitStack() as stack:
        files = [stack.enter_context(path.open("rb")) for path in paths.values()]
        from_files = [PIPELINE(files[0], mask=files[1])]
        files[0].seek(0)
        from_files.append(PIPELINE(files[0], trimap=files[2]))
    for expected, *others in zip(from_arrays, from_bytes, from_files, strict=True):
        assert all(np.array_equal(other.alpha, expected.alpha) for other in others)
    with pytest.raises(PictureError, match="the mask is not a readable picture"):
        PIPELINE(IMAGE, mask=b"no picture")
    with pytest.warns(MatteWarning, match="no subject found in the picture"):
        PIPELINE(data["photo"], mask=np.zeros((64, 80), np.uint8))


def test_what_is_given_must_fit() -> None:
    with pytest.raises(PictureError, match="the mask is 5×6, the picture 80×64: another shape"):
        PIPELINE(IMAGE, mask=np.zeros((6, 5), np.uint8))
    with pytest.raises(PictureError, match="the trimap is 5×6, the picture 80×64"):
        PIPELINE(IMAGE, trimap=np.zeros((6, 5), np.uint8))
    with pytest.raises(PictureError, match="outside 0 … 1"):
        PIPELINE(IMAGE, mask=np.full((64, 80), np.nan))


def test_what_memory_is_not_enough_for_is_refused_before_the_work() -> None:
    memory = MemoryLimit(
        BASE_BYTES
        + ATTENTION_COST.input_bytes(MIN_NETWORK_PIXELS)
        + PICTURE_BYTES_PER_PIXEL[1] * IMAGE[:, :, 0].size
    )
    pipeline = replace(PIPELINE, memory=memory)
    pipeline(IMAGE)
    with pytest.raises(PictureError, match="raise --max-memory, or give a smaller picture"):
        pipeline(IMAGE.astype(np.uint16) * 257)


def test_the_pictures_own_transparency_limits_alpha() -> None:
    half = Alpha(np.full(ALPHA.shape, 0.25, np.float32))
    assert PIPELINE(Photo(IMAGE)).alpha.max() == 1
    with pytest.warns(MatteWarning, match="no subject found in the picture: alpha is nowhere"):
        result = PIPELINE(Photo(IMAGE, transparency=half))
    assert result.alpha.max() == 0.25
    assert result.report["subject"] is False


def test_a_picture_without_a_subject_is_an_error_where_one_is_required() -> None:
    blank = np.zeros((64, 80), np.uint8)
    pipeline = build(merge_settings("balanced", flags={"require_subject": True}))
    with pytest.raises(PictureError, match="no subject found in the picture: give a rough mask"):
        pipeline(IMAGE, mask=blank)


def test_the_report_names_the_subjects() -> None:
    mask = np.zeros((64, 80), np.uint8)
    mask[8:56, 4:40] = mask[30:40, 62:74] = 255
    result = build(merge_settings("fast", flags={"k": 3, "keep_parts": 9}))(IMAGE, mask=mask)
    assert [subject.get("apart", False) for subject in result.report["subjects"]] == [False, True]
    assert result.report["subjects"][0]["share"] > 0.3


def test_reports_do_not_share_what_can_be_changed() -> None:
    one = PIPELINE(IMAGE).report
    one["settings"]["k"] = 99
    assert PIPELINE(IMAGE).report["settings"]["k"] == 3


def test_a_given_trimap_that_is_odd_is_used_and_told() -> None:
    with pytest.warns(MatteWarning) as told:
        result = PIPELINE(IMAGE, trimap=np.zeros((64, 80), np.uint8))
    assert (result.alpha == 0).all()
    assert [str(warning.message) for warning in told] == [
        "no subject found in the picture: alpha is nowhere above one half: give a rough mask with"
        " --mask-in, a lower --threshold, or another network with --segmenter",
        "the picture: the trimap has no sure subject: it is used as it is",
    ]


@pytest.mark.parametrize(
    ("preset", "flags", "told"),
    [
        ("fast", {"segmenter": "person-light"}, True),
        ("balanced", {"segmenter": "person"}, True),
        ("fast", {}, False),
        ("balanced", {}, False),
        ("balanced", {"modnet": "modnet"}, False),
    ],
)
def test_who_sees_people_alone_says_so(preset: str, flags: dict[str, str], told: bool) -> None:
    pipeline = build(merge_settings(preset, flags={**flags, "fallback": "none"}))
    with pytest.warns(MatteWarning, match="no subject found") as found:
        pipeline(np.full((64, 80, 3), 90, np.uint8))
    assert ("sees people alone: --preset balanced" in str(found[0].message)) == told


def test_a_fallback_is_told_once_and_by_name(tmp_path: Path) -> None:
    pipeline = build(merge_settings("balanced", flags={"k": 101}))
    path = save(tmp_path / "photo.png", IMAGE)
    with pytest.warns(MatteWarning) as told:
        result = pipeline(path)
    (warning,) = told
    assert str(warning.message) == f"{path}: the trimap has no sure subject: its matte is MODNet's"
    assert result.report["fallback"] == {"reason": "the trimap has no sure subject", "to": "modnet"}
    assert set(result.report["ms"]) == {"segment", "trimap", "matte", "foreground"}


def test_inputs_stay_as_they_are() -> None:
    image, mask = Image(IMAGE.copy()), ALPHA.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        PIPELINE(image, mask=mask)
    assert np.array_equal(image, IMAGE)
    assert np.array_equal(mask, ALPHA)


class Seen:
    """A trimap-free network that saw this alpha."""

    network = None

    def __init__(self, alpha: Alpha) -> None:
        self.alpha = alpha

    def matte(self, image: Image) -> Alpha:
        return self.alpha


def test_a_screen_mends_alpha_and_its_light_is_taken(recwarn: pytest.WarningsRecorder) -> None:
    image, seen, truth = scene("blue")
    line = TrimapFree(Seen(seen))
    found = BuiltPipeline(line, merge_settings(flags={"screen": "blue"}))(image)
    assert np.abs(found.alpha - truth).mean() < np.abs(seen - truth).mean() / 10
    red, green, blue = found.foreground[found.alpha > 0.5].astype(int).T
    assert (blue <= np.maximum(red, green)).all()
    assert found.report["screen"] == "blue"
    assert not recwarn
    with pytest.warns(MatteWarning, match="the picture: there is no green screen"):
        found = BuiltPipeline(line, merge_settings(flags={"screen": "green"}))(image)
    assert found.report["screen"] == "none"
    assert np.array_equal(found.alpha, seen)
    assert np.array_equal(found.foreground, BuiltPipeline(line)(image).foreground)
    assert np.array_equal(BuiltPipeline(line)(image).alpha, seen)


def test_a_screen_changes_nothing_where_a_trimap_of_ones_own_is_sure() -> None:
    image, _, truth = scene()
    trimap = as_trimap(np.where(truth > 0.9, 255, np.where(truth < 0.1, 0, 128)).astype(np.uint8))
    trimap[BLOB] = SUBJECT  # it has the screen's colour, and the user says that it belongs
    pipeline = build(merge_settings(flags={"screen": "green"}))
    found = pipeline(image, trimap=trimap)
    assert (found.alpha[trimap == SUBJECT] == 1).all()
    assert (found.alpha[trimap == BACKGROUND] == 0).all()


def test_memory_is_counted_for_a_screen_too() -> None:
    image, _, _ = scene()
    large = Image(np.tile(image, (20, 10, 1)))
    limit = MemoryLimit(BASE_BYTES + 30 * large[:, :, 0].size)
    pipeline = replace(PIPELINE, memory=limit)
    assert pipeline.find_alpha(Photo(large)).alpha.shape == large.shape[:2]
    keyed = replace(pipeline, merged=merge_settings(flags={"screen": "green"}))
    with pytest.raises(PictureError, match=r"megapixels take .* and --max-memory is"):
        keyed.find_alpha(Photo(large))
